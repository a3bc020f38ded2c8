//! `log`: the journal as a table, and whether its chain of digests is whole.

use std::path::PathBuf;

use clap::ValueHint;

use crate::cli::args::ARGUMENTS;
use crate::error::{Error, Exit};
use crate::session::{Session, records::journal_log};

const EXAMPLES: &str = "\
Examples:
  breakglass log
  breakglass log --verify
  breakglass log bob-journal.jsonl       both, in the order of time";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Journals of other machines, to be merged with this one's
    #[arg(help_heading = ARGUMENTS, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// List nothing: say whether the chain of digests is whole
    ///
    /// No other line vouches for the last one: compare the digest that is printed with a colleague's copy.
    #[arg(long, help_heading = "Checks")]
    verify: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    if args.verify {
        journal_log::verify(session, &args.files)
    } else {
        journal_log::list(session, &args.files)
    }
}
