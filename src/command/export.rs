//! `export`: the signatures kept here, as lines for a chat or as files for a stick.

use std::path::PathBuf;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, Accept, Derive};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::exporting::{self, ExportTerms};

const EXAMPLES: &str = "\
Examples:
  breakglass export vault
  breakglass export vault --to /media/stick
  breakglass export vault --manual | lpr     for when breakglass is suspect";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; levers named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    /// Copy proposal and signatures here, as files
    ///
    /// Into this folder, which is made if need be, instead of printing lines.
    #[arg(long, value_name = "FOLDER", help_heading = "Output", value_hint = ValueHint::DirPath)]
    to: Option<PathBuf>,

    /// Print what to do by hand when this program is suspect
    ///
    /// Beforehand, on paper: the calls to type into Safe{Wallet}, lines for Foundry's cast that compute the same hashes, and
    /// whom to call. Of levers, not of files; at --nonce, or the next one.
    #[arg(long, conflicts_with = "to", help_heading = "Output")]
    manual: bool,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let terms = ExportTerms {
        what: &args.what,
        given: &args.derive.given(),
        accept: &args.accept.accept,
        to: args.to.as_deref(),
    };
    if args.manual { exporting::manual(session, &terms) } else { exporting::run(session, &terms) }
}
