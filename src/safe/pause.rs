//! The message by which one key, the deputy, makes a Safe pause a chain: OP's DeputyPauseModule in its two versions.
//!
//! Source: ethereum-optimism/optimism, `packages/contracts-bedrock/src/safe/DeputyPauseModule.sol`. Whoever has the
//! signature can send it, once; nobody confirms it on chain afterwards.

use std::fmt;

use alloy::primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use k256::ecdsa::SigningKey;

use super::hashes::{DomainHash, Hashes, MessageHash};
use super::signature::{EcdsaSignature, SignatureError};
use super::version::SafeVersion;

sol! {
    /// The questions that the module answers in both versions, and those of one of them.
    interface IDeputyPauseModule {
        function version() external view returns (string);
        function deputy() external view returns (address);
        function usedNonces(bytes32 nonce) external view returns (bool);
        function foundationSafe() external view returns (address);
        function guardianSafe() external view returns (address);
        function superchainConfig() external view returns (address);
        function deputyGuardianModule() external view returns (address);
    }

    /// A Safe, as far as its modules go.
    interface IModules {
        function isModuleEnabled(address module) external view returns (bool);
    }

    /// `SuperchainConfig` in its two versions.
    interface Paused {
        function pause(string identifier) external;
    }

    interface PausedOne {
        function pause(address identifier) external;
    }

    /// The module of the Guardian Safe that the first version calls.
    interface IDeputyGuardianModule {
        function safe() external view returns (address);
    }

    interface First {
        function pause(bytes32 nonce, bytes signature) external;
    }

    interface Second {
        function pause(bytes32 nonce, address identifier, bytes signature) external;
    }
}

/// The two forms of the message. The first was for all chains at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseForm {
    First,
    Second {
        /// The chain that is paused; the zero address for all.
        identifier: Address,
    },
}

/// The key of rehearsals before the deputy has signed.
const STAND_IN: [u8; 32] = [1; 32];

/// One message of a deputy: it can be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    pub chain_id: u64,
    pub module: Address,
    pub nonce: B256,
    pub form: PauseForm,
}

impl PauseForm {
    /// Returns the form of the message that makes a Safe do this call; `None` if no module makes it.
    pub fn of_call(data: &[u8]) -> Option<Self> {
        match data.get(..4)?.try_into().ok()? {
            Paused::pauseCall::SELECTOR => Some(Self::First),
            PausedOne::pauseCall::SELECTOR => {
                let call = PausedOne::pauseCall::abi_decode_validate(data).ok()?;
                Some(Self::Second { identifier: call.identifier })
            }
            _ => None,
        }
    }

    /// Returns `true` if a module of this version takes the form.
    pub fn is_of_version(self, version: &str) -> bool {
        version.starts_with(match self {
            Self::First => "1.",
            Self::Second { .. } => "2.",
        })
    }
}

impl Pause {
    /// The EIP-712 hashes, which a Ledger shows; the last is the one that is signed.
    pub fn hashes(&self) -> Hashes {
        Hashes::new(self.domain_hash(), self.message_hash())
    }

    fn domain_hash(&self) -> DomainHash {
        let fields = (
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256("DeputyPauseModule"),
            keccak256("1"),
            U256::from(self.chain_id),
            self.module,
        );
        DomainHash::claimed(keccak256(fields.abi_encode()))
    }

    fn message_hash(&self) -> MessageHash {
        let encoded = match self.form {
            PauseForm::First => (keccak256("PauseMessage(bytes32 nonce)"), self.nonce).abi_encode(),
            PauseForm::Second { identifier } => {
                let type_hash = keccak256("PauseMessage(bytes32 nonce,address identifier)");
                (type_hash, self.nonce, identifier).abi_encode()
            }
        };
        MessageHash::claimed(keccak256(encoded))
    }

    /// Returns the call to the module, with the deputy's signature.
    pub fn calldata(&self, signature: &PauseSignature) -> Bytes {
        let (nonce, signature) = (self.nonce, Bytes::copy_from_slice(&signature.0));
        match self.form {
            PauseForm::First => First::pauseCall { nonce, signature }.abi_encode().into(),
            PauseForm::Second { identifier } => {
                Second::pauseCall { nonce, identifier, signature }.abi_encode().into()
            }
        }
    }
}

/// A deputy's signature: r ‖ s ‖ v with s in the lower half and v 27 or 28, as the module takes it. Whoever has it can use it.
#[derive(Clone, PartialEq, Eq)]
pub struct PauseSignature([u8; 65]);

impl fmt::Debug for PauseSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PauseSignature(…)")
    }
}

/// The reason that a signature is not the deputy's for this pause.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PauseSignatureError {
    #[error(transparent)]
    Unreadable(#[from] SignatureError),
    #[error("it was made by {signer}, and the deputy is {deputy}")]
    NotTheDeputys { signer: Address, deputy: Address },
}

impl PauseSignature {
    /// Reads a signature that this deputy made of this pause.
    pub fn of_deputy(pause: &Pause, deputy: Address, bytes: &[u8]) -> Result<Self, PauseSignatureError> {
        // Read as a Safe reads an ECDSA signature; eth_sign, which the module does not know, is of no key then.
        let signature = EcdsaSignature::from_safe_bytes(bytes, &pause.hashes().safe_tx, SafeVersion::V1_0_0)?;
        let signer = signature.signer();
        if signer != deputy {
            return Err(PauseSignatureError::NotTheDeputys { signer, deputy });
        }
        Ok(Self(*signature.bytes()))
    }

    /// Returns the signature of a key that everybody knows, with its address: for a rehearsal in which that key is taken for
    /// the deputy's. It is worth nothing anywhere else. `None` if it cannot be made.
    pub fn rehearsal_signature(pause: &Pause) -> Option<(Address, Self)> {
        let key = SigningKey::from_slice(&STAND_IN).ok()?;
        let address = Address::from_public_key(key.verifying_key());
        let (signature, parity) =
            key.sign_prehash_recoverable(pause.hashes().safe_tx.word().as_slice()).ok()?;
        let bytes = Signature::from_signature_and_parity(signature, parity.is_y_odd()).as_bytes();
        Some((address, Self::of_deputy(pause, address, &bytes).ok()?))
    }

    /// The bytes, for the file that was asked for.
    pub const fn bytes(&self) -> &[u8; 65] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use alloy::hex;
    use alloy::primitives::{address, b256};
    use alloy::sol_types::{Eip712Domain, SolStruct};

    use super::*;

    mod reference {
        pub mod first {
            alloy::sol! { struct PauseMessage { bytes32 nonce; } }
        }
        pub mod second {
            alloy::sol! { struct PauseMessage { bytes32 nonce; address identifier; } }
        }
    }

    const NONCE: B256 = b256!("1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014");
    /// Optimism's module on mainnet, and its `SuperchainConfig`, which stands for a chain here.
    const MODULE: Address = address!("76fC2F971FB355D0453cF9F64d3F9E4f640E1754");
    const IDENTIFIER: Address = address!("95703e0982140D16f8ebA6d158FccEde42f04a4C");

    fn both() -> [Pause; 2] {
        let of = |form| Pause { chain_id: 1, module: MODULE, nonce: NONCE, form };
        [of(PauseForm::First), of(PauseForm::Second { identifier: IDENTIFIER })]
    }

    /// The type hashes and selectors of DeputyPauseModule.sol 1.0.1 and 2.1.0.
    #[test]
    fn types_and_selectors_are_the_modules() {
        assert_eq!(
            keccak256("PauseMessage(bytes32 nonce)"),
            b256!("d64f31a1d64c5b7eede44a92f46995fef9325cb2533a7798a738932f156c4481")
        );
        assert_eq!(
            keccak256("PauseMessage(bytes32 nonce,address identifier)"),
            b256!("0ad9a3778ba0f89045b0ba6e23129cdbd178a22b085d85b5dd8a48c8af831b54")
        );
        let [first, second] = both().map(|pause| hex::encode(&pause.calldata(&PauseSignature([7; 65]))[..4]));
        assert_eq!([first.as_str(), second.as_str()], ["890777d9", "142b53c9"]);
        let views: [([u8; 4], &str); 6] = [
            (IDeputyPauseModule::deputyCall::SELECTOR, "f1c9eed7"),
            (IDeputyPauseModule::usedNoncesCall::SELECTOR, "feb61724"),
            (IDeputyPauseModule::guardianSafeCall::SELECTOR, "9d786a02"),
            (IDeputyPauseModule::foundationSafeCall::SELECTOR, "8851bfbd"),
            (IDeputyPauseModule::superchainConfigCall::SELECTOR, "35e80ab3"),
            (IDeputyPauseModule::deputyGuardianModuleCall::SELECTOR, "6283fd22"),
        ];
        for (selector, expected) in views {
            assert_eq!(hex::encode(selector), expected);
        }
    }

    #[test]
    fn both_forms_agree_with_alloys_eip712() {
        let domain = Eip712Domain {
            name: Some("DeputyPauseModule".into()),
            version: Some("1".into()),
            chain_id: Some(U256::from(1)),
            verifying_contract: Some(MODULE),
            salt: None,
        };
        let [first, second] = both().map(|pause| *pause.hashes().safe_tx.word());
        let message = reference::first::PauseMessage { nonce: NONCE };
        assert_eq!(first, message.eip712_signing_hash(&domain));
        let message = reference::second::PauseMessage { nonce: NONCE, identifier: IDENTIFIER };
        assert_eq!(second, message.eip712_signing_hash(&domain));
    }

    #[test]
    fn the_form_is_the_calls_and_each_version_takes_one() {
        let all = hex!("6da66355");
        assert_eq!(PauseForm::of_call(&all), Some(PauseForm::First));
        let one = PausedOne::pauseCall { identifier: IDENTIFIER }.abi_encode();
        let second = PauseForm::Second { identifier: IDENTIFIER };
        assert_eq!(PauseForm::of_call(&one), Some(second));
        assert_eq!(PauseForm::of_call(&one[..30]), None);
        assert_eq!(PauseForm::of_call(&hex!("8456cb59")), None);
        for (version, first, other) in [
            ("1.0.0-beta.2", true, false),
            ("1.0.1", true, false),
            ("2.1.0", false, true),
            ("3.0.0", false, false),
        ] {
            let taken = (PauseForm::First.is_of_version(version), second.is_of_version(version));
            assert_eq!(taken, (first, other), "{version}");
        }
    }

    #[test]
    fn a_signature_is_the_deputys_own_and_of_this_pause() {
        let [first, second] = both();
        let (stand_in, signature) = PauseSignature::rehearsal_signature(&second).unwrap();
        assert_eq!(PauseSignature::of_deputy(&second, stand_in, signature.bytes()), Ok(signature.clone()));
        let error = PauseSignature::of_deputy(&first, stand_in, signature.bytes()).unwrap_err();
        assert!(matches!(error, PauseSignatureError::NotTheDeputys { deputy, .. } if deputy == stand_in));
        assert!(PauseSignature::of_deputy(&second, IDENTIFIER, signature.bytes()).is_err());
        // With s in the upper half, which the module refuses.
        let mut high = *signature.bytes();
        let order: U256 =
            "115792089237316195423570985008687907852837564279074904382605163141518161494337".parse().unwrap();
        let s = order - U256::from_be_slice(&high[32..64]);
        high[32..64].copy_from_slice(&s.to_be_bytes::<32>());
        high[64] = 55 - high[64];
        let read = PauseSignature::of_deputy(&second, stand_in, &high).unwrap();
        assert_eq!(read, signature, "it is written as the module takes it");
    }

    /// A signature for one chain, module, nonce or identifier is none for another.
    #[test]
    fn everything_that_it_is_about_is_in_the_hash() {
        let [first, second] = both();
        let other = address!("C10dAc07d477215A1ebeBaE1dd0221c1F5d241D2");
        let all = [
            first,
            second,
            Pause { chain_id: 10, ..second },
            Pause { module: other, ..second },
            Pause { nonce: B256::ZERO, ..second },
            Pause { form: PauseForm::Second { identifier: Address::ZERO }, ..second },
        ];
        let mut hashes: Vec<B256> = all.iter().map(|pause| *pause.hashes().safe_tx.word()).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), all.len());
    }
}
