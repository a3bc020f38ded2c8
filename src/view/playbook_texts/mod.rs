//! Playbooks: lists, details, drafts and trials.

pub mod playbook_draft;
pub mod playbook_list;
pub mod playbook_text;
pub mod tried;
