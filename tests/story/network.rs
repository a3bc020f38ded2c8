//! An RPC that is down, slow, broken, hostile or on another chain.

use std::fs;

use alloy::primitives::{Address, U256};
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};

use crate::stage::{Anvil, Ceremony, Fault, Proxy, SafeSetup, dead_url};
use crate::steps::{
    behind_a_proxy, broadcast, executed, is_paused, owned, pausedCall, records, refused,
    refused_without_a_trace, sent, sign, signed_by_two, try_sign, two_of_three, with_key,
};

/// Returns `true` if a call's parameters are a call of this function.
fn calls<C: SolCall>(params: &Value) -> bool {
    let data = params[0]["data"].as_str().or(params[0]["input"].as_str()).unwrap_or("");
    data.starts_with(&alloy::hex::encode_prefixed(C::SELECTOR))
}

#[test]
fn a_broken_rpc_is_named_by_its_host_and_leaves_nothing_behind() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let (carol, host) = (&ceremony.desks[2], proxy.url().replace("http://", ""));
    for (fault, word) in [
        (Fault::Close, "cannot be reached"),
        (Fault::Garbage, "did not answer as JSON-RPC asks"),
        (Fault::Half, "did not answer as JSON-RPC asks"),
        (Fault::Status(403), "HTTP 403"),
        (Fault::Status(404), "404"),
        (Fault::Status(302), "redirection"),
        (Fault::Status(503), "503"),
    ] {
        proxy.fail(Some(fault));
        let words = with_key(carol, &["sign", "vault", "--yes"]);
        refused_without_a_trace(carol, &words, 7, &[&host, word]);
        refused_without_a_trace(alice, &owned(&["status", "vault"]), 7, &[&host, word]);
    }
    refused_without_a_trace(carol, &owned(&["pause", "vault"]), 7, &[&host]);
    refused(broadcast(alice, &["vault"]), 7, &[&host]);
    let init = ["--council", "new.toml", "init", "--safe", &ceremony.safe.to_string(), "--rpc", &proxy.url()];
    refused_without_a_trace(carol, &owned(&init), 7, &[&host]);
    assert_eq!(sent(&proxy), 0);
    proxy.fail(None);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
}

#[test]
fn an_rpc_that_is_not_there_or_never_answers() {
    let (ceremony, proxy) = behind_a_proxy();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let dead = dead_url();
    fs::write(bob.path("breakglass.toml"), ceremony.council().replace(&proxy.url(), &dead)).unwrap();
    let words = with_key(bob, &["sign", "vault", "--yes"]);
    refused_without_a_trace(bob, &words, 7, &[&dead.replace("http://", ""), "cannot be reached"]);
    proxy.fail(Some(Fault::Hang));
    let host = proxy.url().replace("http://", "");
    refused_without_a_trace(alice, &owned(&["pause", "vault"]), 7, &[&host, "did not answer within"]);
}

#[test]
fn an_error_object_is_shown_as_one_line_and_no_more() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    proxy.rewrite(|_, _, _| {
        Err(json!({"code": -32000, "message": "\u{1b}[2J\u{202e}header not found\nFORGED", "data": "\u{1b}"}))
    });
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let run = refused_without_a_trace(alice, &words, 7, &["header not found", "-32000"]);
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']) && !run.stderr.contains("\nFORGED"), "{run:?}");
}

#[test]
fn another_chain_is_refused_by_both_numbers() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let council = ceremony.council().replace("id = 31337", "id = 1");
    let carol = &ceremony.desks[2];
    fs::write(carol.path("breakglass.toml"), &council).unwrap();
    for words in [owned(&["pause", "vault"]), with_key(carol, &["sign", "vault", "--yes"])] {
        refused_without_a_trace(carol, &words, 7, &["chain 31337", "chain 1"]);
    }
    // The chain moves away under a desk whose council file is right.
    let anvil = Anvil::with_chain_id(5);
    fs::write(alice.path("breakglass.toml"), ceremony.council().replace(&ceremony.anvil.url(), &anvil.url()))
        .unwrap();
    alice.forgets();
    refused(broadcast(alice, &["vault"]), 7, &["chain 5", "chain 31337"]);
    refused(alice.run(&["status", "vault"]), 7, &["chain 5", "chain 31337"]);
    assert_eq!(executed(&ceremony), 0);
}

/// One RPC that lies about the owners: the council file's pins say otherwise.
#[test]
fn an_rpc_that_lies_about_the_owners_meets_the_council_files_pins() {
    let (ceremony, proxy) = behind_a_proxy();
    let stranger = Address::repeat_byte(0x77);
    let mut owners = ceremony.setup.owners.clone();
    owners[2] = stranger;
    proxy.rewrite(move |method, params, truth| {
        let asks = method == "eth_call" && calls::<breakglass::safe::ISafe::getOwnersCall>(params);
        if asks { Ok(json!(alloy::hex::encode_prefixed(owners.abi_encode()))) } else { truth }
    });
    let alice = &ceremony.desks[0];
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    refused_without_a_trace(alice, &words, 5, &["safe-owners", &stranger.to_string()]);
}

/// Two RPCs must agree, and one lies or is down: no value is taken from only one.
#[test]
fn two_rpcs_must_agree() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let rpc = [proxy.url(), anvil.url()];
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &rpc);
    let alice = &ceremony.desks[0];
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    proxy.rewrite(|method, params, truth| {
        let asks = method == "eth_call" && calls::<pausedCall>(params);
        if asks { Ok(json!(alloy::hex::encode_prefixed(true.abi_encode()))) } else { truth }
    });
    let host = proxy.url().replace("http://", "");
    refused_without_a_trace(alice, &words, 7, &[&host, "differs"]);
    proxy.honest().fail(Some(Fault::Status(500)));
    refused_without_a_trace(alice, &words, 7, &[&host, "500", "1 of 2"]);
    proxy.fail(None);
    sign(alice, &["vault"]);
}

/// The node took the transaction, but the paused vault was never read: not proven is not done.
#[test]
fn an_effect_that_cannot_be_seen_is_not_proven() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.rewrite(|method, params, truth| {
        let asks = method == "eth_call" && calls::<pausedCall>(params);
        if asks { Ok(json!(alloy::hex::encode_prefixed(false.abi_encode()))) } else { truth }
    });
    refused(broadcast(alice, &["vault"]), 1, &["executed, but not proven", "paused()"]);
    proxy.honest();
    broadcast(alice, &["vault"]).ended(0).says("Nothing sent").says("done and proven");
    assert_eq!((sent(&proxy), executed(&ceremony)), (1, 1));
}

#[test]
fn a_transaction_that_no_rpc_took_is_sent_by_the_next_run() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.fail_at("eth_sendRawTransaction", Fault::Status(403));
    refused(broadcast(alice, &["vault"]), 7, &["took transaction", "403"]);
    assert!(!is_paused(&ceremony));
    proxy.fail(None);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!(executed(&ceremony), 1);
}

/// The node took the transaction and its answer was lost: the hash is known, so the run waits and sends nothing twice.
#[test]
fn an_answer_that_is_lost_after_sending_sends_nothing_twice() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.fail_at("eth_sendRawTransaction", Fault::Half);
    broadcast(alice, &["vault"]).ended(0).says("not confirmed").says("may have left").says("done and proven");
    proxy.fail(None).forget_counts();
    broadcast(alice, &["vault"]).ended(0).says("Nothing sent").says("done and proven");
    assert_eq!((sent(&proxy), executed(&ceremony)), (0, 1));
}

/// No receipt within the waiting time: the next run sends the same bytes again and waits.
#[test]
fn a_transaction_that_is_not_mined_in_time_is_waited_for_and_no_other_is_made() {
    let (ceremony, _proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.rpc("evm_setAutomine", &json!([false]));
    refused(broadcast(alice, &["vault", "--wait", "0"]), 7, &["is not mined", "run the same command again"]);
    refused(broadcast(alice, &["vault", "--wait", "0"]), 7, &["is not mined", "Nothing new sent"]);
    assert_eq!(records(alice), 1);
    ceremony.anvil.mine(1);
    broadcast(alice, &["vault"]).ended(0).says("Nothing sent").says("done and proven");
    assert_eq!((records(alice), executed(&ceremony)), (1, 1));
}

/// Texts that are not numbers in the place of numbers.
#[test]
fn numbers_out_of_range_are_refused_and_never_panic() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    for nonsense in [
        json!("0x"),
        json!(format!("{:#x}", U256::MAX)),
        json!(-1),
        json!(null),
        json!("\u{1b}[2J"),
        json!([]),
        json!({"number": "0x1"}),
    ] {
        for wanted in ["eth_chainId", "eth_getStorageAt", "eth_getCode", "eth_call", "eth_getBlockByNumber"] {
            let answer = nonsense.clone();
            proxy.rewrite(move |method, _, truth| if method == wanted { Ok(answer.clone()) } else { truth });
            let run = try_sign(alice, &["vault"]).never_says("panicked");
            assert!(!run.stderr.contains('\u{1b}'), "{wanted} {nonsense}: {run:?}");
            // Any code is code: the Safe's own is not known byte for byte.
            if wanted != "eth_getCode" {
                assert!(matches!(run.code, 1 | 4 | 5 | 7), "{wanted} {nonsense}: {run:?}");
                assert!(run.stdout.is_empty(), "{wanted} {nonsense}: {run:?}");
            }
        }
    }
}
