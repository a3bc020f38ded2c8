//! The acts of the matrix: what is executed, and what is to become of it.

use alloy::primitives::{Address, U256, address};
use alloy::sol_types::SolCall;

use super::stage::Stage;
use crate::fork::RunResult;
use crate::safe::{Call, Operation, SafeTx, encode_batch};

alloy::sol! {
    #[derive(Debug)]
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

pub const NOBODY: Address = address!("00000000000000000000000000000000000bad00");
/// An account that holds a key and delegates to the target's code (EIP-7702).
pub const DELEGATED: Address = address!("0000000000000000000000000000000000007702");

/// An act and what is to become of it.
pub struct Act {
    pub name: &'static str,
    pub tx: SafeTx,
    pub outcome: RunResult,
    /// The reason at the bottom, where it fails.
    pub reason: &'static str,
}

fn succeeds(name: &'static str, tx: SafeTx) -> Act {
    Act { name, tx, outcome: RunResult::Succeeded, reason: "" }
}

fn reverts(name: &'static str, tx: SafeTx, reason: &'static str) -> Act {
    Act { name, tx, outcome: RunResult::Reverted, reason }
}

pub fn batch(stage: &Stage, calls: &[Call]) -> SafeTx {
    SafeTx { operation: Operation::DelegateCall, ..stage.tx(stage.batch, 0, &encode_batch(calls)) }
}

fn step(to: Address, value: u64, call: &impl SolCall) -> Call {
    Call { to, value: U256::from(value), data: call.abi_encode().into() }
}

fn set(to: u64) -> ITarget::setCall {
    ITarget::setCall { to: U256::from(to) }
}

fn fail(how: u64) -> ITarget::failCall {
    ITarget::failCall { how: U256::from(how) }
}

fn survive(how: u64) -> ITarget::surviveCall {
    ITarget::surviveCall { how: U256::from(how) }
}

fn with_gas(tx: SafeTx) -> SafeTx {
    SafeTx { safe_tx_gas: U256::from(200_000), ..tx }
}

/// Everything; each act starts from the same state.
pub fn acts(stage: &Stage, proxy: Address) -> Vec<Act> {
    // First: anvil forgets to take the base fee back when it goes back to a snapshot.
    let environment = stage.tx(stage.target, 0, &ITarget::environmentCall {}.abi_encode());
    let mut all = vec![succeeds("environment", environment)];
    all.extend(on_contracts(stage, proxy));
    all.extend(on_ether(stage));
    all.extend(on_the_safe(stage));
    all.extend(failing(stage));
    all
}

fn on_contracts(stage: &Stage, proxy: Address) -> Vec<Act> {
    let target = stage.target;
    let at = |name, to, call: Vec<u8>| succeeds(name, stage.tx(to, 0, &call));
    let ask = |name, call: Vec<u8>| at(name, target, call);
    let inner = |data: Vec<u8>| ITarget::delegateCall { code: target, data: data.into() }.abi_encode();
    let nested = inner(inner(inner(set(5).abi_encode())));
    let mint = ITarget::mintCall { to: stage.id.address, amount: U256::from(1000) };
    let transfer = ITarget::transferCall { to: NOBODY, amount: U256::from(400) };
    let token = [step(target, 0, &mint), step(target, 0, &transfer), step(NOBODY, 1, &set(0))];
    let fifty: Vec<_> = (0..50).map(|n| step(target, 0, &set(n))).collect();
    vec![
        ask("pause", ITarget::pauseCall {}.abi_encode()),
        ask("write and write back", ITarget::setAndRestoreCall { to: U256::from(3) }.abi_encode()),
        at("through an EIP-1967 proxy", proxy, ITarget::pauseCall {}.abi_encode()),
        at("an EIP-7702 account", DELEGATED, set(8).abi_encode()),
        at("an EIP-7702 account's own delegatecall", DELEGATED, inner(set(9).abi_encode())),
        succeeds("a token transfer after a mint", batch(stage, &token)),
        succeeds("fifty calls", batch(stage, &fifty)),
        ask("reverted sub-call, halt", survive(4).abi_encode()),
        at("nested delegatecalls", target, nested),
        ask("contracts created", ITarget::makeCall { amount: U256::from(11) }.abi_encode()),
        ask("precompiles", ITarget::precompilesCall { data: vec![1, 2, 3].into() }.abi_encode()),
        ask("transient storage", ITarget::transient_Call {}.abi_encode()),
    ]
}

fn on_ether(stage: &Stage) -> Vec<Act> {
    let (safe, target) = (stage.id.address, stage.target);
    let pay = ITarget::payCall { to: NOBODY, amount: U256::from(4) }.abi_encode();
    let refund = with_gas(stage.tx(target, 0, &set(1).abi_encode()));
    let refund = SafeTx { gas_price: U256::from(3), base_gas: U256::from(500), ..refund };
    vec![
        succeeds("ether to a new account", stage.tx(NOBODY, 77, &[])),
        succeeds("ether to a precompile", stage.tx(Address::with_last_byte(4), 1, &[1, 2])),
        succeeds("ether to itself", stage.tx(safe, 9, &[])),
        succeeds("nothing to nobody", stage.tx(NOBODY, 0, &[])),
        succeeds("reverted sub-call, text", stage.tx(target, 3, &survive(1).abi_encode())),
        succeeds("created and destroyed", stage.tx(target, 13, &ITarget::makeAndUndoCall {}.abi_encode())),
        succeeds("target pays", stage.tx(target, 0, &pay)),
        succeeds("ether refund", refund),
    ]
}

fn on_the_safe(stage: &Stage) -> Vec<Act> {
    let (safe, target, owners) = (stage.id.address, stage.target, stage.owners.list());
    let itself = |name, call: Vec<u8>| succeeds(name, stage.tx(safe, 0, &call));
    let add = ISafeSelf::addOwnerWithThresholdCall { owner: NOBODY, threshold: U256::from(3) };
    let swap = ISafeSelf::swapOwnerCall { prev: owners[0], old: owners[1], owner: NOBODY };
    let enable = ISafeSelf::enableModuleCall { module: target };
    let use_it = ITarget::throughModuleCall { safe, to: target, data: set(6).abi_encode().into() };
    let singleton = ITarget::setCall { to: U256::from_be_bytes(target.into_word().0) }.abi_encode();
    let swapped = SafeTx { operation: Operation::DelegateCall, ..stage.tx(target, 0, &singleton) };
    vec![
        succeeds("a delegatecall that swaps the singleton", swapped),
        itself("owner added", add.abi_encode()),
        itself("owner swapped", swap.abi_encode()),
        itself("threshold", ISafeSelf::changeThresholdCall { threshold: U256::ONE }.abi_encode()),
        itself("handler", ISafeSelf::setFallbackHandlerCall { handler: target }.abi_encode()),
        itself("guard removed", ISafeSelf::setGuardCall { guard: Address::ZERO }.abi_encode()),
        succeeds(
            "module enabled and used in one batch",
            batch(stage, &[step(safe, 0, &enable), step(target, 0, &use_it)]),
        ),
        succeeds("safeTxGas that suffices", with_gas(stage.tx(target, 0, &set(4).abi_encode()))),
    ]
}

fn failing(stage: &Stage) -> Vec<Act> {
    let target = stage.target;
    let ask = |call: Vec<u8>| stage.tx(target, 0, &call);
    let second = [step(target, 0, &set(1)), step(target, 0, &fail(0)), step(target, 0, &set(2))];
    let later = SafeTx { nonce: stage.nonce().next(), ..ask(set(1).abi_encode()) };
    let text = "\"no, for a reason\"";
    vec![
        Act {
            name: "safeTxGas and a failure",
            tx: with_gas(ask(fail(1).abi_encode())),
            outcome: RunResult::Failed,
            reason: text,
        },
        reverts("custom error", ask(fail(0).abi_encode()), "Refused("),
        reverts("text", ask(fail(1).abi_encode()), text),
        reverts("panic", ask(fail(2).abi_encode()), "panic 0x01"),
        reverts("silence", ask(fail(3).abi_encode()), "no reason given"),
        reverts("halt", ask(fail(4).abi_encode()), "invalid instruction"),
        reverts("deep", ask(ITarget::failDeepCall { depth: U256::from(6) }.abi_encode()), "Refused("),
        reverts("a batch whose second call fails", batch(stage, &second), "Refused("),
        reverts("more ether than there is", stage.tx(NOBODY, u64::MAX, &[]), "not enough ether"),
        reverts("a wrong nonce", later, "GS026"),
    ]
}
