//! One key acts alone, by a lever of its own.

pub mod deputy_run;
pub mod deputy_sending;
