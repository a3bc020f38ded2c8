//! Each side of a comparison: what just passes beside what just does not.

use super::*;
use crate::check::past_statements::{PastSubject, Untrue};
use crate::check::{falsehoods, first_refusal, safe_pins, transaction};
use crate::proposal::FieldDifference;

fn tx() -> SafeTx {
    SafeTx::new(VAULT, U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(3))
}

fn all(case: &Case) -> Vec<Finding> {
    case.all(crate::check::findings)
}

fn ids(found: &[Finding]) -> Vec<&str> {
    found.iter().filter(|f| f.level != Level::Pass).map(|f| without_digest(&f.id)).collect()
}

#[test]
fn any_field_of_a_refund_is_named() {
    type Change = fn(&mut SafeTx);
    let changes: [(&str, Change); 5] = [
        ("safeTxGas", |tx| tx.safe_tx_gas = U256::ONE),
        ("baseGas", |tx| tx.base_gas = U256::ONE),
        ("gasPrice", |tx| tx.gas_price = U256::ONE),
        ("gasToken", |tx| tx.gas_token = THIEF),
        ("refundReceiver", |tx| tx.refund_receiver = THIEF),
    ];
    let refund = |tx: SafeTx| {
        let case = Case { proposal: proposing(tx), ..Case::new(rehearsal()) };
        let found = case.all(|facts| run(&transaction::CHECKS, facts));
        found.into_iter().find(|f| f.id.contains("refund")).unwrap()
    };
    assert_eq!(refund(tx()).level, Level::Pass);
    for (field, change) in changes {
        let mut with = tx();
        change(&mut with);
        let found = refund(with);
        assert!(found.level == Level::Refuse && found.sentence.contains(field), "{found:?}");
        let fields = ["safeTxGas", "baseGas", "gasPrice", "gasToken", "refundReceiver"];
        let named = fields.iter().filter(|name| found.sentence.contains(**name)).count();
        assert_eq!(named, 1, "only what is set: {}", found.sentence);
    }
}

#[test]
fn another_transaction_at_this_nonce_is_a_conflict_and_at_another_it_is_not() {
    let conflicts = |nonce: u64, hash: String| {
        let mut case = Case::new(rehearsal());
        case.others = vec![(Nonce::from(nonce), hash)];
        ids(&all(&case)).iter().filter(|id| id.starts_with("nonce-conflict")).count()
    };
    let own = Case::new(rehearsal()).proposal.hash().to_string();
    assert_eq!(conflicts(3, own), 0, "it is the same transaction");
    assert_eq!(conflicts(3, B256::ZERO.to_string()), 1);
    assert_eq!(conflicts(4, B256::ZERO.to_string()), 0);
}

#[test]
fn a_lever_with_an_earlier_nonce_is_reported_and_one_with_the_same_is_a_choice() {
    let kept = |nonce: u64| {
        let mut case = Case::new(rehearsal());
        case.keeper = Some(Contender {
            title: "freeze".into(),
            levers: vec!["freeze".into()],
            nonce: Nonce::from(nonce),
            signers: 2,
            severity: None,
            place: 0,
        });
        let found = case.all(|facts| run(&transaction::CHECKS, facts));
        found.into_iter().find(|f| f.id.starts_with("nonce-kept")).unwrap().sentence
    };
    assert!(kept(2).ends_with("this one takes nonce 3"), "{}", kept(2));
    assert!(kept(3).ends_with("only one of them can be executed"), "{}", kept(3));
}

#[test]
fn the_batch_contract_of_this_chain_or_of_the_council_file_is_distinguished_from_others() {
    use crate::check::tests::control::queueing;
    let source = |chain_id: Option<u64>, batch: bool| {
        let mut case = queueing(&[Bytes::from(vec![1]), Bytes::from(vec![2])]);
        let to = case.proposal.tx().to;
        if let Some(chain_id) = chain_id {
            let proposal = case.proposal.clone();
            let id = SafeId { chain_id, ..*proposal.safe() };
            let state = SafeState { id, ..state_of(&proposal) };
            let block = Block { number: 1, hash: BlockHash::claimed(B256::ZERO) };
            case.proposal = Proposal::new(
                proposal.tx().clone(),
                state,
                block,
                proposal.binding().clone(),
                Readings::default(),
            );
        }
        case.council_safe.batch = batch.then_some(to);
        let found = case.all(|facts| run(&transaction::CHECKS, facts));
        found.into_iter().find(|f| f.id.starts_with("delegatecall")).unwrap().sentence
    };
    let (here, nowhere, pinned) =
        (source(None, false), source(Some(424_242), false), source(Some(424_242), true));
    assert!(here != nowhere && nowhere != pinned && here != pinned, "{here}\n{nowhere}\n{pinned}");
}

fn state_of(proposal: &Proposal) -> SafeState {
    SafeState {
        id: *proposal.safe(),
        owners: Owners::new(vec![OWNER], 1).unwrap(),
        nonce: Nonce::from(3),
        singleton: Address::repeat_byte(6),
        guard: Address::ZERO,
        module_guard: Address::ZERO,
        fallback_handler: Address::repeat_byte(7),
        modules: vec![],
    }
}

#[test]
fn values_that_never_were_true_are_distinguished_from_false_statements_about_the_safe() {
    let moved = || Match::Moved(vec![FieldDifference { field: "data", file: "1".into(), own: "2".into() }]);
    let found = |matching: Match, about: &[PastSubject]| {
        let untrue = |about: &PastSubject| {
            let (what, file, chain) = ("x".into(), "1".into(), "2".into());
            Untrue { about: *about, what, file, chain }
        };
        let past = Past::False(about.iter().map(untrue).collect());
        let case = Case { matching, past, ..Case::new(rehearsal()) };
        let found = case.all(|facts| crate::check::all(falsehoods::values_were_true(facts)));
        ids(&found).iter().any(|id| id.starts_with("values-never-true"))
    };
    assert!(found(moved(), &[PastSubject::Reading]) && found(moved(), &[PastSubject::Block]));
    assert!(found(moved(), &[PastSubject::Safe, PastSubject::Reading]));
    assert!(!found(moved(), &[PastSubject::Safe]) && !found(moved(), &[PastSubject::Code]));
    assert!(!found(Match::Same, &[PastSubject::Reading]), "nothing rests on it");
}

#[test]
fn owners_are_as_pinned_in_any_order_and_with_the_same_threshold() {
    let pinned = |owners: Vec<Address>, threshold| {
        let mut case = Case::new(rehearsal());
        case.council_safe.owners = Some(Owners::new(owners, threshold).unwrap());
        let found = case.all(|facts| run(&safe_pins::CHECKS, facts));
        ids(&found).iter().any(|id| id.starts_with("safe-owners"))
    };
    let second = Address::repeat_byte(2);
    assert!(!pinned(vec![OWNER, second], 1));
    assert!(!pinned(vec![second, OWNER], 1));
    assert!(pinned(vec![OWNER, second], 2), "another threshold");
    assert!(pinned(vec![OWNER, THIEF], 1) && pinned(vec![OWNER], 1));
}

#[test]
fn a_refusal_comes_before_already_done() {
    let case = Case::new(rehearsal());
    let mut found = all(&case);
    found.retain(|finding| finding.level == Level::Pass);
    assert!(first_refusal(&found, &[]).is_none(), "{:?}", ids(&found));
    found[1].level = Level::AlreadyDone;
    assert!(first_refusal(&found, &[]).is_none(), "already done is not a refusal");
    found[2].level = Level::Refuse;
    let id = found[2].id.clone();
    assert_eq!(first_refusal(&found, &[]).map(|f| &f.id), Some(&id));
    assert!(first_refusal(&found, &[id]).is_none());
}
