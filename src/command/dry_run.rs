//! `dry-run`: rehearses now, and says whether it succeeds and leaves what the playbook promises.

use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, Derive, Proofs};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::dry_running::{self, DryRunTerms};

const EXAMPLES: &str = "\
Examples:
  breakglass dry-run vault
  breakglass dry-run vault --at 21345678 --trace
  breakglass dry-run vault --fork-url http://127.0.0.1:8545";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; levers named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    derive: Derive,

    /// After this block instead of the latest
    #[arg(long, allow_negative_numbers = true, value_name = "BLOCK")]
    at: Option<u64>,

    /// On this RPC alone, a running anvil for instance
    ///
    /// '${NAME}', in single quotes, for one that an environment variable holds.
    #[arg(long, value_name = "URL")]
    fork_url: Option<String>,

    #[command(flatten)]
    proofs: Proofs,

    /// Show every call that it makes
    #[arg(long, help_heading = "Output")]
    trace: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let terms = DryRunTerms {
        what: &args.what,
        given: &args.derive.given(),
        at: args.at,
        fork_url: args.fork_url.as_deref(),
        proofs: args.proofs.proofs,
        trace: args.trace,
    };
    dry_running::run(session, &terms)
}
