//! Nonces in a row.

use std::str::FromStr;

use alloy::primitives::U256;
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::tx::Nonce;

/// Nonces in a row, both ends included: `42..61`. At most [`Nonces::MOST`] of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display, SerializeDisplay, DeserializeFromStr)]
#[display("{first}..{}", self.last())]
pub struct Nonces {
    first: Nonce,
    /// From 1 on.
    count: u64,
}

/// The reason that a text is not a range of nonces.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadNonces {
    #[error("{0:?} is not of the form 42..61, first and last nonce, both included")]
    Form(String),
    #[error("{first}..{last} ends before it begins")]
    Backwards { first: Nonce, last: Nonce },
    #[error("{0} nonces are too many: at most {most} at once", most = Nonces::MOST)]
    Many(U256),
}

impl Nonces {
    /// The most nonces in a row: more than anybody approves on a device in one sitting.
    pub const MOST: u64 = 100;

    /// Fails if the last comes before the first, or there are too many.
    pub fn new(first: Nonce, last: Nonce) -> Result<Self, BadNonces> {
        let further = last.0.checked_sub(first.0).ok_or(BadNonces::Backwards { first, last })?;
        let count = further.saturating_add(U256::ONE);
        match u64::try_from(count) {
            Ok(count @ 1..=Self::MOST) => Ok(Self { first, count }),
            _ => Err(BadNonces::Many(count)),
        }
    }

    pub const fn first(self) -> Nonce {
        self.first
    }

    /// Returns the last nonce, which belongs to the range.
    pub fn last(self) -> Nonce {
        self.first.plus(self.count - 1)
    }

    /// Returns the number of nonces: at least 1.
    pub const fn count(self) -> u64 {
        self.count
    }

    pub fn iter(self) -> impl Iterator<Item = Nonce> {
        (0..self.count).map(move |n| self.first.plus(n))
    }
}

impl FromStr for Nonces {
    type Err = BadNonces;

    fn from_str(text: &str) -> Result<Self, BadNonces> {
        let form = || BadNonces::Form(text.chars().take(80).collect());
        let number = |digits: &str| -> Result<Nonce, BadNonces> {
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            if is_number { digits.parse().map(Nonce).map_err(|_| form()) } else { Err(form()) }
        };
        let (first, last) = text.split_once("..").ok_or_else(form)?;
        Self::new(number(first)?, number(last)?)
    }
}

/// Returns the nonces in brief: `nonce 42`, or `nonces 42 to 44, 47, 50 to 61`.
pub fn listed(nonces: impl IntoIterator<Item = Nonce>) -> String {
    let mut sorted: Vec<Nonce> = nonces.into_iter().collect();
    sorted.sort();
    sorted.dedup();
    let what = if sorted.len() == 1 { "nonce" } else { "nonces" };
    let mut runs: Vec<(Nonce, Nonce)> = Vec::new();
    for nonce in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.next() == nonce => *last = nonce,
            _ => runs.push((nonce, nonce)),
        }
    }
    let run = |(first, last): (Nonce, Nonce)| match last {
        last if last == first => first.to_string(),
        last if last == first.next() => format!("{first}, {last}"),
        last => format!("{first} to {last}"),
    };
    format!("{what} {}", runs.into_iter().map(run).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_included() {
        let nonces: Nonces = "42..61".parse().unwrap();
        assert_eq!((nonces.count(), nonces.to_string()), (20, "42..61".into()));
        let all: Vec<Nonce> = nonces.iter().collect();
        assert_eq!((all[0], all[19]), (Nonce::from(42), Nonce::from(61)));
        assert_eq!("7..7".parse::<Nonces>().unwrap().count(), 1);
    }

    #[test]
    fn a_text_that_is_not_a_range_of_nonces_is_refused() {
        for text in ["", "42", "42..", "..61", "42...61", "a..b", "-1..2", "1..0x5", "1 ..2", "+1..2"] {
            assert!(matches!(text.parse::<Nonces>(), Err(BadNonces::Form(_))), "{text}");
        }
        assert!(matches!("61..42".parse::<Nonces>(), Err(BadNonces::Backwards { .. })));
        assert_eq!("0..100".parse::<Nonces>(), Err(BadNonces::Many(U256::from(101))));
        let all = format!("0..{}", U256::MAX);
        assert_eq!(all.parse::<Nonces>(), Err(BadNonces::Many(U256::MAX)));
        assert!("0..99".parse::<Nonces>().is_ok());
    }

    #[test]
    fn nonces_are_listed_in_runs() {
        let of = |all: &[u64]| listed(all.iter().copied().map(Nonce::from));
        assert_eq!(of(&[44, 42, 43, 47, 50, 51, 43]), "nonces 42 to 44, 47, 50, 51");
        assert_eq!([of(&[7, 7]), of(&[7, 8])], ["nonce 7", "nonces 7, 8"]);
    }
}
