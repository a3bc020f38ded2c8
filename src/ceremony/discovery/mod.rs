//! Safes and contracts as a chain has them, for whoever writes a council file or a playbook.

pub mod contract;
pub mod first_council;
pub mod new_safe;
pub mod observed_changes;
