//! The connection to a chain and what it answered.

use crate::chain::{Chain, Root, Snapshot};

/// The connection, and what it said.
pub struct Online {
    pub link: Chain,
    pub snapshot: Snapshot,
    /// Against what it was proven, where that was asked for.
    pub proven: Option<Root>,
}
