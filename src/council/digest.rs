//! The digest of a text, as people compare it.

use std::fmt;
use std::str::FromStr;

use alloy::primitives::{B256, hex, keccak256};

/// keccak256 of a text, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextDigest(B256);

impl TextDigest {
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(keccak256(text))
    }

    /// A digest that somebody states.
    #[must_use]
    pub const fn claimed(word: B256) -> Self {
        Self(word)
    }

    #[must_use]
    pub const fn word(&self) -> &B256 {
        &self.0
    }

    /// Returns the first sixteen digits, as typed in a flag: `60157a0391cc20de`.
    #[must_use]
    pub fn digits(&self) -> String {
        hex::encode(&self.0[..8])
    }

    /// Returns the same in four groups, for people to compare: `6015 7a03 91cc 20de`.
    #[must_use]
    pub fn short(&self) -> String {
        self.0[..8].chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for TextDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TextDigest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.strip_prefix("0x").and_then(|digits| digits.parse().ok());
        word.map(Self).ok_or_else(|| "a digest is 0x and 64 hexadecimal digits".to_string())
    }
}
