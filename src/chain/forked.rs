//! A chain as it would go on: transactions one after another, run in this process on state that comes from the quorum.

use std::sync::Mutex;

use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall;

use super::chain_error::ChainError;
use super::on_fork::{Pinned, safe_keys};
use super::panel::lock;
use super::quorum::Chain;
use super::snapshot::Snapshot;
use crate::evm::{Answer, BlockRef, Keys, Query, Readings};
use crate::fork::{
    ExecTransaction, Rehearsal, RunBlock, StateSource, World, WorldState, behind_proxies, complete, resume,
    view,
};
use crate::safe::ISafe::getOwnersCall;
use crate::safe::{Nonce, Owners, slot, slot_word};

/// A chain from one block on, with nothing sent to anybody.
pub struct Forked<'a> {
    source: Noted<'a>,
    world: World,
}

/// The chain at the block of the fork, and all that was read of it there.
struct Noted<'a> {
    pinned: Pinned<'a>,
    read: Mutex<WorldState>,
}

impl StateSource for Noted<'_> {
    type Error = ChainError;

    fn fetch(&self, keys: &Keys) -> Result<WorldState, ChainError> {
        let state = self.pinned.fetch(keys)?;
        lock(&self.read).extend(state.clone());
        Ok(state)
    }
}

impl Chain {
    /// Fetches, in one round, what forks of a snapshot will read in any case: what access lists named, the Safe's own values,
    /// and what is behind the proxies that were read.
    pub fn fetch_named(&self, seen: &mut Snapshot) -> Result<(), ChainError> {
        let mut keys = std::mem::take(&mut seen.known.wanted);
        keys.extend(safe_keys(std::slice::from_ref(&seen.state)));
        keys.extend(behind_proxies(&seen.known.state));
        let missing = seen.known.state.missing(&keys);
        if !missing.is_empty() {
            let pinned = Pinned { chain: self, block: seen.header.block() };
            seen.known.state.extend(pinned.fetch(&missing)?);
        }
        Ok(())
    }

    /// From the block of a snapshot on. `now` is the time, in seconds since 1970.
    pub fn forked(&self, seen: &Snapshot, now: u64) -> Forked<'_> {
        let header = &seen.header;
        let mut world = World::new(self.id(), header.into(), header.hash);
        world.next_timestamp = world.next_timestamp.max(now);
        world.state = seen.known.state.clone();
        let pinned = Pinned { chain: self, block: header.block() };
        Forked { source: Noted { pinned, read: Mutex::new(world.state.clone()) }, world }
    }
}

impl Forked<'_> {
    /// The real block that it began at.
    pub fn began_at(&self) -> BlockRef {
        self.source.pinned.block
    }

    /// Adds what was read so far, as it is at the real block, to what is known of the snapshot: another fork of it need not
    /// ask again.
    pub fn export_state(&self, seen: &mut Snapshot) {
        seen.known.state.extend(lock(&self.source.read).clone());
    }

    /// Asks of the state as it stands by now.
    pub fn answers(&mut self, queries: &[Query]) -> Result<Readings, ChainError> {
        let Self { source, world } = self;
        let result = complete(source, world, Keys::default(), |world| {
            view(world, world.chain_id, RunBlock::Next, queries)
        });
        result.map(|(answers, _)| answers).map_err(|error| source.pinned.failed(error))
    }

    /// Runs a transaction in the next block, asks `queries` of the state that it leaves, and goes on from there.
    /// Fails if a value cannot be had from a quorum, or no block can hold the transaction.
    pub fn run(&mut self, exec: &ExecTransaction<'_>, queries: &[Query]) -> Result<Rehearsal, ChainError> {
        let Self { source, world } = self;
        resume(source, world, exec, queries).map_err(|error| source.pinned.failed(error))
    }

    /// A Safe's owners and nonce by now.
    /// Fails if a value cannot be had from a quorum, or what stands there is not a Safe any more.
    pub fn safe(&mut self, safe: Address) -> Result<(Owners, Nonce), ChainError> {
        let list = Query::Call { from: None, to: safe, data: getOwnersCall {}.abi_encode().into() };
        let slot = |number| Query::Storage { address: safe, slot: slot_word(number) };
        let (threshold, nonce) = (slot(slot::THRESHOLD), slot(slot::NONCE));
        let answers = self.answers(&[list.clone(), threshold.clone(), nonce.clone()])?;
        let no_safe =
            |why: String| ChainError::NotASafe { chain: self.source.pinned.chain.name().into(), safe, why };
        let number = |query| match answers.get(query) {
            Some(Answer::Value(word)) => U256::try_from_be_slice(word).unwrap_or_default(),
            _ => U256::ZERO,
        };
        let owners = match answers.get(&list) {
            Some(Answer::Value(data)) => getOwnersCall::abi_decode_returns_validate(data).ok(),
            _ => None,
        };
        let owners = owners.ok_or_else(|| no_safe("it has no getOwners()".into()))?;
        let owners = Owners::new(owners, number(&threshold).saturating_to());
        Ok((owners.map_err(|e| no_safe(e.to_string()))?, Nonce(number(&nonce))))
    }
}
