//! The texts for a person and the data for a script, from the same values.
//!
//! May touch values only.

mod acting;
pub mod already_done;
pub mod armed_lines;
pub mod by_hand;
mod called_lines;
pub mod card_text;
pub mod changed_texts;
pub mod cost;
pub mod council_report;
pub mod decision;
pub mod deputy_review;
pub mod doctor_lines;
pub mod drill_lines;
mod few_lines;
pub mod finding_lines;
pub mod imported;
pub mod journal_faults;
pub mod journal_table;
mod labelled_lines;
pub mod ledger_pages;
pub mod ledger_state;
pub mod lever_table;
pub mod mined_report;
mod paper;
pub mod playbook_draft;
pub mod playbook_list;
pub mod playbook_text;
pub mod record;
pub mod review;
mod review_block;
mod shown_lever;
pub mod slot_words;
pub mod state_now;
pub mod summary;
pub mod trace_lines;
pub mod what_changes;
pub mod what_it_does;
pub mod who_signed;
