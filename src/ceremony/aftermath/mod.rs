//! After the transaction: is the contract in the promised state, by whom, since when, and what the journal keeps of it.

pub mod done_by;
pub mod entering;
pub mod mined;
pub mod outcome;
pub mod recording;
pub mod since;
pub mod undo_values;
