//! Levers of one transaction that cannot be: a later one rests on a value that an earlier one changes.

use crate::ceremony::derived::Own;
use crate::ceremony::seen::Seen;
use crate::chain::ChainError;
use crate::clock;
use crate::evm::Readings;
use crate::fork::{ExecTransaction, Outcome};
use crate::playbook::Conflict;
use crate::proposal::{BatchSource, build_tx};

/// Returns the first value that a later lever rests on and an earlier one changes. `None` if each reads the same when it
/// runs as it read before, and where the earlier calls do not succeed: then the whole does not either, and its rehearsal
/// says why.
///
/// # Errors
/// When a value cannot be had from a quorum.
pub fn conflict(own: &Own, seen: &Seen) -> Result<Option<Conflict>, ChainError> {
    for conflict in own.plans.conflicts(own.order.safe.address) {
        let Some(then) = state_before(own, seen, &conflict)? else { return Ok(None) };
        if !conflict.is_settled(&seen.snapshot.readings, &then) {
            return Ok(Some(conflict));
        }
    }
    Ok(None)
}

/// Returns what a lever reads once the calls before it have run; `None` if they do not succeed.
fn state_before(own: &Own, seen: &Seen, conflict: &Conflict) -> Result<Option<Readings>, ChainError> {
    let (order, state) = (&own.order, &seen.snapshot.state);
    let calls = own.plans.calls_before(conflict.at);
    let (version, source) = (state.id.version, BatchSource::Chain(&seen.snapshot.readings));
    let Ok(tx) = build_tx(version, &calls, state.nonce, order.batch(version), source) else {
        return Ok(None);
    };
    let exec = ExecTransaction {
        safe: &state.id,
        owners: &state.owners,
        tx: &tx,
        signatures: None,
        sender: state.owners.list().first().copied().unwrap_or_default(),
        gas: None,
    };
    let queries = [conflict.query.clone()];
    let rehearsal = seen.link.forked(&seen.snapshot, clock::seconds()).run(&exec, &queries)?;
    Ok((rehearsal.outcome == Outcome::Succeeded).then_some(rehearsal.answers))
}
