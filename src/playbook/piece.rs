//! A lever of many calls, cut into several transactions.
//!
//! A playbook that repeats a step over a list can be cut: with the argument `piece=2/4`, each list that its steps run
//! over is the second of four runs of its items, whose lengths differ by one at most. So a piece is a function of the
//! argument and of the list's length, the same on every machine: the gas of a rehearsal only decides which cut is
//! advised, and never what is in a piece. Half of a piece is a piece: `2/2` is `3/4` and `4/4`. What else rests on the list
//! (reads, checks) follows it.

use std::collections::BTreeSet;
use std::ops::Range;

use alloy::dyn_abi::DynSolValue;

use super::claim::Step;
use super::each::Each;
use super::{Playbook, Read};

/// The argument's name. No param or read may have it.
pub const PIECE: &str = "piece";

/// The most pieces of one lever.
const MOST_PIECES: usize = 64;

/// The share of what one transaction may have, in percent, above which it should be cut.
pub const NEAR: u64 = 80;

/// Which of how many pieces, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{at}/{of}")]
pub struct Piece {
    at: usize,
    of: usize,
}

impl Piece {
    pub const WHOLE: Self = Self { at: 1, of: 1 };

    /// Fails for anything but `1/2`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("write which of how many pieces, such as 1/2, of at most {MOST_PIECES}");
        let (at, of) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| (1..=MOST_PIECES).contains(n));
        let (at, of) = number(at).zip(number(of)).filter(|(at, of)| at <= of).ok_or_else(wrong)?;
        Ok(Self { at, of })
    }

    /// Returns the items that are in it; none if there are fewer items than pieces.
    fn range(self, len: usize) -> Option<Range<usize>> {
        let start = |piece: usize| piece * len / self.of;
        (len >= self.of).then(|| start(self.at - 1)..start(self.at))
    }

    /// Returns the piece of a list.
    /// Fails if the value is not a list, or has fewer items than there are pieces.
    pub(super) fn of(self, list: DynSolValue) -> Result<DynSolValue, String> {
        if self == Self::WHOLE {
            return Ok(list);
        }
        let DynSolValue::Array(mut items) = list else { return Err("only a list can be cut".into()) };
        let few = || format!("{PIECE} {self}: the list has only {} items", items.len());
        let range = self.range(items.len()).ok_or_else(few)?;
        Ok(DynSolValue::Array(items.drain(range).collect()))
    }

    /// Returns the arguments of all the pieces to cut it into, if it takes this share of what one transaction may have, in
    /// percent: each piece is halved until its share is no longer near. `None` if nothing has to be cut, or it cannot be.
    pub fn cut(self, calls: usize, share: u64) -> Option<Vec<String>> {
        let halvings = (1..=6).find(|n| share >> n <= NEAR)?;
        let of = self.of << halvings;
        let fits = share > NEAR && of <= MOST_PIECES && calls >> halvings > 0;
        fits.then(|| {
            let first = (self.at - 1) << halvings;
            (1..=1_usize << halvings).map(|n| Self { at: first + n, of }.to_string()).collect()
        })
    }
}

/// The names of the lists that the steps are repeated over: those that a piece is taken of. `None` if the playbook cannot be
/// cut, because no step is repeated or one is repeated over something that has no name.
pub(super) fn lists(playbook: &Playbook) -> Option<BTreeSet<String>> {
    let mut open: Vec<&Each> = playbook.steps.iter().filter_map(|Step { each, .. }| each.as_ref()).collect();
    let mut found = BTreeSet::new();
    while let Some(each) = open.pop() {
        for list in each.lists() {
            let name = list.sole_name()?;
            // A list that is read item by item has as many items as the list it is read for.
            match playbook.reads.iter().find(|read| read.name == name) {
                Some(Read { each: Some(each), .. }) => open.push(each),
                _ => drop(found.insert(name.to_string())),
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;
    use proptest::prelude::*;

    use super::*;

    fn list(len: u64) -> DynSolValue {
        DynSolValue::Array((0..len).map(|n| DynSolValue::Uint(U256::from(n), 256)).collect())
    }

    #[test]
    fn a_piece_is_one_of_several() {
        for bad in ["", "1", "0/2", "3/2", "1/0", "1/65", "a/b", "1/2/3", "-1/2"] {
            assert!(Piece::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Piece::parse("2/3").unwrap().range(8), Some(2..5));
        assert_eq!(Piece::parse("3/3").unwrap().range(8), Some(5..8));
        assert_eq!(Piece::WHOLE.of(list(3)), Ok(list(3)));
        let few = Piece::parse("2/4").unwrap().of(list(3)).unwrap_err();
        assert_eq!(few, "piece 2/4: the list has only 3 items");
    }

    #[test]
    fn it_is_cut_in_halves_until_each_is_small() {
        let half = Piece::parse("2/2").unwrap();
        assert_eq!(Piece::WHOLE.cut(128, 80), None);
        assert_eq!(Piece::WHOLE.cut(128, 81).unwrap(), ["1/2", "2/2"]);
        assert_eq!(Piece::WHOLE.cut(128, 200).unwrap(), ["1/4", "2/4", "3/4", "4/4"]);
        assert_eq!(half.cut(64, 100).unwrap(), ["3/4", "4/4"]);
        assert_eq!(Piece::WHOLE.cut(1, 100), None, "one call cannot be cut");
        assert_eq!(Piece::WHOLE.cut(128, u64::MAX), None);
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_whole(len in 1_u64..300, of in 1_usize..=MOST_PIECES) {
            let pieces = (1..=of).map(|at| Piece { at, of }.of(list(len)));
            let Ok(pieces) = pieces.collect::<Result<Vec<_>, _>>() else {
                prop_assert!(usize::try_from(len).unwrap() < of);
                return Ok(());
            };
            let items: Vec<DynSolValue> =
                pieces.into_iter().flat_map(|piece| piece.as_array().unwrap().to_vec()).collect();
            prop_assert_eq!(DynSolValue::Array(items), list(len));
        }

        /// A sender of one half may cut the other.
        #[test]
        fn half_of_a_piece_is_a_piece(len in 1_usize..300, of in 1_usize..32, at in 0_usize..32) {
            let piece = Piece { at: at % of + 1, of };
            let halves = [Piece { at: 2 * piece.at - 1, of: 2 * of }, Piece { at: 2 * piece.at, of: 2 * of }];
            if let [Some(first), Some(second)] = halves.map(|half| half.range(len)) {
                prop_assert_eq!(piece.range(len), Some(first.start..second.end));
                prop_assert_eq!(first.end, second.start);
            }
        }
    }
}
