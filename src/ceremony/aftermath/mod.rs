//! After the transaction: the outcome, who did it and since when, and the journal's entries about it.

pub mod done_by;
pub mod entering;
pub mod mined;
pub mod outcome;
pub mod recording;
pub mod since;
pub mod undo_values;
