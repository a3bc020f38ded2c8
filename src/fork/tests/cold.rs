//! The number of rounds of a rehearsal: with nothing known, with an earlier one's hints, and with endpoints that refuse.

use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::rpc::types::{AccessList, AccessListResult};
use alloy::sol_types::{SolCall, SolValue};
use serde_json::json;

use super::acts::{ITarget, batch};
use super::stage::{GAS, SENDER, Source, Stage, compiled};
use crate::evm::{Keys, Query};
use crate::fork::{
    Attempt, ExecTransaction, ForkError, Rehearsal, RunResult, SlotNames, SlotTable, StateSource, World,
    WorldState, access_list_calls, access_list_keys, first_keys, settle,
};
use crate::safe::tests::artifacts::artifact;
use crate::safe::{Call, Domain, SafeTx, SafeVersion};

/// The endpoint's answer to `eth_createAccessList`.
#[derive(Clone, Copy, PartialEq)]
enum AccessLists {
    Answered,
    Denied,
}

fn access_list(stage: &Stage, tx: &SafeTx) -> Keys {
    let mut keys = Keys::default();
    for call in access_list_calls(&stage.id, tx) {
        let call = json!({"from": SENDER, "to": call.to, "data": call.data, "gas": U256::from(GAS)});
        let answer = stage.anvil.rpc("eth_createAccessList", &json!([call, "latest"]));
        let list: AccessListResult = serde_json::from_value(answer).unwrap();
        keys.extend(access_list_keys(&list.access_list));
    }
    keys
}

/// A command's way: one round with the first keys while the access list is asked for, then whatever is missing.
fn rehearse(
    stage: &Stage,
    tx: &SafeTx,
    queries: &[Query],
    lists: AccessLists,
    hints: &Keys,
) -> (Rehearsal, usize, World) {
    let mut world = stage.anvil.world();
    let source = Source::at(&stage.anvil, &world);
    let first = first_keys(&stage.id, tx, SENDER, &[], queries, hints);
    world.state = source.fetch(&first).unwrap();
    let wanted = if lists == AccessLists::Answered { access_list(stage, tx) } else { Keys::default() };
    let exec = ExecTransaction {
        domain: Domain::real(stage.id),
        owners: &stage.owners,
        tx,
        signatures: None,
        sender: SENDER,
        gas: None,
    };
    let rehearsal = settle(&source, &mut world, &exec, queries, wanted).unwrap();
    assert_eq!(rehearsal.outcome, RunResult::Succeeded, "{:?}", rehearsal.reverts);
    let rounds = source.rounds.borrow().len();
    (rehearsal, rounds, world)
}

fn paused(target: Address) -> Query {
    Query::Call { from: None, to: target, data: ITarget::pausedCall {}.abi_encode().into() }
}

fn proxy(stage: &Stage) -> Address {
    let code = artifact("@openzeppelin/contracts/build/contracts/ERC1967Proxy.json").creation;
    let set = ITarget::setCall { to: U256::from(1) }.abi_encode();
    stage.anvil.deploy(&code, &(stage.target, Bytes::from(set)).abi_encode_params())
}

fn pause(to: Address) -> Call {
    Call { to, value: U256::ZERO, data: ITarget::pauseCall {}.abi_encode().into() }
}

/// Returns the rounds of one transaction: cold, cold without access lists, and with hints.
fn rounds(stage: &Stage, tx: &SafeTx, queries: &[Query]) -> (usize, usize, usize) {
    let nothing = Keys::default();
    let (cold, with_list, _) = rehearse(stage, tx, queries, AccessLists::Answered, &nothing);
    let (denied, without, _) = rehearse(stage, tx, queries, AccessLists::Denied, &nothing);
    let text = serde_json::to_string(&cold.read).unwrap();
    let hints = serde_json::from_str(&text).unwrap();
    let (warm, hinted, _) = rehearse(stage, tx, queries, AccessLists::Denied, &hints);
    assert_eq!((&cold, &cold), (&denied, &warm));
    (with_list, without, hinted)
}

#[test]
fn two_rounds_cold_and_one_warm_on_every_version() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let stage = Stage::new(version);
        let tx = stage.tx(stage.target, 0, &ITarget::pauseCall {}.abi_encode());
        assert_eq!(rounds(&stage, &tx, &[paused(stage.target)]), (2, 2, 1), "{version}");
    }
}

#[test]
fn a_proxy_and_a_batch_of_fifty_contracts() {
    let stage = Stage::new(SafeVersion::V1_4_1);
    let proxy = proxy(&stage);
    let tx = stage.tx(proxy, 0, &ITarget::pauseCall {}.abi_encode());
    assert_eq!(rounds(&stage, &tx, &[paused(proxy)]), (2, 3, 1));

    let code = compiled("Target");
    let calls: Vec<_> = (0..50).map(|_| pause(stage.anvil.deploy(&code, &[]))).collect();
    let queries: Vec<_> = calls.iter().map(|c| paused(c.to)).collect();
    assert_eq!(rounds(&stage, &batch(&stage, &calls), &queries), (2, 2, 1));
}

/// The guard is not in the access list: it runs only in the real transaction.
#[test]
fn a_guard_costs_one_more_round_when_cold() {
    let stage = Stage::new(SafeVersion::V1_4_1).with_debug_guard();
    let tx = stage.tx(stage.target, 0, &ITarget::pauseCall {}.abi_encode());
    assert_eq!(rounds(&stage, &tx, &[]), (3, 3, 1));
}

#[test]
fn hints_that_lie_cost_nothing_but_their_fetching() {
    let stage = Stage::new(SafeVersion::V1_4_1);
    let tx = stage.tx(stage.target, 0, &ITarget::pauseCall {}.abi_encode());
    let (honest, _, _) = rehearse(&stage, &tx, &[], AccessLists::Denied, &Keys::default());
    let mut lies = Keys::default();
    lies.accounts.insert(Address::repeat_byte(0x66));
    lies.slots.insert((stage.target, B256::repeat_byte(7)));
    let (misled, _, _) = rehearse(&stage, &tx, &[], AccessLists::Denied, &lies);
    assert_eq!(honest, misled);
    let flood = (0..10_000u64).map(|n| (stage.target, B256::from(U256::from(n))));
    let flood = Keys { slots: flood.collect(), ..Keys::default() };
    let keys = first_keys(&stage.id, &tx, SENDER, &[], &[], &flood);
    assert!(keys.len() < 100, "{}", keys.len());
}

#[test]
fn every_write_of_a_pause_and_an_owner_change_has_a_name() {
    alloy::sol! { function addOwnerWithThreshold(address owner, uint256 threshold); }
    let stage = Stage::new(SafeVersion::V1_4_1);
    let new = address!("00000000000000000000000000000000000bad00");
    let add = addOwnerWithThresholdCall { owner: new, threshold: U256::from(3) }.abi_encode();
    let tx = stage.tx(stage.id.address, 0, &add);
    let (rehearsal, _, _) = rehearse(&stage, &tx, &[], AccessLists::Denied, &Keys::default());
    let owners = [stage.owners.list(), &[new]].concat();
    let names = SlotNames {
        safe: stage.id.address,
        owners: &owners,
        modules: &[],
        hash: None,
        read_by_checks: &[],
        roles: &[],
    };
    let table = SlotTable::new(&names);
    let mut said: Vec<_> = rehearsal.writes.iter().map(|w| table.name(w.address, w.slot).unwrap()).collect();
    said.sort_unstable();
    assert_eq!(said, ["first owner", "nonce", "number of owners", &format!("owner {new}"), "threshold"]);
}

/// An endpoint that leaves out what it was asked for.
struct Forgetful<'a>(Source<'a>);

impl StateSource for Forgetful<'_> {
    type Error = super::stage::BadAnswer;

    fn fetch(&self, keys: &Keys) -> Result<WorldState, Self::Error> {
        let mut state = self.0.fetch(keys)?;
        state.slots.pop_first();
        Ok(state)
    }
}

#[test]
fn an_answer_that_an_endpoint_leaves_out_is_named() {
    let stage = Stage::new(SafeVersion::V1_4_1);
    let tx = stage.tx(stage.target, 0, &ITarget::pauseCall {}.abi_encode());
    let mut world = stage.anvil.world();
    let source = Forgetful(Source::at(&stage.anvil, &world));
    let exec = ExecTransaction {
        domain: Domain::real(stage.id),
        owners: &stage.owners,
        tx: &tx,
        signatures: None,
        sender: SENDER,
        gas: None,
    };
    let error = settle(&source, &mut world, &exec, &[], Keys::default()).unwrap_err();
    assert!(matches!(error, ForkError::LeftOut { .. }));
    assert!(error.to_string().contains(&stage.id.address.to_string()), "{error}");
}

/// An endpoint for which what a stranger hinted at is too much.
struct Burdened<'a>(Source<'a>, Address);

impl StateSource for Burdened<'_> {
    type Error = super::stage::BadAnswer;

    fn fetch(&self, keys: &Keys) -> Result<WorldState, Self::Error> {
        if keys.accounts.contains(&self.1) {
            Err(super::stage::BadAnswer(json!("too much")))
        } else {
            self.0.fetch(keys)
        }
    }
}

#[test]
fn hints_that_are_too_much_are_left_and_the_rehearsal_is_not() {
    let stage = Stage::new(SafeVersion::V1_4_1);
    let tx = stage.tx(stage.target, 0, &ITarget::pauseCall {}.abi_encode());
    let mut world = stage.anvil.world();
    let burden = Address::repeat_byte(0x66);
    let source = Burdened(Source::at(&stage.anvil, &world), burden);
    let exec = ExecTransaction {
        domain: Domain::real(stage.id),
        owners: &stage.owners,
        tx: &tx,
        signatures: None,
        sender: SENDER,
        gas: None,
    };
    let hints = Keys { accounts: [burden].into(), ..Keys::default() };
    let rehearsal = settle(&source, &mut world, &exec, &[], hints).unwrap();
    assert_eq!(rehearsal.outcome, RunResult::Succeeded);
}

#[test]
fn an_access_list_becomes_keys() {
    let list: AccessList = serde_json::from_value(json!([
        {"address": "0x3d4BA2E0884aa488718476ca2FB8Efc291A46199", "storageKeys": []},
        {"address": "0x0101010101010101010101010101010101010101", "storageKeys": [B256::repeat_byte(2)]},
    ]))
    .unwrap();
    let keys = access_list_keys(&list);
    let place = Address::repeat_byte(1);
    assert_eq!(keys.accounts.into_iter().collect::<Vec<_>>(), [place]);
    assert_eq!(keys.slots.into_iter().collect::<Vec<_>>(), [(place, B256::repeat_byte(2))]);
}

/// Take any one key away from a complete state, and the rehearsal says so.
#[test]
fn every_key_that_was_read_is_needed() {
    let stage = Stage::new(SafeVersion::V1_4_1);
    let tx = stage.tx(stage.target, 0, &ITarget::pauseCall {}.abi_encode());
    let (rehearsal, _, world) =
        rehearse(&stage, &tx, &[paused(stage.target)], AccessLists::Denied, &Keys::default());
    let exec = ExecTransaction {
        domain: Domain::real(stage.id),
        owners: &stage.owners,
        tx: &tx,
        signatures: None,
        sender: SENDER,
        gas: None,
    };
    let lacks = |world: &World| match crate::fork::rehearse(world, &exec, &[paused(stage.target)]).unwrap() {
        Attempt::Missing(keys) => keys,
        Attempt::Complete(_) => panic!("complete without a key that it read"),
    };
    for account in &rehearsal.read.accounts {
        let mut world = world.clone();
        world.state.accounts.remove(account);
        assert!(lacks(&world).accounts.contains(account));
    }
    for slot in &rehearsal.read.slots {
        let mut world = world.clone();
        world.state.slots.remove(slot);
        assert!(lacks(&world).slots.contains(slot));
    }
}
