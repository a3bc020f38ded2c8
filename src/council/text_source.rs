//! The text of a council file while it is read.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use alloy::primitives::Address;
use toml::Spanned;

use crate::excerpt::Fault;
use crate::safe::parse_address;

/// The text being read: makes faults that point into it.
pub(super) struct SourceText<'a> {
    pub(super) origin: &'a str,
    pub(super) text: &'a str,
}

impl SourceText<'_> {
    pub(super) fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault::at(self.origin, self.text, span, message)
    }

    pub(super) fn parse<T: FromStr<Err: Display>>(&self, value: &Spanned<String>) -> Result<T, Fault> {
        value.get_ref().parse().map_err(|e: T::Err| self.fault(value.span(), e.to_string()))
    }

    pub(super) fn address(&self, value: &Spanned<String>) -> Result<Address, Fault> {
        parse_address(value.get_ref()).map_err(|e| self.fault(value.span(), e.to_string()))
    }

    pub(super) fn name(&self, name: &Spanned<String>) -> Result<String, Fault> {
        let text = name.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if text.is_empty() || text.starts_with('-') || !text.chars().all(plain) {
            let message = format!("{text:?} is not a name: use letters, digits, - and _");
            return Err(self.fault(name.span(), message));
        }
        if text.starts_with("0x") || text.starts_with(|c: char| c.is_ascii_digit()) {
            let message = format!("{text:?} is not a name: it begins like a number or an address");
            return Err(self.fault(name.span(), message));
        }
        Ok(text.clone())
    }
}

/// That an entry names another that there is.
pub(super) fn known<T>(
    source: &SourceText,
    what: &str,
    name: &Spanned<String>,
    among: &BTreeMap<String, T>,
) -> Result<(), Fault> {
    if among.contains_key(name.get_ref()) {
        return Ok(());
    }
    let names = among.keys().cloned().collect::<Vec<_>>().join(", ");
    let names = if names.is_empty() { "none is described".into() } else { format!("known: {names}") };
    Err(source.fault(name.span(), format!("no {what} is called {:?}; {names}", name.get_ref())))
}
