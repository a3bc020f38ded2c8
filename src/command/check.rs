//! `check`: every finding about a proposal, those that pass too.

use serde_json::json;

use crate::ceremony::obey::obey;
use crate::ceremony::subject::Purpose;
use crate::check::{Level, readable};
use crate::command::Session;
use crate::command::args::{Derive, Proofs};
use crate::error::{Error, Exit};
use crate::ui::Text;
use crate::view::{effects, review};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A lever or a proposal file
    what: String,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    proofs: Proofs,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    session.note_changes(session.rests_of(&args.what, args.derive.undo)?)?;
    let mut subject = session.subject(&args.what, &args.derive.given(), Purpose::Finish, |_, _| None)?;
    subject.prove(session.ui, args.proofs.proofs)?;
    let findings = subject.findings(true);
    let ui = session.ui;
    if let Some(proven) = effects::proven(&subject) {
        ui.say(&Text::default().dim(&proven));
    }
    let readable = readable(&findings);
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
        "safe_tx_hash": subject.proposal.hash().to_string(),
        "proven": effects::proven(&subject),
        "decided_by_the_chain": review::decided_object(&subject),
        "findings": findings,
    });
    obey(&findings, &[]).map_err(|error| error.having_done(all.clone()))?;
    ui.data(&subject.proposal.hash().to_string());
    ui.object(&all);
    Ok(Exit::Done)
}
