//! The progress of a proposal, and what is to be done next: in one line, for people.

use std::fmt;

use alloy::primitives::Address;

use crate::safe::{Owners, SafeTxHash};

/// The owners who have signed a proposal, by the names that its reader has for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub hash: SafeTxHash,
    pub signed: Vec<String>,
    pub missing: Vec<String>,
    pub threshold: usize,
    /// The words that name it in a command.
    words: String,
}

impl Tally {
    /// `signed` are the owners whose signatures are kept; only those of `owners` count, each once.
    pub fn new(
        hash: SafeTxHash,
        signed: &[Address],
        owners: &Owners,
        name: impl Fn(Address) -> String,
        words: String,
    ) -> Self {
        let (signed, missing): (Vec<Address>, Vec<Address>) =
            owners.list().iter().partition(|owner| signed.contains(*owner));
        let names = |list: Vec<Address>| list.into_iter().map(&name).collect();
        Self {
            hash,
            signed: names(signed),
            missing: names(missing),
            threshold: owners.threshold().get(),
            words,
        }
    }

    /// Returns who does what next: `one of bob, dave, erin: breakglass sign vault`.
    pub fn next(&self) -> String {
        let (missing, words) = (self.missing.join(", "), &self.words);
        match self.threshold.saturating_sub(self.signed.len()) {
            0 => format!("breakglass broadcast {words}"),
            open if open >= self.missing.len() => format!("{missing}: breakglass sign {words}"),
            1 => format!("one of {missing}: breakglass sign {words}"),
            open => format!("{open} of {missing}: breakglass sign {words}"),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.signed.len(), self.threshold)?;
        if !self.signed.is_empty() {
            write!(f, ": {}", self.signed.join(", "))?;
        }
        write!(f, ". Next: {}", self.next())
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;

    #[test]
    fn it_says_who_signed_and_who_does_what_next() {
        let owners: Vec<Address> = (1..=5).map(Address::repeat_byte).collect();
        let names = ["alice", "bob", "carol", "dave", "erin"];
        let name = |owner: Address| names[usize::from(owner[0]) - 1].to_string();
        let of = |threshold: usize, signed: &[usize]| {
            let signed: Vec<Address> = signed.iter().map(|n| owners[*n]).collect();
            let owners = Owners::new(owners.clone(), threshold as u64).unwrap();
            let stranger = [signed, vec![Address::repeat_byte(9)]].concat();
            Tally::new(SafeTxHash::claimed(B256::ZERO), &stranger, &owners, name, "vault".into()).to_string()
        };
        assert_eq!(
            of(3, &[0, 2]),
            "2 of 3: alice, carol. Next: one of bob, dave, erin: breakglass sign vault"
        );
        assert_eq!(of(3, &[]), "0 of 3. Next: 3 of alice, bob, carol, dave, erin: breakglass sign vault");
        assert_eq!(of(5, &[0, 1, 2]), "3 of 5: alice, bob, carol. Next: dave, erin: breakglass sign vault");
        assert_eq!(of(2, &[4, 0]), "2 of 2: alice, erin. Next: breakglass broadcast vault");
        assert_eq!(of(1, &[4, 0]), "2 of 1: alice, erin. Next: breakglass broadcast vault");
    }
}
