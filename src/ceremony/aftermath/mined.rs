//! Comparison of a mined transaction with its rehearsal.
//!
//! First its effects are compared with the rehearsal that the reader saw. If they differ, time may be the reason:
//! interest, a deadline, a transaction in between. So it is run again on the state of the block before it: its effects
//! must be exactly those, and of no other kinds than in the rehearsal.

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
    /// It could not be compared; the reason.
    Unknown(String),
}

/// Returns the state that the reader's own rehearsal leaves; `None` if there is none, or it failed.
pub fn expected(judged: &Judged) -> Option<Expected> {
    let (done, online) = (judged.rehearsal.done()?, judged.seen.as_ref()?);
    (done.is_signed && !done.ahead).then(|| online.snapshot.expected(&done.rehearsal))
}

/// Compares a mined transaction with its rehearsal. `found` are the answers to `expected` at the receipt's block.
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
    let mut all = new_refusals(judged, replayed);
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

/// Returns the refusals of the mined transaction that were not in the review. The acceptances in proposal and signature
/// files do not count, because nobody signed them.
fn new_refusals(judged: &Judged, replayed: &Replayed) -> Vec<String> {
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
    use alloy::primitives::{Bytes, U256};

    use super::*;
    use crate::ceremony::rehearsal_result::CompletedRehearsal;
    use crate::ceremony::rehearsal_result::tests::performed;
    use crate::ceremony::tests::on_chain::{judged, receipt, rehearsed, word};
    use crate::ceremony::tests::{Home, VAULT, at, proposed};
    use crate::evm::Query;
    use crate::fork::{End, Frame, FrameKind, RunResult};
    use crate::proposal::Proposal;

    #[test]
    fn an_effect_of_only_one_of_the_two_is_a_difference() {
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
    /// Only a rehearsal with the owners' own signatures, at the next nonce, predicts the block.
    #[test]
    fn only_a_signed_rehearsal_at_the_next_nonce_is_compared() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let is_compared = |is_signed: bool, ahead: bool| {
            let done = performed(RunResult::Succeeded, &[true]);
            let done = CompletedRehearsal { ahead, is_signed, ..done };
            expected(&rehearsed(&desk, &vault, done)).is_some()
        };
        assert!(is_compared(true, false));
        assert!(!is_compared(false, false) && !is_compared(true, true));
    }

    /// Returns the repeated rehearsal, with a change.
    fn replayed(change: impl FnOnce(&mut Rehearsal)) -> Replayed {
        let home = Home::new();
        let vault = proposed(&home.desk(), &["vault"], &at(4), 0);
        let mut rehearsal = performed(RunResult::Succeeded, &[true]).rehearsal;
        change(&mut rehearsal);
        Replayed { rehearsal, expected: Expected::default(), safe: vault.snapshot().clone(), is_direct: true }
    }

    fn event(topic: u8) -> Log {
        Log::new_unchecked(VAULT, vec![B256::repeat_byte(topic)], Bytes::new())
    }

    /// Adds a call of the vault whose code has this hash.
    fn runs_code(rehearsal: &mut Rehearsal, hash: u8) {
        let (kind, value, input, output) = (FrameKind::Call, U256::ZERO, Bytes::new(), Bytes::new());
        let from = Address::repeat_byte(0x11);
        let end = End::Returned;
        rehearsal.trace.frames =
            vec![Frame { depth: 0, kind, from, to: VAULT, value, input, output, end, gas_used: 1 }];
        rehearsal.code = [(VAULT, B256::repeat_byte(hash))].into();
    }

    #[test]
    fn a_mined_transaction_is_compared_with_the_review() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let mut done = performed(RunResult::Succeeded, &[true]);
        runs_code(&mut done.rehearsal, 1);
        let reviewed = rehearsed(&desk, &vault, done);
        let of = |change: &dyn Fn(&mut Rehearsal)| {
            let change = |rehearsal: &mut Rehearsal| {
                runs_code(rehearsal, 1);
                change(rehearsal);
            };
            other_effects(&reviewed, &replayed(change))
        };
        assert!(of(&|_| ()).is_empty());
        assert_eq!(
            of(&|rehearsal| rehearsal.events.push(event(7))),
            [format!("event {} of {VAULT}, which was not rehearsed", B256::repeat_byte(7))]
        );
        assert_eq!(
            of(&|rehearsal| runs_code(rehearsal, 2)),
            [format!("{VAULT} ran other code than when it was rehearsed")]
        );
        // A refusal that was not in the review.
        let upgraded = |rehearsal: &mut Rehearsal| {
            rehearsal.writes[0].address = VAULT;
            rehearsal.writes[0].slot = crate::fork::PROXY_SLOTS[0].slot;
        };
        let told = of(&upgraded);
        assert!(told.len() > 2, "{told:?}");
        assert_eq!(told[..told.len() - 2], new_refusals(&reviewed, &replayed(upgraded)));
        assert_eq!(told[told.len() - 2], format!("a change of {VAULT}, which was not rehearsed"));
        // A refusal that was in the review does not count again.
        let mut done = performed(RunResult::Succeeded, &[true]);
        upgraded(&mut done.rehearsal);
        assert!(new_refusals(&rehearsed(&desk, &vault, done), &replayed(upgraded)).is_empty());
    }

    #[test]
    fn without_a_rehearsal_it_is_compared_with_the_record() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let done = performed(RunResult::Succeeded, &[true]);
        let recorded = vault.clone().recording(Some(done.record(&vault)));
        let of = |proposal: &Proposal, change: &dyn Fn(&mut Rehearsal)| {
            let judged = judged(&desk, proposal, 5, Readings::default());
            let known = new_refusals(&judged, &replayed(change)).len();
            other_effects(&judged, &replayed(change)).split_off(known)
        };
        assert!(of(&recorded, &|_| ()).is_empty());
        assert_eq!(
            of(&recorded, &|rehearsal| rehearsal.events.push(event(7))),
            ["1 events, and 0 were recorded when it was proposed"]
        );
        let other = of(&recorded, &|rehearsal| rehearsal.writes[0].address = VAULT);
        assert_eq!(other.len(), 2, "{other:?}");
        assert!(of(&vault, &|rehearsal| rehearsal.events.push(event(7))).is_empty(), "nothing is known");
    }

    #[test]
    fn state_and_events_are_compared() {
        let slot = B256::with_last_byte(1);
        let expected = Expected {
            slots: [((VAULT, slot), B256::with_last_byte(5))].into(),
            events: vec![event(7)],
            ..Expected::default()
        };
        let found = |value: u64| -> Readings {
            [(Query::Storage { address: VAULT, slot }, word(value))].into_iter().collect()
        };
        assert!(differences(&expected, &found(5), &[event(7)], true).is_empty());
        let both = differences(&expected, &found(6), &[], true);
        assert_eq!(both.len(), 2, "{both:?}");
        assert!(both[0].ends_with("was rehearsed and is not in the receipt"), "{both:?}");
        assert!(both[1].starts_with("slot 0x"), "{both:?}");
    }

    /// A receipt that matches the review needs no replay; a difference is reported even if the block cannot be read.
    #[test]
    fn a_difference_counts_even_if_the_chain_cannot_be_asked() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let of = judged(&desk, &vault, 5, Readings::default());
        let link = &of.seen().unwrap().link;
        let expected = Expected { events: vec![event(7)], ..Expected::default() };
        let mut receipt = receipt(40, true);
        let compared = |receipt: &Receipt, expected: Option<&Expected>| {
            compare(&desk, &of, link, receipt, expected, &Readings::default())
        };
        let AsRehearsed::No(told) = compared(&receipt, Some(&expected)) else { panic!() };
        assert_eq!(told.len(), 1, "{told:?}");
        let AsRehearsed::Unknown(why) = compared(&receipt, None) else { panic!() };
        assert!(why.contains("cannot be reached"), "{why}");
        receipt.logs = expected.events.clone();
        assert_eq!(compared(&receipt, Some(&expected)), AsRehearsed::Yes);
    }
}
