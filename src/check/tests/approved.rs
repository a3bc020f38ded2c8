//! An approval on chain is refused if what it approves is refused, or was not checked.

use super::super::{already_done, first_refusal, transaction, with_approved};
use super::done::{paused, stopping};
use super::*;

fn ids(findings: &[Finding], level: Level) -> Vec<&str> {
    findings.iter().filter(|f| f.level == level).map(|f| f.id.as_str()).collect()
}

#[test]
fn an_approved_transaction_is_judged_first_with_its_own_ids() {
    let clean = Case::new(rehearsal()).all(super::super::findings);
    let of = proposal();
    let approval = proposing(of.tx().clone()).approving(Some(of.clone()));
    let unbound = Match::Unbound("no lever".into());
    let theirs = Case { matching: unbound, ..Case::new(rehearsal()) }.all(super::super::findings);
    let refused = ids(&theirs, Level::Refuse).len();
    assert!(refused > 0);
    let all = with_approved(&approval, Some((&of, &theirs)), clean.clone());
    let own = ids(&clean, Level::Refuse);
    let (first, last) = all.split_at(all.len() - clean.len());
    assert_eq!(last, clean, "its own are as they were");
    let stands = ids(first, Level::Refuse);
    assert!(stands.len() == refused && stands.iter().all(|id| id.starts_with("approved:")), "{stands:?}");
    assert!(own.iter().all(|id| !stands.contains(id)));
    assert!(all.iter().any(|finding| finding.sentence.starts_with("what it approves: ")));
    // By its own id nothing of what it approves is accepted.
    let theirs: Vec<String> = ids(&theirs, Level::Refuse).into_iter().map(String::from).collect();
    assert!(super::super::unaccepted(first, &theirs).len() >= refused);
}

#[test]
fn an_approved_transaction_that_was_not_examined_is_refused() {
    let clean = || Case::new(rehearsal()).all(super::super::findings);
    let of = proposal();
    let approval = proposing(of.tx().clone()).approving(Some(of.clone()));
    let other = of.with_nonce(Nonce::from(9));
    for approved in [None, Some((&other, &[][..]))] {
        let all = with_approved(&approval, approved, clean());
        let refused = ids(&all[..all.len() - clean().len()], Level::Refuse);
        assert!(refused.len() == 1 && refused[0].starts_with("approved-unknown"), "{refused:?}");
    }
    let all = with_approved(&approval, Some((&of, &[])), clean());
    assert_eq!(ids(&all, Level::Refuse), ids(&clean(), Level::Refuse));
    assert_eq!(with_approved(&of, None, clean()), clean(), "one that approves nothing is as it was");
}

/// The approval is on chain, and both nonces are used: what was approved can never be executed any more.
#[test]
fn an_approved_transaction_whose_nonce_is_used_is_not_done_because_its_approval_is() {
    let used = |mut case: Case| {
        case.now = Some(SafeState { nonce: Nonce::from(4), ..case.proposal.snapshot().clone() });
        case
    };
    let nonce = |case: &Case| case.all(|facts| run(&transaction::CHECKS, facts));
    let done = |case: &Case| case.all(|facts| [run(&transaction::CHECKS, facts), stopping(facts)].concat());
    let of = proposal();
    let approval = proposing(of.tx().clone()).approving(Some(of.clone()));
    let is_done = |theirs: &[Finding], own: Vec<Finding>| {
        let all = with_approved(&approval, Some((&of, theirs)), own);
        let is_done = already_done(&all, &[]).is_some();
        assert_eq!(first_refusal(&all, &[]).is_none(), is_done, "{all:?}");
        is_done
    };
    let open = Case::new(rehearsal());
    assert!(is_done(&nonce(&open), done(&used(paused()))), "it waits for its own Safe");
    assert!(!is_done(&nonce(&used(open.clone())), done(&used(paused()))));
    assert!(!is_done(&nonce(&used(open.clone())), done(&paused())));
    assert!(is_done(&done(&used(paused())), done(&used(paused()))), "it is so already");
    assert!(is_done(&done(&used(paused())), nonce(&used(open))), "by whichever way");
}
