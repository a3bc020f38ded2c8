//! Alarms: texts for the chat and objects for a script.

pub mod alarm_heard;
pub mod alarm_raised;
