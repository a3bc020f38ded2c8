//! `status` of one proposal: who has signed, what is missing, what has drifted; and the proof once it is executed.

use crate::ceremony::judged::Judged;
use crate::ceremony::sending::depth::RequiredDepth;
use crate::ceremony::stage::ProposalStage;
use crate::ceremony::{aftermath::outcome, sending::waiting};
use crate::error::{Error, Exit};
use crate::proposal::{NotReady, Shortfall, assemble};
use crate::session::Session;
use crate::session::broadcasts::after_mining::report;
use crate::ui::Text;
use crate::view::who_signed::{self, Calls, Rival, StageDetails, StageNow, WhoSigned};

/// Shows a proposal by the files kept here alone: its nonce may be used.
pub fn offline(session: &Session, what: &[String], judged: &Judged) -> Exit {
    let tally = judged.tally();
    let refused = judged.refused();
    let who = show(session, judged, &tally);
    let text = "by what is kept here; nothing was asked of the network";
    session.ui.say(&Text::default().warn("offline: ").add(text));
    let stage = ProposalStage::offline(&refused, &tally);
    end(session, &who, &StageNow::new(stage, &session.words_of(judged.proposal(), what), None));
    stage.exit()
}

/// Shows a proposal by its chain and the files kept here. Fails if it was executed and is not proven, or its nonce is
/// used.
pub fn online(session: &Session, what: &[String], judged: &Judged) -> Result<Exit, Error> {
    let (proposal, tally, refused) = (judged.proposal(), judged.tally(), judged.refused());
    let ready = assemble(proposal, &judged.approvals(), judged.seen()?.fresh()?);
    let used = matches!(&ready, Err(NotReady::NonceUsed { .. }));
    if !used && session.says_done(judged, &[]) {
        return Ok(Exit::Done);
    }
    let who = show(session, judged, &tally);
    if used {
        return executed(session, judged);
    }
    outcome::report_lost_outcome(session, judged)?;
    let lost = session.lost(proposal, judged.derived.safe, &judged.derived.owners)?;
    let ahead = session.rivals_ahead(proposal, &judged.derived.owners)?;
    let armed = ahead.into_iter().map(|(what, by)| Rival::new(judged, what, &by)).collect();
    let mut details = StageDetails { sent: Vec::new(), lost, armed };
    session.ui.show(&details.lines(proposal.nonce()));
    details.sent = waiting::show(session, judged)?;
    let stage = ProposalStage::of(&refused, ready.as_ref(), !details.sent.is_empty());
    end(session, &who, &StageNow::new(stage, &session.words_of(proposal, what), Some(details)));
    if stage == ProposalStage::Signing {
        let calls = Calls::from(session.waking(proposal, &tally)?);
        session.ui.show(&calls.lines());
        session.ui.object(&calls);
    }
    Ok(stage.exit())
}

/// Reports on a proposal whose nonce is used, by itself or by another transaction.
fn executed(session: &Session, judged: &Judged) -> Result<Exit, Error> {
    judged.enforce_fresh(&[])?;
    match outcome::of_executed(session, judged)? {
        Some(outcome) => report(session, judged, &outcome, "Executed", Some(&RequiredDepth::default())),
        None if session.says_done(judged, &[]) => Ok(Exit::Done),
        None => Err(Error::from(NotReady::NonceUsed {
            proposal: judged.proposal().nonce(),
            safe: judged.state().nonce,
        })),
    }
}

fn show(session: &Session, judged: &Judged, tally: &Shortfall) -> WhoSigned {
    let refused = judged.refused();
    let who = WhoSigned::new(judged, tally, &refused);
    session.ui.show(&who.head());
    session.ui.table(&who_signed::HEADER, &who.rows());
    session.ui.show(&who_signed::faults(tally, &refused));
    who
}

fn end(session: &Session, who: &WhoSigned, now: &StageNow) {
    session.ui.show(&now.lines());
    session.ui.object(who);
    session.ui.object(now);
}
