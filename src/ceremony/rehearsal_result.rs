//! The result of a rehearsal, if there was one, and its record for the proposal file.

use std::collections::BTreeSet;

use alloy::primitives::{Address, U256};

use crate::evm::AddressBook;
use crate::fork::{Rehearsal, RunResult};
use crate::playbook::{Plan, Repeat, Verdict};
use crate::proposal::{Proposal, RecordedBalance, RecordedCode, RehearsalRecord, calls_of};

/// The rehearsal, or why there is none.
#[derive(Clone, Debug)]
pub enum RehearsalResult {
    /// No rehearsal was wanted.
    NotWanted,
    /// It could not be completed; the reason.
    Failed(String),
    Done(Box<CompletedRehearsal>),
}

/// A rehearsal on the reader's own RPC.
#[derive(Clone, Debug)]
pub struct CompletedRehearsal {
    pub rehearsal: Rehearsal,
    /// The block whose state it rests on.
    pub block: u64,
    /// The `after` checks, judged on the state that the transaction would leave.
    pub after: Vec<Verdict>,
    /// These checks again with the chain's current values, if those have changed since it was proposed.
    pub after_now: Vec<Verdict>,
    /// The differences from the rehearsal that was recorded when it was proposed.
    pub differs: Vec<String>,
    /// The code that ran when it was proposed.
    pub code_then: Vec<RecordedCode>,
    /// Other transactions come first: it was rehearsed as if they had done nothing.
    pub ahead: bool,
    /// Calls of several levers that revert the whole if somebody else makes them first.
    pub once: Vec<Repeat>,
    /// With the owners' own signatures: the gas is then that of the receipt.
    pub is_signed: bool,
}

impl RehearsalResult {
    pub fn done(&self) -> Option<&CompletedRehearsal> {
        match self {
            Self::Done(done) => Some(done),
            _ => None,
        }
    }

    /// Returns the reason why there is none, if one was wanted.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// Returns the short form for the proposal file.
    pub fn record(&self, proposal: &Proposal) -> Option<RehearsalRecord> {
        self.done().and_then(|done| done.record(proposal).bounded())
    }
}

impl CompletedRehearsal {
    /// Returns `true` if it succeeds and keeps the playbook's promise.
    pub fn holds(&self) -> bool {
        self.rehearsal.outcome == RunResult::Succeeded && self.after.iter().all(|verdict| verdict.holds)
    }

    pub fn record(&self, proposal: &Proposal) -> RehearsalRecord {
        let Rehearsal { outcome, events, writes, balances, tokens, gas_used, read, .. } = &self.rehearsal;
        let mut record =
            RehearsalRecord::new(self.block, *outcome == RunResult::Succeeded, *gas_used, events.len());
        let moved = balances.iter().map(|b| RecordedBalance {
            address: b.address,
            gained: b.new.checked_sub(b.old).unwrap_or(U256::ZERO),
            lost: b.old.checked_sub(b.new).unwrap_or(U256::ZERO),
        });
        record.writes.clone_from(writes);
        record.balances = moved.collect();
        record.tokens.clone_from(tokens);
        let called: BTreeSet<Address> =
            calls_of(proposal.tx()).unwrap_or_default().into_iter().map(|call| call.to).collect();
        let runs = |called| {
            let all = self.rehearsal.runs(called).into_iter();
            all.map(move |(at, hash)| RecordedCode { called, at, hash })
        };
        record.code = called.into_iter().flat_map(runs).collect();
        record.hints = read.clone();
        record
    }
}

/// Fails with the innermost reason if the rehearsal fails.
pub fn check_success(rehearsal: &Rehearsal, plan: Option<&Plan>, names: &AddressBook) -> Result<(), String> {
    let errors = plan.map_or(&[][..], |plan| &plan.errors);
    let reason = || match rehearsal.reverts.last() {
        Some(revert) => format!("{} ({})", revert.reason(errors), names.with_address(revert.by)),
        None => "no reason given".into(),
    };
    match rehearsal.outcome {
        RunResult::Succeeded => Ok(()),
        RunResult::Failed => {
            Err(format!("the Safe reports ExecutionFailure and uses its nonce: {}", reason()))
        }
        RunResult::Reverted => Err(reason()),
        RunResult::Unannounced => Err("the Safe does not announce its success".into()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use alloy::primitives::Bytes;

    use super::*;
    use crate::evm::{Keys, Readings};
    use crate::fork::{BalanceChange, Revert, Trace};

    fn ran(result: RunResult) -> Rehearsal {
        let vault = Address::repeat_byte(9);
        Rehearsal {
            outcome: result,
            reverts: vec![Revert { by: vault, data: Bytes::new(), halt: None }],
            trace: Trace::default(),
            events: vec![],
            writes: vec![crate::evm::Write {
                address: vault,
                slot: alloy::primitives::B256::ZERO,
                old: alloy::primitives::B256::ZERO,
                new: alloy::primitives::B256::with_last_byte(1),
            }],
            balances: vec![BalanceChange { address: vault, old: U256::from(5), new: U256::from(2) }],
            tokens: vec![crate::evm::TokenChange {
                token: vault,
                holder: vault,
                sent: U256::from(1),
                received: U256::ZERO,
            }],
            created: vec![],
            destroyed: vec![],
            gas_used: 1,
            gas_limit: 1 << 24,
            timestamp: 0,
            answers: Readings::default(),
            read_by: std::collections::BTreeMap::new(),
            code: std::collections::BTreeMap::new(),
            read: Keys::default(),
        }
    }

    pub(in crate::ceremony) fn performed(result: RunResult, holds: &[bool]) -> CompletedRehearsal {
        let text = String::new;
        let verdict =
            |holds: &bool| Verdict { holds: *holds, sentence: text(), expected: text(), found: text() };
        CompletedRehearsal {
            rehearsal: ran(result),
            block: 3,
            after: holds.iter().map(verdict).collect(),
            after_now: vec![],
            differs: vec![],
            code_then: vec![],
            ahead: false,
            once: vec![],
            is_signed: false,
        }
    }

    #[test]
    fn it_holds_if_it_succeeds_and_every_promise_is_kept() {
        assert!(performed(RunResult::Succeeded, &[true, true]).holds());
        assert!(!performed(RunResult::Succeeded, &[true, false]).holds());
        for fails in [RunResult::Reverted, RunResult::Failed, RunResult::Unannounced] {
            assert!(!performed(fails, &[true]).holds());
        }
    }

    #[test]
    fn the_reason_of_a_failure_names_the_contract() {
        let why = |result| check_success(&ran(result), None, &AddressBook::default());
        assert_eq!(why(RunResult::Succeeded), Ok(()));
        let vault = Address::repeat_byte(9);
        assert!(why(RunResult::Reverted).unwrap_err().ends_with(&format!("({vault})")));
        assert!(why(RunResult::Failed).unwrap_err().starts_with("the Safe reports ExecutionFailure"));
        assert!(why(RunResult::Unannounced).unwrap_err().contains("does not announce"));
        let silent = Rehearsal { reverts: vec![], ..ran(RunResult::Reverted) };
        assert_eq!(check_success(&silent, None, &AddressBook::default()), Err("no reason given".into()));
    }

    #[test]
    fn a_rehearsal_is_recorded_with_what_it_moved() {
        let home = crate::ceremony::tests::Home::new();
        let desk = home.desk();
        let proposal = crate::ceremony::tests::proposed(&desk, &["vault"], &crate::ceremony::tests::at(4), 0);
        let done = RehearsalResult::Done(Box::new(performed(RunResult::Succeeded, &[true])));
        let record = done.record(&proposal).unwrap();
        assert_eq!(record.balances[0].lost, U256::from(3));
        assert_eq!((record.writes.len(), record.tokens.len()), (1, 1));
        assert_eq!((record.balances[0].gained, record.succeeded), (U256::ZERO, true));
        assert!(!performed(RunResult::Reverted, &[]).record(&proposal).succeeded);
        assert_eq!((done.failure(), RehearsalResult::Failed("no".into()).failure()), (None, Some("no")));
        assert!(
            RehearsalResult::NotWanted.record(&proposal).is_none()
                && RehearsalResult::NotWanted.failure().is_none()
        );
    }
}
