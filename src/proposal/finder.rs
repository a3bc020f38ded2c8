//! Finds signatures in whatever people paste: our lines, our files, other tools' output, a whole chat.
//!
//! One pass over the text, whatever it holds: what is damaged or repeated is counted, and keeps nothing else out.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use alloy::primitives::{Address, hex};

use super::foreign_forms::{from_compact, from_parts};
use super::line::{self, ALPHABET, LineKind};
use super::owner_signature::{FIRST_LENGTH, FIRST_START, Stated};
use super::stated_ahead::{StatedAhead, nonce_before};
#[cfg(test)]
use super::tests::count_char;
use super::truncated::Truncated;
use super::wallet_signature::StatedContract;
use crate::safe::{Nonce, Packed, Purpose, decode_approvals, decode_exec, looks_packed};

/// The signatures of one text: every well-formed one, once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finds {
    /// Lines and files of ours: they say what they sign.
    pub stated: Vec<Stated>,
    /// Bare signatures of 65 bytes, which do not.
    pub bare: Vec<Stated>,
    /// Signatures of contracts.
    pub contracts: Vec<StatedContract>,
    /// Owners who are said to have approved on chain.
    pub approved: Vec<Address>,
    /// Signatures made ahead: each names the nonce that it is for.
    pub ahead: Vec<StatedAhead>,
    /// Lines that begin like ours and cannot be read.
    pub damaged: Truncated<Damaged>,
}

impl Finds {
    /// Returns `true` if some of it does not say which proposal it is for.
    pub fn has_bare(&self) -> bool {
        !self.bare.is_empty() || !self.approved.is_empty() || self.contracts.iter().any(|c| c.hash.is_none())
    }

    /// Returns `true` if no signature was found; damaged lines do not count.
    pub const fn is_empty(&self) -> bool {
        self.stated.is_empty()
            && self.bare.is_empty()
            && self.contracts.is_empty()
            && self.approved.is_empty()
    }
}

/// A line that begins like ours and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    pub line: String,
    pub why: String,
}

/// A 65-byte signature in hexadecimal.
const HEX_LENGTH: usize = 130;
/// A signature without v, which is the highest bit of s then (EIP-2098).
const COMPACT_LENGTH: usize = 128;
/// So many digits, and nothing else in a text, are a signature that was cut or got too long.
const ALMOST: RangeInclusive<usize> = 125..=135;
/// The longest run of digits that is read as several signatures, or as a call that carries them.
const LONGEST_HEX: usize = 1 << 20;
/// A wrapped run of digits counts only when it begins like a long one: two short numbers in a row are not a signature.
const HEX_BEGINNING: usize = 16;
/// The most characters that a chat puts into one wrapped line, beside one for each of its own.
const MOST_NOISE: usize = 400;
/// The most noise inside of a head: one fold.
const MOST_NOISE_IN_HEAD: usize = 12;

/// Finds every signature in a text.
///
/// A line of ours may be wrapped, indented, quoted (`>`, `|`, backticks, quotation marks) or capitalised. A bare signature is a run of
/// exactly 130 hexadecimal digits, wrapped or not, with or without `0x`, or of 128 with `0x` (EIP-2098); `eip712sign` prints one after `Signature:`. A longer run on
/// one line is read as the `signatures` argument of a Safe, or as the call that carries one. After `signer:nonce:` it is one
/// made ahead, as Base writes them.
pub fn find_signatures(text: &str) -> Finds {
    let mut finder = Finder::default();
    if let Some(stated) = Stated::from_json(text) {
        finder.add(stated);
        return finder.finds;
    }
    if let Some(stated) = StatedContract::from_json(text) {
        finder.add_contract(stated);
        return finder.finds;
    }
    if let Some(bytes) = from_parts(text) {
        finder.add(Stated::bare(bytes));
        return finder.finds;
    }
    // Letters of either case, and no more: indices into the lowered text are indices into this one.
    let lower = text.to_ascii_lowercase();
    let mut done = 0;
    for (start, _) in lower.match_indices(line::START) {
        let Some((form, head)) = Finder::form(&lower[start..]) else { continue };
        // Two lines cannot overlap: the alphabet of their data has no `b`.
        finder.read_hex_words(&lower[..start], done);
        done = start + head + finder.read_line(form, &lower[start + head..]);
    }
    finder.read_hex_words(&lower, done);
    if finder.finds.is_empty() {
        finder.report_almost(lower.trim());
    }
    finder.finds
}

#[derive(Default)]
struct Finder {
    finds: Finds,
    seen: HashSet<Stated>,
    seen_contracts: HashSet<StatedContract>,
    seen_ahead: HashSet<StatedAhead>,
    seen_approved: HashSet<Address>,
}

impl Finder {
    fn add(&mut self, stated: Stated) {
        if self.seen.insert(stated.clone()) {
            let list = if stated.hash.is_some() { &mut self.finds.stated } else { &mut self.finds.bare };
            list.push(stated);
        }
    }

    fn add_contract(&mut self, stated: StatedContract) {
        if self.seen_contracts.insert(stated.clone()) {
            self.finds.contracts.push(stated);
        }
    }

    fn add_packed(&mut self, packed: Packed) {
        match packed {
            Packed::Signature(bytes) => self.add(Stated::bare(bytes)),
            Packed::Contract(signature) => self.add_contract(StatedContract::bare(signature)),
            Packed::Approved(owner) if self.seen_approved.insert(owner) => {
                self.finds.approved.push(owner);
            }
            Packed::Approved(_) => {}
        }
    }

    /// Reads bytes that are longer than one signature: several, or the call that carries them.
    fn add_long(&mut self, bytes: &[u8]) {
        let signatures = decode_exec(bytes, Nonce::from(0)).map(|(_, signatures)| signatures);
        let is_call = signatures.is_some();
        // A selector, and whole words behind it.
        if is_call && bytes.len() % 32 != 4 {
            return self.add_damaged(bytes, "the call was cut: its end is missing".into());
        }
        match decode_approvals(signatures.as_ref().map_or(bytes, |signatures| &signatures[..])) {
            Ok(packed) => packed.into_iter().for_each(|packed| self.add_packed(packed)),
            // Any other data may be that long.
            Err(why) if is_call || looks_packed(bytes) => self.add_damaged(bytes, why.to_string()),
            Err(_) => {}
        }
    }

    fn add_damaged(&mut self, bytes: &[u8], why: String) {
        let line = format!("0x{}", hex::encode(&bytes[..32.min(bytes.len())]));
        self.finds.damaged.push(|| Damaged { line, why });
    }

    /// Says what is wrong with a text that is one signature but for its length.
    fn report_almost(&mut self, text: &str) {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if ALMOST.contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            let why = format!("a signature has {HEX_LENGTH} digits, and this has {}", digits.len());
            self.finds.damaged.push(|| Damaged { line: text.into(), why });
        }
    }

    fn add_ahead(&mut self, stated: StatedAhead) {
        if self.seen_ahead.insert(stated.clone()) {
            self.finds.ahead.push(stated);
        }
    }

    /// The form of the line that begins with `text`, and how many bytes its head takes. A fold may go through it.
    fn form(text: &str) -> Option<(LineFormat, usize)> {
        let mut forms = [LineFormat::First].into_iter().chain(LineKind::ALL.map(LineFormat::Second));
        forms.find_map(|form| {
            let mut head = form.head().chars().peekable();
            let mut noise = 0;
            for (at, c) in chars_of(text) {
                let next = *head.peek()?;
                if c == next {
                    head.next();
                } else if is_chat_noise(c) && noise < MOST_NOISE_IN_HEAD {
                    noise += 1;
                    continue;
                } else {
                    return None;
                }
                if head.peek().is_none() {
                    return Some((form, at + c.len_utf8()));
                }
            }
            None
        })
    }

    /// Reads the data of a line of ours from the start of `data`. Returns how many bytes are done with.
    fn read_line(&mut self, form: LineFormat, data: &str) -> usize {
        let head = form.head();
        let belongs = |c| ALPHABET.contains(c);
        let beginning = gather(data, form.beginning(), belongs);
        let mut line = format!("{head}{}", beginning.taken);
        let read = form.length(&beginning.taken).and_then(|length| {
            let gathered = gather(data, length, belongs);
            line = format!("{head}{}", gathered.taken);
            if gathered.taken.len() < length {
                return Err("it was cut: its end is missing; copy the whole line again");
            }
            Ok((form.read(&gathered.taken)?, gathered.used))
        });
        match read {
            Ok((ParsedLine::Signature(stated), used)) => {
                self.add(*stated);
                used
            }
            Ok((ParsedLine::Ahead(stated), used)) => {
                self.add_ahead(*stated);
                used
            }
            Ok((ParsedLine::Contract(stated), used)) => {
                self.add_contract(stated);
                used
            }
            Err(why) => {
                self.finds.damaged.push(|| Damaged { line, why: why.into() });
                0
            }
        }
    }

    /// Reads every word from `at` on that begins with a hexadecimal digit.
    fn read_hex_words(&mut self, text: &str, mut at: usize) {
        let mut inside_word = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        while let Some((_, c)) = chars_of(&text[at..]).next() {
            let begins = c.is_ascii_hexdigit() && !inside_word;
            at += if begins { self.read_hex(text, at) } else { c.len_utf8() };
            inside_word = c.is_ascii_alphanumeric();
        }
    }

    /// Reads a run of hexadecimal digits of a text from `at` on; a signature has exactly the right length. Returns how many bytes are done with.
    fn read_hex(&mut self, text: &str, at: usize) -> usize {
        let (before, text) = text.split_at(at);
        let prefix = if text.starts_with("0x") { 2 } else { 0 };
        let digits = &text[prefix..];
        let end = chars_of(digits).find(|(_, c)| !c.is_ascii_hexdigit());
        let straight = end.map_or(digits.len(), |(at, _)| at);
        let nonce = nonce_before(chars_before(before).filter(|c| !is_chat_noise(*c)));
        // After `signer:nonce:` even a run that is folded near its beginning is a signature.
        let least = if nonce.is_some() { 1 } else { HEX_BEGINNING };
        if (least..=HEX_LENGTH).contains(&straight) {
            let gathered = gather(digits, HEX_LENGTH, |c| c.is_ascii_hexdigit());
            let ends = !digits[gathered.used..].starts_with(|c: char| c.is_ascii_alphanumeric());
            if ends && let Some(bytes) = to_bytes(&gathered.taken) {
                match nonce {
                    Some(nonce) => self.add_ahead(StatedAhead { nonce, stated: Stated::bare(bytes) }),
                    None => self.add_packed(one_part(bytes)),
                }
                return prefix + gathered.used;
            }
        }
        if straight == COMPACT_LENGTH
            && prefix > 0
            && let Some(bytes) = to_bytes(&digits[..straight])
        {
            self.add(Stated::bare(from_compact(&bytes)));
            return prefix + straight;
        }
        if (HEX_LENGTH + 1..=LONGEST_HEX).contains(&straight)
            && let Ok(bytes) = hex::decode(&digits[..straight])
        {
            self.add_long(&bytes);
        }
        (prefix + straight).max(1)
    }
}

/// The forms of a line: each begins otherwise.
#[derive(Clone, Copy)]
enum LineFormat {
    First,
    Second(LineKind),
}

impl LineFormat {
    const fn head(self) -> &'static str {
        match self {
            Self::First => FIRST_START,
            Self::Second(kind) => kind.head(),
        }
    }

    /// Returns the number of characters at the beginning that state the length.
    const fn beginning(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second(_) => line::beginning(),
        }
    }

    fn length(self, beginning: &str) -> Result<usize, &'static str> {
        match self {
            Self::First => Ok(FIRST_LENGTH),
            Self::Second(_) => line::length(beginning),
        }
    }

    fn read(self, data: &str) -> Result<ParsedLine, &'static str> {
        match self {
            Self::First => Stated::from_line(&format!("{FIRST_START}{data}"))
                .map(|stated| ParsedLine::Signature(Box::new(stated))),
            Self::Second(kind @ (LineKind::Signature | LineKind::Drill)) => {
                let purpose = if kind == LineKind::Drill { Purpose::Drill } else { Purpose::Real };
                let fields = line::read(kind, data)?;
                match StatedContract::from_fields(&fields, purpose)? {
                    Some(stated) => Ok(ParsedLine::Contract(stated)),
                    None => Stated::from_fields(&fields, purpose)
                        .map(|stated| ParsedLine::Signature(Box::new(stated))),
                }
            }
            Self::Second(kind @ LineKind::Ahead) => {
                let stated = Stated::from_fields(&line::read(kind, data)?, Purpose::Real)?;
                let nonce = stated.claims.as_ref().and_then(|claims| claims.nonce);
                let nonce = nonce.ok_or("it is of a set that is signed ahead, and names no nonce")?;
                Ok(ParsedLine::Ahead(Box::new(StatedAhead { nonce, stated })))
            }
        }
    }
}

/// The result of reading a line.
enum ParsedLine {
    Signature(Box<Stated>),
    Ahead(Box<StatedAhead>),
    Contract(StatedContract),
}

/// Returns what 65 bytes are by themselves. Wallets write v as 0 or 1 too: only where r is an address it is an approval.
fn one_part(bytes: [u8; 65]) -> Packed {
    match decode_approvals(&bytes).as_deref() {
        Ok([approved @ Packed::Approved(_)]) => approved.clone(),
        _ => Packed::Signature(bytes),
    }
}

/// Returns the bytes of so many hexadecimal digits; `None` if there are more or fewer.
fn to_bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    hex::decode(digits).ok()?.try_into().ok()
}

/// Characters of an alphabet, taken out of what chats put between them.
struct CollectedChars {
    taken: String,
    /// Bytes up to the end of the last one taken.
    used: usize,
}

/// Takes up to `count` characters of an alphabet, and ends at the first that belongs neither to it nor to a chat.
fn gather(text: &str, count: usize, belongs: impl Fn(char) -> bool) -> CollectedChars {
    let mut gathered = CollectedChars { taken: String::new(), used: 0 };
    for (at, c) in chars_of(text).take(2 * count + MOST_NOISE) {
        if gathered.taken.len() == count {
            break;
        }
        if belongs(c) {
            gathered.taken.push(c);
            gathered.used = at + c.len_utf8();
        } else if !is_chat_noise(c) {
            break;
        }
    }
    gathered
}

/// Returns `true` for what a chat or a mail client puts into a wrapped line: white space, quoting, emphasis, a mail's `=` at the end of a
/// line, soft hyphens, zero-width characters.
fn is_chat_noise(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '>' | '|' | '`' | '*' | '_' | '~' | '=' | '\\' | '"' | '\'' | '«' | '»' | '‘'..='‟' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Returns the characters of a text with their places. A test counts each that is read: that is the work.
fn chars_of(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().inspect(|_| count_char())
}

/// Returns the characters of a text from its end.
fn chars_before(text: &str) -> impl Iterator<Item = char> {
    text.chars().rev().inspect(|_| count_char())
}

#[cfg(not(test))]
const fn count_char() {}
