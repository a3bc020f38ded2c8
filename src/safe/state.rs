//! What a Safe is at one block: everything that decides whether a transaction can run and who controls the Safe.

use std::fmt;

use alloy::primitives::{Address, B256, U256, b256, keccak256};
use alloy::sol_types::SolValue;

use super::hash::{SafeId, SafeTxHash};
use super::owners::{Owners, SENTINEL};
use super::tx::Nonce;

/// The most enabled modules of a Safe that this program reads: more than anybody reviews.
pub const MOST_MODULES: usize = 200;

/// Storage slots of a Safe. Source: Safe contracts, storage layout 1.0.0 – 1.5.0.
pub mod slot {
    use super::{B256, b256};

    pub const SINGLETON: u8 = 0;
    pub const MODULES: u8 = 1;
    pub const OWNERS: u8 = 2;
    pub const OWNER_COUNT: u8 = 3;
    pub const THRESHOLD: u8 = 4;
    pub const NONCE: u8 = 5;
    /// The mapping owner → hash → 1.
    pub const APPROVED_HASHES: u8 = 8;
    /// keccak256("guard_manager.guard.address")
    pub const GUARD: B256 = b256!("4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8");
    /// keccak256("module_manager.module_guard.address"), from 1.5.0 on
    pub const MODULE_GUARD: B256 = b256!("b104e0b93118902c651344349b610029d694cfdec91c589c91ebafbcd0289947");
    /// keccak256("fallback_manager.handler.address")
    pub const FALLBACK_HANDLER: B256 =
        b256!("6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5");
}

/// A slot number as the word that `eth_getStorageAt` takes.
#[must_use]
pub fn slot_word(slot: u8) -> B256 {
    B256::with_last_byte(slot)
}

/// Where `approvedHashes[owner][hash]` lies.
#[must_use]
pub fn approved_hash_slot(owner: Address, hash: &SafeTxHash) -> B256 {
    let outer = keccak256((owner, U256::from(slot::APPROVED_HASHES)).abi_encode());
    keccak256((*hash.word(), outer).abi_encode())
}

/// Where a Safe's list of owners has the entry after `owner`.
#[must_use]
pub fn owner_slot(owner: Address) -> B256 {
    keccak256((owner, U256::from(slot::OWNERS)).abi_encode())
}

/// Where a Safe's list of modules has the entry after `module`.
#[must_use]
pub fn module_slot(module: Address) -> B256 {
    keccak256((module, U256::from(slot::MODULES)).abi_encode())
}

/// A Safe at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeState {
    pub id: SafeId,
    pub owners: Owners,
    /// The next nonce the Safe takes.
    pub nonce: Nonce,
    /// The implementation that the proxy delegates to.
    pub singleton: Address,
    pub guard: Address,
    pub module_guard: Address,
    pub fallback_handler: Address,
    /// Enabled modules: each can act for the Safe without any owner.
    pub modules: Vec<Address>,
}

/// One of the things that a [`SafeState`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafeField {
    Chain,
    Address,
    Version,
    Owners,
    Threshold,
    Singleton,
    Guard,
    ModuleGuard,
    FallbackHandler,
    Modules,
}

impl SafeField {
    /// Returns `true` if a Safe in which it differs is another Safe, or runs other code.
    #[must_use]
    pub const fn is_identity(self) -> bool {
        matches!(self, Self::Chain | Self::Address | Self::Version | Self::Singleton)
    }
}

impl fmt::Display for SafeField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "chain",
            Self::Address => "Safe",
            Self::Version => "version",
            Self::Owners => "owners",
            Self::Threshold => "threshold",
            Self::Singleton => "singleton",
            Self::Guard => "guard",
            Self::ModuleGuard => "module guard",
            Self::FallbackHandler => "fallback handler",
            Self::Modules => "modules",
        })
    }
}

/// One thing about a Safe that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    pub what: SafeField,
    pub was: String,
    pub now: String,
}

impl SafeState {
    /// What changed from `self` to `now`, the nonce left out: it moves with every transaction and is judged apart.
    #[must_use]
    pub fn drift(&self, now: &Self) -> Vec<Drift> {
        let list = |addresses: &[Address]| {
            if addresses.is_empty() {
                return "none".to_string();
            }
            addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
        };
        let rows = [
            (SafeField::Chain, self.id.chain_id.to_string(), now.id.chain_id.to_string()),
            (SafeField::Address, self.id.address.to_string(), now.id.address.to_string()),
            (SafeField::Version, self.id.version.to_string(), now.id.version.to_string()),
            (SafeField::Owners, list(self.owners.list()), list(now.owners.list())),
            (SafeField::Threshold, self.owners.threshold().to_string(), now.owners.threshold().to_string()),
            (SafeField::Singleton, self.singleton.to_string(), now.singleton.to_string()),
            (SafeField::Guard, self.guard.to_string(), now.guard.to_string()),
            (SafeField::ModuleGuard, self.module_guard.to_string(), now.module_guard.to_string()),
            (SafeField::FallbackHandler, self.fallback_handler.to_string(), now.fallback_handler.to_string()),
            (SafeField::Modules, list(&self.modules), list(&now.modules)),
        ];
        rows.into_iter()
            .filter(|(_, was, now)| was != now)
            .map(|(what, was, now)| Drift { what, was, now })
            .collect()
    }
}

impl SafeState {
    /// The storage slots that say all of this, with their words: the lists of owners and modules too.
    #[must_use]
    pub fn slots(&self) -> Vec<(B256, B256)> {
        let number = |at: u8, value: U256| (slot_word(at), B256::from(value));
        let address = |slot: B256, value: Address| (slot, value.into_word());
        let mut slots = vec![
            address(slot_word(slot::SINGLETON), self.singleton),
            number(slot::OWNER_COUNT, U256::from(self.owners.list().len())),
            number(slot::THRESHOLD, U256::from(self.owners.threshold().get())),
            number(slot::NONCE, self.nonce.0),
            address(slot::GUARD, self.guard),
            address(slot::MODULE_GUARD, self.module_guard),
            address(slot::FALLBACK_HANDLER, self.fallback_handler),
        ];
        slots.extend(ring(self.owners.list()).map(|(at, next)| address(owner_slot(at), next)));
        slots.extend(ring(&self.modules).map(|(at, next)| address(module_slot(at), next)));
        slots
    }
}

/// Every entry of a Safe's list with the one after it, from the sentinel round to the sentinel.
fn ring(list: &[Address]) -> impl Iterator<Item = (Address, Address)> {
    let at = std::iter::once(SENTINEL).chain(list.iter().copied());
    at.zip(list.iter().copied().chain([SENTINEL]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_slots_are_the_hashes_of_their_names() {
        assert_eq!(slot::GUARD, keccak256("guard_manager.guard.address"));
        assert_eq!(slot::MODULE_GUARD, keccak256("module_manager.module_guard.address"));
        assert_eq!(slot::FALLBACK_HANDLER, keccak256("fallback_manager.handler.address"));
    }
}
