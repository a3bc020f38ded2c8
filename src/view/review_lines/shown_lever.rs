//! One lever for the review and the card: its calls, and the values that its checks read before and after.

use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::derived::OwnDerivation;
use crate::ceremony::judged::Judged;
use crate::ceremony::rehearsal_result::CompletedRehearsal;
use crate::evm::AddressBook;
use crate::playbook::{Check, LeverPlan, PlannedCall, Playbook};
use crate::proposal::calls_of;
use crate::safe::Call;

/// An address, and the reader's own name for it or its first and last digits.
#[derive(Clone, Debug, Serialize)]
pub struct NamedAddress {
    pub name: String,
    pub address: String,
}

/// The act of one lever, and its effect.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LeverSummary {
    pub name: Option<String>,
    pub calls: Vec<CallLine>,
    pub results: Vec<AfterCheck>,
    /// The cost of using it.
    pub cost: String,
    pub does_not_stop: String,
}

/// One call, with its function and arguments on one line.
#[derive(Clone, Debug, Serialize)]
pub struct CallLine {
    pub to: NamedAddress,
    /// `pause()`, `setFee(0.5 % (50))`
    pub call: String,
}

/// One check after the calls, with the value before and after if it reads one.
#[derive(Clone, Debug, Serialize)]
pub struct AfterCheck {
    /// `vault paused()`
    pub what: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub holds: bool,
    pub sentence: String,
}

/// Returns an address with the reader's own name for it, or with its first and last digits.
pub(in crate::view) fn named(names: &AddressBook, address: Address) -> NamedAddress {
    NamedAddress { name: names.name_or_digits(address), address: address.to_string() }
}

/// Returns the reader's own levers, or else the bare calls.
pub(in crate::view) fn levers(judged: &Judged) -> Vec<LeverSummary> {
    let names = &judged.derived.names;
    let calls = calls_of(judged.proposal().tx()).unwrap_or_default();
    match &judged.derived.own {
        Some(own) if own.plan.calls.iter().map(|planned| &planned.call).eq(&calls) => own_levers(judged, own),
        _ => {
            let bare = |call: &Call| CallLine {
                to: named(names, call.to),
                call: format!("{} bytes of data that your playbook does not explain", call.data.len()),
            };
            vec![LeverSummary { calls: calls.iter().map(bare).collect(), ..LeverSummary::default() }]
        }
    }
}

fn own_levers(judged: &Judged, own: &OwnDerivation) -> Vec<LeverSummary> {
    let lever = |(playbook, one): (&Playbook, &LeverPlan)| LeverSummary {
        name: one.lever.clone(),
        calls: one.plan.calls.iter().map(|planned| call_line(&judged.derived.names, planned)).collect(),
        results: one.plan.after.iter().filter_map(|check| result(judged, check)).collect(),
        cost: playbook.cost.clone(),
        does_not_stop: playbook.does_not_stop.clone(),
    };
    own.order.playbooks().zip(own.plans.levers()).map(lever).collect()
}

/// Returns a call of the plan as one line.
pub(in crate::view) fn call_line(names: &AddressBook, planned: &PlannedCall) -> CallLine {
    let function = planned.signature.split('(').next().unwrap_or_default();
    let values: Vec<&str> = planned.arguments.iter().map(|(_, value)| value.as_str()).collect();
    CallLine { to: named(names, planned.call.to), call: format!("{function}({})", values.join(", ")) }
}

/// Returns the values that a check reads before and after; `None` if nothing was rehearsed.
fn result(judged: &Judged, check: &Check) -> Option<AfterCheck> {
    let done: &CompletedRehearsal = judged.rehearsal.done()?;
    let verdict = check.judge(&done.rehearsal.answers, &done.rehearsal.events);
    Some(AfterCheck {
        what: check.label().into(),
        before: judged.readings().and_then(|readings| check.value(readings)),
        after: check.value(&done.rehearsal.answers),
        holds: verdict.holds,
        sentence: verdict.sentence,
    })
}
