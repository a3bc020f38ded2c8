//! Did a mined transaction do what was rehearsed?
//!
//! First what it left is compared with the rehearsal that the reader saw. Where that differs, time may explain it:
//! interest, a deadline, somebody else's transaction in between. So it is run again on the state of the block before
//! it; then it must leave exactly that, and do nothing of another kind than what was seen.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, Log};

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ceremony::prefetch::hints;
use crate::chain::{Chain, ChainError, Receipt, Replayed};
use crate::check::Finding;
use crate::evm::Readings;
use crate::fork::{Expected, Rehearsal};
use crate::proposal::{RehearsalRecord, calls_of};

/// The relation of a mined transaction to its rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsRehearsed {
    Yes,
    /// The differences, the gravest first.
    No(Vec<String>),
    /// It could not be compared, and why.
    Unknown(String),
}

/// Returns the state that the reader's own rehearsal leaves; `None` if there is none, or it failed.
pub fn expected(judged: &Judged) -> Option<Expected> {
    let (done, online) = (judged.rehearsal.done()?, judged.seen.as_ref()?);
    (done.is_signed && !done.ahead).then(|| online.snapshot.expected(&done.rehearsal))
}

/// Compares. `found` are the answers to `expected` at the receipt's block.
pub fn compare(
    desk: &Desk,
    judged: &Judged,
    link: &Chain,
    receipt: &Receipt,
    expected: Option<&Expected>,
    found: &Readings,
) -> AsRehearsed {
    let seen = expected.map(|expected| differences(expected, found, &receipt.logs, true));
    if seen.as_ref().is_some_and(Vec::is_empty) {
        return AsRehearsed::Yes;
    }
    let proposal = judged.proposal();
    let again = desk.progress.wait("running it again on the block before it", || {
        let replayed = link.replay(proposal.safe(), proposal.tx(), receipt, hints(proposal))?;
        let left = link.answers(&replayed.expected.queries(), &receipt.block)?;
        Ok::<_, ChainError>((replayed, left))
    });
    let (replayed, left) = match again {
        Ok(again) => again,
        Err(error) => {
            return match seen {
                Some(differences) => AsRehearsed::No(differences),
                None => AsRehearsed::Unknown(why_not(&error)),
            };
        }
    };
    let mut all = other_effects(judged, &replayed);
    all.extend(differences(&replayed.expected, &left, &receipt.logs, replayed.is_direct));
    if all.is_empty() { AsRehearsed::Yes } else { AsRehearsed::No(all) }
}

fn why_not(error: &ChainError) -> String {
    if error.is_pruned() {
        return "no RPC keeps the state of that time any more".into();
    }
    error.to_string()
}

fn differences(expected: &Expected, found: &Readings, logs: &[Log], is_direct: bool) -> Vec<String> {
    let state = expected.state_differences(found).into_iter();
    let all = expected.event_differences(logs, is_direct).into_iter().chain(state);
    all.map(|difference| difference.to_string()).collect()
}

/// Returns the effects of a kind that was neither reviewed nor recorded.
fn other_effects(judged: &Judged, replayed: &Replayed) -> Vec<String> {
    let mut all = shown_refusals(judged, replayed);
    match (judged.rehearsal.done(), judged.proposal().record()) {
        (Some(done), _) => {
            all.extend(other_kinds(&kinds_of(&done.rehearsal), &kinds_of(&replayed.rehearsal)));
            let called = calls_of(judged.proposal().tx()).unwrap_or_default();
            let moved = |target: &Address| done.rehearsal.runs(*target) != replayed.rehearsal.runs(*target);
            let targets: BTreeSet<Address> = called.iter().map(|call| call.to).filter(moved).collect();
            all.extend(
                targets.iter().map(|target| format!("{target} ran other code than when it was rehearsed")),
            );
        }
        (None, Some(record)) => {
            all.extend(other_kinds(&kinds_of_record(record), &written(&replayed.rehearsal)));
            let events = replayed.rehearsal.events.len();
            if record.events != events {
                all.push(format!(
                    "{events} events, and {} were recorded when it was proposed",
                    record.events
                ));
            }
        }
        (None, None) => {}
    }
    all
}

/// Returns the refusals of the mined transaction that did not stand before. The acceptances in proposal and signature files do not count:
/// nobody signed them.
fn shown_refusals(judged: &Judged, replayed: &Replayed) -> Vec<String> {
    let refuses = |finding: &Finding| finding.level.blocks();
    let known = &judged.findings;
    let known: BTreeSet<&str> =
        known.iter().filter(|finding| refuses(finding)).map(|finding| finding.id.as_str()).collect();
    let found = judged.effects_of(&replayed.rehearsal, &replayed.safe).into_iter().filter(refuses);
    found.filter(|finding| !known.contains(finding.id.as_str())).map(|finding| finding.sentence).collect()
}

/// A kind of effect: a contract that is written, or an event that it emits.
type Kind = (Address, Option<B256>);

fn written(rehearsal: &Rehearsal) -> BTreeSet<Kind> {
    rehearsal.writes.iter().map(|write| (write.address, None)).collect()
}

fn kinds_of(rehearsal: &Rehearsal) -> BTreeSet<Kind> {
    let topic = |log: &Log| Some(log.topics().first().copied().unwrap_or_default());
    let events = rehearsal.events.iter().map(|log| (log.address, topic(log)));
    written(rehearsal).into_iter().chain(events).collect()
}

fn kinds_of_record(record: &RehearsalRecord) -> BTreeSet<Kind> {
    record.writes.iter().map(|write| (write.address, None)).collect()
}

fn other_kinds(reviewed: &BTreeSet<Kind>, mined: &BTreeSet<Kind>) -> Vec<String> {
    let named = |kind: &Kind| match kind {
        (contract, None) => format!("a change of {contract}"),
        (contract, Some(topic)) => format!("event {topic} of {contract}"),
    };
    let more = mined.difference(reviewed).map(|kind| format!("{}, which was not rehearsed", named(kind)));
    let less =
        reviewed.difference(mined).map(|kind| format!("{} was rehearsed, and is missing", named(kind)));
    more.chain(less).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_that_only_one_of_the_two_has_is_told() {
        let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let topic = B256::repeat_byte(7);
        let reviewed = BTreeSet::from([(one, None), (one, Some(topic))]);
        assert!(other_kinds(&reviewed, &reviewed).is_empty());
        let mined = BTreeSet::from([(one, None), (two, None)]);
        assert_eq!(
            other_kinds(&reviewed, &mined),
            [
                format!("a change of {two}, which was not rehearsed"),
                format!("event {topic} of {one} was rehearsed, and is missing"),
            ]
        );
    }
    /// Only a rehearsal with the owners' own signatures, at its own turn, says what the block must hold.
    #[test]
    fn only_a_signed_rehearsal_at_its_turn_is_compared() {
        use crate::ceremony::rehearsal_result::tests::performed;
        use crate::ceremony::tests::on_chain::rehearsed;
        use crate::ceremony::tests::{Home, at, proposed};
        use crate::fork::RunResult;
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let is_compared = |is_signed: bool, ahead: bool| {
            let done = performed(RunResult::Succeeded, &[true]);
            let done = crate::ceremony::rehearsal_result::CompletedRehearsal { ahead, is_signed, ..done };
            expected(&rehearsed(&desk, &vault, done)).is_some()
        };
        assert!(is_compared(true, false));
        assert!(!is_compared(false, false) && !is_compared(true, true));
    }
}
