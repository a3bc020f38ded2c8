//! The endpoints that the state was read from: do they agree, and is what they show new?

use std::fmt::Display;

use super::{Check, Facts, Finding, listed, named};
use crate::chain::{Fault, Standing, agreeing};
use crate::playbook::Readings;

/// A block older than this, in seconds, is not the newest one: no chain stands still for so long.
const OLD: u64 = 60;

pub(super) const CHECKS: [Check; 3] = [
    ("one RPC decides", |facts| one_rpc_decides(facts).into_iter().collect()),
    ("endpoints", endpoints_agree),
    ("block age", |facts| newest_block_is_new(facts).into_iter().collect()),
];

/// A value that only one RPC tells may be made up, with the block and the proofs that it lies in: it decides neither
/// what is called nor with what.
fn one_rpc_decides(facts: &Facts) -> Option<Finding> {
    let id = "one-rpc-decides";
    if facts.now.is_none() || facts.decided.is_empty() {
        return None;
    }
    let (agree, _) = agreeing(facts.endpoints);
    if agree > 1 {
        return Some(Finding::pass(
            id,
            format!("{agree} RPCs agree on the values that decide what it calls"),
        ));
    }
    let sources = facts.decided.iter().flat_map(|decided| &decided.by);
    let answers: Readings = sources.map(|s| (s.query.clone(), s.answer.clone())).collect();
    let rows: Vec<String> = facts.decided.iter().map(ToString::to_string).collect();
    Some(Finding::refuse(
        format!("{id}:{}", answers.short_digest()),
        format!("the word of a single RPC decides: {}", listed(&rows)),
        "name a second RPC, of another operator, in the council file; or look these values up elsewhere and accept them",
    ))
}

/// A single endpoint can freeze or bend what is read; one that contradicted the others is named.
fn endpoints_agree(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for endpoint in facts.endpoints {
        match &endpoint.standing {
            Standing::Agrees | Standing::Unasked => {}
            Standing::SameAs(other) => found.push(Finding::warn(
                "rpc-same",
                format!("RPC {} is the same as {other}: together they count as one", endpoint.shown),
                "name an RPC of another operator in the council file",
            )),
            Standing::Outvoted(fault) => found.push(Finding::warn(
                "rpc-outvoted",
                format!("RPC {} {fault}; its answers were not used", endpoint.shown),
                "",
            )),
            Standing::Lying(fault) => found.push(Finding::refuse(
                named("rpc-lying", [&endpoint.shown as &dyn Display, &about(fault)]),
                format!("RPC {} {fault}; the others agree with each other", endpoint.shown),
                "find out which is right before anybody signs; take the wrong one out of the council file",
            )),
        }
    }
    match agreeing(facts.endpoints) {
        (0, _) => {}
        (1, _) => found.push(Finding::warn(
            "rpc-single",
            "the chain was read from a single RPC: nobody contradicts it if it lies",
            "name a second one in the council file",
        )),
        (n, of) => found.push(Finding::pass("rpc", format!("{n} of {of} RPCs agree"))),
    }
    found
}

/// An endpoint that serves an old chain shows a Safe as it no longer is.
fn newest_block_is_new(facts: &Facts) -> Option<Finding> {
    facts.block_age.map(aged)
}

/// Of a newest block that was made so many seconds ago.
fn aged(age: u64) -> Finding {
    if age <= OLD {
        Finding::pass("block-age", "the newest block is new")
    } else {
        Finding::warn(
            "block-age",
            format!("the newest block is {} old: the chain stands still, or the RPC does", lasting(age)),
            "compare with a block explorer, or name another RPC",
        )
    }
}

/// What an endpoint lies about; at which block is no part of it, or every block would need a word of its own.
fn about(fault: &Fault) -> String {
    match fault {
        Fault::Lying { what, .. } | Fault::Unproven { what, .. } => what.clone(),
        other => other.to_string(),
    }
}

fn lasting(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        _ => format!("{} hours", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Level;

    #[test]
    fn a_block_older_than_a_minute_is_not_the_newest_of_a_living_chain() {
        for age in [0, 12, OLD] {
            assert_eq!(aged(age).level, Level::Pass, "{age}");
        }
        for (age, text) in [(OLD + 1, "61 seconds old"), (300, "5 minutes old"), (7_200, "2 hours old")] {
            let found = aged(age);
            assert_eq!((found.id.as_str(), found.level), ("block-age", Level::Warn));
            assert!(found.sentence.contains(text), "{}", found.sentence);
        }
    }
}
