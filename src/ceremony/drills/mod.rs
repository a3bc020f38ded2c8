//! Drills: ceremonies whose signatures are valid on no chain.

pub mod drill_names;
pub mod drill_proof;
pub mod drilling;
