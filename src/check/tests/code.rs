//! Code that is missing, swapped or not the pinned one.

use super::*;
use crate::chain::fork::{End, Frame, FrameKind};
use crate::check::code::findings;

const IMPLEMENTATION: Address = Address::repeat_byte(0x1b);
const OWN: B256 = B256::repeat_byte(1);
const BEHIND: B256 = B256::repeat_byte(2);

fn frame(depth: usize, kind: FrameKind, from: Address, to: Address) -> Frame {
    let (input, output, end) = (Bytes::new(), Bytes::new(), End::Returned);
    Frame { depth, kind, from, to, value: U256::ZERO, input, output, end, gas_used: 0 }
}

/// The Safe calls the vault, which delegates to its implementation.
fn proxied() -> Case {
    let frames = vec![
        frame(0, FrameKind::Call, OWNER, SAFE),
        frame(1, FrameKind::Call, SAFE, VAULT),
        frame(2, FrameKind::DelegateCall, VAULT, IMPLEMENTATION),
        frame(3, FrameKind::DelegateCall, VAULT, THIEF),
    ];
    let code = [(VAULT, OWN), (IMPLEMENTATION, BEHIND)].into();
    let mut case = Case::new(Rehearsal { trace: Trace { frames, cut: false }, code, ..rehearsal() });
    let tx = SafeTx::new(VAULT, U256::ZERO, vec![1, 2, 3, 4].into(), Operation::Call, Nonce::from(3));
    let snapshot = case.proposal.snapshot().clone();
    case.proposal = Proposal::new(
        tx,
        snapshot,
        case.proposal.block(),
        case.proposal.binding().clone(),
        Readings::default(),
    );
    case
}

#[test]
fn a_proxys_code_is_its_implementations() {
    let case = proxied();
    assert_eq!(case.rehearsal.runs(VAULT), Some((IMPLEMENTATION, BEHIND)));
    assert_eq!(case.rehearsal.runs(IMPLEMENTATION), None);
    assert!(case.found(findings).is_empty());
}

#[test]
fn another_code_than_the_pinned_is_refused() {
    let pinned = |hash| Case { pins: [(VAULT, hash)].into(), ..proxied() };
    assert!(pinned(BEHIND).found(findings).is_empty());
    assert_eq!(pinned(OWN).found(findings), refused(&format!("code:{VAULT}")));
    let mut uncalled = pinned(BEHIND);
    uncalled.rehearsal.trace = Trace::default();
    assert_eq!(uncalled.found(findings), refused(&format!("code:{VAULT}")));
}

#[test]
fn code_that_changed_since_the_proposal_is_drift() {
    let then = |at, hash| Case { code_then: vec![RecordedCode { called: VAULT, at, hash }], ..proxied() };
    assert!(then(IMPLEMENTATION, BEHIND).found(findings).is_empty());
    for moved in [then(THIEF, BEHIND), then(IMPLEMENTATION, OWN), then(VAULT, OWN)] {
        assert_eq!(moved.found(findings), refused(&format!("code-moved:{VAULT}")));
    }
}

#[test]
fn a_target_without_code_would_succeed_and_do_nothing() {
    let mut empty = proxied();
    empty.rehearsal.code.insert(VAULT, B256::ZERO);
    assert_eq!(empty.found(findings), refused(&format!("no-code:{VAULT}")));
}
