//! A Safe's typed data as the full EIP-712 flow of the Ethereum app: definitions first, then the values. Pure.

use alloy::primitives::{Address, Bytes, U256};

use super::DeviceError;
use super::apdu::Apdu;
use super::path::DerivationPath;
use crate::safe::{Domain, SafeTx};

/// The most bytes that one field can have: two length bytes go before it.
const MOST_BYTES: usize = u16::MAX as usize;

/// Typed data that an owner is asked to sign, field by field, in the order of the contract's type string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedData {
    pub(super) domain: Vec<Field>,
    pub(super) primary: &'static str,
    pub(super) message: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) value: Value,
}

/// A value in range by its type: no integer is wider than its field says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Address(Address),
    Uint256(U256),
    Uint8(u8),
    Bytes(Bytes),
}

impl TypedData {
    /// Source: Safe contracts, `SafeTx(address to,uint256 value,bytes data,…)`; see [`crate::safe::message_hash`].
    pub fn safe_tx(signed_in: &Domain, tx: &SafeTx) -> Self {
        use Value::{Address, Bytes, Uint8, Uint256};
        let message = [
            ("to", Address(tx.to)),
            ("value", Uint256(tx.value)),
            ("data", Bytes(tx.data.clone())),
            ("operation", Uint8(tx.operation.as_u8())),
            ("safeTxGas", Uint256(tx.safe_tx_gas)),
            ("baseGas", Uint256(tx.base_gas)),
            ("gasPrice", Uint256(tx.gas_price)),
            ("gasToken", Address(tx.gas_token)),
            ("refundReceiver", Address(tx.refund_receiver)),
            ("nonce", Uint256(tx.nonce.0)),
        ];
        Self { domain: domain(signed_in), primary: "SafeTx", message: fields(message) }
    }

    /// An off-chain message of a Safe. Source: Safe contracts, `SafeMessage(bytes message)`.
    pub fn safe_message(signed_in: &Domain, message: &Bytes) -> Self {
        let message = [("message", Value::Bytes(message.clone()))];
        Self { domain: domain(signed_in), primary: "SafeMessage", message: fields(message) }
    }

    /// Every command of the flow in order: all definitions, the values of the domain, those of the message, the
    /// signature. 29 for a `SafeTx` with up to 253 bytes of data.
    /// Fails if a field is longer than the app's two length bytes can tell.
    pub fn commands(&self, path: &DerivationPath) -> Result<Vec<Apdu>, DeviceError> {
        let mut out = Vec::with_capacity(32);
        for (name, fields) in self.structs() {
            out.push(Apdu::define_struct(name));
            out.extend(fields.iter().map(Field::definition));
        }
        for (name, fields) in self.structs() {
            out.push(Apdu::enter_struct(name));
            for field in fields {
                let value = field.value.encode();
                out.extend(Apdu::field_value(&value).ok_or(DeviceError::FieldTooLong {
                    name: field.name,
                    length: value.len(),
                    most: MOST_BYTES,
                })?);
            }
        }
        out.push(Apdu::sign_fields(path));
        Ok(out)
    }

    fn structs(&self) -> [(&'static str, &[Field]); 2] {
        [("EIP712Domain", &self.domain), (self.primary, &self.message)]
    }
}

fn domain(signed_in: &Domain) -> Vec<Field> {
    let safe = signed_in.safe();
    let chain_id = ("chainId", Value::Uint256(U256::from(signed_in.chain_id())));
    let contract = ("verifyingContract", Value::Address(safe.address));
    if safe.version.domain_has_chain_id() { fields([chain_id, contract]) } else { fields([contract]) }
}

fn fields<const N: usize>(pairs: [(&'static str, Value); N]) -> Vec<Field> {
    pairs.into_iter().map(|(name, value)| Field { name, value }).collect()
}

impl Field {
    /// Type byte, size for an integer, then the length-prefixed name. 0x40 marks that a size follows.
    fn definition(&self) -> Apdu {
        let kind: &[u8] = match self.value {
            Value::Uint256(_) => &[0x42, 32],
            Value::Uint8(_) => &[0x42, 1],
            Value::Address(_) => &[0x03],
            Value::Bytes(_) => &[0x07],
        };
        let length = u8::try_from(self.name.len()).unwrap_or(u8::MAX); // names of ours, 17 at most
        Apdu::define_field([kind, &[length], self.name.as_bytes()].concat())
    }
}

impl Value {
    /// Integers are minimal, zero is one byte: all encodings sign alike, and this one has been recorded.
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Address(address) => address.to_vec(),
            Self::Uint256(U256::ZERO) => vec![0],
            Self::Uint256(number) => number.to_be_bytes_trimmed_vec(),
            Self::Uint8(number) => vec![*number],
            Self::Bytes(bytes) => bytes.to_vec(),
        }
    }
}
