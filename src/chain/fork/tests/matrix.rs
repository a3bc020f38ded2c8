//! Every act on every version, with and without a guard: rehearsed, traced by anvil, and executed for real.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, Log, U256, address, keccak256};
use alloy::sol_types::SolCall;
use serde_json::{Value, json};

use super::stage::{GAS, SENDER, Source, Stage, artifact, compiled, now};
use crate::chain::fork::{
    ExecTransaction, FrameKind, Keys, Outcome, Rehearsal, Signatures, World, first_keys, settle,
};
use crate::playbook::query::{Answer, Query};
use crate::safe::{Call, Operation, SafeTx, SafeVersion, encode_batch, slot};

alloy::sol! {
    interface ITarget {
        function pause();
        function paused() view returns (bool);
        function set(uint256 to);
        function setAndRestore(uint256 to);
        function mint(address to, uint256 amount);
        function transfer(address to, uint256 amount);
        function fail(uint256 how);
        function failDeep(uint256 depth);
        function survive(uint256 how);
        function delegate(address code, bytes data);
        function pay(address to, uint256 amount);
        function make(uint256 amount);
        function makeAndUndo();
        function precompiles(bytes data);
        function environment();
        function transient_();
        function throughModule(address safe, address to, bytes data);
    }
    interface ISafeSelf {
        function addOwnerWithThreshold(address owner, uint256 threshold);
        function swapOwner(address prev, address old, address owner);
        function changeThreshold(uint256 threshold);
        function enableModule(address module);
        function setFallbackHandler(address handler);
        function setGuard(address guard);
        function approveHash(bytes32 hash);
    }
}

const NOBODY: Address = address!("00000000000000000000000000000000000bad00");
/// An account that holds a key and delegates to the target's code (EIP-7702).
const DELEGATED: Address = address!("0000000000000000000000000000000000007702");

/// An act and what is to become of it.
struct Act {
    name: &'static str,
    tx: SafeTx,
    outcome: Outcome,
    /// The reason at the bottom, where it fails.
    reason: &'static str,
}

fn succeeds(name: &'static str, tx: SafeTx) -> Act {
    Act { name, tx, outcome: Outcome::Succeeded, reason: "" }
}

fn reverts(name: &'static str, tx: SafeTx, reason: &'static str) -> Act {
    Act { name, tx, outcome: Outcome::Reverted, reason }
}

fn acts(stage: &Stage, proxy: Address) -> Vec<Act> {
    let (safe, target) = (stage.id.address, stage.target);
    let call = |to: Address, value: u64, data: Vec<u8>| stage.tx(to, value, &data);
    let ask = |data: Vec<u8>| stage.tx(target, 0, &data);
    let delegate = |to: Address, data: Bytes| SafeTx {
        operation: Operation::DelegateCall,
        ..stage.tx(to, 0, &data)
    };
    let step = |to: Address, value: u64, data: Vec<u8>| Call { to, value: U256::from(value), data: data.into() };
    let fail = |how: u64| ITarget::failCall { how: U256::from(how) }.abi_encode();
    let set = |to: u64| ITarget::setCall { to: U256::from(to) }.abi_encode();
    let pause = ITarget::pauseCall {}.abi_encode();
    let mint = ITarget::mintCall { to: safe, amount: U256::from(1000) }.abi_encode();
    let transfer = ITarget::transferCall { to: NOBODY, amount: U256::from(400) }.abi_encode();
    let inner = |data: Vec<u8>| ITarget::delegateCall { code: target, data: data.into() }.abi_encode();
    let previous = stage.owners.list()[0];
    let batch = |calls: &[Call]| delegate(stage.batch, encode_batch(calls));
    let with_gas = |tx: SafeTx| SafeTx { safe_tx_gas: U256::from(200_000), ..tx };
    vec![
        // First: anvil forgets to take the base fee back when it goes back to a snapshot.
        succeeds("environment", ask(ITarget::environmentCall {}.abi_encode())),
        succeeds("pause", ask(pause.clone())),
        succeeds("write and write back", ask(ITarget::setAndRestoreCall { to: U256::from(3) }.abi_encode())),
        succeeds("through an EIP-1967 proxy", call(proxy, 0, pause.clone())),
        succeeds("an EIP-7702 account", call(DELEGATED, 0, set(8))),
        succeeds("an EIP-7702 account's own call", call(DELEGATED, 0, inner(set(9)))),
        succeeds("ether to a new account", call(NOBODY, 77, vec![])),
        succeeds("ether to a precompile", call(Address::with_last_byte(4), 1, vec![1, 2])),
        succeeds("ether to itself", call(safe, 9, vec![])),
        succeeds("nothing to nobody", call(NOBODY, 0, vec![])),
        succeeds("a token transfer after a mint", batch(&[
            step(target, 0, mint.clone()), step(target, 0, transfer.clone()), step(NOBODY, 1, vec![]),
        ])),
        succeeds("fifty calls", batch(&(0..50).map(|n| step(target, 0, set(n))).collect::<Vec<_>>())),
        succeeds("reverted sub-call, text", call(target, 3, ITarget::surviveCall { how: U256::from(1) }.abi_encode())),
        succeeds("reverted sub-call, halt", ask(ITarget::surviveCall { how: U256::from(4) }.abi_encode())),
        succeeds("nested delegatecalls", ask(inner(inner(inner(set(5)))))),
        succeeds("contracts created", ask(ITarget::makeCall { amount: U256::from(11) }.abi_encode())),
        succeeds("created and destroyed", call(target, 13, ITarget::makeAndUndoCall {}.abi_encode())),
        succeeds("precompiles", ask(ITarget::precompilesCall { data: vec![1, 2, 3].into() }.abi_encode())),
        succeeds("transient storage", ask(ITarget::transient_Call {}.abi_encode())),
        succeeds("target pays", ask(ITarget::payCall { to: NOBODY, amount: U256::from(4) }.abi_encode())),
        succeeds("a delegatecall that writes slot 5", delegate(target, ITarget::transient_Call {}.abi_encode().into())),
        succeeds("owner added", call(safe, 0, ISafeSelf::addOwnerWithThresholdCall {
            owner: NOBODY, threshold: U256::from(3),
        }.abi_encode())),
        succeeds("owner swapped", call(safe, 0, ISafeSelf::swapOwnerCall {
            prev: previous, old: stage.owners.list()[1], owner: NOBODY,
        }.abi_encode())),
        succeeds("threshold", call(safe, 0, ISafeSelf::changeThresholdCall { threshold: U256::ONE }.abi_encode())),
        succeeds("handler", call(safe, 0, ISafeSelf::setFallbackHandlerCall { handler: target }.abi_encode())),
        succeeds("guard removed", call(safe, 0, ISafeSelf::setGuardCall { guard: Address::ZERO }.abi_encode())),
        succeeds("module enabled and used in one batch", batch(&[
            step(safe, 0, ISafeSelf::enableModuleCall { module: target }.abi_encode()),
            step(target, 0, ITarget::throughModuleCall { safe, to: target, data: set(6).into() }.abi_encode()),
        ])),
        succeeds("ether refund", SafeTx { gas_price: U256::from(3), base_gas: U256::from(500), ..ask(set(1)) }),
        succeeds("safeTxGas that suffices", with_gas(ask(set(4)))),
        Act {
            name: "safeTxGas and a failure",
            tx: with_gas(ask(fail(1))),
            outcome: Outcome::Failed,
            reason: "\"no, for a reason\"",
        },
        reverts("custom error", ask(fail(0)), "Refused("),
        reverts("text", ask(fail(1)), "\"no, for a reason\""),
        reverts("panic", ask(fail(2)), "panic 0x01"),
        reverts("silence", ask(fail(3)), "no reason given"),
        reverts("halt", ask(fail(4)), "invalid instruction"),
        reverts("deep", ask(ITarget::failDeepCall { depth: U256::from(6) }.abi_encode()), "Refused("),
        reverts("a batch whose second call fails", batch(&[
            step(target, 0, set(1)), step(target, 0, fail(0)), step(target, 0, set(2)),
        ]), "Refused("),
        reverts("more ether than there is", call(NOBODY, u64::MAX, vec![]), ""),
        reverts("a wrong nonce", SafeTx { nonce: stage.nonce().next(), ..ask(set(1)) }, "GS026"),
    ]
}

/// How the Safe is guarded.
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
    let proxy = artifact("@openzeppelin/contracts/build/contracts/ERC1967Proxy.json");
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
            (act.outcome, act.reason) = (Outcome::Reverted, "Stopped()");
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

fn rehearse(
    stage: &Stage,
    act: &Act,
    signatures: Signatures<'_>,
    queries: &[Query],
) -> (World, Rehearsal) {
    let mut world = stage.anvil.world();
    let source = Source::at(&stage.anvil, &world);
    let exec = ExecTransaction { safe: &stage.id, tx: &act.tx, signatures, sender: SENDER };
    let first = first_keys(&exec, queries, &Keys::default());
    let rehearsal = now(settle(&source, &mut world, &exec, queries, first)).unwrap();
    (world, rehearsal)
}

fn compare(stage: &Stage, act: &Act, name: &str) {
    let (safe, target) = (stage.id.address, stage.target);
    let queries = [
        Query::Call { from: None, to: target, data: ITarget::pausedCall {}.abi_encode().into() },
        Query::Call { from: Some(safe), to: target, data: ITarget::failCall { how: U256::ZERO }.abi_encode().into() },
        Query::Storage { address: target, slot: B256::ZERO },
        Query::Balance { address: NOBODY },
        Query::CodeHash { address: target },
        Query::CodeHash { address: NOBODY },
    ];
    let signatures = stage.sign(&act.tx);
    let (world, real) = rehearse(stage, act, Signatures::Given(&signatures), &queries);
    let (_, assumed) = rehearse(stage, act, Signatures::Assumed(&stage.owners), &queries);

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
        let shape = |r: &Rehearsal| r.events.iter().map(|e| (e.address, e.topics().to_vec())).collect::<Vec<_>>();
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
    let before: BTreeMap<Address, U256> =
        real.read.accounts.iter().map(|a| (*a, anvil.balance(*a))).collect();
    anvil.rpc("evm_setNextBlockTimestamp", &json!([world.next_timestamp]));
    let receipt = anvil.send(SENDER, Some(stage.id.address), calldata, 0);

    let number = |field: &str| serde_json::from_value::<U256>(receipt[field].clone()).unwrap();
    assert_eq!(number("status") == U256::ONE, real.outcome != Outcome::Reverted, "{name}: status");
    assert_eq!(number("gasUsed"), U256::from(real.gas_used), "{name}: gas");
    assert_eq!(logs(&receipt), real.events, "{name}: events");
    for (address, slot) in &real.read.slots {
        let written = real.writes.iter().find(|w| (w.address, w.slot) == (*address, *slot));
        let expected = written.map_or(world.state.slots[&(*address, *slot)], |w| w.new);
        assert_eq!(anvil.storage(*address, *slot), expected, "{name}: slot {slot} of {address}");
    }
    for write in &real.writes {
        assert_eq!(anvil.storage(write.address, write.slot), write.new, "{name}: {write:?}");
    }
    let fee = number("gasUsed") * number("effectiveGasPrice");
    for (address, old) in before {
        let change = real.balances.iter().find(|c| c.address == address);
        let expected = change.map_or(old, |c| c.new) - if address == SENDER { fee } else { U256::ZERO };
        assert_eq!(anvil.balance(address), expected, "{name}: balance of {address}");
    }
    let existed = |a: &&Address| world.state.accounts.get(*a).is_some_and(|a| !a.code.is_empty());
    let has_code = |a: &&Address| !anvil.code(**a).is_empty();
    let made: BTreeSet<_> = real.read.accounts.iter().filter(has_code).filter(|a| !existed(a)).copied().collect();
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

/// What the chain itself answers now.
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
    let precompiled = |a: Address| a.into_word() <= B256::with_last_byte(0x11) || a == Address::from_word(B256::from(U256::from(256)));
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
