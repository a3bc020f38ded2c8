//! A view of a chain: the connection, and what was read at one agreed block.

use alloy::primitives::Address;

use crate::chain::{Chain, Root, Snapshot};
use crate::check::Past;
use crate::error::{Error, Exit};
use crate::evm::{BlockRef, Fresh};
use crate::safe::{SafeState, SafeTree};

/// The connection to a chain, and its answers.
pub struct ChainView {
    pub link: Chain,
    pub snapshot: Snapshot,
    /// The chain's answer about the block that a proposal's file names.
    pub past: Past,
    /// Owners whose contract signature was tried with the transaction, and failed.
    pub failed: Vec<Address>,
    /// The root that all of it was proven against, if that was asked for.
    pub proven: Option<Root>,
}

impl ChainView {
    pub const fn new(link: Chain, snapshot: Snapshot) -> Self {
        Self { link, snapshot, past: Past::NotAsked, failed: Vec::new(), proven: None }
    }

    pub fn now(&self) -> &SafeState {
        &self.snapshot.state
    }

    /// Returns the Safe as it is now, from which a transaction is made ready. Fails if an older block was asked for.
    pub fn fresh(&self) -> Result<&Fresh<SafeTree>, Error> {
        self.snapshot.fresh().ok_or_else(|| {
            let block = self.snapshot.header.number;
            Error::new(Exit::Drift, format!("block {block} is not the newest")).hint("run it again")
        })
    }
}

/// Returns the root that everything was proven against, for a person. An RPC can invent a block with all its proofs:
/// its hash is shown to be compared.
pub fn proven_at(root: Root, block: &BlockRef) -> String {
    let BlockRef { number, hash, .. } = block;
    match root {
        Root::InHash => format!("proven against the state root of block {number}, {hash}"),
        Root::Stated => format!(
            "proven against the state root that is stated for block {number}, {hash} (which is not worked out here)"
        ),
    }
}
