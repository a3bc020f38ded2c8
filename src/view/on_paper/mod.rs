//! What a signer keeps on paper.

pub mod by_hand;
pub mod card_text;
pub mod paper;
