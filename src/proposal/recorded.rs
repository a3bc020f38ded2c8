//! The result of a rehearsal as recorded in a proposal file, and what it read. A claim of whoever wrote the file:
//! it is never shown as true, only compared with the reader's own rehearsal; its hints say what to fetch and no more.

use std::fmt;

use alloy::primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

use crate::evm::{Keys, TokenChange, Write};

const VERSION: u32 = 1;
/// A rehearsal that changes more than this is not recorded.
const MOST_CHANGES: usize = 1_000;
/// Hints beyond this number are not kept.
const MOST_HINTS: usize = 2_000;

/// A rehearsal in brief.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RehearsalRecord {
    version: u32,
    /// The number of the block after which it was rehearsed.
    pub block: u64,
    pub succeeded: bool,
    pub gas: u64,
    pub events: usize,
    pub writes: Vec<Write>,
    pub balances: Vec<RecordedBalance>,
    pub tokens: Vec<TokenChange>,
    /// The code that ran behind each contract called.
    #[serde(default)]
    pub code: Vec<RecordedCode>,
    /// The keys that it read.
    pub hints: Keys,
}

/// The code that a call of a contract runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCode {
    pub called: Address,
    /// Where the code lies: behind a proxy, its implementation.
    pub at: Address,
    /// keccak256 of the code.
    pub hash: B256,
}

/// Ether that an account gains or loses, in wei.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedBalance {
    pub address: Address,
    pub gained: U256,
    pub lost: U256,
}

impl RehearsalRecord {
    /// Returns a record of the end alone.
    pub fn new(block: u64, succeeded: bool, gas: u64, events: usize) -> Self {
        Self {
            version: VERSION,
            block,
            succeeded,
            gas,
            events,
            writes: Vec::new(),
            balances: Vec::new(),
            tokens: Vec::new(),
            code: Vec::new(),
            hints: Keys::default(),
        }
    }

    /// Returns it within bounds: `None` for one that changes too much, no hints where there are too many.
    pub fn bounded(mut self) -> Option<Self> {
        if self.hints.len() > MOST_HINTS {
            self.hints = Keys::default();
        }
        (self.is_this_version() && self.changes() <= MOST_CHANGES).then_some(self)
    }

    pub(super) const fn is_this_version(&self) -> bool {
        self.version == VERSION
    }

    fn changes(&self) -> usize {
        self.writes.len() + self.balances.len() + self.tokens.len() + self.code.len()
    }

    /// Returns what this rehearsal gives and the recorded one did not, and the other way round. Block and gas may differ.
    pub fn differences(&self, recorded: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.succeeded != recorded.succeeded {
            let word = |succeeded| if succeeded { "succeeds" } else { "fails" };
            found.push(format!(
                "it {} now, and when it was recorded it {}",
                word(self.succeeded),
                if recorded.succeeded { "succeeded" } else { "failed" }
            ));
        }
        compare(&mut found, &self.writes, &recorded.writes);
        compare(&mut found, &self.balances, &recorded.balances);
        compare(&mut found, &self.tokens, &recorded.tokens);
        if self.events != recorded.events {
            found.push(format!("{} events now, {} when it was recorded", self.events, recorded.events));
        }
        found
    }
}

fn compare<T: PartialEq + fmt::Display>(found: &mut Vec<String>, now: &[T], then: &[T]) {
    found.extend(now.iter().filter(|n| !then.contains(n)).map(|n| format!("new: {n}")));
    found.extend(then.iter().filter(|t| !now.contains(t)).map(|t| format!("no more: {t}")));
}

impl fmt::Display for RecordedBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, amount) =
            if self.lost > U256::ZERO { ("loses", self.lost) } else { ("gains", self.gained) };
        write!(f, "{} {verb} {amount} wei", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(slot: u8, new: u8) -> Write {
        let word = B256::repeat_byte;
        Write { address: Address::repeat_byte(1), slot: word(slot), old: word(0), new: word(new) }
    }

    #[test]
    fn differences_are_found_in_both_directions_except_block_and_gas() {
        let mut then = RehearsalRecord::new(1, true, 50, 2);
        then.writes = vec![write(1, 1), write(2, 2)];
        let mut now = RehearsalRecord::new(9, true, 70, 2);
        now.writes = then.writes.clone();
        assert!(now.differences(&then).is_empty());
        now.writes[1] = write(2, 3);
        now.succeeded = false;
        now.events = 1;
        let found = now.differences(&then);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].contains("fails now") && found[1].starts_with("new: "), "{found:?}");
        assert!(found[2].starts_with("no more: ") && found[3].contains("1 events"), "{found:?}");
    }

    fn balance(n: u8) -> RecordedBalance {
        RecordedBalance { address: Address::repeat_byte(n), gained: U256::ZERO, lost: U256::ONE }
    }

    fn token(n: u8) -> TokenChange {
        let [token, holder] = [n, 9].map(Address::repeat_byte);
        TokenChange { token, holder, received: U256::ZERO, sent: U256::ONE }
    }

    /// Money that moves now and did not when it was recorded is what a signer has to see.
    #[test]
    fn ether_and_tokens_that_move_otherwise_are_differences() {
        let record = RehearsalRecord::new(1, true, 50, 2);
        let paid = RehearsalRecord { balances: vec![balance(1)], ..record.clone() };
        let sent = RehearsalRecord { tokens: vec![token(1)], ..record.clone() };
        assert_eq!(paid.differences(&record), [format!("new: {}", balance(1))]);
        assert_eq!(record.differences(&sent), [format!("no more: {}", token(1))]);
    }

    #[test]
    fn a_record_beyond_its_bounds_is_none() {
        let mut record = RehearsalRecord::new(1, true, 1, 1);
        record.hints.block_hashes = (0..MOST_HINTS as u64).collect();
        assert!(record.clone().bounded().is_some_and(|r| r.hints == record.hints));
        record.hints.block_hashes.insert(MOST_HINTS as u64);
        assert!(record.clone().bounded().is_some_and(|r| r.hints == Keys::default()));
        let code = RecordedCode { called: Address::ZERO, at: Address::ZERO, hash: B256::ZERO };
        record.writes = vec![write(1, 1); 400];
        record.balances = vec![balance(1); 300];
        record.tokens = vec![token(1); 200];
        record.code = vec![code.clone(); 100];
        assert!(record.clone().bounded().is_some());
        record.code.push(code);
        assert_eq!(record.bounded(), None);
    }
}
