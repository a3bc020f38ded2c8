//! `sign`: derive or load, check, show, ask, sign, write. One proposal after the other.

use serde_json::{Value, json};

use crate::cli;
use crate::command::session::Session;
use crate::command::subject::{Purpose, Subject, accepted, is_file, obey};
use crate::command::{key, show};
use crate::device::{Device, SigningRequest, Way};
use crate::error::{Error, Exit};
use crate::proposal::{OwnerSignature, Stated};
use crate::safe::SignatureKind;
use crate::ui::Text;

pub fn run(session: &Session, args: &cli::Sign) -> Result<Exit, Error> {
    for what in &args.what {
        session.is_known(what)?;
    }
    key::keystore(&args.key)?;
    alone(args)?;
    let ui = session.ui;
    let mut subjects: Vec<Subject> = Vec::new();
    for what in &args.what {
        let subject = load(session, args, what, &subjects).map_err(|e| e.about(what))?;
        subjects.push(subject);
    }
    if subjects.len() > 1 {
        list(session, &subjects);
    }
    let mut device = None;
    let mut signed = Vec::new();
    for (at, subject) in subjects.iter().enumerate() {
        if subjects.len() > 1 {
            ui.say(&Text::default().bold(&format!("{} of {}", at + 1, subjects.len())));
        }
        let one = one(session, args, subject, &mut device);
        signed.push(one.map_err(|e| with_signed(e, &signed))?);
    }
    ui.object(&json!({ "signatures": signed }));
    Ok(Exit::Done)
}

/// What was signed before an error is told beside it, and what was signed and could not be kept.
fn with_signed(mut error: Error, signed: &[Value]) -> Error {
    let unkept = error.done.take().and_then(|done| done["signatures"].as_array().cloned());
    let all = [signed, &unkept.unwrap_or_default()].concat();
    error.having_done(json!({ "signatures": all }))
}

/// What is said about one proposal must not be taken for another.
fn alone(args: &cli::Sign) -> Result<(), Error> {
    let flags = [
        ("--accept", !args.accept.accept.is_empty()),
        ("--set", !args.derive.set.is_empty()),
        ("--nonce", args.derive.nonce.is_some()),
    ];
    match flags.iter().find(|(_, given)| *given && args.what.len() > 1) {
        Some((flag, _)) => {
            Err(Error::new(Exit::Usage, format!("{flag} is for one proposal, and several are named"))
                .hint("sign that one by itself"))
        }
        None => Ok(()),
    }
}

/// Levers of one Safe in one command take its nonces in the order in which they are named: each can be executed.
fn load<'a>(
    session: &'a Session,
    args: &cli::Sign,
    what: &str,
    before: &[Subject],
) -> Result<Subject<'a>, Error> {
    if args.offline {
        return session.subject_offline(what, &args.derive);
    }
    let subject = session.subject(what, &args.derive, Purpose::Sign, |_, _| None)?;
    let taken = before.iter().filter(|s| s.safe.name == subject.safe.name).map(|s| s.proposal.nonce()).max();
    match taken {
        Some(taken) if taken >= subject.proposal.nonce() && !is_file(what) => {
            let derive = cli::Derive { nonce: Some(taken.next()), ..args.derive.clone() };
            session.subject(what, &derive, Purpose::Sign, |_, _| None)
        }
        _ => Ok(subject),
    }
}

fn list(session: &Session, subjects: &[Subject]) {
    session.ui.say(&Text::default().bold(&format!("{} to sign", subjects.len())));
    for subject in subjects {
        let binding = subject.proposal.binding();
        let what = binding.lever.clone().unwrap_or_else(|| binding.playbook.to_string());
        let line = format!("  {} · nonce {} · {what}", subject.safe.name, subject.proposal.nonce());
        session.ui.say(&Text::new(&line));
    }
}

/// Review, yes, signature, file, line: in this order, and nothing is written before the last check has passed.
fn one(
    session: &Session,
    args: &cli::Sign,
    subject: &Subject,
    device: &mut Option<Box<dyn Device>>,
) -> Result<Value, Error> {
    let findings = subject.findings(true);
    show::review(session, subject, &findings);
    if subject.online.is_none() {
        unchecked(session, subject);
    }
    obey(&findings, &args.accept.accept)?;
    confirm(session, args)?;
    let device = match device {
        Some(device) => device,
        None => device.insert(key::unlock(session.ui, &args.key)?),
    };
    let signature = sign(session, subject, device.as_mut(), accepted(&findings, &args.accept.accept))?;
    write(session, subject, &signature)
}

fn unchecked(session: &Session, subject: &Subject) {
    let ui = session.ui;
    let block = subject.proposal.block().number;
    ui.say(
        &Text::default().warn("  Offline").add(": not checked, because nothing was asked of the network:"),
    );
    for line in [
        format!("whether the Safe still has these owners, threshold and nonce (as of block {block})"),
        "whether the contract is in the state that the playbook expects".into(),
        "the values that the transaction rests on, where the playbook reads any".into(),
    ] {
        ui.say(&Text::new("    - ").add(&line));
    }
    ui.blank();
}

fn confirm(session: &Session, args: &cli::Sign) -> Result<(), Error> {
    if args.yes || session.ui.typed("Sign this? Type yes", "yes", "--yes")? {
        return Ok(());
    }
    Err(Error::new(Exit::Refused, "not signed: you did not type yes")
        .hint("nothing was written; run it again and type yes, or leave it"))
}

fn sign(
    session: &Session,
    subject: &Subject,
    device: &mut dyn Device,
    accepted: Vec<String>,
) -> Result<OwnerSignature, Error> {
    let owner = device.address()?;
    let owners = &subject.state().owners;
    if !owners.contains(owner) {
        let known: Vec<String> =
            owners.list().iter().map(|o| format!("{} {o}", show::signer_name(subject, *o))).collect();
        let message = format!("this key is {owner}, which is not an owner of {}", subject.safe.name);
        return Err(Error::new(Exit::Failed, message).hint(format!("its owners: {}", known.join(", "))));
    }
    let request = SigningRequest {
        safe: subject.proposal.safe(),
        tx: subject.proposal.tx(),
        owner,
        kind: SignatureKind::Ecdsa,
        way: Way::Fields,
    };
    let ecdsa = session.ui.wait("signing", || device.sign_safe_tx(&request))?;
    let stated = Stated { hash: Some(subject.proposal.hash()), bytes: *ecdsa.bytes(), accepted };
    // Read back as any other machine will read it: what cannot be verified is not written.
    Ok(OwnerSignature::verify(&stated, &subject.proposal, &[owner])?)
}

/// The line first: whatever happens to the disk, the signature is not lost.
fn write(session: &Session, subject: &Subject, signature: &OwnerSignature) -> Result<Value, Error> {
    let ui = session.ui;
    let hash = signature.hash().to_string();
    let owner = signature.owner().to_string();
    let name = show::signer_name(subject, signature.owner());
    let line = signature.line();
    ui.say(&Text::default().good("signed ").add(&format!("by {name} {owner}")));
    ui.say(&Text::new("paste this line to whoever broadcasts:"));
    ui.data(&line);
    let mut object = json!({
        "safe_tx_hash": hash,
        "owner": owner,
        "kind": signature.ecdsa().kind().to_string(),
        "line": line,
        "accepted": signature.accepted(),
    });
    let kept = subject
        .keep(session)
        .and_then(|_| Ok(session.incidents.keep_signature(&hash, &owner, &signature.to_json())?));
    match kept {
        Ok(path) => {
            ui.say(&Text::new("kept in ").add(&path.display().to_string()));
            object["file"] = json!(path.display().to_string());
            Ok(object)
        }
        Err(error) => Err(error
            .hint("the signature was made: the line above is good, and only the file is missing")
            .having_done(json!({ "signatures": [object] }))),
    }
}
