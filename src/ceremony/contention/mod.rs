//! Proposals and levers that want one nonce, or get into each other's way.

pub mod conflict;
pub mod rivals;
pub mod together;
pub mod turns;
