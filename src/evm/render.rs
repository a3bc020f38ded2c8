//! Values and addresses as text for people. Names are the reader's own, from the council file, and nobody else's.

use std::collections::BTreeMap;

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::{Address, hex};

/// Bytes for a message: whole up to a word, otherwise the first word and the length.
pub fn shortened(data: &[u8]) -> String {
    match data.get(..32) {
        Some(head) if data.len() > 32 => format!("0x{}… ({} bytes)", hex::encode(head), data.len()),
        _ => hex::encode_prefixed(data),
    }
}

/// A value as text: addresses whole and checksummed, with the reader's own name for them if there is one.
pub fn render(value: &DynSolValue, names: Option<&AddressBook>) -> String {
    let list =
        |items: &[DynSolValue]| items.iter().map(|item| render(item, names)).collect::<Vec<_>>().join(", ");
    match value {
        DynSolValue::Bool(b) => b.to_string(),
        DynSolValue::Uint(n, _) => n.to_string(),
        DynSolValue::Int(n, _) => n.to_string(),
        DynSolValue::Address(a) => match names.and_then(|n| n.name(*a)) {
            Some(name) => format!("{a} ({name})"),
            None => a.to_string(),
        },
        DynSolValue::FixedBytes(word, n) => hex::encode_prefixed(word.get(..*n).unwrap_or(word.as_slice())),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::Function(f) => hex::encode_prefixed(f),
        DynSolValue::String(s) => format!("{s:?}"),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) => format!("[{}]", list(items)),
        DynSolValue::Tuple(items) | DynSolValue::CustomStruct { tuple: items, .. } => {
            format!("({})", list(items))
        }
    }
}

/// Returns the name of an address in a sentence: the reader's own name, else the whole address.
pub fn called(address: Address, names: &AddressBook) -> String {
    names.name(address).map_or_else(|| address.to_string(), str::to_string)
}

/// Name → address on one chain: targets, signers and Safes of the council file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressBook(BTreeMap<String, Address>);

impl AddressBook {
    pub fn address(&self, name: &str) -> Option<Address> {
        self.0.get(name).copied()
    }

    /// The name of an address; the first in alphabetical order if it has several.
    pub fn name(&self, address: Address) -> Option<&str> {
        self.0.iter().find(|(_, a)| **a == address).map(|(name, _)| name.as_str())
    }

    /// Returns the name and the address, or the address alone.
    pub fn with_address(&self, address: Address) -> String {
        self.name(address).map_or_else(|| address.to_string(), |name| format!("{name} {address}"))
    }

    /// Returns the name, or the first and last digits of the address.
    pub fn name_or_digits(&self, address: Address) -> String {
        self.name(address).map_or_else(|| abbreviated(&address), String::from)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, Address)> for AddressBook {
    fn from_iter<T: IntoIterator<Item = (String, Address)>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// Returns the first and last digits of an address or a hash: `0x7099…79C8`.
pub fn abbreviated(digits: &(impl ToString + ?Sized)) -> String {
    let digits = digits.to_string();
    match (digits.get(..6), digits.get(digits.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) => format!("{first}…{last}"),
        _ => digits,
    }
}
