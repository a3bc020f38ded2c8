//! `sign`: derive or load, check, show, ask, sign, write. One proposal after the other.

use alloy::primitives::Address;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::ceremony::drill_names::names_drill;
use crate::ceremony::enforce::{accepted, changed_digits, enforce};
use crate::ceremony::find::is_file;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::Given;
use crate::ceremony::together::{advise, one_for_each_nonce};
use crate::clock;
use crate::command::Session;
use crate::command::args::{ARGUMENTS, Accept, Ahead, Derive, KeyArgs, Proofs};
use crate::command::complete;
use crate::command::on_ledger::Asking;
use crate::device::{RequestedMode, SigningMode, SigningRequest};
use crate::error::{Error, Exit};
use crate::incident::{JournalAct, Plain};
use crate::proposal::{Claims, OwnerSignature};
use crate::safe::SignatureKind;
use crate::session::keys::{self, KeyHolder, KeyPurpose, NamedKey};
use crate::session::on_ledger::{self, signs};
use crate::session::round::Round;
use crate::session::signers::Signers;
use crate::session::signing_ahead::{self, AheadOptions};
use crate::store;
use crate::ui::Text;
use crate::view::summary::Summary;
use crate::view::what_it_does;
use crate::view::who_signed::to_sign;

const EXAMPLES: &str = "\
Examples:
  breakglass sign vault
  breakglass sign vault --ledger
  breakglass sign vault --keystore alice
  breakglass sign vault --offline --nonce 42
  breakglass sign proposal.json --offline
  breakglass sign vault --nonces 42..61 --to set.txt
  breakglass sign vault --nonces 42..61 --to - | age -r age1… > set.age";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
#[allow(clippy::struct_excessive_bools, clippy::struct_field_names, reason = "each is a flag of its own")]
pub struct Args {
    /// Levers or proposal files
    #[arg(help_heading = ARGUMENTS, required = true, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,

    #[command(flatten)]
    ahead: Ahead,

    #[command(flatten)]
    proofs: Proofs,

    /// Ask nothing of the network
    ///
    /// Says what could not be checked: breakglass help offline.
    #[arg(long, conflicts_with = "proofs", help_heading = "Checks")]
    offline: bool,

    /// Sign without asking, after the review is printed
    ///
    /// A Ledger asks on its own screen in any case.
    #[arg(long, help_heading = "Checks")]
    yes: bool,

    /// Sign as this signer of the council file [default: me in your settings]
    ///
    /// Where a Ledger holds the keys of several.
    #[arg(long = "as", value_name = "NAME", help_heading = "Key", add = ArgValueCompleter::new(complete::signers))]
    signer: Option<String>,

    /// Sign for this Safe, which owns it
    ///
    /// Where your key is an owner of several Safes. Without it: the nearest that you have not signed for.
    #[arg(long = "for", value_name = "SAFE", help_heading = "Key", add = ArgValueCompleter::new(complete::safes))]
    for_safe: Option<String>,

    /// Give the Ledger every field
    ///
    /// This is usual where its app takes them.
    #[arg(long, conflicts_with_all = ["keystore", "hashes", "eth_sign"], help_heading = "Key")]
    fields: bool,

    /// Give the Ledger the two hashes only
    ///
    /// It then shows nothing else of what is signed.
    #[arg(long, conflicts_with = "keystore", help_heading = "Key")]
    hashes: bool,

    /// Sign as a personal message (eth_sign)
    ///
    /// For Safes from 1.1.1 on: a Ledger shows the whole safeTxHash in 4 presses.
    #[arg(long, help_heading = "Key")]
    eth_sign: bool,

    /// Accept that the Ledger shows neither all of the data nor a hash of it
    #[arg(long, conflicts_with = "keystore", help_heading = "Checks")]
    unseen: bool,
}

impl Args {
    const fn asked(&self) -> RequestedMode {
        match (self.eth_sign, self.hashes, self.fields) {
            (true, _, _) => RequestedMode::EthSign,
            (_, true, _) => RequestedMode::Hashes,
            (_, _, true) => RequestedMode::Fields,
            _ => RequestedMode::Nothing,
        }
    }
}

impl Args {
    /// Returns the flags that signing a set needs.
    fn sitting<'s>(&'s self, given: &'s Given) -> AheadOptions<'s> {
        AheadOptions {
            what: &self.what,
            given,
            key: &self.key,
            accept: &self.accept.accept,
            proofs: self.proofs.proofs,
            offline: self.offline,
            yes: self.yes,
            signer: self.signer.as_deref(),
            eth_sign: self.eth_sign,
            asked: self.asked(),
            unseen: self.unseen,
        }
    }
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = args.derive.given();
    session.are_known(&args.what)?;
    require_own_values(args)?;
    keys::person(session.ui, &session.council, args.signer.as_deref())?;
    let key = keys::find(session.ui, &args.key, KeyPurpose::Signing)?;
    session.require_accepted(&session.rests_of(&args.what, &given)?, &args.accept.accept)?;
    if let Some((nonces, target)) = args.ahead.wanted() {
        if names_drill(&args.what) {
            return Err(
                Error::new(Exit::Usage, "a drill is signed once, and not ahead").hint("leave out --nonces")
            );
        }
        return signing_ahead::run(session, &args.sitting(&given), &key, nonces, target);
    }
    let ui = session.ui;
    let mut round = Round::default();
    let all = round.load(session, &args.what, &given, (args.offline, args.proofs.proofs))?;
    require_one(args, all.len())?;
    one_for_each_nonce(&all)?;
    let count = all.len();
    if count > 1 {
        ui.show(&to_sign(&all));
    }
    // Opened after the first review: its person can read while the Ledger is not there yet.
    let mut signer = None;
    for (at, judged) in all.iter().enumerate() {
        if count > 1 {
            ui.say(&Text::default().bold(&format!("{} of {count}", at + 1)));
        }
        let signature = one(session, args, &key, judged, (at + 1, count), &mut signer);
        let result = signature.and_then(|signature| write(session, judged, &signature, &mut round.signed));
        round.take(ui, result, judged, (&all[at + 1..], count))?;
    }
    round.finish(ui, count)
}

/// Checks that a value that was said for a lever does not stand for one that a file chose.
fn require_own_values(args: &Args) -> Result<(), Error> {
    let is_beside = args.what.len() > 1 && args.what.iter().any(|what| is_file(what));
    if args.derive.set.is_empty() || !is_beside {
        return Ok(());
    }
    Err(Error::new(Exit::Usage, "--set is for the levers that are named, and a file is named beside them")
        .hint("sign the file by itself"))
}

/// Checks that flags about one proposal are not given for several.
fn require_one(args: &Args, count: usize) -> Result<(), Error> {
    let flags = [
        ("--accept", args.accept.accept.iter().any(|id| changed_digits(id).is_none())),
        ("--nonce", args.derive.nonce.is_some()),
    ];
    match flags.iter().find(|(_, given)| *given && count > 1) {
        Some((flag, _)) => {
            Err(Error::new(Exit::Usage, format!("{flag} is for one proposal, and several are named"))
                .hint("sign that one by itself"))
        }
        None => Ok(()),
    }
}

/// Review, yes, signature: in this order, and nothing is written before the last check has passed.
fn one(
    session: &Session,
    args: &Args,
    key: &NamedKey,
    judged: &Judged,
    place: (usize, usize),
    signer: &mut Option<KeyHolder>,
) -> Result<OwnerSignature, Error> {
    let signers = Signers::of(session, (args.signer.as_deref(), args.for_safe.as_deref()), judged)?;
    // A refusal comes first: a known signature is not returned for what is refused.
    let is_allowed = enforce(&judged.findings, &args.accept.accept).is_ok();
    if is_allowed && let Some(signature) = signers.known_early(key, args.eth_sign)? {
        return Ok(signature);
    }
    let stated = key.stated().map(|stated| signers.way(stated)).transpose()?;
    // The last lines before the question are the review's.
    if let Some(way) = stated.filter(|_| is_allowed) {
        signers.show(way);
    }
    session.review(judged, &args.accept.accept);
    enforce(&judged.findings, &args.accept.accept).map_err(|error| advise(session, judged, error))?;
    let accepted = accepted(&judged.findings, &args.accept.accept);
    if key.is_ledger() {
        let signer = match signer {
            Some(signer) => signer,
            None => signer.insert(keys::open(session.ui, &args.key, key)?),
        };
        let owner = signers.choose(signer)?;
        let way = signers.way(owner)?;
        signers.show(way);
        let asking = Asking { way: args.asked(), unseen: args.unseen, together: place.1 };
        let request = on_ledger::prepare(session, judged, signer, (owner, way), &asking)?;
        judged.still_agreed()?;
        let signature = signers.sign(signer, (&request, way), accepted)?;
        // The person may have taken minutes.
        judged.still_agreed()?;
        return Ok(signature);
    }
    let who = key.stated().or(signers.person());
    if let Some(way) = stated {
        signers.remind(way);
    }
    confirm(session, args, judged, who, place)?;
    let signer = match signer {
        Some(signer) => signer,
        None => signer.insert(keys::open(session.ui, &args.key, key)?),
    };
    let owner = signers.choose(signer)?;
    let way = signers.way(owner)?;
    let kind = if args.eth_sign { SignatureKind::EthSign } else { SignatureKind::Ecdsa };
    let request = SigningRequest {
        domain: &way.domain,
        signs: signs(judged, way),
        owner,
        kind,
        way: SigningMode::Fields,
    };
    judged.still_agreed()?;
    signers.sign(signer, (&request, way), accepted)
}

/// One yes is for the one review above it.
fn confirm(
    session: &Session,
    args: &Args,
    judged: &Judged,
    who: Option<Address>,
    place: (usize, usize),
) -> Result<(), Error> {
    if args.yes || session.asks_to_sign(judged, who, place, &args.accept.accept)? {
        return Ok(());
    }
    let error = Error::new(Exit::Refused, "not signed: you did not type yes");
    Err(Error { is_rejection: true, ..error }
        .hint("nothing was written; to sign, run the same command again and type yes"))
}

/// The line first: whatever happens to the disk, the signature is not lost. It is in `signed`, kept or not.
fn write(
    session: &Session,
    judged: &Judged,
    signature: &OwnerSignature,
    signed: &mut Vec<Value>,
) -> Result<(), Error> {
    let ui = session.ui;
    let tally = judged.tally_with(signature);
    let hash = signature.hash().to_string();
    let owner = signature.owner().to_string();
    let name = judged.name(signature.owner());
    let is_drill = judged.proposal().is_drill();
    let claims = session.claims(judged.proposal());
    // A drill measures when each was made.
    let line = signature.line(&Claims { made: is_drill.then(clock::seconds), ..claims });
    let safes: Vec<String> = signature.through().iter().map(|safe| session.name_of(*safe)).collect();
    let of = safes.last().map(|safe| format!(", for {safe}")).unwrap_or_default();
    let drill = if is_drill { "DRILL " } else { "" };
    ui.say(&Text::default().good(drill).good("signed ").add(&format!("by {name} {owner}{of}")));
    let words = session.words_of(judged.proposal(), &[]);
    ui.say(&Text::new("send this line to the others: breakglass import ").add(&words).add(" reads it"));
    ui.data(&line);
    if !signature.accepted().is_empty() {
        // A line has no room for it.
        let text = format!("you accepted {}", signature.accepted().join(", "));
        ui.say(
            &Text::default().warn("! ").add(&text).add(": write that beside the line, which does not say it"),
        );
    }
    let mut object = json!({
        "purpose": judged.proposal().purpose().to_string(),
        "safe_tx_hash": hash,
        "owner": owner,
        "kind": signature.ecdsa().kind().to_string(),
        "through": signature.through().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "line": line,
        "accepted": signature.accepted(),
        "decided_by_the_chain": what_it_does::decided_object(judged),
        "summary": Summary::of(session, judged, signature.accepted()),
    });
    let kept =
        judged.derived.keep(session).and_then(|_| session.keep_signature(judged.proposal(), signature));
    if let Ok(path) = &kept {
        let folder = path.parent().unwrap_or(path);
        ui.say(&Text::new("kept in ").add(&store::from_here(folder).display().to_string()));
        object["file"] = json!(path.display().to_string());
    }
    if tally.is_met() {
        let text = format!("{} of {} have signed. Next: ", tally.approved.len(), tally.threshold);
        ui.say(&Text::new(&text).bold(&format!("breakglass broadcast {words}")));
    }
    signed.push(object);
    let known = session.council.signers.values().find(|signer| signer.address == signature.owner());
    let name = known.map(|signer| Plain::cut(&signer.name));
    session.note(JournalAct::Signed { owner: signature.owner(), name }, judged.proposal());
    session.note_accepted(signature.accepted(), Some(judged.proposal()));
    kept.map(|_| ()).map_err(|error| {
        error.hint("the signature was made: the line above is good, and only the file is missing")
    })
}
