//! The lines of a journal: reads them, finds the breaks of the chain of digests, and writes the next one. Pure.

use std::fmt;

use super::entry::{BadEntry, Entry, LONGEST_LINE, LineDigest, UnnumberedEntry};

/// The most breaks that are listed; more are counted.
const MOST_BREAKS: usize = 20;

/// A journal as it was read. A line that cannot be read is a break, and the others are kept.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Each entry with the digest of its own line.
    pub entries: Vec<(LineDigest, Entry)>,
    pub breaks: Vec<Break>,
    /// Breaks that are not listed.
    pub more: usize,
    /// The digest of the last line, which covers the whole journal.
    pub last: Option<LineDigest>,
    /// Bytes after the last line: an entry whose writing was cut off, or that is being written now.
    pub torn: usize,
}

/// A place at which the chain of a journal is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// From 1 on.
    pub line: usize,
    pub why: BreakCause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreakCause {
    /// It cannot be read.
    Bad(BadEntry),
    /// It does not have the digest of the line before.
    Digest,
    /// It does not have the number after that of the line before.
    Number { expected: u64, found: u64 },
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, before) = (self.line, self.line - 1);
        match &self.why {
            BreakCause::Bad(bad) => write!(f, "line {line}: {bad}"),
            BreakCause::Digest if before == 0 => {
                write!(f, "line 1 names a line before it: the beginning of the journal is missing")
            }
            BreakCause::Digest => write!(
                f,
                "line {line} does not continue line {before}: one of the two was altered, or lines were moved or removed"
            ),
            BreakCause::Number { expected, found } => {
                write!(f, "line {line} has the number {found}, not {expected}")
            }
        }
    }
}

impl Journal {
    pub fn read(bytes: &[u8]) -> Self {
        let mut journal = Self::default();
        let (lines, rest) = whole_lines(bytes);
        journal.torn = rest.len();
        let mut number = 1_u64;
        for (at, line) in lines.enumerate() {
            let line_number = at + 1;
            let digest = LineDigest::of(line);
            match Entry::parse(line) {
                Ok(entry) => {
                    if entry.previous != journal.last.unwrap_or(LineDigest::NONE) {
                        journal.breaks_at(line_number, BreakCause::Digest);
                    } else if entry.number != number {
                        let why = BreakCause::Number { expected: number, found: entry.number };
                        journal.breaks_at(line_number, why);
                    }
                    number = entry.number.saturating_add(1);
                    journal.entries.push((digest, entry));
                }
                Err(bad) => {
                    journal.breaks_at(line_number, BreakCause::Bad(bad));
                    number = number.saturating_add(1);
                }
            }
            journal.last = Some(digest);
        }
        journal
    }

    fn breaks_at(&mut self, line: usize, why: BreakCause) {
        if self.breaks.len() < MOST_BREAKS {
            self.breaks.push(Break { line, why });
        } else {
            self.more += 1;
        }
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().map(|(_, entry)| entry)
    }
}

/// Returns the lines without their ends, and what follows the last end.
fn whole_lines(bytes: &[u8]) -> (impl DoubleEndedIterator<Item = &[u8]>, &[u8]) {
    let end = bytes.iter().rposition(|b| *b == b'\n');
    let (lines, rest) = end.map_or((&bytes[..0], bytes), |end| (&bytes[..end], &bytes[end + 1..]));
    // Splitting an empty text gives one empty line.
    let lines = end.map(|_| lines.split(|b| *b == b'\n'));
    (lines.into_iter().flatten(), rest)
}

/// The text that is written to the end of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The bytes after the last line are a whole entry without its line feed: it is completed, and not cut off.
    pub completes: bool,
    /// The line with its line feed.
    pub line: String,
}

/// Returns the line that continues a journal. `tail` is the end of the journal: some whole lines, and what follows
/// them. Fails if the entry is too long for a line.
pub fn next(tail: &[u8], draft: UnnumberedEntry) -> Result<Append, BadEntry> {
    let (lines, rest) = whole_lines(tail);
    let ended = Entry::parse(rest).ok();
    let mut number = ended.as_ref().map(|entry| entry.number.saturating_add(1));
    let completes = ended.is_some();
    let mut last = completes.then(|| LineDigest::of(rest));
    for (back, line) in (1_u64..).zip(lines.rev()) {
        last.get_or_insert_with(|| LineDigest::of(line));
        // A line that cannot be read counts too.
        number = number.or_else(|| Some(Entry::parse(line).ok()?.number.saturating_add(back)));
        if number.is_some() {
            break;
        }
    }
    let entry = Entry { number: number.unwrap_or(1), draft, previous: last.unwrap_or(LineDigest::NONE) };
    let line = entry.line() + "\n";
    if line.len() > LONGEST_LINE { Err(BadEntry::Long) } else { Ok(Append { completes, line }) }
}
