//! The subcommands of `playbook`.

pub mod playbook_acts;
pub mod playbook_drafting;
pub mod playbook_listing;
