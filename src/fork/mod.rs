//! The rehearsal: a Safe's transaction run in this process, in the next block, on state that came from the chain at
//! one block.
//!
//! [`rehearse`] is pure. It answers 0 for state it does not know, records it, and yields a result only when nothing
//! was missing. [`settle`] asks a [`StateSource`] for what was missing until nothing is. Nothing here knows what a
//! network is: the source does.
//!
//! Differences from the real next block: its randomness, beneficiary and blob price (those of the pinned block stand
//! in), the price of gas (the base fee, and nobody is charged), and the writes that clients make before the first transaction of a
//! block (EIP-2935, EIP-4788). On an L2, precompiled contracts and instructions of its own are not known here.

mod behind;
mod cause;
mod changes;
mod db;
mod early_keys;
mod env;
mod expected;
mod gas_limit;
mod packed;
mod run;
mod slot_names;
#[cfg(test)]
mod tests;
mod trace;
mod world;

pub use behind::code_behind;
#[cfg(test)]
pub use cause::Revert;
pub use changes::BalanceChange;
use early_keys::next_keys;
pub use early_keys::{access_list_calls, access_list_keys, behind_proxies, first_keys};
pub use env::gas_limit;
pub use expected::Expected;
pub use gas_limit::{has_other_vm, is_estimated, raise_to_estimate, same_effects, smallest};
pub use packed::Moved;
pub use run::{
    Attempt, DirectCall, ExecTransaction, Rehearsal, RehearsalError, RunBlock, RunResult, rehearse, view,
};
pub use slot_names::{PROXY_SLOTS, SlotNames, SlotTable};
pub use trace::{End, Frame, FrameKind, Trace};
pub use world::{Account, World, WorldState};

use crate::evm::{Keys, Query};

/// Rounds after which a transaction that still finds new state to read is given up.
const MAX_ROUNDS: usize = 32;

/// Where missing state comes from.
pub trait StateSource {
    type Error: std::error::Error;

    /// All of these keys at the pinned block, in one round.
    fn fetch(&self, keys: &Keys) -> Result<WorldState, Self::Error>;
}

#[derive(Debug, thiserror::Error)]
pub enum ForkError<E: std::error::Error> {
    #[error(transparent)]
    Source(E),
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    #[error("the endpoint left out {} of {asked} values, the first of them {}", left_out.len(), first_of(left_out))]
    LeftOut { left_out: Box<Keys>, asked: usize },
    #[error("after {MAX_ROUNDS} rounds the transaction still reads state that is not known, {}", first_of(.0))]
    Unsettled(Box<Keys>),
}

/// Says which key comes first, for a message.
fn first_of(keys: &Keys) -> String {
    let account = keys.accounts.first().map(|a| format!("account {a}"));
    let slot = || keys.slots.first().map(|(a, s)| format!("slot {s} of {a}"));
    let block = || keys.block_hashes.first().map(|n| format!("the hash of block {n}"));
    account.or_else(slot).or_else(block).unwrap_or_else(|| "none".into())
}

/// Rehearses, fetches what was missing, and rehearses again until nothing is.
///
/// `wanted` is fetched along with the first keys that are missing: the access list, for instance. With everything
/// known from the start no round is needed. `world` keeps all that was fetched.
/// Fails if the source fails or leaves a key out, or no end is in sight.
pub fn settle<S: StateSource>(
    source: &S,
    world: &mut World,
    exec: &ExecTransaction<'_>,
    queries: &[Query],
    wanted: Keys,
) -> Result<Rehearsal, ForkError<S::Error>> {
    let mut wanted = wanted;
    wanted.extend(next_keys(exec, &world.state));
    complete(source, world, wanted, |world| rehearse(world, exec, queries))
}

/// [`settle`], after which `world` is as the transaction leaves it.
pub fn resume<S: StateSource>(
    source: &S,
    world: &mut World,
    exec: &ExecTransaction<'_>,
    queries: &[Query],
) -> Result<Rehearsal, ForkError<S::Error>> {
    let wanted = next_keys(exec, &world.state);
    let (rehearsal, left) = complete(source, world, wanted, |world| run::run(world, exec, queries))?;
    world.resume(left);
    Ok(rehearsal)
}

/// Runs a call that an account makes by itself. `world` stays as it was, and keeps all that was fetched.
pub fn settle_direct<S: StateSource>(
    source: &S,
    world: &mut World,
    call: &DirectCall,
    queries: &[Query],
) -> Result<Rehearsal, ForkError<S::Error>> {
    let accounts = [call.from, call.to].into_iter().collect();
    let wanted = Keys { accounts, ..Keys::default() };
    complete(source, world, wanted, |world| run::run_direct(world, call, queries))
        .map(|(rehearsal, _)| rehearsal)
}

/// Attempts again and again, with what was missing fetched, until nothing is.
pub fn complete<S: StateSource, T>(
    source: &S,
    world: &mut World,
    wanted: Keys,
    attempt: impl Fn(&World) -> Result<Attempt<T>, RehearsalError>,
) -> Result<T, ForkError<S::Error>> {
    let mut wanted = wanted;
    for _ in 0..MAX_ROUNDS {
        let missing = match attempt(world)? {
            Attempt::Complete(done) => return Ok(*done),
            Attempt::Missing(keys) => keys,
        };
        wanted.extend(missing.clone());
        let asked = world.state.missing(&wanted);
        let fetched = match source.fetch(&asked) {
            // Keys that somebody only hinted at are not needed: an honest source may refuse so many.
            Err(_) if asked != missing => source.fetch(&missing),
            fetched => fetched,
        };
        world.state.extend(fetched.map_err(ForkError::Source)?);
        let left_out = world.state.missing(&missing);
        if !left_out.is_empty() {
            return Err(ForkError::LeftOut { left_out: Box::new(left_out), asked: missing.len() });
        }
        wanted = Keys::default();
    }
    match attempt(world)? {
        Attempt::Complete(done) => Ok(*done),
        Attempt::Missing(keys) => Err(ForkError::Unsettled(Box::new(keys))),
    }
}
