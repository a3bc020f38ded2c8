//! A signature made ahead, as somebody hands it over.

use super::Stated;
use crate::safe::Nonce;

/// The most digits of a nonce, and those of an address.
const NONCE_DIGITS: usize = 78;
const ADDRESS_DIGITS: usize = 40;

/// A signature as somebody hands it over, with the nonce that it claims to be for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatedAhead {
    pub nonce: Nonce,
    pub stated: Stated,
}

/// Returns the nonce of Base's form, whose `signer:nonce:` comes before a signature; the characters are read backwards.
pub(super) fn nonce_before(mut back: impl Iterator<Item = char>) -> Option<Nonce> {
    if back.next()? != ':' {
        return None;
    }
    let mut digits = String::new();
    loop {
        match back.next()? {
            ':' => break,
            c if c.is_ascii_digit() && digits.len() < NONCE_DIGITS => digits.insert(0, c),
            _ => return None,
        }
    }
    let signer = back.by_ref().take(ADDRESS_DIGITS).filter(char::is_ascii_hexdigit).count();
    let is_address = signer == ADDRESS_DIGITS && (back.next()?, back.next()?) == ('x', '0');
    if is_address { digits.parse().ok() } else { None }
}
