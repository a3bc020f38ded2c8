//! Several plans in one transaction: the calls one after another, everything else with its own lever. Pure.

use alloy::primitives::Address;

use super::Change;
use super::plan::{Plan, PlannedCall};
use crate::evm::{Answer, Query, Readings};
use crate::safe::Call;

#[derive(Clone, Debug, PartialEq)]
pub struct LeverPlan {
    /// The lever's name; `None` for a playbook that no lever binds.
    pub lever: Option<String>,
    pub plan: Plan,
}

/// The plans of one transaction, in the order of their calls; at least one.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub struct CombinedPlan {
    first: LeverPlan,
    rest: Vec<LeverPlan>,
}

/// A value that a later lever rests on, of a contract that an earlier lever of the same transaction changes: whether it is
/// still the same when the later one runs, the plans alone do not say.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
#[display(
    "{earlier} and {later} cannot be combined: {later} rests on {value}, of a contract that {earlier} changes before it"
)]
pub struct Conflict {
    pub earlier: String,
    pub later: String,
    /// The place of the later lever in the transaction, from 0.
    pub at: usize,
    pub query: Query,
    /// `vault feeBps() is 50`, or the question itself.
    pub value: String,
}

/// A call as the Safe would make it once more, after the transaction. If it reverts, then the transaction reverts as a whole
/// if somebody else makes this call first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    pub lever: Option<String>,
    /// The place of the call in the transaction, from 0.
    pub call: usize,
    pub signature: String,
    pub query: Query,
}

impl CombinedPlan {
    /// Returns `None` without a lever.
    pub fn new(levers: Vec<LeverPlan>) -> Option<Self> {
        let mut levers = levers.into_iter();
        Some(Self { first: levers.next()?, rest: levers.collect() })
    }

    pub fn levers(&self) -> impl Iterator<Item = &LeverPlan> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// The calls of all levers, each with its lever, in their order.
    pub fn calls(&self) -> impl Iterator<Item = (Option<&str>, &PlannedCall)> {
        self.levers().flat_map(|one| one.plan.calls.iter().map(|call| (one.lever.as_deref(), call)))
    }

    /// The calls that come before a lever's own: what has happened when it runs.
    pub fn calls_before(&self, at: usize) -> Vec<Call> {
        let before = self.levers().take(at).flat_map(|one| &one.plan.calls);
        before.map(|planned| planned.call.clone()).collect()
    }

    /// The whole as one plan, for whatever holds for the transaction: the only lever's own, or all of them in one. The
    /// arguments and reads of several are named with their lever: `bridge.fee`.
    pub fn merged(&self) -> Plan {
        if self.rest.is_empty() {
            return self.first.plan.clone();
        }
        let mut all = self.first.named();
        // Only a lever alone is cut.
        all.piece = None;
        for plan in self.rest.iter().map(LeverPlan::named) {
            all.args.extend(plan.args);
            all.reads.extend(plan.reads);
            all.calls.extend(plan.calls);
            all.skipped.extend(plan.skipped);
            all.before.extend(plan.before);
            all.after.extend(plan.after);
            all.kept.extend(plan.kept);
            all.decided.extend(plan.decided);
            all.rests_on.extend(plan.rests_on);
            for change in plan.changes {
                if !all.changes.contains(&change) {
                    all.changes.push(change);
                }
            }
            for error in plan.errors {
                if !all.errors.contains(&error) {
                    all.errors.push(error);
                }
            }
        }
        all
    }

    /// The values that a lever rests on and an earlier one may have changed by then. Whoever can run the transaction asks
    /// each [`Conflict::query`] after [`CombinedPlan::calls_before`], and [`Conflict::is_settled`] says if it is none.
    pub fn conflicts(&self, safe: Address) -> Vec<Conflict> {
        let mut found = Vec::new();
        for (at, later) in self.levers().enumerate() {
            for (query, _) in later.plan.rests_on.iter() {
                let changes = |earlier: &&LeverPlan| earlier.may_change(query, safe);
                let Some(earlier) = self.levers().take(at).find(changes) else { continue };
                found.push(Conflict {
                    earlier: earlier.name(),
                    later: later.name(),
                    at,
                    query: query.clone(),
                    value: later.sentence(query),
                });
            }
        }
        found
    }

    /// The calls to try once more after the transaction. Those that send ETH cannot be tried so.
    pub fn repeats(&self, safe: Address) -> Vec<Repeat> {
        let tried = self.calls().enumerate().filter(|(_, (_, planned))| planned.call.value.is_zero());
        let repeat = |(call, (lever, planned)): (usize, (Option<&str>, &PlannedCall))| {
            let Call { to, data, .. } = planned.call.clone();
            let query = Query::Call { from: Some(safe), to, data };
            Repeat { lever: lever.map(str::to_string), call, signature: planned.signature.clone(), query }
        };
        tried.map(repeat).collect()
    }
}

impl LeverPlan {
    fn name(&self) -> String {
        self.lever.clone().unwrap_or_else(|| "the playbook".into())
    }

    fn named(&self) -> Plan {
        let mut plan = self.plan.clone();
        if let Some(lever) = &self.lever {
            plan.args.iter_mut().for_each(|arg| arg.name = format!("{lever}.{}", arg.name));
            plan.reads.iter_mut().for_each(|read| read.name = format!("{lever}.{}", read.name));
        }
        plan
    }

    /// Returns `true` if the answer may be another one after this lever's calls: it is of a contract that they call or that
    /// the playbook declares to change. The code at an address and the time are changed by no call.
    fn may_change(&self, query: &Query, safe: Address) -> bool {
        let of = match query {
            Query::Call { to, .. } => *to,
            Query::Storage { address, .. } => *address,
            Query::Balance { address } => {
                let sends = |planned: &PlannedCall| {
                    !planned.call.value.is_zero() && (*address == safe || *address == planned.call.to)
                };
                return self.plan.calls.iter().any(sends);
            }
            Query::CodeHash { .. } | Query::Time => return false,
        };
        let calls = self.plan.calls.iter().map(|planned| planned.call.to);
        let declared = self.plan.changes.iter().map(|change| match change {
            Change::Contract(address) => *address,
            _ => safe,
        });
        calls.chain(declared).any(|changed| changed == of)
    }

    /// Returns the sentence that tells a person what was read.
    fn sentence(&self, query: &Query) -> String {
        let sources = self.plan.decided.iter().flat_map(|part| &part.by);
        let known =
            sources.filter(|source| source.query == *query).map(|source| source.sentence.clone()).next();
        known.unwrap_or_else(|| query.to_string())
    }
}

impl Conflict {
    /// Returns `true` if the answer is the same before the transaction and when the later lever runs.
    pub fn is_settled(&self, before: &Readings, then: &Readings) -> bool {
        let answer = before.get(&self.query);
        answer.is_some() && answer == then.get(&self.query)
    }
}

impl Repeat {
    /// Returns the repeats that revert by these answers, asked after the transaction.
    pub fn reverting<'r>(repeats: &'r [Self], after: &Readings) -> Vec<&'r Self> {
        let reverts = |repeat: &&Self| matches!(after.get(&repeat.query), Some(Answer::Reverted(_)));
        repeats.iter().filter(reverts).collect()
    }
}
