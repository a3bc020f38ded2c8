//! The verdict of one check: a line with its mark, and an object.

use serde::Serialize;

use crate::playbook::Verdict;
use crate::ui::Text;

/// A check and its verdict.
#[derive(Clone, Debug, Serialize)]
pub struct VerdictLine {
    holds: bool,
    sentence: String,
}

impl VerdictLine {
    pub fn all(verdicts: &[Verdict]) -> Vec<Self> {
        let line = |verdict: &Verdict| Self { holds: verdict.holds, sentence: verdict.sentence.clone() };
        verdicts.iter().map(line).collect()
    }

    pub fn text(&self) -> Text {
        let mark = if self.holds { Text::default().good("✓ ") } else { Text::default().bad("✗ ") };
        mark.add(&self.sentence)
    }
}
