//! `sign`, also ahead of time and in a drill: the key, the pages, the signature, and where it goes.

pub mod armed_run;
pub mod drill_ending;
pub mod on_device;
pub mod one_person_drill;
pub mod sign_each;
pub mod sign_terms;
pub mod signers;
pub mod signing_ahead;
pub mod signing_round;
