//! `broadcast`: looked at once more, sent, waited for and proven.

pub mod after_mining;
pub mod broadcasting;
pub mod earlier;
pub mod send_all;
pub mod send_one;
pub mod sendable;
pub mod submit;
