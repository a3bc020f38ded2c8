//! A problem is the result of a check, as data. Its id, level, sentence and fix are derived from it, in the `describe`
//! of each file. No decision reads these texts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::description::{Description, Level, Sort};

use super::{
    allowed_effects, announced, approved, code, contracts, control, deputy_power, endpoints, falsehoods,
    outflow, own_playbook, owner_accounts, powers, rehearsal_checks, safe_pins, transaction,
};

macro_rules! problems {
    ($($variant:ident($file:ident::$problem:ident)),* $(,)?) => {
        /// The result of a check: it passes, warns, refuses, or is already done. One variant for each file of checks.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Problem {
            $($variant($file::$problem),)*
        }

        impl Problem {
            fn describe(&self) -> Description {
                match self {
                    $(Self::$variant(problem) => problem.describe(),)*
                }
            }
        }

        $(impl From<$file::$problem> for Problem {
            fn from(problem: $file::$problem) -> Self {
                Self::$variant(problem)
            }
        })*
    };
}

problems! {
    Drill(announced::DrillProblem),
    Approved(approved::ApprovedProblem),
    Binding(own_playbook::PlaybookProblem),
    Falsehoods(falsehoods::FalsehoodProblem),
    Transaction(transaction::TransactionProblem),
    Safe(safe_pins::PinProblem),
    Contracts(contracts::ContractProblem),
    Powers(powers::PowerProblem),
    OwnerAccounts(owner_accounts::OwnerProblem),
    Code(code::CodeProblem),
    Rehearsal(rehearsal_checks::RehearsalProblem),
    Effects(allowed_effects::EffectProblem),
    Outflow(outflow::OutflowProblem),
    Control(control::ControlProblem),
    Deputy(deputy_power::DeputyProblem),
    Rpc(endpoints::EndpointProblem),
}

impl Problem {
    /// Returns `true` for problems that the execution of the proposal itself causes: its nonce is used, and its
    /// `before` checks need not hold any more.
    pub const fn comes_with_execution(&self) -> bool {
        matches!(
            self,
            Self::Transaction(transaction::TransactionProblem::NonceUsed { .. })
                | Self::Binding(own_playbook::PlaybookProblem::Before { .. })
        )
    }

    /// Returns `true` if the Safe has used the proposal's nonce.
    pub const fn is_used_nonce(&self) -> bool {
        matches!(self, Self::Transaction(transaction::TransactionProblem::NonceUsed { .. }))
    }

    /// Returns `true` if it is about which nonce the proposal has, and what else there is at it.
    pub const fn is_about_nonces(&self) -> bool {
        matches!(
            self,
            Self::Transaction(
                transaction::TransactionProblem::NonceUsed { .. }
                    | transaction::TransactionProblem::NonceGap { .. }
                    | transaction::TransactionProblem::NonceKept { .. }
                    | transaction::TransactionProblem::NonceConflict { .. }
            )
        )
    }

    /// Returns `true` if the contracts do not let the Safe do it: a condition for the act that does not hold, or a revert.
    pub const fn is_of_the_contract(&self) -> bool {
        matches!(
            self,
            Self::Binding(own_playbook::PlaybookProblem::Before { .. })
                | Self::Rehearsal(
                    rehearsal_checks::RehearsalProblem::Reverts { .. }
                        | rehearsal_checks::RehearsalProblem::ExecutionFailure { .. }
                )
        )
    }

    /// Returns the RPC that contradicts the others, as shown.
    pub fn lying_rpc(&self) -> Option<&str> {
        match self {
            Self::Rpc(endpoints::EndpointProblem::Lying { rpc, .. }) => Some(rpc),
            _ => None,
        }
    }

    /// Returns what the playbook promises, if it is so already and that is why it cannot be done again.
    pub fn already_done(&self) -> Option<&str> {
        match self {
            Self::Binding(own_playbook::PlaybookProblem::Before { already_done, verdict, .. })
            | Self::Rehearsal(rehearsal_checks::RehearsalProblem::After { already_done, verdict, .. }) => {
                already_done.as_deref().filter(|_| !verdict.holds)
            }
            Self::Rehearsal(rehearsal_checks::RehearsalProblem::Reverts { already_done, .. })
            | Self::Deputy(deputy_power::DeputyProblem::Used { already_done, .. }) => already_done.as_deref(),
            _ => None,
        }
    }

    /// Returns `true` if a flag of the command line chose it: it is recorded like a refusal that was accepted.
    pub const fn is_chosen(&self) -> bool {
        matches!(self, Self::Rpc(endpoints::EndpointProblem::QuorumLowered { .. }))
    }
}

/// A problem with its id, level, sentence and fix: for the review, and for `--json`.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    #[serde(skip)]
    problem: Problem,
    /// The number of approvals between what is signed and the transaction that it is about.
    #[serde(skip)]
    depth: usize,
    /// The id that `--accept` takes. That of a refusal names what it is about, or a digest of it: accepting one thing accepts
    /// nothing else.
    pub id: String,
    /// The first part of its id.
    pub kind: &'static str,
    pub level: Level,
    #[serde(skip)]
    pub sort: Sort,
    /// The thing of this kind that it is about: an address, a nonce, the number of a check.
    pub about: Vec<String>,
    pub sentence: String,
    /// The remedy; empty if it passed.
    pub fix: String,
}

impl Finding {
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }

    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// Returns it as a finding about a transaction that approves the one that it is about.
    pub(super) fn of_approved(&self) -> Self {
        Self {
            id: format!("approved:{}", self.id),
            sentence: format!("what it approves: {}", self.sentence),
            depth: self.depth + 1,
            ..self.clone()
        }
    }
}

impl From<Problem> for Finding {
    fn from(problem: Problem) -> Self {
        let Description { id, level, sort, sentence, fix } = problem.describe();
        Self { problem, depth: 0, id: id.text, kind: id.kind, level, sort, about: id.about, sentence, fix }
    }
}

/// Findings for a person to read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Readable<'a> {
    pub first: Vec<&'a Finding>,
    /// The kinds of which there are more, and how many.
    pub more: BTreeMap<&'static str, usize>,
}

/// Returns the first ten of each kind, in their order: a transaction that changes a thousand contracts is refused for
/// each.
pub fn readable<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Readable<'a> {
    const MOST_OF_A_KIND: usize = 10;
    let mut readable = Readable::default();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        let count = counts.entry(finding.kind).or_default();
        *count += 1;
        if *count <= MOST_OF_A_KIND {
            readable.first.push(finding);
        } else {
            *readable.more.entry(finding.kind).or_default() += 1;
        }
    }
    readable
}
