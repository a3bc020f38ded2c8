//! Ceremonies whose signatures are good on no chain.

pub mod drill_names;
pub mod drill_proof;
pub mod drilling;
