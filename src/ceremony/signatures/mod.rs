//! Imported signatures: the owners whose signatures count, what each is for, and those that only the chain can verify.

pub mod by_chain;
pub mod explaining;
pub mod importing;
pub mod known_owners;
