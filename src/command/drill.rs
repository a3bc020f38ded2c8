//! `drill`: a lever as a drill: derived and rehearsed at today's state, and announced.

use std::path::PathBuf;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, TransactionArgs};
use crate::cli::complete;
use crate::command::propose::terms;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::proposing;
use crate::session::signing::one_person_drill::Keystores;

const EXAMPLES: &str = "\
Examples:
  breakglass drill vault
  breakglass drill freeze --without bridge
  breakglass sign drill:vault-n42-7f3a   next, each owner
  breakglass broadcast drill:vault-n42-7f3a --chat chat.txt
  breakglass drill vault --solo          alone, with the owners' keystores";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers of the council file; each Safe's part is a drill of its own
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    lever: Vec<String>,

    #[command(flatten)]
    transaction: TransactionArgs,

    /// Play all roles on this machine, with keystores: for the first try
    ///
    /// The keystores that are named sign in turn, or those in Foundry's folder that are owners', until enough have; then it
    /// is proven, and the times are shown.
    #[arg(long)]
    solo: bool,

    /// With --solo: an owner's keystore, a file or its name; may be given again
    #[arg(long, value_name = "FILE", requires = "solo", help_heading = "Key", add = ArgValueCompleter::new(complete::keystores))]
    keystore: Vec<PathBuf>,

    /// With --solo: a file with the password, for all or for each in turn
    #[arg(long, value_name = "FILE", requires = "solo", help_heading = "Key", value_hint = ValueHint::FilePath)]
    password_file: Vec<PathBuf>,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = args.transaction.derive.given();
    let terms = terms(&args.lever, &given, &args.transaction);
    let keys = Keystores { named: &args.keystore, password_files: &args.password_file };
    proposing::drill(session, &terms, args.solo.then_some(&keys))
}
