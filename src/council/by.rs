//! The account that makes the calls of a lever: its Safe, or one key that may act at once.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use toml::Spanned;

use super::council_toml::WireLever;
use super::text_source::SourceText;
use super::{Safe, Signer};
use crate::excerpt::Fault;
use crate::near::hint;

/// The account that makes the calls of a lever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The lever's Safe, once enough owners have signed.
    Safe,
    /// One key, by a transaction of its own. The account stands where a Safe would, with the signer's name and address; the
    /// lever's Safe confirms the act afterwards, or takes it back.
    Key(Box<Safe>),
    /// The lever's Safe, by a module of it that takes one key's signature: OP's DeputyPauseModule.
    Module { deputy: Signer, module: Address },
}

impl By {
    /// Returns the name and the address of the one key; `None` if the Safe's owners act.
    pub fn deputy(&self) -> Option<(&str, Address)> {
        match self {
            Self::Safe => None,
            Self::Key(account) => Some((&account.name, account.address)),
            Self::Module { deputy, .. } => Some((&deputy.name, deputy.address)),
        }
    }
}

/// Reads who acts. `target` finds a contract of the Safe's chain by its name.
pub(super) fn read_by(
    source: &SourceText,
    wire: &WireLever,
    safe: &Safe,
    signers: &BTreeMap<String, Signer>,
    target: impl Fn(&str) -> Option<Address>,
) -> Result<By, Fault> {
    let Some(by) = &wire.by else {
        let stray = wire.deputy.as_ref().or(wire.module.as_ref());
        return match stray {
            Some(text) => Err(source.fault(text.span(), "this needs by = \"deputy\" beside it")),
            None => Ok(By::Safe),
        };
    };
    if by.get_ref() != "deputy" {
        let message =
            format!("{:?} cannot act: write by = \"deputy\", or leave it out for the Safe", by.get_ref());
        return Err(source.fault(by.span(), message));
    }
    let Some(name) = &wire.deputy else {
        let message = "by = \"deputy\" needs deputy = \"NAME\" beside it, a name of [signers]";
        return Err(source.fault(by.span(), message));
    };
    let Some(signer) = signers.get(name.get_ref()) else {
        let known = hint(name.get_ref(), signers.keys().map(String::as_str));
        return Err(source.fault(name.span(), format!("no signer is called {:?}; {known}", name.get_ref())));
    };
    let Some(module) = &wire.module else {
        return Ok(By::Key(Box::new(Safe::account(&signer.name, &safe.chain, signer.address))));
    };
    let address = match target(module.get_ref()) {
        Some(address) => address,
        None if module.get_ref().starts_with("0x") => source.address(module)?,
        None => {
            let message = format!("no target on the Safe's chain is called {:?}", module.get_ref());
            return Err(source.fault(module.span(), message));
        }
    };
    Ok(By::Module { deputy: signer.clone(), module: address })
}

/// The names in a combined lever's tables that are a deputy's: owners of a Safe cannot sign for them.
pub(super) fn is_of_a_deputy(wire: &BTreeMap<Spanned<String>, WireLever>, name: &str) -> bool {
    wire.iter().any(|(known, lever)| known.get_ref() == name && lever.by.is_some())
}
