//! Code that is missing, swapped or not the pinned one.

use super::*;
use crate::check::code::CHECKS;
use crate::fork::{End, Frame, FrameKind};

fn findings(facts: &Facts) -> Vec<Problem> {
    run(&CHECKS, facts)
}

const IMPLEMENTATION: Address = Address::repeat_byte(0x1b);
const FACET: Address = Address::repeat_byte(0x1c);
const OWN: B256 = B256::repeat_byte(1);
const BEHIND: B256 = B256::repeat_byte(2);
const DEEPER: B256 = B256::repeat_byte(3);

fn frame(depth: usize, kind: FrameKind, from: Address, to: Address) -> Frame {
    let (input, output, end) = (Bytes::new(), Bytes::new(), End::Returned);
    Frame { depth, kind, from, to, value: U256::ZERO, input, output, end, gas_used: 0 }
}

/// The Safe calls the vault, which delegates to its implementation, which delegates on.
fn proxied() -> Case {
    let frames = vec![
        frame(0, FrameKind::Call, OWNER, SAFE),
        frame(1, FrameKind::Call, SAFE, VAULT),
        frame(2, FrameKind::DelegateCall, VAULT, IMPLEMENTATION),
        frame(3, FrameKind::DelegateCall, VAULT, FACET),
        frame(3, FrameKind::Call, VAULT, THIEF),
    ];
    let code = [(VAULT, OWN), (IMPLEMENTATION, BEHIND), (FACET, DEEPER)].into();
    let rehearsal = Rehearsal { trace: Trace { frames, cut: false }, code, ..rehearsal() };
    let tx = SafeTx::new(VAULT, U256::ZERO, vec![1, 2, 3, 4].into(), Operation::Call, Nonce::from(3));
    Case { proposal: proposing(tx), ..Case::new(rehearsal) }
}

fn pinned(hashes: &[B256]) -> Case {
    Case { pins: [(VAULT, hashes.to_vec())].into(), ..proxied() }
}

/// By the hash in its sentence: the id has a digest of it.
fn code(case: &Case, hash: B256) -> bool {
    let all = case.all(findings);
    let [one] = &all[..] else { panic!("{all:?}") };
    without_digest(&one.id) == format!("code:{VAULT}") && one.sentence.contains(&hash.to_string())
}

#[test]
fn every_code_that_runs_on_a_contracts_storage_is_counted() {
    let case = proxied();
    assert_eq!(case.rehearsal.runs(VAULT), [(VAULT, OWN), (IMPLEMENTATION, BEHIND), (FACET, DEEPER)].into());
    assert!(case.rehearsal.runs(IMPLEMENTATION).is_empty());
    assert!(case.found(findings).is_empty());
}

#[test]
fn code_that_is_not_pinned_is_refused_wherever_it_runs() {
    assert!(pinned(&[OWN, BEHIND, DEEPER]).found(findings).is_empty());
    assert!(code(&pinned(&[BEHIND, DEEPER]), OWN));
    assert!(code(&pinned(&[OWN, DEEPER]), BEHIND));
    assert!(code(&pinned(&[OWN, BEHIND]), DEEPER), "behind the implementation");
}

#[test]
fn a_pinned_contract_that_is_reached_through_another_is_checked() {
    let mut case = pinned(&[OWN]);
    case.proposal = proposal();
    assert_eq!(case.found(findings).len(), 2, "it is not called by the Safe itself");
}

#[test]
fn a_pin_that_could_not_be_checked_is_refused() {
    let not_seen = refused(&format!("code-not-seen:{VAULT}"));
    let mut case = pinned(&[OWN, BEHIND, DEEPER]);
    case.rehearsal.trace.cut = true;
    assert_eq!(case.found(findings), not_seen, "too large to follow");
    case.rehearsal.trace = Trace::default();
    assert_eq!(case.found(findings), not_seen, "never called");
    case.rehearsal.outcome = RunResult::Reverted;
    assert!(case.found(findings).is_empty(), "it fails before: that is the trouble, and is said");
    case.is_rehearsed = false;
    case.not_rehearsed = Some("no answer");
    assert_eq!(case.found(findings), not_seen, "it could not be rehearsed");
    case.not_rehearsed = None;
    let warned = [(format!("code-not-seen:{VAULT}"), Level::Warn)];
    assert_eq!(case.found(findings), warned, "offline, or nobody wanted it rehearsed");
}

#[test]
fn code_that_did_not_run_when_it_was_proposed_is_drift() {
    let then = |all: &[(Address, B256)]| {
        let recorded = |(at, hash): &(Address, B256)| RecordedCode { called: VAULT, at: *at, hash: *hash };
        Case { code_then: all.iter().map(recorded).collect(), ..proxied() }.found(findings)
    };
    assert!(then(&[(VAULT, OWN), (IMPLEMENTATION, BEHIND), (FACET, DEEPER)]).is_empty());
    assert!(then(&[]).is_empty(), "proposed now");
    let unrecorded = Case { is_from_file: true, ..proxied() }.found(findings);
    assert_eq!(
        unrecorded,
        [("code-not-recorded".to_string(), Level::Warn)],
        "said, and not taken for a check"
    );
    let moved = refused(&format!("code-moved:{VAULT}"));
    assert_eq!(then(&[(VAULT, OWN), (THIEF, BEHIND), (FACET, DEEPER)]), moved, "at another address");
    assert_eq!(then(&[(VAULT, OWN), (IMPLEMENTATION, OWN), (FACET, DEEPER)]), moved);
}

#[test]
fn a_target_without_code_would_succeed_and_do_nothing() {
    let mut empty = proxied();
    empty.rehearsal.code.insert(VAULT, B256::ZERO);
    assert_eq!(empty.found(findings), refused(&format!("no-code:{VAULT}")));
}
