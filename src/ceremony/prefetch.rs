//! Predictions of what a rehearsal will read. They decide only what is fetched early.

use alloy::primitives::{Address, Bytes, U256};

use crate::chain::{RehearsalDraft, Snapshot};
use crate::evm::{Keys, Query};
use crate::playbook::{Check, Plan};
use crate::proposal::{BatchContract, BatchSource, Proposal, build_tx};
use crate::safe::{Call, Nonce, Operation, SafeId, SafeTx};

/// Returns the questions of the `after` checks.
pub fn after_queries(plan: &Plan) -> Vec<Query> {
    plan.after.iter().flat_map(Check::queries).collect()
}

/// Returns the draft of a proposal. Its owners are the council file's, because the file could name any.
pub fn of_proposal(
    proposal: &Proposal,
    owners: Vec<Address>,
    plan: Option<&Plan>,
    sender: Option<Address>,
) -> RehearsalDraft {
    RehearsalDraft {
        safe: *proposal.safe(),
        tx: proposal.tx().clone(),
        sender: sender.or(owners.first().copied()).unwrap_or_default(),
        owners,
        queries: plan.map(after_queries).unwrap_or_default(),
        hints: hints(proposal),
    }
}

/// Returns the keys that a recorded rehearsal read.
pub fn hints(proposal: &Proposal) -> Keys {
    proposal.record().map(|record| record.hints.clone()).unwrap_or_default()
}

/// Returns the draft of a plan, once the chain has answered all that it needs; at the next nonce if none is given.
pub fn of_plan(
    plan: &Plan,
    seen: &Snapshot,
    batch: BatchContract,
    nonce: Option<Nonce>,
    sender: Option<Address>,
) -> Option<RehearsalDraft> {
    let nonce = nonce.unwrap_or(seen.state.nonce);
    let source = BatchSource::Chain(&seen.readings);
    let tx = build_tx(seen.state.id.version, &calls(plan), nonce, batch, source).ok()?;
    let owners = seen.state.owners.list().to_vec();
    let sender = sender.or(owners.first().copied()).unwrap_or_default();
    let (safe, queries, hints) = (seen.state.id, after_queries(plan), Keys::default());
    Some(RehearsalDraft { safe, tx, sender, owners, queries, hints })
}

/// Returns the draft for a Safe of this version, before the chain is asked; without a plan, only what the Safe itself
/// reads.
pub fn likely(
    safe: SafeId,
    plan: Option<&Plan>,
    batch: BatchContract,
    owners: Vec<Address>,
    sender: Option<Address>,
) -> Option<RehearsalDraft> {
    let nonce = Nonce::from(0);
    let tx = match plan {
        Some(plan) => {
            let source = BatchSource::Assumed(batch.likely()?);
            build_tx(safe.version, &calls(plan), nonce, batch, source).ok()?
        }
        None => SafeTx::new(safe.address, U256::ZERO, Bytes::new(), Operation::Call, nonce),
    };
    let sender = sender.or(owners.first().copied()).unwrap_or_default();
    let queries = plan.map(after_queries).unwrap_or_default();
    Some(RehearsalDraft { safe, tx, sender, owners, queries, hints: Keys::default() })
}

fn calls(plan: &Plan) -> Vec<Call> {
    plan.calls.iter().map(|planned| planned.call.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::order::Turn;
    use crate::ceremony::tests::on_chain::{header, now};
    use crate::ceremony::tests::{ALICE, Home, VAULT, address, at, order, proposed};
    use crate::evm::Readings;
    use crate::safe::SafeVersion;

    /// The transaction is known before the chain has answered, except for its nonce.
    #[test]
    fn the_draft_of_a_plan_is_the_transaction_that_is_rehearsed() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let of = order(&desk, &["vault"], &at(4));
        let Turn::Ready(plans) = of.turn(&Readings::default()).unwrap() else { panic!() };
        let plan = plans.merged();
        let batch = of.batch(SafeVersion::V1_4_1);
        let owners = vault.snapshot().owners.list().to_vec();
        let payer = Some(VAULT);
        let early = likely(*vault.safe(), Some(&plan), batch, owners.clone(), None).unwrap();
        assert_eq!((early.tx.to, &early.tx.data), (VAULT, &vault.tx().data));
        assert_eq!((early.sender, early.queries.len()), (address(ALICE), after_queries(&plan).len()));
        assert_eq!(likely(*vault.safe(), Some(&plan), batch, owners.clone(), payer).unwrap().sender, VAULT);
        let unknown = likely(*vault.safe(), None, batch, owners, None).unwrap();
        assert_eq!((unknown.tx.to, unknown.queries.len()), (vault.safe().address, 0));
        let seen = Snapshot::told(header(21, 0), now(&vault, 7), Vec::new(), Readings::default());
        let known = |nonce, payer| of_plan(&plan, &seen, batch, nonce, payer).unwrap();
        assert_eq!(known(Some(Nonce::from(4)), None).tx, *vault.tx());
        assert_eq!((known(None, None).tx.nonce, known(None, None).sender), (Nonce::from(7), address(ALICE)));
        assert_eq!((known(None, payer).sender, known(None, None).owners.len()), (VAULT, 3));
    }
}
