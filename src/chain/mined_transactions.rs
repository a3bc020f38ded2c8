//! Transactions in blocks: receipts, and the events by which a Safe tells what it executed.

use alloy::primitives::{Address, Bytes, Log};
use serde_json::{Value, json};

use super::chain_error::{ChainError, EndpointFault};
use super::json_rpc::{AT, RawReply, Request};
use super::quorum::Chain;
use super::settle::{Settled, WireLog, WireReceipt, WireTransaction};
use crate::evm::{BlockHash, BlockRef, BlockTag, Header, TxHash};
use crate::safe::{Execution, RESULT_TOPICS, SafeId, SafeTxHash, find_execution};

/// Block ranges that providers take, tried from the widest.
const RANGES: [u64; 3] = [10_000, 1_000, 100];
/// Searches in one round.
const MOST_SEARCHES: u64 = 500;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub tx: TxHash,
    pub block: BlockRef,
    pub from: Address,
    /// `true` if the outer transaction went through; what the Safe did is in its events.
    pub succeeded: bool,
    pub gas_used: u64,
    pub logs: Vec<Log>,
    /// The data of the call, as every RPC of the quorum that knows it has it; `None` if they differ, or it was not asked for.
    pub input: Option<Bytes>,
}

/// Where a Safe transaction was executed, by whomever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutedTx {
    pub tx: TxHash,
    pub block: BlockRef,
    pub outcome: Execution,
}

impl Chain {
    /// The receipt that a quorum agrees on, with the call's data; `None` while a quorum has none.
    pub fn receipt(&self, tx: TxHash) -> Result<Option<Receipt>, ChainError> {
        let requests = [
            Request::new("eth_getTransactionReceipt", json!([tx.word()])),
            Request::hint("eth_getTransactionByHash", json!([tx.word()])),
        ];
        let agreed = self.agree(&requests, BlockTag::Latest)?;
        let told = agreed.hints.iter().filter_map(|replies| {
            let value = replies.first()?.as_ref().ok()?;
            Some(serde_json::from_value::<WireTransaction>(value.clone()).ok()?.input)
        });
        let input = told.map(Some).reduce(|one, other| if one == other { one } else { None }).flatten();
        let Some(value) = agreed.values.into_iter().next() else { return Ok(None) };
        let receipt = self.read_receipt(tx, value, &agreed.header)?;
        Ok(receipt.map(|receipt| Receipt { input, ..receipt }))
    }

    /// The receipt in an answer that was given at `head`.
    pub(super) fn read_receipt(
        &self,
        tx: TxHash,
        value: Settled,
        head: &Header,
    ) -> Result<Option<Receipt>, ChainError> {
        let wire = match value {
            Settled::Json(value) => serde_json::from_value::<Option<WireReceipt>>(value).ok().flatten(),
            _ => None,
        };
        let Some(wire) = wire else { return Ok(None) };
        let (number, hash) = (wire.block_number.to::<u64>(), BlockHash::claimed(wire.block_hash));
        let Some(block) = self.block_of(number, hash, head)? else { return Ok(None) };
        Ok(Some(Receipt {
            tx,
            block,
            from: wire.from,
            succeeded: wire.status.to::<u64>() == 1,
            gas_used: wire.gas_used.to(),
            logs: wire.logs.iter().filter_map(WireLog::log).collect(),
            input: None,
        }))
    }

    /// Returns the endpoints that have a transaction in a block, and those that do not know it: where no quorum has the receipt. `None` while nobody
    /// has it. One round.
    pub fn endpoints_with_receipt(&self, tx: TxHash) -> Option<String> {
        let request = Request::hint("eth_getTransactionReceipt", json!([tx.word()]));
        let block = |reply: Result<RawReply, EndpointFault>| {
            let raw = reply?
                .map_err(|error| EndpointFault::Refused { method: "eth_getTransactionReceipt", error })?;
            let receipt = serde_json::from_str::<Option<WireReceipt>>(raw.get());
            let receipt =
                receipt.map_err(|_| EndpointFault::garbage("a receipt is not what it should be"))?;
            Ok(receipt.map(|receipt| receipt.block_number.to::<u64>()))
        };
        let seen = self.each(&request, block);
        let mined = |(who, result): &(String, Result<Option<u64>, EndpointFault>)| match result {
            Ok(Some(number)) => Some(format!("RPC {who} has it in block {number}")),
            _ => None,
        };
        let first = seen.iter().find_map(mined)?;
        let others = seen.iter().filter_map(|(who, result)| match result {
            Ok(Some(_)) => None,
            Ok(None) => Some(format!("; RPC {who} does not know it yet")),
            Err(fault) => Some(format!("; RPC {who} {fault}")),
        });
        Some(first + &others.collect::<String>())
    }

    /// Returns the Safe's own events about this transaction from `from_block` on: somebody else may have executed it.
    /// One round where the provider takes the whole range, a few where it wants shorter ones. Fails if no quorum
    /// agrees, or when no range is short enough for the provider.
    pub fn executions(
        &self,
        safe: &SafeId,
        hash: &SafeTxHash,
        from_block: u64,
    ) -> Result<Option<ExecutedTx>, ChainError> {
        let whole = logs_request(safe, Some(hash), from_block, AT);
        let (head, values) = match self.agree(&[whole], BlockTag::Latest) {
            Ok(agreed) => (agreed.header, agreed.values),
            Err(error) if !refuses_logs(&error) => return Err(error),
            Err(_) => self.search_by_ranges(safe, hash, from_block)?,
        };
        for found in values.into_iter().flat_map(read_logs) {
            let outcome =
                found.log().and_then(|log| find_execution([&log], safe.address, safe.version, hash));
            let Some(outcome) = outcome else { continue };
            let (number, block_hash) = (found.block_number.to(), BlockHash::claimed(found.block_hash));
            if let Some(block) = self.block_of(number, block_hash, &head)? {
                let tx = TxHash::claimed(found.transaction_hash);
                return Ok(Some(ExecutedTx { tx, block, outcome }));
            }
        }
        Ok(None)
    }

    fn search_by_ranges(
        &self,
        safe: &SafeId,
        hash: &SafeTxHash,
        from: u64,
    ) -> Result<(Header, Vec<Settled>), ChainError> {
        let head = self.agree(&[], BlockTag::Latest)?.header;
        let at = BlockTag::Pinned(head.block());
        for range in RANGES {
            let searches = head.number.saturating_sub(from) / range + 1;
            if searches > MOST_SEARCHES {
                break;
            }
            let search = |i: u64| {
                let start = from.saturating_add(i * range);
                let end = start.saturating_add(range - 1).min(head.number);
                logs_request(safe, Some(hash), start, &format!("{end:#x}"))
            };
            let requests: Vec<Request> = (0..searches).map(search).collect();
            match self.agree(&requests, at) {
                Ok(agreed) => return Ok((head, agreed.values)),
                Err(error) if refuses_logs(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ChainError::SearchTooLong { chain: self.name().into(), from, to: head.number })
    }

    /// The block with its time; nothing when it is not (or no longer) part of the chain.
    fn block_of(&self, number: u64, hash: BlockHash, head: &Header) -> Result<Option<BlockRef>, ChainError> {
        let header = if number == head.number {
            head.clone()
        } else {
            self.agree(&[], BlockTag::Number(number))?.header
        };
        Ok((header.hash == hash).then(|| header.block()))
    }
}

/// Asks for the events by which a Safe tells the result of one transaction, or of any.
pub(super) fn logs_request(safe: &SafeId, hash: Option<&SafeTxHash>, from: u64, to: &str) -> Request {
    let mut topics = vec![json!(RESULT_TOPICS)];
    if let Some(hash) = hash.filter(|_| safe.version.result_event_is_indexed()) {
        topics.push(json!(hash.word()));
    }
    let filter =
        json!({"address": safe.address, "fromBlock": format!("{from:#x}"), "toBlock": to, "topics": topics});
    Request::new("eth_getLogs", Value::Array(vec![filter]))
}

impl WireLog {
    pub(super) fn log(&self) -> Option<Log> {
        Log::new(self.address, self.topics.clone(), self.data.clone())
    }
}

pub(super) fn read_logs(value: Settled) -> Vec<WireLog> {
    match value {
        Settled::Json(value) => serde_json::from_value(value).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Returns `true` if it was the search that no endpoint would do: too long a range, or too long a time for it.
pub(super) fn refuses_logs(error: &ChainError) -> bool {
    let ChainError::NoQuorum { faults, .. } = error else { return false };
    faults.iter().any(|(_, fault)| {
        matches!(
            fault,
            Some(
                EndpointFault::Refused { method: "eth_getLogs", .. }
                    | EndpointFault::TimedOut(_)
                    | EndpointFault::TooLarge
            )
        )
    })
}
