//! The code that the calls run: is there any, is it the one that the council pinned, and the one that was proposed for?

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};

use super::{Facts, Finding};
use crate::chain::fork::Rehearsal;

const FIX: &str =
    "find out who replaced that code and what it does; if it was your protocol, pin the new one";

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let Some(rehearsal) = facts.rehearsal else { return Vec::new() };
    let called: BTreeSet<Address> =
        facts.calls().into_iter().filter(|call| !call.data.is_empty()).map(|call| call.to).collect();
    called.into_iter().map(|target| code_of(facts, rehearsal, target)).collect()
}

/// One finding for each contract called: the gravest.
fn code_of(facts: &Facts, rehearsal: &Rehearsal, target: Address) -> Finding {
    if facts.code_of(target) == Some(B256::ZERO) {
        let sentence = format!("{target} has no code: the call would succeed and do nothing");
        return Finding::refuse(
            format!("no-code:{target}"),
            sentence,
            "look the address up: it is wrong here",
        );
    }
    let id = format!("code:{target}");
    let Some((at, hash)) = rehearsal.runs(target) else {
        return match facts.pins.get(&target) {
            Some(_) => Finding::refuse(id, format!("it pins the code of {target}, and never calls it"), FIX),
            None => Finding::pass(id, format!("{target} has code")),
        };
    };
    let place = if at == target { String::new() } else { format!(" at {at}") };
    if let Some(pinned) = facts.pins.get(&target).filter(|pinned| **pinned != hash) {
        let sentence = format!("{target} runs code {hash}{place}, and your council file pins {pinned}");
        return Finding::refuse(id, sentence, FIX);
    }
    let then = facts.code_then.iter().find(|then| then.called == target);
    if let Some(then) = then.filter(|then| (then.at, then.hash) != (at, hash)) {
        let was = if then.at == target { String::new() } else { format!(" at {}", then.at) };
        let sentence = format!(
            "{target} runs code {hash}{place} now, and ran {}{was} when this was proposed",
            then.hash
        );
        return Finding::drift(format!("code-moved:{target}"), sentence, FIX);
    }
    let pinned = if facts.pins.contains_key(&target) { "as your council file pins it" } else { "not pinned" };
    Finding::pass(id, format!("{target} runs code {hash}{place}, {pinned}"))
}
