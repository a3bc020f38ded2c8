//! The connection to a chain and what it answered.

use crate::chain::{Chain, Root, Snapshot};
use crate::error::{Error, Exit};
use crate::evm::{BlockRef, Fresh};
use crate::safe::SafeState;

/// The connection, and what it said.
pub struct Online {
    pub link: Chain,
    pub snapshot: Snapshot,
    /// Against what it was proven, where that was asked for.
    pub proven: Option<Root>,
}

impl Online {
    /// The Safe as it is now: what a transaction is made ready from.
    ///
    /// # Errors
    /// When an older block was asked for.
    pub fn fresh(&self) -> Result<&Fresh<SafeState>, Error> {
        self.snapshot.fresh().ok_or_else(|| {
            let block = self.snapshot.header.number;
            Error::new(Exit::Drift, format!("block {block} is not the newest")).hint("run it again")
        })
    }
}

/// A block that nobody knows can be made up, and everything proven in it: its hash is there to be compared.
#[must_use]
pub fn proven_at(root: Root, block: &BlockRef) -> String {
    let BlockRef { number, hash, .. } = block;
    match root {
        Root::InHash => format!("proven against the state root of block {number}, {hash}"),
        Root::Stated => format!(
            "proven against the state root that is stated for block {number}, {hash} (which is not worked out here)"
        ),
    }
}
