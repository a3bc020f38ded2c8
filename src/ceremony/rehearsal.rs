//! The result of a rehearsal, if there was one, and its record for the proposal file.

use std::collections::BTreeSet;

use alloy::primitives::{Address, U256};

use crate::evm::AddressBook;
use crate::fork::{Rehearsal, RunResult};
use crate::playbook::{Plan, Repeat, Verdict};
use crate::proposal::{Proposal, RecordedBalance, RecordedCode, RehearsalRecord, calls_of};

/// The rehearsal, or why there is none.
#[derive(Clone, Debug)]
pub enum Rehearsing {
    /// No rehearsal was wanted.
    Not,
    /// It could not be completed, and why.
    Failed(String),
    Done(Box<Performed>),
}

/// A rehearsal on the reader's own RPC.
#[derive(Clone, Debug)]
pub struct Performed {
    pub rehearsal: Rehearsal,
    /// Whose state it rests on.
    pub block: u64,
    /// The `after` checks, judged on the state that the transaction would leave.
    pub after: Vec<Verdict>,
    /// These checks again with the chain's current values, where those have moved since it was proposed.
    pub after_now: Vec<Verdict>,
    /// In what it differs from the one that was recorded when it was proposed.
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

impl Rehearsing {
    #[must_use]
    pub fn done(&self) -> Option<&Performed> {
        match self {
            Self::Done(done) => Some(done),
            _ => None,
        }
    }

    /// The reason that there is none, if one was wanted.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// In brief, for the proposal file.
    #[must_use]
    pub fn record(&self, proposal: &Proposal) -> Option<RehearsalRecord> {
        self.done().and_then(|done| done.record(proposal).bounded())
    }
}

impl Performed {
    /// It succeeds, and leaves what the playbook promises.
    #[must_use]
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

/// Returns the innermost reason why a rehearsal fails, if it does.
pub fn outcome(rehearsal: &Rehearsal, plan: Option<&Plan>, names: &AddressBook) -> Result<(), String> {
    let errors = plan.map_or(&[][..], |plan| &plan.errors);
    let reason = || match rehearsal.reverts.last() {
        Some(revert) => format!("{} ({})", revert.reason(errors), named(names, revert.by)),
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

fn named(names: &AddressBook, address: Address) -> String {
    names.name(address).map_or_else(|| address.to_string(), |name| format!("{name} {address}"))
}
