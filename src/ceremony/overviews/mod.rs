//! Overviews of all levers and Safes: states, open proposals, alarms, whom to wake, cards for paper.

pub mod armed_ahead;
pub mod cards;
pub mod lever_state;
pub mod open_proposal;
pub mod overview;
pub mod waking;
pub mod watching;
