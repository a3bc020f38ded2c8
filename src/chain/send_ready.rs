//! The one way by which anything leaves: a transaction that its payer has signed, held against what is ready.

use alloy::consensus::TxEnvelope;
use alloy::network::eip2718::Decodable2718;
use alloy::primitives::TxKind;

use super::chain_error::ChainError;
use super::quorum::Chain;
use crate::evm::TxHash;
use crate::proposal::Outgoing;

impl Chain {
    /// Sends a transaction that its payer has signed (`raw`) and that makes this very call: to every endpoint at once; one that takes it is enough. An endpoint that has it already has taken it. Sending the same bytes again is
    /// harmless.
    ///
    /// # Errors
    /// If it does anything else, or when none took it; that error says whether it may have left all the same.
    pub fn send(&self, call: &Outgoing, raw: &[u8]) -> Result<TxHash, ChainError> {
        if makes(call, self.id(), raw) {
            return self.send_raw(raw);
        }
        Err(ChainError::NotReady { chain: self.name().into(), tx: TxHash::of(raw) })
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
