//! Signatures that somebody handed over: whose count for a Safe, what each is for, and which only the chain can verify.

pub mod by_chain;
pub mod explaining;
pub mod importing;
pub mod known_owners;
