//! Hashes and calls that a playbook makes from what people know: keys of a contract's storage, roles, carried calls.

use alloy::primitives::{B256, Bytes, keccak256};
use alloy::sol_types::SolValue;

use super::*;

const TEXT: &str = r#"
schema = 1
id = "pause/far"
kind = "pause"
title = "Pause a contract on another chain"
severity = "P1"
does_not_stop = "n"
cost = "c"
undo = { none = "w" }
source = "s"

[[param]]
name = "hub"
type = "address"

[[param]]
name = "chain"
type = "uint256"

[[param]]
name = "role"
type = "bytes32"

[[step]]
to = "{hub}"
call = "relay(bytes32 key, bytes32 role, bytes message)"
args = ["{keccak(encode(keccak(encode('CONFIG_KEEPER')), hub, chain))}", "{role}", "{calldata('pauseDeposits(bool)', true)}"]

[[after]]
view = "config()((bool paused,uint64 lane) state)"
on = "{hub}"
expect = { paused = "true" }
"#;

#[test]
fn a_key_a_role_and_a_carried_call_are_made_and_explained() {
    let playbook = Playbook::parse("far.toml", TEXT).unwrap_or_else(|fault| panic!("{fault}"));
    let plan =
        |role| plan_with(&playbook, &[("hub", "vault"), ("chain", "10"), ("role", role)], |_| number(0));
    let (plan_by_name, _) = plan("keccak('PAUSER_ROLE')").unwrap();
    let role = keccak256("PAUSER_ROLE");
    let digits = role.to_string();
    let keeper = keccak256("CONFIG_KEEPER".to_string().abi_encode());
    let key: B256 = keccak256((keeper, VAULT, U256::from(10)).abi_encode());
    let message = [&keccak256("pauseDeposits(bool)")[..4], &true.abi_encode()].concat();
    let data = (key, role, Bytes::from(message.clone())).abi_encode_params();
    let call = &plan_by_name.calls[0];
    assert_eq!(call.call.data[4..], data[..]);
    let named = format!("keccak('PAUSER_ROLE') ({role})");
    assert_eq!(plan_by_name.args[2].shown, named);
    let shown: Vec<&str> = call.arguments.iter().map(|(_, shown)| shown.as_str()).collect();
    let made = format!("keccak(encode(keccak(encode('CONFIG_KEEPER')), hub, chain)) ({key})");
    let carried = format!("calldata('pauseDeposits(bool)', true) ({})", Bytes::from(message));
    assert_eq!(shown, [made.as_str(), named.as_str(), carried.as_str()]);
    // By its digits it is the same transaction.
    let (plan_by_hash, _) = plan(&digits).unwrap();
    assert_eq!(plan_by_hash.calls[0].call, call.call);
    assert_eq!(plan_by_hash.args[2].shown, digits);
    let why = plan("PAUSER_ROLE").expect_err("a word").to_string();
    assert!(why.ends_with("or keccak('PAUSER_ROLE') for the hash of a word"), "{why}");
}

/// As a view returns a struct: one tuple, of which a check looks at a field.
#[test]
fn a_field_of_a_returned_struct_is_looked_at_by_name() {
    let playbook = Playbook::parse("far.toml", TEXT).unwrap();
    let answer = |paused: bool| Answer::Value((paused, 7_u64).abi_encode().into());
    let given = [("hub", "vault"), ("chain", "10"), ("role", "keccak('X')")];
    let (plan, _) = plan_with(&playbook, &given, |_| answer(false)).unwrap();
    let judged = |paused| {
        let readings = plan.after[0].queries().into_iter().map(|query| (query, answer(paused))).collect();
        plan.after[0].judge(&readings, &[])
    };
    assert!(judged(true).holds);
    assert_eq!(judged(false).sentence, "vault config() is paused false, not paused true");
}
