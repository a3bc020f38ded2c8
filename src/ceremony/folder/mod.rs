//! The files of this machine that a ceremony reads and keeps: `incidents/`, sets signed ahead, settings, accepted
//! texts.

pub mod armed_sets;
pub mod filed;
pub mod filing;
pub mod kept;
pub mod own_settings;
pub mod sets;
pub mod texts;
