//! Playbooks, and what is drafted and tried of them.

pub mod playbook_draft;
pub mod playbook_list;
pub mod playbook_text;
pub mod tried;
