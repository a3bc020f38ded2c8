//! Contracts that change hands.

use alloy::primitives::{Log, keccak256};
use alloy::sol_types::{SolCall, SolValue};

use super::*;
use crate::chain::fork::PROXY_SLOTS;
use crate::check::control::{findings, scheduleBatchCall, scheduleCall};
use crate::safe::deployments::batch_contracts;
use crate::safe::encode_batch;

fn event(by: Address, signature: &str) -> Rehearsal {
    let log = Log::new_unchecked(by, vec![keccak256(signature)], Bytes::new());
    Rehearsal { events: vec![log], ..rehearsal() }
}

fn with_call(rehearsal: Rehearsal, signature: &str, data: Bytes) -> Case {
    let mut case = Case::new(rehearsal);
    if let Some(plan) = &mut case.plan {
        plan.calls[0].signature = signature.into();
        plan.calls[0].call.data = data;
    }
    case
}

#[test]
fn an_owner_swapped_behind_a_harmless_call_is_refused() {
    for signature in
        ["OwnershipTransferred(address,address)", "RoleGranted(bytes32,address,address)", "Upgraded(address)"]
    {
        assert_eq!(Case::new(event(VAULT, signature)).found(findings), refused("control"), "{signature}");
    }
    assert!(Case::new(event(VAULT, "Paused(address)")).found(findings).is_empty());
}

#[test]
fn a_proxys_slots_say_it_even_without_an_event() {
    for (slot, _) in PROXY_SLOTS {
        let upgraded = Rehearsal { writes: vec![write(VAULT, slot, 1)], ..rehearsal() };
        assert_eq!(Case::new(upgraded).found(findings), refused("control"));
    }
}

#[test]
fn a_playbook_that_says_so_may() {
    let transferred = || event(VAULT, "OwnershipTransferred(address,address)");
    let word = |address: Address| -> Bytes { [&[0; 4][..], address.into_word().as_slice()].concat().into() };
    assert!(with_call(transferred(), "transferOwnership(address)", Bytes::new()).found(findings).is_empty());
    assert_eq!(with_call(transferred(), "pause(address)", word(VAULT)).found(findings), refused("control"));
    // An administrator's call names the proxy that it upgrades.
    let upgraded = || event(THIEF, "Upgraded(address)");
    assert!(with_call(upgraded(), "upgrade(address,address)", word(THIEF)).found(findings).is_empty());
    assert_eq!(
        with_call(upgraded(), "upgrade(address,address)", word(OWNER)).found(findings),
        refused("control")
    );
    let declared = Case { plan: Some(plan(&[Change::Contract(VAULT)])), ..Case::new(transferred()) };
    assert!(declared.found(findings).is_empty());
    assert_eq!(Case { plan: None, ..Case::new(transferred()) }.found(findings), refused("control"));
}

fn queueing(operations: &[Bytes]) -> Case {
    let call = |data: &Bytes| Call { to: VAULT, value: U256::ZERO, data: data.clone() };
    let calls: Vec<Call> = operations.iter().map(call).collect();
    let to = batch_contracts(SafeVersion::V1_4_1).next().unwrap().address;
    let tx = SafeTx::new(to, U256::ZERO, encode_batch(&calls), Operation::DelegateCall, Nonce::from(3));
    let mut case = Case::new(rehearsal());
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

fn schedule(predecessor: B256) -> Bytes {
    let (target, data, salt) = (THIEF, Bytes::from(vec![1]), B256::ZERO);
    scheduleCall { target, value: U256::ZERO, data, predecessor, salt, delay: U256::ONE }.abi_encode().into()
}

#[test]
fn queued_operations_that_anyone_could_reorder_are_refused() {
    assert_eq!(
        queueing(&[schedule(B256::ZERO), schedule(B256::ZERO)]).found(findings),
        refused("timelock-order")
    );
    // Source: OpenZeppelin TimelockController.hashOperation.
    let parts = (THIEF, U256::ZERO, Bytes::from(vec![1]), B256::ZERO, B256::ZERO);
    let first = keccak256(parts.abi_encode_params());
    assert!(queueing(&[schedule(B256::ZERO), schedule(first)]).found(findings).is_empty());
    assert!(queueing(&[schedule(B256::ZERO)]).found(findings).is_empty());
    let batch = scheduleBatchCall {
        targets: vec![THIEF, VAULT],
        values: vec![U256::ZERO; 2],
        payloads: vec![Bytes::new(); 2],
        predecessor: B256::ZERO,
        salt: B256::ZERO,
        delay: U256::ONE,
    };
    assert!(queueing(&[batch.abi_encode().into()]).found(findings).is_empty());
}
