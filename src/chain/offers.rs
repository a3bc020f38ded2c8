//! The services of each endpoint beside answers about the newest block, and how fast it is. Nobody has to agree on them:
//! they are for `doctor`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256, U64};
use futures_util::future::join;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::chain_error::EndpointFault;
use super::endpoint::Endpoint;
use super::json_rpc::{AT, RawReply, Request};
use super::quorum::Chain;
use crate::evm::BlockTag;

/// The time that an endpoint has for all of it.
const PATIENCE: Duration = Duration::from_secs(8);
/// A block that is so much older is history: full nodes keep the state of 128.
const OLD: u64 = 1_000;

/// The services of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offers {
    /// The time of the smallest question.
    pub latency: Duration,
    /// `eth_createAccessList`: a rehearsal fetches at once what it will read.
    pub access_lists: bool,
    /// `eth_getProof`: for `--proofs`.
    pub proofs: bool,
    /// The state of a block long ago.
    pub history: bool,
}

impl Chain {
    /// Asks each endpoint what it offers, all of them at once. `account` is one with code, `newest` the newest block.
    pub fn offers(&self, account: Address, newest: u64) -> Vec<(String, Result<Offers, EndpointFault>)> {
        let before = format!("{:#x}", newest.saturating_sub(OLD));
        let requests: Arc<[Request]> = Arc::new([
            Request::hint("eth_createAccessList", json!([{ "to": account, "data": "0x" }, AT])),
            Request::hint("eth_getProof", json!([account, [B256::ZERO], AT])),
            Request::hint("eth_getBalance", json!([account, before])),
        ]);
        let id = self.id();
        self.of_each(|endpoint| {
            let requests = Arc::clone(&requests);
            async move {
                let (latency, (fetched, _)) =
                    join(latency(&endpoint, id), endpoint.fetch(&requests, BlockTag::Latest)).await;
                let (latency, replies) = (latency?, fetched?.replies);
                let has =
                    |at: usize, what: fn(&Value) -> bool| replies.get(at).is_some_and(|r| gives(r, what));
                Ok(Offers {
                    latency,
                    access_lists: has(0, |value| value["accessList"].is_array()),
                    proofs: has(1, |value| {
                        value["accountProof"].as_array().is_some_and(|all| !all.is_empty())
                    }),
                    history: has(2, Value::is_string),
                })
            }
        })
    }

    /// Asks each endpoint if it is there, all of them at once: a relay takes transactions and may answer nothing else.
    pub fn answering(&self) -> Vec<(String, Result<Duration, EndpointFault>)> {
        let id = self.id();
        self.of_each(|endpoint| async move { latency(&endpoint, id).await })
    }

    fn of_each<T: Send + 'static, F>(
        &self,
        ask: impl Fn(Arc<Endpoint>) -> F,
    ) -> Vec<(String, Result<T, EndpointFault>)>
    where
        F: Future<Output = Result<T, EndpointFault>> + Send + 'static,
    {
        self.block_on(async {
            let begin = |endpoint: &Arc<Endpoint>| {
                let asked = timeout(PATIENCE, ask(Arc::clone(endpoint)));
                (endpoint.shown(), tokio::spawn(asked))
            };
            let running: Vec<_> = self.endpoints_asked().iter().map(begin).collect();
            let mut done = Vec::new();
            for (shown, task) in running {
                let late = EndpointFault::TimedOut(PATIENCE.as_secs());
                let result = task.await.map_or(Err(EndpointFault::Slow), |ended| ended.unwrap_or(Err(late)));
                done.push((shown, result));
            }
            done
        })
    }
}

/// Returns the time of the smallest question. An error is an answer too; another chain's id is not.
async fn latency(endpoint: &Endpoint, id: u64) -> Result<Duration, EndpointFault> {
    let begun = Instant::now();
    let reply = endpoint.single(&Request::hint("eth_chainId", json!([]))).await.0?;
    let taken = begun.elapsed();
    match reply.ok().map(|raw| serde_json::from_str::<U64>(raw.get())) {
        Some(Ok(found)) if found.to::<u64>() != id => {
            Err(EndpointFault::WrongChain { found: found.to::<u64>().to_string() })
        }
        Some(Err(_)) => Err(EndpointFault::garbage("no chain id")),
        Some(Ok(_)) | None => Ok(taken),
    }
}

fn gives(reply: &RawReply, what: fn(&Value) -> bool) -> bool {
    let value = reply.as_ref().ok().and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    value.is_some_and(|value| what(&value))
}
