//! Names for addresses on one chain: the reader's own, from the council file, and nobody else's.

use std::collections::BTreeMap;

use alloy::primitives::Address;

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
