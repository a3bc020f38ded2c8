//! Questions to the chain about one owner: has it approved, and does it say yes to a signature?

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;

use crate::evm::{Answer, Query};
use crate::safe::{ISafe, Question, SafeTxHash};

/// Asks if an owner of a Safe has approved a hash on chain.
pub fn approval_query(safe: Address, hash: &SafeTxHash, owner: Address) -> Query {
    let call = ISafe::approvedHashesCall { owner, hash: *hash.word() };
    Query::Call { from: None, to: safe, data: call.abi_encode().into() }
}

/// Asks a contract if this is its signature, as the Safe asks it.
pub fn contract_query(safe: Address, owner: Address, asks: &Question, data: &Bytes) -> Query {
    Query::Call { from: Some(safe), to: owner, data: asks.calldata(data) }
}

/// Returns the answer that says yes to a question of [`contract_query`]. `None` for another call.
pub fn approving_answer(query: &Query) -> Option<Answer> {
    let Query::Call { data, .. } = query else { return None };
    let mut yes = [0; 32];
    yes[..4].copy_from_slice(data.get(..4)?);
    Some(Answer::Value(Bytes::copy_from_slice(&yes)))
}
