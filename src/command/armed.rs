//! `armed`: what is signed ahead, what it is still worth, and how it is ended.

use clap_complete::ArgValueCompleter;

use crate::ceremony::order::Given;
use crate::cli::args::ARGUMENTS;
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::{Session, signing::armed_run};

const EXAMPLES: &str = "\
Examples:
  breakglass armed
  breakglass armed vault";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers; without one, all that is signed ahead
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    lever: Vec<String>,

    /// Take it back: the lever's counter-playbook
    #[arg(long)]
    undo: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    armed_run::show(session, &args.lever, &Given { undo: args.undo, ..Given::default() })
}
