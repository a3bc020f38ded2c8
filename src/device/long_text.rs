//! A text that may be signed as a personal message: never a hash, so never a Safe's signature.

use std::fmt;

/// The length of a hash. A Safe takes a personal message of this length for a signature.
const HASH: usize = 32;

/// Readable ASCII that is longer than a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongText(String);

impl LongText {
    /// `None` for a text that is not readable ASCII, or is not longer than a hash.
    pub fn new(text: &str) -> Option<Self> {
        let is_readable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        (is_readable && text.len() > HASH).then(|| Self(text.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for LongText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_and_what_a_device_shows_as_bytes_are_refused() {
        assert!(LongText::new(&"a".repeat(33)).is_some());
        for text in ["a".repeat(32), "a".repeat(31), format!("{}\n", "a".repeat(40)), "é".repeat(40)] {
            assert_eq!(LongText::new(&text), None, "{text:?}");
        }
    }
}
