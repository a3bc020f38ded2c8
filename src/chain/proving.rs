//! Proofs of what was read at a block, in one round of their own.

use alloy::primitives::Address;
use alloy::rpc::types::EIP1186AccountProofResponse;
use serde_json::{Value, json};

use super::chain_error::{ChainError, EndpointFault};
use super::json_rpc::{AT, Reply, Request};
use super::merkle::{AccountClaim, AccountClaims, Root, bind, verify};
use super::quorum::Chain;
use super::snapshot::Snapshot;
use crate::evm::{Answer, BlockTag, Header, Keys, Query, Readings};

impl Chain {
    /// Proves what was read: the Safe's state, the values of these keys, and every answer to a query, which is worked
    /// out anew from proven values. All against the state root of the snapshot's block. One endpoint with all the
    /// proofs is enough: a proof needs nobody's word. One round, and before it those it takes to learn what the queries
    /// read: none after a rehearsal that read it too, fewer with `hints`, which are what an earlier one read.
    /// Fails if no endpoint that agrees on the block proves everything; each is named with what it did not prove.
    pub fn prove(&self, seen: &mut Snapshot, read: &Keys, hints: Keys) -> Result<Root, ChainError> {
        let block = seen.header.number;
        let not_proven = |why: String| ChainError::NotProven { chain: self.name().into(), block, why };
        let (answers, viewed) = self.view(seen, hints)?;
        if let Some(query) = contradiction(&seen.readings, &answers) {
            return Err(not_proven(format!("the answer to the {query} is not what the state there gives")));
        }
        let mut claims = AccountClaims::default();
        claims.of_safe(&seen.state, seen.code_hash);
        for keys in [read, &viewed] {
            let claimed = claims.of_keys(keys, &seen.known.state);
            claimed.map_err(|what| not_proven(format!("nothing proves {what}")))?;
        }
        let agreed = self.agree(&requests(&claims), BlockTag::Pinned(seen.header.block()))?;
        if agreed.header != seen.header {
            return Err(not_proven("its header was told in two ways".into()));
        }
        let endpoints = self.endpoints();
        let mut faults = Vec::new();
        for (at, replies) in agreed.by.iter().zip(&agreed.hints) {
            match proven(self.id(), &agreed.header, &claims, replies) {
                Ok(root) => return Ok(root),
                Err(fault) => {
                    let shown = endpoints.get(*at).map_or("-", |endpoint| &endpoint.shown);
                    faults.push(format!("RPC {shown} {fault}"));
                }
            }
        }
        Err(not_proven(faults.join("; ")))
    }
}

/// The first query that the state answers otherwise. Nodes give the data of a revert or leave it out.
fn contradiction<'r>(told: &'r Readings, worked_out: &Readings) -> Option<&'r Query> {
    let alike = |told: &Answer, found: Option<&Answer>| match (told, found) {
        (Answer::Reverted(told), Some(Answer::Reverted(found))) => told.is_empty() || told == found,
        (told, found) => found == Some(told),
    };
    told.iter().find(|(query, answer)| !alike(answer, worked_out.get(query))).map(|(query, _)| query)
}

/// The whole header, then a proof for each account.
fn requests(claims: &AccountClaims) -> Vec<Request> {
    let proof = |(address, claim): (&Address, &AccountClaim)| {
        let slots: Vec<_> = claim.slots.iter().map(|(slot, _)| slot).collect();
        Request::hint("eth_getProof", json!([address, slots, AT]))
    };
    let header = Request::hint("eth_getBlockByNumber", json!([AT, false]));
    std::iter::once(header).chain(claims.0.iter().map(proof)).collect()
}

/// Verifies one endpoint's answers to [`requests`].
fn proven(
    chain_id: u64,
    header: &Header,
    claims: &AccountClaims,
    replies: &[Reply],
) -> Result<Root, EndpointFault> {
    let number = header.number;
    let unproven = |what: &str| EndpointFault::Unproven { what: what.into(), number };
    let mut replies = replies.iter();
    let whole = answer(replies.next(), "eth_getBlockByNumber")?;
    let root = bind(chain_id, header, whole).map_err(unproven)?;
    for (address, claim) in &claims.0 {
        let told = answer(replies.next(), "eth_getProof")?;
        let proof = serde_json::from_value::<EIP1186AccountProofResponse>(told.clone());
        let proof = proof.map_err(|_| EndpointFault::garbage("a proof is not what it should be"))?;
        verify(header.state_root, *address, claim, &proof).map_err(|what| unproven(&what))?;
    }
    Ok(root)
}

fn answer<'r>(reply: Option<&'r Reply>, method: &'static str) -> Result<&'r Value, EndpointFault> {
    match reply {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(EndpointFault::Refused { method, error: error.clone() }),
        None => Err(EndpointFault::garbage("no answer")),
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Bytes;

    use super::*;

    #[test]
    fn the_reason_of_a_revert_is_right_or_left_out() {
        let query = Query::Call { from: None, to: Address::ZERO, data: Bytes::new() };
        let reverted = |data: &[u8]| -> Readings {
            [(query.clone(), Answer::Reverted(Bytes::copy_from_slice(data)))].into_iter().collect()
        };
        assert_eq!(contradiction(&reverted(&[1]), &reverted(&[1])), None);
        assert_eq!(contradiction(&reverted(&[]), &reverted(&[1])), None);
        assert_eq!(contradiction(&reverted(&[2]), &reverted(&[1])), Some(&query));
    }
}
