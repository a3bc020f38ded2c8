//! A device's answers about its keys. Pure.

use alloy::primitives::Address;

use super::extended::ExtendedKey;
use super::path::DerivationPath;

/// One key of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAccount {
    pub path: DerivationPath,
    pub address: Address,
}

/// The device's answers about its keys, so that nothing is asked twice.
#[derive(Default)]
pub(super) struct Answered {
    pub(super) parents: Vec<(DerivationPath, ExtendedKey)>,
    pub(super) accounts: Vec<DeviceAccount>,
    /// Those of the accounts that were looked for.
    pub(super) held: Vec<DeviceAccount>,
    /// It gives no chain codes: every path is asked for by itself.
    pub(super) path_by_path: bool,
}

impl Answered {
    pub(super) fn address(&self, path: &DerivationPath) -> Option<Address> {
        self.accounts.iter().find(|known| known.path == *path).map(|known| known.address)
    }

    pub(super) fn parent(&self, path: &DerivationPath) -> Option<&ExtendedKey> {
        self.parents.iter().find(|(parent, _)| parent == path).map(|(_, key)| key)
    }
}
