//! Findings over a proposal, the Safe as it is now and the reader's own council file: each attack of record one small
//! function.
//!
//! Pure: values in, findings out. A refusal stops `sign` and `broadcast` until it is accepted by its id.

mod binding;
mod code;
mod control;
mod past;
mod rehearsal;
mod rpc;
mod safe;
#[cfg(test)]
mod tests;
mod transaction;

pub use rpc::block_age;

use std::collections::BTreeMap;
use std::fmt::Display;

use alloy::primitives::{Address, B256, Keccak256, hex};

use crate::chain::{Age, EndpointReport};
use crate::council;
use crate::evm::{Answer, Query, Readings};
use crate::fork::{Outcome, Rehearsal};
use crate::playbook::{Decided, Entry, Plan, PlannedCall, Verdict};
use crate::proposal::{Difference, Proposal, RecordedCode, calls_of};
use crate::safe::{Call, Nonce, SafeState};

pub use past::{About, Past, Untrue};

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
    /// What `--accept` takes. That of a refusal names what it is about, or a digest of it: accepting one thing accepts
    /// nothing else.
    pub id: String,
    pub level: Level,
    pub sort: Sort,
    pub sentence: String,
    /// What to do about it; empty when it passed.
    pub fix: String,
}

impl Finding {
    /// Returns `true` for what the command line chose by a flag of its own: it is recorded like a refusal that was
    /// accepted.
    #[must_use]
    pub fn is_chosen(&self) -> bool {
        self.level == Level::Warn && self.id.starts_with(rpc::QUORUM)
    }

    /// Its id without what it is about.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.id.split(':').next().unwrap_or_default()
    }

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
    /// It was proposed before, and a file brings it.
    pub is_from_file: bool,
    /// What the chain says of the block that the file names.
    pub past: &'a Past,
    /// Whether a signature is about to be made; when it is not, the signers have decided what a file may choose.
    pub signing: bool,
    /// The nonce was named on the command line, so that one out of line is meant.
    pub nonce_named: bool,
    /// How the chain's endpoints stand; empty offline.
    pub endpoints: &'a [EndpointReport],
    /// The age of the block that everything was read at; none offline.
    pub block_age: Option<Age>,
    /// How many RPCs had to agree, and how many the council file asks for.
    pub quorum: usize,
    pub council_quorum: usize,
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
    /// What of the transaction the chain decides, and nothing else confirms.
    pub decided: &'a [Decided],
    /// The reader's own playbook.
    pub entry: Option<&'a Entry<'a>>,
    /// Contracts that the lever in the council file says to change as well.
    pub changes: &'a [Address],
}

impl Facts<'_> {
    /// The Safe as it is now or, offline, as the proposal found it.
    fn state(&self) -> &SafeState {
        self.now.unwrap_or_else(|| self.proposal.snapshot())
    }

    /// The calls that the Safe makes; none when that cannot be said.
    fn calls(&self) -> Vec<Call> {
        calls_of(self.proposal.tx()).unwrap_or_default()
    }

    /// The reader's own calls that go to a contract, or have it among their arguments.
    fn calls_about(&self, contract: Address) -> impl Iterator<Item = &PlannedCall> {
        let calls = self.plan.map_or(&[][..], |plan| &plan.calls);
        let is_about = move |planned: &&PlannedCall| {
            planned.call.to == contract || has_word(&planned.call.data, &contract.into_word())
        };
        calls.iter().filter(is_about)
    }

    /// Whether one of the reader's own calls is about a contract and has a word among its arguments.
    fn says(&self, contract: Address, word: &B256) -> bool {
        self.calls_about(contract).any(|planned| has_word(&planned.call.data, word))
    }

    /// The rehearsal, where it left effects to look at.
    fn effects(&self) -> Option<&Rehearsal> {
        self.rehearsal.filter(|rehearsal| rehearsal.outcome != Outcome::Reverted)
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

/// The first of a list, and how many more there are.
fn listed(items: &[String]) -> String {
    const MOST: usize = 5;
    let more = items.len().saturating_sub(MOST);
    let first = items[..items.len() - more].join("; ");
    if more == 0 { first } else { format!("{first}; and {more} more") }
}

/// Whether a call has a word among its arguments, or among those of a call that it carries.
fn has_word(data: &[u8], word: &B256) -> bool {
    let from = |start: usize| data.get(start..).unwrap_or_default().chunks(32);
    from(4).chain(from(8)).any(|chunk| chunk == word.as_slice())
}

/// The name of a check, by which a test pins the list, and the check.
type Check = (&'static str, fn(&Facts) -> Vec<Finding>);

/// Every check, in the order in which a signer should doubt.
const CHECKS: [&[Check]; 8] = [
    &rpc::FIRST,
    &binding::CHECKS,
    &transaction::CHECKS,
    &safe::CHECKS,
    &code::CHECKS,
    &rehearsal::CHECKS,
    &control::CHECKS,
    &rpc::CHECKS,
];

/// Looks at everything.
#[must_use]
pub fn findings(facts: &Facts) -> Vec<Finding> {
    CHECKS.into_iter().flatten().flat_map(|(_, check)| check(facts)).collect()
}

/// `id` with 16 hex digits of a digest of what the finding is about.
fn named<'a>(id: &str, about: impl IntoIterator<Item = &'a dyn Display>) -> String {
    let mut digest = Keccak256::new();
    for part in about {
        let text = part.to_string();
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    format!("{id}:{}", hex::encode(&digest.finalize()[..8]))
}

/// [`named`] for a list of texts.
fn named_by(id: &str, about: &[String]) -> String {
    named(id, about.iter().map(|text| text as &dyn Display))
}

/// Looks at what a transaction does and at nothing else: for one that was mined.
#[must_use]
pub fn of_effects(facts: &Facts) -> Vec<Finding> {
    let checks = code::CHECKS.iter().chain(&rehearsal::CHECKS).chain(&control::CHECKS);
    checks.flat_map(|(_, check)| check(facts)).collect()
}

/// Findings for a person to read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Readable<'a> {
    pub first: Vec<&'a Finding>,
    /// The kinds of which there are more, and how many.
    pub more: BTreeMap<&'a str, usize>,
}

/// The first ten of each kind, in their order: a transaction that changes a thousand contracts is refused for each.
#[must_use]
pub fn readable<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Readable<'a> {
    const MOST_OF_A_KIND: usize = 10;
    let mut readable = Readable::default();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        let count = counts.entry(finding.kind()).or_default();
        *count += 1;
        if *count <= MOST_OF_A_KIND {
            readable.first.push(finding);
        } else {
            *readable.more.entry(finding.kind()).or_default() += 1;
        }
    }
    readable
}

/// The refusals that nobody accepted by name.
#[must_use]
pub fn standing<'a>(findings: &'a [Finding], accepted: &[String]) -> Vec<&'a Finding> {
    findings.iter().filter(|f| f.level == Level::Refuse && !accepted.contains(&f.id)).collect()
}
