//! The time. This room alone asks this machine's clocks; what must be decided by the time takes it as a value.

#![allow(clippy::disallowed_methods, reason = "the clock's own room")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time since 1970 by this machine's clock; zero where it is set before that.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Seconds since 1970, as a block's timestamp.
pub fn seconds() -> u64 {
    now().as_secs()
}

/// A moment from which another one is measured: it never goes back.
pub fn moment() -> Instant {
    Instant::now()
}
