//! The sentences of a gap.

/// The weight of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `doctor` exits with 8.
    NotReady,
    /// Worth a thought; `doctor` still exits with 0.
    Warning,
}

/// A gap for a person and for a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// A short name of its kind.
    pub id: &'static str,
    pub level: Level,
    /// The gap, with the value at fault.
    pub sentence: String,
    /// The remedy.
    pub fix: String,
}

pub(super) fn not_ready(id: &'static str, sentence: String, fix: impl Into<String>) -> Told {
    Told { id, level: Level::NotReady, sentence, fix: fix.into() }
}

pub(super) fn warning(id: &'static str, sentence: String, fix: impl Into<String>) -> Told {
    Told { id, level: Level::Warning, sentence, fix: fix.into() }
}
