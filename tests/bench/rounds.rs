//! `make bench`: the cost of each command as a table: time, processor, peak memory, and sequential network rounds.
//! Measured on the release build against a chain of its own, behind a proxy that delays every request by 100 ms.
//! `make bench-peers` installs what others use for the same; a peer that is not there is a row that says so.
//!
//! Numbers, not verdicts about a machine: a limit that is exceeded is marked, and only a ceremony that does not come to
//! its end fails the run. Also written to `target/bench.txt`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot be taken has failed"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod alarms;
mod ceremony;
mod doctor;
mod local;
mod measure;
mod owners;
mod peers;
mod table;
mod together;

use std::fs;

fn main() {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if(|arg| arg == measure::ALONE).is_some() {
        return measure::alone(&args.collect::<Vec<_>>());
    }
    // `cargo bench --bench rounds -- doctor` measures that alone, and leaves the file of the whole table as it is.
    if args.any(|arg| arg == "doctor") {
        return println!("{}", table::of(&doctor::rows()));
    }
    let mut rows = local::rows();
    let (ours, pause) = ceremony::rows();
    rows.extend(ours);
    rows.extend(together::rows());
    rows.extend(owners::rows());
    rows.push(alarms::row());
    rows.extend(doctor::rows());
    rows.extend(peers::rows(pause));
    let table = table::of(&rows);
    println!("{table}");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/target/bench.txt");
    fs::write(file, format!("{table}\n")).unwrap();
}
