//! The journal: entries, tables, incidents and reports.

pub mod incident_acts;
pub mod journal_log;
pub mod journal_notes;
pub mod reporting;
