//! The state that a block must hold once a transaction was mined that did what was rehearsed. Pure.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Log, keccak256};

use super::run::Rehearsal;
use super::world::WorldState;
use crate::evm::{Answer, Query, Readings};
use crate::safe::{SafeState, slot, slot_word};

/// With more slots than this, those that it did not write are left out.
const MOST_SLOTS: usize = 1_000;
/// The event with which a SafeL2 repeats its call, its sender's address included.
const REPEATED: &str = "SafeMultiSigTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes,bytes)";

/// The state and the events that a transaction leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The values that it wrote, and those that it read and left alone.
    pub slots: BTreeMap<(Address, B256), B256>,
    /// keccak256 of the code of every account that it read; zero where there is none.
    pub code: BTreeMap<Address, B256>,
    pub events: Vec<Log>,
}

/// One thing that is not as rehearsed.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub enum EffectDifference {
    /// A storage slot holds another word.
    #[display(
        "slot {slot} of {address} holds {}, and {expected} was rehearsed",
        found.map_or("nothing".into(), |word| word.to_string())
    )]
    Slot { address: Address, slot: B256, expected: B256, found: Option<B256> },
    /// An account has other code.
    #[display(
        "{address} has code {}, and {expected} was rehearsed",
        found.map_or("nothing".into(), |word| word.to_string())
    )]
    Code { address: Address, expected: B256, found: Option<B256> },
    /// An event that was rehearsed and is not in the receipt.
    #[display("event {} of {} was rehearsed and is not in the receipt", topic(_0), _0.address)]
    Missing(Log),
    /// An event that is in the receipt and was not rehearsed.
    #[display("event {} of {} was not rehearsed", topic(_0), _0.address)]
    Unexpected(Log),
    /// The events differ, in order or number.
    #[display("{found} events in another order or number, and {expected} were rehearsed")]
    Events { expected: usize, found: usize },
}

impl Expected {
    /// `before` is the state that the rehearsal rests on, and `safe` the Safe in it.
    pub fn of(rehearsal: &Rehearsal, before: &WorldState, safe: &SafeState) -> Self {
        let at = safe.id.address;
        let mut slots: BTreeMap<(Address, B256), B256> =
            safe.slots().into_iter().map(|(slot, word)| ((at, slot), word)).collect();
        let read = rehearsal.read.slots.iter();
        slots.extend(read.filter_map(|key| Some((*key, *before.slots.get(key)?))));
        if slots.len() > MOST_SLOTS {
            slots.clear();
        }
        slots.extend(rehearsal.writes.iter().map(|write| ((write.address, write.slot), write.new)));
        // Another transaction of the Safe may follow in the same block.
        slots.remove(&(at, slot_word(slot::NONCE)));
        let mut code = rehearsal.code.clone();
        code.retain(|address, _| {
            !rehearsal.created.contains(address) && !rehearsal.destroyed.contains(address)
        });
        Self { slots, code, events: rehearsal.events.clone() }
    }

    /// Returns the questions whose answers are compared.
    pub fn queries(&self) -> Vec<Query> {
        let slots =
            self.slots.keys().map(|(address, slot)| Query::Storage { address: *address, slot: *slot });
        slots.chain(self.code.keys().map(|address| Query::CodeHash { address: *address })).collect()
    }

    /// Compares with what a block answered to [`Expected::queries`].
    pub fn state_differences(&self, found: &Readings) -> Vec<EffectDifference> {
        let word = |query: &Query| match found.get(query) {
            Some(Answer::Value(word)) => B256::try_from(word.as_ref()).ok(),
            _ => None,
        };
        let slots = self.slots.iter().filter_map(|((address, slot), expected)| {
            let (address, slot, expected) = (*address, *slot, *expected);
            let found = word(&Query::Storage { address, slot });
            (found != Some(expected)).then_some(EffectDifference::Slot { address, slot, expected, found })
        });
        let code = self.code.iter().filter_map(|(address, expected)| {
            let (address, expected) = (*address, *expected);
            let found = word(&Query::CodeHash { address });
            (found != Some(expected)).then_some(EffectDifference::Code { address, expected, found })
        });
        slots.chain(code).collect()
    }

    /// Compares with the events of a receipt. Where the Safe was called by another contract, that one may have events
    /// of its own before and after.
    pub fn event_differences(&self, found: &[Log], is_direct: bool) -> Vec<EffectDifference> {
        if is_direct {
            return compare(&self.events, found);
        }
        let repeated = keccak256(REPEATED);
        let other = |log: &&Log| log.topics().first() != Some(&repeated);
        let expected: Vec<Log> = self.events.iter().filter(other).cloned().collect();
        let found: Vec<Log> = found.iter().filter(other).cloned().collect();
        let inside = expected.is_empty() || found.windows(expected.len()).any(|part| part == expected);
        if inside { Vec::new() } else { compare(&expected, &found) }
    }
}

fn compare(expected: &[Log], found: &[Log]) -> Vec<EffectDifference> {
    if expected == found {
        return Vec::new();
    }
    let missing = expected.iter().filter(|log| !found.contains(log)).cloned().map(EffectDifference::Missing);
    let unexpected =
        found.iter().filter(|log| !expected.contains(log)).cloned().map(EffectDifference::Unexpected);
    let all: Vec<EffectDifference> = missing.chain(unexpected).collect();
    if all.is_empty() {
        return vec![EffectDifference::Events { expected: expected.len(), found: found.len() }];
    }
    all
}

fn topic(log: &Log) -> B256 {
    log.topics().first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Address = Address::repeat_byte(7);

    fn word(n: u8) -> B256 {
        B256::with_last_byte(n)
    }

    fn log(topic: u8) -> Log {
        Log::new_unchecked(AT, vec![word(topic)], alloy::primitives::Bytes::new())
    }

    fn expected() -> Expected {
        Expected {
            slots: [((AT, word(1)), word(5))].into(),
            code: [(AT, word(9))].into(),
            events: vec![log(1), log(2)],
        }
    }

    fn found(slot: u8, code: u8) -> Readings {
        let answer = |n| Answer::Value(word(n).into());
        [
            (Query::Storage { address: AT, slot: word(1) }, answer(slot)),
            (Query::CodeHash { address: AT }, answer(code)),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn every_slot_and_code_counts() {
        assert!(expected().state_differences(&found(5, 9)).is_empty());
        let slot = expected().state_differences(&found(6, 9));
        assert!(matches!(slot[..], [EffectDifference::Slot { found: Some(_), .. }]), "{slot:?}");
        let code = expected().state_differences(&found(5, 8));
        assert!(matches!(code[..], [EffectDifference::Code { .. }]), "{code:?}");
        assert_eq!(expected().state_differences(&Readings::default()).len(), 2, "no answer is not a proof");
    }

    #[test]
    fn every_event_counts_in_its_order() {
        let told = |logs: &[Log], direct| expected().event_differences(logs, direct).len();
        assert_eq!(told(&[log(1), log(2)], true), 0);
        assert_eq!(told(&[log(2), log(1)], true), 1);
        assert_eq!(told(&[log(1)], true), 1);
        assert_eq!(told(&[log(1), log(2), log(3)], true), 1);
        // Sent through another contract, which says something of its own.
        assert_eq!(told(&[log(3), log(1), log(2), log(4)], false), 0);
        assert_eq!(told(&[log(1), log(3), log(2)], false), 1);
    }
}
