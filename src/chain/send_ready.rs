//! The one way by which anything leaves: a transaction that its payer has signed, held against what is ready.

use alloy::consensus::TxEnvelope;
use alloy::network::eip2718::Decodable2718;
use alloy::primitives::TxKind;

use super::chain_error::ChainError;
use super::quorum::Chain;
use crate::evm::TxHash;
use crate::proposal::Ready;

impl Chain {
    /// Sends a transaction that its payer has signed (`raw`) and that gives `ready` to its Safe: to every endpoint at
    /// once; one that takes it is enough. An endpoint that has it already has taken it. Sending the same bytes again is
    /// harmless.
    ///
    /// # Errors
    /// If it does anything else, or when none took it; that error says whether it may have left all the same.
    pub fn send(&self, ready: &Ready, raw: &[u8]) -> Result<TxHash, ChainError> {
        if gives(ready, self.id(), raw) {
            return self.send_raw(raw);
        }
        Err(ChainError::NotReady { chain: self.name().into(), tx: TxHash::of(raw) })
    }
}

/// Returns `true` if a signed transaction gives the Safe transaction to its Safe on this chain, with no ether, and does
/// nothing else; and is from the one owner who may send it, where one counts because they do.
fn gives(ready: &Ready, chain_id: u64, raw: &[u8]) -> bool {
    let Ok(TxEnvelope::Eip1559(signed)) = TxEnvelope::decode_2718_exact(raw) else { return false };
    let (tx, safe) = (signed.tx(), ready.safe());
    chain_id == safe.chain_id
        && tx.chain_id == chain_id
        && tx.to == TxKind::Call(safe.address)
        && tx.value.is_zero()
        && tx.input == *ready.calldata()
        && ready.only_from().is_none_or(|owner| signed.recover_signer().is_ok_and(|from| from == owner))
}
