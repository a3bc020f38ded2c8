//! Checks of the code that the calls run: it exists, it is what the council pinned, and it is what ran when this was
//! proposed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use alloy::primitives::{Address, B256};

use super::description::{Description, Id};
use super::{Check, Facts, all};
use crate::fork::{Rehearsal, RunResult};

pub(super) const CHECKS: [Check; 1] = [("code", |facts| all(code(facts)))];

/// The code that a called contract runs, against the pins and the proposal's record. `NotRecorded`: nobody recorded what it was
/// at the time of the proposal. `NotSeen`: nobody could look at a pin; it refuses where a rehearsal should have looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeProblem {
    NotRecorded(Vec<Address>),
    NotSeen { target: Address, refuses: bool },
    NoCode(Address),
    NotReached(Address),
    Runs { target: Address, code: BTreeMap<Address, B256>, pinned: bool },
    Unpinned { target: Address, at: Address, hash: B256, pins: Vec<B256> },
    Moved { target: Address, at: Address, hash: B256, then: BTreeMap<Address, B256> },
}

impl CodeProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::NotRecorded(targets) => {
                let targets = targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
                Description::warn(
                    "code-not-recorded",
                    format!(
                        "not checked: its file does not say which code {targets} had when this was proposed"
                    ),
                    "pin the code of your targets in breakglass.toml",
                )
            }
            Self::NotSeen { target, refuses } => Description::refuse_if(
                *refuses,
                Id::of("code-not-seen", target),
                format!("the code of {target} is pinned, and was not looked at"),
                "sign online, where it can be rehearsed",
            ),
            Self::NoCode(target) => Description::refuse(
                Id::of("no-code", target),
                format!("{target} has no code: the call would succeed and do nothing"),
                "check the address: no contract is there",
            ),
            Self::NotReached(target) => Description::pass(
                Id::from("code").about(target),
                format!("not checked: it fails before it reaches {target}"),
            ),
            Self::Runs { target, code, pinned } => {
                let pinned = if *pinned { "as your council file pins it" } else { "not pinned" };
                Description::pass(
                    Id::from("code").about(target),
                    format!("{target} runs code {}, {pinned}", listed(code)),
                )
            }
            Self::Unpinned { target, at, hash, pins } => Description::refuse(
                Id::of("code", target).digest([at as &dyn Display, hash]),
                format!(
                    "{target} runs code {hash}{}, and your council file pins {}",
                    place(*at, *target),
                    pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
                ),
                "ask who replaced that code, and what it does; if it was your protocol, pin the new one",
            ),
            Self::Moved { target, at, hash, then } => Description::drift(
                Id::of("code-moved", target).digest([at as &dyn Display, hash]),
                format!(
                    "{target} runs code {hash}{} now, and ran {} when this was proposed",
                    place(*at, *target),
                    listed(then)
                ),
                "ask who replaced that code, and what it does; if it was your protocol, propose again",
            ),
        }
    }
}

/// The address of the code, if that is not the target itself.
fn place(at: Address, target: Address) -> String {
    if at == target { String::new() } else { format!(" at {at}") }
}

fn listed(code: &BTreeMap<Address, B256>) -> String {
    code.iter().map(|(at, hash)| format!("{hash} at {at}")).collect::<Vec<_>>().join(" and ")
}

fn code(facts: &Facts) -> Vec<CodeProblem> {
    let called: BTreeSet<Address> =
        facts.calls().into_iter().filter(|call| !call.data.is_empty()).map(|call| call.to).collect();
    let Some(rehearsal) = facts.rehearsal else {
        return called.into_iter().filter_map(|target| not_seen(facts, target)).collect();
    };
    // A pinned contract may be reached through another.
    let reached = facts.pins.keys().copied().filter(|target| !rehearsal.runs(*target).is_empty());
    let targets: BTreeSet<Address> = called.iter().copied().chain(reached).collect();
    let unrecorded = not_recorded(facts, rehearsal, &called);
    targets.into_iter().flat_map(|target| code_of(facts, rehearsal, target)).chain(unrecorded).collect()
}

fn not_recorded(facts: &Facts, rehearsal: &Rehearsal, called: &BTreeSet<Address>) -> Option<CodeProblem> {
    let recorded = |target: &Address| facts.code_then.iter().any(|then| then.called == *target);
    let runs = |target: &Address| !rehearsal.runs(*target).is_empty();
    let is_missing = |target: &Address| facts.is_from_file && runs(target) && !recorded(target);
    let missing: Vec<Address> = called.iter().copied().filter(is_missing).collect();
    (!missing.is_empty()).then_some(CodeProblem::NotRecorded(missing))
}

fn not_seen(facts: &Facts, target: Address) -> Option<CodeProblem> {
    // Without a rehearsal, as in `status`, a warning is enough: the code is checked before anybody signs.
    let refuses = facts.rehearsal.is_some() || facts.not_rehearsed.is_some();
    facts.pins.contains_key(&target).then_some(CodeProblem::NotSeen { target, refuses })
}

fn code_of(facts: &Facts, rehearsal: &Rehearsal, target: Address) -> Vec<CodeProblem> {
    if facts.code_of(target) == Some(B256::ZERO) {
        return vec![CodeProblem::NoCode(target)];
    }
    let (code, pinned) = (rehearsal.runs(target), facts.pins.contains_key(&target));
    let unseen = code.is_empty() || rehearsal.trace.cut;
    if unseen && rehearsal.outcome == RunResult::Succeeded && pinned {
        return not_seen(facts, target).into_iter().collect();
    }
    if code.is_empty() {
        return vec![CodeProblem::NotReached(target)];
    }
    let wrong = [unpinned(facts, target, &code), moved(facts, target, &code)].concat();
    if wrong.is_empty() { vec![CodeProblem::Runs { target, code, pinned }] } else { wrong }
}

/// Returns the code that runs and that the council did not pin, each by its hash, so that accepting one accepts no
/// other.
fn unpinned(facts: &Facts, target: Address, code: &BTreeMap<Address, B256>) -> Vec<CodeProblem> {
    let Some(pins) = facts.pins.get(&target) else { return Vec::new() };
    let others = code.iter().filter(|(_, hash)| !pins.contains(hash));
    others
        .map(|(at, hash)| CodeProblem::Unpinned { target, at: *at, hash: *hash, pins: pins.clone() })
        .collect()
}

/// Returns the code that did not run when this was proposed, as far as the proposal recorded it.
fn moved(facts: &Facts, target: Address, code: &BTreeMap<Address, B256>) -> Vec<CodeProblem> {
    let recorded = facts.code_then.iter().filter(|then| then.called == target);
    let then: BTreeMap<Address, B256> = recorded.map(|then| (then.at, then.hash)).collect();
    if then.is_empty() {
        return Vec::new();
    }
    let others = code.iter().filter(|(at, hash)| then.get(*at) != Some(hash));
    others.map(|(at, hash)| CodeProblem::Moved { target, at: *at, hash: *hash, then: then.clone() }).collect()
}
