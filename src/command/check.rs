//! `check`: every finding about a proposal, those that pass too.

use clap_complete::ArgValueCompleter;

use crate::ceremony::enforce::enforce;
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::cli::args::{ARGUMENTS, InspectArgs};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::each_part::{each, each_offline};
use crate::view::review_lines::checked::Checked;
use crate::view::review_lines::finding_lines;

const EXAMPLES: &str = "\
Examples:
  breakglass check vault";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; levers named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    inspect: InspectArgs,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = args.inspect.derive.given();
    session.note_changes(&session.rests_of(&args.what, &given)?)?;
    if args.inspect.offline {
        let kept = session.offline(&args.what, &given)?;
        return each_offline(session, kept, true, |judged| one(session, &judged));
    }
    let parts = session.evaluate(&args.what, &given, CommandPurpose::Finish)?;
    each(session, parts, args.inspect.proofs(), true, |judged| one(session, &judged))
}

fn one(session: &Session, judged: &Judged) -> Result<Exit, Error> {
    let ui = session.ui;
    ui.show(&finding_lines::findings(judged));
    let checked = Checked::new(judged);
    session.says_done(judged, &[]);
    enforce(&judged.findings, &[]).map_err(|error| error.having_done(&checked))?;
    ui.data(&checked.safe_tx_hash);
    ui.object(&checked);
    Ok(Exit::Done)
}
