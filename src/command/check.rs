//! `check`: every finding about a proposal, those that pass too.

use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::find::Purpose;
use crate::ceremony::obey::obey;
use crate::check::{Level, readable};
use crate::command::Session;
use crate::command::args::{ARGUMENTS, Derive, Proofs};
use crate::command::complete;
use crate::error::{Error, Exit};
use crate::ui::Text;
use crate::view::review;

const EXAMPLES: &str = "\
Examples:
  breakglass check vault";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// A lever or a proposal file
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: String,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    proofs: Proofs,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    session.note_changes(session.rests_of(&args.what, args.derive.undo)?)?;
    let rehearsed = session.look(&args.what, &args.derive.given(), Purpose::Finish)?;
    let judged = rehearsed.prove(session.ui, args.proofs.proofs)?.judge(true);
    let findings = &judged.findings;
    let ui = session.ui;
    if let Some(proven) = judged.proven() {
        ui.say(&Text::default().dim(&proven));
    }
    let readable = readable(findings);
    for finding in &readable.first {
        let mark = match finding.level {
            Level::Pass => Text::default().good("pass    "),
            Level::Warn => Text::default().warn("warn    "),
            Level::AlreadyDone => Text::default().good("done    "),
            Level::Refuse => Text::default().bad("REFUSE  "),
        };
        ui.say(&mark.bold(&finding.id).add(&format!("  {}", finding.sentence)));
        if !finding.fix.is_empty() {
            ui.say(&Text::default().dim("        → ").add(&finding.fix));
        }
    }
    review::say_more(ui, &readable);
    let all = json!({
        "safe_tx_hash": judged.proposal().hash().to_string(),
        "proven": judged.proven(),
        "decided_by_the_chain": review::decided_object(&judged),
        "findings": findings,
    });
    obey(findings, &[]).map_err(|error| error.having_done(all.clone()))?;
    ui.data(&judged.proposal().hash().to_string());
    ui.object(&all);
    Ok(Exit::Done)
}
