//! The one table of a Safe's storage slots. Source: Safe contracts, storage layout 1.0.0 to 1.5.0.

use alloy::primitives::{Address, B256, U256, b256, keccak256};
use alloy::sol_types::SolValue;

use super::hashes::SafeTxHash;
use super::owners::SENTINEL;

/// Numbers of slots, and the slots that are named by a hash.
pub mod slot {
    use super::{B256, b256};

    /// The address of the implementation.
    pub const SINGLETON: u8 = 0;
    /// The linked list of enabled modules.
    pub const MODULES: u8 = 1;
    /// The linked list of owners.
    pub const OWNERS: u8 = 2;
    /// The number of owners.
    pub const OWNER_COUNT: u8 = 3;
    /// The number of owners that must approve.
    pub const THRESHOLD: u8 = 4;
    /// The nonce of the next transaction.
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

/// The part of a Safe that a slot belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotKind {
    Singleton,
    Owners,
    Threshold,
    Nonce,
    Guard,
    ModuleGuard,
    FallbackHandler,
    Modules,
    /// An owner's approval of one transaction.
    Approvals,
}

/// The slots that every Safe has, with their names.
pub const FIXED_SLOTS: [(B256, SlotKind, &str); 7] = [
    (slot_word(slot::SINGLETON), SlotKind::Singleton, "singleton"),
    (slot_word(slot::OWNER_COUNT), SlotKind::Owners, "number of owners"),
    (slot_word(slot::THRESHOLD), SlotKind::Threshold, "threshold"),
    (slot_word(slot::NONCE), SlotKind::Nonce, "nonce"),
    (slot::GUARD, SlotKind::Guard, "guard"),
    (slot::MODULE_GUARD, SlotKind::ModuleGuard, "module guard"),
    (slot::FALLBACK_HANDLER, SlotKind::FallbackHandler, "fallback handler"),
];

/// Every slot of a Safe that can be named: the fixed ones, the entries of these owners and modules, and the owners' approvals of
/// this transaction.
pub fn safe_slots<'a>(
    owners: impl IntoIterator<Item = &'a Address, IntoIter: Clone + 'a>,
    modules: impl IntoIterator<Item = &'a Address> + 'a,
    hash: Option<SafeTxHash>,
) -> impl Iterator<Item = (B256, SlotKind, String)> + 'a {
    let owners = owners.into_iter();
    let fixed = FIXED_SLOTS.into_iter().chain([
        (owner_slot(SENTINEL), SlotKind::Owners, "first owner"),
        (module_slot(SENTINEL), SlotKind::Modules, "first module"),
    ]);
    let approvals = hash.into_iter().flat_map({
        let owners = owners.clone();
        move |hash| {
            let approval = move |o: &Address| {
                (approved_hash_slot(*o, &hash), SlotKind::Approvals, format!("approval by {o}"))
            };
            owners.clone().map(approval)
        }
    });
    fixed
        .map(|(slot, part, name)| (slot, part, name.to_string()))
        .chain(owners.map(|owner| (owner_slot(*owner), SlotKind::Owners, format!("owner {owner}"))))
        .chain(modules.into_iter().map(|m| (module_slot(*m), SlotKind::Modules, format!("module {m}"))))
        .chain(approvals)
}

/// A slot number as the word that `eth_getStorageAt` takes.
pub const fn slot_word(slot: u8) -> B256 {
    B256::with_last_byte(slot)
}

/// Returns the slot of `approvedHashes[owner][hash]`.
pub fn approved_hash_slot(owner: Address, hash: &SafeTxHash) -> B256 {
    let outer = keccak256((owner, U256::from(slot::APPROVED_HASHES)).abi_encode());
    keccak256((*hash.word(), outer).abi_encode())
}

/// Returns the slot of the entry after `owner` in a Safe's list of owners.
pub fn owner_slot(owner: Address) -> B256 {
    keccak256((owner, U256::from(slot::OWNERS)).abi_encode())
}

/// Returns the slot of the entry after `module` in a Safe's list of modules.
pub fn module_slot(module: Address) -> B256 {
    keccak256((module, U256::from(slot::MODULES)).abi_encode())
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
