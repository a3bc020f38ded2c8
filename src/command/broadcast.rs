//! `broadcast`: at threshold, rehearse, ask, send, wait, and prove the effect on chain.

use std::path::PathBuf;

use clap_complete::ArgValueCompleter;

use crate::ceremony::order::Given;
use crate::cli::args::{ARGUMENTS, DepthArgs, FeeArgs, KeyArgs, TransactionArgs};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::safe::{HashDigits, Nonces};
use crate::session::Session;
use crate::session::broadcasts::broadcasting::{self, Asked};
use crate::session::broadcasts::sendable::SendTerms;

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
    transaction: TransactionArgs,

    /// Send without asking; NAME is the Safe's name
    #[arg(long, value_name = "NAME", help_heading = "Checks", add = ArgValueCompleter::new(complete::safes))]
    confirm: Vec<String>,

    /// Send each of these nonces in turn, both included
    ///
    /// The next one when the one before is proven.
    #[arg(long, value_name = "A..B", help_heading = "What", conflicts_with_all = ["nonce", "calldata", "approve_by_sending"])]
    nonces: Option<Nonces>,

    /// Send nothing: print the call for somebody else
    #[arg(long, help_heading = "Output", conflicts_with_all = ["confirm", "keystore", "ledger"])]
    calldata: bool,

    /// Count the payer, who is an owner, as one approval without a signature
    ///
    /// With a keystore only. The transaction is then good from this payer alone.
    #[arg(long, conflicts_with_all = ["calldata", "ledger"], help_heading = "Key")]
    approve_by_sending: bool,

    /// Which one, where several are signed for one nonce
    ///
    /// The first 16 digits of its safeTxHash, or more; may be given again.
    #[arg(long, value_name = "DIGITS", help_heading = "What")]
    hash: Vec<HashDigits>,

    /// Import the signatures of a chat first: a file, or `-` for standard input
    #[arg(long, value_name = "FILE", help_heading = "What")]
    chat: Option<PathBuf>,

    #[command(flatten)]
    fees: FeeArgs,

    #[command(flatten)]
    depth: DepthArgs,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let terms = SendTerms {
        what: args.what.clone(),
        given: Given { hashes: args.hash.clone(), ..args.transaction.derive.given() },
        accept: args.transaction.accepted().to_vec(),
        proofs: args.transaction.proofs(),
        confirm: args.confirm.clone(),
        only_call: args.calldata,
        fees: args.fees,
        wanted: args.depth.required_depth(),
    };
    let asked = Asked {
        key: &args.key,
        nonces: args.nonces,
        approve_by_sending: args.approve_by_sending,
        chat: args.chat.as_deref(),
    };
    broadcasting::run(session, terms, &asked)
}
