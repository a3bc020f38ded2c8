//! Predicts what to ask for before anything is known, so that the first round brings nearly everything. Pure.

use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::rpc::types::AccessList;
use alloy::sol;
use alloy::sol_types::SolCall;

use super::run::ExecTransaction;
use super::slot_names::PROXY_SLOTS;
use super::world::WorldState;
use crate::evm::{Keys, Query};
use crate::safe::deployments::{Contract, KNOWN};
use crate::safe::{
    Call, FIXED_SLOTS, Operation, SafeId, SafeTx, approved_hash_slot, decode_batch, owner_slot, slot,
    slot_word,
};

sol! {
    /// CompatibilityFallbackHandler, from 1.3.0 on: runs a delegatecall of the Safe and undoes it.
    function simulate(address targetContract, bytes calldataPayload) external returns (bytes response);

    /// Keeps the other `simulate` apart.
    interface IAccessor {
        function simulate(address to, uint256 value, bytes data, uint8 operation)
            external returns (uint256 estimate, bool success, bytes returnData);
    }
}

/// Hints beyond this number are not asked for: they come from a file that somebody else wrote.
const MAX_HINTS: usize = 2_000;
/// The most accounts that are hinted at: their code comes along.
const MAX_HINTED_ACCOUNTS: usize = 256;

/// The precompiled contract that every ECDSA signature is checked with.
const ECRECOVER: Address = address!("0000000000000000000000000000000000000001");

/// The keys that a rehearsal reads in any case, and those that an earlier one read.
///
/// Good before anything is known: `owners` may be empty, and of `tx` the nonce may be a guess.
pub fn first_keys(
    id: &SafeId,
    tx: &SafeTx,
    sender: Address,
    owners: &[Address],
    queries: &[Query],
    hints: &Keys,
) -> Keys {
    let safe = id.address;
    let few = hints.len() <= MAX_HINTS && hints.accounts.len() <= MAX_HINTED_ACCOUNTS;
    let mut keys = if few { hints.clone() } else { Keys::default() };
    keys.accounts.extend([sender, safe, tx.to, ECRECOVER]);
    // The singleton's code is half of all that is read: which one it is, an access list or slot 0 will say.

    keys.slots.extend(FIXED_SLOTS.map(|(slot, ..)| (safe, slot)));
    let hash = id.hashes(tx).safe_tx;
    for owner in owners {
        keys.slots.extend([(safe, owner_slot(*owner)), (safe, approved_hash_slot(*owner, &hash))]);
    }
    let mut called = targets(tx);
    for query in queries {
        match query {
            Query::Call { from, to, .. } => {
                keys.accounts.insert(from.unwrap_or_default());
                called.push(*to);
            }
            Query::Storage { address, slot } => {
                keys.slots.insert((*address, *slot));
            }
            Query::Balance { address } | Query::CodeHash { address } => {
                keys.accounts.insert(*address);
            }
            Query::Time => {}
        }
    }
    for contract in called {
        keys.accounts.insert(contract);
        keys.slots.extend(PROXY_SLOTS[..3].iter().map(|proxy| (contract, proxy.slot)));
    }
    keys
}

/// Returns the keys that the first answers point at, and a run would meet only after a few more rounds: the owners' entries, the
/// Safe's singleton and guard, the implementations and beacons of proxies.
pub(super) fn next_keys(exec: &ExecTransaction<'_>, state: &WorldState) -> Keys {
    let safe = exec.domain.safe().address;
    let mut keys = Keys::default();
    keys.slots.extend(exec.owners.list().iter().map(|owner| (safe, owner_slot(*owner))));
    let is_of_safe = |address: Address, slot: B256| {
        address == safe && (slot == slot_word(slot::SINGLETON) || slot == slot::GUARD)
    };
    keys.extend(named_by(state, is_of_safe));
    keys.extend(behind_proxies(state));
    keys
}

/// Returns the accounts that the slots of proxies name: implementations and beacons.
pub fn behind_proxies(state: &WorldState) -> Keys {
    named_by(state, |_, slot| PROXY_SLOTS.iter().any(|proxy| proxy.slot == slot))
}

/// Returns the accounts that slots name.
fn named_by(state: &WorldState, names: impl Fn(Address, B256) -> bool) -> Keys {
    let slots =
        state.slots.iter().filter(|((address, slot), word)| names(*address, *slot) && !word.is_zero());
    Keys { accounts: slots.map(|(_, word)| Address::from_word(*word)).collect(), ..Keys::default() }
}

/// Whom the transaction calls: one, or those of a batch.
fn targets(tx: &SafeTx) -> Vec<Address> {
    match (tx.operation, decode_batch(&tx.data)) {
        (Operation::DelegateCall, Ok(calls)) => calls.iter().map(|call| call.to).collect(),
        _ => vec![tx.to],
    }
}

/// Returns the calls for `eth_createAccessList` in the first round, from any sender: `Safe.simulate(accessor, …)`, which
/// needs no signatures and does not revert. One call per accessor known for the version; any of them may be missing
/// on the chain, and the answer is only a hint.
pub fn access_list_calls(safe: &SafeId, tx: &SafeTx) -> Vec<Call> {
    let inner = IAccessor::simulateCall {
        to: tx.to,
        value: tx.value,
        data: tx.data.clone(),
        operation: tx.operation.as_u8(),
    };
    let payload = Bytes::from(inner.abi_encode());
    let accessors =
        KNOWN.iter().filter(|d| d.contract == Contract::SimulateTxAccessor && d.version == safe.version);
    accessors
        .map(|d| simulateCall { targetContract: d.address, calldataPayload: payload.clone() })
        .map(|call| Call { to: safe.address, value: U256::ZERO, data: call.abi_encode().into() })
        .collect()
}

/// The keys in an access list, without those that only the simulation reads.
pub fn access_list_keys(list: &AccessList) -> Keys {
    let mut keys = Keys::from(list);
    for known in KNOWN {
        if matches!(known.contract, Contract::SimulateTxAccessor | Contract::FallbackHandler) {
            keys.accounts.remove(&known.address);
        }
    }
    keys
}
