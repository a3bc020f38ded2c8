//! The three hashes of a Safe transaction. A hash is a type of its own and never a bare 32-byte word.

use std::str::FromStr;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::SolValue;

use super::tx::SafeTx;
use super::version::SafeVersion;

/// A text that is not a hash of 32 bytes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not a {what}: expected 0x and 64 hexadecimal digits")]
pub struct BadHash {
    what: &'static str,
    text: String,
}

impl BadHash {
    pub(crate) fn new(what: &'static str, text: &str) -> Self {
        Self { what, text: text.into() }
    }
}

/// A 32-byte word with a meaning of its own: its name and, for messages, what it is.
macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::derive_more::Display,
            ::serde_with::SerializeDisplay, ::serde_with::DeserializeFromStr,
        )]
        pub struct $name(::alloy::primitives::B256);

        impl $name {
            /// A hash that somebody else states: equal to ours, or wrong.
            pub const fn claimed(word: ::alloy::primitives::B256) -> Self {
                Self(word)
            }

            pub const fn word(&self) -> &::alloy::primitives::B256 {
                &self.0
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::safe::BadHash;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.strip_prefix("0x")
                    .and_then(|hex| hex.parse().ok())
                    .map(Self)
                    .ok_or_else(|| $crate::safe::BadHash::new($what, s))
            }
        }
    };
}
pub(crate) use hash_type;

hash_type!(
    /// keccak256 of the EIP-712 domain: which Safe on which chain. A Ledger shows it as "Domain hash".
    DomainHash, "domain hash"
);
hash_type!(
    /// keccak256 of the EIP-712 struct: what the transaction does. A Ledger shows it as "Message hash".
    MessageHash, "message hash"
);
hash_type!(
    /// keccak256(0x1901 ‖ domain hash ‖ message hash): what owners sign, and the name of a proposal.
    SafeTxHash, "safeTxHash"
);

/// The three hashes of one transaction, always computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    pub domain: DomainHash,
    pub message: MessageHash,
    pub safe_tx: SafeTxHash,
}

impl Hashes {
    pub(super) fn new(domain: DomainHash, message: MessageHash) -> Self {
        let mut hashes = Self { domain, message, safe_tx: SafeTxHash(B256::ZERO) };
        hashes.safe_tx = SafeTxHash(keccak256(hashes.pre_image()));
        hashes
    }

    /// The 66 bytes whose hash is signed: 0x1901 ‖ domain hash ‖ message hash.
    pub fn pre_image(&self) -> Bytes {
        [&[0x19, 0x01], self.domain.0.as_slice(), self.message.0.as_slice()].concat().into()
    }
}

/// Which Safe: all that enters the domain hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SafeId {
    pub chain_id: u64,
    pub address: Address,
    pub version: SafeVersion,
}

impl SafeId {
    /// The EIP-712 domain hash; without the chain id for Safes below 1.3.0.
    pub fn domain_hash(&self) -> DomainHash {
        let encoded = if self.version.domain_has_chain_id() {
            let type_hash = keccak256("EIP712Domain(uint256 chainId,address verifyingContract)");
            (type_hash, U256::from(self.chain_id), self.address).abi_encode()
        } else {
            let type_hash = keccak256("EIP712Domain(address verifyingContract)");
            (type_hash, self.address).abi_encode()
        };
        DomainHash(keccak256(encoded))
    }

    /// Returns the hashes of a transaction in this domain.
    pub fn hashes(&self, tx: &SafeTx) -> Hashes {
        Hashes::new(self.domain_hash(), message_hash(tx))
    }

    /// The three hashes of an off-chain message: as for a transaction, with another struct. Source: Safe contracts,
    /// `SafeMessage(bytes message)`.
    pub fn message_hashes(&self, message: &Bytes) -> Hashes {
        let fields = (keccak256("SafeMessage(bytes message)"), keccak256(message));
        Hashes::new(self.domain_hash(), MessageHash(keccak256(fields.abi_encode())))
    }
}

/// The EIP-712 struct hash. `baseGas` is called so in every version known here.
pub fn message_hash(tx: &SafeTx) -> MessageHash {
    let type_hash = keccak256(
        "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,\
         uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)",
    );
    let fields = (
        type_hash,
        tx.to,
        tx.value,
        keccak256(&tx.data),
        U256::from(tx.operation.as_u8()),
        tx.safe_tx_gas,
        tx.base_gas,
        tx.gas_price,
        tx.gas_token,
        tx.refund_receiver,
        tx.nonce.0,
    );
    MessageHash(keccak256(fields.abi_encode()))
}

/// The fewest digits that name a hash: nobody makes another one with as many in common.
const FEWEST: usize = 16;

/// The first digits of a safeTxHash, in lower case and without `0x`.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub struct HashDigits(String);

impl HashDigits {
    pub fn names(&self, hash: SafeTxHash) -> bool {
        hash.to_string().trim_start_matches("0x").starts_with(&self.0)
    }
}

impl FromStr for HashDigits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && (FEWEST..=64).contains(&digits.len()) {
            return Ok(Self(digits));
        }
        Err(format!("{text:?} is not at least {FEWEST} digits of a safeTxHash"))
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, address, b256};
    use alloy::sol_types::{Eip712Domain, SolStruct};
    use proptest::prelude::*;

    use super::*;
    use crate::safe::{Nonce, Operation};

    mod reference {
        alloy::sol! {
            struct SafeTx {
                address to; uint256 value; bytes data; uint8 operation; uint256 safeTxGas; uint256 baseGas;
                uint256 gasPrice; address gasToken; address refundReceiver; uint256 nonce;
            }
        }
    }

    /// alloy's own EIP-712, as an independent second opinion.
    fn reference_hash(safe: &SafeId, tx: &SafeTx) -> alloy::primitives::B256 {
        let chain_id = safe.version.domain_has_chain_id().then(|| U256::from(safe.chain_id));
        let domain = Eip712Domain { chain_id, verifying_contract: Some(safe.address), ..Default::default() };
        reference::SafeTx {
            to: tx.to,
            value: tx.value,
            data: tx.data.clone(),
            operation: tx.operation.as_u8(),
            safeTxGas: tx.safe_tx_gas,
            baseGas: tx.base_gas,
            gasPrice: tx.gas_price,
            gasToken: tx.gas_token,
            refundReceiver: tx.refund_receiver,
            nonce: tx.nonce.0,
        }
        .eip712_signing_hash(&domain)
    }

    fn any_word() -> impl Strategy<Value = U256> {
        prop_oneof![Just(U256::ZERO), Just(U256::MAX), any::<[u8; 32]>().prop_map(U256::from_be_bytes)]
    }

    fn any_address() -> impl Strategy<Value = Address> {
        prop_oneof![Just(Address::ZERO), any::<[u8; 20]>().prop_map(Address::from)]
    }

    prop_compose! {
        fn any_tx()(
            to in any_address(), value in any_word(),
            data in proptest::collection::vec(any::<u8>(), 0..600), delegate in any::<bool>(),
            gas in [any_word(), any_word(), any_word()], gas_token in any_address(),
            refund_receiver in any_address(), nonce in any_word(),
        ) -> SafeTx {
            let operation = if delegate { Operation::DelegateCall } else { Operation::Call };
            let [safe_tx_gas, base_gas, gas_price] = gas;
            SafeTx { to, value, data: data.into(), operation, safe_tx_gas, base_gas, gas_price, gas_token,
                refund_receiver, nonce: Nonce(nonce) }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_alloys_eip712(
            tx in any_tx(), chain_id in any::<u64>(), address in any_address(), v in 0usize..6,
        ) {
            let safe = SafeId { chain_id, address, version: SafeVersion::ALL[v] };
            prop_assert_eq!(*safe.hashes(&tx).safe_tx.word(), reference_hash(&safe, &tx));
        }
    }

    /// A delegatecall and a call never share a hash: Bybit's signers could not see the difference.
    #[test]
    fn the_operation_changes_the_hash() {
        let safe = SafeId {
            chain_id: 1,
            address: address!("1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"),
            version: SafeVersion::V1_1_1,
        };
        let call = SafeTx::new(safe.address, U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(71));
        let delegate = SafeTx { operation: Operation::DelegateCall, ..call.clone() };
        assert_ne!(safe.hashes(&call).safe_tx, safe.hashes(&delegate).safe_tx);
        assert_eq!(safe.hashes(&call).domain, safe.hashes(&delegate).domain);
    }

    /// Type hashes as the contracts state them: Safe.sol, `DOMAIN_SEPARATOR_TYPEHASH` and `SAFE_TX_TYPEHASH`.
    #[test]
    fn type_hashes_are_the_contracts() {
        let starts = |text: &str, head: &str| keccak256(text).to_string().starts_with(head);
        assert!(starts("EIP712Domain(address verifyingContract)", "0x035aff83"));
        assert!(starts("EIP712Domain(uint256 chainId,address verifyingContract)", "0x47e79534"));
        assert!("0x12".parse::<SafeTxHash>().is_err());
        let zero = b256!("0000000000000000000000000000000000000000000000000000000000000000");
        assert_eq!(SafeTxHash::claimed(zero).to_string().parse(), Ok(SafeTxHash::claimed(zero)));
    }

    #[test]
    fn sixteen_digits_and_no_fewer_name_a_hash() {
        let hash = SafeTxHash::claimed(B256::repeat_byte(0xab));
        let digits = |text: &str| text.parse::<HashDigits>();
        assert!(digits("0xABABABABABABABAB").unwrap().names(hash));
        assert!(digits(&hash.to_string()).unwrap().names(hash));
        assert!(!digits("abababababababac").unwrap().names(hash));
        for bad in ["", "0x", "ababababababaGab", "abababababababa", &"a".repeat(65)] {
            assert!(digits(bad).is_err(), "{bad}");
        }
    }
}
