//! A chain as it was seen: the connection, and what was read at one agreed block.

use alloy::primitives::Address;
use alloy::sol_types::SolCall;

use crate::ceremony::derivation::is_set;
use crate::chain::{Chain, Root, Snapshot};
use crate::check::Past;
use crate::error::{Error, Exit};
use crate::evm::{BlockRef, Fresh, Query};
use crate::proposal::Proposal;
use crate::safe::{ISafe, SafeState};

/// The connection to a chain, and what it said.
pub struct Seen {
    pub link: Chain,
    pub snapshot: Snapshot,
    /// The chain's word on the block that a proposal's file names.
    pub past: Past,
    /// Against what all of it was proven, where that was asked for.
    pub proven: Option<Root>,
}

impl Seen {
    /// The Safe as the chain has it now.
    #[must_use]
    pub fn now(&self) -> &SafeState {
        &self.snapshot.state
    }

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

    /// Owners who called `approveHash` for a proposal.
    #[must_use]
    pub fn approved(&self, proposal: &Proposal) -> Vec<Address> {
        let owners = self.now().owners.list();
        let approved =
            |owner: &Address| is_set(self.snapshot.readings.get(&approval_query(proposal, *owner)));
        owners.iter().copied().filter(approved).collect()
    }
}

/// Asks if an owner has approved a proposal on chain.
pub fn approval_query(proposal: &Proposal, owner: Address) -> Query {
    let call = ISafe::approvedHashesCall { owner, hash: *proposal.hash().word() };
    Query::Call { from: None, to: proposal.safe().address, data: call.abi_encode().into() }
}

/// Against what everything that was read is proven. A block that nobody knows can be made up, and everything proven in
/// it: its hash is there to be compared.
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
