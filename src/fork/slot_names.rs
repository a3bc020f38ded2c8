//! Names of storage slots, where they can be known. Pure.

use std::collections::HashMap;
use std::hash::Hash;

use alloy::primitives::{Address, B256, U256, b256, keccak256};
use alloy::sol_types::SolValue;

use crate::safe::{SafeTxHash, safe_slots};

/// A slot of a proxy that says who controls it, or what code it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxySlot {
    pub slot: B256,
    pub name: &'static str,
    /// The code that it names runs on the proxy's storage.
    pub is_implementation: bool,
}

const fn proxy_slot(slot: B256, name: &'static str, is_implementation: bool) -> ProxySlot {
    ProxySlot { slot, name, is_implementation }
}

/// Where a proxy's implementation, admin or beacon lies: EIP-1967 and EIP-1822.
pub const PROXY_SLOTS: [ProxySlot; 4] = [
    proxy_slot(
        b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"),
        "implementation",
        true,
    ),
    proxy_slot(
        b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103"),
        "proxy admin",
        false,
    ),
    proxy_slot(b256!("a3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"), "beacon", false),
    proxy_slot(
        b256!("c5f16f0fcc639fa48a6947836d9850f504798523bf8c9a3a87d5876cf622bcf7"),
        "implementation (EIP-1822)",
        true,
    ),
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

/// The known slots of one Safe and of the contracts it acts on.
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

/// The names of all slots that can be known, worked out once: a rehearsal may write thousands.
#[derive(Clone, Debug)]
pub struct SlotTable {
    safe: Address,
    of_places: HashMap<(Address, B256), String>,
    of_safe: HashMap<B256, String>,
    of_any: HashMap<B256, String>,
}

impl SlotTable {
    pub fn new(names: &SlotNames<'_>) -> Self {
        let checks = names.read_by_checks.iter().map(|(at, slot, name)| ((*at, *slot), name.clone()));
        let proxy = PROXY_SLOTS.iter().map(|proxy| (proxy.slot, proxy.name.to_string()));
        let of_safe = safe_slots(names.owners, names.modules, names.hash);
        Self {
            safe: names.safe,
            of_places: first_of_each(checks),
            of_safe: first_of_each(of_safe.map(|(slot, _, name)| (slot, name))),
            of_any: first_of_each(proxy.chain(namespaced()).chain(roles(names))),
        }
    }

    pub fn name(&self, address: Address, slot: B256) -> Option<&str> {
        let of_safe = || if address == self.safe { self.of_safe.get(&slot) } else { None };
        let name = self.of_places.get(&(address, slot)).or_else(of_safe).or_else(|| self.of_any.get(&slot));
        name.map(String::as_str)
    }
}

/// Returns the first of several names for one place.
fn first_of_each<K: Eq + Hash>(named: impl Iterator<Item = (K, String)>) -> HashMap<K, String> {
    let mut map = HashMap::new();
    for (key, name) in named {
        map.entry(key).or_insert(name);
    }
    map
}

fn namespaced() -> impl Iterator<Item = (B256, String)> {
    NAMESPACED.iter().map(|(id, offset, name)| {
        (B256::from(namespace(id).wrapping_add(U256::from(*offset))), (*name).to_string())
    })
}

/// Membership of a role: in the namespaced mapping, and in slot 0, where the plain AccessControl has it when it is
/// the first contract inherited.
fn roles(names: &SlotNames<'_>) -> impl Iterator<Item = (B256, String)> {
    let places = [namespace("openzeppelin.storage.AccessControl"), U256::ZERO];
    names.roles.iter().flat_map(move |(role, account, name)| {
        places.map(|base| {
            let members = keccak256((*role, base).abi_encode());
            (keccak256((*account, members).abi_encode()), format!("{name} of {account}"))
        })
    })
}

/// ERC-7201: keccak256(keccak256(id) - 1), its last byte cleared.
fn namespace(id: &str) -> U256 {
    let inner = U256::from_be_bytes(keccak256(id).0).wrapping_sub(U256::ONE);
    U256::from_be_bytes(keccak256(inner.to_be_bytes::<32>()).0) & !U256::from(0xff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safe::{SENTINEL, approved_hash_slot, owner_slot, slot, slot_word};

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
        assert_eq!(PROXY_SLOTS.map(|proxy| proxy.slot), derived);
    }

    #[test]
    fn a_safes_slots_have_names_only_in_that_safe() {
        let table = SlotTable::new(&names());
        let name = |address, slot| table.name(address, slot).map(String::from);
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
        assert_eq!(SlotTable::new(&named).name(SAFE, slot), Some(&*format!("PAUSER_ROLE of {}", OWNERS[0])));
        let checks = [(SAFE, slot_word(0), "the code".to_string())];
        let named = SlotNames { read_by_checks: &checks, ..names() };
        assert_eq!(SlotTable::new(&named).name(SAFE, slot_word(0)), Some("the code"));
    }
}
