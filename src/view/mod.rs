//! The texts for a person and the objects for a script, from the same structs of values.
//!
//! May touch values of lower rooms only: no files, network or terminal.

pub mod alarm_texts;
pub mod armed_texts;
pub mod council_report;
pub mod deputy_done;
pub mod device_lines;
pub mod doctor_lines;
pub mod doctor_object;
pub mod drill_lines;
pub mod exported;
pub mod imported;
pub mod journal_faults;
pub mod journal_table;
pub mod lever_table;
pub mod mined_report;
pub mod on_paper;
pub mod person_line;
pub mod playbook_texts;
pub mod proposed;
pub mod record;
pub mod review_lines;
pub mod roll_lines;
pub mod signed;
pub mod state_now;
pub mod who_signed;
