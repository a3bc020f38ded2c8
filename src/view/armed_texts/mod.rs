//! Sets that are signed ahead.

pub mod armed_lines;
pub mod armed_object;
