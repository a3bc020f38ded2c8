//! The Ledger, against exchanges recorded with the real app and against a strict emulator over TCP.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod cards;
mod emulator;
mod faults;
mod fuzzed;
mod messages;
mod opening;
mod person;
mod properties;
mod recorded;
mod search;
mod settings;
mod speculos;
mod vectors;

#[path = "../stage/http.rs"]
#[allow(dead_code)] // it is the stage's
mod http;

use std::time::Duration;

use breakglass::device::Ledger;
use emulator::Emulator;

/// The time that these tests wait for a device that is not ready.
const PATIENCE: Duration = Duration::from_secs(30);

fn open(emulator: &Emulator) -> Ledger {
    Ledger::open(emulator.url().parse().unwrap(), PATIENCE, Box::new(|_| {})).unwrap()
}
