//! `ack`: "I am awake", a line to paste. Nobody signs it: it says whom not to call.

use std::path::PathBuf;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::cli::args::ARGUMENTS;
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::{Session, alarms::awake_lines};

const EXAMPLES: &str = "\
Examples:
  breakglass ack                     prints a line; paste it to the others
  pbpaste | breakglass ack -         reads the lines of the others";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// A chat with the lines of others; - for standard input
    #[arg(help_heading = ARGUMENTS, value_hint = ValueHint::FilePath)]
    chat: Option<PathBuf>,

    /// The person who is awake, if your settings do not name you
    #[arg(long = "as", value_name = "NAME", conflicts_with = "chat", add = ArgValueCompleter::new(complete::signers))]
    person: Option<String>,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    match &args.chat {
        Some(path) => awake_lines::import_lines(session, path),
        None => awake_lines::print_own(session, args.person.clone()),
    }
}
