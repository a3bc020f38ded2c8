//! `status`: who has signed, what is missing, what has drifted.

use clap_complete::ArgValueCompleter;

use crate::ceremony::find::CommandPurpose;
use crate::cli::args::{ARGUMENTS, InspectArgs};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::each_part::{each, each_offline};
use crate::session::{Session, levers_now, status_report};

const EXAMPLES: &str = "\
Examples:
  breakglass status                      all that is open, and every lever
  breakglass status vault
  breakglass status vault --undo";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; without one, all that is open
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    inspect: InspectArgs,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let (what, given) = (&args.what, args.inspect.derive.given());
    if what.is_empty() {
        return levers_now::now(session, args.inspect.offline);
    }
    session.note_changes(&session.rests_of(what, &given)?)?;
    if args.inspect.offline {
        let kept = session.derive_kept(what, &given)?;
        return each_offline(session, kept, false, |judged| {
            Ok(status_report::offline(session, what, &judged))
        });
    }
    let parts = session.evaluate(what, &given, CommandPurpose::Show)?;
    each(session, parts, args.inspect.proofs(), false, |judged| status_report::online(session, what, &judged))
}
