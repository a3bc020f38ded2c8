//! Whose signatures count for one Safe.

use std::collections::HashSet;

use alloy::primitives::Address;

use crate::safe::{Owners, SafeId};

/// The owners of one Safe: as the reader's own council file pins them, as the chain has them, or both. Never as a
/// proposal's file says, and nobody who only owns another Safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeOwners {
    chain_id: u64,
    safe: Address,
    list: Vec<Address>,
    set: HashSet<Address>,
}

impl SafeOwners {
    /// `None` if neither the council file nor the chain says.
    #[must_use]
    pub fn new(
        (chain_id, safe): (u64, Address),
        pinned: Option<&Owners>,
        now: Option<&Owners>,
    ) -> Option<Self> {
        let present = now.or(pinned)?.list();
        // A former owner is recognised too, and set aside by name when approvals are counted.
        let pinned = pinned.map(Owners::list).unwrap_or_default();
        let mut set = HashSet::new();
        let list = present.iter().chain(pinned).copied().filter(|owner| set.insert(*owner)).collect();
        Some(Self { chain_id, safe, list, set })
    }

    /// Returns one of them alone.
    #[must_use]
    pub fn only(&self, owner: Address) -> Self {
        let list: Vec<Address> = self.contains(owner).then_some(owner).into_iter().collect();
        Self { set: list.iter().copied().collect(), list, ..*self }
    }

    #[must_use]
    pub fn are_of(&self, safe: &SafeId) -> bool {
        (safe.chain_id, safe.address) == (self.chain_id, self.safe)
    }

    #[must_use]
    pub fn contains(&self, address: Address) -> bool {
        self.set.contains(&address)
    }

    #[must_use]
    pub fn list(&self) -> &[Address] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_councils_and_the_chains_and_of_one_safe() {
        let [a, b, c] = [1, 2, 3].map(Address::repeat_byte);
        let owners = |list: &[Address]| Owners::new(list.to_vec(), 1).unwrap();
        let of = |pinned: Option<&Owners>, now: Option<&Owners>| {
            SafeOwners::new((1, a), pinned, now).map(|owners| owners.list)
        };
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(&owners(&[a, b])), None), Some(vec![a, b]));
        assert_eq!(of(None, Some(&owners(&[b]))), Some(vec![b]));
        assert_eq!(of(Some(&owners(&[a, b])), Some(&owners(&[b, c]))), Some(vec![b, c, a]));
    }
}
