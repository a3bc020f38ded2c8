//! Without a chain: small programs in the Safe's place, and whatever else could go wrong.

use std::collections::BTreeMap;

use alloy::consensus::Header;
use alloy::primitives::{Address, B256, Bytes, U256, hex};
use proptest::prelude::*;

use crate::evm::{Answer, BlockHash, Keys, Query};
use crate::fork::{
    Account, Attempt, End, ExecTransaction, Rehearsal, RehearsalError, RunResult, World, rehearse,
};
use crate::safe::{Domain, Nonce, Operation, Owners, SafeId, SafeTx, SafeVersion, approved_hash_slot};

const SAFE: Address = Address::repeat_byte(0x5a);
const SENDER: Address = Address::repeat_byte(0x11);
const OTHER: Address = Address::repeat_byte(0x22);

fn world(code: &[u8], accounts: &[(Address, &[u8])], slots: &[(Address, u8, u8)]) -> World {
    let header =
        Header { gas_limit: 30_000_000, number: 7, requests_hash: Some(B256::ZERO), ..Header::default() };
    let mut world = World::new(1, header, BlockHash::claimed(B256::repeat_byte(1)));
    let account =
        |code: &[u8]| Account { balance: U256::from(100), nonce: 1, code: Bytes::copy_from_slice(code) };
    world.state.accounts = BTreeMap::from([(SENDER, account(&[])), (SAFE, account(code))]);
    world.state.accounts.extend(accounts.iter().map(|(a, code)| (*a, account(code))));
    let slot = |(a, slot, word): &(Address, u8, u8)| {
        ((*a, B256::with_last_byte(*slot)), B256::with_last_byte(*word))
    };
    world.state.slots = slots.iter().map(slot).collect();
    world
}

fn attempt(world: &World, queries: &[Query]) -> Result<Attempt, RehearsalError> {
    let safe = SafeId { chain_id: 1, address: SAFE, version: SafeVersion::V1_4_1 };
    let owners = Owners::new(vec![OTHER], 1).unwrap();
    let tx = SafeTx::new(OTHER, U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(3));
    let exec = ExecTransaction {
        domain: Domain::real(safe),
        owners: &owners,
        tx: &tx,
        signatures: None,
        sender: SENDER,
        gas: None,
    };
    rehearse(world, &exec, queries)
}

fn complete(world: &World, queries: &[Query]) -> Rehearsal {
    match attempt(world, queries).unwrap() {
        Attempt::Complete(rehearsal) => *rehearsal,
        Attempt::Missing(keys) => panic!("missing {keys:?}"),
    }
}

fn missing(world: &World, queries: &[Query]) -> Keys {
    match attempt(world, queries).unwrap() {
        Attempt::Missing(keys) => keys,
        Attempt::Complete(rehearsal) => panic!("complete {rehearsal:?}"),
    }
}

#[test]
fn no_result_is_shown_while_a_key_is_missing() {
    // SLOAD(9), BALANCE(OTHER), BLOCKHASH(6)
    let code = [&hex!("60095450") as &[u8], &[0x73], OTHER.as_slice(), &hex!("3150600640500000")].concat();
    let mut world = world(&code, &[], &[]);
    let keys = missing(&world, &[]);
    assert_eq!(keys.accounts.into_iter().collect::<Vec<_>>(), [OTHER]);
    assert_eq!(keys.slots.into_iter().collect::<Vec<_>>(), [(SAFE, B256::with_last_byte(9))]);
    assert_eq!(keys.block_hashes.into_iter().collect::<Vec<_>>(), [6]);
    world.state.accounts.insert(OTHER, Account::default());
    world.state.slots.insert((SAFE, B256::with_last_byte(9)), B256::ZERO);
    world.state.block_hashes.insert(6, BlockHash::claimed(B256::ZERO));
    assert_eq!(complete(&world, &[]).outcome, RunResult::Unannounced, "this is no Safe");
}

#[test]
fn a_query_that_misses_a_key_holds_the_result_back_too() {
    let world = world(&[], &[], &[]);
    let slot = Query::Storage { address: OTHER, slot: B256::ZERO };
    assert_eq!(missing(&world, &[slot]).slots.len(), 1);
    let code = Query::CodeHash { address: OTHER };
    assert_eq!(missing(&world, &[code]).accounts.len(), 1);
    let call = Query::Call { from: None, to: SAFE, data: Bytes::new() };
    assert_eq!(missing(&world, &[call]).accounts.into_iter().collect::<Vec<_>>(), [Address::ZERO]);
}

#[test]
fn a_revert_leaves_nothing_behind() {
    // SSTORE(0, 2), LOG0, REVERT
    let world = world(&hex!("6002600055600080a060006000fd"), &[], &[(SAFE, 0, 1)]);
    let slot = Query::Storage { address: SAFE, slot: B256::ZERO };
    let rehearsal = complete(&world, std::slice::from_ref(&slot));
    assert_eq!(rehearsal.outcome, RunResult::Reverted);
    assert!(rehearsal.writes.is_empty() && rehearsal.events.is_empty());
    assert_eq!(rehearsal.answers.get(&slot), Some(&Answer::Value(B256::with_last_byte(1).into())));
}

#[test]
fn queries_are_asked_after_the_transaction() {
    // With calldata SSTORE(0, 2); without, return SLOAD(0)
    let code = hex!("36600f5760005460005260206000f35b600260005500");
    let world = world(&code, &[(Address::ZERO, &[])], &[(SAFE, 0, 1)]);
    let call = Query::Call { from: None, to: SAFE, data: Bytes::new() };
    let rehearsal = complete(&world, std::slice::from_ref(&call));
    assert_eq!(rehearsal.writes.len(), 1);
    assert_eq!(rehearsal.answers.get(&call), Some(&Answer::Value(B256::with_last_byte(2).into())));
}

#[test]
fn an_assumed_approval_is_no_write_even_when_it_is_consumed() {
    let safe = SafeId { chain_id: 1, address: SAFE, version: SafeVersion::V1_4_1 };
    let tx = SafeTx::new(OTHER, U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(3));
    let slot = approved_hash_slot(OTHER, &safe.hashes(&tx).safe_tx);
    // SSTORE(slot, 0), as Safes below 1.3.0 do
    let code = [&hex!("60007f") as &[u8], slot.as_slice(), &hex!("5500")].concat();
    let rehearsal = complete(&world(&code, &[], &[]), &[]);
    assert!(rehearsal.writes.is_empty());
    assert!(rehearsal.read.slots.is_empty());
}

#[test]
fn a_flood_of_calls_does_not_fill_the_memory() {
    // for (;;) staticcall(gas, 0x1234, 0, 0x0fffff, 0, 0)
    let code = hex!("5b5f5f620fffff5f6112345afa505f56");
    let callee = Address::from_word(B256::from(U256::from(0x1234)));
    let mut world = world(&code, &[(callee, &[])], &[]);
    world.header.gas_limit = 5_000_000;
    let rehearsal = complete(&world, &[]);
    assert_eq!(rehearsal.outcome, RunResult::Reverted);
    assert!(matches!(&rehearsal.reverts[0].halt, Some(halt) if halt == "OutOfGas"));
    assert!(rehearsal.trace.cut && rehearsal.trace.frames.len() <= 10_000);
    let kept: usize = rehearsal.trace.frames.iter().map(|f| f.input.len() + f.output.len()).sum();
    assert!(kept <= 4 << 20, "{kept}");
}

#[test]
fn delegations_that_are_malformed_are_code_that_halts() {
    let world = world(&hex!("ef010000"), &[], &[]);
    assert!(matches!(complete(&world, &[]).trace.frames[0].end, End::Halted(_)));
}

#[test]
fn the_state_of_another_chain_is_refused() {
    let mut world = world(&[], &[], &[]);
    world.chain_id = 5;
    assert_eq!(attempt(&world, &[]), Err(RehearsalError::WrongChain { safe: 1, world: 5 }));
}

#[test]
fn hints_survive_their_wire_form_and_refuse_strangers() {
    let keys = Keys {
        accounts: [OTHER].into(),
        slots: [(SAFE, B256::repeat_byte(4))].into(),
        block_hashes: [7].into(),
    };
    let text = serde_json::to_string(&keys).unwrap();
    assert_eq!(serde_json::from_str::<Keys>(&text).unwrap(), keys);
    assert!(serde_json::from_str::<Keys>("{\"sluts\":[]}").is_err());
}

proptest! {
    /// Whatever code stands where the Safe should be.
    #[test]
    fn no_code_panics(code in proptest::collection::vec(any::<u8>(), 0..120), limit in any::<u64>(), number in any::<u64>()) {
        let mut world = world(&code, &[(OTHER, &code)], &[]);
        world.header.gas_limit = limit % 200_000;
        world.header.number = number;
        let call = Query::Call { from: Some(OTHER), to: OTHER, data: code.clone().into() };
        let _ = attempt(&world, &[call]);
    }
}
