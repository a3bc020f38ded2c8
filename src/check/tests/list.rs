//! The list of checks: none can be dropped unseen, and accepting what one refuses accepts nothing else.

use std::collections::BTreeSet;

use super::faults::{changed, faults, innocent, now};
use super::*;
use crate::check::{CHECKS, findings};

/// In the order in which a signer should doubt.
const NAMES: [&str; 33] = [
    "drill",
    "block age",
    "matches the playbook",
    "the reader's arguments",
    "in place of a built-in one",
    "values from the chain",
    "before",
    "refund",
    "delegatecall",
    "nonce",
    "as pinned",
    "as told of its block",
    "as proposed",
    "singleton",
    "proxy",
    "powers beside the owners",
    "what the owners are",
    "code",
    "rehearsed",
    "succeeds",
    "gas",
    "safe slots",
    "outflow",
    "approvals",
    "after",
    "undeclared effects",
    "as recorded",
    "control",
    "timelock order",
    "one RPC decides",
    "endpoints",
    "most RPCs agree",
    "quorum",
];

fn check(name: &str) -> fn(&Facts) -> Vec<Problem> {
    CHECKS.into_iter().flatten().find(|(own, _)| *own == name).unwrap().1
}

#[test]
fn no_check_is_dropped_and_none_changes_its_place() {
    let names: Vec<&str> = CHECKS.into_iter().flatten().map(|(name, _)| *name).collect();
    assert_eq!(names, NAMES);
    let case = Case::new(rehearsal());
    let one_by_one: Vec<Finding> = NAMES.into_iter().flat_map(|name| case.all(check(name))).collect();
    assert_eq!(case.all(findings), one_by_one);
}

#[test]
fn every_check_gives_a_finding() {
    let spoken: BTreeSet<&str> = faults().into_iter().map(|(name, _, _)| name).collect();
    assert_eq!(spoken, BTreeSet::from(NAMES));
    for (name, id, cases) in faults() {
        for case in cases {
            let found = case.all(check(name));
            let mut spoken = found.iter().filter(|finding| finding.level != Level::Pass);
            assert!(spoken.any(|finding| finding.id.starts_with(id)), "{name} {id}: {found:?}");
        }
    }
}

/// Two faults of one kind that differ in no more than one value.
#[test]
fn accepting_one_fault_accepts_no_other() {
    for (name, id, [one, other]) in faults() {
        let refused = |case: &Case| {
            let found = case.all(check(name)).into_iter();
            found
                .filter(|finding| finding.level == Level::Refuse && finding.id.starts_with(id))
                .map(|finding| finding.id)
                .collect::<BTreeSet<_>>()
        };
        let (one, other) = (refused(&one), refused(&other));
        assert!(one.is_disjoint(&other), "{name} {id}: {one:?} {other:?}");
    }
}

#[test]
fn an_unannounced_drill_is_reported_to_the_signer_and_real_transactions_are_not() {
    let findings_of = |case: &Case| case.all(check("drill"));
    let unannounced = changed(|case| case.proposal = case.proposal.clone().for_drill().unwrap());
    assert_eq!(findings_of(&unannounced)[0].level, Level::Warn);
    let announced = Case { announced: true, ..unannounced.clone() };
    assert_eq!(findings_of(&announced)[0].level, Level::Pass);
    assert!(findings_of(&Case { signing: false, ..unannounced }).is_empty());
    assert!(findings_of(&innocent()).is_empty());
    // A drill takes no nonce: one that is not the next is not a gap.
    let mut later = now(|state| state.nonce = Nonce::from(1));
    later.proposal = later.proposal.for_drill().unwrap();
    assert!(later.all(check("nonce")).iter().all(|finding| finding.level == Level::Pass));
}
