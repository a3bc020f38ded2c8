//! `SafeTx`: the struct that owners sign, and the call that carries it.

use std::str::FromStr;

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol;
use alloy::sol_types::SolCall;
use serde_with::{DeserializeFromStr, SerializeDisplay};

sol! {
    /// Safe, `execTransaction`: the same selector in every version known here.
    function execTransaction(
        address to,
        uint256 value,
        bytes data,
        uint8 operation,
        uint256 safeTxGas,
        uint256 baseGas,
        uint256 gasPrice,
        address gasToken,
        address refundReceiver,
        bytes signatures
    ) external payable returns (bool success);
}

/// The way in which the Safe runs `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, derive_more::Display)]
pub enum Operation {
    #[display("call")]
    Call,
    /// `to`'s code runs with the Safe's own storage: it can rewrite anything, its implementation included.
    #[display("delegatecall")]
    DelegateCall,
}

impl Operation {
    /// Returns the number that the contract takes: 0 for a call, 1 for a delegatecall.
    pub const fn as_u8(self) -> u8 {
        match self {
            Self::Call => 0,
            Self::DelegateCall => 1,
        }
    }

    /// The inverse of [`Operation::as_u8`]; nothing for a value that no Safe accepts.
    pub const fn from_u8(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Call),
            1 => Some(Self::DelegateCall),
            _ => None,
        }
    }
}

/// The Safe's own transaction counter; each number is used once.
#[must_use]
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    derive_more::Display,
    SerializeDisplay,
    DeserializeFromStr,
)]
pub struct Nonce(pub U256);

impl Nonce {
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The nonce that comes so many earlier; `None` below zero.
    pub fn minus(self, less: u64) -> Option<Self> {
        self.0.checked_sub(U256::from(less)).map(Self)
    }

    /// The nonce that comes so many later.
    pub fn plus(self, more: u64) -> Self {
        Self(self.0.saturating_add(U256::from(more)))
    }
}

impl From<u64> for Nonce {
    fn from(n: u64) -> Self {
        Self(U256::from(n))
    }
}

/// A text that is not a nonce: a decimal number of at most 256 bits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("nonce {0:?} is not a whole number below 2^256")]
pub struct BadNonce(String);

impl FromStr for Nonce {
    type Err = BadNonce;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        parse_uint(s).map(Self).ok_or_else(|| BadNonce(s.into()))
    }
}

/// A decimal or `0x` number; nothing for an empty text, a sign or an overflow.
pub fn parse_uint(s: &str) -> Option<U256> {
    let (digits, radix) = s.strip_prefix("0x").map_or((s, 10_u32), |hex| (hex, 16));
    (!digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
        .then(|| U256::from_str_radix(digits, u64::from(radix)).ok())
        .flatten()
}

/// A Safe transaction: the ten fields that are hashed and signed, amounts in wei.
///
/// Source: Safe contracts, `SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,
/// uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)`.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeTx {
    pub to: Address,
    pub value: U256,
    pub data: Bytes,
    pub operation: Operation,
    pub safe_tx_gas: U256,
    pub base_gas: U256,
    pub gas_price: U256,
    pub gas_token: Address,
    pub refund_receiver: Address,
    pub nonce: Nonce,
}

impl SafeTx {
    /// A transaction with no gas refund: the only sort this program builds.
    ///
    /// With safeTxGas and gasPrice zero, a Safe from 1.3.0 on reverts when the inner call fails and keeps the nonce.
    pub fn new(to: Address, value: U256, data: Bytes, operation: Operation, nonce: Nonce) -> Self {
        Self {
            to,
            value,
            data,
            operation,
            safe_tx_gas: U256::ZERO,
            base_gas: U256::ZERO,
            gas_price: U256::ZERO,
            gas_token: Address::ZERO,
            refund_receiver: Address::ZERO,
            nonce,
        }
    }

    /// The calldata of `execTransaction` with these encoded signatures.
    pub fn exec_calldata(&self, signatures: Bytes) -> Bytes {
        execTransactionCall {
            to: self.to,
            value: self.value,
            data: self.data.clone(),
            operation: self.operation.as_u8(),
            safeTxGas: self.safe_tx_gas,
            baseGas: self.base_gas,
            gasPrice: self.gas_price,
            gasToken: self.gas_token,
            refundReceiver: self.refund_receiver,
            signatures,
        }
        .abi_encode()
        .into()
    }
}

/// The transaction that a call of `execTransaction` carries, and its signatures; the calldata does not say the nonce.
/// `None` if it is another call.
pub fn decode_exec(calldata: &[u8], nonce: Nonce) -> Option<(SafeTx, Bytes)> {
    let call = execTransactionCall::abi_decode_validate(calldata).ok()?;
    let tx = SafeTx {
        to: call.to,
        value: call.value,
        data: call.data,
        operation: Operation::from_u8(call.operation)?,
        safe_tx_gas: call.safeTxGas,
        base_gas: call.baseGas,
        gas_price: call.gasPrice,
        gas_token: call.gasToken,
        refund_receiver: call.refundReceiver,
        nonce,
    };
    Some((tx, call.signatures))
}

/// One call that a Safe makes. The value is in wei.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub to: Address,
    pub value: U256,
    pub data: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_never_goes_below_zero() {
        assert_eq!(Nonce::from(5).minus(5), Some(Nonce::from(0)));
        assert_eq!(Nonce::from(5).minus(1), Some(Nonce::from(4)));
        assert_eq!(Nonce::from(5).minus(6), None);
    }
}
