//! Checks of the rehearsal: the transaction works, and does what the playbook promises.

use std::fmt::Display;

use super::description::{ASK, Description, Id};
use super::{Check, Facts, all, allowed_effects, outflow};
use crate::fork::{Rehearsal, RunResult};
use crate::playbook::{NEAR, Verdict};
use crate::safe::SafeTxHash;

pub(super) const CHECKS: [Check; 9] = [
    ("rehearsed", |facts| all(is_rehearsed(facts))),
    ("succeeds", |facts| all(facts.rehearsal.map(|rehearsal| succeeds(facts, rehearsal)))),
    ("gas", |facts| all(facts.effects().and_then(|done| gas(facts, done)))),
    ("safe slots", |facts| all(facts.effects().map(|done| allowed_effects::safe_slots(facts, done)))),
    ("outflow", |facts| all(facts.effects().map(|done| outflow::outflow(facts, done)))),
    ("approvals", |facts| all(facts.effects().map(|done| outflow::approvals(facts, done)))),
    ("after", |facts| all(after_holds(facts))),
    ("undeclared effects", |facts| {
        all(facts.effects().map_or_else(Vec::new, |done| allowed_effects::undeclared(facts, done)))
    }),
    ("as recorded", |facts| all(as_recorded(facts))),
];

/// The result of the rehearsal, against the playbook's promises and the gas limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RehearsalProblem {
    NotRehearsed { hash: SafeTxHash, why: String, moved: bool },
    Succeeds,
    Reverts { hash: SafeTxHash, reason: String, already_done: Option<String>, pieces: Vec<String> },
    ExecutionFailure { hash: SafeTxHash, reason: String },
    Unannounced { hash: SafeTxHash, reason: String },
    MuchGas { used: u64, limit: u64, pieces: Vec<String> },
    After { number: usize, verdict: Verdict, already_done: Option<String> },
    Otherwise { first: String, more: usize },
}

impl RehearsalProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::NotRehearsed { hash, why, moved } => {
                let id = Id::from("not-rehearsed").digest([hash as &dyn Display]);
                let sentence = format!("it could not be rehearsed: {why}");
                let fix = "try again, or on another RPC with `breakglass dry-run --fork-url`: what it does is not known";
                if *moved {
                    Description::drift(id, sentence, fix)
                } else {
                    Description::refuse(id, sentence, fix)
                }
            }
            Self::Succeeds => Description::pass("rehearsal-fails", "it succeeds when rehearsed"),
            Self::Reverts { hash, reason, already_done, pieces } => {
                reverts(hash, reason, already_done.as_deref(), pieces)
            }
            Self::ExecutionFailure { hash, reason } => Description::refuse(
                failing("execution-failure", hash, reason),
                format!("the Safe reports ExecutionFailure when rehearsed{reason}"),
                "do not send it: it would use up the nonce and do nothing",
            ),
            Self::Unannounced { hash, reason } => Description::refuse(
                failing("unannounced", hash, reason),
                "the Safe reports no success: it is not a known Safe",
                ASK,
            ),
            Self::MuchGas { used, limit, pieces } => Description::warn(
                "gas",
                format!(
                    "it uses {used} gas, {} % of the {limit} that one transaction may have",
                    share(*used, *limit)
                ),
                cut(pieces)
                    .unwrap_or_else(|| "propose it in several transactions while there is time".into()),
            ),
            Self::After { number, verdict, already_done } => {
                let fix = "it would not do what the playbook promises: ask why";
                Description::of_verdict("after", *number, verdict, already_done.as_deref(), fix)
            }
            Self::Otherwise { first, more } => {
                let more = if *more == 0 { String::new() } else { format!(" (and {more} more)") };
                Description::warn(
                    "rehearsed-otherwise",
                    format!("it does not do what it did when it was proposed: {first}{more}"),
                    "see what changed above: the chain moved on, a contract was replaced, or the file lies",
                )
            }
        }
    }
}

fn failing(kind: &'static str, hash: &SafeTxHash, reason: &str) -> Id {
    Id::from(kind).digest([hash as &dyn Display, &reason])
}

fn reverts(hash: &SafeTxHash, reason: &str, already_done: Option<&str>, pieces: &[String]) -> Description {
    let id = failing("rehearsal-fails", hash, reason);
    let sentence = format!("it reverts when rehearsed{reason}");
    if let Some(promised) = already_done {
        return Description::already_done(id, sentence, promised);
    }
    if let Some(cut) = cut(pieces) {
        return Description::refuse(id, sentence, format!("it may have run out of gas: {cut}"));
    }
    let fix = "look at the reason; sent like this, it changes nothing on chain";
    Description::refuse(id, sentence, fix)
}

/// Returns the advice to cut it into pieces, in the same words for everybody.
fn cut(pieces: &[String]) -> Option<String> {
    let (last, first) = pieces.split_last()?;
    let set = |piece: &String| format!("--set piece={piece}");
    let first = first.iter().map(set).collect::<Vec<_>>().join(", ");
    Some(format!("cut it, the same for everybody: the same command with {first} and {}", set(last)))
}

/// Returns the pieces into which it is cut if it takes this share of the gas limit.
fn pieces(facts: &Facts, share: u64) -> Vec<String> {
    let cut = facts.plan.and_then(|plan| plan.piece?.cut(plan.calls.len(), share));
    cut.unwrap_or_default()
}

fn is_rehearsed(facts: &Facts) -> Option<RehearsalProblem> {
    // If the Safe is not the proposal's, that is why it cannot be rehearsed.
    let moved = facts.now.is_some_and(|now| now.id != *facts.proposal.safe());
    let (hash, why) = (facts.proposal.hash(), facts.not_rehearsed?.to_string());
    Some(RehearsalProblem::NotRehearsed { hash, why, moved })
}

fn succeeds(facts: &Facts, rehearsal: &Rehearsal) -> RehearsalProblem {
    let hash = facts.proposal.hash();
    let errors = facts.plan.map_or(&[][..], |plan| &plan.errors);
    let revert = rehearsal.reverts.last();
    let reason = revert.map_or_else(String::new, |r| format!(": {} (in {})", r.reason(errors), r.by));
    match rehearsal.outcome {
        RunResult::Succeeded => RehearsalProblem::Succeeds,
        RunResult::Reverted => RehearsalProblem::Reverts {
            hash,
            reason,
            already_done: facts.already_done(),
            // One that runs out of gas has used all of it.
            pieces: pieces(facts, share(rehearsal.gas_used, rehearsal.gas_limit)),
        },
        RunResult::Failed => RehearsalProblem::ExecutionFailure { hash, reason },
        RunResult::Unannounced => RehearsalProblem::Unannounced { hash, reason },
    }
}

/// Warns of a transaction near the gas limit: above it no block takes it, and its cost may still grow.
fn gas(facts: &Facts, rehearsal: &Rehearsal) -> Option<RehearsalProblem> {
    let (used, limit) = (rehearsal.gas_used, rehearsal.gas_limit);
    let share = share(used, limit);
    (share > NEAR).then(|| RehearsalProblem::MuchGas { used, limit, pieces: pieces(facts, share) })
}

fn share(used: u64, limit: u64) -> u64 {
    used.saturating_mul(100) / limit.max(1)
}

fn after_holds(facts: &Facts) -> Vec<RehearsalProblem> {
    let reverted = facts.rehearsal.is_some_and(|rehearsal| rehearsal.outcome == RunResult::Reverted);
    let already_done = facts.already_done().filter(|_| reverted);
    let judged = |(verdict, number): (&Verdict, usize)| RehearsalProblem::After {
        number,
        verdict: verdict.clone(),
        already_done: already_done.clone(),
    };
    facts.after.iter().zip(1..).map(judged).collect()
}

fn as_recorded(facts: &Facts) -> Option<RehearsalProblem> {
    let (first, others) = facts.rehearsed_otherwise.split_first()?;
    Some(RehearsalProblem::Otherwise { first: first.clone(), more: others.len() })
}
