//! Questions of a plan or a check to the chain, and its answers. Values only: who asks is not known to
//! this room.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, Log, hex, keccak256};

/// One question about the state at a block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
pub enum Query {
    /// `eth_call`; from the zero address where `from` is not said.
    #[display("call {data} to {to}")]
    Call { from: Option<Address>, to: Address, data: Bytes },
    /// A storage slot; the answer is a 32-byte word.
    #[display("slot {slot} of {address}")]
    Storage { address: Address, slot: B256 },
    /// The balance in wei; the answer is a 32-byte big-endian word.
    #[display("balance of {address}")]
    Balance { address: Address },
    /// keccak256 of the code; the answer is a 32-byte word, zero for an account without code.
    #[display("code hash of {address}")]
    CodeHash { address: Address },
    /// The block's time in seconds since 1970; the answer is a 32-byte big-endian word. Asked by checks only: a plan
    /// that rested on it would be another plan in the next block.
    #[display("time of the block")]
    Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, derive_more::Display)]
pub enum Answer {
    /// The returned data, or the 32-byte word.
    Value(Bytes),
    /// The call reverted, with this data.
    #[display("a revert with {_0}")]
    Reverted(Bytes),
}

impl Answer {
    /// Returns `true` for a 32-byte word that is not zero.
    pub fn is_set(&self) -> bool {
        matches!(self, Self::Value(bytes) if bytes.len() == 32 && bytes.iter().any(|b| *b != 0))
    }
}

/// Characters of one statement about the chain that are shown.
const LONGEST_SHOWN: usize = 400;

/// A question and its answer in a bounded text.
pub fn cut_for_display(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}… ({} characters in all)", &text[..end], text.chars().count()),
        None => text.into(),
    }
}

/// Answers by question, all from one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings(BTreeMap<Query, Answer>);

impl Readings {
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub fn get(&self, query: &Query) -> Option<&Answer> {
        self.0.get(query)
    }

    pub fn insert(&mut self, query: Query, answer: Answer) {
        self.0.insert(query, answer);
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Query, &Answer)> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first 16 hexadecimal digits of a hash over every question and answer: names these values and no others.
    pub fn short_digest(&self) -> String {
        let mut bytes = Vec::new();
        for (query, answer) in &self.0 {
            let mut field = |part: &[u8]| {
                bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
                bytes.extend_from_slice(part);
            };
            match query {
                Query::Call { from, to, data } => {
                    field(b"call");
                    field(from.as_ref().map_or(&[][..], |from| from.as_slice()));
                    field(to.as_slice());
                    field(data);
                }
                Query::Storage { address, slot } => {
                    field(b"storage");
                    field(address.as_slice());
                    field(slot.as_slice());
                }
                Query::Balance { address } => {
                    field(b"balance");
                    field(address.as_slice());
                }
                Query::CodeHash { address } => {
                    field(b"code");
                    field(address.as_slice());
                }
                Query::Time => field(b"time"),
            }
            match answer {
                Answer::Value(value) => {
                    field(b"value");
                    field(value);
                }
                Answer::Reverted(data) => {
                    field(b"reverted");
                    field(data);
                }
            }
        }
        hex::encode(&keccak256(bytes)[..8])
    }
}

impl FromIterator<(Query, Answer)> for Readings {
    fn from_iter<T: IntoIterator<Item = (Query, Answer)>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// The events of one contract in the last blocks up to the one that is looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFilter {
    pub address: Address,
    /// The topics that are given, the event's own first; `None` stands for any.
    pub topics: Vec<Option<B256>>,
    /// The number of blocks, at least one.
    pub blocks: u64,
}

/// By filter, the logs that were found in the order of the chain, or why they cannot be had.
pub type FoundLogs = BTreeMap<LogFilter, Result<Vec<Log>, String>>;

impl LogFilter {
    /// Returns the first of the blocks, where the last one is `head`.
    pub const fn first(&self, head: u64) -> u64 {
        head.saturating_add(1).saturating_sub(self.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_names_these_values_and_no_others() {
        let (a, b) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let value = |n: u8| Answer::Value(vec![n; 32].into());
        let call = |data: &[u8]| Query::Call { from: None, to: a, data: Bytes::copy_from_slice(data) };
        let digest =
            |entries: &[(Query, Answer)]| entries.iter().cloned().collect::<Readings>().short_digest();
        let all = [
            digest(&[]),
            digest(&[(Query::Balance { address: a }, value(1))]),
            digest(&[(Query::Balance { address: a }, value(2))]),
            digest(&[(Query::Balance { address: b }, value(1))]),
            digest(&[(Query::CodeHash { address: a }, value(1))]),
            digest(&[(call(&[1]), value(1))]),
            digest(&[(call(&[1]), Answer::Reverted(vec![1; 32].into()))]),
            digest(&[(Query::Call { from: Some(a), to: a, data: vec![1].into() }, value(1))]),
            digest(&[(call(&[1]), value(1)), (call(&[2]), value(1))]),
        ];
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|digest| digest.len() == 16));
    }
}
