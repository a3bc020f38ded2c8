//! Addresses in a storage word, alone or packed beside other values. Pure.

use crate::evm::Write;
use alloy::primitives::Address;

/// Bytes of an address that somebody can choose by trying keys: as many may be zero, or those of another address.
const CHOSEN: usize = 7;
/// As many zero bytes in both words lie between two numbers, and not in an address.
const GAP: usize = 3;

/// 20 bytes of a word that may have been an address, or may be one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The first of the bytes, from the left: 12 for an address that stands alone.
    pub at: usize,
    pub old: Address,
    pub new: Address,
}

impl Moved {
    /// Returns `true` if somebody may have the new address.
    pub fn gains(&self) -> bool {
        is_like_an_address(&self.new)
    }
}

impl Write {
    /// Returns where the word changes to or from what could be an address. It holds one at most; where several places
    /// could be the one, all of them, the place of an address that stands alone first.
    pub fn addresses(&self) -> Vec<Moved> {
        let part = |at: usize| Moved {
            at,
            old: Address::from_slice(&self.old[at..at + Address::len_bytes()]),
            new: Address::from_slice(&self.new[at..at + Address::len_bytes()]),
        };
        let mut found: Vec<(usize, Moved)> = (0..=32 - Address::len_bytes())
            .rev()
            .map(part)
            .filter(could_be_addresses)
            .map(|moved| (differing(&moved), moved))
            .collect();
        // A place beside the true one shares most of its bytes.
        let most = found.iter().map(|(differing, _)| *differing).max().unwrap_or_default();
        found.retain(|(differing, _)| differing + 2 >= most);
        found.into_iter().map(|(_, moved)| moved).collect()
    }
}

fn differing(moved: &Moved) -> usize {
    moved.old.iter().zip(moved.new.iter()).filter(|(old, new)| old != new).count()
}

fn could_be_addresses(moved: &Moved) -> bool {
    (is_like_an_address(&moved.old) || is_like_an_address(&moved.new))
        && differing(moved) >= Address::len_bytes() - CHOSEN
        && !has_gap(moved)
}

fn is_like_an_address(bytes: &Address) -> bool {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    zeros <= CHOSEN && *bytes != Address::repeat_byte(0xff)
}

/// Returns `true` if two numbers side by side are likelier. A word that is set for the first time, or cleared, says
/// nothing of it: its address can have been chosen.
fn has_gap(moved: &Moved) -> bool {
    if moved.old.is_zero() || moved.new.is_zero() {
        return false;
    }
    let is_zero = moved.old.iter().zip(moved.new.iter()).map(|(old, new)| *old == 0 && *new == 0);
    let inside: Vec<bool> = is_zero.skip_while(|zero| *zero).collect();
    inside.windows(GAP).any(|run| run.iter().all(|zero| *zero))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, U256, address, b256};

    use super::*;

    const OWNER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    const THIEF: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");

    fn found(old: B256, new: B256) -> Vec<Moved> {
        Write { address: Address::ZERO, slot: B256::ZERO, old, new }.addresses()
    }

    /// `who` at a byte, between two flags where there is room for them.
    fn packed(who: Address, at: usize, before: u8, after: u8) -> B256 {
        let mut word = [0; 32];
        word[0] = before;
        word[31] = after;
        word[at..at + 20].copy_from_slice(who.as_slice());
        word.into()
    }

    #[test]
    fn an_address_is_found_at_every_byte_of_a_word() {
        for at in 0..=12 {
            let expected = Moved { at, old: OWNER, new: THIEF };
            let moved = found(packed(OWNER, at, 0, 0), packed(THIEF, at, 1, 1));
            assert!(moved.contains(&expected), "{at}: {moved:?}");
            let (set, cleared) = (packed(THIEF, at, 0, 0), B256::ZERO);
            assert!(found(B256::ZERO, set).contains(&Moved { at, old: Address::ZERO, new: THIEF }), "{at}");
            assert!(found(set, cleared).contains(&Moved { at, old: THIEF, new: Address::ZERO }), "{at}");
        }
        assert_eq!(found(OWNER.into_word(), THIEF.into_word())[0].at, 12);
    }

    #[test]
    fn an_address_of_many_zeros_is_one_and_a_number_is_none() {
        let chosen = address!("0000000000000000000000000000000000000001").into_word();
        assert!(found(B256::ZERO, chosen).is_empty());
        let vanity = address!("00000000000000ADc04C56Bf30aC9d3c0aAF14dC").into_word();
        assert_eq!(found(B256::ZERO, vanity)[0].at, 12);
        let tokens = |n: u64| B256::from(U256::from(n) * U256::from(10).pow(U256::from(18)));
        assert!(found(tokens(1), tokens(10_000_000_000)).is_empty());
        assert!(found(B256::ZERO, B256::repeat_byte(0xff)).is_empty(), "an allowance without limit");
    }

    /// OpenZeppelin's `Ownable` and `Pausable` share a slot: the owner stays where it is.
    #[test]
    fn a_flag_beside_an_owner_moves_no_address() {
        let mut paused = OWNER.into_word();
        paused[11] = 1;
        assert!(found(OWNER.into_word(), paused).is_empty());
    }

    /// Two `uint128` of 27 digits in one slot, as lending markets keep their indexes.
    #[test]
    fn two_numbers_in_one_word_are_no_address() {
        let old = b256!("00000000033b2e3c9fd0803ce800000000000000000295be96e640669720f0ab");
        let new = b256!("00000000033b2e3ca1d1904ef911223300000000000295beffe651778831f1bc");
        assert!(found(old, new).is_empty());
    }
}
