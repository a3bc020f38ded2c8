//! The Safe itself: is it the one the council knows, the one that was proposed for, and made of known contracts?

use alloy::primitives::Address;

use super::{Facts, Finding};
use crate::safe::deployments::{Contract, known_at};

/// The council file's own pins: version, owners, threshold.
pub(super) fn as_pinned(facts: &Facts) -> Vec<Finding> {
    let pinned = facts.council_safe;
    let state = facts.now.unwrap_or_else(|| facts.proposal.snapshot());
    let fix = "find out who changed the Safe; if it was the council, update breakglass.toml";
    let mut found = Vec::new();
    if let Some(version) = pinned.version {
        found.push(if version == state.id.version {
            Finding::pass("safe-version", format!("Safe {version}, as your council file says"))
        } else {
            let sentence =
                format!("the Safe says it is {}, your council file says {version}", state.id.version);
            Finding::refuse("safe-version", sentence, fix)
        });
    }
    if let Some(owners) = &pinned.owners {
        let mut ours = owners.list().to_vec();
        let mut theirs = state.owners.list().to_vec();
        ours.sort();
        theirs.sort();
        found.push(if ours == theirs && owners.threshold() == state.owners.threshold() {
            Finding::pass("safe-owners", "owners and threshold are as your council file says")
        } else {
            let gone = missing(&ours, &theirs);
            let new = missing(&theirs, &ours);
            let sentence = format!(
                "the Safe's owners are not those of your council file: {new} not in the file, {gone} not in the Safe, \
                 threshold {} and {} in the file",
                state.owners.threshold(),
                owners.threshold(),
            );
            Finding::drift("safe-owners", sentence, fix)
        });
    }
    found
}

fn missing(from: &[Address], among: &[Address]) -> String {
    let names: Vec<String> = from.iter().filter(|a| !among.contains(a)).map(ToString::to_string).collect();
    if names.is_empty() { "none".into() } else { names.join(" and ") }
}

/// Owners, threshold, singleton, guard, modules, fallback handler: as they were when it was proposed?
pub(super) fn as_proposed(facts: &Facts) -> Vec<Finding> {
    let Some(now) = facts.now else {
        return Vec::new();
    };
    let drift = facts.proposal.snapshot().drift(now);
    if drift.is_empty() {
        return vec![Finding::pass("safe-drift", "the Safe is as it was when this was proposed")];
    }
    drift
        .into_iter()
        .map(|d| {
            Finding::drift(
                format!("safe-drift:{}", d.what.replace(' ', "-")),
                format!("the Safe's {} changed since this was proposed: was {}, is {}", d.what, d.was, d.now),
                "find out who changed it; propose again if it was the council",
            )
        })
        .collect()
}

/// A singleton that is not a published one can do anything, whatever it says its version is.
pub(super) fn known_contracts(facts: &Facts) -> Finding {
    let state = facts.now.unwrap_or_else(|| facts.proposal.snapshot());
    let id = "unknown-singleton";
    let known = known_at(state.singleton)
        .filter(|d| matches!(d.contract, Contract::Singleton | Contract::SingletonL2));
    match known {
        Some(d) if d.version == state.id.version => {
            Finding::pass(id, format!("its singleton is the published Safe {}", d.version))
        }
        Some(d) => Finding::refuse(
            id,
            format!("the Safe says it is {}, but its singleton is that of {}", state.id.version, d.version),
            "do not sign: an RPC lies, or the Safe was tampered with",
        ),
        None => Finding::refuse(
            id,
            format!("the Safe's singleton {} is no published Safe contract", state.singleton),
            "do not sign before somebody you trust has read that contract",
        ),
    }
}

/// Modules act for the Safe without any owner, guards can stop it: they are said, so that a new one is noticed.
pub(super) fn powers_beside_the_owners(facts: &Facts) -> Vec<Finding> {
    let state = facts.now.unwrap_or_else(|| facts.proposal.snapshot());
    let guards = [("guard", state.guard), ("module guard", state.module_guard)];
    let mut found: Vec<Finding> = guards
        .into_iter()
        .filter(|(_, address)| *address != Address::ZERO)
        .map(|(what, address)| {
            let sentence = format!("the Safe has a {what}, {address}: it can stop transactions");
            Finding::warn(what.replace(' ', "-"), sentence, "make sure that the council put it there")
        })
        .collect();
    found.extend(state.modules.iter().map(|module| {
        let sentence = format!("module {module} can act for the Safe without any owner");
        Finding::warn("module", sentence, "make sure that the council enabled it")
    }));
    found
}
