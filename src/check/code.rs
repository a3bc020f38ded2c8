//! The code that the calls run: is there any, is it the code that the council pinned, and the one that was proposed for?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use alloy::primitives::{Address, B256};

use super::{Check, Facts, Finding, named};
use crate::fork::{Outcome, Rehearsal};

const FIX: &str =
    "find out who replaced that code and what it does; if it was your protocol, pin the new one";
const MOVED: &str =
    "find out who replaced that code and what it does; if it was your protocol, propose again";

pub(super) const CHECKS: [Check; 1] = [("code", findings)];

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
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

/// Contracts whose code at the time of the proposal nobody recorded.
fn not_recorded(facts: &Facts, rehearsal: &Rehearsal, called: &BTreeSet<Address>) -> Option<Finding> {
    let recorded = |target: &Address| facts.code_then.iter().any(|then| then.called == *target);
    let runs = |target: &Address| !rehearsal.runs(*target).is_empty();
    let missing: Vec<String> = called
        .iter()
        .filter(|t| facts.is_from_file && runs(t) && !recorded(t))
        .map(ToString::to_string)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let sentence = format!(
        "not checked: whether the code of {} has moved since this was proposed; its file does not record it",
        missing.join(" and ")
    );
    Some(Finding::warn("code-not-recorded", sentence, "pin the code of your targets in breakglass.toml"))
}

/// A pin that nobody could look at.
fn not_seen(facts: &Facts, target: Address) -> Option<Finding> {
    facts.pins.get(&target)?;
    let sentence = format!("the code of {target} is pinned, and nobody looked which code a call of it runs");
    let fix = "sign online, where it can be rehearsed";
    let id = format!("code-not-seen:{target}");
    Some(if facts.now.is_some() || facts.rehearsal.is_some() {
        Finding::refuse(id, sentence, fix)
    } else {
        Finding::warn(id, sentence, fix)
    })
}

fn code_of(facts: &Facts, rehearsal: &Rehearsal, target: Address) -> Vec<Finding> {
    if facts.code_of(target) == Some(B256::ZERO) {
        let sentence = format!("{target} has no code: the call would succeed and do nothing");
        return vec![Finding::refuse(
            format!("no-code:{target}"),
            sentence,
            "look the address up: it is wrong here",
        )];
    }
    let runs = rehearsal.runs(target);
    let unseen = runs.is_empty() || rehearsal.trace.cut;
    if unseen && rehearsal.outcome == Outcome::Succeeded && facts.pins.contains_key(&target) {
        return not_seen(facts, target).into_iter().collect();
    }
    if runs.is_empty() {
        return vec![Finding::pass("code", format!("{target} is not reached: it fails before"))];
    }
    let wrong: Vec<Finding> =
        unpinned(facts, target, &runs).into_iter().chain(moved(facts, target, &runs)).collect();
    if !wrong.is_empty() {
        return wrong;
    }
    let pinned = if facts.pins.contains_key(&target) { "as your council file pins it" } else { "not pinned" };
    vec![Finding::pass("code", format!("{target} runs code {}, {pinned}", listed(&runs)))]
}

/// Code that runs and that the council did not pin; each by its hash, so that accepting one accepts no other.
fn unpinned(facts: &Facts, target: Address, runs: &BTreeMap<Address, B256>) -> Vec<Finding> {
    let Some(pinned) = facts.pins.get(&target) else { return Vec::new() };
    let refuse = |(at, hash): (&Address, &B256)| {
        let place = if *at == target { String::new() } else { format!(" at {at}") };
        let pins = pinned.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let sentence = format!("{target} runs code {hash}{place}, and your council file pins {pins}");
        Finding::refuse(named(&format!("code:{target}"), [at as &dyn Display, hash]), sentence, FIX)
    };
    runs.iter().filter(|(_, hash)| !pinned.contains(hash)).map(refuse).collect()
}

/// Code that did not run when it was proposed, as far as the proposal recorded it.
fn moved(facts: &Facts, target: Address, runs: &BTreeMap<Address, B256>) -> Vec<Finding> {
    let then: BTreeMap<Address, B256> = facts
        .code_then
        .iter()
        .filter(|then| then.called == target)
        .map(|then| (then.at, then.hash))
        .collect();
    if then.is_empty() {
        return Vec::new();
    }
    let drift = |(at, hash): (&Address, &B256)| {
        let place = if *at == target { String::new() } else { format!(" at {at}") };
        let sentence =
            format!("{target} runs code {hash}{place} now, and ran {} when this was proposed", listed(&then));
        Finding::drift(named(&format!("code-moved:{target}"), [at as &dyn Display, hash]), sentence, MOVED)
    };
    runs.iter().filter(|(at, hash)| then.get(*at) != Some(hash)).map(drift).collect()
}

fn listed(runs: &BTreeMap<Address, B256>) -> String {
    runs.iter().map(|(at, hash)| format!("{hash} at {at}")).collect::<Vec<_>>().join(" and ")
}
