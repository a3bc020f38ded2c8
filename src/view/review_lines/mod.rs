//! The review: the lines that a signer reads before the question, and its object.

pub mod acting;
pub mod already_done;
pub mod called_lines;
pub mod changed_texts;
pub mod checked;
pub mod cost;
pub mod decision;
pub mod deputy_review;
pub mod device_pages;
pub mod finding_lines;
pub mod message_signed;
pub mod review;
pub mod review_block;
pub mod review_layout;
pub mod shown_lever;
pub mod shown_on_device;
pub mod slot_words;
pub mod summary;
pub mod trace_lines;
pub mod verdict_line;
pub mod what_changes;
pub mod what_it_does;
