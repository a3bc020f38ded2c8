//! Rehearsals on this chain: what they need rides in rounds that are asked anyway, and comes from the quorum.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes};

use super::chain_error::ChainError;
use super::draft::{MOST_LISTED, RehearsalDraft, requests, state};
use super::quorum::Chain;
use super::snapshot::Snapshot;
use crate::evm::{Answer, BlockRef, BlockTag, Keys, Query, Readings};
use crate::fork::{
    DirectCall, ExecTransaction, ForkError, PROXY_SLOTS, Rehearsal, RunBlock, StateSource, World, WorldState,
    code_behind, complete, gas_limit, has_other_vm, settle, settle_direct, view,
};
use crate::safe::{Nonce, Purpose, SafeState, owner_slot, slot, slot_word};

/// A chain at one block.
pub(super) struct Pinned<'a> {
    pub(super) chain: &'a Chain,
    pub(super) block: BlockRef,
}

impl Pinned<'_> {
    pub(super) fn failed(&self, error: ForkError<ChainError>) -> ChainError {
        match error {
            ForkError::Source(error) => error,
            other => ChainError::NotRehearsed { chain: self.chain.name().into(), why: other.to_string() },
        }
    }
}

/// The values that Safes read to answer for a signature: their contracts, thresholds and owners.
pub(super) fn safe_keys(safes: &[SafeState]) -> Keys {
    let mut keys = Keys::default();
    for safe in safes {
        let known = [safe.id.address, safe.singleton, safe.fallback_handler];
        keys.accounts.extend(known.into_iter().filter(|address| !address.is_zero()));
        let fixed = [slot_word(slot::SINGLETON), slot_word(slot::THRESHOLD), slot::FALLBACK_HANDLER];
        let owners = safe.owners.list().iter().take(MOST_LISTED).map(|owner| owner_slot(*owner));
        keys.slots.extend(fixed.into_iter().chain(owners).map(|slot| (safe.id.address, slot)));
    }
    keys
}

impl StateSource for Pinned<'_> {
    type Error = ChainError;

    fn fetch(&self, keys: &Keys) -> Result<WorldState, ChainError> {
        let (_, replies) = self.chain.ask(&requests(keys), BlockTag::Pinned(self.block))?;
        Ok(state(keys, &replies))
    }
}

impl Chain {
    /// Rehearses a transaction in the block after `seen`'s: at once when everything it reads is known, else after a
    /// round or a few more. `now` is the time, in seconds since 1970.
    ///
    /// A transaction that is not next in line is rehearsed as if it were.
    /// Fails if a value cannot be had from a quorum, or when no block can hold the transaction. Nothing is shown of a
    /// rehearsal that lacks a value.
    pub fn rehearse(
        &self,
        seen: &mut Snapshot,
        exec: &ExecTransaction<'_>,
        queries: &[Query],
        now: u64,
    ) -> Result<Rehearsal, ChainError> {
        self.require_local_vm()?;
        if !seen.known.is_listed(exec.tx) {
            let draft = RehearsalDraft {
                safe: *exec.domain.safe(),
                tx: exec.tx.clone(),
                sender: exec.sender,
                owners: exec.owners.list().to_vec(),
                queries: queries.to_vec(),
                hints: Keys::default(),
            };
            self.extend(seen, &[], &[draft])?;
        }
        let (wanted, now_next) = (seen.known.wanted.clone(), seen.state.nonce);
        let result = self.in_world(seen, now, |source, world| {
            take_turn(world, exec, now_next);
            settle(source, world, exec, queries, wanted)
        });
        // As it is, not as it will be when it is this transaction's turn.
        let place = (exec.domain.safe().address, slot_word(slot::NONCE));
        seen.known.state.slots.insert(place, now_next.0.into());
        result
    }

    /// Rehearses once more on what is known of `seen`'s block, at a moment that was rehearsed before: with other gas,
    /// another sender, or the owners' own signatures; those of a drill in the drill's domain.
    pub fn rehearse_again(
        &self,
        seen: &Snapshot,
        exec: &ExecTransaction<'_>,
        timestamp: u64,
    ) -> Result<Rehearsal, ChainError> {
        let mut world = self.world(seen);
        world.next_timestamp = timestamp;
        take_turn(&mut world, exec, seen.state.nonce);
        let source = Pinned { chain: self, block: seen.header.block() };
        settle(&source, &mut world, exec, &[], Keys::default()).map_err(|error| source.failed(error))
    }

    /// Returns every code that runs on the storage of each address in the newest block, its own first: a proxy's
    /// implementation is found by calling it. One round, and one more for each link from proxy to implementation.
    pub fn code_behind(
        &self,
        targets: &BTreeSet<Address>,
    ) -> Result<BTreeMap<Address, Vec<Bytes>>, ChainError> {
        let places = targets.iter().flat_map(|t| PROXY_SLOTS.iter().map(|proxy| (*t, proxy.slot)));
        let keys = Keys { accounts: targets.clone(), slots: places.collect(), ..Keys::default() };
        let (header, replies) = self.ask(&requests(&keys), BlockTag::Latest)?;
        let mut world = World::new(self.id(), (&header).into(), header.hash);
        world.state = state(&keys, &replies);
        let source = Pinned { chain: self, block: header.block() };
        let named = world.state.slots.values().filter(|word| !word.is_zero());
        let hints =
            Keys { accounts: named.map(|word| Address::from_word(*word)).collect(), ..Keys::default() };
        let result = complete(&source, &mut world, hints, |world| code_behind(world, targets));
        result.map_err(|error| source.failed(error))
    }

    /// Runs a call that an account makes by itself in the block after `seen`'s, and asks `queries` of the state that it
    /// leaves. Nobody is told of the call: only the values that it reads are asked for.
    /// Fails if a value cannot be had from a quorum, or when no block can hold the transaction.
    pub fn rehearse_direct(
        &self,
        seen: &mut Snapshot,
        call: &DirectCall,
        queries: &[Query],
        now: u64,
    ) -> Result<Rehearsal, ChainError> {
        self.require_local_vm()?;
        self.in_world(seen, now, |source, world| settle_direct(source, world, call, queries))
    }

    /// Returns the slot of `to` that holds the address which a call of it returns, and the slot's word; `None` if the call
    /// returns no address, or works it out.
    pub fn slot_of(
        &self,
        seen: &mut Snapshot,
        to: Address,
        query: &Query,
    ) -> Result<Option<(B256, B256)>, ChainError> {
        let asked = std::slice::from_ref(query);
        let ask = |world: &World| view(world, world.chain_id, RunBlock::Next, asked);
        let (answers, read) =
            self.in_world(seen, 0, |source, world| complete(source, world, Keys::default(), ask))?;
        let Some(Answer::Value(answer)) = answers.get(query) else { return Ok(None) };
        let Some(address) = answer.get(12..32).filter(|_| answer.len() == 32) else { return Ok(None) };
        let holds = |(at, slot): &&(Address, B256)| {
            *at == to && seen.known.state.slots.get(&(*at, *slot)).is_some_and(|word| word[12..] == *address)
        };
        let found = read.slots.iter().find(holds);
        Ok(found.and_then(|key| Some((key.1, *seen.known.state.slots.get(key)?))))
    }

    /// Checks that the chain's contracts run on the EVM.
    fn require_local_vm(&self) -> Result<(), ChainError> {
        if !has_other_vm(self.id()) {
            return Ok(());
        }
        let why = "its contracts do not run on the EVM, and this program rehearses nothing else; \
                   read the calls, and look at the contract afterwards";
        Err(ChainError::NotRehearsed { chain: self.name().into(), why: why.into() })
    }

    /// Answers queries in this process, in the block after `seen`'s, and adds the answers to it. Nobody is told what is asked:
    /// only the values that it reads are asked for. For a drill, what is asked runs with the drill's chain id.
    pub fn ask_on_fork(
        &self,
        seen: &mut Snapshot,
        purpose: Purpose,
        queries: &[Query],
        now: u64,
    ) -> Result<(), ChainError> {
        let hints = safe_keys(&seen.safes);
        let chain_id = purpose.chain_id(self.id());
        let ask = |world: &World| view(world, chain_id, RunBlock::Next, queries);
        let (answers, _) = self.in_world(seen, now, |source, world| complete(source, world, hints, ask))?;
        seen.readings.extend(answers);
        Ok(())
    }

    /// The most gas that a transaction may have in the block after `seen`'s.
    pub fn gas_cap(&self, seen: &Snapshot) -> u64 {
        gas_limit(&World::new(self.id(), (&seen.header).into(), seen.header.hash))
    }

    /// Returns the answers to queries worked out here, from single values of the state;
    /// with the keys of those values. What is not known of them yet is asked for, the hints along with it.
    pub(super) fn view(&self, seen: &mut Snapshot, hints: Keys) -> Result<(Readings, Keys), ChainError> {
        let queries: Vec<Query> = seen.readings.iter().map(|(query, _)| query.clone()).collect();
        let hints = if hints.len() <= MOST_LISTED { hints } else { Keys::default() };
        let ask = |world: &World| view(world, world.chain_id, RunBlock::Now, &queries);
        self.in_world(seen, 0, |source, world| complete(source, world, hints, ask))
    }

    /// Runs something at `seen`'s block, in a block after it of the time `now` at the earliest. What it read is known of `seen` then.
    fn in_world<T>(
        &self,
        seen: &mut Snapshot,
        now: u64,
        run: impl FnOnce(&Pinned, &mut World) -> Result<T, ForkError<ChainError>>,
    ) -> Result<T, ChainError> {
        let mut world = self.world(seen);
        world.next_timestamp = world.next_timestamp.max(now);
        let source = Pinned { chain: self, block: seen.header.block() };
        let result = run(&source, &mut world);
        seen.known.state = world.state;
        result.map_err(|error| source.failed(error))
    }

    pub(super) fn world(&self, seen: &Snapshot) -> World {
        let mut world = World::new(self.id(), (&seen.header).into(), seen.header.hash);
        world.state = seen.known.state.clone();
        world
    }
}

/// Makes it this transaction's turn: `next` is the Safe's nonce at that block.
fn take_turn(world: &mut World, exec: &ExecTransaction, next: Nonce) {
    if exec.tx.nonce > next {
        let place = (exec.domain.safe().address, slot_word(slot::NONCE));
        world.state.slots.insert(place, exec.tx.nonce.0.into());
    }
}
