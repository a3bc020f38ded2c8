//! An act that one key does alone, by a lever of its own.

pub mod deputy_act;
pub mod deputy_mined;
pub mod deputy_module;
pub mod deputy_sent;
