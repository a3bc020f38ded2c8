//! What a person and what a script is shown: each thing as text and as data, from the same values.
//!
//! May touch values only.

pub mod device;
pub mod effects;
pub mod offer;
pub mod playbook;
pub mod review;
pub mod texts;
pub mod trace;
