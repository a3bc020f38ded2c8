//! The texts for a person and the data for a script, from the same values.
//!
//! May touch values only.

mod block;
pub mod device;
pub mod effects;
pub mod journal;
pub mod offer;
pub mod playbook;
pub mod review;
pub mod summary;
pub mod texts;
pub mod trace;
