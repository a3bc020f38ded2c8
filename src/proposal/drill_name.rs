//! The name of a drill, by which every machine derives it alone: `drill:vault-n42-7f3a`.

use std::str::FromStr;

use super::Proposal;
use crate::safe::{Nonce, SafeTxHash, parse_uint};

/// The beginning of every name.
const START: &str = "drill:";
/// The digits of the hash in a name that is printed, and the fewest of one that is read.
const DIGITS: usize = 4;
const MOST_LEVERS: usize = 50;
/// The longest name, in characters.
const LONGEST: usize = 2_000;

/// The levers of a drill, its nonce, and the first digits of its safeTxHash: what another machine has to come to as well.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{START}{}-n{nonce}-{head}", levers.join("+"))]
pub struct DrillName {
    /// As they were pulled: simple or combined, at least one.
    levers: Vec<String>,
    nonce: Nonce,
    /// Small hexadecimal digits.
    head: String,
}

/// A text that does not name a drill.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not the name of a drill: it is written as drill:LEVER-nNONCE-HASH, drill:vault-n42-7f3a")]
pub struct BadDrillName(String);

impl DrillName {
    /// Returns `true` for a word that is meant to name a drill, well-formed or not.
    pub fn looks_like_drill_name(word: &str) -> bool {
        word.starts_with(START)
    }

    /// The name of a drill. `None` for what is real, or comes from no lever.
    pub fn of(proposal: &Proposal) -> Option<Self> {
        let levers = proposal.binding().pull().names.clone();
        let head = digits(proposal.hash()).chars().take(DIGITS).collect();
        let is_named = proposal.is_drill() && !levers.is_empty();
        is_named.then(|| Self { levers, nonce: proposal.nonce(), head })
    }

    /// Returns `true` if this drill is meant: at its nonce, with these digits.
    pub fn names(&self, proposal: &Proposal) -> bool {
        proposal.is_drill() && proposal.nonce() == self.nonce && self.matches_hash(proposal.hash())
    }

    /// Returns `true` if a hash begins with its digits.
    pub fn matches_hash(&self, hash: SafeTxHash) -> bool {
        digits(hash).starts_with(&self.head)
    }

    pub fn levers(&self) -> &[String] {
        &self.levers
    }

    pub const fn nonce(&self) -> Nonce {
        self.nonce
    }

    /// The first digits of the safeTxHash.
    pub fn head(&self) -> &str {
        &self.head
    }
}

fn digits(hash: SafeTxHash) -> String {
    hash.to_string().trim_start_matches("0x").to_ascii_lowercase()
}

impl FromStr for DrillName {
    type Err = BadDrillName;

    fn from_str(word: &str) -> Result<Self, BadDrillName> {
        let bad = || BadDrillName(word.chars().take(100).collect());
        let rest = word.strip_prefix(START).filter(|rest| rest.len() <= LONGEST).ok_or_else(bad)?;
        // A lever's name may have hyphens: the last two parts are the nonce and the digits.
        let (rest, head) = rest.rsplit_once('-').ok_or_else(bad)?;
        let (levers, nonce) = rest.rsplit_once("-n").ok_or_else(bad)?;
        let is_head = (DIGITS..=64).contains(&head.len()) && head.bytes().all(|b| b.is_ascii_hexdigit());
        let is_nonce = nonce.bytes().all(|b| b.is_ascii_digit());
        let levers: Vec<String> = levers.split('+').map(String::from).collect();
        if !is_head || !is_nonce || levers.len() > MOST_LEVERS || levers.iter().any(String::is_empty) {
            return Err(bad());
        }
        let nonce = parse_uint(nonce).map(Nonce).ok_or_else(bad)?;
        Ok(Self { levers, nonce, head: head.to_ascii_lowercase() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_says_levers_nonce_and_digits() {
        for (word, levers, nonce, head) in [
            ("drill:vault-n42-7f3a", &["vault"][..], 42, "7f3a"),
            ("drill:vault+oracle-n0-7F3A", &["vault", "oracle"], 0, "7f3a"),
            ("drill:new-n7-owner-n8-00ff12", &["new-n7-owner"], 8, "00ff12"),
        ] {
            let name: DrillName = word.parse().unwrap();
            assert_eq!(name.levers(), levers);
            assert_eq!((name.nonce(), name.head()), (Nonce::from(nonce), head));
            assert_eq!(name.to_string(), word.replace("7F3A", "7f3a"));
        }
        let long = format!("drill:{}-n42-7f3a", "a".repeat(3_000));
        for word in [
            "vault-n42-7f3a",
            "drill:vault",
            "drill:vault-42-7f3a",
            "drill:vault-n42-7f3",
            "drill:vault-n42-7f3g",
            "drill:-n42-7f3a",
            "drill:vault+-n42-7f3a",
            "drill:vault-n-1-7f3a",
            "drill:vault-n+1-7f3a",
            "drill:vault-n-7f3a",
            &long,
        ] {
            assert!(word.parse::<DrillName>().is_err(), "{word}");
        }
    }

    proptest! {
        #[test]
        fn no_word_panics_and_a_name_comes_back(word in "(drill:)?[a-z0-9+-]{0,40}(-n[0-9]{0,4}-[0-9a-f]{0,6})?") {
            if let Ok(name) = word.parse::<DrillName>() {
                prop_assert_eq!(name.to_string().parse::<DrillName>(), Ok(name));
            }
        }
    }
}
