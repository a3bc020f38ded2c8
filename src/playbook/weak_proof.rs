//! Warnings about a weak proof, from the text of a playbook alone. They are advice for its author: a claim may have a good
//! reason that the text does not show. Pure.

use alloy::json_abi::Function;

use super::claim::{Claim, Fact, StaticCall, ValueSource};
use super::postcheck::Relation;
use super::{DeclaredChange, Playbook};

impl Playbook {
    /// Returns what may be wrong with its proof, as sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut found: Vec<String> =
            self.after.iter().filter_map(|claim| self.may_hold_before(claim)).collect();
        found.extend(self.after.iter().filter_map(|claim| self.part_warning(claim)));
        found.extend(self.asks_the_switch_alone());
        found
    }

    /// Returns the warning for a claim that nothing compares before the steps.
    fn may_hold_before(&self, claim: &Claim) -> Option<String> {
        if claim.kept.is_some() || matches!(claim.fact, Fact::Event { .. }) {
            return None;
        }
        let conditions = self.steps.iter().flat_map(|step| &step.skip_if);
        let is_compared =
            self.before.iter().chain(conditions).any(|other| asks_the_same(&claim.fact, &other.fact));
        let is_read = match &claim.fact {
            Fact::Value { source: ValueSource::Time, .. } => return None,
            Fact::Value { expected, .. } if expected.is_any() => false,
            Fact::Value { source, .. } => self.reads.iter().any(|read| reads_the_same(source, &read.source)),
            Fact::Event { .. } | Fact::Call { .. } => false,
        };
        (!is_compared && !is_read).then(|| {
            format!(
                "[[after]] {claim}: it may hold before the steps already, for nothing compares it there. \
                 Compare it in [[before]] or skip_if, or say in kept why it is looked at"
            )
        })
    }

    /// Returns the warning for a claim about one item or the length of a list.
    fn part_warning(&self, claim: &Claim) -> Option<String> {
        let Fact::Value { source, relation, expected } = &claim.fact else { return None };
        let is_part = match relation {
            Relation::Contains | Relation::Lacks => !self.compares_whole(source),
            Relation::Is | Relation::IsNot if expected.leaves_items_open() => !self.compares_whole(source),
            _ => self.is_length_or_item(claim, source, expected.to_string().trim()),
        };
        is_part.then(|| {
            format!(
                "[[after]] {claim}: it looks at a part of a list, so another change of the list is not noticed. \
                 Compare the whole list, with expect or same_items, or each item, with for = {{ at = \"{{indices(…)}}\" }}"
            )
        })
    }

    fn compares_whole(&self, source: &ValueSource) -> bool {
        self.after.iter().any(|claim| match &claim.fact {
            Fact::Value { source: other, relation: Relation::Is, expected } => {
                reads_the_same(source, other) && !expected.is_any() && !expected.leaves_items_open()
            }
            Fact::Value { source: other, relation: Relation::SameItems, .. } => reads_the_same(source, other),
            _ => false,
        })
    }

    /// Returns `true` for the length of a list that is not empty, and for an item at a place that is written out, where no
    /// claim goes over all items.
    fn is_length_or_item(&self, claim: &Claim, source: &ValueSource, expected: &str) -> bool {
        let ValueSource::View(call) = source else { return false };
        let goes_over_all = |other: &Claim| match &other.fact {
            Fact::Value { source: ValueSource::View(of), .. } => other.each.is_some() && of.on == call.on,
            _ => false,
        };
        let is_place = claim.each.is_none()
            && call.args.len() == 1
            && call.function.inputs.iter().all(|input| input.ty == "uint256")
            && call.args.iter().all(|arg| arg.to_string().bytes().all(|b| b.is_ascii_digit()));
        let is_length = is_length(&call.function) && expected != "0";
        (is_place || is_length) && !self.after.iter().any(goes_over_all)
    }

    /// Returns the warning for an act that changes other contracts than it calls, where only the called ones are asked.
    fn asks_the_switch_alone(&self) -> Option<String> {
        let changed = self.changes.iter().find_map(|change| match change {
            DeclaredChange::Contract(contract) | DeclaredChange::Contracts(contract) => Some(contract),
            DeclaredChange::Safe(_) => None,
        })?;
        let is_called = |on: &str| self.steps.iter().any(|step| step.to.to_string() == on);
        let asks_another = self.after.iter().any(|claim| match &claim.fact {
            Fact::Value { source: ValueSource::View(call), .. } | Fact::Call { call, .. } => {
                !is_called(&call.on.to_string())
            }
            Fact::Value { source: ValueSource::Slot { on, .. }, .. } | Fact::Event { on, .. } => {
                !is_called(&on.to_string())
            }
            Fact::Value { source: ValueSource::Balance { .. } | ValueSource::Code { .. }, .. } => true,
            Fact::Value { source: ValueSource::Time, .. } => false,
        });
        (!asks_another).then(|| {
            format!(
                "changes names {changed}, and every [[after]] asks only the contract that is called. \
                 Ask the contract that users depend on too"
            )
        })
    }
}

/// `supplyQueueLength()`, `ownerCount()`
fn is_length(function: &Function) -> bool {
    let name = function.name.to_ascii_lowercase();
    ["length", "count"].iter().any(|ending| name.ends_with(ending))
}

/// Returns `true` if two claims are about the same question, whatever they expect of its answer.
fn asks_the_same(one: &Fact, other: &Fact) -> bool {
    match (called(one), called(other), one, other) {
        (Some(one), Some(other), ..) => calls_the_same(one, other),
        (_, _, Fact::Value { source: one, .. }, Fact::Value { source: other, .. }) => one == other,
        _ => false,
    }
}

/// Returns the call of a claim about a view, or about a call that must end in a certain way.
const fn called(fact: &Fact) -> Option<&StaticCall> {
    match fact {
        Fact::Call { call, .. } | Fact::Value { source: ValueSource::View(call), .. } => Some(call),
        Fact::Value { .. } | Fact::Event { .. } => None,
    }
}

fn reads_the_same(one: &ValueSource, other: &ValueSource) -> bool {
    match (one, other) {
        (ValueSource::View(one), ValueSource::View(other)) => calls_the_same(one, other),
        _ => one == other,
    }
}

/// Returns `true` if two calls are of one function of one contract: the arguments of repeated ones have names of their own.
fn calls_the_same(one: &StaticCall, other: &StaticCall) -> bool {
    one.on == other.on && one.function.selector() == other.function.selector()
}
