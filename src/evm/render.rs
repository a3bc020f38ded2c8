//! Values as text for people.

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::{Address, hex};

use super::names::AddressBook;

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
