//! Contracts that own a Safe: the question that the Safe asks them, and the message that the owners of a Safe sign to answer
//! it.
//!
//! Source: Safe contracts, `checkNSignatures` (v = 0) and `CompatibilityFallbackHandler`. A test measures every row of
//! [`SafeMessage::answering`] on the contracts of 1.3.0, 1.4.1 and 1.5.0.

use alloy::primitives::{Address, B256, Bytes, address};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};

use super::deployments::{Contract, Deployment, KNOWN, known_at};
use super::domain::Domain;
use super::hashes::Hashes;
use super::state::SafeState;
use super::version::SafeVersion;

mod by_bytes {
    super::sol! {
        /// EIP-1271 as it was first proposed: Safes up to 1.4.1 ask so.
        function isValidSignature(bytes data, bytes signature) external view returns (bytes4);
    }
}

mod by_hash {
    super::sol! {
        /// EIP-1271: Safes from 1.5.0 on ask so.
        function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4);
    }
}

/// The question of a Safe to a contract that is its owner: is this signature yours?
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// `isValidSignature(bytes,bytes)`, with the data whose hash is signed.
    Bytes(Bytes),
    /// `isValidSignature(bytes32,bytes)`, with the hash.
    Hash(B256),
}

impl Question {
    /// Returns the question of a Safe about one of its transactions.
    pub fn about(version: SafeVersion, hashes: &Hashes) -> Self {
        if version.asks_by_hash() {
            Self::Hash(*hashes.safe_tx.word())
        } else {
            Self::Bytes(hashes.pre_image())
        }
    }

    /// Returns the call that asks it.
    pub fn calldata(&self, signature: &Bytes) -> Bytes {
        let signature = signature.clone();
        match self {
            Self::Bytes(data) => {
                by_bytes::isValidSignatureCall { data: data.clone(), signature }.abi_encode().into()
            }
            Self::Hash(hash) => by_hash::isValidSignatureCall { hash: *hash, signature }.abi_encode().into(),
        }
    }

    /// Returns `true` if a call asks in this form, whatever about.
    pub fn is_asked(&self, calldata: &[u8]) -> bool {
        calldata.starts_with(&self.selector())
    }

    const fn selector(&self) -> [u8; 4] {
        match self {
            Self::Bytes(_) => by_bytes::isValidSignatureCall::SELECTOR,
            Self::Hash(_) => by_hash::isValidSignatureCall::SELECTOR,
        }
    }

    /// Returns `true` if this answer says yes: with the function's own selector.
    pub fn is_yes(&self, answer: &[u8]) -> bool {
        let yes = self.selector();
        // A bytes4 fills the beginning of a word. What a Safe makes of other bytes behind it depends on its compiler.
        answer.get(..32).is_some_and(|word| word[..4] == yes && word[4..].iter().all(|byte| *byte == 0))
    }
}

/// The contracts by which a Safe answers for its signatures: its singleton and its fallback handler, both published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answering {
    pub singleton: SafeVersion,
    pub handler: SafeVersion,
}

/// The handlers that verify signatures. Other published handlers do not, or follow other rules.
const VERIFYING: [(Address, SafeVersion); 4] = [
    (address!("f48f2B2d2a534e402487b3ee7C18c33Aec0Fe5e4"), SafeVersion::V1_3_0),
    (address!("017062a1dE2FE6b99BE3d9d37841FeD19F573804"), SafeVersion::V1_3_0),
    (address!("fd0732Dc9E303f09fCEf3a7388Ad10A83459Ec99"), SafeVersion::V1_4_1),
    (address!("3EfCBb83A4A7AfcB4F68D501E2c2203a38be77f4"), SafeVersion::V1_5_0),
];

impl Answering {
    /// Returns the pair of a Safe of this version with this handler. `None` if the handler is not one that verifies, or the
    /// version is below 1.3.0.
    pub fn new(singleton: SafeVersion, handler: Address) -> Option<Self> {
        let (_, handler) = VERIFYING.into_iter().find(|(known, _)| *known == handler)?;
        (singleton >= SafeVersion::V1_3_0).then_some(Self { singleton, handler })
    }

    /// Returns the pair of a Safe as the chain has it. `None` also if its singleton is not the published one of its version.
    pub fn of(state: &SafeState) -> Option<Self> {
        let is_singleton = known_at(state.singleton).is_some_and(|known| {
            matches!(known.contract, Contract::Singleton | Contract::SingletonL2)
                && known.version == state.id.version
        });
        is_singleton.then(|| Self::new(state.id.version, state.fallback_handler)).flatten()
    }

    /// Returns the pair that a Safe of this version has from its setup on: the handler of its own release.
    pub fn usual(version: SafeVersion) -> Option<Self> {
        Self::new(version, usual_handler(version)?)
    }
}

/// Returns the handler that a Safe of this version has from its setup on.
pub fn usual_handler(version: SafeVersion) -> Option<Address> {
    VERIFYING.into_iter().find(|(_, of)| *of == version).map(|(handler, _)| handler)
}

/// Returns the singleton that a Safe of this version has from its setup on; there is a second one, which answers alike.
pub fn usual_singleton(version: SafeVersion) -> Option<Address> {
    let is_usual = |known: &&Deployment| known.contract == Contract::Singleton && known.version == version;
    KNOWN.iter().find(is_usual).map(|known| known.address)
}

/// The message that the owners of a Safe sign so that it says yes to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeMessage {
    pub domain: Domain,
    /// The one field of `SafeMessage(bytes message)`: 66 bytes, or 32 where it was asked by a hash.
    pub message: Bytes,
    pub hashes: Hashes,
    /// The Safe's own question to a contract among its owners. `None` if such an owner cannot answer by a signature.
    pub asks: Option<Question>,
}

impl SafeMessage {
    /// `None` if a Safe with this singleton and handler cannot say yes, whoever signs: it has to call `approveHash`.
    pub fn answering(domain: &Domain, by: Answering, question: &Question) -> Option<Self> {
        use SafeVersion::{V1_3_0, V1_4_1, V1_5_0};
        let message = match (by.handler, question) {
            // Its handler has no `isValidSignature(bytes,bytes)`.
            (V1_5_0, Question::Bytes(_)) => return None,
            // Its handler asks the Safe for a function that singletons before 1.5.0 do not have.
            (V1_5_0, Question::Hash(_)) if by.singleton < V1_5_0 => return None,
            (_, Question::Bytes(data)) => data.clone(),
            (_, Question::Hash(hash)) => hash.abi_encode().into(),
        };
        let hashes = domain.message_hashes(&message);
        let asks = match (by.singleton, by.handler) {
            (V1_5_0, _) => Some(Question::Hash(*hashes.safe_tx.word())),
            // This handler hands down what it was asked, and 1.4.1 demands the data of the hash: GS027.
            (V1_4_1, V1_3_0) => None,
            (_, V1_3_0) => Some(Question::Bytes(message.clone())),
            _ => Some(Question::Bytes(hashes.pre_image())),
        };
        Some(Self { domain: *domain, message, hashes, asks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safe::SafeId;

    #[test]
    fn a_question_by_bytes_is_not_one_by_hash() {
        let (bytes, hash) = (Question::Bytes(Bytes::from(vec![1])), Question::Hash(B256::ZERO));
        for (one, other) in [(&bytes, &hash), (&hash, &bytes)] {
            let asked = one.calldata(&Bytes::new());
            assert!(one.is_asked(&asked) && !other.is_asked(&asked), "{one:?}");
            assert!(!one.is_asked(&asked[..3]));
        }
    }

    #[test]
    fn the_verifying_handlers_are_published_ones() {
        for (address, version) in VERIFYING {
            let known = known_at(address).unwrap();
            assert_eq!((known.contract, known.version), (Contract::FallbackHandler, version));
        }
        // Three published handlers verify nothing in this way: one of 1.1.1 and two of 1.5.0.
        let published = KNOWN.iter().filter(|known| known.contract == Contract::FallbackHandler);
        assert_eq!(published.count(), VERIFYING.len() + 3);
        for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
            assert_eq!(Answering::usual(version).unwrap().handler, version);
        }
        assert_eq!(Answering::usual(SafeVersion::V1_1_1), None);
        assert_eq!(Answering::new(SafeVersion::V1_2_0, VERIFYING[0].0), None);
    }

    #[test]
    fn a_parent_asks_by_the_pre_image_up_to_1_4_1_and_by_the_hash_from_1_5_0_on() {
        let safe = |version| SafeId { chain_id: 1, address: Address::repeat_byte(5), version };
        for version in SafeVersion::ALL {
            let hashes = safe(version).message_hashes(&[1].into());
            let question = Question::about(version, &hashes);
            match &question {
                Question::Bytes(data) => assert!(data.len() == 66 && version < SafeVersion::V1_5_0),
                Question::Hash(hash) => {
                    assert!(hash == hashes.safe_tx.word() && version == SafeVersion::V1_5_0);
                }
            }
            let mut yes = [0; 32];
            yes[..4].copy_from_slice(&question.calldata(&Bytes::new())[..4]);
            assert!(question.is_yes(&yes));
            for wrong in [&yes[..31], &[0; 32], &[0xff; 32], &[]] {
                assert!(!question.is_yes(wrong), "{wrong:?}");
            }
            yes[31] = 1;
            assert!(!question.is_yes(&yes), "no such word is relied upon");
        }
    }
    /// Code that nobody published may answer anything.
    #[test]
    fn only_the_published_singleton_of_its_version_answers_as_known() {
        use crate::safe::{Nonce, Owners, SafeState};
        let of = |singleton: Address| {
            let version = SafeVersion::V1_4_1;
            Answering::of(&SafeState {
                singleton,
                fallback_handler: usual_handler(version).unwrap(),
                ..SafeState::bare(
                    SafeId { chain_id: 1, address: Address::repeat_byte(5), version },
                    Owners::new(vec![Address::repeat_byte(1)], 1).unwrap(),
                    Nonce::from(0),
                )
            })
        };
        assert!(of(usual_singleton(SafeVersion::V1_4_1).unwrap()).is_some());
        assert_eq!(of(usual_singleton(SafeVersion::V1_3_0).unwrap()), None, "of another version");
        assert_eq!(of(usual_handler(SafeVersion::V1_4_1).unwrap()), None, "no singleton at all");
        assert_eq!(of(Address::repeat_byte(6)), None);
    }
}
