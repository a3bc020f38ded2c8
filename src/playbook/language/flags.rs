//! Bits of a number that have names: `[deposit, withdraw]` for 5. Pure.

use std::collections::BTreeMap;

use alloy::primitives::U256;

use super::literal::without_separators;
use crate::near::hint;
use crate::safe::parse_uint;

/// Names and their bits, in the order of the bits. No flags for a number that is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags(Vec<(String, U256)>);

impl Flags {
    /// Fails for a name that could be read as a number or as two names, a value of zero, and a value that another name
    /// has.
    pub(in crate::playbook) fn new(flags: &BTreeMap<String, u64>) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let is_name =
            |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain);
        let mut named: Vec<(String, U256)> = Vec::new();
        for (name, value) in flags {
            if !is_name(name) {
                return Err(format!("{name:?} is not a flag's name: use letters, digits, _ and -"));
            }
            if *value == 0 {
                return Err(format!("{name} is 0, which is not a bit"));
            }
            if let Some((other, _)) = named.iter().find(|(_, known)| *known == U256::from(*value)) {
                return Err(format!("{other} and {name} are both {value}"));
            }
            named.push((name.clone(), U256::from(*value)));
        }
        named.sort_by_key(|(_, value)| *value);
        Ok(Self(named))
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in the order of their bits.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Reads `[deposit, withdraw]`, `deposit, withdraw` or a whole number.
    /// Fails for a name that is none of them.
    pub(in crate::playbook) fn parse(&self, text: &str) -> Result<U256, String> {
        let text = text.trim();
        if let Some(number) = without_separators(text).and_then(|digits| parse_uint(&digits)) {
            return Ok(number);
        }
        let inner = text.strip_prefix('[').map_or(Some(text), |t| t.strip_suffix(']'));
        let inner = inner.ok_or_else(|| format!("{text:?} has no closing ]"))?.trim();
        let mut words = inner.split(',').map(str::trim).filter(|_| !inner.is_empty());
        words.try_fold(U256::ZERO, |bits, word| {
            let found = self.0.iter().find(|(name, _)| name == word);
            let wrong = || {
                let known = self.names().collect::<Vec<_>>();
                format!("no flag is called {word:?}; {}", hint(word, known))
            };
            Ok(bits | found.ok_or_else(wrong)?.1)
        })
    }

    /// `deposit, withdraw (5)`; a bit without a name by its number.
    pub fn show(&self, value: U256) -> String {
        let named = self.0.iter().filter(|(_, bits)| value & *bits == *bits);
        let (mut rest, mut words) = (value, Vec::new());
        for (name, bits) in named {
            rest &= !*bits;
            words.push(name.clone());
        }
        words.extend((0..256).filter(|n| rest.bit(*n)).map(|n| format!("bit {n}")));
        match words.len() {
            0 => "none (0)".into(),
            n if n > MOST_SHOWN => format!("{} bits ({value})", value.count_ones()),
            _ => format!("{} ({value})", words.join(", ")),
        }
    }
}

/// The most flags that are shown by name.
const MOST_SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(named: &[(&str, u64)]) -> Result<Flags, String> {
        Flags::new(&named.iter().map(|(name, value)| ((*name).into(), *value)).collect())
    }

    #[test]
    fn bits_are_read_and_shown_by_name() {
        let flags = flags(&[("withdraw", 4), ("deposit", 1), ("mint", 2)]).unwrap();
        for (text, value, shown) in [
            ("[deposit, withdraw]", 5, "deposit, withdraw (5)"),
            ("withdraw , deposit", 5, "deposit, withdraw (5)"),
            ("mint", 2, "mint (2)"),
            ("[]", 0, "none (0)"),
            ("0x13", 19, "deposit, mint, bit 4 (19)"),
            ("7", 7, "deposit, mint, withdraw (7)"),
        ] {
            assert_eq!(flags.parse(text), Ok(U256::from(value)), "{text}");
            assert_eq!(flags.show(U256::from(value)), shown);
        }
        assert_eq!(flags.show(U256::MAX), format!("256 bits ({})", U256::MAX));
        for (text, why) in [
            ("deposits", "no flag is called \"deposits\"; did you mean \"deposit\"?"),
            ("[deposit", "has no closing ]"),
            ("deposit,", "no flag is called \"\""),
            ("-1", "no flag is called \"-1\""),
        ] {
            let error = flags.parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn names_that_could_be_misread_are_refused() {
        for (named, why) in [
            (&[("a,b", 1)][..], "is not a flag's name"),
            (&[("7", 1)], "is not a flag's name"),
            (&[("a", 0)], "a is 0"),
            (&[("a", 2), ("b", 2)], "a and b are both 2"),
        ] {
            assert!(flags(named).unwrap_err().contains(why));
        }
    }
}
