//! The end of a drill: proven on a fork, with the time that each person took. Nothing is sent.

use crate::ceremony::drills::drilling::prove;
use crate::ceremony::enforce::enforce;
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::Given;
use crate::error::{Error, Exit};
use crate::incident::{DrillStep, Journal, JournalAct};
use crate::proposal::{NotReady, assemble};
use crate::readiness::drill_times::{Drill, trend};
use crate::session::Session;
use crate::session::broadcasts::sendable::not_ready;
use crate::session::each_part::each;
use crate::ui::Text;
use crate::view::drill_lines::{self, DrillProven, Times};

/// The most earlier drills that are shown.
const MOST_EARLIER: usize = 5;

/// Proves the named drills on forks, and shows the times.
pub fn broadcast(
    session: &Session,
    what: &[String],
    given: &Given,
    accept: &[String],
    proofs: bool,
) -> Result<Exit, Error> {
    let parts = session.evaluate(what, given, CommandPurpose::Finish)?;
    each(session, parts, proofs, false, |judged| one(session, what, accept, &judged))
}

fn one(session: &Session, what: &[String], accept: &[String], judged: &Judged) -> Result<Exit, Error> {
    match assemble(judged.proposal(), &judged.approvals(), judged.seen()?.fresh()?) {
        Err(NotReady::Drill) => {}
        Err(_) if session.says_done(judged, accept) => return Ok(Exit::Done),
        Err(why) => {
            enforce(&judged.findings, accept)?;
            return Err(not_ready(session, judged, what, why));
        }
        Ok(_) => {
            let message = format!("{} is REAL, and not a drill", judged.proposal().binding().title());
            return Err(Error::new(Exit::Refused, message).hint("to send it, name it without drill:"));
        }
    }
    session.review(judged, accept);
    enforce(&judged.findings, accept)?;
    let proof = prove(judged)?;
    let shown = DrillProven::new(judged, &proof);
    session.ui.show(&shown.lines());
    let keys = u32::try_from(proof.keys).unwrap_or(u32::MAX);
    let step = DrillStep::Proven { block: proof.block.number, keys };
    session.note(JournalAct::Drill { step }, judged.proposal());
    session.ui.object(&shown);
    times(session, judged)?;
    Ok(Exit::Done)
}

/// Shows the time of each person and phase, and the drills before it.
fn times(session: &Session, judged: &Judged) -> Result<(), Error> {
    let ui = session.ui;
    let journal = Journal::read(&session.incidents.journal().read()?);
    let hash = judged.proposal().hash();
    let Some(drill) = Drill::of(journal.iter(), hash) else { return Ok(()) };
    let times = Times::new(&drill, &session.council.response, |owner| session.name_of(owner));
    let earlier: Vec<Times> = trend(journal.iter(), MOST_EARLIER + 1)
        .iter()
        .filter(|one| one.hash != hash)
        .map(|one| Times::new(one, &session.council.response, |owner| session.name_of(owner)))
        .collect();
    let earlier = earlier.get(earlier.len().saturating_sub(MOST_EARLIER)..).unwrap_or_default();
    ui.blank();
    if !drill.is_announced {
        ui.say(
            &Text::default()
                .warn("! ")
                .add("this machine did not announce it: the times begin with its first entry here"),
        );
    }
    ui.table(&drill_lines::HEADER, &times.rows());
    if !earlier.is_empty() {
        ui.say(&Text::default().bold("earlier drills"));
        ui.table(&drill_lines::TREND, &earlier.iter().map(Times::trend_row).collect::<Vec<_>>());
    }
    ui.field("times", &times);
    ui.field("earlier", &earlier);
    Ok(())
}
