//! Waiting for what another process does.

use std::thread;
use std::time::{Duration, Instant};

/// The longest that anything is waited for: only what never comes takes so long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until this is so.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
