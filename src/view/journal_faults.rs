//! The state of a journal's chain of digests, as lines and as JSON.

use serde::Serialize;

use crate::incident::{Journal, Merged};
use crate::ui::{Lines, Text};

/// Journals, with their breaks and contradictions.
#[derive(Debug, Serialize)]
pub struct JournalsObject<'a> {
    journals: Vec<JournalObject<'a>>,
    contradictions: Vec<String>,
    more_contradictions: bool,
}

/// A journal and the breaks of its chain.
#[derive(Debug, Serialize)]
struct JournalObject<'a> {
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
    fn new(path: &'a str, journal: &Journal) -> Self {
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

    const fn is_whole(&self) -> bool {
        self.breaks.is_empty()
    }

    /// Returns the digest of the last line, if the chain up to it is whole.
    fn last(&self) -> Option<&str> {
        self.digest.as_deref().filter(|_| self.is_whole())
    }

    /// Returns a line for each break, and for an incomplete last line.
    fn faults(&self) -> impl Iterator<Item = Text> {
        let path = self.path;
        let broken = move |text: &str| Text::default().bad("broken: ").add(&format!("{path}: {text}"));
        let more = (self.more_breaks > 0).then(|| broken(&format!("{} more breaks", self.more_breaks)));
        let torn = (self.torn_bytes > 0).then(|| {
            let text = format!("{path}: its last line is not written to its end ({} bytes)", self.torn_bytes);
            Text::default().warn("note: ").add(&text)
        });
        self.breaks.iter().map(move |found| broken(&found.why)).chain(more).chain(torn)
    }
}

impl<'a> JournalsObject<'a> {
    pub fn new(names: &'a [String], journals: &[Journal], merged: &Merged) -> Self {
        let each = names.iter().zip(journals).map(|(name, journal)| JournalObject::new(name, journal));
        let contradictions = merged.contradictions.iter().map(ToString::to_string).collect();
        Self { journals: each.collect(), contradictions, more_contradictions: merged.has_more }
    }

    /// Returns the breaks and the contradictions.
    pub fn faults(&self) -> Lines {
        let contradiction = |text: &String| Text::default().bad("contradiction: ").add(text);
        let faults = self.journals.iter().flat_map(JournalObject::faults);
        let more =
            self.more_contradictions.then(|| contradiction(&"there are more, which are not listed".into()));
        faults.chain(self.contradictions.iter().map(contradiction)).chain(more).collect()
    }

    /// Returns a line for each journal that is whole.
    pub fn whole(&self) -> Lines {
        let line = |one: &JournalObject| {
            let text = format!("{}: {} entries, digest {}", one.path, one.entries, one.last()?);
            Some(Text::default().good("whole: ").add(&text))
        };
        self.journals.iter().filter_map(line).collect()
    }

    /// Returns the last digest of each journal that is whole.
    pub fn digests(&self) -> impl Iterator<Item = &str> {
        self.journals.iter().filter_map(JournalObject::last)
    }

    /// Returns the fault of the journals as a whole; `None` if there is none.
    pub fn fault(&self) -> Option<&'static str> {
        if !self.journals.iter().all(JournalObject::is_whole) {
            return Some("the journal's chain is broken");
        }
        (!self.contradictions.is_empty()).then_some("the journals contradict each other")
    }
}
