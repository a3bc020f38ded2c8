//! Contracts that change hands.

use alloy::primitives::{Log, keccak256};
use alloy::sol_types::{SolCall, SolValue};

use super::*;
use crate::check::control::CHECKS;
use crate::fork::PROXY_SLOTS;
use crate::safe::deployments::batch_contracts;
use crate::safe::encode_batch;

alloy::sol! {
    function schedule(
        address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay
    ) external;
    function scheduleBatch(
        address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt, uint256 delay
    ) external;
}

fn findings(facts: &Facts) -> Vec<Problem> {
    run(&CHECKS, facts)
}

/// An event of the vault, with its words as topics.
fn event(by: Address, signature: &str, words: &[B256]) -> Rehearsal {
    let topics = [&[keccak256(signature)], words].concat();
    let log = Log::new_unchecked(by, topics, Bytes::new());
    Rehearsal { events: vec![log], ..rehearsal() }
}

fn transferred(to: Address) -> Rehearsal {
    event(VAULT, "OwnershipTransferred(address,address)", &[OWNER.into_word(), to.into_word()])
}

fn granted(role: B256, to: Address) -> Rehearsal {
    event(VAULT, "RoleGranted(bytes32,address,address)", &[role, to.into_word(), SAFE.into_word()])
}

/// The reader's own playbook makes this one call to the vault.
fn saying(rehearsal: Rehearsal, signature: &str, words: &[B256]) -> Case {
    let mut case = Case::new(rehearsal);
    let words: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
    if let Some(plan) = &mut case.plan {
        plan.calls[0].signature = signature.into();
        plan.calls[0].call.data = [&[0; 4][..], &words].concat().into();
    }
    case
}

fn control(contract: Address) -> Vec<(String, Level)> {
    refused(&format!("control:{contract}"))
}

#[test]
fn an_owner_swapped_behind_a_harmless_call_is_refused() {
    assert_eq!(Case::new(transferred(THIEF)).found(findings), control(VAULT));
    assert_eq!(Case::new(transferred(SAFE)).found(findings), control(VAULT), "not even to the Safe unsaid");
    for signature in ["Upgraded(address)", "LogSetOwner(address)", "EnabledModule(address)"] {
        assert_eq!(Case::new(event(VAULT, signature, &[THIEF.into_word()])).found(findings), control(VAULT));
    }
    let cut = event(VAULT, "DiamondCut((address,uint8,bytes4[])[],address,bytes)", &[]);
    assert_eq!(Case::new(cut.clone()).found(findings), control(VAULT));
    assert_eq!(saying(cut.clone(), "execute(bytes)", &[]).found(findings), control(VAULT));
    assert!(saying(cut, "diamondCut(bytes)", &[]).found(findings).is_empty());
    assert!(Case::new(event(VAULT, "Paused(address)", &[])).found(findings).is_empty());
    assert_eq!(Case { plan: None, ..Case::new(transferred(THIEF)) }.found(findings), control(VAULT));
}

#[test]
fn a_proxys_slots_show_a_new_owner_even_without_an_event() {
    let old = ["org.zeppelinos.proxy.implementation", "org.zeppelinos.proxy.admin"].map(keccak256);
    for slot in PROXY_SLOTS.map(|proxy| proxy.slot).into_iter().chain(old) {
        let upgraded = Rehearsal { writes: vec![write(VAULT, slot, 1)], ..rehearsal() };
        assert_eq!(Case::new(upgraded).found(findings), control(VAULT));
    }
}

/// Sources: the constants in OpenZeppelin's `AdminUpgradeabilityProxy`, as USDC's proxy has them.
#[test]
fn old_slots_are_the_hashes_of_their_names() {
    let implementation = keccak256("org.zeppelinos.proxy.implementation").to_string();
    assert_eq!(implementation, "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3");
    let admin = keccak256("org.zeppelinos.proxy.admin").to_string();
    assert_eq!(admin, "0x10d6a54a4754c8869d6886b5f5d7fbfa5b4522237ea5c60d11bc4e7a1ff9390b");
}

#[test]
fn a_playbook_may_give_control_to_an_account_that_it_names() {
    let word = Address::into_word;
    assert!(
        saying(transferred(THIEF), "transferOwnership(address)", &[word(&THIEF)]).found(findings).is_empty()
    );
    assert_eq!(
        saying(transferred(THIEF), "transferOwnership(address)", &[word(&OWNER)]).found(findings),
        control(VAULT)
    );
    assert!(saying(transferred(SAFE), "acceptOwnership()", &[]).found(findings).is_empty());
    assert_eq!(saying(transferred(THIEF), "acceptOwnership()", &[]).found(findings), control(VAULT));
    assert!(saying(transferred(Address::ZERO), "renounceOwnership()", &[]).found(findings).is_empty());
    // An administrator's call names the proxy that it upgrades.
    let upgraded = |to: Address| event(THIEF, "Upgraded(address)", &[to.into_word()]);
    let upgrade = "upgrade(address,address)";
    assert!(saying(upgraded(OWNER), upgrade, &[word(&THIEF), word(&OWNER)]).found(findings).is_empty());
    assert_eq!(saying(upgraded(SAFE), "pause(address)", &[word(&THIEF)]).found(findings), control(THIEF));
}

#[test]
fn naming_one_role_or_account_does_not_allow_another() {
    let pauser = B256::repeat_byte(0x9a);
    let bob = OWNER.into_word();
    let grant = |rehearsal| saying(rehearsal, "grantRole(bytes32,address)", &[pauser, bob]).found(findings);
    assert!(grant(granted(pauser, OWNER)).is_empty());
    assert_eq!(grant(granted(B256::ZERO, OWNER)), control(VAULT), "the administrator's role");
    assert_eq!(grant(granted(pauser, THIEF)), control(VAULT));
    assert_eq!(grant(event(VAULT, "Upgraded(address)", &[THIEF.into_word()])), control(VAULT));
    let accept = |rehearsal| saying(rehearsal, "acceptDefaultAdminTransfer()", &[]).found(findings);
    assert!(accept(granted(B256::ZERO, SAFE)).is_empty());
    assert_eq!(accept(granted(B256::ZERO, THIEF)), control(VAULT));
    let add = |rehearsal| saying(rehearsal, "addAdmin(address)", &[bob]).found(findings);
    assert!(add(granted(pauser, OWNER)).is_empty());
    assert_eq!(add(granted(B256::ZERO, OWNER)), control(VAULT), "the administrator's role");
    let revoked =
        |who: Address| event(VAULT, "RoleRevoked(bytes32,address,address)", &[B256::ZERO, who.into_word()]);
    assert!(accept(revoked(THIEF)).is_empty(), "whoever held it before");
    assert_eq!(grant(revoked(THIEF)), control(VAULT));
}

/// A call that a timelock will carry out is reported inside the call to the timelock.
#[test]
fn a_call_inside_another_names_the_change_too() {
    let inner = [&[1, 2, 3, 4][..], OWNER.into_word().as_slice()].concat();
    let carried = (VAULT, U256::ZERO, Bytes::from(inner)).abi_encode_params();
    let words: Vec<B256> = carried.chunks(32).map(B256::right_padding_from).collect();
    let execute = |rehearsal| saying(rehearsal, "execute(address,uint256,bytes)", &words).found(findings);
    assert!(execute(transferred(OWNER)).is_empty());
    assert_eq!(execute(transferred(THIEF)), control(VAULT));
}

pub(super) fn queueing(operations: &[Bytes]) -> Case {
    let call = |data: &Bytes| Call { to: VAULT, value: U256::ZERO, data: data.clone() };
    let calls: Vec<Call> = operations.iter().map(call).collect();
    let to = batch_contracts(SafeVersion::V1_4_1).next().unwrap().address;
    let tx = SafeTx::new(to, U256::ZERO, encode_batch(&calls), Operation::DelegateCall, Nonce::from(3));
    Case { proposal: proposing(tx), ..Case::new(rehearsal()) }
}

pub(super) fn schedule_after(predecessor: B256) -> Bytes {
    let (target, data, salt) = (THIEF, Bytes::from(vec![1]), B256::ZERO);
    scheduleCall { target, value: U256::ZERO, data, predecessor, salt, delay: U256::ONE }.abi_encode().into()
}

#[test]
fn queued_operations_that_anyone_could_reorder_are_refused() {
    assert_eq!(
        queueing(&[schedule_after(B256::ZERO), schedule_after(B256::ZERO)]).found(findings),
        refused(&format!("timelock-order:{VAULT}"))
    );
    // Source: OpenZeppelin TimelockController.hashOperation.
    let parts = (THIEF, U256::ZERO, Bytes::from(vec![1]), B256::ZERO, B256::ZERO);
    let first = keccak256(parts.abi_encode_params());
    assert!(queueing(&[schedule_after(B256::ZERO), schedule_after(first)]).found(findings).is_empty());
    assert!(queueing(&[schedule_after(B256::ZERO)]).found(findings).is_empty());
    let batch = scheduleBatchCall {
        targets: vec![THIEF, VAULT],
        values: vec![U256::ZERO; 2],
        payloads: vec![Bytes::new(); 2],
        predecessor: B256::ZERO,
        salt: B256::ZERO,
        delay: U256::ONE,
    };
    // Source: OpenZeppelin TimelockController.hashOperationBatch.
    let parts = (batch.targets.clone(), batch.values.clone(), batch.payloads.clone(), B256::ZERO, B256::ZERO);
    let first = keccak256(parts.abi_encode_params());
    let data: Bytes = batch.abi_encode().into();
    assert!(queueing(std::slice::from_ref(&data)).found(findings).is_empty());
    assert!(queueing(&[data.clone(), schedule_after(first)]).found(findings).is_empty());
    assert!(!queueing(&[data, schedule_after(B256::ZERO)]).found(findings).is_empty());
}
