//! The mined transaction is compared with the rehearsal: a view that says "paused" is not enough.

use std::thread;

use alloy::primitives::{Address, B256, U256, b256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use serde_json::{Value, json};

use crate::stage::{Ceremony, Desk, Proxy, deploy};
use crate::steps::{
    as_the_safe, behind_a_proxy, broadcast, executed, files, import, is_paused, path, pausedCall, refused,
    sign, signed_by_two,
};

/// EIP-1967: where a proxy keeps the address of its implementation.
const IMPLEMENTATION: B256 = b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");

sol! {
    function initialise(address firstOwner) external;
    function owner() external view returns (address);
    function unpause() external;
    function setFee(uint256 newFee) external;
}

/// A lever `it` that pauses this contract, signed by two at alice's desk.
fn signed_for(ceremony: &mut Ceremony, target: Address) {
    signed_for_target(ceremony, &format!("\"{target}\""));
}

fn signed_for_target(ceremony: &mut Ceremony, target: &str) {
    ceremony.add_to_council(&format!(
        "\n[targets.it]\nanvil = {target}\n\n[levers.it]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n\
         set = {{ target = \"it\" }}\n"
    ));
    let [alice, bob, ..] = &ceremony.desks[..] else { panic!("two desks are needed") };
    sign(alice, &["it"]);
    import(alice, &["it"], &sign(bob, &["it"]));
}

/// Sends it, and lets something happen between the review and the block.
fn broadcast_while(desk: &Desk, what: &str, proxy: &Proxy, meanwhile: impl FnOnce()) -> crate::stage::Run {
    proxy.hold("eth_sendRawTransaction");
    thread::scope(|scope| {
        let run = scope.spawn(|| broadcast(desk, &[what]));
        proxy.reached("eth_sendRawTransaction");
        meanwhile();
        proxy.release();
        run.join().unwrap()
    })
}

/// A proxy whose implementation pauses, and the address of one that only says so.
fn upgradeable(ceremony: &Ceremony) -> (Address, Address) {
    let logic = deploy(&ceremony.anvil, "PausableLogic", &[]);
    let init = initialiseCall { firstOwner: ceremony.safe }.abi_encode();
    let proxied = deploy(
        &ceremony.anvil,
        "Proxied",
        &(logic, alloy::primitives::Bytes::from(init)).abi_encode_params(),
    );
    (proxied, deploy(&ceremony.anvil, "Liar", &[]))
}

#[test]
fn an_implementation_swapped_at_the_moment_of_sending_is_seen() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let (proxied, liar) = upgradeable(&ceremony);
    signed_for(&mut ceremony, proxied);
    let alice = &ceremony.desks[0];
    let run = broadcast_while(alice, "it", &proxy, || {
        ceremony.anvil.set_storage(proxied, IMPLEMENTATION, liar.into_word());
        ceremony.anvil.mine(1);
    });
    assert_eq!(executed(&ceremony), 1);
    assert!(ceremony.anvil.view(proxied, &pausedCall {}), "the view says so");
    let run = refused(run, 10, &["mined, but not as rehearsed", &proxied.to_string()]);
    run.never_says("done and proven");
    refused(alice.run(&["status", "it"]), 10, &["mined, but not as rehearsed"]).never_says("done and proven");
    let told = alice.run(&["--json", "status", "it"]).ended(10).json();
    assert_eq!((&told["proven"], &told["error"]["exit"]), (&json!(false), &json!(10)));
    assert!(!told["not_as_rehearsed"].as_array().unwrap().is_empty(), "{told}");
}

#[test]
fn an_owner_handed_over_in_the_same_transaction_is_seen() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let turns = U256::from(ceremony.anvil.block_number() + 10);
    let trojan = deploy(&ceremony.anvil, "TimedTrojan", &(ceremony.safe, turns).abi_encode_params());
    signed_for(&mut ceremony, trojan);
    let alice = &ceremony.desks[0];
    let run = broadcast_while(alice, "it", &proxy, || ceremony.anvil.mine(12));
    let owner = ceremony.anvil.view(trojan, &ownerCall {});
    assert_ne!(owner, ceremony.safe, "it was not handed over");
    refused(run, 10, &["mined, but not as rehearsed", &trojan.to_string()]).never_says("done and proven");
    refused(alice.run(&["status", "it"]), 10, &["who controls"]);
}

/// The only RPC answers `paused()` falsely; storage and receipt contradict it.
#[test]
fn a_view_that_lies_is_not_believed() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let vault = ceremony.vault;
    proxy.rewrite(|method, params, truth| {
        let data = params[0]["data"].as_str().unwrap_or_default();
        let asks = method == "eth_call" && data == alloy::hex::encode_prefixed(pausedCall {}.abi_encode());
        // False before it is sent, true afterwards.
        match truth {
            Ok(Value::String(word)) if asks && word.ends_with('1') => Ok(json!(word)),
            other => other,
        }
    });
    let run = broadcast_while(alice, "vault", &proxy, || {
        // Somebody else's code is there when it is mined, and puts it back afterwards.
        let liar = deploy(&ceremony.anvil, "Liar", &[]);
        ceremony.anvil.set_code(vault, &ceremony.anvil.code(liar));
        ceremony.anvil.mine(1);
    });
    refused(run, 10, &["mined, but not as rehearsed", &vault.to_string()]).never_says("done and proven");
}

/// A value that changes with time is not a difference.
#[test]
fn a_contract_that_writes_the_time_is_proven_all_the_same() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let dated = deploy(&ceremony.anvil, "Dated", &ceremony.safe.abi_encode());
    signed_for(&mut ceremony, dated);
    let alice = &ceremony.desks[0];
    let later = ceremony.anvil.rpc("eth_getBlockByNumber", &json!(["latest", false]));
    let later: U256 = serde_json::from_value(later["timestamp"].clone()).unwrap();
    broadcast_while(alice, "it", &proxy, || {
        ceremony.anvil.rpc("evm_setNextBlockTimestamp", &json!([later + U256::from(500)]));
    })
    .ended(0)
    .says("done and proven");
    alice.run(&["status", "it"]).ended(0).says("done and proven");
}

/// Somebody else acts on the same contract in between: the transaction is run again on the state before it.
#[test]
fn a_change_by_somebody_else_in_between_is_not_a_difference() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let dated = deploy(&ceremony.anvil, "Dated", &ceremony.safe.abi_encode());
    signed_for(&mut ceremony, dated);
    let alice = &ceremony.desks[0];
    broadcast_while(alice, "it", &proxy, || {
        ceremony.anvil.set_storage(dated, B256::with_last_byte(1), B256::with_last_byte(77));
        ceremony.anvil.mine(1);
    })
    .ended(0)
    .says("done and proven");
    assert!(ceremony.anvil.view(dated, &pausedCall {}) && !is_paused(&ceremony));
}

/// The contract was upgraded to false code later, or the act was undone in the next block.
#[test]
fn status_says_what_held_then_and_what_holds_now() {
    let (mut ceremony, _proxy) = behind_a_proxy();
    let (proxied, liar) = upgradeable(&ceremony);
    signed_for(&mut ceremony, proxied);
    let alice = &ceremony.desks[0];
    broadcast(alice, &["it"]).ended(0).says("done and proven");
    let then = ceremony.anvil.block_number();
    ceremony.anvil.mine(3);
    alice.run(&["status", "it"]).ended(0).says(&format!("now, at block {}, it still holds", then + 3));
    let logic = ceremony.anvil.storage(proxied, IMPLEMENTATION);
    ceremony.anvil.set_storage(proxied, IMPLEMENTATION, liar.into_word());
    ceremony.anvil.mine(1);
    assert!(ceremony.anvil.view(proxied, &pausedCall {}), "the view says so");
    let named = [&format!("done at block {then} and no longer holds"), "it 0x", "another implementation"];
    refused(alice.run(&["status", "it"]), 5, &named).never_says("done and proven");
    ceremony.anvil.set_storage(proxied, IMPLEMENTATION, logic);
    as_the_safe(&ceremony, proxied, unpauseCall {}.abi_encode());
    refused(alice.run(&["status", "it"]), 5, &["no longer holds", "paused() is false"]);
}

/// The answer of a node with the state of 128 blocks about an older one.
fn prune(proxy: &Proxy, kept: u64) {
    proxy.rewrite(move |method, params, truth| {
        let state =
            ["eth_call", "eth_getStorageAt", "eth_getCode", "eth_getBalance", "eth_getTransactionCount"];
        let at = params.as_array().and_then(|params| params.last()?.as_str()).unwrap_or("latest");
        let old =
            at.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok()).is_some_and(|n| n < kept);
        if state.contains(&method) && old {
            return Err(
                json!({"code": -32000, "message": "missing trie node 0e1f (path ) state is not available"}),
            );
        }
        truth
    });
}

#[test]
fn without_the_state_of_that_block_the_newest_is_judged() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let (proxied, liar) = upgradeable(&ceremony);
    signed_for(&mut ceremony, proxied);
    let alice = &ceremony.desks[0];
    broadcast(alice, &["it"]).ended(0).says("done and proven");
    let then = ceremony.anvil.block_number();
    ceremony.anvil.mine(130);
    prune(&proxy, then + 2);
    let gone = format!("no RPC keeps the state of block {then} any more: judged at block {}", then + 130);
    alice.run(&["status", "it"]).ended(0).says(&gone).says("done and proven");
    broadcast(alice, &["it"]).ended(0).says(&gone).says("Nothing sent");
    // The block itself is kept, and the one before it is not.
    prune(&proxy, then);
    let alone = "was not compared with a rehearsal: no RPC keeps the state of that time";
    alice.run(&["status", "it"]).ended(0).says(alone).says("done and proven");
    // Now is judged with its code.
    prune(&proxy, then + 2);
    ceremony.anvil.set_storage(proxied, IMPLEMENTATION, liar.into_word());
    ceremony.anvil.mine(1);
    refused(alice.run(&["status", "it"]), 5, &["another implementation than when this was proposed"]);
}

#[test]
fn a_pin_is_checked_at_the_current_block_too() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let vault = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    let pin = alloy::primitives::keccak256(ceremony.anvil.code(vault));
    signed_for_target(&mut ceremony, &format!("{{ address = \"{vault}\", code = [\"{pin}\"] }}"));
    let alice = &ceremony.desks[0];
    broadcast(alice, &["it"]).ended(0).says("done and proven");
    let then = ceremony.anvil.block_number();
    ceremony.anvil.mine(130);
    prune(&proxy, then + 2);
    alice.run(&["status", "it"]).ended(0).says("done and proven");
    let liar = deploy(&ceremony.anvil, "Liar", &[]);
    ceremony.anvil.set_code(vault, &ceremony.anvil.code(liar));
    ceremony.anvil.mine(1);
    refused(alice.run(&["status", "it"]), 5, &["your council file does not pin"]);
}

/// Another past transaction, planted in the folder as if it had been sent for this proposal.
#[test]
fn a_record_of_another_transaction_says_nothing() {
    let (ceremony, _proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    broadcast(alice, &["vault"]).ended(0);
    let other = files(alice.folder()).into_iter().find(|file| path(file).contains("sent-")).unwrap();
    let undo = ["vault", "--undo"];
    sign(alice, &undo);
    import(alice, &undo, &sign(&ceremony.desks[1], &undo));
    let folders = files(alice.folder()).into_iter().filter(|file| path(file).ends_with("proposal.json"));
    let folder =
        folders.map(|file| file.parent().unwrap().to_path_buf()).find(|at| !other.starts_with(at)).unwrap();
    std::fs::copy(&other, folder.join(other.file_name().unwrap())).unwrap();
    broadcast(alice, &undo).ended(0).says("done and proven").never_says("sending anew");
    assert!(!is_paused(&ceremony));
}
