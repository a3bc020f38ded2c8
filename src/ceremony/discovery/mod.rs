//! Safes and contracts as a chain has them, for authors of council files and playbooks.

pub mod contract;
pub mod first_council;
pub mod new_safe;
pub mod observed_changes;
