//! Findings over a proposal, the Safe as it is now and the reader's own council file: each attack of record one small
//! function.
//!
//! Pure: values in, findings out. A refusal stops `sign` and `broadcast` until it is accepted by its id.

mod binding;
mod code;
mod control;
mod rehearsal;
mod rpc;
mod safe;
#[cfg(test)]
mod tests;
mod transaction;

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};

use crate::chain::EndpointReport;
use crate::chain::fork::Rehearsal;
use crate::council;
use crate::playbook::{Answer, Plan, PlannedCall, Query, Readings, Verdict};
use crate::proposal::{Difference, Proposal, RecordedCode, calls_of};
use crate::safe::{Call, Nonce, SafeState};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Pass,
    Warn,
    Refuse,
}

/// What kind of trouble a refusal is: it decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Something no one should sign.
    Danger,
    /// The chain is no longer as the proposal found it.
    Drift,
}

/// One thing looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What `--accept` takes: narrow enough that accepting one thing accepts nothing else.
    pub id: String,
    pub level: Level,
    pub sort: Sort,
    pub sentence: String,
    /// What to do about it; empty when it passed.
    pub fix: String,
}

impl Finding {
    fn pass(id: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            level: Level::Pass,
            sort: Sort::Danger,
            sentence: sentence.into(),
            fix: String::new(),
        }
    }

    fn warn(id: impl Into<String>, sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Warn, fix: fix.into(), ..Self::pass(id, sentence) }
    }

    fn refuse(id: impl Into<String>, sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Refuse, fix: fix.into(), ..Self::pass(id, sentence) }
    }

    fn drift(id: impl Into<String>, sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { sort: Sort::Drift, ..Self::refuse(id, sentence, fix) }
    }
}

/// How a proposal stands to what its reader derives from their own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// The same transaction, byte by byte, from the chain's values now.
    Same,
    /// The same transaction, but only from the values that the proposal itself brings: nothing was asked of the chain.
    SameFromItsOwnValues,
    /// The same playbook and arguments, but values read from the chain have changed since.
    Moved(Vec<Difference>),
    /// Another transaction than the reader's own playbook gives.
    Differs(Vec<Difference>),
    /// The reader's own files do not have what the proposal names; why.
    Unbound(String),
}

/// Everything that the checks look at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub proposal: &'a Proposal,
    pub matching: &'a Match,
    /// The reader's own derivation, if there is one.
    pub plan: Option<&'a Plan>,
    /// The Safe as the reader's council file describes it.
    pub council_safe: &'a council::Safe,
    /// The Safe as the chain has it now; none offline.
    pub now: Option<&'a SafeState>,
    /// What the chain answered to the questions of the plan; none offline.
    pub answers: Option<&'a Readings>,
    /// The `before` checks, judged now; empty offline.
    pub before: &'a [Verdict],
    /// Arguments that come from the proposal's file alone.
    pub foreign: &'a [(String, String)],
    /// Whether a signature is about to be made; when it is not, the signers have decided what a file may choose.
    pub signing: bool,
    /// The nonce was named on the command line, so that one out of line is meant.
    pub nonce_named: bool,
    /// How the chain's endpoints stand; empty offline.
    pub endpoints: &'a [EndpointReport],
    /// How old the newest block is, in seconds; none offline.
    pub block_age: Option<u64>,
    /// Nonces of other proposals kept here for the same Safe, with their hashes.
    pub others: &'a [(Nonce, String)],
    /// What the transaction would do now, on the reader's own RPC.
    pub rehearsal: Option<&'a Rehearsal>,
    /// The `after` checks, judged on the rehearsed state.
    pub after: &'a [Verdict],
    /// In what the rehearsal differs from the one that the file records.
    pub rehearsed_otherwise: &'a [String],
    /// Why there is no rehearsal though one was wanted.
    pub not_rehearsed: Option<&'a str>,
    /// The code that ran when it was proposed, as whoever proposed it says.
    pub code_then: &'a [RecordedCode],
    /// keccak256 of the code at the Safe's own address; none offline.
    pub proxy_code: Option<B256>,
    /// The code that the council file pins, by the target that runs it.
    pub pins: &'a BTreeMap<Address, Vec<B256>>,
    /// Contracts that the lever in the council file says to change as well.
    pub changes: &'a [Address],
}

impl Facts<'_> {
    /// The calls that the Safe makes; none when that cannot be said.
    fn calls(&self) -> Vec<Call> {
        calls_of(self.proposal.tx()).unwrap_or_default()
    }

    /// Whether a call goes to a contract, or has it among its arguments.
    fn is_about(planned: &PlannedCall, contract: Address) -> bool {
        planned.call.to == contract || has_word(&planned.call.data, &contract.into_word())
    }

    /// Whether one of the reader's own calls is about a contract and has a word among its arguments.
    fn says(&self, contract: Address, word: &B256) -> bool {
        let calls = self.plan.map_or(&[][..], |plan| &plan.calls);
        calls.iter().any(|call| Self::is_about(call, contract) && has_word(&call.call.data, word))
    }

    /// keccak256 of the code that an account has now, zero for none; `None` if nobody read it.
    fn code_of(&self, address: Address) -> Option<B256> {
        let rehearsed = self.rehearsal.and_then(|rehearsal| rehearsal.code.get(&address).copied());
        let answer = || self.answers.and_then(|answers| answers.get(&Query::CodeHash { address }));
        rehearsed.or_else(|| match answer() {
            Some(Answer::Value(word)) => B256::try_from(&word[..]).ok(),
            _ => None,
        })
    }
}

/// Whether a call has a word among its arguments, or among those of a call that it carries.
fn has_word(data: &[u8], word: &B256) -> bool {
    let from = |start: usize| data.get(start..).unwrap_or_default().chunks(32);
    from(4).chain(from(8)).any(|chunk| chunk == word.as_slice())
}

/// Looks at everything. The order is the order in which a signer should doubt.
#[must_use]
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = Vec::new();
    all.push(binding::matches_the_playbook(facts));
    all.push(binding::arguments_are_the_readers(facts));
    all.extend(binding::values_are_from_the_chain(facts));
    all.extend(binding::before_holds(facts));
    all.push(transaction::no_refund(facts));
    all.push(transaction::no_unknown_delegatecall(facts));
    all.extend(transaction::nonce(facts));
    all.extend(safe::as_pinned(facts));
    all.extend(safe::as_proposed(facts));
    all.extend(safe::known_contracts(facts));
    all.extend(safe::powers_beside_the_owners(facts));
    all.extend(code::findings(facts));
    all.extend(rehearsal::findings(facts));
    all.extend(control::findings(facts));
    all.extend(rpc::endpoints_agree(facts));
    all.extend(rpc::newest_block_is_new(facts));
    all
}

/// Looks at what a transaction does and at nothing else: for one that was mined.
#[must_use]
pub fn of_effects(facts: &Facts) -> Vec<Finding> {
    let mut all = code::findings(facts);
    all.extend(rehearsal::findings(facts));
    all.extend(control::findings(facts));
    all
}

/// The refusals that nobody accepted by name.
#[must_use]
pub fn standing<'a>(findings: &'a [Finding], accepted: &[String]) -> Vec<&'a Finding> {
    findings.iter().filter(|f| f.level == Level::Refuse && !accepted.contains(&f.id)).collect()
}
