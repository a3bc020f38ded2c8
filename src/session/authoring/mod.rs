//! The subcommands of `playbook`.

pub mod playbook_acts;
