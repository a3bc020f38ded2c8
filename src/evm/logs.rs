//! Events of a contract in the last blocks: what is asked for, and what was found.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Log};

/// The events of one contract in the last blocks up to the one that is read.
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
