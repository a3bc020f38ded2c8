//! The Safe itself: is it the one the council knows, the one that was proposed for, and made of known contracts?

use std::collections::HashSet;
use std::fmt::Display;

use alloy::primitives::Address;

use super::{Check, Facts, Finding, listed, named, named_by, past};
use crate::safe::deployments::{Contract, is_proxy_code, known_at};

const READ_IT: &str = "do not sign before somebody you trust has read that contract";

pub(super) const CHECKS: [Check; 6] = [
    ("as pinned", as_pinned),
    ("as told of its block", |facts| past::safe_was_as_told(facts).into_iter().collect()),
    ("as proposed", as_proposed),
    ("singleton", |facts| vec![singleton(facts)]),
    ("proxy", |facts| proxy(facts).into_iter().collect()),
    ("powers beside the owners", powers_beside_the_owners),
];

/// The council file's own pins: version, owners, threshold.
fn as_pinned(facts: &Facts) -> Vec<Finding> {
    let pinned = facts.council_safe;
    let state = facts.state();
    let fix = "find out who changed the Safe; if it was the council, update breakglass.toml";
    let mut found = Vec::new();
    if let Some(version) = pinned.version {
        found.push(if version == state.id.version {
            Finding::pass("safe-version", format!("Safe {version}, as your council file says"))
        } else {
            let sentence =
                format!("the Safe says it is {}, your council file says {version}", state.id.version);
            Finding::refuse(format!("safe-version:{}", state.id.version), sentence, fix)
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
            let threshold = state.owners.threshold();
            let is: Vec<String> =
                theirs.iter().map(ToString::to_string).chain([threshold.to_string()]).collect();
            Finding::drift(named_by("safe-owners", &is), sentence, fix)
        });
    }
    found
}

fn missing(from: &[Address], among: &[Address]) -> String {
    let among: HashSet<&Address> = among.iter().collect();
    let names: Vec<String> = from.iter().filter(|a| !among.contains(a)).map(ToString::to_string).collect();
    if names.is_empty() { "none".into() } else { listed(&names) }
}

/// Owners, threshold, singleton, guard, modules, fallback handler: as they were when it was proposed?
fn as_proposed(facts: &Facts) -> Vec<Finding> {
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
                named(&format!("safe-drift:{}", d.what.replace(' ', "-")), [&d.was as &dyn Display, &d.now]),
                format!("the Safe's {} changed since this was proposed: was {}, is {}", d.what, d.was, d.now),
                "find out who changed it; propose again if it was the council",
            )
        })
        .collect()
}

/// Code that is not the published one can do anything, whatever it says its version is.
fn proxy(facts: &Facts) -> Option<Finding> {
    let code = facts.proxy_code?;
    let id = format!("unknown-proxy:{code}");
    if is_proxy_code(code) {
        return Some(Finding::pass(id, "its own code is that of a published Safe proxy"));
    }
    if facts.council_safe.proxy_code == Some(code) {
        return Some(Finding::pass(id, "its own code is as your council file says"));
    }
    let sentence = format!("the code at the Safe's own address, {code}, is no published Safe proxy");
    Some(Finding::refuse(id, sentence, READ_IT))
}

fn singleton(facts: &Facts) -> Finding {
    let state = facts.state();
    let id = format!("unknown-singleton:{}", state.singleton);
    let known = known_at(state.singleton)
        .filter(|d| matches!(d.contract, Contract::Singleton | Contract::SingletonL2));
    let Some(known) = known else {
        let sentence = format!("the Safe's singleton {} is no published Safe contract", state.singleton);
        let code = facts.code_of(state.singleton).unwrap_or_default();
        return Finding::refuse(named(&id, [&code as &dyn Display]), sentence, READ_IT);
    };
    let lies = "do not sign: an RPC lies, or the Safe was tampered with";
    if known.version != state.id.version {
        let sentence = format!(
            "the Safe says it is {}, but its singleton is that of {}",
            state.id.version, known.version
        );
        return Finding::refuse(named(&id, [&state.id.version as &dyn Display]), sentence, lies);
    }
    match facts.code_of(state.singleton) {
        Some(code) if code != known.code_hash => {
            let sentence =
                format!("the Safe's singleton {} has code {code}, not the published", state.singleton);
            Finding::refuse(named(&id, [&code as &dyn Display]), sentence, lies)
        }
        _ => Finding::pass(id, format!("its singleton is the published Safe {}", known.version)),
    }
}

/// Modules act for the Safe without any owner, the fallback handler answers for it, guards can stop it: each is one
/// that the council pinned, or it is said.
pub(super) fn powers_beside_the_owners(facts: &Facts) -> Vec<Finding> {
    let state = facts.state();
    let pinned = facts.council_safe;
    let mut found = modules(&state.modules, pinned.modules.as_deref());
    found.extend(attached("guard", state.guard, pinned.guard, |address| {
        let sentence = format!("the Safe has a guard, {address}: it can stop transactions");
        Finding::warn(
            format!("guard:{address}"),
            sentence,
            "if the council put it there, pin it: `guard` of the Safe in breakglass.toml",
        )
    }));
    found.extend(attached("module-guard", state.module_guard, pinned.module_guard, |address| {
        let sentence = format!("the Safe has a module guard, {address}: it can stop its modules");
        let fix = "if the council put it there, pin it: `module_guard` of the Safe in breakglass.toml";
        Finding::warn(format!("module-guard:{address}"), sentence, fix)
    }));
    found.extend(attached("fallback-handler", state.fallback_handler, pinned.fallback_handler, |address| {
        match known_at(address).filter(|known| known.contract == Contract::FallbackHandler) {
            Some(known) => {
                Finding::pass("fallback-handler", format!("its fallback handler is the published one of {}", known.version))
            }
            None => Finding::refuse(
                format!("fallback-handler:{address}"),
                format!("the Safe's fallback handler {address} is no published one: it signs messages for the Safe"),
                "if the council put it there, pin it: `fallback_handler` of the Safe in breakglass.toml",
            ),
        }
    }));
    found
}

fn modules(enabled: &[Address], pinned: Option<&[Address]>) -> Vec<Finding> {
    let mut found: Vec<Finding> = enabled
        .iter()
        .filter(|module| !pinned.is_some_and(|pinned| pinned.contains(module)))
        .map(|module| {
            let sentence = format!("module {module} can act for the Safe without any owner");
            let fix = "if the council enabled it, pin it: `modules` of the Safe in breakglass.toml";
            Finding::refuse(format!("module:{module}"), sentence, fix)
        })
        .collect();
    let gone = pinned.unwrap_or_default().iter().filter(|module| !enabled.contains(module)).map(|module| {
        let sentence = format!("module {module} of your council file is not enabled in the Safe");
        Finding::drift(
            format!("module-gone:{module}"),
            sentence,
            "find out who disabled it, and update breakglass.toml",
        )
    });
    found.extend(gone);
    if found.is_empty() {
        let sentence =
            if enabled.is_empty() { "no module can act for the Safe" } else { "its modules are pinned" };
        found.push(Finding::pass("modules", sentence));
    }
    found
}

/// A single address of the Safe: as pinned, or else what `unpinned` says of it; nothing when there is none.
fn attached(
    id: &str,
    address: Address,
    pinned: Option<Address>,
    unpinned: impl Fn(Address) -> Finding,
) -> Option<Finding> {
    let what = id.replace('-', " ");
    match pinned {
        Some(pinned) if pinned == address => {
            let sentence = if address.is_zero() { "there is none" } else { "it is there" };
            Some(Finding::pass(id, format!("its {what}: {sentence}, as your council file says")))
        }
        Some(pinned) => {
            let none_or = |a: Address| if a.is_zero() { "none".to_string() } else { a.to_string() };
            let sentence = format!(
                "the Safe's {what} is {}, and your council file pins {}",
                none_or(address),
                none_or(pinned)
            );
            Some(Finding::drift(
                format!("{id}:{address}"),
                sentence,
                "find out who changed it; if it was the council, update breakglass.toml",
            ))
        }
        None => (address != Address::ZERO).then(|| unpinned(address)),
    }
}
