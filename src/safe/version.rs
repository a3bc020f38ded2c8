//! The Safe versions this program knows, and what differs between them.

use std::str::FromStr;

/// A released version of the Safe contracts. Ordered, so that features can be asked for by comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}", self.as_str())]
pub enum SafeVersion {
    V1_0_0,
    V1_1_1,
    V1_2_0,
    V1_3_0,
    V1_4_1,
    V1_5_0,
}

impl SafeVersion {
    /// Every version, the oldest first.
    pub const ALL: [Self; 6] =
        [Self::V1_0_0, Self::V1_1_1, Self::V1_2_0, Self::V1_3_0, Self::V1_4_1, Self::V1_5_0];

    /// Returns the text that the contract's `VERSION()` gives, such as `1.4.1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_1 => "1.1.1",
            Self::V1_2_0 => "1.2.0",
            Self::V1_3_0 => "1.3.0",
            Self::V1_4_1 => "1.4.1",
            Self::V1_5_0 => "1.5.0",
        }
    }

    /// From 1.3.0 on the EIP-712 domain names the chain; before, a signature is good on every chain.
    pub fn domain_has_chain_id(self) -> bool {
        self >= Self::V1_3_0
    }

    /// 1.0.0 has no `eth_sign` signatures (v above 30).
    pub fn takes_eth_sign(self) -> bool {
        self >= Self::V1_1_1
    }

    /// With safeTxGas and gasPrice zero an inner failure reverts and keeps the nonce only from 1.3.0 on,
    /// so only from there on does this program build transactions.
    pub fn can_build(self) -> bool {
        self >= Self::V1_3_0
    }

    /// From 1.5.0 on a contract that is an owner is asked by `isValidSignature(bytes32,bytes)`; before, by
    /// `isValidSignature(bytes,bytes)`.
    pub fn asks_by_hash(self) -> bool {
        self >= Self::V1_5_0
    }

    /// From 1.4.1 on the result events carry the safeTxHash as an indexed topic.
    pub fn result_event_is_indexed(self) -> bool {
        self >= Self::V1_4_1
    }
}

/// A version that this program does not know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("Safe version {0:?} is not one of 1.0.0, 1.1.1, 1.2.0, 1.3.0, 1.4.1, 1.5.0")]
pub struct UnknownVersion(pub String);

impl FromStr for SafeVersion {
    type Err = UnknownVersion;

    /// Takes `1.4.1`, and the `+L2` that other tools append to name the L2 singleton.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let plain = s.strip_suffix("+L2").unwrap_or(s);
        Self::ALL.into_iter().find(|v| v.as_str() == plain).ok_or_else(|| UnknownVersion(s.into()))
    }
}
