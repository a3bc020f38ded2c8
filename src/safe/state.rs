//! The state of a Safe at one block: everything that decides whether a transaction can run and who controls the Safe.

use alloy::primitives::{Address, B256, U256};

use super::hashes::SafeId;
use super::owners::{Owners, SENTINEL};
use super::slots::{module_slot, owner_slot, slot, slot_word};
use super::tx::Nonce;

/// The most enabled modules of a Safe that this program reads: more than anybody reviews.
pub const MOST_MODULES: usize = 200;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum SafeField {
    #[display("chain")]
    Chain,
    #[display("Safe")]
    Address,
    #[display("version")]
    Version,
    #[display("owners")]
    Owners,
    #[display("threshold")]
    Threshold,
    #[display("singleton")]
    Singleton,
    #[display("guard")]
    Guard,
    #[display("module guard")]
    ModuleGuard,
    #[display("fallback handler")]
    FallbackHandler,
    #[display("modules")]
    Modules,
}

impl SafeField {
    /// Returns `true` if a Safe in which it differs is another Safe, or runs other code.
    pub const fn is_identity(self) -> bool {
        matches!(self, Self::Chain | Self::Address | Self::Version | Self::Singleton)
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
    /// Returns the changes from `self` to `now`, the nonce left out: it moves with every transaction and is judged apart.
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

    /// Returns a Safe without a singleton, guards, a handler and modules.
    pub const fn bare(id: SafeId, owners: Owners, nonce: Nonce) -> Self {
        let (singleton, guard) = (Address::ZERO, Address::ZERO);
        let (module_guard, fallback_handler) = (Address::ZERO, Address::ZERO);
        Self { id, owners, nonce, singleton, guard, module_guard, fallback_handler, modules: Vec::new() }
    }

    /// The storage slots that say all of this, with their words: the lists of owners and modules too.
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
        slots.extend(linked_pairs(self.owners.list()).map(|(at, next)| address(owner_slot(at), next)));
        slots.extend(linked_pairs(&self.modules).map(|(at, next)| address(module_slot(at), next)));
        slots
    }
}

/// Every entry of a Safe's list with the one after it, from the sentinel round to the sentinel.
fn linked_pairs(list: &[Address]) -> impl Iterator<Item = (Address, Address)> {
    let at = std::iter::once(SENTINEL).chain(list.iter().copied());
    at.zip(list.iter().copied().chain([SENTINEL]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safe::SafeVersion;

    /// Source: `OwnerManager.sol` and `ModuleManager.sol`: each entry of a list holds the next, the sentinel the first.
    #[test]
    fn every_entry_of_both_lists_has_its_slot() {
        let a = Address::repeat_byte;
        let state = SafeState {
            singleton: a(6),
            fallback_handler: a(7),
            modules: vec![a(8)],
            ..SafeState::bare(
                SafeId { chain_id: 1, address: a(5), version: SafeVersion::V1_4_1 },
                Owners::new(vec![a(2), a(3)], 1).unwrap(),
                Nonce::from(4),
            )
        };
        let slots = state.slots();
        let word = |slot: B256| slots.iter().find(|(at, _)| *at == slot).map(|(_, word)| *word);
        let next = |slot: B256| word(slot).map(Address::from_word);
        assert_eq!(slots.len(), 7 + 3 + 2);
        let owners = [SENTINEL, a(2), a(3)].map(|owner| next(owner_slot(owner)));
        assert_eq!(owners, [Some(a(2)), Some(a(3)), Some(SENTINEL)]);
        let modules = [SENTINEL, a(8)].map(|module| next(module_slot(module)));
        assert_eq!(modules, [Some(a(8)), Some(SENTINEL)]);
        assert_eq!(word(slot_word(slot::NONCE)), Some(B256::with_last_byte(4)));
        assert_eq!(word(slot_word(slot::THRESHOLD)), Some(B256::with_last_byte(1)));
        assert_eq!(word(slot_word(slot::OWNER_COUNT)), Some(B256::with_last_byte(2)));
    }
}
