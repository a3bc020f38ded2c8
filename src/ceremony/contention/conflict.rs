//! Conflicts of levers in one transaction: a later one rests on a value that an earlier one changes.

use crate::ceremony::chain_view::ChainView;
use crate::ceremony::derived::OwnDerivation;
use crate::chain::ChainError;
use crate::clock;
use crate::evm::Readings;
use crate::fork::{ExecTransaction, RunResult};
use crate::playbook::Conflict;
use crate::proposal::{BatchSource, build_tx};

/// Returns the first value that a later lever rests on and an earlier one changes. `None` if there is none, or if the
/// earlier calls fail, because then the rehearsal of the whole says why. The calls before a lever are run once, for all
/// values that it rests on.
pub fn conflict(own: &OwnDerivation, seen: &ChainView) -> Result<Option<Conflict>, ChainError> {
    let conflicts = own.plans.conflicts(own.order.safe.address);
    for of_one in conflicts.chunk_by(|one, next| one.at == next.at) {
        let Some(then) = state_before(own, seen, of_one)? else { return Ok(None) };
        let found = of_one.iter().find(|conflict| !conflict.is_settled(&seen.snapshot.readings, &then));
        if let Some(conflict) = found {
            return Ok(Some(conflict.clone()));
        }
    }
    Ok(None)
}

/// Returns the values that a lever reads after the calls before it; `None` if they fail.
fn state_before(
    own: &OwnDerivation,
    seen: &ChainView,
    of_one: &[Conflict],
) -> Result<Option<Readings>, ChainError> {
    let Some(first) = of_one.first() else { return Ok(None) };
    let (order, state) = (&own.order, &seen.snapshot.state);
    let calls = own.plans.calls_before(first.at);
    let (version, source) = (state.id.version, BatchSource::Chain(&seen.snapshot.readings));
    let Ok(tx) = build_tx(version, &calls, state.nonce, order.batch(version), source) else {
        return Ok(None);
    };
    let exec = ExecTransaction::unsigned(state, &tx);
    let queries: Vec<_> = of_one.iter().map(|conflict| conflict.query.clone()).collect();
    let rehearsal = seen.link.forked(&seen.snapshot, clock::seconds()).run(&exec, &queries)?;
    Ok((rehearsal.outcome == RunResult::Succeeded).then_some(rehearsal.answers))
}
