//! Numbers by name: bits, `[deposit, withdraw]` for 5, or whole values such as those of an enum, `finalization` for 6. Pure.

use std::collections::BTreeMap;

use alloy::primitives::U256;

use super::literal::without_separators;
use crate::near::hint;
use crate::safe::parse_uint;

/// Names and their values, in the order of the values. No names for a number that is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    named: Vec<(String, U256)>,
    /// A value is exactly one of them. Else they are bits, and a value may have several.
    is_choice: bool,
}

impl Flags {
    /// Fails for a name that could be read as a number or as two names, a bit of zero, and a value that another name
    /// has.
    pub(in crate::playbook) fn new(flags: &BTreeMap<String, u64>, is_choice: bool) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let is_name =
            |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain);
        let mut named: Vec<(String, U256)> = Vec::new();
        for (name, value) in flags {
            if !is_name(name) {
                return Err(format!("{name:?} is not a name here: use letters, digits, _ and -"));
            }
            if *value == 0 && !is_choice {
                return Err(format!("{name} is 0, which is not a bit"));
            }
            if let Some((other, _)) = named.iter().find(|(_, known)| *known == U256::from(*value)) {
                return Err(format!("{other} and {name} are both {value}"));
            }
            named.push((name.clone(), U256::from(*value)));
        }
        named.sort_by_key(|(_, value)| *value);
        Ok(Self { named, is_choice })
    }

    pub const fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Returns `true` if a value is exactly one of the names.
    pub const fn is_choice(&self) -> bool {
        self.is_choice
    }

    /// The names, in the order of their values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }

    /// Reads bits as `[deposit, withdraw]`, `deposit, withdraw` or a whole number, and a choice as `finalization` or the
    /// number of one.
    /// Fails for a name or a choice that is none of them.
    pub(in crate::playbook) fn parse(&self, text: &str) -> Result<U256, String> {
        let text = text.trim();
        let number = without_separators(text).and_then(|digits| parse_uint(&digits));
        match number {
            Some(number) if self.is_choice && self.named.iter().all(|(_, value)| *value != number) => {
                let known = self.names().collect::<Vec<_>>().join(", ");
                return Err(format!("{number} is none of the choices: {known}"));
            }
            Some(number) => return Ok(number),
            None if self.is_choice => return self.value_of(text),
            None => {}
        }
        items(text)?.into_iter().try_fold(U256::ZERO, |bits, word| Ok(bits | self.value_of(word)?))
    }

    fn value_of(&self, word: &str) -> Result<U256, String> {
        let found = self.named.iter().find(|(name, _)| name == word);
        let wrong = || {
            let what = if self.is_choice { "choice" } else { "flag" };
            format!("no {what} is called {word:?}; {}", hint(word, self.names().collect::<Vec<_>>()))
        };
        found.map(|(_, value)| *value).ok_or_else(wrong)
    }

    /// `deposit, withdraw (5)`; a bit without a name by its number. Of a choice its name: `finalization (6)`.
    pub fn show(&self, value: U256) -> String {
        if self.is_choice {
            let name = self.named.iter().find(|(_, known)| *known == value);
            return name.map_or_else(|| value.to_string(), |(name, _)| format!("{name} ({value})"));
        }
        let named = self.named.iter().filter(|(_, bits)| value & *bits == *bits);
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

/// The items of `[a, b]` or `a, b`.
pub(in crate::playbook) fn items(text: &str) -> Result<Vec<&str>, String> {
    let text = text.trim();
    let inner = text.strip_prefix('[').map_or(Some(text), |t| t.strip_suffix(']'));
    let inner = inner.ok_or_else(|| format!("{text:?} has no closing ]"))?.trim();
    Ok(inner.split(',').map(str::trim).filter(|_| !inner.is_empty()).collect())
}

/// The most flags that are shown by name.
const MOST_SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(named: &[(&str, u64)]) -> Result<Flags, String> {
        Flags::new(&named.iter().map(|(name, value)| ((*name).into(), *value)).collect(), false)
    }

    /// An enum of Solidity: zero is a value, and two names are not a third.
    #[test]
    fn a_choice_is_exactly_one_of_the_names() {
        let named = [("unused", 0), ("general", 1), ("l1_l2", 2), ("l2_l1", 3)];
        let choices = named.map(|(name, value)| (name.to_string(), value)).into();
        let choices = Flags::new(&choices, true).unwrap();
        for (text, value, shown) in
            [("general", 1, "general (1)"), (" l2_l1 ", 3, "l2_l1 (3)"), ("0", 0, "unused (0)")]
        {
            assert_eq!(choices.parse(text), Ok(U256::from(value)), "{text}");
            assert_eq!(choices.show(U256::from(value)), shown);
        }
        assert_eq!(choices.show(U256::from(9)), "9");
        for (text, why) in [
            ("4", "4 is none of the choices: unused, general, l1_l2, l2_l1"),
            ("generals", "no choice is called \"generals\"; did you mean \"general\"?"),
            ("[general]", "no choice is called \"[general]\""),
            ("general, l1_l2", "no choice is called \"general, l1_l2\""),
        ] {
            let error = choices.parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
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
            (&[("a,b", 1)][..], "is not a name here"),
            (&[("7", 1)], "is not a name here"),
            (&[("a", 0)], "a is 0"),
            (&[("a", 2), ("b", 2)], "a and b are both 2"),
        ] {
            assert!(flags(named).unwrap_err().contains(why));
        }
    }
}
