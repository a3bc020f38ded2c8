//! Alarms, for the chat and for a script.

pub mod alarm_heard;
pub mod alarm_raised;
