//! The storage that a lever and its undo, one after the other, leave changed.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};

use crate::evm::Write;
use crate::safe::{slot, slot_word};

/// A slot that is not what it was before the lever, after its undo.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ceremony) struct LeftOver {
    pub address: Address,
    pub slot: B256,
    pub was: B256,
    pub is: B256,
}

/// Returns the slots that two transactions, one after the other, changed and did not bring back. The nonces of the Safes
/// are left out.
pub(in crate::ceremony) fn left_over(writes: &[Write], safes: &[Address]) -> Vec<LeftOver> {
    let mut slots: BTreeMap<(Address, B256), (B256, B256)> = BTreeMap::new();
    for write in writes {
        slots.entry((write.address, write.slot)).or_insert((write.old, write.new)).1 = write.new;
    }
    let nonce = slot_word(slot::NONCE);
    let is_nonce = |(address, slot): &(Address, B256)| *slot == nonce && safes.contains(address);
    slots
        .into_iter()
        .filter(|(at, (was, is))| was != is && !is_nonce(at))
        .map(|((address, slot), (was, is))| LeftOver { address, slot, was, is })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_that_the_undo_did_not_bring_back_are_left_over() {
        let (safe, vault) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let word = |n: u8| B256::with_last_byte(n);
        let write = |address, slot, old, new| Write { address, slot, old: word(old), new: word(new) };
        let writes = [
            write(safe, slot_word(slot::NONCE), 0, 1),
            write(vault, word(7), 0, 1),
            write(vault, word(8), 5, 6),
            write(safe, slot_word(slot::NONCE), 1, 2),
            write(vault, word(7), 1, 0),
            write(vault, word(9), 3, 4),
            write(vault, slot_word(slot::NONCE), 0, 9),
            write(safe, word(7), 1, 2),
        ];
        let left = left_over(&writes, &[safe]);
        let of =
            |address, slot, was, is| LeftOver { address, slot: word(slot), was: word(was), is: word(is) };
        let in_vault = [of(vault, 5, 0, 9), of(vault, 8, 5, 6), of(vault, 9, 3, 4)];
        assert_eq!(left[0], of(safe, 7, 1, 2));
        assert_eq!(left[1..], in_vault);
    }
}
