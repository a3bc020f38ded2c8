//! The endpoints that the state was read from: do they agree, and is what they show new?

use std::fmt::Display;

use super::{Check, Facts, Finding, listed, named};
use crate::chain::{Age, EndpointReport, Fault, Standing, agreeing};
use crate::evm::Readings;

pub(super) const CHECKS: [Check; 3] = [
    ("one RPC decides", |facts| one_rpc_decides(facts).into_iter().collect()),
    ("endpoints", endpoints_agree),
    ("quorum", |facts| quorum_is_the_councils(facts).into_iter().collect()),
];

/// What is read at an old block is worth nothing, whatever it says.
pub(super) const FIRST: [Check; 1] =
    [("block age", |facts| block_age(facts.block_age, facts.endpoints).into_iter().collect())];

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
    for endpoint in facts.endpoints {
        let Some(batch) = endpoint.batch else { continue };
        found.push(Finding::warn(
            "rpc-batch",
            format!(
                "RPC {} takes only {batch} requests at once: each question took more rounds",
                endpoint.shown
            ),
            format!("write batch = {batch} beside its chain's rpc in the council file"),
        ));
    }
    match agreeing(facts.endpoints) {
        (0, _) => {}
        (1, of) => found.push(Finding::warn(
            "rpc-single",
            "the chain was read from a single RPC: nobody contradicts it if it lies",
            if of > 1 {
                "ask again when the others answer, or name another one in the council file"
            } else {
                "name a second one in the council file"
            },
        )),
        (n, of) => found.push(Finding::pass("rpc", format!("{n} of {of} RPCs agree"))),
    }
    found
}

/// What is signed with fewer RPCs than the council file asks for is recorded: it is the id of the finding.
pub(super) const QUORUM: &str = "quorum:";

pub(super) fn quorum_is_the_councils(facts: &Facts) -> Option<Finding> {
    (facts.quorum < facts.council_quorum).then(|| {
        let (used, wanted) = (facts.quorum, facts.council_quorum);
        Finding::warn(
            format!("{QUORUM}{used}"),
            format!("{used} RPC had to agree in this run, and the council file asks for {wanted}"),
            "it is recorded; run it again without --quorum once the other RPCs answer",
        )
    })
}

/// What an endpoint lies about; at which block is no part of it, or every block would need a word of its own.
fn about(fault: &Fault) -> String {
    match fault {
        Fault::Lying { what, .. } | Fault::Unproven { what, .. } => what.clone(),
        other => other.to_string(),
    }
}

/// An endpoint that serves an old chain shows a Safe as it no longer is. None offline.
#[must_use]
pub fn block_age(age: Option<Age>, endpoints: &[EndpointReport]) -> Option<Finding> {
    Some(match age? {
        Age::New(seconds) => Finding::pass("block-age", format!("the newest block is {seconds} s old")),
        Age::Old { seconds, allowed, made } => Finding::refuse(
            format!("block-age:{made}"),
            format!(
                "the newest block is {} old, and at most {allowed} s are usual: an RPC serves an old chain, the chain \
                 stands still, or this machine's clock is ahead{}",
                duration(seconds),
                heights(endpoints)
            ),
            "check this machine's clock, compare with a block explorer, and name another RPC; where the chain stands \
             still for everybody, accept it. A chain with slower blocks: block_time in the council file",
        ),
        Age::Ahead { seconds, made } => Finding::refuse(
            format!("clock:{made}"),
            format!("this machine's clock is wrong: the newest block is {} in its future", duration(seconds)),
            "set the clock: the age of what the RPCs show cannot be told with it",
        ),
    })
}

/// Where each endpoint stands, if they differ.
fn heights(endpoints: &[EndpointReport]) -> String {
    let all: Vec<(&str, u64)> =
        endpoints.iter().filter_map(|e| Some((e.shown.as_str(), e.newest?))).collect();
    if all.iter().all(|(_, newest)| Some(newest) == all.first().map(|(_, first)| first)) {
        return String::new();
    }
    let told: Vec<String> =
        all.iter().map(|(shown, newest)| format!("{shown} is at block {newest}")).collect();
    format!(" ({})", told.join(", "))
}

fn duration(seconds: u64) -> String {
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
    fn an_old_block_and_one_from_the_future_are_refused() {
        let judged = |age| block_age(Some(age), &[]).unwrap();
        assert_eq!(judged(Age::New(72)).level, Level::Pass);
        for (seconds, text) in [(73, "73 seconds old"), (300, "5 minutes old"), (7_200, "2 hours old")] {
            let found = judged(Age::Old { seconds, allowed: 72, made: 5 });
            assert_eq!((found.id.as_str(), found.level), ("block-age:5", Level::Refuse));
            assert!(found.sentence.contains(text), "{}", found.sentence);
        }
        let found = judged(Age::Ahead { seconds: 600, made: 5 });
        assert_eq!((found.id.as_str(), found.level), ("clock:5", Level::Refuse));
        assert_eq!(block_age(None, &[]), None);
    }
}
