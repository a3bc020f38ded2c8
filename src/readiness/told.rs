//! The text form of a gap: id, level, sentence and fix. Pure.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapLevel {
    /// `doctor` exits with 8.
    NotReady,
    /// `doctor` still exits with 0.
    Warning,
}

/// A gap for a person and for a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GapReport {
    /// A short name of its kind.
    pub id: &'static str,
    pub level: GapLevel,
    /// The gap, with the value at fault.
    pub sentence: String,
    pub fix: String,
}

pub(super) fn not_ready(id: &'static str, sentence: String, fix: impl Into<String>) -> GapReport {
    GapReport { id, level: GapLevel::NotReady, sentence, fix: fix.into() }
}

pub(super) fn warning(id: &'static str, sentence: String, fix: impl Into<String>) -> GapReport {
    GapReport { id, level: GapLevel::Warning, sentence, fix: fix.into() }
}
