//! Asks for what a rehearsal will probably read, before it runs; and holds what is known by then.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::AccessListResult;
use serde_json::{Value, json};

use super::json_rpc::{AT, Reply, Request};
use crate::evm::{BlockHash, Keys, Query};
use crate::fork::{Account, WorldState, access_list_calls, access_list_keys, first_keys};
use crate::safe::{SafeId, SafeTx};

/// The gas of an access list: as much as the transaction itself may use.
const LIST_GAS: u64 = 1 << 24;
/// Keys of one access list, or hints, that are taken: nobody has to agree on them.
pub(super) const MOST_LISTED: usize = 2_000;

/// A transaction that may be rehearsed, as far as it is known before the first round.
#[derive(Clone, Debug)]
pub struct RehearsalDraft {
    pub safe: SafeId,
    /// Its nonce may be a guess.
    pub tx: SafeTx,
    pub sender: Address,
    /// As far as they are known.
    pub owners: Vec<Address>,
    /// The questions about the state that the transaction leaves.
    pub queries: Vec<Query>,
    /// Keys that an earlier rehearsal read, as somebody says: a wrong one costs no more than the fetching.
    pub hints: Keys,
}

/// State that is known at a block for rehearsing there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownState {
    pub(super) state: WorldState,
    /// Keys that access lists name and nobody fetched yet.
    pub(super) wanted: Keys,
    /// The transactions that access lists were asked for.
    listed: Vec<SafeTx>,
}

impl KnownState {
    pub(super) fn is_listed(&self, tx: &SafeTx) -> bool {
        self.listed.iter().any(|listed| SafeTx { nonce: tx.nonce, ..listed.clone() } == *tx)
    }
}

/// Accounts that are fetched for a hint: the code of each may be 24 kB, and all comes in one answer.
const MOST_ACCOUNTS: usize = 256;

/// The questions of some drafts.
pub(super) struct Drafted {
    keys: Keys,
    lists: Vec<Request>,
    txs: Vec<SafeTx>,
}

impl Drafted {
    /// Without what is known already.
    pub(super) fn of(drafts: &[RehearsalDraft], known: &KnownState) -> Self {
        let (mut keys, mut lists, mut txs) = (known.wanted.clone(), Vec::new(), Vec::new());
        for RehearsalDraft { safe, tx, sender, owners, queries, hints } in drafts {
            keys.extend(first_keys(safe, tx, *sender, owners, queries, hints));
            if known.is_listed(tx) {
                continue;
            }
            let calls = access_list_calls(safe, tx).into_iter().map(|call| (*sender, call.to, call.data));
            // The queries afterwards read more than the transaction does.
            let asked = queries.iter().filter_map(|query| match query {
                Query::Call { from, to, data } => Some((from.unwrap_or_default(), *to, data.clone())),
                _ => None,
            });
            for (from, to, data) in calls.chain(asked) {
                let call = json!({"from": from, "to": to, "data": data, "gas": U256::from(LIST_GAS)});
                let request = Request::hint("eth_createAccessList", json!([call, AT]));
                if !lists.contains(&request) {
                    lists.push(request);
                }
            }
            txs.push(tx.clone());
        }
        // Without drafts, what the access lists name can wait for whoever rehearses.
        let keys = if drafts.is_empty() { Keys::default() } else { known.state.missing(&keys) };
        Self { keys, lists, txs }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        let mut requests = requests(&self.keys);
        requests.extend_from_slice(&self.lists);
        requests
    }

    /// Takes the answers to [`Drafted::requests`]. An access list that was denied or makes no sense is none.
    pub(super) fn learn(&self, replies: &[Reply], known: &mut KnownState) {
        let (values, lists) = replies.split_at(requests_len(&self.keys).min(replies.len()));
        known.state.extend(state(&self.keys, values));
        for reply in lists {
            let list = reply.as_ref().ok().cloned().map(serde_json::from_value::<AccessListResult>);
            let Some(Ok(list)) = list else { continue };
            let mut keys = known.state.missing(&access_list_keys(&list.access_list));
            keys.extend(known.wanted.clone());
            if keys.len() <= MOST_LISTED && keys.accounts.len() <= MOST_ACCOUNTS {
                known.wanted = keys;
            }
        }
        known.listed.extend(self.txs.iter().cloned());
    }
}

/// One for each slot and block, three for each account.
pub(super) fn requests(keys: &Keys) -> Vec<Request> {
    let account = |method, address: &Address| Request::new(method, json!([address, AT]));
    let accounts = keys.accounts.iter().flat_map(|address| {
        ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"].map(|method| account(method, address))
    });
    let slots = keys.slots.iter().map(|(a, slot)| Request::new("eth_getStorageAt", json!([a, slot, AT])));
    let blocks = keys
        .block_hashes
        .iter()
        .map(|number| Request::new("eth_getBlockByNumber", json!([format!("{number:#x}"), false])));
    accounts.chain(slots).chain(blocks).collect()
}

fn requests_len(keys: &Keys) -> usize {
    3 * keys.accounts.len() + keys.slots.len() + keys.block_hashes.len()
}

/// The answers to [`requests`]. What is not an answer is left out, and found missing then.
pub(super) fn state(keys: &Keys, replies: &[Reply]) -> WorldState {
    let mut replies = replies.iter().map(|reply| reply.as_ref().ok());
    let mut next = || replies.next().flatten();
    let mut state = WorldState::default();
    for address in &keys.accounts {
        let (balance, nonce, code) = (read::<U256>(next()), read::<U256>(next()), read::<Bytes>(next()));
        if let (Some(balance), Some(nonce), Some(code)) = (balance, nonce, code) {
            state.accounts.insert(*address, Account { balance, nonce: nonce.saturating_to(), code });
        }
    }
    for slot in &keys.slots {
        if let Some(word) = read::<B256>(next()) {
            state.slots.insert(*slot, word);
        }
    }
    for number in &keys.block_hashes {
        if let Some(hash) = read::<B256>(next().and_then(|header| header.get("hash"))) {
            state.block_hashes.insert(*number, BlockHash::claimed(hash));
        }
    }
    state
}

fn read<T: serde::de::DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    serde_json::from_value(value?.clone()).ok()
}
