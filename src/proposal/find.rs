//! Finds signatures in whatever people paste: our lines, our files, other tools' output, a whole chat.
//!
//! One pass over the text, whatever it holds: what is damaged or repeated is counted, and keeps nothing else out.

use std::collections::HashSet;

use alloy::primitives::hex;

use super::few::Few;
use super::signature::{LINE_LENGTH, LINE_START, Stated};

/// What one text holds: every well-formed signature, each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finds {
    /// Lines and files of ours: they say what they sign.
    pub stated: Vec<Stated>,
    /// Bare signatures of 65 bytes, which do not.
    pub bare: Vec<Stated>,
    /// Lines that begin like ours and cannot be read.
    pub damaged: Few<Damaged>,
    /// How many characters were looked at, those that were looked at twice counted twice.
    pub work: usize,
}

/// A line that begins like ours and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    pub line: String,
    pub why: &'static str,
}

/// A 65-byte signature in hexadecimal.
const HEX_LENGTH: usize = 130;
/// A wrapped run of digits counts only when it begins like a long one: two short numbers in a row are not a signature.
const HEX_BEGINNING: usize = 16;
/// The most characters that a chat puts into one wrapped line.
const MOST_NOISE: usize = 400;

/// Finds every signature in a text.
///
/// A line of ours may be wrapped, indented, quoted (`>`, `|`, backticks) or capitalised. A bare signature is a run of
/// exactly 130 hexadecimal digits, wrapped or not, with or without `0x`; `eip712sign` prints one after `Signature:`.
#[must_use]
pub fn find_signatures(text: &str) -> Finds {
    let mut finder = Finder::default();
    if let Some(stated) = Stated::from_json(text) {
        finder.add(stated);
        return finder.finds;
    }
    // Letters of either case, and no more: indices into the lowered text are indices into this one.
    let lower = text.to_ascii_lowercase();
    let mut done = 0;
    for (start, _) in lower.match_indices(LINE_START) {
        // Two lines cannot overlap: the alphabet of their data has no `b`.
        finder.read_hex_words(&lower[..start], done);
        done = start + finder.read_line(&lower[start..]);
    }
    finder.read_hex_words(&lower, done);
    finder.finds.work += lower.len();
    finder.finds
}

#[derive(Default)]
struct Finder {
    finds: Finds,
    seen: HashSet<Stated>,
}

impl Finder {
    fn add(&mut self, stated: Stated) {
        if self.seen.insert(stated.clone()) {
            let list = if stated.hash.is_some() { &mut self.finds.stated } else { &mut self.finds.bare };
            list.push(stated);
        }
    }

    /// Reads a line of ours from the start of `text`. Returns how many bytes are done with.
    fn read_line(&mut self, text: &str) -> usize {
        let data = &text[LINE_START.len()..];
        let gathered = gather(data, LINE_LENGTH - LINE_START.len(), |c| BECH32.contains(c));
        self.finds.work += gathered.seen;
        let line = format!("{LINE_START}{}", gathered.taken);
        match Stated::from_line(&line) {
            Ok(stated) => {
                self.add(stated);
                LINE_START.len() + gathered.used
            }
            Err(why) => {
                self.finds.damaged.push(|| Damaged { line, why });
                LINE_START.len()
            }
        }
    }

    /// Reads every word from `at` on that begins with a hexadecimal digit.
    fn read_hex_words(&mut self, text: &str, mut at: usize) {
        let mut inside_word = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        while let Some(c) = text[at..].chars().next() {
            let begins = c.is_ascii_hexdigit() && !inside_word;
            at += if begins { self.read_hex(&text[at..]) } else { c.len_utf8() };
            inside_word = c.is_ascii_alphanumeric();
        }
    }

    /// Reads a run of hexadecimal digits from the start of `text`; a signature has exactly the right length. Returns how many bytes are done with.
    fn read_hex(&mut self, text: &str) -> usize {
        let prefix = if text.starts_with("0x") { 2 } else { 0 };
        let digits = &text[prefix..];
        let straight = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
        self.finds.work += straight;
        if (HEX_BEGINNING..=HEX_LENGTH).contains(&straight) {
            let gathered = gather(digits, HEX_LENGTH, |c| c.is_ascii_hexdigit());
            self.finds.work += gathered.seen;
            let ends = !digits[gathered.used..].starts_with(|c: char| c.is_ascii_alphanumeric());
            let whole = gathered.taken.len() == HEX_LENGTH && ends;
            let bytes = whole.then(|| hex::decode(&gathered.taken).ok()?.try_into().ok()).flatten();
            if let Some(bytes) = bytes {
                self.add(Stated { hash: None, bytes, accepted: Vec::new() });
                return prefix + gathered.used;
            }
        }
        (prefix + straight).max(1)
    }
}

/// The characters of a line's data.
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Characters of an alphabet, taken out of what chats put between them.
struct Gathered {
    taken: String,
    /// Bytes up to the end of the last one taken.
    used: usize,
    /// Characters looked at.
    seen: usize,
}

/// Takes up to `count` characters of an alphabet, and ends at the first that belongs neither to it nor to a chat.
fn gather(text: &str, count: usize, belongs: impl Fn(char) -> bool) -> Gathered {
    let mut gathered = Gathered { taken: String::new(), used: 0, seen: 0 };
    for (at, c) in text.char_indices() {
        if gathered.taken.len() == count || gathered.seen > count + MOST_NOISE {
            break;
        }
        gathered.seen += 1;
        if belongs(c) {
            gathered.taken.push(c);
            gathered.used = at + c.len_utf8();
        } else if !is_chat_noise(c) {
            break;
        }
    }
    gathered
}

/// What a chat or a mail client puts into a wrapped line: white space, quoting, soft hyphens, zero-width characters.
fn is_chat_noise(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '>' | '|' | '`' | '*' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}
