//! The EIP-712 domain in which a Safe's owners sign: that of its own chain, or that of a drill, which is on no chain.

use alloy::primitives::{Address, Bytes};

use super::hashes::{DomainHash, Hashes, SafeId};
use super::tx::SafeTx;
use super::version::SafeVersion;

/// The chain id of a drill, the ASCII of "drill". No council file can name a chain with it.
pub const DRILL_CHAIN_ID: u64 = 0x64_7269_6c6c;

/// The use of a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
pub enum Purpose {
    /// It is good on the Safe's own chain.
    #[default]
    #[display("real")]
    Real,
    /// It is good on no chain.
    #[display("drill")]
    Drill,
}

impl Purpose {
    /// Returns the chain id that is signed on a chain: its own, or that of a drill.
    pub const fn chain_id(self, own: u64) -> u64 {
        match self {
            Self::Real => own,
            Self::Drill => DRILL_CHAIN_ID,
        }
    }
}

/// A Safe and the domain in which its owners sign. That of a drill has the drill's chain id in its hash, always: a Safe whose
/// domain has no chain id has no such domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Domain {
    safe: SafeId,
    purpose: Purpose,
}

/// The reason that a Safe cannot take part in a drill.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "no drill with Safe {safe} of version {version}: before 1.3.0 the chain id is not signed, so a drill's signature would be a real one"
)]
pub struct NoDrill {
    pub safe: Address,
    pub version: SafeVersion,
}

impl Domain {
    /// The domain of a Safe on its own chain.
    pub const fn real(safe: SafeId) -> Self {
        Self { safe, purpose: Purpose::Real }
    }

    /// The domain of a drill with a Safe.
    /// Fails for a Safe before 1.3.0.
    pub fn drill(safe: SafeId) -> Result<Self, NoDrill> {
        if safe.version.domain_has_chain_id() {
            Ok(Self { safe, purpose: Purpose::Drill })
        } else {
            Err(NoDrill { safe: safe.address, version: safe.version })
        }
    }

    pub fn of(safe: SafeId, purpose: Purpose) -> Result<Self, NoDrill> {
        match purpose {
            Purpose::Real => Ok(Self::real(safe)),
            Purpose::Drill => Self::drill(safe),
        }
    }

    /// The Safe, on its own chain.
    pub const fn safe(&self) -> &SafeId {
        &self.safe
    }

    /// Returns the purpose of signatures in this domain: real, or a drill.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The chain id that is signed, where one is: the Safe's own, or that of a drill.
    pub const fn chain_id(&self) -> u64 {
        self.purpose.chain_id(self.safe.chain_id)
    }

    /// The identity that is hashed.
    const fn signed(&self) -> SafeId {
        SafeId { chain_id: self.chain_id(), ..self.safe }
    }

    /// Returns the EIP-712 domain separator, as the contract of this version computes it.
    pub fn domain_hash(&self) -> DomainHash {
        self.signed().domain_hash()
    }

    /// The three hashes of a transaction.
    pub fn hashes(&self, tx: &SafeTx) -> Hashes {
        self.signed().hashes(tx)
    }

    /// The three hashes of an off-chain message.
    pub fn message_hashes(&self, message: &Bytes) -> Hashes {
        self.signed().message_hashes(message)
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;
    use crate::safe::{Nonce, Operation};

    fn safe(chain_id: u64, version: SafeVersion) -> SafeId {
        SafeId { chain_id, address: Address::repeat_byte(5), version }
    }

    fn tx() -> SafeTx {
        SafeTx::new(Address::repeat_byte(6), U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(42))
    }

    #[test]
    fn the_chain_id_of_a_drill_is_its_name() {
        assert_eq!(DRILL_CHAIN_ID.to_be_bytes(), *b"\0\0\0drill");
        assert_eq!(DRILL_CHAIN_ID, 431_416_241_260);
    }

    #[test]
    fn a_drill_changes_the_domain_and_nothing_that_the_transaction_does() {
        for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
            for chain_id in [1, 31_337] {
                let real = Domain::real(safe(chain_id, version));
                let drill = Domain::drill(safe(chain_id, version)).unwrap();
                let (one, other) = (real.hashes(&tx()), drill.hashes(&tx()));
                assert_eq!(one.message, other.message);
                assert_ne!(one.domain, other.domain);
                assert_ne!(one.safe_tx, other.safe_tx);
                assert_eq!(one, safe(chain_id, version).hashes(&tx()));
                // Byte for byte the transaction of a Safe on a chain with that id.
                assert_eq!(other, safe(DRILL_CHAIN_ID, version).hashes(&tx()));
                let message = Bytes::from_static(b"text");
                assert_ne!(real.message_hashes(&message), drill.message_hashes(&message));
                assert_eq!((drill.safe().chain_id, drill.chain_id()), (chain_id, DRILL_CHAIN_ID));
            }
        }
    }

    #[test]
    fn a_safe_whose_domain_has_no_chain_id_has_no_drill() {
        for version in [SafeVersion::V1_0_0, SafeVersion::V1_1_1, SafeVersion::V1_2_0] {
            let error = Domain::of(safe(1, version), Purpose::Drill).unwrap_err();
            let said = error.to_string();
            assert!(said.contains(&version.to_string()) && said.contains("0x0505"), "{said}");
            assert_eq!(Domain::of(safe(1, version), Purpose::Real), Ok(Domain::real(safe(1, version))));
            // The reason: such a hash is the same on every chain.
            assert_eq!(safe(1, version).hashes(&tx()), safe(DRILL_CHAIN_ID, version).hashes(&tx()));
        }
    }
}
