//! A Safe with the Safes among its owners, and those among theirs.

use alloy::primitives::Address;

use super::state::SafeState;

/// The most levels of Safes below one that are read.
pub const DEEPEST: usize = 5;
/// The most Safes below one that are read.
pub const MOST_SAFES: usize = 30;

/// A Safe at one block, with those of its owners that are Safes too, as far as they were read.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Deref)]
pub struct SafeTree {
    #[deref]
    pub state: SafeState,
    pub children: Vec<Self>,
}

impl SafeTree {
    /// Puts Safes below one, each below every Safe that it owns.
    pub fn new(state: SafeState, safes: &[SafeState]) -> Self {
        let mut left = MOST_SAFES;
        Self::build(state, safes, &mut Vec::new(), &mut left)
    }

    /// `above` are the Safes that led here: one that owns itself, by whatever way, is not followed in a circle.
    fn build(state: SafeState, safes: &[SafeState], above: &mut Vec<Address>, left: &mut usize) -> Self {
        above.push(state.id.address);
        let mut children = Vec::new();
        if above.len() <= DEEPEST {
            for child in safes.iter().filter(|safe| state.owners.contains(safe.id.address)) {
                if *left > 0 && !above.contains(&child.id.address) {
                    *left -= 1;
                    children.push(Self::build(child.clone(), safes, above, left));
                }
            }
        }
        above.pop();
        Self { state, children }
    }

    /// The Safe at this address among its owners.
    pub fn child(&self, address: Address) -> Option<&Self> {
        self.children.iter().find(|child| child.state.id.address == address)
    }
}

impl From<SafeState> for SafeTree {
    fn from(state: SafeState) -> Self {
        Self { state, children: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(n: u8, owners: &[u8]) -> SafeState {
        let owners: Vec<Address> = owners.iter().map(|n| Address::repeat_byte(*n)).collect();
        crate::safe::tests::safe(Address::repeat_byte(n), &owners, 1, 0)
    }

    #[test]
    fn each_safe_lies_below_every_safe_that_it_owns() {
        let tree = SafeTree::new(
            safe(1, &[2, 3, 9]),
            &[safe(2, &[4, 8]), safe(3, &[4]), safe(4, &[7]), safe(5, &[7])],
        );
        let [a, b, c] = [2, 3, 4].map(Address::repeat_byte);
        assert!(tree.child(a).unwrap().child(c).is_some() && tree.child(b).unwrap().child(c).is_some());
        assert_eq!((tree.children.len(), tree.child(c)), (2, None));
        assert_eq!(tree.owners.list().len(), 3, "it is the Safe itself, too");
    }

    #[test]
    fn safes_that_own_each_other_end() {
        let tree = SafeTree::new(safe(1, &[2]), &[safe(1, &[2]), safe(2, &[1, 2])]);
        assert_eq!((tree.children.len(), tree.children[0].children.len()), (1, 0));
        let all: Vec<u8> = (1..=40).collect();
        let each: Vec<SafeState> = all.iter().map(|n| safe(*n, &all)).collect();
        let count = |tree: &SafeTree| {
            fn count(tree: &SafeTree) -> usize {
                1 + tree.children.iter().map(count).sum::<usize>()
            }
            count(tree)
        };
        assert_eq!(count(&SafeTree::new(safe(1, &all), &each)), 1 + MOST_SAFES);
    }
    #[test]
    fn a_line_of_safes_is_followed_to_its_depth_and_no_further() {
        let line: Vec<SafeState> = (2..=9).map(|n| safe(n, &[n + 1])).collect();
        let mut tree = &SafeTree::new(safe(1, &[2]), &line);
        let mut depth = 0;
        while let [child] = &tree.children[..] {
            (tree, depth) = (child, depth + 1);
        }
        assert_eq!(depth, DEEPEST);
    }
}
