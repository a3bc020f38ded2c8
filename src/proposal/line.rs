//! The form of a line, version 2: one word that survives a chat, whatever it carries.
//!
//! ```text
//! line  = head ‖ base32( length ‖ fields ‖ checksum )
//! field = tag (1 byte) ‖ length of value (1 byte below 128, else 2 with the highest bit set) ‖ value
//! ```
//!
//! - The head says what kind of line it is, [`LineKind`]: a line of a drill begins otherwise than a line of an incident. What
//!   later kinds carry (an "I am awake", a roll call, signatures for a set of nonces) gets a head of its own.
//! - Base32 in bech32's alphabet: letters of either case, no `b`, `i`, `o` and `1`. So no head can stand inside of data, and
//!   nothing in it means anything to a chat, a mail program or a shell. In capitals it fits the letters of a QR code.
//! - The length, of the fields in bytes (2 bytes), stands first: a reader knows where the line ends, whatever follows it.
//! - The checksum is the first 5 bytes of keccak256 over head, length and fields. It finds mistakes. It is not a proof.
//! - Fields below tag 16 are what the line is worth: a reader that does not know one refuses the line. From 16 on they
//!   are claims: a reader passes over those that it does not know.

use alloy::primitives::keccak256;
use bech32::{ByteIterExt, Fe32, Fe32IterExt};

use crate::safe::Purpose;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// An owner's signature.
    Signature,
    /// A signature of a drill: it can be used nowhere.
    Drill,
    /// A signature made ahead, for a nonce that it names: who has enough of them can use them without asking anybody.
    Ahead,
}

impl LineKind {
    /// Returns the kind of the lines of signatures for a purpose.
    pub(super) const fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Real => Self::Signature,
            Purpose::Drill => Self::Drill,
        }
    }

    pub(super) const ALL: [Self; 3] = [Self::Signature, Self::Drill, Self::Ahead];

    /// Returns the beginning of its lines.
    pub(super) const fn head(self) -> &'static str {
        match self {
            Self::Signature => "bgsig2",
            Self::Drill => "bgdrill2",
            Self::Ahead => "bgset2",
        }
    }
}

/// The beginning of every line of either version. It stands in no data.
pub(super) const START: char = 'b';
/// The characters of a line's data.
pub(super) const ALPHABET: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// The first tag of a claim.
pub(super) const FIRST_CLAIM: u8 = 16;
/// The characters that hold the length.
const LENGTH_CHARS: usize = 4;
const LENGTH_BYTES: usize = 2;
const CHECK_BYTES: usize = 5;
/// The most bytes of fields that are read: room for contract signatures within contract signatures.
const MOST_BYTES: usize = 4_096;
const MOST_FIELDS: usize = 64;
/// The most characters of a line that we write: a chat shows it whole, and mail folds it into eight lines.
const MOST_CHARS: usize = 598;
const WITHOUT_HEAD: usize = MOST_CHARS - 8;

/// A value and what it is.
pub(super) type Field = (u8, Vec<u8>);

const NEWER: &str = "it was written by a newer version of this program: update yours";
const WRONG: &str = "a part of it is missing or mistyped: copy the whole line again";
const MALFORMED: &str = "what it carries cannot be read";

/// The fields of a line that is written, as many as fit.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Adds a field. Returns `false` if the line has no room for it.
    pub(super) fn add(&mut self, tag: u8, value: &[u8]) -> bool {
        self.add_leaving(0, tag, value)
    }

    /// Adds a field if so many bytes are left free after it.
    pub(super) fn add_leaving(&mut self, free: usize, tag: u8, value: &[u8]) -> bool {
        let room = WITHOUT_HEAD * 5 / 8 - LENGTH_BYTES - CHECK_BYTES - free;
        let length = match u16::try_from(value.len()) {
            Ok(short @ 0..0x80) => vec![short.to_be_bytes()[1]],
            // A line has no room for one of 32 KiB or more.
            Ok(long) => (0x8000 | long).to_be_bytes().to_vec(),
            Err(_) => return false,
        };
        if self.bytes.len() + 1 + length.len() + value.len() > room {
            return false;
        }
        self.bytes.extend([&[tag], &length[..], value].concat());
        true
    }

    pub(super) fn line(&self, kind: LineKind) -> String {
        // Bounded above, see `add`.
        let length = u16::try_from(self.bytes.len()).unwrap_or_default().to_be_bytes();
        let checked = [&length[..], &self.bytes].concat();
        let all = [&checked[..], &checksum(kind, &checked)].concat();
        kind.head().chars().chain(all.iter().copied().bytes_to_fes().map(Fe32::to_char)).collect()
    }
}

/// Returns how many characters of data a line has, by its first characters; `None` if they are not a length that is read.
pub(super) fn length(data: &str) -> Result<usize, &'static str> {
    let digits: Vec<u8> = data.chars().take(LENGTH_CHARS).filter_map(to_bits).collect();
    let [a, b, c, d] = digits[..] else { return Err(WRONG) };
    // Twenty bits, of which the length is sixteen.
    let bits = [a, b, c, d].iter().fold(0_usize, |all, digit| all << 5 | usize::from(*digit));
    let bytes = bits >> 4;
    if bytes > MOST_BYTES {
        return Err(WRONG);
    }
    Ok(((LENGTH_BYTES + bytes + CHECK_BYTES) * 8).div_ceil(5))
}

/// The number of characters that [`length`] needs.
pub(super) const fn beginning() -> usize {
    LENGTH_CHARS
}

/// Reads the data of a line, in small letters, without anything that a chat has put between them.
pub(super) fn read(kind: LineKind, data: &str) -> Result<Vec<Field>, &'static str> {
    if data.chars().count() != length(data)? {
        return Err(WRONG);
    }
    let digits = data.chars().map(|c| Fe32::from_char(c).map_err(|_| WRONG));
    let digits: Vec<Fe32> = digits.collect::<Result<_, _>>()?;
    let bytes: Vec<u8> = digits.iter().copied().fes_to_bytes().collect();
    // No bit left over may be set: one line has one form.
    if bytes.iter().copied().bytes_to_fes().ne(digits) {
        return Err(WRONG);
    }
    let (checked, check) = bytes.split_at_checked(bytes.len().saturating_sub(CHECK_BYTES)).ok_or(WRONG)?;
    if check != checksum(kind, checked) {
        return Err(WRONG);
    }
    fields(checked.get(LENGTH_BYTES..).ok_or(WRONG)?)
}

fn fields(mut bytes: &[u8]) -> Result<Vec<Field>, &'static str> {
    let mut fields = Vec::new();
    while let [tag, rest @ ..] = bytes {
        let (length, rest) = match rest {
            [short @ 0..0x80, rest @ ..] => (usize::from(*short), rest),
            [high, low, rest @ ..] => (usize::from(u16::from_be_bytes([high & 0x7f, *low])), rest),
            _ => return Err(MALFORMED),
        };
        let (value, rest) = rest.split_at_checked(length).ok_or(MALFORMED)?;
        fields.push((*tag, value.to_vec()));
        if fields.len() > MOST_FIELDS {
            return Err(MALFORMED);
        }
        bytes = rest;
    }
    Ok(fields)
}

/// Returns the one value with this tag; an error if there are several.
pub(super) fn single(fields: &[Field], tag: u8) -> Result<Option<&[u8]>, &'static str> {
    let mut all = fields.iter().filter(|(t, _)| *t == tag).map(|(_, value)| value.as_slice());
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(MALFORMED),
        (first, None) => Ok(first),
    }
}

/// An error if a field that is not a claim has another tag than these.
pub(super) fn only(fields: &[Field], known: &[u8]) -> Result<(), &'static str> {
    let is_newer = |(tag, _): &Field| *tag < FIRST_CLAIM && !known.contains(tag);
    if fields.iter().any(is_newer) { Err(NEWER) } else { Ok(()) }
}

fn to_bits(c: char) -> Option<u8> {
    Fe32::from_char(c).ok().map(Fe32::to_u8)
}

fn checksum(kind: LineKind, checked: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = keccak256([kind.head().as_bytes(), checked].concat());
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&digest[..CHECK_BYTES]);
    check
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(fields: &[Field]) -> Option<String> {
        let mut writer = Writer::default();
        fields.iter().all(|(tag, value)| writer.add(*tag, value)).then(|| writer.line(LineKind::Signature))
    }

    fn data(line: &str) -> &str {
        line.strip_prefix(LineKind::Signature.head()).unwrap()
    }

    #[test]
    fn a_line_says_where_it_ends_and_what_kind_it_is() {
        let fields = vec![(1, vec![7; 32]), (16, b"vault".to_vec()), (17, vec![9; 200])];
        let line = written(&fields).unwrap();
        assert_eq!(length(data(&line)), Ok(data(&line).len()));
        assert_eq!(length(&format!("{}qqqq", data(&line))), Ok(data(&line).len()));
        assert_eq!(read(LineKind::Signature, data(&line)), Ok(fields));
        assert_eq!(read(LineKind::Drill, data(&line)), Err(WRONG), "its head is part of what is checked");
    }

    #[test]
    fn a_writer_is_full_before_a_line_is_too_long_for_a_chat() {
        let mut writer = Writer::default();
        let count = (0..1_000).take_while(|_| writer.add(20, &[1; 5])).count();
        let lines = LineKind::ALL.map(|kind| writer.line(kind).len());
        assert!(count > 40 && lines.iter().all(|length| (580..=MOST_CHARS).contains(length)), "{lines:?}");
        assert!(!writer.add(1, &vec![0; 40_000]));
        // 361 bytes of fields: a tag, a length of two bytes, and the value.
        assert!(Writer::default().add(1, &[0; 358]) && !Writer::default().add(1, &[0; 359]));
        for length in [0x7fff, 0x8000, 0xffff, 0x1_0000] {
            assert!(!Writer::default().add(1, &vec![0; length]), "{length}");
        }
    }

    #[test]
    fn fields_that_lie_about_their_length_are_refused() {
        for bytes in [&[1][..], &[1, 5, 0], &[1, 0x80], &[1, 0xff, 0xff, 3], &[0; 200]] {
            assert_eq!(fields(bytes), Err(MALFORMED), "{bytes:?}");
        }
        assert_eq!(fields(&[16, 0].repeat(MOST_FIELDS)).map(|fields| fields.len()), Ok(MOST_FIELDS));
        assert_eq!(fields(&[16, 0].repeat(MOST_FIELDS + 1)), Err(MALFORMED));
        let twice = [(1, vec![1]), (1, vec![2])];
        assert_eq!(single(&twice, 1), Err(MALFORMED));
        assert_eq!(only(&[(3, vec![]), (99, vec![])], &[1, 2]), Err(NEWER));
        assert_eq!(only(&[(2, vec![]), (99, vec![])], &[1, 2]), Ok(()));
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_anything_is_gathered() {
        assert_eq!(length("llll"), Err(WRONG));
        // 4,096 and 4,097 in twenty bits, of which the last four are none of the length.
        assert_eq!(length("zqqq"), Ok((2 + 4_096 + 5_usize) * 8 / 5 + 1));
        assert_eq!(length("zqqs"), Err(WRONG));
        assert_eq!(length("qq"), Err(WRONG));
        assert_eq!(length("qqqb"), Err(WRONG));
    }

    proptest! {
        #[test]
        fn a_written_line_is_read_back(
            fields in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..150)), 0..6),
        ) {
            if let Some(line) = written(&fields) {
                prop_assert!(line.len() <= MOST_CHARS);
                prop_assert_eq!(read(LineKind::Signature, data(&line)), Ok(fields));
            }
        }

        #[test]
        fn one_wrong_character_is_noticed(at in 0usize..80, with in 0usize..32) {
            let line = written(&[(1, vec![7; 32]), (16, b"vault".to_vec())]).unwrap();
            let mut wrong = data(&line).as_bytes().to_vec();
            prop_assume!(at < wrong.len() && wrong[at] != ALPHABET.as_bytes()[with]);
            wrong[at] = ALPHABET.as_bytes()[with];
            prop_assert!(read(LineKind::Signature, &String::from_utf8(wrong).unwrap()).is_err());
        }

        #[test]
        fn no_data_panics(text in "[qpzry9x8gf2tvdw0s3jn54khce6mua7lb1é ]{0,200}") {
            let _ = read(LineKind::Signature, &text);
        }
    }
}
