//! `sign --nonces`: one review, and a signature for each nonce. They are written only to `--to`, because anybody who
//! has enough of them can use them.

use std::path::Path;

use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::contention::together::advise;
use crate::ceremony::drills::drill_names::names_drill;
use crate::ceremony::enforce::{accepted, enforce};
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::Given;
use crate::cli::args::AheadOutput;
use crate::clock;
use crate::device::{NamedKey, SigningRequest, Signs, USUAL_DEVICE};
use crate::error::{Error, Exit};
use crate::incident::{JournalAct, Plain};
use crate::proposal::{
    self, Claims, OwnerSignature, SafeOwners, SignedAhead, Stated, base_entry, find_signatures, gather_ahead,
};
use crate::safe::{Nonce, Nonces, listed};
use crate::session::machine::keys::KeyHolder;
use crate::session::signing::on_device::Asking;
use crate::session::signing::sign_terms::SignTerms;
use crate::session::signing::signers::Signers;
use crate::session::{Session, machine::keys, signing::on_device};
use crate::store;
use crate::ui::Text;
use crate::view::review_lines::shown_on_device::DeviceShows;
use crate::view::review_lines::summary::Summary;
use crate::view::{armed_texts, review_lines::review};

/// The object of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    owner: String,
    nonces: Vec<String>,
    signed: usize,
    to: String,
    accepted: &'a [String],
    /// The signatures, if they go to a pipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<&'a String>,
}

/// The nonces that are signed, and those that are not.
struct AheadProgress<'a> {
    target: AheadOutput<'a>,
    /// The text that was written, if it goes to a pipe.
    written: String,
    signed: Vec<Nonce>,
    /// Nonces that were signed before.
    known: Vec<Nonce>,
}

pub fn run(
    session: &Session,
    terms: &SignTerms,
    key: &NamedKey,
    nonces: Nonces,
    target: AheadOutput,
) -> Result<Exit, Error> {
    if names_drill(terms.what) {
        return Err(
            Error::new(Exit::Usage, "a drill is signed once, and not ahead").hint("leave out --nonces")
        );
    }
    if !terms.given.approve_as.is_empty() {
        return Err(Error::new(
            Exit::Usage,
            "--nonces is not for an approval on chain: each is for one transaction",
        )
        .hint("sign the levers themselves ahead, by owners whose keys own the Safe"));
    }
    let judged = load(session, terms, nonces)?;
    let there = read(target)?;
    let before = signed_before(&there, &judged, target.path)?;
    // Only owners of the Safe itself: an owner of an owning Safe would sign another message at each nonce.
    let signers = Signers::of(session, (terms.signer, Some(&judged.derived.safe.name)), &judged)?;
    if let Some(stated) = key.stated() {
        signers.check(stated).map_err(|error| not_below(&judged, stated, error))?;
    }
    show(session, terms, key, &judged, nonces);
    let accept = terms.accept;
    enforce(&judged.findings, accept)
        .map_err(|error| advise(session, &judged, hint_remaining_nonces(&judged, nonces, error)))?;
    if key.device().is_none() {
        confirm(session, terms, nonces)?;
    }
    let mut signer = keys::open(session.ui, terms.key, key)?;
    let owner = signers.choose(&mut signer)?;
    let mine = before.iter().filter(|one| one.signature.owner() == owner);
    let known: Vec<Nonce> =
        mine.map(|one| one.nonce).filter(|nonce| nonces.iter().any(|n| n == *nonce)).collect();
    if !known.is_empty() {
        let text = format!("{}: signed already, it goes on with the others", listed(known.clone()));
        session.ui.say(&Text::default().good("✓ ").add(&text));
    }
    let apart = !there.is_empty() && !there.ends_with(['\n', ',']);
    let written = if apart { "\n".into() } else { String::new() };
    let mut progress = AheadProgress { target, written, signed: Vec::new(), known };
    let end =
        sign_each(session, terms, &judged, nonces, (&mut signer, owner, signers.way(owner)?), &mut progress);
    report(session, &judged, owner, (&progress, &accepted(&judged.findings, accept)));
    end.map_err(|error| stopped(error, nonces, &progress))?;
    Ok(Exit::Done)
}

/// Returns the error for the key of an owner of an owning Safe, for which nothing is signed ahead; otherwise `error`.
fn not_below(judged: &Judged, key: Address, error: Error) -> Error {
    let ways = judged.derived.owners.ways(judged.proposal());
    let Some(way) = ways.iter().find(|way| !way.through.is_empty() && way.owners.contains(key)) else {
        return error;
    };
    let (own, safe) = (judged.name(way.domain.safe().address), &judged.derived.safe.name);
    let message =
        format!("nothing is signed ahead for {own}, which owns {safe}: --nonces is for owners of {safe}");
    Error::new(Exit::Usage, message).hint("sign without --nonces: one nonce at a time, when it is needed")
}

/// Judges the one transaction that was named, at the first of the nonces.
fn load<'a>(session: &'a Session, terms: &SignTerms, nonces: Nonces) -> Result<Judged<'a>, Error> {
    let given = Given { nonce: Some(nonces.first()), ..terms.given.clone() };
    if terms.offline {
        let derived = session.offline(terms.what, &given)?;
        return Ok(exactly_one(derived)?.judge(true));
    }
    let part = exactly_one(session.evaluate(terms.what, &given, CommandPurpose::Sign)?)?;
    Ok(part.result?.prove(session.ui, terms.proofs)?.judge(true))
}

/// Returns the only one. Fails if there are several.
fn exactly_one<T>(all: Vec<T>) -> Result<T, Error> {
    let count = all.len();
    let mut all = all.into_iter();
    match (all.next(), count) {
        (Some(one), 1) => Ok(one),
        _ => Err(Error::new(Exit::Usage, format!("--nonces is for one transaction, and these are {count}"))
            .hint("name the levers of one Safe")),
    }
}

/// Returns the text that the target has already.
fn read(target: AheadOutput) -> Result<String, Error> {
    if target.is_pipe() || !store::is_taken(target.path) {
        return Ok(String::new());
    }
    Ok(store::read_text(target.path)?)
}

/// Returns the text of one signature.
fn entry(target: AheadOutput, nonce: Nonce, signature: &OwnerSignature, claims: &Claims) -> String {
    if target.base {
        return base_entry(nonce, signature.ecdsa());
    }
    signature.line_ahead(&Claims { nonce: Some(nonce), ..claims.clone() }) + "\n"
}

/// Returns the signatures in the file. Fails if it holds anything but signatures of this transaction.
fn signed_before(text: &str, judged: &Judged, path: &Path) -> Result<Vec<SignedAhead>, Error> {
    let found = find_signatures(text);
    let wanted =
        proposal::ProposalAndOwners { proposal: judged.proposal(), owners: judged.derived.owners.clone() };
    let is_other = !(found.stated.is_empty() && found.bare.is_empty());
    let is_unlike = found.ahead.is_empty() && found.damaged.is_empty() && !text.trim().is_empty();
    let gathered = gather_ahead(&[found], &[wanted]);
    if !is_other && !is_unlike && gathered.refused.is_empty() {
        return Ok(gathered.new);
    }
    let why =
        gathered.refused.first().first().map_or("it is not a set of signatures", |(_, why)| why.as_str());
    Err(Error::new(Exit::Refused, format!("{} holds something else: {why}", path.display()))
        .hint("nothing was signed; name another file with --to"))
}

/// Shows the hashes of every nonce, then the review with the range in place of one nonce.
fn show(session: &Session, terms: &SignTerms, key: &NamedKey, judged: &Judged, nonces: Nonces) {
    let mut summary = Summary::of(session, judged, terms.accept);
    summary.shows = DeviceShows::Transaction; // for the Safe's own owners
    summary.lines_below = 1; // that it is ahead
    summary.read_on = key.device().unwrap_or(USUAL_DEVICE);
    summary.nonce_is = format!("the first of {}, to {}", nonces.count(), nonces.last());
    session.ui.show(&armed_texts::hashes(judged.proposal(), nonces));
    session.ui.show(&review::review(session, judged, &summary, session.ui.width()));
    let text = format!(
        "{} signatures, nonces {} to {}: whoever has enough can use them, unasked",
        nonces.count(),
        nonces.first(),
        nonces.last()
    );
    session.ui.say(&Text::new(" ").warn("AHEAD ").bold(&text));
}

/// Adds a hint with the range that is still to be signed, if the Safe has used the first nonces.
fn hint_remaining_nonces(judged: &Judged, nonces: Nonces, error: Error) -> Error {
    match judged.now().map(|now| now.nonce) {
        Some(next) if next > nonces.first() && next <= nonces.last() => {
            error.hint(format!("sign the nonces that are left: --nonces {next}..{}", nonces.last()))
        }
        _ => error,
    }
}

fn confirm(session: &Session, terms: &SignTerms, nonces: Nonces) -> Result<(), Error> {
    let question = format!("Sign this at each of {} nonces, {nonces}? Type yes", nonces.count());
    if terms.yes || session.ui.confirmed(&question, "--yes")? {
        return Ok(());
    }
    Err(Error::rejection("not signed: you did not type yes").hint("nothing was written"))
}

fn sign_each(
    session: &Session,
    terms: &SignTerms,
    judged: &Judged,
    nonces: Nonces,
    (signer, owner, way): (&mut KeyHolder, Address, &proposal::Way),
    progress: &mut AheadProgress,
) -> Result<(), Error> {
    let open: Vec<Nonce> = nonces.iter().filter(|nonce| !progress.known.contains(nonce)).collect();
    if open.is_empty() {
        return Ok(());
    }
    let owners = judged.derived.owners.restricted_to(owner);
    let asking = Asking { way: terms.asked, unseen: terms.unseen, together: open.len() };
    let first = on_device::prepare(session, judged, signer, (owner, way), &asking)?;
    let made = Some(clock::seconds());
    let claims = Claims { made, ..session.claims(judged.proposal()) };
    for (at, nonce) in open.iter().enumerate() {
        judged.require_late_agreement()?;
        let proposal = judged.proposal().with_nonce(*nonce);
        if signer.screen().is_some() {
            session.ui.show(&armed_texts::on_the_device(&proposal, (at + 1, open.len())));
        }
        let request = SigningRequest { signs: Signs::Tx(proposal.tx()), ..first };
        let signature = sign_one(session, signer, &request, &proposal, &owners)?;
        if signer.screen().is_some() {
            // The person may have taken minutes.
            judged.require_late_agreement()?;
        }
        progress.add(*nonce, &signature, &claims)?;
    }
    Ok(())
}

fn sign_one(
    session: &Session,
    signer: &mut KeyHolder,
    request: &SigningRequest,
    proposal: &proposal::Proposal,
    owners: &SafeOwners,
) -> Result<OwnerSignature, Error> {
    let ecdsa = signer.sign_safe_tx(session.ui, request)?;
    let stated = Stated {
        hash: Some(proposal.hash()),
        purpose: Some(proposal.purpose()),
        bytes: *ecdsa.bytes(),
        accepted: Vec::new(),
        claims: None,
    };
    Ok(OwnerSignature::verify(&stated, proposal, owners)?)
}

impl AheadProgress<'_> {
    /// Writes a signature before the next is asked for, so that a killed run loses none.
    fn add(&mut self, nonce: Nonce, signature: &OwnerSignature, claims: &Claims) -> Result<(), Error> {
        self.written.push_str(&entry(self.target, nonce, signature, claims));
        if !self.target.is_pipe() {
            store::append_private(self.target.path, &std::mem::take(&mut self.written))?;
        }
        self.signed.push(nonce);
        Ok(())
    }

    fn all(&self) -> Vec<Nonce> {
        self.known.iter().chain(&self.signed).copied().collect()
    }
}

/// Reports the signatures that were made, also after an error.
fn report(
    session: &Session,
    judged: &Judged,
    owner: Address,
    (progress, accepted): (&AheadProgress, &[String]),
) {
    let ui = session.ui;
    let (target, all) = (progress.target, listed(progress.all()));
    if target.is_pipe() {
        ui.data_block(progress.written.trim_end_matches('\n'));
    }
    ui.object(&Report {
        owner: owner.to_string(),
        nonces: progress.all().iter().map(ToString::to_string).collect(),
        signed: progress.signed.len(),
        to: target.path.display().to_string(),
        accepted,
        set: target.is_pipe().then_some(&progress.written),
    });
    if progress.signed.is_empty() {
        return;
    }
    let name = judged.name(owner);
    let place = if target.is_pipe() { "standard output".into() } else { target.path.display().to_string() };
    ui.say(&Text::default().good("signed ahead ").add(&format!("by {name}, {all}: in {place}")));
    let words = session.words_of(judged.proposal(), &[]);
    let file = if target.is_pipe() { "FILE".into() } else { place };
    ui.say(&Text::new("the keeper of the set runs ").bold(&format!("breakglass import {words} {file}")));
    if !target.is_pipe() {
        ui.say(
            &Text::new("encrypt it before it leaves this machine: ").bold(&format!("age -r age1… {file}")),
        );
    }
    let name = session.signer_name(owner);
    let nonces = Plain::cut(&listed(progress.signed.clone()));
    session.note(JournalAct::SignedAhead { owner, name, nonces }, judged.proposal());
    session.note_accepted(accepted, Some(judged.proposal()));
}

fn stopped(error: Error, nonces: Nonces, progress: &AheadProgress) -> Error {
    let done = progress.all();
    if done.is_empty() {
        return error;
    }
    let error = error.hint(format!("signed: {}, {} of {}", listed(done.clone()), done.len(), nonces.count()));
    if !progress.target.is_pipe() {
        return error.hint("run the same command again: it goes on from there");
    }
    match done.iter().max() {
        Some(last) => error.hint(format!("go on with --nonces {}..{}", last.next(), nonces.last())),
        None => error,
    }
}
