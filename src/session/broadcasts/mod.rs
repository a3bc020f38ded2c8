//! `broadcast`: judges once more, sends, waits and proves.

pub mod after_mining;
pub mod broadcasting;
pub mod earlier;
pub mod send_all;
pub mod send_one;
pub mod sendable;
pub mod submit;
