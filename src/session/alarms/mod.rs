//! Alarms: watched, raised, and received from other monitors; and who is awake.

pub mod alarm_watch;
pub mod alert_message;
pub mod awake_lines;
pub mod raise_alarm;
