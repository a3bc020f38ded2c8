//! The last transactions that a Safe executed, with the calls that carried them: what was done, by whose approvals, and
//! who sent it.

use alloy::primitives::{Address, Bytes};
use serde_json::json;

use super::chain_error::ChainError;
use super::json_rpc::Request;
use super::mined_transactions::{logs_request, read_logs};
use super::quorum::Chain;
use super::settle::{Settled, WireTransaction};
use crate::evm::{BlockRef, BlockTag, TxHash};
use crate::safe::{Execution, SafeId, SafeTxHash, result_of};

/// The range that is searched, in ranges that a provider takes; each row is one round, tried only if the row before is refused.
const SEARCHES: [(u64, u64); 2] = [(10_000, 5), (1_000, 10)];
/// The most executions that are returned.
const MOST: usize = 16;

/// A Safe transaction that was executed, and the transaction of the chain that carried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    pub hash: SafeTxHash,
    pub outcome: Execution,
    pub tx: TxHash,
    pub block: u64,
    /// Seconds since 1970; `None` if the block's header was not asked for.
    pub time: Option<u64>,
    pub sender: Address,
    /// The contract that was called: the Safe itself, or one that called it.
    pub to: Option<Address>,
    pub input: Bytes,
}

impl Chain {
    /// Returns the last transactions that a Safe executed up to a block, the newest first. Two rounds.
    /// Fails if no quorum agrees, or no provider takes the search.
    pub fn last_executions(&self, safe: &SafeId, head: &BlockRef) -> Result<Vec<Carried>, ChainError> {
        let mut found = Vec::new();
        for wire in self.recent_results(safe, head)?.into_iter().flat_map(read_logs).rev() {
            let Some((hash, outcome)) = wire.log().and_then(|log| result_of(&log, safe.version)) else {
                continue;
            };
            let tx = TxHash::claimed(wire.transaction_hash);
            found.push((hash, outcome, tx, wire.block_number.to::<u64>()));
        }
        found.sort_by_key(|(.., block)| std::cmp::Reverse(*block));
        found.truncate(MOST);
        let Some(newest) = found.first().map(|(.., block)| *block) else { return Ok(Vec::new()) };
        let request = |tx: &TxHash| Request::new("eth_getTransactionByHash", json!([tx.word()]));
        let requests: Vec<Request> = found.iter().map(|(_, _, tx, _)| request(tx)).collect();
        let agreed = self.agree(&requests, BlockTag::Number(newest))?;
        let carried =
            found.into_iter().zip(agreed.values).filter_map(|((hash, outcome, tx, block), value)| {
                let call = read_call(value)?;
                let time = (block == newest).then_some(agreed.header.timestamp);
                Some(Carried {
                    hash,
                    outcome,
                    tx,
                    block,
                    time,
                    sender: call.from,
                    to: call.to,
                    input: call.input,
                })
            });
        Ok(carried.collect())
    }

    /// Returns a block's time, in seconds since 1970. One round.
    pub fn time_of(&self, number: u64) -> Result<u64, ChainError> {
        Ok(self.agree(&[], BlockTag::Number(number))?.header.timestamp)
    }

    fn recent_results(&self, safe: &SafeId, head: &BlockRef) -> Result<Vec<Settled>, ChainError> {
        let mut refused = None;
        for (range, count) in SEARCHES {
            let first = head.number.saturating_sub(range * count - 1);
            let requests: Vec<Request> = (0..count)
                .map(|n| first + n * range)
                .take_while(|start| *start <= head.number)
                .map(|start| {
                    let end = start.saturating_add(range - 1).min(head.number);
                    logs_request(safe, None, start, &format!("{end:#x}"))
                })
                .collect();
            match self.agree(&requests, BlockTag::Pinned(*head)) {
                Ok(agreed) => return Ok(agreed.values),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| ChainError::NoEndpoint(self.name().into())))
    }
}

fn read_call(value: Settled) -> Option<WireTransaction> {
    match value {
        Settled::Json(value) => serde_json::from_value(value).ok()?,
        _ => None,
    }
}
