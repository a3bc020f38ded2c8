//! `deputy`: what one key does alone and at once, to be confirmed by the council afterwards.

use std::path::PathBuf;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, Accept, FeeArgs, KeyArgs, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::one_key::deputy_run;
use crate::session::one_key::deputy_sending::DeputyTerms;

const EXAMPLES: &str = "\
Examples:
  breakglass deputy freeze --keystore alice
  breakglass deputy superchain --ledger --to pause.json
  breakglass deputy superchain --relay pause.json --keystore gas";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The lever, which the council file gives to a deputy
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    lever: String,

    #[command(flatten)]
    key: KeyArgs,

    /// An argument that the lever leaves open; may be given again
    #[arg(long, help_heading = "What", value_name = "NAME=VALUE", value_parser = parse_set, add = ArgValueCompleter::new(complete::arguments))]
    set: Vec<(String, String)>,

    /// Send the deputy's signature that is in this file
    ///
    /// Anybody can: the key pays for the gas.
    #[arg(long, help_heading = "What", value_name = "FILE", value_hint = ValueHint::FilePath)]
    relay: Option<PathBuf>,

    /// Send nothing: write the deputy's signature to this new file
    ///
    /// A person who has the file can use it, once, until the deputy is replaced. It is written nowhere else.
    #[arg(long, value_name = "FILE", conflicts_with = "relay", value_hint = ValueHint::FilePath, help_heading = "Output")]
    to: Option<PathBuf>,

    #[command(flatten)]
    accept: Accept,

    /// Act without asking, after the review is printed
    #[arg(long, help_heading = "Checks")]
    yes: bool,

    #[command(flatten)]
    fees: FeeArgs,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let terms = DeputyTerms {
        lever: &args.lever,
        set: &args.set,
        accept: &args.accept.accept,
        key: &args.key,
        relay: args.relay.as_deref(),
        to: args.to.as_deref(),
        yes: args.yes,
        fees: args.fees,
    };
    deputy_run::run(session, &terms)
}
