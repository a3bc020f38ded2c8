//! The gas of a sent transaction: with too little it does something else than was reviewed.

use alloy::primitives::{Address, U256};
use alloy::sol;
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};

use crate::stage::{Anvil, Ceremony, Desk, Proxy, Run, SafeSetup, deploy};
use crate::steps::{
    behind_a_proxy, import, is_paused, pausedCall, refused, run, sent, sign, signed_by_two, try_sign,
    two_of_three, with_key,
};

sol! {
    function sub() external view returns (address);
}

/// A vault that goes on when the pause of its part runs out of gas, and alice's desk with two signatures for it.
fn lenient(ceremony: &mut Ceremony) -> (Address, Address) {
    let outer = deploy(&ceremony.anvil, "Lenient", &ceremony.safe.abi_encode());
    let sub = ceremony.anvil.view(outer, &subCall {});
    ceremony.add_to_council(&format!(
        "\n[targets.lenient]\nanvil = \"{outer}\"\n\n[targets.part]\nanvil = \"{sub}\"\n\n[levers.lenient]\n\
         playbook = \"pause/oz-pausable\"\nsafe = \"guardian\"\nset = {{ target = \"lenient\" }}\nchanges = [\"part\"]\n"
    ));
    let [alice, bob, ..] = &ceremony.desks[..] else { panic!("two desks are needed") };
    sign(alice, &["lenient"]);
    import(alice, &["lenient"], &sign(bob, &["lenient"]));
    (outer, sub)
}

fn broadcast(desk: &Desk, more: &[&str]) -> Run {
    run(desk, &with_key(desk, &[&["broadcast", "--confirm", "guardian"], more].concat()))
}

fn gas_of_the_last(ceremony: &Ceremony) -> u64 {
    let block = ceremony.anvil.rpc("eth_getBlockByNumber", &json!(["latest", true]));
    let gas: U256 = serde_json::from_value(block["transactions"][0]["gas"].clone()).unwrap();
    gas.to()
}

#[test]
fn a_call_that_is_caught_is_given_the_gas_that_it_needs() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let (outer, sub) = lenient(&mut ceremony);
    let run = broadcast(&ceremony.desks[0], &["lenient"]).ended(0).says("done and proven");
    let run = run.says("the RPC estimates").says("the rehearsal uses 4");
    assert_eq!(run.stderr.matches("the RPC estimates").count(), 1, "said once: {}", run.stderr);
    assert!(ceremony.anvil.view(outer, &pausedCall {}), "not paused");
    assert!(ceremony.anvil.view(sub, &pausedCall {}), "its part runs on");
    assert_eq!(sent(&proxy), 1);
}

#[test]
fn too_little_gas_by_name_is_refused_and_more_than_a_transaction_may_have() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let (_, sub) = lenient(&mut ceremony);
    let alice = &ceremony.desks[0];
    refused(
        broadcast(alice, &["lenient", "--gas", "500000"]),
        4,
        &["--gas 500000", "its effects are not those that were shown"],
    );
    refused(broadcast(alice, &["lenient", "--gas", "9000"]), 4, &["--gas 9000"]);
    refused(broadcast(alice, &["lenient", "--gas", "99000000"]), 2, &["--gas 99000000", "16777216"]);
    assert_eq!(sent(&proxy), 0);
    broadcast(alice, &["lenient", "--gas", "9000000"]).ended(0).says("done and proven");
    assert!(ceremony.anvil.view(sub, &pausedCall {}));
    assert_eq!(gas_of_the_last(&ceremony), 9_000_000);
}

/// A gas estimate that is too low would make each broadcast fail; one that is too high would make it expensive.
#[test]
fn a_false_gas_estimate_changes_little() {
    for (told, most) in [("0xc350", 200_000), ("0xffffff", 400_000)] {
        let anvil = Anvil::start();
        let proxies = [Proxy::to(&anvil), Proxy::to(&anvil)];
        let rpc = proxies.each_ref().map(Proxy::url);
        let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &rpc);
        let alice = signed_by_two(&ceremony);
        for proxy in &proxies {
            proxy.rewrite(move |method, _, truth| match method {
                "eth_estimateGas" => Ok(json!(told)),
                _ => truth,
            });
        }
        let run = broadcast(alice, &["vault"]).ended(0).says("done and proven").says("the RPC estimates");
        assert!(is_paused(&ceremony), "{run:?}");
        assert!(gas_of_the_last(&ceremony) <= most, "{}", gas_of_the_last(&ceremony));
    }
}

#[test]
fn without_an_estimate_the_rehearsal_gives_the_gas() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.rewrite(|method, _, truth| match method {
        "eth_estimateGas" => Err(json!({"code": -32601, "message": "no such method"})),
        _ => truth,
    });
    broadcast(alice, &["vault"]).ended(0).says("done and proven").never_says("estimates");
    assert!(is_paused(&ceremony));
}

/// Near the gas cap it is reported before anybody signs.
#[test]
fn a_transaction_near_the_gas_cap_is_reported() {
    let mut ceremony = two_of_three();
    lenient(&mut ceremony);
    ceremony.anvil.rpc("evm_setBlockGasLimit", &json!([U256::from(4_800_000)]));
    ceremony.anvil.mine(1);
    let check = ceremony.desks[0].run(&["--json", "check", "lenient"]).ended(0).json();
    let found = check["findings"].as_array().unwrap().iter().find(|f| f["id"] == json!("gas")).cloned();
    let said = found.unwrap_or(Value::Null)["sentence"].to_string();
    assert!(said.contains("% of the 4800000 that one transaction may have"), "{check}");
}

/// ZKsync does not run the EVM: the result of a rehearsal would be wrong.
#[test]
fn on_a_chain_without_the_evm_nothing_is_rehearsed_and_it_says_so() {
    let anvil = Anvil::with_chain_id(324);
    let rpc = [anvil.url()];
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &rpc);
    let alice = &ceremony.desks[0];
    refused(alice.run(&["dry-run", "vault"]), 7, &["do not run on the EVM"]);
    refused(try_sign(alice, &["vault"]), 4, &["not-rehearsed", "do not run on the EVM"]);
}
