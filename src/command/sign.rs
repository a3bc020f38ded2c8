//! `sign`: review, yes, signature, one proposal after the other.

use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, Ahead, KeyArgs, TransactionArgs};
use crate::cli::complete;
use crate::device::RequestedMode;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::signing::sign_each;
use crate::session::signing::sign_terms::SignTerms;

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
    transaction: TransactionArgs,

    #[command(flatten)]
    ahead: Ahead,

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

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let terms = SignTerms {
        what: &args.what,
        given: &args.transaction.derive.given(),
        key: &args.key,
        accept: args.transaction.accepted(),
        proofs: args.transaction.proofs(),
        offline: args.offline,
        yes: args.yes,
        signer: args.signer.as_deref(),
        for_safe: args.for_safe.as_deref(),
        asked: args.asked(),
        unseen: args.unseen,
    };
    sign_each::run(session, &terms, args.ahead.nonces_and_output())
}
