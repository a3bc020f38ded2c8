//! Finds signatures in whatever people paste: our lines, our files, other tools' output, a whole chat.

use std::collections::HashSet;

use alloy::primitives::hex;

use super::signature::{LINE_LENGTH, LINE_PREFIX, Stated};

/// Something in a text that is, or was meant to be, a signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    Signature(Stated),
    /// A line that begins like ours and cannot be read.
    Damaged {
        line: String,
        why: String,
    },
}

/// How every line of ours begins.
const LINE_START: &str = "bgsig1";
/// No council has so many owners.
const MOST_FOUND: usize = 10_000;
/// A 65-byte signature in hexadecimal.
const HEX_LENGTH: usize = 130;

/// Finds every signature in a text, in order, each once.
///
/// A line of ours may be wrapped, indented, quoted (`>`, `|`, backticks) or capitalised. A bare signature is a run of
/// exactly 130 hexadecimal digits, wrapped or not, with or without `0x`; `eip712sign` prints one after `Signature:`.
#[must_use]
pub fn find_signatures(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(stated) = Stated::from_json(text) {
        return vec![Found::Signature(stated)];
    }
    // Letters of either case, and no more: indices into the lowered text are indices into this one.
    let lower = text.to_ascii_lowercase();
    let mut at = 0;
    let mut line = lower.find(LINE_START);
    while found.len() < MOST_FOUND {
        if line.is_some_and(|line| line < at) {
            line = lower[at..].find(LINE_START).map(|next| at + next);
        }
        let start = match (line, next_hex_word(&lower, at, line)) {
            (_, Some(word)) => word,
            (Some(line), None) => line,
            (None, None) => break,
        };
        let candidate = &lower[start..];
        let is_line = Some(start) == line;
        at = start + if is_line { read_line(candidate, &mut found) } else { read_hex(candidate, &mut found) };
    }
    let mut seen = HashSet::new();
    found.retain(|item| seen.insert(item.clone()));
    found
}

/// The next place, from `at` on and before `end`, where a word begins with a hexadecimal digit.
fn next_hex_word(text: &str, at: usize, end: Option<usize>) -> Option<usize> {
    let end = end.unwrap_or(text.len());
    let mut before = text[..at].chars().next_back().unwrap_or(' ');
    let rest = text.get(at..end)?;
    let word = rest.char_indices().find(|(_, c)| {
        let starts = c.is_ascii_hexdigit() && !before.is_ascii_alphanumeric();
        before = *c;
        starts
    });
    word.map(|(offset, _)| at + offset)
}

/// Reads a line of ours from the start of `text`; answers how many bytes are done with.
fn read_line(text: &str, found: &mut Vec<Found>) -> usize {
    let (line, used) = gather(text, LINE_LENGTH, |c| c.is_ascii_alphanumeric());
    found.push(match Stated::from_line(&line) {
        Ok(stated) => Found::Signature(stated),
        Err(why) => Found::Damaged { line: line.clone(), why },
    });
    if matches!(found.last(), Some(Found::Signature(_))) { used } else { LINE_PREFIX.len() + 1 }
}

/// Reads a run of hexadecimal digits; it is a signature only when it has exactly the right length.
fn read_hex(text: &str, found: &mut Vec<Found>) -> usize {
    let prefix = if text.starts_with("0x") { 2 } else { 0 };
    let straight = text[prefix..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len() - prefix);
    let (digits, used) = gather(&text[prefix..], HEX_LENGTH, |c| c.is_ascii_hexdigit());
    let ends = !text[prefix + used..].starts_with(|c: char| c.is_ascii_alphanumeric());
    // A wrapped run counts only when it begins like a long one; two short numbers in a row are not a signature.
    let whole = digits.len() == HEX_LENGTH && ends && straight >= 16;
    if let Some(bytes) = whole.then(|| hex::decode(&digits).ok()?.try_into().ok()).flatten() {
        found.push(Found::Signature(Stated { hash: None, bytes, accepted: Vec::new() }));
        return prefix + used;
    }
    (prefix + straight).max(1)
}

/// Takes up to `count` characters of an alphabet, stepping over what chats put between them.
fn gather(text: &str, count: usize, belongs: impl Fn(char) -> bool) -> (String, usize) {
    let mut taken = String::new();
    let mut used = 0;
    for (at, c) in text.char_indices() {
        if taken.len() == count {
            break;
        }
        if belongs(c) {
            taken.push(c);
            used = at + c.len_utf8();
        } else if !is_chat_noise(c) {
            break;
        }
    }
    (taken, used)
}

/// What a chat or a mail client puts into a wrapped line: white space, quoting, soft hyphens, zero-width characters.
fn is_chat_noise(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '>' | '|' | '`' | '*' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}
