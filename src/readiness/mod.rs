//! Readiness before an incident: the questions of `doctor` and its gaps; the state of signatures made ahead, in
//! [`armed_status`]; the times of drills, in [`drill_times`].
//!
//! [`examine`](examine::examine) reads the chains and tries the levers on forks of them. Everything else is pure:
//! values in, [`Gap`]s out, each question a small function.
//!
//! May touch `ceremony` and values. It prints nothing.

pub mod armed_status;
pub mod by_cast;
pub mod council_gaps;
pub mod drill_times;
pub mod examine;
mod gap;
pub mod journal_gaps;
pub mod key_gaps;
pub mod last_drills;
pub mod levers;
pub mod people_gaps;
pub mod prepared;
pub mod roll_call;
pub mod rpcs;
pub mod safe_state;
pub mod seal;
pub mod service_gaps;
pub mod targets;
mod told;

pub use gap::Gap;
pub use told::{GapLevel, GapReport};
