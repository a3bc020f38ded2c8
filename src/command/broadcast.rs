//! `broadcast`: at threshold, rehearse, ask, send, wait, and prove the effect on chain.

use std::path::PathBuf;
use std::time::Duration;

use alloy::primitives::Address;
use clap_complete::ArgValueCompleter;

use crate::ceremony::at_once::side_by_side;
use crate::ceremony::drill_names::names_drill;
use crate::ceremony::find::Found;
use crate::ceremony::offer::affordable_tip;
use crate::ceremony::order::Given;
use crate::cli::args::{ARGUMENTS, Accept, DepthArgs, Derive, KeyArgs, Proofs};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::evm::amount;
use crate::safe::Nonces;
use crate::session::keys::{self as key, KeyPurpose, NamedKey};
use crate::session::send_all::{Board, print_calls, send_all};
use crate::session::send_one::{in_turn, one, print_call};
use crate::session::sendable::{JudgedSend, SendTerms};
use crate::session::{Session, drilled, incoming};

const EXAMPLES: &str = "\
Examples:
  breakglass broadcast vault --keystore gas
  breakglass broadcast vault --ledger --finalized
  breakglass broadcast vault --calldata";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers, drills or proposal files; levers named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,

    #[command(flatten)]
    proofs: Proofs,

    /// Send without asking; NAME is the Safe's name
    #[arg(long, value_name = "NAME", help_heading = "Checks", add = ArgValueCompleter::new(complete::safes))]
    confirm: Vec<String>,

    /// Send each of these nonces in turn, both included
    ///
    /// The next one when the one before is proven.
    #[arg(long, value_name = "A..B", conflicts_with_all = ["nonce", "calldata", "approve_by_sending"])]
    nonces: Option<Nonces>,

    /// Send nothing: print the call for somebody else
    #[arg(long, help_heading = "Output", conflicts_with_all = ["confirm", "keystore", "ledger"])]
    calldata: bool,

    /// Count the payer, who is an owner, as one approval without a signature
    ///
    /// With a keystore only. The transaction is then good from this payer alone.
    #[arg(long, conflicts_with_all = ["calldata", "ledger"], help_heading = "Key")]
    approve_by_sending: bool,

    /// The most to pay per unit of gas, in gwei
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "GWEI",
        default_value_t = 500,
        help_heading = "Checks"
    )]
    max_fee: u64,

    /// The tip per unit of gas, in gwei: 2 or 1.5
    ///
    /// In place of what the RPCs suggest; at most --max-fee.
    #[arg(long, allow_negative_numbers = true, value_name = "GWEI", value_parser = amount::parse_gwei, help_heading = "Checks")]
    priority_fee: Option<u128>,

    /// The gas to send it with, if no RPC can estimate it
    ///
    /// It is checked like an estimate.
    #[arg(long, allow_negative_numbers = true, value_name = "GAS", help_heading = "Checks")]
    gas: Option<u64>,

    /// Which one, where several are signed for one nonce
    ///
    /// The first 16 digits of its safeTxHash, or more; may be given again.
    #[arg(long, value_name = "DIGITS", value_parser = parse_digits)]
    hash: Vec<String>,

    /// Import the signatures of a chat first: a file, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    chat: Option<PathBuf>,

    #[command(flatten)]
    depth: DepthArgs,

    /// Seconds to wait until it is mined
    #[arg(long, allow_negative_numbers = true, help_heading = "Checks", value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,
}

/// The fewest digits that name a hash: nobody makes another one with as many in common.
const FEWEST_DIGITS: usize = 16;

fn parse_digits(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex && (FEWEST_DIGITS..=64).contains(&digits.len()) {
        return Ok(digits);
    }
    Err(format!("{text:?} is not at least {FEWEST_DIGITS} digits of a safeTxHash"))
}

impl Args {
    fn terms(&self) -> SendTerms {
        SendTerms {
            what: self.what.clone(),
            given: Given { hashes: self.hash.clone(), ..self.derive.given() },
            accept: self.accept.accept.clone(),
            proofs: self.proofs.proofs,
            confirm: self.confirm.clone(),
            only_call: self.calldata,
            max_fee: self.max_fee,
            priority_fee: self.priority_fee,
            gas: self.gas,
            wanted: self.depth.wanted(),
            wait: Duration::from_secs(self.wait),
        }
    }
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    if names_drill(&args.what) {
        return drill(session, args);
    }
    affordable_tip(args.priority_fee, args.max_fee)?;
    let mut terms = args.terms();
    session.require_accepted(&session.rests_of(&args.what, &terms.given)?, &args.accept.accept)?;
    // The address that a keystore states: its key is asked for only once there is something to send.
    let named =
        if args.calldata { None } else { Some(key::find(session.ui, &args.key, KeyPurpose::Paying)?) };
    if args.approve_by_sending {
        terms.given.sender = Some(sending_owner(session, named.as_ref())?);
    }
    let (terms, given) = (&terms, &terms.given);
    if let Some(chat) = &args.chat {
        let received = incoming::receive(session, &args.what, given, std::slice::from_ref(chat), false)?;
        received.require_read(session).map_err(|error| error.hint("nothing was sent"))?;
    }
    let payer = named.as_ref().and_then(NamedKey::stated);
    let mut open = named.as_ref().map(|named| {
        || {
            let mut signer = key::open(session.ui, &args.key, named)?;
            let from = signer.payer(&session.council)?;
            Ok((signer, from))
        }
    });
    if let (Some(nonces), Some(open)) = (args.nonces, &mut open) {
        return in_turn(session, terms, nonces, payer, open);
    }
    let found = session.parts(&args.what, given)?;
    let titles = found.iter().map(Found::title).collect();
    let mut looks = side_by_side(session.ui, found, |found| JudgedSend::first(session, terms, found, payer));
    require_named(&terms.given.hashes, &looks)?;
    let is_one = looks.len() == 1;
    if is_one && let Some(only) = looks.pop() {
        return one(only?, payer, open, &mut None);
    }
    let board = Board::new(session.ui, titles);
    match &mut open {
        Some(open) => send_all(&board, looks, payer, open),
        None => Ok(print_calls(&board, looks, print_call)),
    }
}

/// Proves drills on forks: there is no payer, and nothing is sent.
fn drill(session: &Session, args: &Args) -> Result<Exit, Error> {
    let (given, accept) = (args.derive.given(), &args.accept.accept);
    let flags = [
        ("--nonces", args.nonces.is_some()),
        ("--calldata", args.calldata),
        ("--approve-by-sending", args.approve_by_sending),
    ];
    if let Some((flag, _)) = flags.iter().find(|(_, is_given)| *is_given) {
        return Err(Error::new(Exit::Usage, format!("{flag} is for what is sent, and a drill is not"))
            .hint(format!("leave out {flag}")));
    }
    session.require_accepted(&session.rests_of(&args.what, &given)?, accept)?;
    if let Some(chat) = &args.chat {
        let received = incoming::receive(session, &args.what, &given, std::slice::from_ref(chat), false)?;
        received.require_read(session).map_err(|error| error.hint("nothing was proven"))?;
    }
    drilled::broadcast(session, &args.what, &given, accept, args.proofs.proofs)
}

/// Checks that the digits of each hash that was named are those of something that was found.
fn require_named(hashes: &[String], looks: &[Result<JudgedSend, Error>]) -> Result<(), Error> {
    let is_found = |digits: &String| {
        let given = Given { hashes: vec![digits.clone()], ..Given::default() };
        // Where one could not be looked at, that is told.
        looks.iter().any(|look| look.as_ref().map_or(true, |look| given.names(look.judged.proposal().hash())))
    };
    match hashes.iter().find(|digits| !is_found(digits)) {
        Some(digits) => {
            Err(Error::new(Exit::Usage, format!("no proposal of these has a hash that begins with {digits}"))
                .hint("breakglass status lists the proposals of a lever with their hashes"))
        }
        None => Ok(()),
    }
}

/// Returns the owner who is to count because they send it.
///
/// # Errors
/// For a Ledger, which shows nothing of what it pays for: a host could have it approve another transaction.
fn sending_owner(session: &Session, named: Option<&NamedKey>) -> Result<Address, Error> {
    const FLAG: &str = "--approve-by-sending";
    let usage =
        |message: String| Error::new(Exit::Usage, message).hint(format!("sign it, and leave out {FLAG}"));
    let Some(named) = named.filter(|named| !named.is_ledger()) else {
        return Err(usage(format!(
            "{FLAG} is for a keystore: a Ledger does not show what it pays for, and could be made to approve something else"
        )));
    };
    let from =
        named.stated().ok_or_else(|| usage(format!("{FLAG} needs a keystore that states its address")))?;
    let pinned = session.council.safes.values().filter_map(|safe| safe.owners.as_ref());
    let is_pinned = session.council.safes.values().all(|safe| safe.owners.is_some());
    if is_pinned && !pinned.into_iter().any(|owners| owners.contains(from)) {
        return Err(usage(format!("the payer {from} is not an owner of any Safe of your council file")));
    }
    Ok(from)
}
