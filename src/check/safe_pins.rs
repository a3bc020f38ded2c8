//! Checks of the Safe's state: it is as the council file pins it, and as it was when this was proposed.

use std::collections::HashSet;
use std::fmt::Display;

use alloy::primitives::Address;

use super::description::{Description, Id, listed};
use super::{Check, Facts, all, falsehoods};
use crate::safe::{Drift, Owners, SafeVersion, Threshold};

const WHO_CHANGED: &str = "find out who changed the Safe; if it was the council, update breakglass.toml";

pub(super) const CHECKS: [Check; 3] = [
    ("as pinned", |facts| all(as_pinned(facts))),
    ("as told of its block", |facts| all(falsehoods::false_safe_statement(facts))),
    ("as proposed", |facts| all(as_proposed(facts))),
];

/// The Safe now, against the council file's pins and the proposal's snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinProblem {
    VersionAsPinned(SafeVersion),
    OtherVersion { is: SafeVersion, pinned: SafeVersion },
    OwnersAsPinned,
    Assumed { version: SafeVersion, owners: usize, threshold: Threshold },
    OtherOwners { are: Owners, pinned: Owners },
    AsProposed,
    Changed(Drift),
}

impl PinProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::VersionAsPinned(version) => {
                Description::pass("safe-version", format!("Safe {version}, as your council file says"))
            }
            Self::OtherVersion { is, pinned } => Description::refuse(
                Id::of("safe-version", is),
                format!("the Safe says it is {is}, your council file says {pinned}"),
                WHO_CHANGED,
            ),
            Self::OwnersAsPinned => {
                Description::pass("safe-owners", "owners and threshold are as your council file says")
            }
            Self::Assumed { version, owners, threshold } => Description::warn(
                "safe-assumed",
                format!(
                    "assumed from breakglass.toml, not read from the chain: Safe {version}, {owners} owners, threshold \
                     {threshold}"
                ),
                "compare the safeTxHash with your card, or with a signer who is online",
            ),
            Self::OtherOwners { are, pinned } => other_owners(are, pinned),
            Self::AsProposed => {
                Description::pass("safe-drift", "the Safe is as it was when this was proposed")
            }
            Self::Changed(Drift { what, was, now }) => Description::drift(
                Id::of("safe-drift", what.to_string().replace(' ', "-")).digest([was as &dyn Display, now]),
                format!("the Safe's {what} changed since this was proposed: was {was}, is {now}"),
                "find out who changed it; propose again if it was the council",
            ),
        }
    }
}

/// Compares the Safe with its pins. A Safe that was assumed from the council file agrees with it by itself: a warning
/// stands in place of that.
fn as_pinned(facts: &Facts) -> Vec<PinProblem> {
    let found = version_as_pinned(facts).into_iter().chain(owners_as_pinned(facts));
    if !facts.assumes_the_safe() {
        return found.collect();
    }
    let state = facts.state();
    let (owners, threshold) = (state.owners.list().len(), state.owners.threshold());
    let assumed = PinProblem::Assumed { version: state.id.version, owners, threshold };
    let differs = found.filter(|p| !matches!(p, PinProblem::VersionAsPinned(_) | PinProblem::OwnersAsPinned));
    std::iter::once(assumed).chain(differs).collect()
}

fn version_as_pinned(facts: &Facts) -> Option<PinProblem> {
    let (is, pinned) = (facts.state().id.version, facts.council_safe.version?);
    Some(if is == pinned { PinProblem::VersionAsPinned(is) } else { PinProblem::OtherVersion { is, pinned } })
}

fn owners_as_pinned(facts: &Facts) -> Option<PinProblem> {
    let (are, pinned) = (&facts.state().owners, facts.council_safe.owners.as_ref()?);
    let is_same = sorted(are) == sorted(pinned) && are.threshold() == pinned.threshold();
    Some(if is_same {
        PinProblem::OwnersAsPinned
    } else {
        PinProblem::OtherOwners { are: are.clone(), pinned: pinned.clone() }
    })
}

fn other_owners(are: &Owners, pinned: &Owners) -> Description {
    let all = sorted(are).into_iter().map(|owner| owner.to_string()).chain([are.threshold().to_string()]);
    Description::drift(
        Id::from("safe-owners").digest_all(&all.collect::<Vec<_>>()),
        format!("the Safe is not as in your council file: {}", differing(are, pinned)),
        WHO_CHANGED,
    )
}

fn sorted(owners: &Owners) -> Vec<Address> {
    let mut list = owners.list().to_vec();
    list.sort();
    list
}

/// Returns the differences: `owners not in your file: 0x…; threshold: 3 in the Safe, 4 in your file`.
fn differing(are: &Owners, pinned: &Owners) -> String {
    let mut parts = Vec::new();
    for (label, from, among) in [
        ("owners not in your file", are.list(), pinned.list()),
        ("owners not in the Safe", pinned.list(), are.list()),
    ] {
        let among: HashSet<&Address> = among.iter().collect();
        let names: Vec<String> =
            from.iter().filter(|a| !among.contains(a)).map(ToString::to_string).collect();
        if !names.is_empty() {
            parts.push(format!("{label}: {}", listed(&names)));
        }
    }
    if are.threshold() != pinned.threshold() {
        parts.push(format!(
            "threshold: {} in the Safe, {} in your file",
            are.threshold(),
            pinned.threshold()
        ));
    }
    parts.join("; ")
}

/// Compares owners, threshold, singleton, guard, modules and fallback handler with those of the proposal.
fn as_proposed(facts: &Facts) -> Vec<PinProblem> {
    let Some(now) = facts.now else { return Vec::new() };
    let changes = facts.proposal.drift(now);
    if changes.is_empty() {
        return vec![PinProblem::AsProposed];
    }
    changes.into_iter().map(PinProblem::Changed).collect()
}
