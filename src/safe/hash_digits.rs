//! The beginning of a safeTxHash, by which a person names one transaction of several.

use std::fmt;
use std::str::FromStr;

use super::SafeTxHash;

/// The fewest digits that name a hash: nobody makes another one with as many in common.
const FEWEST: usize = 16;

/// The first digits of a safeTxHash, in lower case and without `0x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashDigits(String);

impl HashDigits {
    pub fn names(&self, hash: SafeTxHash) -> bool {
        hash.to_string().trim_start_matches("0x").starts_with(&self.0)
    }
}

impl FromStr for HashDigits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && (FEWEST..=64).contains(&digits.len()) {
            return Ok(Self(digits));
        }
        Err(format!("{text:?} is not at least {FEWEST} digits of a safeTxHash"))
    }
}

impl fmt::Display for HashDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;

    #[test]
    fn sixteen_digits_and_no_fewer_name_a_hash() {
        let hash = SafeTxHash::claimed(B256::repeat_byte(0xab));
        let digits = |text: &str| text.parse::<HashDigits>();
        assert!(digits("0xABABABABABABABAB").unwrap().names(hash));
        assert!(digits(&hash.to_string()).unwrap().names(hash));
        assert!(!digits("abababababababac").unwrap().names(hash));
        for bad in ["", "0x", "ababababababaGab", "abababababababa", &"a".repeat(65)] {
            assert!(digits(bad).is_err(), "{bad}");
        }
    }
}
