//! `sign`: derive or load, check, show, ask, sign, write. One proposal after the other.

use alloy::primitives::Address;
use serde_json::{Value, json};

use crate::ceremony::derive::Given;
use crate::ceremony::obey::{accepted, changed_digits, obey};
use crate::ceremony::subject::{Purpose, Subject, is_file};
use crate::command::Session;
use crate::command::args::{Accept, Derive, Key, Proofs};
use crate::command::key::Signer;
use crate::command::{key, on_ledger};
use crate::device::{Asked, SigningRequest, Way};
use crate::error::{Error, Exit};
use crate::proposal::{OwnerSignature, Stated};
use crate::safe::SignatureKind;
use crate::ui::{Text, Ui};
use crate::view::review;

#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, clippy::struct_field_names, reason = "each is a flag of its own")]
pub struct Args {
    /// Levers or proposal files
    #[arg(required = true)]
    what: Vec<String>,

    #[command(flatten)]
    key: Key,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,

    #[command(flatten)]
    proofs: Proofs,

    /// Ask nothing of the network; says what could not be checked
    #[arg(long, conflicts_with = "proofs")]
    offline: bool,

    /// Sign without asking, after the review is printed; a Ledger asks on its own screen in any case
    #[arg(long)]
    yes: bool,

    /// Sign as this signer of the council file, where a Ledger holds the keys of several [default: me in your settings]
    #[arg(long = "as", value_name = "NAME")]
    signer: Option<String>,

    /// Give the Ledger every field, as is usual where its app takes them
    #[arg(long, conflicts_with_all = ["keystore", "hashes", "eth_sign"])]
    fields: bool,

    /// Give the Ledger the two hashes only: it then shows nothing else of what is signed
    #[arg(long, conflicts_with = "keystore")]
    hashes: bool,

    /// Sign as a personal message (eth_sign), for Safes from 1.1.1 on: a Ledger shows the whole safeTxHash in 4 presses
    #[arg(long)]
    eth_sign: bool,

    /// Accept that the Ledger shows neither all of the data nor a hash of it
    #[arg(long, conflicts_with = "keystore")]
    unseen: bool,
}

impl Args {
    const fn asked(&self) -> Asked {
        match (self.eth_sign, self.hashes, self.fields) {
            (true, _, _) => Asked::EthSign,
            (_, true, _) => Asked::Hashes,
            (_, _, true) => Asked::Fields,
            _ => Asked::Nothing,
        }
    }
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    for what in &args.what {
        session.is_known(what)?;
    }
    key::stated(&args.key)?;
    alone(args)?;
    let rests = args.what.iter().map(|what| session.rests_of(what, args.derive.undo));
    session.require_accepted(&rests.collect::<Result<Vec<_>, _>>()?, &args.accept.accept)?;
    let ui = session.ui;
    let mut subjects: Vec<Subject> = Vec::new();
    for what in &args.what {
        let subject = load(session, args, what, &subjects).map_err(|e| e.about(what))?;
        if let Some(other) = for_one_nonce(&subject, &subjects) {
            let (nonce, safe) = (subject.proposal.nonce(), &subject.safe.name);
            let message = format!(
                "{what} and {} are both for nonce {nonce} of {safe}: only one of them can be executed",
                other.proposal.hash()
            );
            return Err(Error::new(Exit::Usage, message).hint("agree which, and sign that one by itself"));
        }
        subjects.push(subject);
    }
    if subjects.len() > 1 {
        list(session, &subjects);
    }
    // Opened after the first review: its person can read while the Ledger is not there yet.
    let mut signer = None;
    let mut done = Done::default();
    for (at, subject) in subjects.iter().enumerate() {
        if subjects.len() > 1 {
            ui.say(&Text::default().bold(&format!("{} of {}", at + 1, subjects.len())));
        }
        let signature = one(session, args, subject, (at + 1, subjects.len()), &mut signer);
        match signature.and_then(|signature| write(session, subject, &signature, &mut done.signed)) {
            Ok(()) => {}
            // Nothing to do for one is no answer to the others either.
            Err(error) if error.exit == Exit::Done && subjects.len() > 1 => {
                ui.say(&Text::default().good("nothing to do: ").add(&error.message));
                held_up(ui, subject, &subjects[at + 1..]);
            }
            // A no to one, typed or on the device, is no answer to the others.
            Err(error) if error.is_rejection && subjects.len() > 1 => {
                ui.say(&Text::default().warn("skipped: ").add(&error.message));
                held_up(ui, subject, &subjects[at + 1..]);
                done.declined.push(subject.proposal.hash().to_string());
                done.exit = done.exit.max(Some(error.exit));
            }
            Err(error) => return Err(error.having_done(json!({ "signatures": done.signed }))),
        }
    }
    let object = json!({ "signatures": done.signed, "rejected": done.declined });
    let Some(exit) = done.exit else {
        ui.object(&object);
        return Ok(Exit::Done);
    };
    let message = format!("{} of {} were not signed: you said no", done.declined.len(), subjects.len());
    let hint = if done.signed.is_empty() { "nothing was signed" } else { "the others are signed" };
    Err(Error::new(exit, message).hint(hint).having_done(object))
}

/// What came of the proposals.
#[derive(Default)]
struct Done {
    signed: Vec<Value>,
    declined: Vec<String>,
    /// How the program ends, if a person said no.
    exit: Option<Exit>,
}

/// Those that follow on the same Safe wait for its nonce.
fn held_up(ui: &Ui, declined: &Subject, later: &[Subject]) {
    let nonce = declined.proposal.nonce();
    let waits = |s: &&Subject| s.safe.name == declined.safe.name && s.proposal.nonce() > nonce;
    if let Some(waiting) = later.iter().find(waits) {
        let text = format!(
            "nonce {} of {} can be sent only once nonce {nonce} is used",
            waiting.proposal.nonce(),
            waiting.safe.name
        );
        ui.say(&Text::default().warn("! ").add(&text));
    }
}

/// What is said about one proposal must not be taken for another.
fn alone(args: &Args) -> Result<(), Error> {
    let flags = [
        ("--accept", args.accept.accept.iter().any(|id| changed_digits(id).is_none())),
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
fn load<'a>(session: &'a Session, args: &Args, what: &str, before: &[Subject]) -> Result<Subject<'a>, Error> {
    if args.offline {
        return session.subject_offline(what, &args.derive.given());
    }
    let mut subject = session.subject(what, &args.derive.given(), Purpose::Sign, |_, _| None)?;
    let taken = before.iter().filter(|s| s.safe.name == subject.safe.name).map(|s| s.proposal.nonce()).max();
    match taken {
        Some(taken) if taken >= subject.proposal.nonce() && !is_file(what) => {
            let derive = Given { nonce: Some(taken.next()), ..args.derive.given() };
            subject = session.subject(what, &derive, Purpose::Sign, |_, _| None)?;
        }
        _ => {}
    }
    subject.prove(session.ui, args.proofs.proofs)?;
    Ok(subject)
}

/// Of two transactions for one nonce, one can be executed: signing both in one command is a mistake, or somebody's wish.
fn for_one_nonce<'a>(subject: &Subject, before: &'a [Subject]) -> Option<&'a Subject<'a>> {
    let same_nonce =
        |s: &&Subject| s.safe.name == subject.safe.name && s.proposal.nonce() == subject.proposal.nonce();
    before.iter().filter(same_nonce).find(|s| s.proposal.hash() != subject.proposal.hash())
}

fn list(session: &Session, subjects: &[Subject]) {
    session.ui.say(&Text::default().bold(&format!("{} to sign", subjects.len())));
    for subject in subjects {
        let what = subject.proposal.binding().title();
        let line = format!("  {} · nonce {} · {what}", subject.safe.name, subject.proposal.nonce());
        session.ui.say(&Text::new(&line));
    }
}

/// Review, yes, signature: in this order, and nothing is written before the last check has passed.
fn one(
    session: &Session,
    args: &Args,
    subject: &Subject,
    place: (usize, usize),
    signer: &mut Option<Signer>,
) -> Result<OwnerSignature, Error> {
    let findings = subject.findings(true);
    review::review(session.ui, session, subject, &findings);
    if subject.online.is_none() {
        unchecked(session, subject);
    }
    obey(&findings, &args.accept.accept)?;
    let accepted = accepted(&findings, &args.accept.accept);
    if args.key.ledger().is_some() {
        let signer = match signer {
            Some(signer) => signer,
            None => signer.insert(key::open(session.ui, &args.key)?),
        };
        let owner = owner(session, args, subject, signer)?;
        let request = on_ledger::prepare(session, subject, signer, owner, args.asked(), args.unseen)?;
        subject.still_agreed(&findings)?;
        return sign(session, subject, signer, &request, accepted);
    }
    confirm(session, args, place)?;
    let signer = match signer {
        Some(signer) => signer,
        None => signer.insert(key::open(session.ui, &args.key)?),
    };
    let owner = owner(session, args, subject, signer)?;
    let kind = if args.eth_sign { SignatureKind::EthSign } else { SignatureKind::Ecdsa };
    let request = SigningRequest {
        safe: subject.proposal.safe(),
        tx: subject.proposal.tx(),
        owner,
        kind,
        way: Way::Fields,
    };
    subject.still_agreed(&findings)?;
    sign(session, subject, signer, &request, accepted)
}

/// The owner whose key this is.
fn owner(session: &Session, args: &Args, subject: &Subject, signer: &mut Signer) -> Result<Address, Error> {
    let owners = subject.now().map_or_else(|| subject.owners.list(), |now| now.owners.list());
    let known = || {
        let known = owners.iter().map(|o| format!("{} {o}", review::signer_name(subject, *o)));
        format!("its owners: {}", known.collect::<Vec<_>>().join(", "))
    };
    let person = key::person(session.ui, &session.council, args.signer.as_deref())?;
    let person = person.filter(|person| args.signer.is_some() || owners.contains(person));
    let among = person.map_or_else(|| owners.to_vec(), |person| vec![person]);
    let owner = signer.choose_owner(session.ui, &session.council, &among).map_err(|e| e.hint(known()))?;
    if owners.contains(&owner) && among.contains(&owner) {
        return Ok(owner);
    }
    let message = match person {
        Some(person) => format!("this key is {owner}, and you sign as {person}"),
        None => format!("this key is {owner}, which is not an owner of {}", subject.safe.name),
    };
    Err(Error::new(Exit::Failed, message).hint(known()))
}

fn unchecked(session: &Session, subject: &Subject) {
    let ui = session.ui;
    let block = subject.proposal.block().number;
    ui.say(
        &Text::default().warn("  Offline").add(": not checked, because nothing was asked of the network:"),
    );
    for line in [
        format!("whether the Safe still has these owners, threshold and nonce (as of block {block})"),
        "whether the contract is in the state that the playbook expects, and runs the code that you pinned"
            .into(),
        "whether modules, guards and fallback handler of the Safe are those that the file says".into(),
        "the values that the transaction rests on, where the playbook reads any".into(),
    ] {
        ui.say(&Text::new("    - ").add(&line));
    }
    ui.blank();
}

/// One yes is for the one review above it.
fn confirm(session: &Session, args: &Args, (at, of): (usize, usize)) -> Result<(), Error> {
    let which = if of > 1 { format!(", {at} of {of}") } else { String::new() };
    if args.yes || session.ui.typed(&format!("Sign this{which}? Type yes"), "yes", "--yes")? {
        return Ok(());
    }
    let error = Error::new(Exit::Refused, "not signed: you did not type yes");
    Err(Error { is_rejection: true, ..error }
        .hint("nothing was written; run it again and type yes, or leave it"))
}

fn sign(
    session: &Session,
    subject: &Subject,
    signer: &mut Signer,
    request: &SigningRequest,
    accepted: Vec<String>,
) -> Result<OwnerSignature, Error> {
    let ecdsa = signer.sign_safe_tx(session.ui, request)?;
    let stated =
        Stated { hash: Some(subject.proposal.hash()), bytes: *ecdsa.bytes(), accepted, claims: None };
    // Read back as any other machine will read it: what cannot be verified is not written.
    Ok(OwnerSignature::verify(&stated, &subject.proposal, &subject.owners.only(request.owner))?)
}

/// The line first: whatever happens to the disk, the signature is not lost. It is in `signed`, kept or not.
fn write(
    session: &Session,
    subject: &Subject,
    signature: &OwnerSignature,
    signed: &mut Vec<Value>,
) -> Result<(), Error> {
    let ui = session.ui;
    let hash = signature.hash().to_string();
    let owner = signature.owner().to_string();
    let name = review::signer_name(subject, signature.owner());
    let line = signature.line(&session.claims(&subject.proposal));
    ui.say(&Text::default().good("signed ").add(&format!("by {name} {owner}")));
    ui.say(&Text::new("paste this line to whoever broadcasts:"));
    ui.data(&line);
    if !signature.accepted().is_empty() {
        // A line has no room for it.
        let text = format!("you accepted {}", signature.accepted().join(", "));
        ui.say(
            &Text::default().warn("! ").add(&text).add(": say so beside the line, which does not tell it"),
        );
    }
    let mut object = json!({
        "safe_tx_hash": hash,
        "owner": owner,
        "kind": signature.ecdsa().kind().to_string(),
        "line": line,
        "accepted": signature.accepted(),
        "decided_by_the_chain": review::decided_object(subject),
    });
    let kept = subject
        .keep(session)
        .and_then(|_| Ok(session.incidents.keep_signature(&hash, &owner, &signature.to_json())?));
    if let Ok(path) = &kept {
        ui.say(&Text::new("kept in ").add(&path.display().to_string()));
        object["file"] = json!(path.display().to_string());
    }
    signed.push(object);
    kept.map(|_| ()).map_err(|error| {
        error.hint("the signature was made: the line above is good, and only the file is missing")
    })
}
