//! Alarms: watched for, raised, taken in from other monitors, and who is awake.

pub mod alerted;
pub mod lookout;
pub mod raised;
pub mod roused;
