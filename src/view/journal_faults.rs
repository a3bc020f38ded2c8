//! The state of a journal's chain of digests: for a person, and as JSON.

use serde::Serialize;

use crate::incident::Journal;
use crate::ui::{Lines, Text};

/// Returns a line for each break, and for a last line that is not whole.
#[must_use]
pub fn lines(name: &str, journal: &Journal) -> Lines {
    let broken = |text: String| Text::default().bad("broken: ").add(&format!("{name}: {text}"));
    let mut lines: Vec<Text> = journal.breaks.iter().map(|found| broken(found.to_string())).collect();
    if journal.more > 0 {
        lines.push(broken(format!("{} more breaks", journal.more)));
    }
    if journal.torn > 0 {
        let text = format!("{name}: its last line is not written to its end ({} bytes)", journal.torn);
        lines.push(Text::default().warn("note: ").add(&text));
    }
    lines.into_iter().collect()
}

/// A journal, and whether its chain is whole.
#[derive(Debug, Serialize)]
pub struct JournalObject<'a> {
    path: &'a str,
    entries: usize,
    digest: Option<String>,
    breaks: Vec<BreakObject>,
    more_breaks: usize,
    torn_bytes: usize,
}

#[derive(Debug, Serialize)]
struct BreakObject {
    line: usize,
    why: String,
}

impl<'a> JournalObject<'a> {
    #[must_use]
    pub fn new(path: &'a str, journal: &Journal) -> Self {
        let breaks = journal.breaks.iter();
        Self {
            path,
            entries: journal.entries.len(),
            digest: journal.last.map(|last| last.to_string()),
            breaks: breaks.map(|found| BreakObject { line: found.line, why: found.to_string() }).collect(),
            more_breaks: journal.more,
            torn_bytes: journal.torn,
        }
    }
}
