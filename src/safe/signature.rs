//! Owner signatures: who made one, and how.

use alloy::primitives::{Address, B256, Signature, U256, eip191_hash_message};

use super::hashes::SafeTxHash;
use super::version::SafeVersion;

/// The way in which an owner approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}", self.as_str())]
pub enum SignatureKind {
    /// ECDSA over the safeTxHash; v is 27 or 28.
    Ecdsa,
    /// ECDSA over the `personal_sign` text of the safeTxHash; v is 31 or 32. Not before Safe 1.1.1.
    EthSign,
    /// `approveHash` was called on chain; v is 1, r is the owner.
    ApprovedHash,
    /// The owner is a contract and says yes to a signature, by EIP-1271; v is 0, r is the owner.
    Contract,
    /// The owner sends the transaction; v is 1, r is the owner.
    Sender,
}

impl SignatureKind {
    /// Returns its name for a person and in `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::EthSign => "eth_sign",
            Self::ApprovedHash => "approved on chain",
            Self::Contract => "contract signature",
            Self::Sender => "sends it",
        }
    }
}

/// The reason that 65 bytes are not a signature that a Safe takes.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    #[error("a signature has 65 bytes, and this one has {0}")]
    Length(usize),
    #[error(
        "signature ends in v = {0}, which is neither an ECDSA (27, 28) nor an eth_sign (31, 32) signature"
    )]
    UnknownV(u8),
    #[error("Safe {0} does not take eth_sign signatures")]
    NoEthSign(SafeVersion),
    #[error("no key made this signature: its r and s are not a point on the curve")]
    Unrecoverable,
}

/// A 65-byte r ‖ s ‖ v signature, s in the lower half, v as the Safe reads it.
///
/// Only [`EcdsaSignature::from_safe_bytes`] and [`EcdsaSignature::readings`] make one, and both recover the signer:
/// the signer is a fact about the bytes and the hash, never a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcdsaSignature {
    bytes: [u8; 65],
    signer: Address,
    kind: SignatureKind,
}

impl EcdsaSignature {
    /// Reads a signature as the Safe would: the kind is in v.
    /// Fails if v belongs to no ECDSA kind, the version does not take the kind, or no key made it.
    pub fn from_safe_bytes(
        bytes: &[u8],
        hash: &SafeTxHash,
        version: SafeVersion,
    ) -> Result<Self, SignatureError> {
        let bytes: [u8; 65] = bytes.try_into().map_err(|_| SignatureError::Length(bytes.len()))?;
        match bytes[64] {
            27 | 28 => recover(&bytes, bytes[64] - 27, hash, SignatureKind::Ecdsa),
            31 | 32 if version.takes_eth_sign() => {
                recover(&bytes, bytes[64] - 31, hash, SignatureKind::EthSign)
            }
            31 | 32 => Err(SignatureError::NoEthSign(version)),
            v => Err(SignatureError::UnknownV(v)),
        }
    }

    /// Every way a signature from another wallet can be meant: wallets write v as 0/1 or 27/28, older ones with the chain id in
    /// it (EIP-155: 37/38 and more), and `personal_sign` leaves v at 27/28 where the Safe wants 31/32. The caller keeps the reading whose signer is an owner.
    /// Fails if the length or v fits no wallet.
    pub fn readings(
        bytes: &[u8],
        hash: &SafeTxHash,
        version: SafeVersion,
    ) -> Result<Vec<Self>, SignatureError> {
        let bytes: [u8; 65] = bytes.try_into().map_err(|_| SignatureError::Length(bytes.len()))?;
        let (parity, kinds): (u8, &[SignatureKind]) = match bytes[64] {
            v @ (0 | 1) => (v, &[SignatureKind::Ecdsa, SignatureKind::EthSign]),
            v @ (27 | 28) => (v - 27, &[SignatureKind::Ecdsa, SignatureKind::EthSign]),
            v @ (31 | 32) => (v - 31, &[SignatureKind::EthSign]),
            v @ 35.. => ((v - 35) % 2, &[SignatureKind::Ecdsa]),
            v => return Err(SignatureError::UnknownV(v)),
        };
        Ok(kinds
            .iter()
            .filter(|kind| **kind == SignatureKind::Ecdsa || version.takes_eth_sign())
            .filter_map(|kind| recover(&bytes, parity, hash, *kind).ok())
            .collect())
    }

    /// Returns the address that was recovered from the signature and the hash.
    pub const fn signer(&self) -> Address {
        self.signer
    }

    pub const fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// Returns `r`, `s` and `v` as the contract takes them.
    pub const fn bytes(&self) -> &[u8; 65] {
        &self.bytes
    }
}

/// The digest that an ECDSA key signs for this kind.
pub fn signed_digest(hash: &SafeTxHash, kind: SignatureKind) -> B256 {
    match kind {
        SignatureKind::EthSign => eip191_hash_message(hash.word()),
        _ => *hash.word(),
    }
}

fn recover(
    bytes: &[u8; 65],
    parity: u8,
    hash: &SafeTxHash,
    kind: SignatureKind,
) -> Result<EcdsaSignature, SignatureError> {
    let raw =
        Signature::new(U256::from_be_slice(&bytes[..32]), U256::from_be_slice(&bytes[32..64]), parity == 1);
    let low = raw.normalize_s().unwrap_or(raw);
    let signer = low
        .recover_address_from_prehash(&signed_digest(hash, kind))
        .map_err(|_| SignatureError::Unrecoverable)?;
    let mut normal = low.as_bytes(); // v is 27 or 28 here
    if kind == SignatureKind::EthSign {
        normal[64] += 4;
    }
    Ok(EcdsaSignature { bytes: normal, signer, kind })
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;
    use proptest::prelude::*;

    use super::*;
    use crate::safe::tests::{address, safe_signature};

    fn sign(seed: u8, hash: &SafeTxHash, kind: SignatureKind) -> ([u8; 65], Address) {
        (safe_signature(seed, hash, kind), address(seed))
    }

    fn hash(byte: u8) -> SafeTxHash {
        SafeTxHash::claimed(B256::repeat_byte(byte))
    }

    #[test]
    fn another_hash_gives_another_signer() {
        let (bytes, owner) = sign(1, &hash(7), SignatureKind::Ecdsa);
        let read = |h| EcdsaSignature::from_safe_bytes(&bytes, &hash(h), SafeVersion::V1_4_1).unwrap();
        assert_eq!(read(7).signer(), owner);
        assert_ne!(read(8).signer(), owner);
    }

    #[test]
    fn a_wallets_personal_sign_is_found_among_the_readings() {
        let (mut bytes, owner) = sign(2, &hash(7), SignatureKind::EthSign);
        bytes[64] -= 4;
        let readings = EcdsaSignature::readings(&bytes, &hash(7), SafeVersion::V1_3_0).unwrap();
        let found = readings.iter().find(|r| r.signer() == owner).unwrap();
        assert_eq!((found.kind(), found.bytes()[64] >= 31), (SignatureKind::EthSign, true));
        let old = EcdsaSignature::readings(&bytes, &hash(7), SafeVersion::V1_0_0).unwrap();
        assert!(old.iter().all(|r| r.kind() == SignatureKind::Ecdsa), "1.0.0 has no eth_sign");
    }

    #[test]
    fn a_v_with_the_chain_in_it_is_read_up_to_the_highest() {
        let (mut bytes, owner) = sign(2, &hash(7), SignatureKind::Ecdsa);
        let parity = bytes[64] - 27;
        for v in [35 + parity, 37 + parity, 253 + parity] {
            bytes[64] = v;
            let readings = EcdsaSignature::readings(&bytes, &hash(7), SafeVersion::V1_3_0).unwrap();
            assert_eq!(readings.iter().map(EcdsaSignature::signer).collect::<Vec<_>>(), [owner], "v {v}");
        }
    }

    #[test]
    fn a_high_s_is_folded_to_its_twin_by_the_same_signer() {
        let (bytes, owner) = sign(3, &hash(7), SignatureKind::Ecdsa);
        let order =
            U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16);
        let s = order.unwrap() - U256::from_be_slice(&bytes[32..64]);
        let mut high = bytes;
        high[32..64].copy_from_slice(&s.to_be_bytes::<32>());
        high[64] = 55 - high[64];
        let read = EcdsaSignature::from_safe_bytes(&high, &hash(7), SafeVersion::V1_4_1).unwrap();
        assert_eq!((read.bytes(), read.signer()), (&bytes, owner));
    }

    #[test]
    fn refuses_what_no_safe_reads_as_ecdsa() {
        let read = |b: &[u8]| EcdsaSignature::from_safe_bytes(b, &hash(7), SafeVersion::V1_4_1);
        assert_eq!(read(&[0; 64]), Err(SignatureError::Length(64)));
        for v in [0, 1, 2, 26, 29, 30, 33, 255] {
            let mut bytes = [9; 65];
            bytes[64] = v;
            assert_eq!(read(&bytes), Err(SignatureError::UnknownV(v)));
        }
        let mut zero = [0; 65];
        zero[64] = 27;
        assert_eq!(read(&zero), Err(SignatureError::Unrecoverable));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = EcdsaSignature::readings(&bytes, &hash(1), SafeVersion::V1_5_0);
            let _ = EcdsaSignature::from_safe_bytes(&bytes, &hash(1), SafeVersion::V1_0_0);
        }
    }
}
