//! The plan of a playbook: ordered calls, checks and declared effects; and why there is none. Pure.

use std::collections::BTreeMap;

use alloy::dyn_abi::DynSolValue;
use alloy::json_abi::Error;
use alloy::primitives::Address;

use super::Change;
use super::piece::Piece;
use super::postcheck::Check;
use super::provenance::Decided;
use crate::evm::{AddressBook, Query, Readings};
use crate::safe::Call;

/// The inputs of a plan besides the playbook.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Name → text as a person gave it.
    pub args: &'a BTreeMap<String, String>,
    /// The reader's own names.
    pub names: &'a AddressBook,
    pub safe: Address,
    pub chain_id: u64,
}

/// A plan, or what must be asked of the chain before there can be one.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made a few times in a run, and taken apart at once")]
pub enum Derivation {
    Needs(Vec<Query>),
    Ready(Plan),
}

/// The ordered calls, checks and effects of a playbook with these arguments at this state.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub args: Vec<ShownArg>,
    pub reads: Vec<ShownRead>,
    /// In order; at least one.
    pub calls: Vec<PlannedCall>,
    pub skipped: Vec<Skipped>,
    pub before: Vec<Check>,
    pub after: Vec<Check>,
    /// `true` for each check in `after` that may hold before already.
    pub kept: Vec<bool>,
    /// The changes that are allowed beyond the storage of the contracts called.
    pub changes: Vec<Change>,
    /// The errors of the contracts, beside those that everybody knows.
    pub errors: Vec<Error>,
    /// The parts of the transaction that the chain decides, step by step.
    pub decided: Vec<Decided>,
    /// The piece of the lever that it is; `None` if it cannot be cut.
    pub piece: Option<Piece>,
    /// The answers that the plan rests on: with them and the same arguments it is derived again.
    pub rests_on: Readings,
}

/// An argument as given and as understood.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownArg {
    pub name: String,
    /// As given, or the playbook's default.
    pub text: String,
    pub value: DynSolValue,
    /// `0.5 % (50)`
    pub shown: String,
    /// The reader's name for an address; that the value is a default.
    pub note: Option<String>,
}

/// A value read from the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownRead {
    pub name: String,
    /// `guardian getOwners()`
    pub source: String,
    pub value: DynSolValue,
    pub shown: String,
}

/// A call that the Safe is to make.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedCall {
    pub call: Call,
    /// `setFee(uint256)`
    pub signature: String,
    /// Name of the argument, or its type where it has none, and its value for a person.
    pub arguments: Vec<(String, String)>,
    /// The reader's own name for the contract.
    pub to_name: Option<String>,
    /// The step of the playbook, from 0.
    pub step: usize,
}

/// A step, or one turn of it, that is left out because what it does is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub step: usize,
    pub signature: String,
    /// `vault paused() is true`
    pub reason: String,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlanError {
    #[error("{playbook} needs {}: give {}", listed(.asks), .names.iter().map(|n| format!("--set {n}=…")).collect::<Vec<_>>().join(" "))]
    Missing { playbook: String, names: Vec<String>, asks: Vec<String> },
    #[error("{playbook} has no argument {name:?}; {hint}")]
    Unknown { playbook: String, name: String, hint: String },
    #[error("{name}={text}: {why}")]
    Argument { name: String, text: String, why: String },
    #[error("the read {name}: {why}")]
    Read { name: String, why: String },
    /// `place` is such as `step 2` or `check 1 before the steps`.
    #[error("{place}: {why}")]
    Place { place: String, why: String },
    #[error("already done: {}", reasons(.0))]
    NothingToDo(Vec<Skipped>),
}

fn listed(asks: &[String]) -> String {
    asks.join(" and ")
}

/// The first few reasons, and how many more there are.
fn reasons(skipped: &[Skipped]) -> String {
    const SHOWN: usize = 8;
    let first: Vec<&str> = skipped.iter().take(SHOWN).map(|s| s.reason.as_str()).collect();
    let more = skipped.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", first.join("; "))
}
