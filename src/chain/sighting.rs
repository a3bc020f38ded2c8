//! Waiting for a transaction: how often to ask on which chain, and what one question brings.

use std::time::Duration;

use serde_json::json;

use super::chain_error::ChainError;
use super::json_rpc::{AT, Request};
use super::mined_transactions::{Receipt, read_logs, refuses_logs};
use super::quorum::Chain;
use super::settle::Settled;
use super::snapshot::{readings, request};
use crate::evm::{BlockTag, FoundLogs, Header, LogFilter, Query, Readings, TxHash};

/// For a chain that is not known: short, so that nothing that was read is taken for fresh too long.
const UNKNOWN: Duration = Duration::from_secs(1);
const SHORTEST_POLL: Duration = Duration::from_millis(100);
/// The most events of one filter that are taken.
const MOST_LOGS: usize = 10_000;

/// One block's statement about some transactions.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub header: Header,
    /// The receipts of those that are mined; at most one of several that share a nonce.
    pub receipts: Vec<Receipt>,
    /// The answers at `header`.
    pub readings: Readings,
}

impl Chain {
    /// The time between two blocks, for waiting: the council's or the table's, else as the headers that were seen show
    /// it. Short where nothing is known.
    pub fn between_blocks(&self) -> Duration {
        self.stated_block_time().or_else(|| self.seen_block_time()).unwrap_or(UNKNOWN)
    }

    /// Returns the time to wait between two questions: a tenth of the block time.
    pub fn poll_interval(&self) -> Duration {
        (self.between_blocks() / 10).max(SHORTEST_POLL)
    }

    /// The receipts of transactions, and what is asked along with them at the newest block, in one round. A receipt
    /// takes a second one where its block is not the newest.
    pub fn watch(&self, transactions: &[TxHash], queries: &[Query]) -> Result<Sighting, ChainError> {
        let receipt = |tx: &TxHash| Request::new("eth_getTransactionReceipt", json!([tx.word()]));
        let mut requests: Vec<Request> = transactions.iter().map(receipt).collect();
        requests.extend(queries.iter().filter_map(request));
        let agreed = self.agree(&requests, BlockTag::Latest)?;
        let (header, mut values) = (agreed.header, agreed.values);
        let answers = values.split_off(transactions.len().min(values.len()));
        let mut receipts = Vec::new();
        for (tx, value) in transactions.iter().zip(values) {
            receipts.extend(self.read_receipt(*tx, value, &header)?);
        }
        Ok(Sighting { readings: readings(queries, &answers, &header), header, receipts })
    }

    /// Answers and events at one block, in one round. At the newest block, `near` is a block that was the newest before: the
    /// search for events begins as if it still were. A filter whose first block is older than where the search began is not
    /// among those that were found.
    ///
    /// Where the endpoints do not make the search, the answers are asked for again without it.
    pub fn search_executions(
        &self,
        queries: &[Query],
        filters: &[LogFilter],
        near: u64,
        at: BlockTag,
    ) -> Result<(Header, Readings, FoundLogs), ChainError> {
        let asked: Vec<Request> = queries.iter().filter_map(request).collect();
        let searches = filters.iter().map(|filter| search(filter, near));
        let requests: Vec<Request> = asked.iter().cloned().chain(searches).collect();
        let (agreed, refused) = match self.agree(&requests, at) {
            Ok(agreed) => (agreed, None),
            Err(error) if !filters.is_empty() && refuses_logs(&error) => {
                (self.agree(&asked, at)?, Some(format!("its events cannot be had: {error}")))
            }
            Err(error) => return Err(error),
        };
        let (header, mut answers) = (agreed.header, agreed.values);
        let found = answers.split_off(asked.len().min(answers.len()));
        let logs = match refused {
            Some(why) => filters.iter().map(|filter| (filter.clone(), Err(why.clone()))).collect(),
            None => found_logs(filters, found, near, header.number),
        };
        Ok((header.clone(), readings(queries, &answers, &header), logs))
    }
}

fn search(filter: &LogFilter, near: u64) -> Request {
    let (address, topics, first) = (filter.address, &filter.topics, filter.first(near));
    let filter =
        json!({"address": address, "fromBlock": format!("{first:#x}"), "toBlock": AT, "topics": topics});
    Request::new("eth_getLogs", json!([filter]))
}

/// The logs of each filter whose blocks, with `head` as the last, were all searched.
fn found_logs(filters: &[LogFilter], values: Vec<Settled>, near: u64, head: u64) -> FoundLogs {
    let found = |(filter, value): (&LogFilter, Settled)| {
        let first = filter.first(head);
        if first < filter.first(near) {
            return None;
        }
        let is_in_range = |number: u64| (first..=head).contains(&number);
        let logs = read_logs(value).into_iter().filter(|wire| is_in_range(wire.block_number.to::<u64>()));
        let logs: Vec<_> = logs.take(MOST_LOGS + 1).filter_map(|wire| wire.log()).collect();
        let few = logs.len() <= MOST_LOGS;
        let too_many =
            || format!("more than {MOST_LOGS} events in {} blocks: ask for fewer blocks", filter.blocks);
        Some((filter.clone(), few.then_some(logs).ok_or_else(too_many)))
    };
    filters.iter().zip(values).filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256};

    use super::*;

    const FILTER: LogFilter = LogFilter { address: Address::ZERO, topics: Vec::new(), blocks: 10 };

    fn logs(numbers: impl IntoIterator<Item = u64>) -> Vec<Settled> {
        let log = |number: u64| {
            json!({"address": Address::ZERO, "topics": [], "data": "0x", "transactionHash": B256::ZERO,
                "blockHash": B256::ZERO, "blockNumber": format!("{number:#x}")})
        };
        vec![Settled::Json(numbers.into_iter().map(log).collect())]
    }

    fn found(numbers: impl IntoIterator<Item = u64>, near: u64, head: u64) -> Option<Result<usize, String>> {
        let found = found_logs(&[FILTER], logs(numbers), near, head);
        found.into_values().next().map(|logs| logs.map(|logs| logs.len()))
    }

    #[test]
    fn events_outside_of_the_blocks_do_not_count() {
        assert_eq!((FILTER.first(100), FILTER.first(3)), (91, 0));
        assert_eq!(found([90, 91, 100, 101], 100, 100), Some(Ok(2)));
        assert_eq!(found([91, 92, 93, 102], 100, 102), Some(Ok(2)), "two blocks have come since");
    }

    #[test]
    fn a_search_that_began_too_late_is_not_taken() {
        assert_eq!(found([95], 101, 100), None, "the chain went back by a block");
    }

    #[test]
    fn too_many_events_are_said_and_not_counted() {
        assert_eq!(found(vec![95; MOST_LOGS], 100, 100), Some(Ok(MOST_LOGS)));
        let why = found(vec![95; MOST_LOGS + 1], 100, 100).unwrap().unwrap_err();
        assert_eq!(why, "more than 10000 events in 10 blocks: ask for fewer blocks");
    }
}
