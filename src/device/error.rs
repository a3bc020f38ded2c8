//! Why a key did not sign, in sentences that say the way on.

use alloy::primitives::Address;

use crate::safe::{SignatureError, SignatureKind};

/// Everything that can go wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("keystore: {0}")]
    BadKeystore(String),
    #[error("wrong password for the keystore, or the file was altered: its checksum does not fit")]
    WrongPassword,
    #[error("the key belongs to {signer}, and the signature must come from {expected}: nothing was kept")]
    WrongSigner { expected: Address, signer: Address },
    #[error("\"{0}\" is not something that a key signs: use ecdsa or eth_sign")]
    NotASignature(SignatureKind),
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl DeviceError {
    /// Whether a person decides how it goes on (refused, or not ready on the device: exit 6); else it failed (exit 1).
    #[must_use]
    pub const fn is_human(&self) -> bool {
        false
    }
}
