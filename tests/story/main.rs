//! Whole ceremonies with the real program, real Safes and a real chain, and everything that may go wrong in one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story that cannot go on is a failed test"
)]

#[path = "../stage/mod.rs"]
mod stage;

#[path = "../ledger/emulator/mod.rs"]
mod emulator;

mod ahead;
mod alarms;
mod altered;
mod as_a_safe;
mod at_once;
mod attacks;
mod bounds;
mod cards;
mod ceremony;
mod contract_owners;
mod council;
mod crash;
mod decided;
mod depth;
mod deputies;
mod disk;
mod doctor;
mod done;
mod drift;
mod drills;
mod early;
mod escapes;
mod files;
mod floods;
mod forged;
mod gas;
mod hostile;
mod inputs;
mod journal;
mod json;
mod json_keys;
mod laid;
mod ledger;
mod lines;
mod made_ready;
mod many;
mod mined;
mod mistakes;
mod mixes;
mod nested;
mod nested_ledger;
mod network;
mod offline;
mod overview;
mod planted;
mod proofs;
mod record;
mod rehearsal;
mod reviews;
mod rivals;
mod rpcs;
mod screens;
mod secrets;
mod sending;
mod service;
mod settings;
mod steps;
mod terminal;
mod together;
mod unready;
