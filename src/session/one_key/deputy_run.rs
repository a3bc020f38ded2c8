//! One key acts alone: the review, the question, and the signature of a module's message. `deputy_sending` sends it.

use std::path::Path;
use std::time::Instant;

use alloy::primitives::Address;

use crate::ceremony::deputy::deputy_act::{Act, How, Wish, new_nonce};
use crate::ceremony::enforce::{accepted, enforce_alone};
use crate::ceremony::order::{Given, named_once};
use crate::ceremony::sending::offer::{Offer, require_affordable_tip};
use crate::clock;
use crate::council::{By, Lever};
use crate::device::NamedKey;
use crate::error::{Error, Exit};
use crate::incident::TxStep;
use crate::proposal::{Bearer, MOST_BEARER};
use crate::session::Session;
use crate::session::machine::keys::{self, KeyHolder, KeyPurpose};
use crate::session::one_key::deputy_sending::{DeputyRun, DeputyTerms, Next, next, send, wait_for};
use crate::store::{create_new, read_text_up_to, require_creatable};
use crate::view::deputy_done::BearerWritten;
use crate::view::review_lines::cost;
use crate::view::review_lines::decision::ReviewAnswer;
use crate::view::review_lines::deputy_review::{block_of, details, review};
use crate::view::review_lines::summary::Summary;

enum Goal<'t> {
    /// The signature goes to this file.
    Write(&'t Path),
    /// The transaction is sent, at this price.
    Send(Box<Offer>),
}

pub fn run(session: &Session, terms: &DeputyTerms) -> Result<Exit, Error> {
    require_affordable_tip(terms.fees.priority_fee, terms.fees.max_fee)?;
    let lever = session.deputys(terms.lever)?;
    let named = keys::find(
        session.ui,
        terms.key,
        if terms.relay.is_some() { KeyPurpose::Paying } else { KeyPurpose::Signing },
    )?;
    require_fitting(lever, terms, &named)?;
    if let Some(to) = terms.to {
        require_creatable(to)?;
    }
    let bearer = terms.relay.map(|file| read_text_up_to(MOST_BEARER, file)).transpose()?;
    let rests = session.rests_of(&[terms.lever.to_string()], &Given::default())?;
    session.require_accepted(&rests, terms.accept)?;
    let (set, nonce) = (named_once(terms.set)?, new_nonce(lever));
    let sitting = DeputyRun { session, terms, lever, set, nonce };
    let deputy = lever.by.deputy().unwrap_or_default();
    // A device only signs here; a keystore that does not state its address is opened first.
    let mut signer = None;
    let payer = match (named.stated(), named.device()) {
        (Some(stated), _) => stated,
        (None, Some(_)) => deputy.1,
        (None, None) => sitting.open(&named, &mut signer)?.payer(&session.council)?,
    };
    if terms.relay.is_none() && payer != deputy.1 {
        return Err(not_the_deputy(lever, payer));
    }
    let since = clock::moment();
    let act = sitting.evaluate(payer, bearer.as_deref())?;
    sitting.review(&act);
    enforce_alone(&act.judged.findings, terms.accept)?;
    let goal = match terms.to {
        Some(to) => Goal::Write(to),
        None => match next(&sitting, &act, payer)? {
            Next::Waits(earlier) => return wait_for(&sitting, &act, &earlier),
            Next::Send(offer) => Goal::Send(offer),
        },
    };
    sitting.ask(&act, &goal)?;
    act.judged.require_late_agreement()?;
    let signer = sitting.open(&named, &mut signer)?;
    let act = sitting.ready(act, bearer.as_deref(), signer, payer, since)?;
    let accepted = accepted(&act.judged.findings, terms.accept);
    session.note_accepted(&accepted, None);
    match goal {
        Goal::Write(to) => sitting.write(&act, to),
        Goal::Send(shown) => send(&sitting, &act, &shown, signer, payer),
    }
}

/// Refuses files for a lever without a module, and a device for a transaction: it does not show what the call does.
fn require_fitting(lever: &Lever, terms: &DeputyTerms, named: &NamedKey) -> Result<(), Error> {
    let usage = |message: String, hint: &str| Err(Error::new(Exit::Usage, message).hint(hint));
    let name = &lever.name;
    let flag = if terms.to.is_some() { "--to" } else { "--relay" };
    let has_file = terms.to.is_some() || terms.relay.is_some();
    if has_file && !matches!(lever.by, By::Module { .. }) {
        let message =
            format!("{flag} is for a deputy's module, and with lever {name} the key itself makes the call");
        return usage(message, "leave it out; for a module, name it in breakglass.toml: module = \"…\"");
    }
    if terms.to == Some(Path::new("-")) {
        return usage("--to names a file: the signature is not printed".into(), "write --to pause.json");
    }
    if let Some(device) = named.device().filter(|_| terms.to.is_none()) {
        let message = format!("a {device} does not show what this call does: use a keystore");
        let hint = match lever.by {
            By::Module { .. } => {
                format!(
                    "or sign on the {device} with --to FILE, and let a keystore send it with --relay FILE"
                )
            }
            By::Safe | By::Key(_) => {
                format!("write --keystore FILE; a lever of the Safe can be signed with a {device}")
            }
        };
        return usage(message, &hint);
    }
    Ok(())
}

fn not_the_deputy(lever: &Lever, key: Address) -> Error {
    let (name, address) = lever.by.deputy().unwrap_or_default();
    let message = format!("this key is {key}, and only {name} {address} may pull lever {}", lever.name);
    let error = Error::new(Exit::Failed, message);
    match lever.by {
        By::Module { .. } => error
            .hint(format!("let {name} sign to a file: breakglass deputy {} --to FILE", lever.name))
            .hint(format!("then anybody can send it: breakglass deputy {} --relay FILE", lever.name)),
        By::Safe | By::Key(_) => error.hint(format!("let {name} act, or use another --keystore")),
    }
}

impl<'a> DeputyRun<'a> {
    fn evaluate(&self, payer: Address, bearer: Option<&str>) -> Result<Act<'a>, Error> {
        let wish = Wish { set: &self.set, payer, bearer, nonce: self.nonce };
        self.session.desk.evaluate_as_deputy(self.lever, &wish)
    }

    fn open<'s>(
        &self,
        named: &NamedKey,
        signer: &'s mut Option<KeyHolder>,
    ) -> Result<&'s mut KeyHolder, Error> {
        Ok(match signer {
            Some(signer) => signer,
            None => signer.insert(keys::open(self.session.ui, self.terms.key, named)?),
        })
    }

    fn review(&self, act: &Act) {
        let ui = self.session.ui;
        let summary = Summary::of_deputy(self.session, act, self.terms.accept);
        ui.show(&review(self.session, act, &summary, ui.width()));
        if !matches!(summary.answer, ReviewAnswer::Decide) {
            ui.field("summary", &summary);
        }
    }

    /// Asks whether to act as shown. `more` shows the details page by page.
    fn ask(&self, act: &Act, goal: &Goal) -> Result<(), Error> {
        let (ui, accept) = (self.session.ui, self.terms.accept);
        let names = &act.judged.derived.names;
        if let Goal::Send(offer) = goal {
            ui.show(&cost::lines(offer, names));
            ui.blank();
        }
        let (name, address) = act.deputy;
        let question = match goal {
            Goal::Write(_) => format!("Sign as {name} {address}?  yes / no / more"),
            Goal::Send(_) if self.terms.relay.is_some() => {
                format!("Send {name}'s signature?  yes / no / more")
            }
            Goal::Send(_) => format!("Act as {name} {address}?  yes / no / more"),
        };
        let more = || {
            ui.pages(&details(self.session, act))?;
            ui.blank();
            ui.show(&block_of(self.session, act, accept, ui.width()));
            Ok(())
        };
        if self.terms.yes || ui.decided(&question, "--yes", more)? {
            return Ok(());
        }
        Err(Error::rejection("not done: you did not type yes")
            .hint("nothing was signed or sent; to act, run the same command again and type yes"))
    }

    /// Returns the act that may be sent: with the deputy's signature, and checked again if the chain may have moved.
    fn ready(
        &self,
        act: Act<'a>,
        bearer: Option<&str>,
        signer: &mut KeyHolder,
        payer: Address,
        since: Instant,
    ) -> Result<Act<'a>, Error> {
        let made = match &act.how {
            How::Module(pause, None) => {
                // On a device, the deputy's key is searched for first.
                signer.choose_owner(self.session.ui, &self.session.council, &[act.deputy.1])?;
                let signature = signer.sign_pause(self.session.ui, pause, act.deputy.1)?;
                Some(Bearer { pause: *pause, signature }.to_json())
            }
            How::Key(_) | How::Module(_, Some(_)) => None,
        };
        let is_stale = since.elapsed() > act.judged.seen()?.link.between_blocks();
        if made.is_none() && !is_stale {
            return Ok(act);
        }
        let again = self.evaluate(payer, made.as_deref().or(bearer))?;
        enforce_alone(&again.judged.findings, self.terms.accept)?;
        again.changes_the_same(&act)?;
        Ok(again)
    }

    /// Writes the deputy's signature to the file that was asked for, and nowhere else.
    fn write(&self, act: &Act, to: &Path) -> Result<Exit, Error> {
        let How::Module(pause, Some(signature)) = &act.how else {
            return Err(Error::new(Exit::Failed, "there is no signature to write"));
        };
        let bearer = Bearer { pause: *pause, signature: signature.clone() };
        create_new(to, &bearer.to_json())?;
        let (ui, file) = (self.session.ui, to.display().to_string());
        let written = BearerWritten::new(&self.lever.name, pause, file);
        ui.show(&written.lines());
        ui.object(&written);
        self.note(act, TxStep::Signed {});
        Ok(Exit::Done)
    }
}
