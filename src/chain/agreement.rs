//! Which of several endpoints to believe. A pure function over what they answered: no network, no clock.
//!
//! State is taken only if a quorum of endpoints, and the majority of those that answer, agrees on the block hash and
//! on every value asked at it.

use std::cmp::Ordering;

use super::chain_error::EndpointFault;
use super::settle::Settled;
use crate::evm::{BlockTag, Header};

/// One endpoint's answers, or why there are none.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there are as many as endpoints: a handful")]
pub(super) enum Vote {
    View(EndpointView),
    Fault(EndpointFault),
}

/// A chain as one endpoint shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EndpointView {
    /// The oldest block among its answers.
    pub head: Header,
    /// `true` if all its answers are known to come from that block.
    pub whole: bool,
    /// The answers that have to be agreed on.
    pub values: Vec<Settled>,
}

/// The decision by the votes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// These endpoints agree; the faults of the others, by endpoint.
    Agreed { by: Vec<usize>, faults: Vec<Option<EndpointFault>> },
    /// Not yet: the newest block that a quorum has. Ask about it.
    Pin(u64),
    /// No quorum can be had from these votes.
    None { faults: Vec<Option<EndpointFault>> },
}

/// Decides. `label` names a value for the faults. Those that agree are at least a quorum, and the majority: a minority
/// is outvoted, however new its blocks are, and with a tie nobody is believed.
pub(super) fn decide(
    votes: &[Vote],
    quorum: usize,
    asked: BlockTag,
    label: &dyn Fn(usize) -> String,
) -> Decision {
    let needed = needed(votes, quorum, asked, 0);
    if let Some((chosen, by)) = groups(votes).into_iter().find(|(_, members)| members.len() >= needed) {
        let faults = votes.iter().map(|vote| fault_against(vote, chosen, label)).collect();
        return Decision::Agreed { by, faults };
    }
    match common_block(votes, needed) {
        Some(number) if asked == BlockTag::Latest && !all_at_one_block(votes) => Decision::Pin(number),
        _ => Decision::None { faults: faults_without_quorum(votes, label) },
    }
}

/// Returns the number that must agree: a quorum, and more than half of those that answered or are `awaited`. One that does not have
/// the block yet could contradict the others once it has; with a pinned block, whose hash is known, that does not matter.
pub(super) fn needed(votes: &[Vote], quorum: usize, asked: BlockTag, awaited: usize) -> usize {
    let counts = |vote: &&Vote| match vote {
        Vote::View(_) => true,
        Vote::Fault(EndpointFault::Lagging { .. }) => !matches!(asked, BlockTag::Pinned(_)),
        Vote::Fault(_) => false,
    };
    let all = votes.iter().filter(counts).count() + awaited;
    quorum.max(all / 2 + 1)
}

/// Returns `true` if no answer that is still awaited can change who is believed.
pub(super) fn is_settled(votes: &[Vote], quorum: usize, asked: BlockTag, awaited: usize) -> bool {
    let needed = needed(votes, quorum, asked, awaited);
    groups(votes).iter().any(|(_, members)| members.len() >= needed)
}

/// The endpoints that show the same, by what they show. What is not known to come from one block is not a vote.
fn groups(votes: &[Vote]) -> Vec<(&EndpointView, Vec<usize>)> {
    let mut groups: Vec<(&EndpointView, Vec<usize>)> = Vec::new();
    for (at, vote) in votes.iter().enumerate() {
        let Some(view) = vote.view().filter(|view| view.whole) else { continue };
        match groups.iter_mut().find(|(first, _)| first.head == view.head && first.values == view.values) {
            Some((_, members)) => members.push(at),
            None => groups.push((view, vec![at])),
        }
    }
    groups
}

/// The votes without those of endpoints whose newest block is older than `oldest`, in seconds since 1970, if a quorum
/// shows newer ones: an endpoint that stands still does not hold the others back.
pub(super) fn without_stale(votes: &mut [Vote], quorum: usize, oldest: u64) {
    let is_new = |vote: &&Vote| vote.view().is_some_and(|view| view.head.timestamp >= oldest);
    let new = votes.iter().filter(is_new).max_by_key(|vote| vote.view().map(|view| view.head.number));
    let Some(newest) = new.and_then(Vote::view).map(|view| view.head.clone()) else { return };
    if votes.iter().filter(is_new).count() < quorum {
        return;
    }
    for vote in votes {
        let Some(view) = vote.view().filter(|view| view.head.timestamp < oldest) else { continue };
        let behind = newest.timestamp.saturating_sub(view.head.timestamp);
        *vote = Vote::Fault(EndpointFault::Stale { at: view.head.number, behind });
    }
}

/// Returns the fault of a vote, seen from the view that a quorum holds.
pub(super) fn fault_against(
    vote: &Vote,
    chosen: &EndpointView,
    label: &dyn Fn(usize) -> String,
) -> Option<EndpointFault> {
    let view = match vote {
        Vote::View(view) => view,
        Vote::Fault(fault) => return Some(fault.clone()),
    };
    let (at, wanted) = (view.head.number, chosen.head.number);
    match at.cmp(&wanted) {
        Ordering::Less => Some(EndpointFault::Lagging { at: Some(at), wanted }),
        Ordering::Greater => Some(EndpointFault::Ahead { at, wanted }),
        Ordering::Equal if view.head.hash != chosen.head.hash => {
            Some(EndpointFault::Forked { number: at, hash: view.head.hash })
        }
        Ordering::Equal if !view.whole => Some(EndpointFault::Straddles),
        Ordering::Equal => {
            difference(view, chosen, label).map(|what| EndpointFault::Lying { what, number: at })
        }
    }
}

/// The first thing on which two views of one block differ.
fn difference(a: &EndpointView, b: &EndpointView, label: &dyn Fn(usize) -> String) -> Option<String> {
    if a.head != b.head {
        return Some("the header".into());
    }
    let values = a.values.iter().zip(&b.values);
    let at = values.enumerate().find(|(_, (x, y))| x != y).map(|(at, _)| at);
    at.map(label).or_else(|| (a.values.len() != b.values.len()).then(|| "the number of values".into()))
}

/// The newest height that `needed` endpoints have reached.
fn common_block(votes: &[Vote], needed: usize) -> Option<u64> {
    let mut heights: Vec<u64> = votes.iter().filter_map(|v| v.view().map(|view| view.head.number)).collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    heights.get(needed.checked_sub(1)?).copied()
}

/// Then asking again about that block brings the same answers.
fn all_at_one_block(votes: &[Vote]) -> bool {
    let mut views = votes.iter().filter_map(Vote::view);
    let Some(first) = views.next() else { return false };
    first.whole && views.all(|view| view.whole && view.head.hash == first.head.hash)
}

/// Nobody is believed, so nobody is called a liar: each view is set against another one of its height.
fn faults_without_quorum(votes: &[Vote], label: &dyn Fn(usize) -> String) -> Vec<Option<EndpointFault>> {
    let newest = votes.iter().filter_map(|v| v.view().map(|view| view.head.number)).max().unwrap_or(0);
    let fault = |(at, vote): (usize, &Vote)| {
        let view = match vote {
            Vote::View(view) => view,
            Vote::Fault(fault) => return Some(fault.clone()),
        };
        let number = view.head.number;
        if !view.whole {
            return Some(EndpointFault::Straddles);
        }
        let others = || (votes.iter().enumerate()).filter(|(i, _)| *i != at).filter_map(|(_, v)| v.view());
        let contradicted = (others().filter(|other| other.whole && other.head.hash == view.head.hash))
            .find_map(|other| difference(view, other, label));
        if let Some(what) = contradicted {
            return Some(EndpointFault::Contradicted { what, number });
        }
        if others().any(|other| other.head.number == number && other.head.hash != view.head.hash) {
            return Some(EndpointFault::Forked { number, hash: view.head.hash });
        }
        (number < newest).then_some(EndpointFault::Lagging { at: Some(number), wanted: newest })
    };
    votes.iter().enumerate().map(fault).collect()
}

impl Vote {
    pub(super) const fn view(&self) -> Option<&EndpointView> {
        match self {
            Self::View(view) => Some(view),
            Self::Fault(_) => None,
        }
    }
}
