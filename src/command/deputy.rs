//! `deputy`: what one key does alone and at once, to be confirmed by the council afterwards.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, Accept, KeyArgs, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::evm::amount;
use crate::session::Session;
use crate::session::deputy_run;
use crate::session::deputy_terms::DeputyTerms;

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

    /// The most to pay per unit of gas, in gwei
    #[arg(long, value_name = "GWEI", default_value_t = 500, help_heading = "Checks")]
    max_fee: u64,

    /// The tip per unit of gas, in gwei: 2 or 1.5
    #[arg(long, value_name = "GWEI", value_parser = amount::parse_gwei, help_heading = "Checks")]
    priority_fee: Option<u128>,

    /// The gas to send it with
    #[arg(long, value_name = "GAS", help_heading = "Checks")]
    gas: Option<u64>,

    /// Seconds to wait until it is mined
    #[arg(long, help_heading = "Checks", value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let terms = DeputyTerms {
        lever: args.lever.clone(),
        set: args.set.clone(),
        accept: args.accept.accept.clone(),
        relay: args.relay.clone(),
        to: args.to.clone(),
        yes: args.yes,
        max_fee: args.max_fee,
        priority_fee: args.priority_fee,
        gas: args.gas,
        wait: Duration::from_secs(args.wait),
    };
    deputy_run::run(session, &args.key, &terms)
}
