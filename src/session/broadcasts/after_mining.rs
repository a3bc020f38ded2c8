//! The report on a proposal whose transaction was mined: proven or not, and what to do next.

use alloy::primitives::Bytes;
use serde_json::json;

use crate::ceremony::aftermath::done_by;
use crate::ceremony::aftermath::mined::AsRehearsed;
use crate::ceremony::aftermath::outcome::{Now, Outcome, keep, now, prove};
use crate::ceremony::aftermath::undo_values;
use crate::ceremony::judged::Judged;
use crate::ceremony::sending::depth::{self, RequiredDepth};
use crate::chain::Receipt;
use crate::check::Match;
use crate::error::{Error, Exit};
use crate::incident::{Journal, JournalAct};
use crate::safe::Execution;
use crate::session::Session;
use crate::ui::Text;
use crate::view::mined_report::{self, MinedReport};
use crate::view::review_lines::already_done::People;

/// Shows the outcome, records a proven one, and returns the exit code. Fails if it is not proven, or no longer holds.
/// `wanted` is the required depth; `None` right after it was mined.
pub fn report(
    session: &Session,
    judged: &Judged,
    outcome: &Outcome,
    by: &str,
    wanted: Option<&RequiredDepth>,
) -> Result<Exit, Error> {
    let ui = session.ui;
    let receipt = &outcome.receipt;
    ui.say(&Text::default().add(by).add(&format!(" in block {}", receipt.block.number)));
    let mut shown = MinedReport::new(judged, outcome, people(session, judged, receipt)?);
    ui.show(&shown.lines(judged, outcome));
    let failed = |exit, message: String| Error::new(exit, message).having_done(&shown);
    if outcome.execution == Execution::Failed {
        let message = format!("the Safe reported ExecutionFailure for {}", judged.proposal().hash());
        return Err(failed(Exit::Failed, message)
            .hint("its nonce is used and nothing was done; find out why before anybody signs again"));
    }
    if let Match::Differs(_) | Match::Unbound(_) = judged.derived.matching {
        let message = "executed, but it is not what your own playbook gives: nothing is proven";
        return Err(failed(Exit::Refused, message.into()).hint("find out who signed it, and what it did"));
    }
    if let AsRehearsed::No(differences) = &outcome.as_rehearsed {
        ui.show(&mined_report::differences(differences));
        return Err(failed(Exit::MinedOtherwise, mined_report::mined_otherwise(differences))
            .hint("look at the contract now: what it is and who controls it may not be what was promised")
            .hint("another transaction of the same block may have done it; breakglass status looks again"));
    }
    if !outcome.is_proven(judged) {
        let why: Vec<&str> =
            outcome.verdicts.iter().filter(|v| !v.holds).map(|v| v.sentence.as_str()).collect();
        let message = format!("executed, but not proven: {}", why.join("; "));
        return Err(failed(Exit::Failed, message).hint("look at the contract before you rely on it"));
    }
    let now = now(session, judged, outcome)?;
    if let Some(Now { block, undone }) = now.as_ref().filter(|now| !now.undone.is_empty()) {
        let (then, now, why) = (receipt.block.number, block.number, undone.join("; "));
        let message = format!("it was done at block {then} and no longer holds at block {now}: {why}");
        return Err(failed(Exit::Drift, message).hint("to do it again, sign it anew: its nonce is used"));
    }
    if let Some(Now { block, .. }) = &now {
        ui.say(&Text::default().good("  ✓ ").add(&format!("now, at block {}, it still holds", block.number)));
    }
    let proven = prove(session, judged, receipt)?;
    match undo_values::keep(session, judged, receipt) {
        Ok(was) => shown.was = was,
        Err(error) => {
            let why = format!("what its undo brings back is not kept: {error}");
            ui.say(&Text::default().warn("! ").add(&why));
        }
    }
    note(session, judged, receipt, &shown);
    let (level, by_whom) = mined_report::level(&judged.seen()?.link.endpoints(), proven.as_ref());
    ui.say(&Text::default().good("done and proven").add(&format!(" ({by_whom})")));
    shown.level = Some(level);
    if let Some(wanted) = wanted {
        let depth = depth::settle(session, &judged.seen()?.link, receipt, wanted)
            .map_err(|error| error.having_done(&shown))?;
        shown.add_depth(&depth, receipt);
    } else {
        let number = receipt.block.number;
        let text =
            format!("block {number}, just mined, not final yet: breakglass status tells how deep it lies");
        ui.say(&Text::new(&text));
    }
    ui.object(&shown);
    ui.data(&receipt.tx.to_string());
    Ok(Exit::Done)
}

/// Keeps the outcome as a note for people, and enters it into the journal if that does not have it. A note that cannot
/// be kept is only a warning, and an existing note does not keep the entry out of the journal.
fn note(session: &Session, judged: &Judged, receipt: &Receipt, shown: &MinedReport) {
    if let Err(error) = keep(session, judged, &json!(shown)) {
        let why = format!("the outcome is not kept: {error}");
        session.ui.say(&Text::default().warn("! ").add(&why));
        session.ui.field("warnings", &[why]);
    }
    let (hash, act) =
        (judged.proposal().hash(), JournalAct::Proven { tx: receipt.tx, block: receipt.block.number });
    let journal = session.incidents.journal().read().map(|bytes| Journal::read(&bytes)).unwrap_or_default();
    if !journal.iter().any(|entry| entry.proven() == Some(hash) && entry.draft.act == act) {
        session.note(act, judged.proposal());
    }
}

/// Returns the signers and the payer by the call's data, from our own record or the chain.
fn people(session: &Session, judged: &Judged, receipt: &Receipt) -> Result<People, Error> {
    // The hash of our own record is recomputed.
    let own = session.sent(judged.proposal())?.into_iter().find(|sent| sent.hash == receipt.tx);
    let input = own.map(|sent| sent.tx.input).or_else(|| receipt.input.clone());
    let owners = &judged.state().owners;
    let read = |input: Bytes| done_by::signers(judged.proposal(), &input, owners);
    let signers = input.and_then(read).unwrap_or_default();
    Ok(People::of(judged, &signers, receipt.from))
}
