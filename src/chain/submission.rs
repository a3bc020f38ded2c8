//! The one way by which anything leaves: a transaction that its payer has signed, held against what is ready.

use alloy::consensus::TxEnvelope;
use alloy::network::eip2718::Decodable2718;
use alloy::primitives::{B256, Bytes, TxKind};
use serde_json::json;
use serde_json::value::RawValue;

use super::chain_error::{ChainError, EndpointFault, RpcErrorObject};
use super::json_rpc::{RawReply, Request};
use super::quorum::Chain;
use crate::evm::TxHash;
use crate::proposal::Outgoing;

impl Chain {
    /// Sends a transaction that its payer has signed (`raw`) and that makes this very call: to every endpoint at once; one that takes it is enough. An endpoint that has it already has taken it. Sending the same bytes again is
    /// harmless.
    /// Fails if it does anything else, or when none took it; that error says whether it may have left all the same.
    pub fn send(&self, call: &Outgoing, raw: &[u8]) -> Result<TxHash, ChainError> {
        if makes(call, self.id(), raw) {
            return self.send_raw(raw);
        }
        Err(ChainError::NotReady { chain: self.name().into(), tx: TxHash::of(raw) })
    }

    /// Gives a signed transaction to every endpoint at once; one that takes it is enough. An endpoint that has it
    /// already has taken it. Sending the same bytes again is harmless.
    /// Fails if none took it; the error says whether it may have left all the same.
    pub(super) fn send_raw(&self, raw: &[u8]) -> Result<TxHash, ChainError> {
        let tx = TxHash::of(raw);
        let request = Request::hint("eth_sendRawTransaction", json!([Bytes::copy_from_slice(raw)]));
        let verdict = |result: Result<RawReply, EndpointFault>| match result {
            Ok(Ok(said)) => check_returned_hash(&said, tx),
            Ok(Err(error)) if is_known(&error) => Ok(()),
            Ok(Err(error)) => Err(EndpointFault::Refused { method: "the transaction", error }),
            Err(fault) => Err(fault),
        };
        let results = self.each(&request, verdict);
        if results.iter().any(|(_, result)| result.is_ok()) {
            return Ok(tx);
        }
        let faults: Vec<_> =
            results.into_iter().filter_map(|(who, result)| Some((who, result.err()?))).collect();
        let unsure = faults.iter().any(|(_, fault)| may_have_left(fault));
        Err(ChainError::NotSent { chain: self.name().into(), tx, unsure, faults })
    }
}

/// Returns `true` if a signed transaction makes the call on this chain, with no ether, and does nothing else; and is from
/// the one account that may send it, where only one may.
fn makes(call: &Outgoing, chain_id: u64, raw: &[u8]) -> bool {
    let Ok(TxEnvelope::Eip1559(signed)) = TxEnvelope::decode_2718_exact(raw) else { return false };
    let tx = signed.tx();
    chain_id == call.chain_id()
        && tx.chain_id == chain_id
        && tx.to == TxKind::Call(call.to())
        && tx.value.is_zero()
        && tx.input == *call.data()
        && call.only_from().is_none_or(|from| signed.recover_signer().is_ok_and(|signer| signer == from))
}

fn check_returned_hash(said: &RawValue, tx: TxHash) -> Result<(), EndpointFault> {
    let hash = serde_json::from_str::<B256>(said.get()).ok();
    (hash == Some(*tx.word()))
        .then_some(())
        .ok_or_else(|| EndpointFault::garbage("the hash of another transaction"))
}

/// Returns `true` if the endpoint may have passed a transaction on although it did not answer.
const fn may_have_left(fault: &EndpointFault) -> bool {
    match fault {
        EndpointFault::Http(status) => *status >= 500,
        EndpointFault::Refused { .. } | EndpointFault::Throttled { .. } => false,
        _ => true,
    }
}

/// Each client words it in its own way.
fn is_known(error: &RpcErrorObject) -> bool {
    let text = error.message.to_ascii_lowercase();
    ["already known", "alreadyknown", "known transaction", "already imported", "already exists", "already in"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clients_word_for_known_is_known() {
        for (message, known) in [
            ("already known", true),
            ("AlreadyKnown", true),
            ("Known transaction", true),
            ("transaction already imported", true),
            ("nonce too low", false),
            ("unknown account", false),
        ] {
            let error = RpcErrorObject { code: -32000, message: message.into(), data: None };
            assert_eq!(is_known(&error), known, "{message}");
        }
    }
}
