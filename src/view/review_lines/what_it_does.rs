//! The calls of a transaction, explained by the reader's own plan: a section of the review.

use alloy::primitives::{Bytes, U256, hex};
use serde::Serialize;

use crate::ceremony::derived::OwnDerivation;
use crate::ceremony::judged::Judged;
use crate::evm::amount::ether;
use crate::playbook::{CallPart, Decided, Plan, PlannedCall, Skipped};
use crate::proposal::calls_of;
use crate::safe::{Call, Operation, SafeTx};
use crate::ui::{Lines, Text};
use crate::view::review_lines::review_layout::say_truncated;

const INDENT: &str = "    ";
/// Undecoded data is shown whole up to this many bytes; of longer data its beginning, length and hash.
const SHOWN_DATA: usize = 512;

/// Shows the calls of the transaction itself; each is explained by the reader's own plan, if it has exactly this call.
pub(in crate::view) fn what_it_does(out: &mut Lines, judged: &Judged) {
    out.say(&Text::new("  ").bold("What it does"));
    playbooks(out, judged);
    let tx = judged.proposal().tx();
    match calls_of(tx) {
        Ok(calls) => {
            batch(out, tx, calls.len());
            each_call(out, judged, &calls);
            takes_effect(out, judged);
            judged.plan().into_iter().for_each(|plan| sources(out, plan));
        }
        Err(why) => {
            out.say(&Text::new(INDENT).bad(&format!("{} {}: {why}", tx.operation, tx.to)));
            data(out, &tx.data);
        }
    }
    out.blank();
}

/// Shows the titles, costs and limits of the reader's own playbooks.
fn playbooks(out: &mut Lines, judged: &Judged) {
    for act in judged.derived.own.iter().flat_map(|own| own.order.acts()) {
        let lever = act.lever.as_ref().map(|lever| format!("{lever}: ")).unwrap_or_default();
        let playbook = act.entry.playbook;
        out.say(&Text::new(INDENT).bold(&lever).add(&playbook.title));
        for (label, text) in [("costs", &playbook.cost), ("does not stop", &playbook.does_not_stop)] {
            out.say(&Text::new(INDENT).dim(&format!("{label}: ")).add(text));
        }
    }
}

/// Shows the batch contract.
fn batch(out: &mut Lines, tx: &SafeTx, count: usize) {
    if tx.operation == Operation::DelegateCall {
        let text = format!("{count} calls in one, by delegatecall to MultiSendCallOnly");
        out.say(&Text::new(INDENT).add(&text));
        out.say(&Text::new(INDENT).add(&format!("{}   (your device shows this as `to`)", tx.to)));
    }
}

fn each_call(out: &mut Lines, judged: &Judged, calls: &[Call]) {
    let plan = judged.plan();
    let planned = |call: &Call| plan.and_then(|plan| plan.calls.iter().find(|planned| planned.call == *call));
    let mut before = None;
    for (at, call) in (1..).zip(calls) {
        let own = planned(call);
        // A step that is repeated is explained once, and then takes a line for each call.
        if let Some(own) = own.filter(|own| before == Some(own.step) && own.call.value.is_zero()) {
            out.say(&Text::new(INDENT).add(&format!("{at}  {}", repeated_call(own))));
            continue;
        }
        before = own.map(|own| own.step);
        let name = judged.derived.names.name(call.to).unwrap_or("(no name in your council file)");
        out.say(&Text::new(INDENT).add(&format!("{at}  ")).bold(name).add(&format!("   {}", call.to)));
        if call.value != U256::ZERO {
            out.say(&Text::new(INDENT).add("   sends ").bold(&ether(call.value)));
        }
        match own {
            Some(planned) => decoded(out, planned),
            None => data(out, &call.data),
        }
    }
}

/// Shows when each lever takes effect, if its playbook says so.
fn takes_effect(out: &mut Lines, judged: &Judged) {
    let Some(OwnDerivation { order, plans, .. }) = &judged.derived.own else { return };
    for (act, one) in order.acts().iter().zip(plans.levers()) {
        if let Some(when) = act.entry.playbook.takes_effect(&one.plan) {
            out.say(&Text::new(INDENT).warn("takes effect: ").add(&when));
        }
    }
}

/// Shows which calls are left out, what the chain decides, and where the arguments come from.
fn sources(out: &mut Lines, plan: &Plan) {
    let left_out = |skipped: &Skipped| {
        let text = format!("{}, because {}", skipped.signature, skipped.reason);
        Text::new(INDENT).warn("left out: ").add(&text)
    };
    say_truncated(out, plan.skipped.iter().map(left_out), "more calls are left out, because they are done");
    for decided in plan.decided.iter().filter(|decided| decided.part != CallPart::LeftOut) {
        out.say(&Text::new(INDENT).add("the chain decides ").bold(&decided.to_string()));
    }
    for read in &plan.reads {
        let text = format!("where {} gave {} = {}", read.source, read.name, read.shown);
        out.say(&Text::new(INDENT).dim(&text));
    }
    for arg in &plan.args {
        let note = arg.note.as_ref().filter(|note| !arg.shown.contains(note.as_str()));
        let note = note.map_or(String::new(), |note| format!("  ({note})"));
        out.say(&Text::new(INDENT).dim(&format!("with {} = {}{note}", arg.name, arg.shown)));
    }
}

/// A part of the transaction that the chain decides, for `--json`.
#[derive(Debug, Serialize)]
pub struct DecidedPart {
    call: String,
    part: String,
    by: Vec<String>,
}

/// Returns the parts of the transaction that the chain decides.
pub fn decided_parts(judged: &Judged) -> Vec<DecidedPart> {
    let row = |decided: &Decided| DecidedPart {
        call: decided.signature.clone(),
        part: decided.part.to_string(),
        by: decided.by.iter().map(|source| source.sentence.clone()).collect(),
    };
    judged.plan().map_or(&[][..], |plan| &plan.decided).iter().map(row).collect()
}

fn decoded(out: &mut Lines, call: &PlannedCall) {
    out.say(&Text::new(INDENT).add("   ").bold(&call.signature));
    for (name, value) in &call.arguments {
        out.say(&Text::new(INDENT).add(&format!("     {name}  {value}")));
    }
}

/// Returns `vault 0x… pause()` for one more call of a step.
fn repeated_call(call: &PlannedCall) -> String {
    let name = call.to_name.as_deref().map_or_else(String::new, |name| format!("{name} "));
    let function = call.signature.split('(').next().unwrap_or_default();
    let values = call.arguments.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ");
    format!("{name}{} {function}({values})", call.call.to)
}

fn data(out: &mut Lines, bytes: &Bytes) {
    let shown = &bytes[..bytes.len().min(SHOWN_DATA)];
    out.say(
        &Text::new(INDENT)
            .warn(&format!("   data that your playbook does not explain, {} bytes:", bytes.len())),
    );
    for chunk in shown.chunks(32) {
        out.say(&Text::new(INDENT).add(&format!("     {}", hex::encode(chunk))));
    }
    if shown.len() < bytes.len() {
        let hash = alloy::primitives::keccak256(bytes);
        out.say(&Text::new(INDENT).add(&format!("     … whole: keccak256 {hash}")));
    }
}
