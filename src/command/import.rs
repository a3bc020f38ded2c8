//! `import`: signatures from files, folders, standard input, a whole pasted chat. Nothing that a source says about
//! itself is believed: every hash is recomputed, every signer recovered.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli;
use crate::command::session::Session;
use crate::command::subject::Purpose;
use crate::error::{Error, Exit};
use crate::proposal::{Found, OwnerSignature, Proposal, Stated, VerifyError, find_signatures};
use crate::store;
use crate::ui::{Text, has_terminal};

/// What became of everything that was found.
#[derive(Default)]
struct Taken {
    new: Vec<OwnerSignature>,
    known: Vec<OwnerSignature>,
    refused: Vec<(String, String)>,
}

pub fn run(session: &Session, args: &cli::Import) -> Result<Exit, Error> {
    let texts = read(session, &args.from)?;
    let mut taken = Taken::default();
    let mut stated = Vec::new();
    for (origin, text) in &texts {
        for found in find_signatures(text) {
            match found {
                Found::Signature(signature) => stated.push((origin.clone(), signature)),
                Found::Damaged { line, why } => {
                    let head: String = line.chars().take(20).collect();
                    taken.refused.push((origin.clone(), format!("the line {head}… cannot be read: {why}")));
                }
            }
        }
    }
    let targets = targets(session, args, &stated)?;
    for (origin, signature) in &stated {
        take(session, origin, signature, &targets, &mut taken)?;
    }
    report(session, &taken)
}

/// Where to look; standard input when nothing is named.
fn read(session: &Session, from: &[PathBuf]) -> Result<Vec<(String, String)>, Error> {
    let stdin = [PathBuf::from("-")];
    let from = if from.is_empty() { &stdin[..] } else { from };
    let mut texts = Vec::new();
    for path in from {
        if path == Path::new("-") {
            if has_terminal() {
                session
                    .ui
                    .say(&Text::new("paste the chat or the lines, then press Ctrl-D on a line of its own:"));
            }
            texts.push(("standard input".into(), store::read_stdin()?));
        } else if path.is_dir() {
            for file in store::files_below(path, "json")? {
                texts.push((file.display().to_string(), store::read_text(&file)?));
            }
        } else {
            texts.push((path.display().to_string(), store::read_text(path)?));
        }
    }
    Ok(texts)
}

/// The proposals that signatures may be for: all that are kept here for what was named, or else the lever derived now.
fn targets(
    session: &Session,
    args: &cli::Import,
    stated: &[(String, Stated)],
) -> Result<Vec<Proposal>, Error> {
    let mut targets: Vec<Proposal> = session.kept()?;
    let given = session.given(&args.what, &args.derive, Purpose::Finish)?;
    let fits = |p: &Proposal| {
        let owners = session.owners(p);
        stated.iter().any(|(_, s)| OwnerSignature::verify(s, p, &owners).is_ok())
    };
    match given {
        Some(proposal) if !targets.iter().any(|t| t.hash() == proposal.hash()) => {
            if fits(&proposal) {
                session.incidents.keep_proposal(&proposal.hash().to_string(), &proposal.to_json())?;
            }
            targets.push(proposal);
        }
        Some(_) if stated.is_empty() || targets.iter().any(fits) => {}
        // Nothing here fits: the lever may mean a transaction that was never proposed on this machine.
        _ => {
            let subject = session.subject(&args.what, &args.derive, Purpose::Sign, |_, _| None)?;
            if fits(&subject.proposal) {
                subject.keep(session)?;
            }
            targets.push(subject.proposal);
        }
    }
    Ok(targets)
}

fn take(
    session: &Session,
    origin: &str,
    stated: &Stated,
    targets: &[Proposal],
    taken: &mut Taken,
) -> Result<(), Error> {
    let verified: Vec<Result<OwnerSignature, VerifyError>> =
        targets.iter().map(|p| OwnerSignature::verify(stated, p, &session.owners(p))).collect();
    let found = verified.iter().zip(targets).find_map(|(v, proposal)| Some((v.as_ref().ok()?, proposal)));
    let Some((signature, proposal)) = found else {
        // The most telling reason: that it is by a stranger, over a transaction that is known here.
        let reason = verified
            .into_iter()
            .filter_map(Result::err)
            .min_by_key(|e| matches!(e, VerifyError::OtherHash(_)))
            .map_or_else(|| "there is no proposal here that it could be for".into(), |e| e.to_string());
        taken.refused.push((origin.into(), reason));
        return Ok(());
    };
    let hash = signature.hash().to_string();
    let owner = signature.owner().to_string();
    // Known only if what is kept counts: a file of that name proves nothing.
    if session.signatures(proposal)?.iter().any(|s| s.ecdsa() == signature.ecdsa()) {
        taken.known.push(signature.clone());
    } else {
        session.incidents.keep_signature(&hash, &owner, &signature.to_json())?;
        taken.new.push(signature.clone());
    }
    Ok(())
}

fn report(session: &Session, taken: &Taken) -> Result<Exit, Error> {
    let ui = session.ui;
    for signature in &taken.new {
        let line = format!("{} for {}", signature.owner(), signature.hash());
        ui.say(&Text::default().good("taken in  ").add(&line));
    }
    for signature in &taken.known {
        ui.say(&Text::default().dim("known     ").add(&format!(
            "{} for {}",
            signature.owner(),
            signature.hash()
        )));
    }
    for (origin, why) in &taken.refused {
        ui.say(&Text::default().bad("refused   ").add(&format!("{origin}: {why}")));
    }
    let owners = |list: &[OwnerSignature]| {
        list.iter()
            .map(|s| json!({ "owner": s.owner().to_string(), "safe_tx_hash": s.hash().to_string() }))
            .collect::<Vec<_>>()
    };
    let refused: Vec<_> =
        taken.refused.iter().map(|(origin, why)| json!({ "origin": origin, "why": why })).collect();
    let nothing = taken.new.is_empty() && taken.known.is_empty();
    if nothing {
        let why = match taken.refused.first() {
            Some((origin, why)) => format!("no signature was taken in: {origin}: {why}"),
            None => "no signature was found in what was given".into(),
        };
        return Err(Error::new(Exit::Failed, why)
            .hint("ask its signer for the whole line again: it begins with bgsig1"));
    }
    ui.object(&json!({ "taken": owners(&taken.new), "known": owners(&taken.known), "refused": refused }));
    Ok(Exit::Done)
}
