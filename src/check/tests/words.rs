//! The ids and sentences of problems, and the decisions that they lead to.

use super::*;
use crate::chain::{EndpointFault, EndpointStatus};
use crate::check::description::listed;
use crate::check::{all, block_age, endpoints, rehearsal_checks, transaction, unaccepted};
use crate::evm::{Answer, Query};

fn endpoint(shown: &str, standing: EndpointStatus, newest: u64) -> EndpointReport {
    EndpointReport { shown: shown.into(), standing, newest: Some(newest), batch: None }
}

fn lying(shown: &str) -> EndpointReport {
    endpoint(shown, EndpointStatus::Lying(EndpointFault::Lying { what: "slot 1".into(), number: 1 }), 1)
}

fn rpcs(endpoints: &[EndpointReport]) -> Vec<Finding> {
    let case = Case { endpoints: endpoints.to_vec(), ..Case::new(rehearsal()) };
    case.all(|facts| run(&endpoints::CHECKS, facts))
}

#[test]
fn only_a_refusal_and_already_done_stop_a_command() {
    let blocks = [Level::Pass, Level::Warn, Level::AlreadyDone, Level::Refuse].map(Level::blocks);
    assert_eq!(blocks, [false, false, true, true]);
    let found = rpcs(&[lying("a")]);
    let stops = unaccepted(&found, &[]);
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert!(unaccepted(&found, &[stops[0].id.clone()]).is_empty());
}

#[test]
fn only_the_rpc_that_lies_is_named() {
    let outvoted = endpoint("b", EndpointStatus::Outvoted(EndpointFault::Slow), 1);
    let same = endpoint("c", EndpointStatus::SameAs("a".into()), 1);
    let found = rpcs(&[lying("a"), outvoted, same]);
    let liars: Vec<&str> = found.iter().filter_map(|f| f.problem().lying_rpc()).collect();
    assert_eq!(liars, ["a"]);
    let about: Vec<_> = found.iter().map(|f| (f.kind, f.level, f.about.join(" "))).collect();
    let told = |kind, level, about: &str| (kind, level, about.to_string());
    assert_eq!(
        about,
        [
            told("rpc-lying", Level::Refuse, "a"),
            told("rpc-outvoted", Level::Warn, "b"),
            told("rpc-same", Level::Warn, "c"),
        ]
    );
}

#[test]
fn the_number_of_rpcs_that_agree_is_shown() {
    let agrees = |shown: &str| endpoint(shown, EndpointStatus::Agrees, 1);
    let silent = || endpoint("z", EndpointStatus::Outvoted(EndpointFault::Slow), 1);
    let last = |endpoints: &[EndpointReport]| {
        let mut found = rpcs(endpoints);
        let last = found.pop().unwrap();
        (last.kind, last.level, last.fix.contains("others answer"))
    };
    assert_eq!(last(&[agrees("a")]), ("rpc-single", Level::Warn, false));
    assert_eq!(last(&[agrees("a"), silent()]), ("rpc-single", Level::Warn, true));
    assert_eq!(last(&[agrees("a"), agrees("b")]), ("rpc", Level::Pass, false));
    let small = EndpointReport { batch: Some(3), ..agrees("a") };
    assert!(rpcs(&[small])[0].fix.contains("batch = 3"));
    assert!(rpcs(&[]).is_empty(), "offline");
}

#[test]
fn a_lower_quorum_of_the_command_line_is_marked_as_chosen() {
    let chosen = |council_quorum| {
        let case = Case { council_quorum, ..Case::new(rehearsal()) };
        let found = case.all(|facts| run(&endpoints::CHECKS, facts));
        found.into_iter().filter(|f| f.problem().is_chosen()).map(|f| f.id).collect::<Vec<_>>()
    };
    assert!(chosen(1).is_empty());
    assert_eq!(chosen(2), ["quorum:1"]);
    assert!(rpcs(&[lying("a")]).iter().all(|f| !f.problem().is_chosen()));
}

#[test]
fn the_heights_of_rpcs_are_shown_where_they_differ() {
    let old = Some(Age::Old { seconds: 100, allowed: 72, made: 5 });
    let told = |one, other| {
        let endpoints =
            [endpoint("a", EndpointStatus::Agrees, one), endpoint("b", EndpointStatus::Agrees, other)];
        block_age(old, &endpoints).unwrap().sentence.contains("(a is at block")
    };
    assert!(!told(7, 7) && told(7, 8));
}

#[test]
fn one_rpc_decides_nothing_alone() {
    let decided = || {
        let query = Query::Balance { address: VAULT };
        let answer = Answer::Value(Bytes::new());
        let by = vec![crate::playbook::ReadingSource { query, answer, sentence: "fee".into() }];
        vec![Decided { signature: "f()".into(), part: crate::playbook::CallPart::Target, by }]
    };
    let found = |rpcs: usize, decided: Vec<Decided>, is_online: bool| {
        let endpoints = (0..rpcs).map(|n| endpoint(&n.to_string(), EndpointStatus::Agrees, 1)).collect();
        let mut case = Case { endpoints, decided, ..Case::new(rehearsal()) };
        case.now = is_online.then(|| case.proposal.snapshot().clone());
        let found = case.all(|facts| run(&endpoints::CHECKS[..1], facts));
        found.first().map(|finding| finding.level)
    };
    assert_eq!(found(1, decided(), true), Some(Level::Refuse));
    assert_eq!(found(2, decided(), true), Some(Level::Pass));
    assert_eq!(found(1, vec![], true), None);
    assert_eq!(found(1, decided(), false), None, "offline the values are the file's, and are told apart");
}

#[test]
fn refusals_that_come_with_an_execution_are_distinguished_from_the_others() {
    let mut case = Case::new(rehearsal());
    let verdict = Verdict { holds: false, sentence: "s".into(), expected: "e".into(), found: "f".into() };
    (case.before, case.after) = (vec![verdict.clone()], vec![verdict]);
    let mut state = case.proposal.snapshot().clone();
    state.nonce = Nonce::from(4);
    case.now = Some(state);
    let comes = case.all(crate::check::findings).into_iter();
    let comes: Vec<_> = comes.filter(|f| f.problem().comes_with_execution()).map(|f| f.kind).collect();
    assert_eq!(comes, ["before", "nonce-used"]);
}

#[test]
fn a_nonce_ahead_is_refused_unless_it_is_meant() {
    let mut case = Case::new(rehearsal());
    let mut state = case.proposal.snapshot().clone();
    state.nonce = Nonce::from(2);
    case.now = Some(state);
    let level = |signing, nonce_named| {
        let judge = |facts: &Facts| run(&transaction::CHECKS[2..], &Facts { signing, nonce_named, ..*facts });
        case.found(judge)[0].1
    };
    assert_eq!(level(true, false), Level::Refuse);
    assert_eq!((level(true, true), level(false, false)), (Level::Warn, Level::Warn));
}

#[test]
fn much_gas_is_more_than_four_fifths() {
    let found = |gas_used, gas_limit| {
        let case = Case::new(Rehearsal { gas_used, gas_limit, ..rehearsal() });
        case.found(|facts| run(&rehearsal_checks::CHECKS[2..3], facts)).len()
    };
    assert_eq!([found(80, 100), found(81, 100), found(0, 0), found(u64::MAX, u64::MAX)], [0, 1, 0, 0]);
}

#[test]
fn a_long_list_ends_in_a_number() {
    let items: Vec<String> = (1..=6).map(|n: u8| n.to_string()).collect();
    assert_eq!(listed(&items[..5]), "1; 2; 3; 4; 5");
    assert_eq!(listed(&items), "1; 2; 3; 4; 5; and 1 more");
}

#[test]
fn a_finding_as_json_names_what_it_is_about() {
    let tx = SafeTx::new(THIEF, U256::ZERO, Bytes::new(), Operation::DelegateCall, Nonce::from(3));
    let case = Case { proposal: proposing(tx), ..Case::new(rehearsal()) };
    let found = case.all(|facts| all([transaction::no_unknown_delegatecall(facts)])).remove(0);
    let object = serde_json::to_value(&found).unwrap();
    assert_eq!(object["kind"], "delegatecall");
    assert_eq!((&object["level"], &object["about"][0]), (&"refuse".into(), &THIEF.to_string().into()));
    assert!(object["id"].as_str().unwrap().starts_with("delegatecall:"));
    assert!(object.get("problem").is_none() && object.get("sort").is_none());
}
