//! Keys, signatures, Safes and the code of contracts for the tests of every room.

pub(crate) mod artifacts;

use alloy::primitives::{Address, B256, Signature};
use k256::ecdsa::SigningKey;

use super::{Nonce, Owners, SafeId, SafeState, SafeTxHash, SafeVersion, SignatureKind, signed_digest};

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

pub(crate) fn address(seed: u8) -> Address {
    Address::from_private_key(&key(seed))
}

pub(crate) fn sign(seed: u8, digest: &B256) -> Signature {
    key(seed).sign_prehash_recoverable(digest.as_slice()).unwrap().into()
}

/// r ‖ s ‖ v, as a Safe reads it.
pub(crate) fn safe_signature(seed: u8, hash: &SafeTxHash, kind: SignatureKind) -> [u8; 65] {
    let mut bytes = sign(seed, &signed_digest(hash, kind)).as_bytes();
    if kind == SignatureKind::EthSign {
        bytes[64] += 4;
    }
    bytes
}

/// A Safe 1.4.1 of chain 1 that has nothing but its owners.
pub(crate) fn safe(address: Address, owners: &[Address], threshold: u64, nonce: u64) -> SafeState {
    let id = SafeId { chain_id: 1, address, version: SafeVersion::V1_4_1 };
    SafeState::bare(id, Owners::new(owners.to_vec(), threshold).unwrap(), Nonce::from(nonce))
}
