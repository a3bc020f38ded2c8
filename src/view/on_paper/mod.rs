//! Texts for paper: cards, and the steps without this program.

pub mod by_hand;
pub mod card_text;
pub mod paper;
