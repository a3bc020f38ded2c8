//! The journal and what is made of it.

pub mod incident_acts;
pub mod journal_log;
pub mod journal_notes;
pub mod journals;
pub mod reporting;
