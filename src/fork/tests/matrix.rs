//! Every act on every version, with and without a guard: rehearsed, traced by anvil, and executed for real.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, Log, U256, keccak256};
use alloy::sol_types::SolCall;
use serde_json::{Value, json};

use super::acts::{Act, DELEGATED, ITarget, NOBODY, acts};
use super::stage::{GAS, SENDER, Source, Stage, compiled};
use crate::evm::{Answer, Keys, Query};
use crate::fork::{ExecTransaction, FrameKind, Rehearsal, RunResult, World, first_keys, settle};
use crate::safe::tests::artifacts::artifact;
use crate::safe::{Domain, SafeVersion, slot};

/// The Safe's guard.
#[derive(Clone, Copy, PartialEq)]
enum Guard {
    None,
    /// Reads, writes and emits in the transaction.
    Debug,
    /// Reverts.
    Stopper,
}

fn stage(version: SafeVersion, guard: Guard) -> (Stage, Address) {
    let stage = Stage::new(version);
    let delegation = [&[0xef, 0x01, 0x00], stage.target.as_slice()].concat();
    stage.anvil.rpc("anvil_setCode", &json!([DELEGATED, Bytes::from(delegation)]));
    let proxy = artifact("@openzeppelin/contracts/build/contracts/ERC1967Proxy.json").creation;
    let set = ITarget::setCall { to: U256::from(1) }.abi_encode();
    let args = alloy::sol_types::SolValue::abi_encode_params(&(stage.target, Bytes::from(set)));
    let proxy = stage.anvil.deploy(&proxy, &args);
    if guard == Guard::Debug {
        return (stage.with_debug_guard(), proxy);
    }
    if guard == Guard::Stopper {
        let stopper = stage.anvil.deploy(&compiled("Stopper"), &[]);
        let place = json!([stage.id.address, slot::GUARD, stopper.into_word()]);
        stage.anvil.rpc("anvil_setStorageAt", &place);
        stage.anvil.rpc("anvil_mine", &json!(["0x1"]));
    }
    (stage, proxy)
}

fn run(version: SafeVersion, guard: Guard) {
    let (stage, proxy) = stage(version, guard);
    for mut act in acts(&stage, proxy) {
        if guard == Guard::Stopper && !act.reason.starts_with("GS") {
            (act.outcome, act.reason) = (RunResult::Reverted, "Stopped()");
        }
        let name = format!("{version}, {}", act.name);
        let snapshot = stage.anvil.rpc("evm_snapshot", &json!([]));
        compare(&stage, &act, &name);
        assert_eq!(stage.anvil.rpc("evm_revert", &json!([snapshot])), json!(true));
    }
}

#[test]
fn safe_1_3_0() {
    run(SafeVersion::V1_3_0, Guard::None);
}

#[test]
fn safe_1_3_0_guarded() {
    run(SafeVersion::V1_3_0, Guard::Debug);
}

#[test]
fn safe_1_4_1() {
    run(SafeVersion::V1_4_1, Guard::None);
}

#[test]
fn safe_1_4_1_guarded() {
    run(SafeVersion::V1_4_1, Guard::Debug);
}

#[test]
fn safe_1_5_0() {
    run(SafeVersion::V1_5_0, Guard::None);
}

#[test]
fn safe_1_5_0_guarded() {
    run(SafeVersion::V1_5_0, Guard::Debug);
}

#[test]
fn a_guard_that_stops_everything_is_never_switched_off() {
    run(SafeVersion::V1_4_1, Guard::Stopper);
}

fn rehearse(stage: &Stage, act: &Act, signatures: Option<&Bytes>, queries: &[Query]) -> (World, Rehearsal) {
    let mut world = stage.anvil.world();
    let source = Source::at(&stage.anvil, &world);
    let exec = ExecTransaction {
        domain: Domain::real(stage.id),
        owners: &stage.owners,
        tx: &act.tx,
        signatures,
        sender: SENDER,
        gas: None,
    };
    let first = first_keys(&stage.id, &act.tx, SENDER, stage.owners.list(), queries, &Keys::default());
    let rehearsal = settle(&source, &mut world, &exec, queries, first).unwrap();
    (world, rehearsal)
}

fn compare(stage: &Stage, act: &Act, name: &str) {
    let (safe, target) = (stage.id.address, stage.target);
    let queries = [
        Query::Call { from: None, to: target, data: ITarget::pausedCall {}.abi_encode().into() },
        Query::Call {
            from: Some(safe),
            to: target,
            data: ITarget::failCall { how: U256::ZERO }.abi_encode().into(),
        },
        Query::Storage { address: target, slot: B256::ZERO },
        Query::Balance { address: NOBODY },
        Query::CodeHash { address: target },
        Query::CodeHash { address: NOBODY },
    ];
    let signatures = stage.sign(&act.tx);
    let (world, real) = rehearse(stage, act, Some(&signatures), &queries);
    let (_, assumed) = rehearse(stage, act, None, &queries);

    assert_eq!(real.outcome, act.outcome, "{name}: {:?}", real.reverts);
    let errors = ["Refused(address who, uint256 code)", "Stopped()"];
    let errors = errors.map(|e| alloy::json_abi::Error::parse(e).unwrap());
    let reason = real.reverts.last().map(|r| r.reason(&errors).to_string()).unwrap_or_default();
    assert!(reason.starts_with(act.reason), "{name}: {reason}");
    if act.reason != "GS026" {
        same_but_for_gas(&real, &assumed, name);
    }

    let calldata = act.tx.exec_calldata(signatures);
    against_prestate_trace(stage, &calldata, &real, name);
    against_execution(stage, &world, &calldata, &real, name);
}

/// Approvals that are only assumed change nothing but the gas.
fn same_but_for_gas(real: &Rehearsal, assumed: &Rehearsal, name: &str) {
    let refunded = name.ends_with("ether refund");
    assert_eq!(real.outcome, assumed.outcome, "{name}");
    assert_eq!(real.reverts, assumed.reverts, "{name}");
    assert_eq!(real.writes, assumed.writes, "{name}");
    assert_eq!(real.tokens, assumed.tokens, "{name}");
    assert_eq!(real.created, assumed.created, "{name}");
    assert_eq!(real.answers, assumed.answers, "{name}");
    assert!(assumed.gas_used <= real.gas_used, "{name}");
    if !refunded {
        assert_eq!(real.balances, assumed.balances, "{name}");
        let shape =
            |r: &Rehearsal| r.events.iter().map(|e| (e.address, e.topics().to_vec())).collect::<Vec<_>>();
        assert_eq!(shape(real), shape(assumed), "{name}: a guard may repeat the signatures in its data");
    }
}

type Slots = BTreeMap<(Address, B256), (B256, B256)>;

/// anvil's own diff of the same call.
fn against_prestate_trace(stage: &Stage, calldata: &Bytes, real: &Rehearsal, name: &str) {
    let call = json!({"from": SENDER, "to": stage.id.address, "data": calldata, "gas": U256::from(GAS)});
    let config = json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}});
    if name.ends_with("environment") || name.ends_with("ether refund") {
        return; // traced in the latest block at no gas price, and this is about the next one
    }
    let diff = stage.anvil.rpc("debug_traceCall", &json!([call, "latest", config]));
    let mut slots = Slots::new();
    for (side, accounts) in [("pre", &diff["pre"]), ("post", &diff["post"])] {
        for (address, account) in accounts.as_object().into_iter().flatten() {
            for (slot, word) in account["storage"].as_object().into_iter().flatten() {
                let key = (address.parse().unwrap(), slot.parse().unwrap());
                let word: B256 = word.as_str().unwrap().parse().unwrap();
                let entry = slots.entry(key).or_default();
                if side == "pre" { entry.0 = word } else { entry.1 = word }
            }
        }
    }
    slots.retain(|_, (old, new)| old != new);
    let ours: Slots = real.writes.iter().map(|w| ((w.address, w.slot), (w.old, w.new))).collect();
    assert_eq!(ours, slots, "{name}: writes, against prestateTracer");
}

/// The transaction itself, in the very block that was rehearsed.
fn against_execution(stage: &Stage, world: &World, calldata: &Bytes, real: &Rehearsal, name: &str) {
    let anvil = &stage.anvil;
    let of_accounts = || real.read.accounts.iter().map(|account| json!([account, "latest"]));
    let before: Vec<U256> = anvil.each("eth_getBalance", of_accounts());
    anvil.rpc("evm_setNextBlockTimestamp", &json!([world.next_timestamp]));
    let receipt = anvil.send(SENDER, Some(stage.id.address), calldata, 0);

    let number = |field: &str| serde_json::from_value::<U256>(receipt[field].clone()).unwrap();
    assert_eq!(number("status") == U256::ONE, real.outcome != RunResult::Reverted, "{name}: status");
    assert_eq!(number("gasUsed"), U256::from(real.gas_used), "{name}: gas");
    assert_eq!(logs(&receipt), real.events, "{name}: events");
    let of_slot = |address: Address, slot: B256| json!([address, slot, "latest"]);
    let asked = real.read.slots.iter().map(|(address, slot)| of_slot(*address, *slot));
    let words: Vec<B256> = anvil.each("eth_getStorageAt", asked);
    for ((address, slot), word) in real.read.slots.iter().zip(words) {
        let written = real.writes.iter().find(|w| (w.address, w.slot) == (*address, *slot));
        let expected = written.map_or(world.state.slots[&(*address, *slot)], |w| w.new);
        assert_eq!(word, expected, "{name}: slot {slot} of {address}");
    }
    let written = real.writes.iter().map(|write| of_slot(write.address, write.slot));
    let words: Vec<B256> = anvil.each("eth_getStorageAt", written);
    for (write, word) in real.writes.iter().zip(words) {
        assert_eq!(word, write.new, "{name}: {write:?}");
    }
    let fee = number("gasUsed") * number("effectiveGasPrice");
    let after: Vec<U256> = anvil.each("eth_getBalance", of_accounts());
    for ((address, old), new) in real.read.accounts.iter().zip(before).zip(after) {
        let change = real.balances.iter().find(|c| c.address == *address);
        let expected = change.map_or(old, |c| c.new) - if *address == SENDER { fee } else { U256::ZERO };
        assert_eq!(new, expected, "{name}: balance of {address}");
    }
    let existed = |a: &Address| world.state.accounts.get(a).is_some_and(|a| !a.code.is_empty());
    let codes: Vec<Bytes> = anvil.each("eth_getCode", of_accounts());
    let accounts = real.read.accounts.iter().copied().zip(codes);
    let made: BTreeSet<_> =
        accounts.filter(|(a, code)| !code.is_empty() && !existed(a)).map(|(a, _)| a).collect();
    assert_eq!(real.created.iter().copied().collect::<BTreeSet<_>>(), made, "{name}: created");
    answers(stage, real, name);
    call_tree(stage, &receipt, real, name);
}

fn logs(receipt: &Value) -> Vec<Log> {
    let log = |log: &Value| {
        let field = |name: &str| log[name].clone();
        let topics = serde_json::from_value(field("topics")).unwrap();
        let data = serde_json::from_value(field("data")).unwrap();
        Log::new_unchecked(serde_json::from_value(field("address")).unwrap(), topics, data)
    };
    receipt["logs"].as_array().unwrap().iter().map(log).collect()
}

/// Compares the rehearsal's answers with what the chain itself answers now.
fn answers(stage: &Stage, real: &Rehearsal, name: &str) {
    let anvil = &stage.anvil;
    for (query, answer) in real.answers.iter() {
        let truth = match query {
            Query::Call { from, to, data } => {
                let call = json!([{"from": from.unwrap_or_default(), "to": to, "data": data}, "latest"]);
                match anvil.try_rpc("eth_call", &call) {
                    Ok(value) => Answer::Value(serde_json::from_value(value).unwrap()),
                    Err(error) => Answer::Reverted(serde_json::from_value(error["data"].clone()).unwrap()),
                }
            }
            Query::Storage { address, slot } => Answer::Value(anvil.storage(*address, *slot).into()),
            Query::Balance { address } => Answer::Value(B256::from(anvil.balance(*address)).into()),
            Query::CodeHash { address } => {
                let code = anvil.code(*address);
                let hash = if code.is_empty() { B256::ZERO } else { keccak256(&code) };
                Answer::Value(hash.into())
            }
            Query::Time => {
                let block = anvil.rpc("eth_getBlockByNumber", &json!(["latest", false]));
                let time: U256 = serde_json::from_value(block["timestamp"].clone()).unwrap();
                Answer::Value(B256::from(time).into())
            }
        };
        assert_eq!(answer, &truth, "{name}: {query:?}");
    }
}

/// anvil's call tracer on the mined transaction; it leaves precompiled contracts out.
fn call_tree(stage: &Stage, receipt: &Value, real: &Rehearsal, name: &str) {
    let config = json!([receipt["transactionHash"], {"tracer": "callTracer"}]);
    let root = stage.anvil.rpc("debug_traceTransaction", &config);
    let mut theirs = Vec::new();
    flatten(&root, 0, &mut theirs);
    let precompiled = |a: Address| {
        a.into_word() <= B256::with_last_byte(0x11) || a == Address::from_word(B256::from(U256::from(256)))
    };
    let ours: Vec<_> = real
        .trace
        .frames
        .iter()
        .filter(|f| !precompiled(f.to) || f.to.is_zero())
        .map(|f| (f.depth, f.kind.as_str().to_string(), f.from, f.to, f.succeeded()))
        .map(|f| if f.4 || !f.1.starts_with("create") { f } else { (f.0, f.1, f.2, Address::ZERO, f.4) })
        .collect();
    let theirs: Vec<_> = theirs.into_iter().filter(|f| !precompiled(f.3) || f.3.is_zero()).collect();
    assert_eq!(ours, theirs, "{name}: calls");
    assert!(!real.trace.cut);
    let root_frame = &real.trace.frames[0];
    assert_eq!((root_frame.kind, root_frame.to), (FrameKind::Call, stage.id.address));
}

type Flat = (usize, String, Address, Address, bool);

fn flatten(frame: &Value, depth: usize, into: &mut Vec<Flat>) {
    let address = |field: &str| serde_json::from_value(frame[field].clone()).unwrap_or_default();
    let kind = frame["type"].as_str().unwrap().to_ascii_lowercase();
    into.push((depth, kind, address("from"), address("to"), frame["error"].is_null()));
    for call in frame["calls"].as_array().into_iter().flatten() {
        flatten(call, depth + 1, into);
    }
}
