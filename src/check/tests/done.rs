//! An act that is already done is not refused: a colleague was faster.

use super::*;
use crate::check::{already_done, first_refusal, own_playbook, rehearsal_checks, transaction, unaccepted};
use crate::evm::{AddressBook, Answer};
use crate::fork::Revert;
use crate::playbook::{Catalogue, Derivation, Inputs, derive};

/// The reader's own plan to pause the vault, which is paused on chain by somebody else.
pub(super) fn paused() -> Case {
    let catalogue = Catalogue::new(vec![]);
    let playbook = catalogue.get("pause/oz-pausable").unwrap().playbook;
    let args = [("target".to_string(), VAULT.to_string())].into();
    let names = AddressBook::default();
    let inputs = Inputs { args: &args, names: &names, safe: SAFE, chain_id: 1 };
    let Derivation::Ready(plan) = derive(playbook, &inputs, &Readings::default()).unwrap() else {
        panic!("it reads nothing")
    };
    let reverts = vec![Revert { by: VAULT, data: Bytes::new(), halt: None }];
    let reverted = Rehearsal { outcome: RunResult::Reverted, reverts, ..rehearsal() };
    let mut case = Case { plan: Some(plan), ..Case::new(reverted) };
    case.says(true);
    case
}

impl Case {
    /// Sets the vault's answer to `paused()`.
    fn says(&mut self, paused: bool) {
        let plan = self.plan.as_ref().unwrap();
        let word = Bytes::copy_from_slice(B256::with_last_byte(u8::from(paused)).as_slice());
        let query = plan.after[0].queries().remove(0);
        let answers: Readings = [(query, Answer::Value(word))].into_iter().collect();
        self.before = plan.before.iter().map(|check| check.judge(&answers, &[])).collect();
        self.after = plan.after.iter().map(|check| check.judge(&answers, &[])).collect();
        self.answers = Some(answers);
    }
}

pub(super) fn stopping(facts: &Facts) -> Vec<Problem> {
    [run(&own_playbook::CHECKS[4..], facts), run(&rehearsal_checks::CHECKS, facts)].concat()
}

fn levels(case: &Case) -> Vec<(String, Level)> {
    case.found(stopping)
}

#[test]
fn a_pause_that_a_colleague_made_is_already_done() {
    let case = paused();
    let ids = ["before:1", "before:2", "rehearsal-fails"];
    assert_eq!(levels(&case), ids.map(|id| (id.to_string(), Level::AlreadyDone)));
    let found = case.all(stopping);
    let stops = unaccepted(&found, &[]);
    assert_eq!(stops.len(), 3, "it still has to be accepted by name");
    for finding in stops {
        assert!(finding.problem().already_done().unwrap().ends_with("paused() is true"), "{finding:?}");
    }
}

/// A used nonce is ignored only if nothing is left to do.
#[test]
fn a_used_nonce_is_ignored_only_where_the_promise_holds_already() {
    let is_done = |case: &Case| {
        let found = case.all(|facts| [run(&transaction::CHECKS, facts), stopping(facts)].concat());
        let is_done = already_done(&found, &[]).is_some();
        assert_eq!(first_refusal(&found, &[]).is_none(), is_done, "{found:?}");
        is_done
    };
    let used = |mut case: Case| {
        case.now = Some(SafeState { nonce: Nonce::from(4), ..case.proposal.snapshot().clone() });
        case
    };
    assert!(is_done(&used(paused())) && is_done(&paused()));
    let mut open = used(paused());
    open.says(false);
    assert!(!is_done(&open), "it is not paused");
    let mut stolen = used(paused());
    stolen.rehearsal.writes.push(to(SAFE, slot_word(slot::SINGLETON), THIEF));
    stolen.rehearsal.outcome = RunResult::Succeeded;
    assert!(!is_done(&stolen), "something else is refused");
}

#[test]
fn a_rehearsal_that_reverts_was_judged_on_the_chain_as_it_is() {
    let mut case = paused();
    case.answers = None;
    assert!(levels(&case).iter().all(|(_, level)| *level == Level::AlreadyDone));
    // If it succeeds, `after` says only what it would leave.
    case.rehearsal.outcome = RunResult::Succeeded;
    assert_eq!(levels(&case), [refused("before:1"), refused("before:2")].concat());
}

#[test]
fn a_promise_that_is_missing_or_does_not_hold_is_refused() {
    let mut case = paused();
    case.says(false);
    case.before[0].holds = false;
    let all =
        ["before:1", "before:2", "rehearsal-fails", "after:1"].map(|id| (id.to_string(), Level::Refuse));
    assert_eq!(levels(&case), all, "it is not paused");
    let mut case = paused();
    case.plan.iter_mut().for_each(|plan| plan.after.clear());
    case.after.clear();
    assert_eq!(levels(&case), &all[..3], "nothing is promised");
    let mut case = paused();
    case.answers = None;
    case.after[0].holds = false;
    assert_eq!(levels(&case), all, "the rehearsed state does not keep it");
    let case = Case { foreign: vec![("target".into(), VAULT.to_string())], ..paused() };
    assert_eq!(levels(&case), &all[..3], "its argument is a stranger's");
    let case = Case { plan: None, ..paused() };
    assert_eq!(levels(&case)[0].1, Level::Refuse, "no plan of the reader's own");
}

#[test]
fn a_check_that_holds_passes_whatever_is_done() {
    let mut case = paused();
    case.before[0].holds = true;
    assert_eq!(levels(&case)[0].0, "before:2");
    case.rehearsal.outcome = RunResult::Succeeded;
    case.before.clear();
    assert!(levels(&case).is_empty(), "doing it again is allowed");
    assert!(case.all(stopping).iter().all(|finding| finding.problem().already_done().is_none()));
}
