//! Reports on a proposal whose transaction was mined: proven or not, and what to do next.

use serde_json::{Value, json};

use crate::ceremony::depth::{self, Wanted};
use crate::ceremony::done_by;
use crate::ceremony::judged::Judged;
use crate::ceremony::mined::AsRehearsed;
use crate::ceremony::outcome::{Now, Outcome, Proven, keep, now, prove};
use crate::ceremony::undo_values;
use crate::chain::{Chain, EndpointReport, Events, Receipt, agreeing, is_minority};
use crate::check::Match;
use crate::error::{Error, Exit};
use crate::incident::Act;
use crate::safe::Execution;
use crate::session::Session;
use crate::ui::{Text, Ui};
use crate::view::already_done::People;

/// Differences beyond this number are counted and not listed.
const MOST_SHOWN: usize = 20;

/// Shows the outcome, records a proven one, and gives the exit code.
///
/// # Errors
/// Where it is not proven, or no longer what it was. `wanted` is how deep it must lie; `None` right after it was mined.
pub fn report(
    session: &Session,
    judged: &Judged,
    outcome: &Outcome,
    by: &str,
    wanted: Option<&Wanted>,
) -> Result<Exit, Error> {
    let ui = session.ui;
    let receipt = &outcome.receipt;
    ui.say(&Text::default().add(by).add(&format!(" in block {}", receipt.block.number)));
    ui.say(&Text::default().dim("transaction ").add(&receipt.tx.to_string()));
    let people = people(session, judged, receipt)?;
    ui.say(&people.line());
    if outcome.judged_at != receipt.block {
        let (then, now) = (receipt.block.number, outcome.judged_at.number);
        let text = format!("no RPC keeps the state of block {then} any more: judged at block {now}");
        ui.say(&Text::default().warn("note: ").add(&text));
    } else if let AsRehearsed::Unknown(why) = &outcome.as_rehearsed
        && outcome.is_proven(judged)
    {
        let text = format!("what it did was not compared with a rehearsal: {why}");
        ui.say(&Text::default().warn("note: ").add(&text));
    }
    for verdict in &outcome.verdicts {
        let mark = if verdict.holds { Text::default().good("  ✓ ") } else { Text::default().bad("  ✗ ") };
        ui.say(&mark.add(&verdict.sentence));
    }
    let mut object = object(judged, outcome, &people);
    let failed = |exit, message: String| Error::new(exit, message).having_done(object.clone());
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
        return Err(failed(Exit::MinedOtherwise, mined_otherwise(ui, differences))
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
        Ok(was) if was.is_empty() => {}
        Ok(was) => {
            if let Some(fields) = object.as_object_mut() {
                fields.insert("was".into(), json!(was));
            }
        }
        Err(error) => {
            let why = format!("what its undo brings back is not kept: {error}");
            ui.say(&Text::default().warn("! ").add(&why));
        }
    }
    note(session, judged, receipt, &object);
    let (level, by_whom) = level(&judged.seen()?.link, proven.as_ref());
    ui.say(&Text::default().good("done and proven").add(&format!(" ({by_whom})")));
    if let Some(fields) = object.as_object_mut() {
        fields.insert("level".into(), json!(level));
    }
    if let Some(wanted) = wanted {
        let depth = depth::settle(session, &judged.seen()?.link, receipt, wanted)
            .map_err(|error| error.having_done(object.clone()))?;
        if let Some(fields) = object.as_object_mut() {
            fields.insert("depth".into(), depth::object(&depth, receipt));
        }
    } else {
        let number = receipt.block.number;
        let text =
            format!("block {number}, just mined, not final yet: breakglass status tells how deep it lies");
        ui.say(&Text::default().dim("").add(&text));
    }
    ui.object(&object);
    ui.data(&receipt.tx.to_string());
    Ok(Exit::Done)
}

/// Whose word it is, for a script and for a person: levels, not faults.
fn level(link: &Chain, proven: Option<&Proven>) -> (&'static str, String) {
    let (word, by) = word_of(&link.endpoints());
    let Some(Proven { state, events, mined, needs_events }) = proven else { return (word, by) };
    match events {
        Events::Proven(_) => {
            let text = format!("{state}; its events against the receipts root of block {}", mined.number);
            ("roots", text)
        }
        Events::Unproven(why) => {
            let text = format!("{state}; its events {by}: {why}");
            (if *needs_events { word } else { "state root" }, text)
        }
    }
}

/// The word of RPCs, where nothing is proven by roots.
fn word_of(endpoints: &[EndpointReport]) -> (&'static str, String) {
    match agreeing(endpoints) {
        (0 | 1, _) => ("one RPC", "by the word of one RPC".into()),
        (agree, of) if is_minority(endpoints) => {
            ("minority", format!("by the word of {agree} of {of} RPCs, the others did not agree in time"))
        }
        (agree, of) => ("quorum", format!("{agree} of {of} RPCs")),
    }
}

/// Lists what differs, and says it in a sentence.
fn mined_otherwise(ui: &Ui, differences: &[String]) -> String {
    for line in differences.iter().take(MOST_SHOWN) {
        ui.say(&Text::default().bad("  ✗ ").add(line));
    }
    let (first, more) = (differences.first().map_or("", String::as_str), differences.len().saturating_sub(1));
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    format!("mined, but not as rehearsed: {first}{more}")
}

/// Keeps the outcome as a note for people, and enters it into the journal the first time. Nothing depends on it: one that
/// cannot be kept is only said.
fn note(session: &Session, judged: &Judged, receipt: &Receipt, object: &Value) {
    match keep(session, judged, object) {
        Ok(true) => {
            session.note(Act::Proven { tx: receipt.tx, block: receipt.block.number }, judged.proposal());
        }
        Ok(false) => {}
        Err(error) => {
            let why = format!("the outcome is not kept: {error}");
            session.ui.say(&Text::default().warn("! ").add(&why));
            session.ui.object(&json!({ "warnings": [why] }));
        }
    }
}

/// Whose approvals carried it and who paid for it, by the call's data: our own record of it, or what the chain tells.
fn people(session: &Session, judged: &Judged, receipt: &Receipt) -> Result<People, Error> {
    let own = || {
        let sent = session.sent(judged.proposal())?.into_iter().find(|sent| sent.hash == receipt.tx);
        Ok::<_, Error>(sent.map(|sent| sent.tx.input))
    };
    let input = match &receipt.input {
        Some(input) => Some(input.clone()),
        None => own()?,
    };
    let signers = input.and_then(|input| done_by::signers(judged.proposal(), &input)).unwrap_or_default();
    Ok(People::of(judged, &signers, receipt.from))
}

fn object(judged: &Judged, outcome: &Outcome, people: &People) -> Value {
    let receipt = &outcome.receipt;
    let checks: Vec<Value> =
        outcome.verdicts.iter().map(|v| json!({ "holds": v.holds, "sentence": v.sentence })).collect();
    json!({
        "safe_tx_hash": judged.proposal().hash().to_string(),
        "transaction": receipt.tx.to_string(),
        "block": receipt.block.number,
        "block_hash": receipt.block.hash.to_string(),
        "signers": people.signers,
        "sender": people.sender,
        "gas_used": receipt.gas_used,
        "execution": match outcome.execution { Execution::Succeeded => "success", Execution::Failed => "failure" },
        "after": checks,
        "proven": outcome.is_proven(judged),
        "judged_at": outcome.judged_at.number,
        "not_as_rehearsed": match &outcome.as_rehearsed {
            AsRehearsed::No(differences) => differences.as_slice(),
            AsRehearsed::Yes | AsRehearsed::Unknown(_) => &[],
        },
        "not_compared": match &outcome.as_rehearsed {
            AsRehearsed::Unknown(why) => Some(why),
            AsRehearsed::Yes | AsRehearsed::No(_) => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Fault, Standing};

    #[test]
    fn a_minority_is_not_called_a_quorum() {
        let word = |agree: usize, of: usize| {
            let standing = |at| if at < agree { Standing::Agrees } else { Standing::Outvoted(Fault::Slow) };
            let report = |at| EndpointReport {
                shown: String::new(),
                standing: standing(at),
                newest: None,
                batch: None,
            };
            word_of(&(0..of).map(report).collect::<Vec<_>>())
        };
        assert_eq!(word(1, 1).0, "one RPC");
        assert_eq!(word(1, 3).0, "one RPC");
        let (level, by) = word(2, 5);
        assert_eq!(level, "minority");
        assert!(by.contains("2 of 5 RPCs") && by.contains("did not agree in time"), "{by}");
        assert_eq!(word(2, 3), ("quorum", "2 of 3 RPCs".into()));
        assert_eq!(word(3, 4).0, "quorum");
    }
}
