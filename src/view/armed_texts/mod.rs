//! Signatures made ahead: lines and objects.

pub mod armed_lines;
pub mod armed_object;
