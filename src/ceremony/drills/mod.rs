//! Drills: ceremonies whose signatures are valid on no chain.

pub mod drill_names;
pub mod drilling;
