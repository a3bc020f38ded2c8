//! A Safe's owners: a linked list on chain, in this order, and the threshold.

use std::collections::HashSet;

use alloy::primitives::{Address, Bytes, U256, address};
use alloy::sol_types::{SolCall, SolValue};

use super::abi::ISafe;

/// The most owners of a Safe that this program reads. One transaction has room for the signatures of about twice as
/// many: each costs some 8,000 gas, and a transaction may use 2^24 (EIP-7825).
pub const MOST_OWNERS: usize = 1_000;

/// The head and tail of the Safe's linked lists.
pub const SENTINEL: Address = address!("0000000000000000000000000000000000000001");

/// The reason that a Safe could not have these owners and this threshold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OwnersError {
    #[error("a Safe has at least one owner")]
    Empty,
    #[error("{0} owners are more than this program reads, which is {MOST_OWNERS}")]
    TooMany(usize),
    #[error("owner {0} is listed twice")]
    Twice(Address),
    #[error("{0} cannot be an owner of a Safe")]
    Impossible(Address),
    #[error("threshold {0} is not between 1 and the number of owners, {1}")]
    Threshold(u64, usize),
}

/// The number of owners who must sign. At least 1, at most the number of owners it stands with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, derive_more::Display)]
pub struct Threshold(usize);

impl Threshold {
    /// Returns the number of owners that must approve: at least 1.
    pub const fn get(self) -> usize {
        self.0
    }
}

/// The owners in the order of the Safe's list, and the threshold; always a pair that a Safe could have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners {
    list: Vec<Address>,
    threshold: Threshold,
}

impl Owners {
    /// Fails if no Safe can have these owners with this threshold.
    pub fn new(list: Vec<Address>, threshold: u64) -> Result<Self, OwnersError> {
        if list.is_empty() {
            return Err(OwnersError::Empty);
        }
        if list.len() > MOST_OWNERS {
            return Err(OwnersError::TooMany(list.len()));
        }
        let mut seen = HashSet::new();
        for owner in &list {
            if *owner == Address::ZERO || *owner == SENTINEL {
                return Err(OwnersError::Impossible(*owner));
            }
            if !seen.insert(*owner) {
                return Err(OwnersError::Twice(*owner));
            }
        }
        match usize::try_from(threshold) {
            Ok(n) if n >= 1 && n <= list.len() => Ok(Self { list, threshold: Threshold(n) }),
            _ => Err(OwnersError::Threshold(threshold, list.len())),
        }
    }

    /// Returns the owners, in the order of the Safe's list.
    pub fn list(&self) -> &[Address] {
        &self.list
    }

    /// Returns the threshold: from 1 to the number of owners.
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    pub fn contains(&self, who: Address) -> bool {
        self.list.contains(&who)
    }

    /// Returns the answer of a Safe with these owners to a call, if it is one about them and the answer follows.
    pub fn answer(&self, call: &[u8]) -> Option<Bytes> {
        let answer = match call {
            call if call == (ISafe::getOwnersCall {}).abi_encode() => self.list.abi_encode(),
            call if call == (ISafe::getThresholdCall {}).abi_encode() => {
                U256::from(self.threshold.get()).abi_encode()
            }
            call => self.contains(ISafe::isOwnerCall::abi_decode(call).ok()?.owner).abi_encode(),
        };
        Some(answer.into())
    }
}

/// The entry before `item` in a Safe's linked list, which `swapOwner`, `removeOwner` and `disableModule` ask for.
/// `None` if `item` is not in the list.
pub fn previous_in_list(list: &[Address], item: Address) -> Option<Address> {
    let at = list.iter().position(|entry| *entry == item)?;
    Some(if at == 0 { SENTINEL } else { list[at - 1] })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn a(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    #[test]
    fn calls_about_the_owners_are_answered_as_the_safe_does_and_no_others() {
        let owners = Owners::new(vec![a(2), a(3)], 2).unwrap();
        let answer = |call: Vec<u8>| owners.answer(&call).map(|bytes| bytes.to_vec());
        let list = ISafe::getOwnersCall {}.abi_encode();
        assert_eq!(answer(list), Some(vec![a(2), a(3)].abi_encode()));
        assert_eq!(answer(ISafe::getThresholdCall {}.abi_encode()), Some(U256::from(2).abi_encode()));
        let is_owner = |owner| answer(ISafe::isOwnerCall { owner }.abi_encode());
        assert_eq!((is_owner(a(3)), is_owner(a(4))), (Some(true.abi_encode()), Some(false.abi_encode())));
        assert_eq!(answer(vec![1, 2, 3, 4]), None);
    }

    #[test]
    fn only_possible_owner_sets_exist() {
        assert_eq!(Owners::new(vec![], 1), Err(OwnersError::Empty));
        assert_eq!(Owners::new(vec![a(2), a(3), a(2)], 1), Err(OwnersError::Twice(a(2))));
        assert_eq!(Owners::new(vec![SENTINEL], 1), Err(OwnersError::Impossible(SENTINEL)));
        for bad in [0, 3, u64::MAX] {
            assert_eq!(Owners::new(vec![a(2), a(3)], bad), Err(OwnersError::Threshold(bad, 2)));
        }
        assert_eq!(Owners::new(vec![a(2), a(3)], 2).unwrap().threshold().get(), 2);
        let many = |n: u64| (0..n).map(|n| Address::left_padding_from(&(n + 2).to_be_bytes())).collect();
        assert!(Owners::new(many(1_000), 1_000).is_ok());
        assert_eq!(Owners::new(many(1_001), 1), Err(OwnersError::TooMany(1_001)));
    }

    #[test]
    fn the_previous_owner_of_first_middle_and_last() {
        let list = [a(2), a(3), a(4)];
        assert_eq!(previous_in_list(&list, a(2)), Some(SENTINEL));
        assert_eq!(previous_in_list(&list, a(3)), Some(a(2)));
        assert_eq!(previous_in_list(&list, a(4)), Some(a(3)));
        assert_eq!(previous_in_list(&list, a(5)), None);
    }
}
