//! Waiting for a transaction: how often to ask on which chain, and what one question brings.

use std::time::Duration;

use serde_json::json;

use super::error::ChainError;
use super::quorum::Chain;
use super::rhythm::known_block_time;
use super::rpc::Request;
use super::sending::Receipt;
use super::snapshot::{readings, request};
use crate::evm::{BlockTag, Header, TxHash};
use crate::evm::{Query, Readings};

/// For a chain that is not known: short, so that nothing that was read is taken for fresh too long.
const UNKNOWN: Duration = Duration::from_secs(1);
const SHORTEST_POLL: Duration = Duration::from_millis(100);

/// One block's statement about some transactions.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub header: Header,
    /// Of those that are mined; at most one of several that share a nonce.
    pub receipts: Vec<Receipt>,
    /// The answers at `header`.
    pub readings: Readings,
}

/// The time between two blocks for waiting: short where the chain is not known.
#[must_use]
pub fn block_time(chain_id: u64) -> Duration {
    known_block_time(chain_id).unwrap_or(UNKNOWN)
}

/// How long to wait between two questions: a tenth of the block time.
#[must_use]
pub fn poll_interval(chain_id: u64) -> Duration {
    (block_time(chain_id) / 10).max(SHORTEST_POLL)
}

impl Chain {
    /// The receipts of transactions, and what is asked along with them at the newest block, in one round. A receipt
    /// takes a second one where its block is not the newest.
    ///
    /// # Errors
    /// When no quorum agrees.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_asked_ten_times_a_block_and_ten_times_a_second_at_most() {
        let millis = |chain_id| poll_interval(chain_id).as_millis();
        assert_eq!((millis(1), millis(8453), millis(42_161), millis(31_337)), (1200, 200, 100, 100));
    }
}
