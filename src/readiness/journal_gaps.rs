//! Journals whose chain of digests is broken, or that contradict each other: what they say of drills may be altered.

use super::GapReport;
use super::told::warning;
use crate::incident::{Journal, Merged};

/// A journal that cannot be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalGap {
    Broken {
        path: String,
        /// The first break of its chain.
        first: String,
        /// The breaks after it.
        more: usize,
        is_own: bool,
    },
    /// Two statements, of which at most one is true; the first such, and the number of others.
    Contradiction { first: String, more: usize },
}

/// Returns the journals that are broken, the first being the reader's own, and where they contradict each other.
pub fn of(names: &[String], journals: &[Journal], merged: &Merged) -> Vec<JournalGap> {
    let broken = |(at, (path, journal)): (usize, (&String, &Journal))| {
        let first = journal.breaks.first()?.to_string();
        let more = journal.breaks.len() - 1 + journal.more;
        Some(JournalGap::Broken { path: path.clone(), first, more, is_own: at == 0 })
    };
    let contradiction = merged.contradictions.first().map(|first| JournalGap::Contradiction {
        first: first.to_string(),
        more: merged.contradictions.len() - 1,
    });
    names.iter().zip(journals).enumerate().filter_map(broken).chain(contradiction).collect()
}

impl JournalGap {
    pub(super) fn report(&self) -> GapReport {
        let and_more = |more: usize| if more == 0 { String::new() } else { format!("; {more} more") };
        match self {
            Self::Broken { path, first, more, is_own } => {
                let fix = if *is_own {
                    "compare it with the copies of others: breakglass log --verify"
                } else {
                    "ask its owner for the file again; until then do not rely on its drills"
                };
                warning("journal-broken", format!("{path}: {first}{}", and_more(*more)), fix)
            }
            Self::Contradiction { first, more } => warning(
                "journals-differ",
                format!("the journals contradict each other: {first}{}", and_more(*more)),
                "ask the owners of both; breakglass log --verify FILE lists all",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::merge;

    #[test]
    fn a_broken_journal_is_named_with_its_first_break() {
        let names = ["own", "bob", "carol"].map(String::from);
        let told = |texts: [&str; 3]| -> Vec<GapReport> {
            let journals = texts.map(|text| Journal::read(text.as_bytes()));
            of(&names, &journals, &merge(&journals)).iter().map(JournalGap::report).collect()
        };
        assert_eq!(told([""; 3]), []);
        let told = told(["x\n", "", "x\ny\nz\n"]);
        let sentences: Vec<&str> = told.iter().map(|one| one.sentence.as_str()).collect();
        let bad = "line 1: it is not an entry of this version: line 1, column 1: this is not JSON";
        assert_eq!(sentences, [format!("own: {bad}"), format!("carol: {bad}; 2 more")]);
        assert!(told[0].fix.contains("log --verify") && told[1].fix.contains("ask its owner"), "{told:?}");
    }

    #[test]
    fn of_contradictions_the_first_is_told() {
        let gap = JournalGap::Contradiction { first: "A, B".into(), more: 1 };
        assert_eq!(gap.report().sentence, "the journals contradict each other: A, B; 1 more");
    }
}
