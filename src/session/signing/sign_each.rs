//! `sign`: for one proposal after the other the review, the question, the signature, its line and its file.

use alloy::primitives::Address;

use crate::ceremony::contention::together::{advise, require_distinct_nonces};
use crate::ceremony::enforce::{accepted, enforce};
use crate::ceremony::judged::Judged;
use crate::cli::args::AheadOutput;
use crate::device::{NamedKey, RequestedMode};
use crate::error::{Error, Exit};
use crate::proposal::{OwnerSignature, Way};
use crate::safe::Nonces;
use crate::session::machine::keys::{self, KeyHolder, KeyPurpose};
use crate::session::signing::on_device::{self, Asking};
use crate::session::signing::sign_terms::SignTerms;
use crate::session::signing::signers::Signers;
use crate::session::signing::signing_round::SigningRound;
use crate::session::{Session, signing::signing_ahead};
use crate::ui::Text;
use crate::view::signed::MadeSignature;
use crate::view::who_signed::to_sign;

/// One run of `sign`, with the key that signs.
struct Signing<'s> {
    session: &'s Session<'s>,
    terms: &'s SignTerms<'s>,
    key: NamedKey,
    /// Opened after the first review, so that a person can read before the device is plugged in.
    signer: Option<KeyHolder>,
}

/// Signs the named proposals, or with `ahead` one transaction at each of several nonces.
pub fn run(
    session: &Session,
    terms: &SignTerms,
    ahead: Option<(Nonces, AheadOutput)>,
) -> Result<Exit, Error> {
    session.require_known(terms.what)?;
    terms.require_own_values()?;
    keys::person(session.ui, &session.council, terms.signer)?;
    let key = keys::find(session.ui, terms.key, KeyPurpose::Signing)?;
    session.require_accepted(&session.rests_of(terms.what, terms.given)?, terms.accept)?;
    if let Some((nonces, target)) = ahead {
        return signing_ahead::run(session, terms, &key, nonces, target);
    }
    let ui = session.ui;
    let mut round = SigningRound::default();
    let all = round.load(session, terms)?;
    terms.require_one(all.len())?;
    require_distinct_nonces(&all)?;
    let count = all.len();
    if count > 1 {
        ui.show(&to_sign(&all));
    }
    let mut signing = Signing { session, terms, key, signer: None };
    for (at, judged) in all.iter().enumerate() {
        if count > 1 {
            ui.say(&Text::default().bold(&format!("{} of {count}", at + 1)));
        }
        let signature = signing.one(judged, (at + 1, count));
        let result = signature.and_then(|signature| write(session, judged, &signature, &mut round.signed));
        round.take(ui, result, judged, (&all[at + 1..], count))?;
    }
    round.finish(ui, count)
}

impl Signing<'_> {
    /// Reviews, asks and signs, in this order. Nothing is written before the last check has passed.
    fn one(&mut self, judged: &Judged, place: (usize, usize)) -> Result<OwnerSignature, Error> {
        let (session, terms) = (self.session, self.terms);
        let signers = Signers::of(session, (terms.signer, terms.for_safe), judged)?;
        // A refusal comes first: a known signature is not returned for what is refused.
        let is_allowed = enforce(&judged.findings, terms.accept).is_ok();
        if is_allowed
            && let Some(signature) =
                signers.check_before_review(&self.key, terms.asked == RequestedMode::EthSign)?
        {
            return Ok(signature);
        }
        let stated = self.key.stated();
        // A refusal comes before the question whose key it is.
        let stated_way = stated.filter(|_| is_allowed).map(|stated| signers.way(stated)).transpose()?;
        // The review's lines are the last before the question.
        if let Some(way) = stated_way {
            signers.show(way);
        }
        let persons = || signers.person().and_then(|person| signers.way(person).ok());
        let way = stated_way.or_else(persons);
        session.review_for(judged, way, self.key.device(), terms.accept);
        enforce(&judged.findings, terms.accept).map_err(|error| advise(session, judged, error))?;
        let has_screen = self.key.device().is_some();
        if !has_screen {
            if let Some(way) = stated_way {
                signers.remind(way);
            }
            self.confirm(judged, (stated.or(signers.person()), way), place)?;
        }
        let signer = self.open()?;
        let owner = signers.choose(signer)?;
        let way = signers.way(owner)?;
        if has_screen {
            signers.show(way);
        }
        let asking = Asking { way: terms.asked, unseen: terms.unseen, together: place.1 };
        let request = on_device::prepare(session, judged, signer, (owner, way), &asking)?;
        judged.require_late_agreement()?;
        let accepted = accepted(&judged.findings, terms.accept);
        let signature = signers.sign(signer, (&request, way), accepted)?;
        if has_screen {
            // The person may have taken minutes.
            judged.require_late_agreement()?;
        }
        Ok(signature)
    }

    fn open(&mut self) -> Result<&mut KeyHolder, Error> {
        Ok(match &mut self.signer {
            Some(signer) => signer,
            signer => signer.insert(keys::open(self.session.ui, self.terms.key, &self.key)?),
        })
    }

    /// Asks for a yes to the review above.
    fn confirm(
        &self,
        judged: &Judged,
        who: (Option<Address>, Option<&Way>),
        place: (usize, usize),
    ) -> Result<(), Error> {
        if self.terms.yes || self.session.asks_to_sign(judged, who, place, self.terms.accept)? {
            return Ok(());
        }
        Err(Error::rejection("not signed: you did not type yes")
            .hint("nothing was written; to sign, run the same command again and type yes"))
    }
}

/// Prints the line before it writes the file, so that a failing disk does not lose the signature, and adds it to `all`.
fn write(
    session: &Session,
    judged: &Judged,
    signature: &OwnerSignature,
    all: &mut Vec<MadeSignature>,
) -> Result<(), Error> {
    let (ui, proposal) = (session.ui, judged.proposal());
    let mut signed = MadeSignature::new(session, judged, signature);
    ui.show(&signed.lines());
    ui.data(&signed.line);
    ui.show(&signed.acceptance());
    let kept = judged.derived.keep(session).and_then(|_| session.keep_signature(proposal, signature));
    signed.file = kept.as_ref().ok().map(|path| path.display().to_string());
    ui.show(&signed.after());
    all.push(signed);
    session.note_signed(signature.owner(), proposal);
    session.note_accepted(signature.accepted(), Some(proposal));
    kept.map(|_| ()).map_err(|error| {
        error.hint("the signature was made: the line above is good, and only the file is missing")
    })
}
