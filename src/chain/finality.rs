//! The depth of a block, and its finality.

use std::time::Duration;

use alloy::primitives::U64;
use serde_json::json;

use super::chain_error::ChainError;
use super::json_rpc::{Reply, Request};
use super::quorum::Chain;
use super::settle::Settled;
use crate::evm::{BlockHash, BlockRef, BlockTag};

/// Blocks over which the time from one to the next is averaged.
const SPAN: u64 = 100;

/// Where a block of this chain lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    pub newest: BlockRef,
    /// Blocks from this one to the newest, both counted.
    pub confirmations: u64,
    /// The number of the newest final block; `None` where the chain does not say.
    pub final_block: Option<u64>,
}

impl Depth {
    pub fn is_final(&self, block: &BlockRef) -> bool {
        self.final_block.is_some_and(|number| number >= block.number)
    }
}

impl Chain {
    /// Returns where the block lies; `None` if it is not (or no longer) part of the chain. One round.
    pub fn depth(&self, block: &BlockRef) -> Result<Option<Depth>, ChainError> {
        let requests = [
            Request::new("eth_getBlockByNumber", json!([format!("{:#x}", block.number), false])),
            Request::hint("eth_getBlockByNumber", json!(["finalized", false])),
        ];
        let agreed = self.agree(&requests, BlockTag::Latest)?;
        let there = match agreed.values.first() {
            Some(Settled::Json(header)) => serde_json::from_value(header["hash"].clone()).ok(),
            _ => None,
        };
        if there.map(BlockHash::claimed) != Some(block.hash) {
            return Ok(None);
        }
        let told = agreed.hints.iter().filter_map(|one| number(one.first()?)).collect();
        let newest = agreed.header.block();
        Ok(Some(Depth {
            newest,
            confirmations: newest.number.saturating_sub(block.number).saturating_add(1),
            final_block: newest_final(told, self.quorum(), agreed.by.len())
                .filter(|number| *number <= newest.number),
        }))
    }

    /// Returns the time from one block to the next, averaged over the last ones. One round.
    pub fn block_time(&self, newest: &BlockRef) -> Result<Duration, ChainError> {
        let span = SPAN.min(newest.number);
        let before = self.ask(&[], BlockTag::Number(newest.number - span))?.0;
        let seconds = newest.timestamp.saturating_sub(before.timestamp);
        Ok(Duration::from_millis(seconds.saturating_mul(1_000) / span.max(1)))
    }
}

fn number(reply: &Reply) -> Option<u64> {
    let header = reply.as_ref().ok()?;
    serde_json::from_value::<U64>(header.get("number")?.clone()).ok().map(|number| number.to())
}

/// The newest block that a quorum, and most of those `of` that agree on the newest block, call final.
fn newest_final(mut told: Vec<u64>, quorum: usize, of: usize) -> Option<u64> {
    told.sort_unstable_by(|a, b| b.cmp(a));
    told.get(quorum.max(of / 2 + 1).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_final_when_a_quorum_says_so() {
        assert_eq!(newest_final(vec![100], 1, 1), Some(100));
        assert_eq!(newest_final(vec![100, 90], 2, 2), Some(90));
        assert_eq!(newest_final(vec![100], 2, 2), None, "one of two does not say");
        assert_eq!(newest_final(vec![100, 100, 9, 9, 9], 2, 5), Some(9), "two of one attacker");
        assert_eq!(newest_final(vec![], 1, 1), None);
    }
}
