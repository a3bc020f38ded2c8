//! Waiting for a transaction: how often to ask on which chain, and what one question brings.

use std::time::Duration;

use serde_json::json;

use super::chain_error::ChainError;
use super::json_rpc::Request;
use super::quorum::Chain;
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
    /// The receipts of those that are mined; at most one of several that share a nonce.
    pub receipts: Vec<Receipt>,
    /// The answers at `header`.
    pub readings: Readings,
}

impl Chain {
    /// The time between two blocks, for waiting: the council's or the table's, else as the headers that were seen show
    /// it. Short where nothing is known.
    #[must_use]
    pub fn between_blocks(&self) -> Duration {
        self.told_block_time().or_else(|| self.seen_block_time()).unwrap_or(UNKNOWN)
    }

    /// Returns the time to wait between two questions: a tenth of the block time.
    #[must_use]
    pub fn poll_interval(&self) -> Duration {
        (self.between_blocks() / 10).max(SHORTEST_POLL)
    }

    /// The receipts of transactions, and what is asked along with them at the newest block, in one round. A receipt
    /// takes a second one where its block is not the newest.
    ///
    /// # Errors
    /// If no quorum agrees.
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
