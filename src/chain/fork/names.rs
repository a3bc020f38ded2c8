//! What a storage slot is called, where that can be known. Pure.

use alloy::primitives::{Address, B256, U256, b256, keccak256};
use alloy::sol_types::SolValue;

use crate::safe::{SENTINEL, SafeTxHash, approved_hash_slot, module_slot, owner_slot, slot, slot_word};

/// Where a proxy's implementation, admin or beacon lies: EIP-1967 and EIP-1822.
pub const PROXY_SLOTS: [(B256, &str); 4] = [
    (b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"), "implementation"),
    (b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103"), "proxy admin"),
    (b256!("a3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"), "beacon"),
    (b256!("c5f16f0fcc639fa48a6947836d9850f504798523bf8c9a3a87d5876cf622bcf7"), "implementation (EIP-1822)"),
];

/// Fields of OpenZeppelin's upgradeable contracts, each in its ERC-7201 namespace, with the offset in it.
/// Source: `@openzeppelin/contracts-upgradeable` 5.x.
const NAMESPACED: [(&str, u64, &str); 17] = [
    ("openzeppelin.storage.Pausable", 0, "paused"),
    ("openzeppelin.storage.Ownable", 0, "owner"),
    ("openzeppelin.storage.Ownable2Step", 0, "pending owner"),
    ("openzeppelin.storage.Initializable", 0, "initialized version"),
    ("openzeppelin.storage.ReentrancyGuard", 0, "reentrancy guard"),
    ("openzeppelin.storage.AccessManaged", 0, "authority"),
    ("openzeppelin.storage.AccessControlDefaultAdminRules", 0, "pending default admin"),
    ("openzeppelin.storage.AccessControlDefaultAdminRules", 1, "default admin and delay"),
    ("openzeppelin.storage.ERC20", 2, "total supply"),
    ("openzeppelin.storage.ERC20", 3, "token name"),
    ("openzeppelin.storage.ERC20", 4, "token symbol"),
    ("openzeppelin.storage.ERC20Capped", 0, "supply cap"),
    ("openzeppelin.storage.ERC4626", 0, "asset"),
    ("openzeppelin.storage.TimelockController", 1, "timelock delay"),
    ("openzeppelin.storage.Governor", 0, "governor name"),
    ("openzeppelin.storage.GovernorTimelockControl", 0, "timelock"),
    ("openzeppelin.storage.GovernorSettings", 0, "voting delay, period and proposal threshold"),
];

/// What is known about the slots of one Safe and of the contracts it acts on.
#[derive(Clone, Copy, Debug)]
pub struct SlotNames<'a> {
    pub safe: Address,
    /// Owners whose entries may be touched: present ones, and those the transaction adds.
    pub owners: &'a [Address],
    pub modules: &'a [Address],
    /// The transaction whose approvals may be recorded on chain.
    pub hash: Option<SafeTxHash>,
    /// Slots that a check reads, and what the check calls them.
    pub read_by_checks: &'a [(Address, B256, String)],
    /// OpenZeppelin AccessControl: roles and accounts whose membership may change, with the role's name.
    pub roles: &'a [(B256, Address, String)],
}

/// The name of a slot, or nothing.
#[must_use]
pub fn name_slot(address: Address, slot: B256, names: &SlotNames<'_>) -> Option<String> {
    let by_check = names.read_by_checks.iter().find(|(a, s, _)| (*a, *s) == (address, slot));
    if let Some((_, _, name)) = by_check {
        return Some(name.clone());
    }
    let of_safe = if address == names.safe { safe_slot(slot, names) } else { None };
    let proxy = || PROXY_SLOTS.iter().find(|(s, _)| *s == slot).map(|(_, name)| (*name).to_string());
    of_safe.or_else(proxy).or_else(|| namespaced(slot)).or_else(|| role(slot, names))
}

fn safe_slot(slot: B256, names: &SlotNames<'_>) -> Option<String> {
    let fixed = [
        (slot_word(slot::SINGLETON), "singleton"),
        (slot_word(slot::OWNER_COUNT), "number of owners"),
        (slot_word(slot::THRESHOLD), "threshold"),
        (slot_word(slot::NONCE), "nonce"),
        (slot::GUARD, "guard"),
        (slot::MODULE_GUARD, "module guard"),
        (slot::FALLBACK_HANDLER, "fallback handler"),
    ];
    if let Some((_, name)) = fixed.iter().find(|(s, _)| *s == slot) {
        return Some((*name).to_string());
    }
    if slot == owner_slot(SENTINEL) {
        return Some("first owner".into());
    }
    if slot == module_slot(SENTINEL) {
        return Some("first module".into());
    }
    let owner = names.owners.iter().find(|o| owner_slot(**o) == slot).map(|o| format!("owner {o}"));
    let module = || names.modules.iter().find(|m| module_slot(**m) == slot).map(|m| format!("module {m}"));
    let approval = || {
        let hash = names.hash?;
        let owner = names.owners.iter().find(|o| approved_hash_slot(**o, &hash) == slot)?;
        Some(format!("approval by {owner}"))
    };
    owner.or_else(module).or_else(approval)
}

fn namespaced(slot: B256) -> Option<String> {
    let found = NAMESPACED
        .iter()
        .find(|(id, offset, _)| B256::from(namespace(id).wrapping_add(U256::from(*offset))) == slot);
    found.map(|(_, _, name)| (*name).to_string())
}

/// Membership of a role: in the namespaced mapping, and in slot 0, where the plain AccessControl has it when it is
/// the first contract inherited.
fn role(slot: B256, names: &SlotNames<'_>) -> Option<String> {
    let places = [namespace("openzeppelin.storage.AccessControl"), U256::ZERO];
    let held = |role: B256, account: Address, base: U256| {
        let members = keccak256((role, base).abi_encode());
        keccak256((account, members).abi_encode()) == slot
    };
    let found = names.roles.iter().find(|(role, who, _)| places.iter().any(|p| held(*role, *who, *p)));
    found.map(|(_, who, name)| format!("{name} of {who}"))
}

/// ERC-7201: keccak256(keccak256(id) - 1), its last byte cleared.
fn namespace(id: &str) -> U256 {
    let inner = U256::from_be_bytes(keccak256(id).0).wrapping_sub(U256::ONE);
    U256::from_be_bytes(keccak256(inner.to_be_bytes::<32>()).0) & !U256::from(0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: Address = Address::repeat_byte(5);
    const OWNERS: [Address; 2] = [Address::repeat_byte(6), Address::repeat_byte(7)];

    fn names() -> SlotNames<'static> {
        SlotNames {
            safe: SAFE,
            owners: &OWNERS,
            modules: &[],
            hash: Some(SafeTxHash::claimed(B256::repeat_byte(1))),
            read_by_checks: &[],
            roles: &[],
        }
    }

    /// Source: the constants stated in `@openzeppelin/contracts-upgradeable` 5.x.
    #[test]
    fn namespaces_are_openzeppelins() {
        for (id, word) in [
            ("Pausable", b256!("cd5ed15c6e187e77e9aee88184c21f4f2182ab5827cb3b7e07fbedcd63f03300")),
            ("Ownable", b256!("9016d09d72d40fdae2fd8ceac6b6234c7706214fd39c1cd1e609a0528c199300")),
            ("AccessControl", b256!("02dd7bc7dec4dceedda775e58dd541e08a116c6c53815c0bd028192f7b626800")),
            ("Initializable", b256!("f0c57e16840df040f15088dc2f81fe391c3923bec73e23a9662efc9c229c6a00")),
        ] {
            assert_eq!(B256::from(namespace(&format!("openzeppelin.storage.{id}"))), word);
        }
    }

    /// Sources: EIP-1967 and EIP-1822, which state how each slot is derived.
    #[test]
    fn proxy_slots_are_the_hashes_of_their_names() {
        let eip1967 = |id: &str| B256::from(U256::from_be_bytes(keccak256(id).0) - U256::ONE);
        let derived = [
            eip1967("eip1967.proxy.implementation"),
            eip1967("eip1967.proxy.admin"),
            eip1967("eip1967.proxy.beacon"),
            keccak256("PROXIABLE"),
        ];
        assert_eq!(PROXY_SLOTS.map(|(slot, _)| slot), derived);
    }

    #[test]
    fn a_safes_slots_have_names_only_in_that_safe() {
        let name = |address, slot| name_slot(address, slot, &names());
        assert_eq!(name(SAFE, slot_word(0)).as_deref(), Some("singleton"));
        assert_eq!(name(SAFE, owner_slot(OWNERS[1])), Some(format!("owner {}", OWNERS[1])));
        assert_eq!(name(SAFE, owner_slot(SENTINEL)).as_deref(), Some("first owner"));
        let approved = approved_hash_slot(OWNERS[0], &SafeTxHash::claimed(B256::repeat_byte(1)));
        assert_eq!(name(SAFE, approved), Some(format!("approval by {}", OWNERS[0])));
        for slot in [slot_word(0), owner_slot(OWNERS[1]), approved, slot::GUARD] {
            assert_eq!(name(OWNERS[0], slot), None);
        }
        assert_eq!(name(SAFE, slot_word(77)), None);
    }

    #[test]
    fn a_checks_own_name_comes_first_and_roles_are_found() {
        let role_id = B256::repeat_byte(3);
        let base =
            U256::from_be_bytes(b256!("02dd7bc7dec4dceedda775e58dd541e08a116c6c53815c0bd028192f7b626800").0);
        let slot = keccak256((OWNERS[0], keccak256((role_id, base).abi_encode())).abi_encode());
        let roles = [(role_id, OWNERS[0], "PAUSER_ROLE".to_string())];
        let named = SlotNames { roles: &roles, ..names() };
        assert_eq!(name_slot(SAFE, slot, &named), Some(format!("PAUSER_ROLE of {}", OWNERS[0])));
        let checks = [(SAFE, slot_word(0), "the code".to_string())];
        let named = SlotNames { read_by_checks: &checks, ..names() };
        assert_eq!(name_slot(SAFE, slot_word(0), &named).as_deref(), Some("the code"));
    }
}
