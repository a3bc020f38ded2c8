//! Findings about a rehearsal.

use alloy::primitives::{B256, Bytes, Log, U256, keccak256};
use alloy::sol_types::SolValue;

use super::*;
use crate::check::outflow::{APPROVAL, APPROVAL_FOR_ALL, TRANSFER, TRANSFER_BATCH, TRANSFER_SINGLE};
use crate::check::readable;
use crate::check::rehearsal_checks::CHECKS;
use crate::evm::TokenChange;
use crate::fork::{BalanceChange, Revert};
use crate::playbook::Piece;
use crate::safe::{SENTINEL, module_slot, owner_slot};

fn findings(facts: &Facts) -> Vec<Problem> {
    run(&CHECKS, facts)
}

fn found(rehearsal: &Rehearsal, changes: &[Change], after: &[Verdict]) -> Vec<(String, Level)> {
    let case = Case { plan: Some(plan(changes)), after: after.to_vec(), ..Case::new(rehearsal.clone()) };
    case.found(findings)
}

#[test]
fn a_plain_pause_passes() {
    let mut plain = rehearsal();
    plain.writes.push(write(VAULT, B256::ZERO, 1));
    assert!(found(&plain, &[], &[]).is_empty());
}

#[test]
fn a_failing_rehearsal_is_refused_with_its_innermost_reason() {
    for (outcome, id) in [
        (RunResult::Failed, "execution-failure"),
        (RunResult::Reverted, "rehearsal-fails"),
        (RunResult::Unannounced, "unannounced"),
    ] {
        let reverts = vec![Revert { by: VAULT, data: Bytes::new(), halt: None }];
        let failing = Rehearsal { outcome, reverts, ..rehearsal() };
        assert_eq!(found(&failing, &[], &[]), refused(id));
    }
    // A contract that is not a known Safe is checked more strictly.
    let mut unannounced = Rehearsal { outcome: RunResult::Unannounced, ..rehearsal() };
    unannounced.writes.push(to(SAFE, slot_word(slot::SINGLETON), THIEF));
    assert_eq!(found(&unannounced, &[], &[]), [refused("unannounced"), refused("safe-slots")].concat());
    let text = ("no".to_string(),).abi_encode_params();
    let data = [&keccak256("Error(string)")[..4], &text].concat().into();
    let reverts = vec![Revert { by: VAULT, data, halt: None }];
    let reverted = Rehearsal { outcome: RunResult::Reverted, reverts, ..rehearsal() };
    let sentence = Case::new(reverted).all(findings)[0].sentence.clone();
    assert!(sentence.contains("\"no\"") && sentence.contains(&VAULT.to_string()), "{sentence}");
}

/// A lever that needs more gas than one transaction may have is cut, with the same words on each machine.
#[test]
fn a_lever_that_needs_too_much_gas_is_advised_to_be_cut() {
    let fix = |outcome, gas_used, piece| {
        let mut whole = plan(&[]);
        whole.calls = vec![whole.calls[0].clone(); 8];
        whole.piece = piece;
        let rehearsal = Rehearsal { outcome, gas_used, gas_limit: 100, ..rehearsal() };
        let case = Case { plan: Some(whole), ..Case::new(rehearsal) };
        case.all(|facts| run(&CHECKS[1..3], facts)).into_iter().map(|found| found.fix).collect::<String>()
    };
    let halves = "cut it, the same for everybody: the same command with --set piece=1/2 and --set piece=2/2";
    assert_eq!(fix(RunResult::Succeeded, 90, Some(Piece::WHOLE)), halves);
    let out_of_gas = fix(RunResult::Reverted, 100, Some(Piece::WHOLE));
    assert!(out_of_gas.starts_with(&format!("it may have run out of gas: {halves}")), "{out_of_gas}");
    for other in [
        fix(RunResult::Reverted, 40, Some(Piece::WHOLE)),
        fix(RunResult::Reverted, 100, None),
        fix(RunResult::Succeeded, 90, None),
    ] {
        assert!(!other.contains("piece"), "{other}");
    }
}

#[test]
fn an_after_check_that_is_not_reached_is_refused() {
    let verdict = |holds| Verdict {
        holds,
        sentence: "vault paused() is false".into(),
        expected: "is true".into(),
        found: "is false".into(),
    };
    assert_eq!(found(&rehearsal(), &[], &[verdict(true), verdict(false)]), refused("after:2"));
}

#[test]
fn every_part_of_the_safe_is_refused_unless_it_is_declared() {
    let word = slot_word;
    let thief = owner_slot(THIEF);
    for (writes, change) in [
        (vec![to(SAFE, word(slot::SINGLETON), THIEF)], Change::SafeSingleton),
        (vec![write(SAFE, word(slot::OWNER_COUNT), 3)], Change::SafeOwners),
        (vec![write(SAFE, word(slot::THRESHOLD), 1)], Change::SafeThreshold),
        (vec![to(SAFE, slot::GUARD, THIEF)], Change::SafeGuard),
        (vec![to(SAFE, slot::MODULE_GUARD, THIEF)], Change::SafeModuleGuard),
        (vec![to(SAFE, slot::FALLBACK_HANDLER, THIEF)], Change::SafeFallbackHandler),
        (vec![to(SAFE, owner_slot(SENTINEL), THIEF), to(SAFE, thief, OWNER)], Change::SafeOwners),
        (vec![to(SAFE, owner_slot(OWNER), THIEF)], Change::SafeOwners),
        (
            vec![to(SAFE, module_slot(SENTINEL), THIEF), to(SAFE, module_slot(THIEF), MODULE)],
            Change::SafeModules,
        ),
        (vec![to(SAFE, module_slot(MODULE), SENTINEL)], Change::SafeModules),
    ] {
        let rehearsal = Rehearsal { writes, ..rehearsal() };
        assert_eq!(found(&rehearsal, &[], &[]), refused("safe-slots"), "{change}");
        assert!(found(&rehearsal, &[change], &[]).is_empty(), "{change}");
    }
}

#[test]
fn a_slot_of_the_safe_that_nothing_explains_is_refused_whatever_is_declared() {
    let hidden = Rehearsal { writes: vec![write(SAFE, owner_slot(THIEF), 2)], ..rehearsal() };
    let all = [Change::SafeOwners, Change::SafeModules, Change::SafeSingleton];
    assert_eq!(found(&hidden, &all, &[]), refused("safe-slots"));
}

#[test]
fn each_other_contract_is_refused_unless_it_is_declared() {
    let other = Rehearsal { writes: vec![write(THIEF, B256::ZERO, 1)], ..rehearsal() };
    let named = refused(&format!("undeclared-effects:{THIEF}"));
    assert_eq!(found(&other, &[], &[]), named);
    assert!(found(&other, &[Change::Contract(THIEF)], &[]).is_empty());
    let by_lever = Case { changes: vec![THIEF], ..Case::new(other.clone()) };
    assert!(by_lever.found(findings).is_empty());
    let mut guarded = Case::new(other.clone());
    guarded.council_safe.guard = Some(THIEF);
    assert!(guarded.found(findings).is_empty(), "a pinned guard may keep books");
    let made = Rehearsal { created: vec![THIEF], ..rehearsal() };
    assert_eq!(found(&made, &[], &[]), named);
}

#[test]
fn an_outflow_beyond_the_calls_value_is_refused() {
    let n = |n: u64| U256::from(n);
    let lost = |new| BalanceChange { address: SAFE, old: n(100), new: n(new) };
    assert!(found(&Rehearsal { balances: vec![lost(90)], ..rehearsal() }, &[], &[]).is_empty());
    assert_eq!(found(&Rehearsal { balances: vec![lost(89)], ..rehearsal() }, &[], &[]), refused("outflow"));
    let token = |sent| TokenChange { token: THIEF, holder: SAFE, received: n(5), sent: n(sent) };
    for (sent, is_fine) in [(6, false), (5, true)] {
        let moved = found(&Rehearsal { tokens: vec![token(sent)], ..rehearsal() }, &[], &[]);
        assert_eq!(moved.is_empty(), is_fine);
    }
}

/// A playbook that calls the token `THIEF` with these words.
fn calling(rehearsal: Rehearsal, words: &[Address]) -> Vec<(String, Level)> {
    let mut case = Case::new(rehearsal);
    if let Some(plan) = &mut case.plan {
        let words: Vec<u8> = words.iter().flat_map(|word| word.into_word().0).collect();
        plan.calls[0].call.to = THIEF;
        plan.calls[0].call.data = [&[0; 4][..], &words].concat().into();
    }
    case.found(findings)
}

#[test]
fn tokens_leave_only_to_whom_the_playbook_names() {
    let sent = TokenChange { token: THIEF, holder: SAFE, received: U256::ZERO, sent: U256::from(6) };
    let topics = [TRANSFER, SAFE.into_word(), OWNER.into_word()];
    let moved = || Rehearsal { tokens: vec![sent.clone()], ..event(&topics, &[6; 32]) };
    assert!(calling(moved(), &[OWNER]).is_empty());
    assert_eq!(calling(moved(), &[MODULE]), refused("outflow"));
    // A lever's word that the token changes sends nothing.
    let named = Case { changes: vec![THIEF], ..Case::new(moved()) };
    assert_eq!(named.found(findings), refused("outflow"));
}

fn event(topics: &[B256], data: &[u8]) -> Rehearsal {
    let log = Log::new_unchecked(THIEF, topics.to_vec(), Bytes::copy_from_slice(data));
    Rehearsal { events: vec![log], ..rehearsal() }
}

#[test]
fn collectibles_that_leave_are_refused() {
    let (safe, thief, id) = (SAFE.into_word(), THIEF.into_word(), B256::repeat_byte(1));
    for topics in [
        [TRANSFER, safe, thief, id],
        [TRANSFER_SINGLE, thief, safe, thief],
        [TRANSFER_BATCH, thief, safe, thief],
    ] {
        assert_eq!(found(&event(&topics, &[]), &[], &[]), refused("outflow"));
        let back = [topics[0], thief, thief, safe];
        assert!(found(&event(&back, &[]), &[], &[]).is_empty());
    }
}

#[test]
fn approvals_are_refused_and_revocations_are_not() {
    let (safe, thief) = (SAFE.into_word(), THIEF.into_word());
    let one = B256::with_last_byte(1);
    for topic in [APPROVAL, APPROVAL_FOR_ALL] {
        assert_eq!(found(&event(&[topic, safe, thief], one.as_slice()), &[], &[]), refused("approvals"));
        assert!(found(&event(&[topic, safe, thief], &[0; 32]), &[], &[]).is_empty());
        assert!(found(&event(&[topic, thief, safe], one.as_slice()), &[], &[]).is_empty());
    }
    assert_eq!(found(&event(&[APPROVAL, safe, thief, one], &[]), &[], &[]), refused("approvals"));
    let approved = || event(&[APPROVAL, safe, OWNER.into_word()], one.as_slice());
    assert!(calling(approved(), &[OWNER]).is_empty());
    assert_eq!(calling(approved(), &[MODULE]), refused("approvals"));
    assert_eq!(found(&approved(), &[Change::Contract(THIEF)], &[]), refused("approvals"));
}

#[test]
fn the_topics_are_the_hashes_of_their_events() {
    for (topic, event) in [
        (APPROVAL, "Approval(address,address,uint256)"),
        (APPROVAL_FOR_ALL, "ApprovalForAll(address,address,bool)"),
        (TRANSFER, "Transfer(address,address,uint256)"),
        (TRANSFER_SINGLE, "TransferSingle(address,address,address,uint256,uint256)"),
        (TRANSFER_BATCH, "TransferBatch(address,address,address,uint256[],uint256[])"),
    ] {
        assert_eq!(topic, keccak256(event), "{event}");
    }
}

/// Thousands of slots, of the Safe and of thousands of contracts: of each kind only the first are shown.
#[test]
fn a_transaction_that_writes_thousands_of_slots_is_judged_in_few_sentences() {
    let word = |n: u64| B256::from(U256::from(n) + (U256::ONE << 100));
    let of_safe = (0..3_000).map(|n| write(SAFE, word(n), 2));
    let contract = |n: u64| Address::from_word(word(n));
    let of_others = (0..3_000).map(|n| write(contract(n), word(n), 1));
    let many = Rehearsal { writes: of_safe.chain(of_others).collect(), ..rehearsal() };
    let case = Case::new(many);
    let found = case.all(findings);
    let refusals: Vec<&Finding> = found.iter().filter(|f| f.level == Level::Refuse).collect();
    assert_eq!(refusals.iter().filter(|f| f.kind == "undeclared-effects").count(), 3_000);
    assert!(refusals.iter().all(|f| f.sentence.len() < 1_000), "no sentence is a list of thousands");
    let readable = readable(&found);
    assert!(readable.first.len() < 60, "{}", readable.first.len());
    assert_eq!(readable.more.get("undeclared-effects"), Some(&2_990));
}
