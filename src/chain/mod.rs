//! The only room that talks to a network.

pub mod fork;
