//! The values that checks read: a proposal, the reader's own derivation, the chain as it is now, and the rehearsal.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};

use super::Past;
use crate::chain::{Age, EndpointReport};
use crate::council;
use crate::evm::{AccountKind, Answer, Query, Readings};
use crate::fork::{Rehearsal, RunResult};
use crate::playbook::{Check, Decided, LibraryEntry, Plan, PlannedCall, Verdict};
use crate::proposal::{Contender, FieldDifference, Proposal, RecordedCode, calls_of};
use crate::safe::{Call, Nonce, SafeState};

/// The relation of a proposal to what its reader derives from their own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Equal byte by byte, from the chain's values now.
    Same,
    /// Equal, but only from the values that the proposal itself brings: nothing was asked of the chain.
    SameOffline,
    /// Equal playbook and arguments, but values read from the chain have changed since.
    Moved(Vec<FieldDifference>),
    /// Another transaction than the reader's own playbook gives.
    Differs(Vec<FieldDifference>),
    /// The reader's own files do not have what the proposal names; why.
    Unbound(String),
}

/// Everything that the checks read.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Facts<'a> {
    pub proposal: &'a Proposal,
    pub matching: &'a Match,
    /// The reader's own derivation, if there is one.
    pub plan: Option<&'a Plan>,
    /// The Safe as the reader's council file describes it.
    pub council_safe: &'a council::Safe,
    /// The Safe as the chain has it now; `None` offline.
    pub now: Option<&'a SafeState>,
    /// The chain's answers to the questions of the plan; `None` offline.
    pub answers: Option<&'a Readings>,
    /// The `before` checks, judged now; empty offline.
    pub before: &'a [Verdict],
    /// Arguments that come from the proposal's file alone.
    pub foreign: &'a [(String, String)],
    /// It was proposed before, and a file brings it.
    pub is_from_file: bool,
    /// The chain's answer about the block that the file names.
    pub past: &'a Past,
    /// A signature is about to be made. If not, the signers have already accepted what the file chose.
    pub signing: bool,
    /// It is a drill, and this machine's journal has its announcement.
    pub announced: bool,
    /// The nonce was named on the command line, so that one out of line is meant.
    pub nonce_named: bool,
    /// The standing of the chain's endpoints; empty offline.
    pub endpoints: &'a [EndpointReport],
    /// The age of the block that everything was read at; `None` offline.
    pub block_age: Option<Age>,
    /// The number of RPCs that had to agree, and the number that the council file asks for.
    pub quorum: usize,
    pub council_quorum: usize,
    /// Nonces of other proposals kept here for the same Safe, with their hashes.
    pub others: &'a [(Nonce, String)],
    /// Another lever that keeps the nonce that this one would have, or has.
    pub keeper: Option<&'a Contender>,
    /// The number of owners who have signed it.
    pub signers: usize,
    /// The `after` checks derived from the chain's values now, if those have changed since; judged on the rehearsed
    /// state.
    pub after_now: &'a [Verdict],
    /// The run of the transaction on the reader's own RPC.
    pub rehearsal: Option<&'a Rehearsal>,
    /// The `after` checks, judged on the rehearsed state.
    pub after: &'a [Verdict],
    /// The differences between the rehearsal and the one that the file records.
    pub rehearsed_otherwise: &'a [String],
    /// Why there is no rehearsal though one was wanted.
    pub not_rehearsed: Option<&'a str>,
    /// The code that ran when it was proposed, as the proposer recorded it.
    pub code_then: &'a [RecordedCode],
    /// keccak256 of the code at the Safe's own address; `None` offline.
    pub proxy_code: Option<B256>,
    /// The code of the owners and of the payer, as far as it was read.
    pub accounts: &'a BTreeMap<Address, AccountKind>,
    /// The owners that are Safes of the council file.
    pub owner_safes: &'a [Address],
    /// The code that the council file pins, by the target that runs it.
    pub pins: &'a BTreeMap<Address, Vec<B256>>,
    /// The parts of the transaction that the chain decides, and nothing else confirms.
    pub decided: &'a [Decided],
    /// The reader's own playbook.
    pub entries: &'a [LibraryEntry<'a>],
    /// Contracts that the lever in the council file says to change as well.
    pub changes: &'a [Address],
}

impl Facts<'_> {
    /// Returns `true` if it does what it promised when it was proposed, and what its playbook promises by the chain's
    /// values now.
    pub(super) fn still_works(&self) -> bool {
        let all_hold = |verdicts: &[Verdict]| verdicts.iter().all(|verdict| verdict.holds);
        let succeeds = self.rehearsal.is_some_and(|ran| ran.outcome == RunResult::Succeeded);
        succeeds
            && !self.after.is_empty()
            && !self.after_now.is_empty()
            && [self.before, self.after, self.after_now].into_iter().all(all_hold)
    }

    /// Returns the Safe as it is now or, offline, as the proposal found it.
    pub(super) fn state(&self) -> &SafeState {
        self.now.unwrap_or_else(|| self.proposal.snapshot())
    }

    /// Returns `true` if nobody read the Safe, neither now nor when it was proposed.
    pub(super) fn assumes_the_safe(&self) -> bool {
        self.now.is_none() && self.proposal.block().is_none()
    }

    /// Returns the calls that the Safe makes; empty if its data cannot be decoded.
    pub(super) fn calls(&self) -> Vec<Call> {
        calls_of(self.proposal.tx()).unwrap_or_default()
    }

    /// Returns the reader's own calls.
    pub(super) fn planned(&self) -> &[PlannedCall] {
        self.plan.map_or(&[], |plan| &plan.calls)
    }

    /// Returns the reader's own calls that go to a contract, or have it among their arguments.
    pub(super) fn calls_about(&self, contract: Address) -> impl Iterator<Item = &PlannedCall> {
        let calls = self.planned();
        let is_about = move |planned: &&PlannedCall| {
            planned.call.to == contract || has_word(&planned.call.data, &contract.into_word())
        };
        calls.iter().filter(is_about)
    }

    /// Returns `true` if one of the reader's own calls is about a contract and has a word among its arguments.
    pub(super) fn mentions(&self, contract: Address, word: &B256) -> bool {
        self.calls_about(contract).any(|planned| has_word(&planned.call.data, word))
    }

    /// Returns the rehearsal, unless it reverted and has no effects.
    pub(super) fn effects(&self) -> Option<&Rehearsal> {
        self.rehearsal.filter(|rehearsal| rehearsal.outcome != RunResult::Reverted)
    }

    /// Returns what the reader's own playbook promises if all of it, events left out, is so on the chain now. A rehearsal
    /// that reverts leaves the chain as it is, so that its `after` checks were judged on it as well. An argument that only a
    /// file states is not what the reader wanted done: anybody can write a file with the chain's own value.
    pub(super) fn already_done(&self) -> Option<String> {
        if !self.foreign.is_empty() {
            return None;
        }
        let reverted = self.rehearsal.is_some_and(|rehearsal| rehearsal.outcome == RunResult::Reverted);
        let holds_now = |(at, check): (usize, &Check)| {
            let queries = check.queries();
            match self.answers.filter(|answers| queries.iter().all(|query| answers.get(query).is_some())) {
                Some(answers) => check.judge(answers, &[]).holds,
                None => reverted && self.after.get(at).is_some_and(|verdict| verdict.holds),
            }
        };
        let promised = self.plan.map_or(&[][..], |plan| &plan.after).iter().enumerate();
        let states: Vec<_> = promised.filter(|(_, check)| !matches!(check, Check::Event(_))).collect();
        if states.is_empty() || !states.iter().copied().all(holds_now) {
            return None;
        }
        Some(states.iter().map(|(_, check)| check.describe()).collect::<Vec<_>>().join("; "))
    }

    /// Returns keccak256 of the code that an account has now, zero for none; `None` if it was not read.
    pub(super) fn code_of(&self, address: Address) -> Option<B256> {
        let rehearsed = self.rehearsal.and_then(|rehearsal| rehearsal.code.get(&address).copied());
        let answer = || self.answers.and_then(|answers| answers.get(&Query::CodeHash { address }));
        rehearsed.or_else(|| match answer() {
            Some(Answer::Value(word)) => B256::try_from(&word[..]).ok(),
            _ => None,
        })
    }
}

/// Returns `true` if a call has a word among its arguments, or among those of a call that it carries.
pub(super) fn has_word(data: &[u8], word: &B256) -> bool {
    let from = |start: usize| data.get(start..).unwrap_or_default().chunks(32);
    from(4).chain(from(8)).any(|chunk| chunk == word.as_slice())
}
