//! Proposals and levers that want one nonce, or that conflict.

pub mod rivals;
pub mod together;
pub mod turns;
