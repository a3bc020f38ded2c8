//! Levers tried without a proposal: `playbook test`, and the council file held against its chains.

pub mod council_check;
pub mod council_online;
pub mod pulled;
pub mod stranger;
pub mod trial;
pub mod trial_report;
