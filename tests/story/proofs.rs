//! `--proofs`: what an RPC answers is held against the state root of its block, so that even a single one cannot lie.

use alloy::primitives::{Address, B256, U256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};

use crate::stage::{Anvil, Ceremony, Proxy, SafeSetup};
use crate::steps::{
    as_the_safe, behind_a_proxy, broadcast, import, is_paused, pausedCall, refused, refused_without_a_trace,
    sign, signed_by_two, try_sign, with_key,
};

sol! {
    function transferOwnership(address newOwner) external;
    function pause() external;
}

fn proven(ceremony: &Ceremony) -> String {
    format!("proven against the state root of block {}", ceremony.anvil.block_number())
}

#[test]
fn everything_that_is_shown_is_proven_in_one_round_more() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    let rounds = |args: &[&str], code: i32| {
        proxy.forget_counts();
        let run = alice.run(args).ended(code).says(&proven(&ceremony));
        (run, proxy.counts().rounds)
    };
    let (run, count) = rounds(&["pause", "vault", "--proofs"], 0);
    run.says(&format!("1 of 1 RPCs agree, {}", proven(&ceremony))).says("✓ vault paused() is true");
    assert_eq!(count, 3, "two rounds to rehearse, one to prove");
    assert_eq!(rounds(&["dry-run", "vault", "--proofs"], 0).1, 2);
    let (run, count) = rounds(&["--json", "dry-run", "vault", "--proofs"], 0);
    let said = run.json()["proven"].as_str().unwrap().to_string();
    // The block's hash is there to be compared: a block can be made up with everything in it.
    let block = ceremony.anvil.rpc("eth_getBlockByNumber", &json!(["latest", false]));
    assert_eq!(said, format!("{}, {}", proven(&ceremony), block["hash"].as_str().unwrap()));
    assert_eq!(count, 2);
    assert_eq!(rounds(&["check", "vault", "--proofs"], 0).1, 2);
    // Without a rehearsal the answers to the playbook's checks come from values that are asked for first.
    assert_eq!(rounds(&["status", "vault", "--proofs"], 3).1, 4);
    try_sign(alice, &["vault", "--proofs"]).ended(0).says(&proven(&ceremony));
    let plain = alice.run(&["--json", "dry-run", "vault"]).ended(0);
    assert_eq!(plain.json()["proven"], Value::Null);

    let alice = signed_by_two(&ceremony);
    let proven = proven(&ceremony);
    broadcast(alice, &["vault", "--proofs"]).ended(0).says(&proven).says("done and proven");
    assert!(is_paused(&ceremony));
    alice.run(&["sign", "vault", "--offline", "--proofs"]).ended(2).says("cannot be used with");
}

/// The Safe's own storage is read and proven too if its lever works on the Safe itself.
#[test]
fn a_rotation_is_proven_whole() {
    let (mut ceremony, _proxy) = behind_a_proxy();
    ceremony.add_to_council(&format!(
        "\n[levers.rotate]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\n\
         set = {{ old = \"{}\", new = \"{}\" }}\n",
        ceremony.setup.owners[1],
        Address::repeat_byte(0x42),
    ));
    let alice = &ceremony.desks[0];
    alice.run(&["rotate", "rotate", "--proofs"]).ended(0).says(&proven(&ceremony));
}

/// Answers something else for one slot, and that every call of `pause()` would go well.
fn lie_about_a_slot(proxy: &Proxy, of: Address, slot: B256, told: U256) {
    let pause = json!(alloy::hex::encode_prefixed(pauseCall {}.abi_encode()));
    proxy.rewrite(move |method, params, truth| match method {
        "eth_getStorageAt" if params[0] == json!(of) && params[1] == json!(slot) => {
            Ok(json!(B256::from(told)))
        }
        "eth_call" if params[0]["data"] == pause => Ok(json!("0x")),
        _ => truth,
    });
}

/// The vault has another owner, and the only RPC hides it: only a proof can show it.
#[test]
fn a_single_rpc_that_lies_about_a_slot_is_refused() {
    let (ceremony, proxy) = behind_a_proxy();
    let thief = Address::repeat_byte(0x66);
    as_the_safe(&ceremony, ceremony.vault, transferOwnershipCall { newOwner: thief }.abi_encode());
    let alice = &ceremony.desks[0];
    alice.run(&["pause", "vault"]).ended(4).says("OwnableUnauthorizedAccount");
    lie_about_a_slot(&proxy, ceremony.vault, B256::ZERO, U256::from_be_slice(ceremony.safe.as_slice()));
    sign(alice, &["vault"]);

    let slot = format!("slot {} of {}", B256::ZERO, ceremony.vault);
    let host = proxy.url().replace("http://", "");
    let named = ["is not proven", &host, "cannot prove its answer", &slot];
    for command in [&["pause", "vault", "--proofs"][..], &["dry-run", "vault", "--proofs"]] {
        refused(alice.run(command), 7, &named);
    }
    let bob = &ceremony.desks[1];
    refused_without_a_trace(bob, &with_key(bob, &["sign", "vault", "--yes", "--proofs"]), 7, &named);
}

/// A view is executed on this machine: the RPC's answer for it is not used.
#[test]
fn a_single_rpc_that_lies_about_a_call_is_refused() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    proxy.rewrite(|method, params, truth| {
        let data = params[0]["data"].as_str().unwrap_or_default();
        let asks = method == "eth_call" && data == alloy::hex::encode_prefixed(pausedCall {}.abi_encode());
        if asks { Ok(json!(alloy::hex::encode_prefixed(true.abi_encode()))) } else { truth }
    });
    let call = format!("to {}", ceremony.vault);
    refused(
        alice.run(&["dry-run", "vault", "--proofs"]),
        7,
        &["is not proven", "the answer to the call", &call],
    );
}

/// The owners, the threshold and the guard are slots of the Safe, however they were read.
#[test]
fn a_single_rpc_that_lies_about_the_safe_is_refused() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    let council = ceremony.council();
    // A council that pins nothing has to believe what it reads.
    let pinned = council.lines().filter(|l| !l.starts_with("owners =") && !l.starts_with("threshold ="));
    std::fs::write(alice.path("breakglass.toml"), pinned.collect::<Vec<_>>().join("\n")).unwrap();
    let safe = ceremony.safe;
    let threshold = B256::with_last_byte(4);
    lie_about_a_slot(&proxy, safe, threshold, U256::ONE);
    alice.run(&["pause", "vault"]).ended(0).says("0 of 1 signed");
    let slot = format!("slot {threshold} of {safe}");
    refused(alice.run(&["dry-run", "vault", "--proofs"]), 7, &["is not proven", &slot]);
    refused(alice.run(&["status", "vault", "--proofs"]), 7, &["is not proven", &slot]);
}

/// Nonce, log, receipt and view all report an execution that did not happen.
#[test]
fn a_single_rpc_that_invents_the_execution_is_refused() {
    let (ceremony, proxy) = behind_a_proxy();
    let [alice, bob, _] = &ceremony.desks[..] else { panic!("three desks") };
    let lines = [sign(alice, &["vault"]), sign(bob, &["vault"])].join("\n");
    import(alice, &["vault"], &lines);
    import(bob, &["vault"], &lines);
    let anvil = &ceremony.anvil;
    let mark = anvil.rpc("evm_snapshot", &json!([]));
    let tx = broadcast(alice, &["vault"]).ended(0).stdout.trim().to_string();
    let mut receipt = anvil.rpc("eth_getTransactionReceipt", &json!([tx]));
    let mut logs = receipt["logs"].clone();
    anvil.rpc("evm_revert", &json!([mark]));
    anvil.mine(1);
    assert!(!is_paused(&ceremony));

    let block = anvil.rpc("eth_getBlockByNumber", &json!(["latest", false]));
    for place in std::iter::once(&mut receipt).chain(logs.as_array_mut().unwrap()) {
        place["blockNumber"] = block["number"].clone();
        place["blockHash"] = block["hash"].clone();
    }
    receipt["logs"] = logs.clone();
    let events = logs.as_array().unwrap().iter().filter(|log| log["address"] == json!(ceremony.safe));
    let events = Value::Array(events.cloned().collect());
    let (safe, paused) =
        (json!(ceremony.safe), json!(alloy::hex::encode_prefixed(pausedCall {}.abi_encode())));
    proxy.rewrite(move |method, params, truth| match method {
        "eth_getStorageAt" if params[0] == safe && params[1] == json!(B256::with_last_byte(5)) => {
            Ok(json!(B256::with_last_byte(1)))
        }
        "eth_getLogs" => Ok(events.clone()),
        "eth_getTransactionReceipt" => Ok(receipt.clone()),
        "eth_call" if params[0]["data"] == paused => {
            Ok(json!(alloy::hex::encode_prefixed(true.abi_encode())))
        }
        _ => truth,
    });
    // Without a proof it shows as well: run again on the block before, it cannot have been executed there.
    broadcast(bob, &["vault"]).ended(10).says("mined, but not as rehearsed").never_says("done and proven");
    let run = refused(broadcast(bob, &["vault", "--proofs"]), 7, &["is not proven"]);
    run.never_says("done and proven");
}

/// A sent transaction is never reported as not sent, even if the RPC proves something else afterwards.
#[test]
fn proofs_that_end_with_the_sending_leave_no_doubt_that_it_was_sent() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let sent = std::sync::atomic::AtomicBool::new(false);
    proxy.rewrite(move |method, _, truth| match method {
        "eth_sendRawTransaction" => {
            sent.store(true, std::sync::atomic::Ordering::Relaxed);
            truth
        }
        "eth_getProof" if sent.load(std::sync::atomic::Ordering::Relaxed) => {
            Err(json!({"code": -32601, "message": "the method does not exist"}))
        }
        _ => truth,
    });
    let run = refused(broadcast(alice, &["vault", "--proofs"]), 7, &["the outcome is not proven"]);
    run.says("nothing has to be sent again").never_says("nothing was done").never_says("done and proven");
    assert!(is_paused(&ceremony));
    alice.run(&["status", "vault"]).ended(0).says("done and proven");
}

/// An access list is only a hint: one with thousands of entries stops nothing.
#[test]
fn an_access_list_that_names_too_much_stops_nobody() {
    let (ceremony, proxy) = behind_a_proxy();
    let list: Vec<Value> = (0..1_500_u32)
        .map(|n| json!({"address": Address::left_padding_from(&(n + 1_000_000).to_be_bytes()), "storageKeys": []}))
        .collect();
    proxy.rewrite(move |method, _, truth| match method {
        "eth_createAccessList" => Ok(json!({"accessList": list, "gasUsed": "0x1"})),
        _ => truth,
    });
    ceremony.desks[0].run(&["pause", "vault"]).ended(0).says("✓ vault paused() is true");
    let codes = proxy.counts().by_method.get("eth_getCode").copied().unwrap_or(0);
    assert!(codes < 100, "{codes}");
}

#[test]
fn an_rpc_without_proofs_is_reported() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    proxy.rewrite(|method, _, truth| match method {
        "eth_getProof" => Err(json!({"code": -32601, "message": "the method does not exist"})),
        _ => truth,
    });
    let named = ["refuses eth_getProof: the method does not exist", "leave out --proofs"];
    refused(alice.run(&["pause", "vault", "--proofs"]), 7, &named);
    alice.run(&["pause", "vault"]).ended(0);
    // A proof of something else is none.
    proxy.rewrite(|method, _, truth| match method {
        "eth_getProof" => truth.map(|mut proof| {
            proof["storageProof"] = json!([]);
            proof
        }),
        _ => truth,
    });
    refused(alice.run(&["pause", "vault", "--proofs"]), 7, &["cannot prove its answer"]);
}

/// A proof needs no quorum: one RPC that has it is enough, and a value that a quorum agreed on is refused if the proof
/// contradicts it.
#[test]
fn one_of_several_rpcs_is_enough_for_the_proof() {
    let anvil = Anvil::start();
    let proxies = [Proxy::to(&anvil), Proxy::to(&anvil)];
    let rpc = proxies.each_ref().map(Proxy::url);
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &rpc);
    let alice = &ceremony.desks[0];
    proxies[0].rewrite(|method, _, truth| match method {
        "eth_getProof" => Err(json!({"code": -32601, "message": "the method does not exist"})),
        _ => truth,
    });
    let run = alice.run(&["pause", "vault", "--proofs"]).ended(0);
    run.says(&format!("2 of 2 RPCs agree, {}", proven(&ceremony)));

    // Two that lie alike are a quorum, and the proof tells on them all the same.
    for proxy in &proxies {
        let safe = json!(ceremony.safe);
        proxy.rewrite(move |method, params, truth| match method {
            "eth_getBalance" if params[0] == safe => Ok(json!("0x7")),
            _ => truth,
        });
    }
    let account = format!("account {}", ceremony.safe);
    alice.run(&["dry-run", "vault"]).ended(0).says("2 of 2 RPCs agree");
    let run = refused(alice.run(&["dry-run", "vault", "--proofs"]), 7, &["is not proven", &account]);
    proxies.iter().fold(run, |run, proxy| run.says(&proxy.url().replace("http://", "")));
}

/// A block's events are in its receipts root: an event that an RPC adds to a receipt is not.
#[test]
fn the_events_of_a_receipt_are_proven_or_not_said_to_be() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let run = broadcast(alice, &["vault", "--proofs"]).ended(0).says("done and proven");
    run.says(&format!("its events against the receipts root of block {}", ceremony.anvil.block_number()));
    let told = alice.run(&["--json", "status", "vault", "--proofs"]).ended(0).json();
    assert_eq!(told["level"], json!("roots"), "{told}");

    // One that does not tell all the receipts, and one that tells others.
    let denied = || Err(json!({"code": -32601, "message": "the method does not exist"}));
    proxy.rewrite(move |method, _, truth| if method == "eth_getBlockReceipts" { denied() } else { truth });
    let told = alice.run(&["--json", "status", "vault", "--proofs"]).ended(0).json();
    assert_eq!(told["level"], json!("state root"), "{told}");
    alice
        .run(&["status", "vault", "--proofs"])
        .ended(0)
        .says("its events by the word of one RPC: no RPC has all receipts");
    let made_up = |receipt: &mut Value| {
        let logs = receipt["logs"].as_array_mut().unwrap();
        let mut more = logs[0].clone();
        more["topics"] = json!([B256::repeat_byte(7)]);
        logs.push(more);
    };
    proxy.rewrite(move |method, _, truth| match method {
        "eth_getBlockReceipts" => truth.map(|mut all| {
            all.as_array_mut().unwrap().iter_mut().for_each(made_up);
            all
        }),
        _ => truth,
    });
    let why = "its receipts do not give the block's receipts root";
    alice.run(&["status", "vault", "--proofs"]).ended(0).says(why);
    proxy.rewrite(move |method, _, truth| match method {
        "eth_getTransactionReceipt" => truth.map(|mut receipt| {
            made_up(&mut receipt);
            receipt
        }),
        _ => truth,
    });
    let run = refused(alice.run(&["status", "vault", "--proofs"]), 10, &["was not rehearsed"]);
    run.never_says("done and proven");
}
