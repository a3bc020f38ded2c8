//! The journal and what is made of it.

pub mod incident_acts;
pub mod journals;
pub mod logged;
pub mod note;
pub mod reporting;
