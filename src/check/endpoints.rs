//! Checks of the RPCs that the state was read from: most of them agree, and their block is new.

use std::fmt::Display;

use super::description::{Description, Id, listed};
use super::{Check, Facts, all};
use crate::chain::{Age, EndpointFault, EndpointReport, EndpointStatus, agreeing, is_minority};
use crate::evm::Readings;
use crate::playbook::Decided;

pub(super) const CHECKS: [Check; 4] = [
    ("one RPC decides", |facts| all(one_rpc_decides(facts))),
    ("endpoints", |facts| all(endpoints_agree(facts.endpoints))),
    ("most RPCs agree", |facts| all(most_agree(facts.endpoints, facts.quorum < facts.council_quorum))),
    ("quorum", |facts| all(quorum_is_the_councils(facts))),
];

/// The check that comes before all others: the values of an old block prove nothing.
pub(super) const FIRST: [Check; 1] =
    [("block age", |facts| all(block_age(facts.block_age, facts.endpoints)))];

/// The RPCs: which agree, how old their block is, and what a single one decides. `Single`: `others` are named, and did not
/// answer. `Minority`: no more than half of those that are named agree; `lowered` if the person asked for fewer in this run.
/// `QuorumLowered`: fewer than the council file asks for, which is recorded. `made` is in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointProblem {
    SeveralDecide { rpcs: usize },
    OneDecides(Vec<Decided>),
    Same { rpc: String, other: String },
    Outvoted { rpc: String, fault: EndpointFault },
    Lying { rpc: String, fault: EndpointFault },
    SmallBatch { rpc: String, batch: usize },
    Single { others: bool },
    Agree { rpcs: usize, of: usize },
    Minority { believed: Vec<String>, of: usize, lowered: bool },
    QuorumLowered { used: usize, wanted: usize },
    NewBlock { seconds: u64 },
    OldBlock { seconds: u64, allowed: u64, made: u64, heights: Vec<(String, u64)> },
    BlockAhead { seconds: u64, made: u64 },
}

impl EndpointProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::SeveralDecide { rpcs } => Description::pass(
                "one-rpc-decides",
                format!("{rpcs} RPCs agree on the values that decide what it calls"),
            ),
            Self::OneDecides(decided) => one_decides(decided),
            Self::Same { rpc, other } => Description::warn(
                Id::from("rpc-same").about(rpc),
                format!("RPC {rpc} is the same as {other}: together they count as one"),
                "name an RPC of another operator in the council file",
            ),
            Self::Outvoted { rpc, fault } => Description::warn(
                Id::from("rpc-outvoted").about(rpc),
                format!("RPC {rpc} {fault}; its answers were not used"),
                "",
            ),
            Self::Lying { rpc, fault } => Description::refuse(
                Id::from("rpc-lying").about(rpc).digest([rpc as &dyn Display, &lie_text(fault)]),
                format!("RPC {rpc} {fault}; the others agree with each other"),
                "find out which is right before anybody signs; take the wrong one out of the council file",
            ),
            Self::SmallBatch { rpc, batch } => Description::warn(
                Id::from("rpc-batch").about(rpc),
                format!("RPC {rpc} takes only {batch} requests at once: each question took more rounds"),
                format!("write batch = {batch} beside its chain's rpc in the council file"),
            ),
            Self::Single { others } => Description::warn(
                "rpc-single",
                "only one RPC was asked: no other can show that it lies",
                if *others {
                    "ask again when the others answer, or name another one in the council file"
                } else {
                    "name a second one in the council file"
                },
            ),
            Self::Agree { rpcs, of } => Description::pass("rpc", format!("{rpcs} of {of} RPCs agree")),
            // The acceptance is to believe these.
            Self::Minority { believed, of, lowered } => Description::refuse_if(
                !lowered,
                Id::from("rpc-minority").about(listed(believed)).digest_all(believed),
                format!("only {} of {of} RPCs agree, and no majority: {}", believed.len(), listed(believed)),
                "try again in a minute: those who run these could lie while the others do not answer. To go on, compare the \
                 block and the Safe's nonce with a block explorer, and accept it",
            ),
            Self::QuorumLowered { used, wanted } => Description::warn(
                Id::of("quorum", used),
                format!("{used} RPC had to agree in this run, and the council file asks for {wanted}"),
                "it is recorded; run it again without --quorum once the other RPCs answer",
            ),
            Self::NewBlock { seconds } => {
                Description::pass("block-age", format!("the newest block is {seconds} s old"))
            }
            Self::OldBlock { seconds, allowed, made, heights } => Description::refuse(
                Id::of("block-age", made),
                format!(
                    "the newest block is {} old, and at most {allowed} s are usual: an RPC serves an old chain, the chain \
                     stands still, or this machine's clock is ahead{}",
                    duration(*seconds),
                    differing(heights)
                ),
                "check this machine's clock, compare with a block explorer, and name another RPC; where the chain stands \
                 still for everybody, accept it. A chain with slower blocks: block_time in the council file",
            ),
            Self::BlockAhead { seconds, made } => Description::refuse(
                Id::of("clock", made),
                format!(
                    "this machine's clock is wrong: the newest block is {} in its future",
                    duration(*seconds)
                ),
                "set the clock: with a wrong clock, an old block is not recognised",
            ),
        }
    }
}

/// Refuses a transaction whose calls rest on values that only one RPC told: that RPC can make them up, with their block
/// and proofs.
fn one_rpc_decides(facts: &Facts) -> Option<EndpointProblem> {
    if facts.now.is_none() || facts.decided.is_empty() {
        return None;
    }
    let (rpcs, _) = agreeing(facts.endpoints);
    Some(if rpcs > 1 {
        EndpointProblem::SeveralDecide { rpcs }
    } else {
        EndpointProblem::OneDecides(facts.decided.to_vec())
    })
}

fn one_decides(decided: &[Decided]) -> Description {
    let sources = decided.iter().flat_map(|decided| &decided.by);
    let answers: Readings = sources.map(|s| (s.query.clone(), s.answer.clone())).collect();
    let rows: Vec<String> = decided.iter().map(ToString::to_string).collect();
    Description::refuse(
        Id::from("one-rpc-decides").digested(answers.short_digest()),
        format!("one RPC alone decides: {}", listed(&rows)),
        "name a second RPC, of another operator, in the council file; or look these values up elsewhere and accept them",
    )
}

/// Reports how many RPCs agree, and names each that contradicts the others. A single one can hold back or falsify what
/// is read.
fn endpoints_agree(endpoints: &[EndpointReport]) -> Vec<EndpointProblem> {
    let stands = endpoints.iter().filter_map(standing);
    let small = endpoints.iter().filter_map(|endpoint| {
        Some(EndpointProblem::SmallBatch { rpc: endpoint.shown.clone(), batch: endpoint.batch? })
    });
    let together = match agreeing(endpoints) {
        (0, _) => None,
        (1, of) => Some(EndpointProblem::Single { others: of > 1 }),
        (rpcs, of) => Some(EndpointProblem::Agree { rpcs, of }),
    };
    stands.chain(small).chain(together).collect()
}

fn standing(endpoint: &EndpointReport) -> Option<EndpointProblem> {
    let rpc = endpoint.shown.clone();
    match &endpoint.standing {
        EndpointStatus::Agrees | EndpointStatus::Unasked => None,
        EndpointStatus::SameAs(other) => Some(EndpointProblem::Same { rpc, other: other.clone() }),
        EndpointStatus::Outvoted(fault) => Some(EndpointProblem::Outvoted { rpc, fault: fault.clone() }),
        EndpointStatus::Lying(fault) => Some(EndpointProblem::Lying { rpc, fault: fault.clone() }),
    }
}

/// Refuses a quorum that is a minority of the RPCs: whoever silences the others decides it. With a quorum that was
/// `lowered` for this run it only warns, because that is recorded already.
pub(super) fn most_agree(endpoints: &[EndpointReport], lowered: bool) -> Option<EndpointProblem> {
    if !is_minority(endpoints) {
        return None;
    }
    let (_, of) = agreeing(endpoints);
    let believed = endpoints.iter().filter(|endpoint| endpoint.standing == EndpointStatus::Agrees);
    Some(EndpointProblem::Minority { believed: believed.map(|one| one.shown.clone()).collect(), of, lowered })
}

fn quorum_is_the_councils(facts: &Facts) -> Option<EndpointProblem> {
    let (used, wanted) = (facts.quorum, facts.council_quorum);
    (used < wanted).then_some(EndpointProblem::QuorumLowered { used, wanted })
}

/// Returns what an endpoint lies about, without the block: otherwise each block would have an id of its own.
fn lie_text(fault: &EndpointFault) -> String {
    match fault {
        EndpointFault::Lying { what, .. } | EndpointFault::Unproven { what, .. } => what.clone(),
        other => other.to_string(),
    }
}

/// Refuses an old block, which shows a Safe as it was, and a block from the future. `None` offline.
pub(super) fn block_age(age: Option<Age>, endpoints: &[EndpointReport]) -> Option<EndpointProblem> {
    let heights = || endpoints.iter().filter_map(|e| Some((e.shown.clone(), e.newest?))).collect();
    Some(match age? {
        Age::New(seconds) => EndpointProblem::NewBlock { seconds },
        Age::Old { seconds, allowed, made } => {
            EndpointProblem::OldBlock { seconds, allowed, made, heights: heights() }
        }
        Age::Ahead { seconds, made } => EndpointProblem::BlockAhead { seconds, made },
    })
}

/// Returns the newest block of each endpoint, if they differ.
fn differing(heights: &[(String, u64)]) -> String {
    if heights.iter().all(|(_, newest)| Some(newest) == heights.first().map(|(_, first)| first)) {
        return String::new();
    }
    let told = heights.iter().map(|(rpc, newest)| format!("{rpc} is at block {newest}"));
    format!(" ({})", told.collect::<Vec<_>>().join(", "))
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
    use crate::check::{Level, block_age};

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
