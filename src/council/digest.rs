//! The digest of a text, as people compare it.

use alloy::primitives::{hex, keccak256};

use crate::safe::hash_type;

hash_type!(
    /// keccak256 of a text, byte for byte.
    TextDigest, "digest of a text"
);

impl TextDigest {
    pub fn of(text: &str) -> Self {
        Self(keccak256(text))
    }

    /// Returns the first sixteen digits, as typed in a flag: `60157a0391cc20de`.
    pub fn digits(&self) -> String {
        hex::encode(&self.0[..8])
    }

    /// Returns the same in four groups, for people to compare: `6015 7a03 91cc 20de`.
    pub fn short(&self) -> String {
        self.0[..8].chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ")
    }
}
