//! Several RPCs: which of them count, and what happens when one is down, slow, behind or hostile.

use std::fs;

use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::safe::SafeVersion;
use serde_json::json;

use crate::stage::{Anvil, Ceremony, Desk, Fault, Proxy, SafeSetup};
use crate::steps::{
    as_the_safe, behind_a_proxy, broadcast, files, is_paused, now, path, refused, refused_without_a_trace,
    run, signed_by_two, try_sign, with_key,
};

sol! {
    function pause() external;
    function unpause() external;
}

/// A ceremony whose council file names these RPCs.
fn with_rpcs(anvil: Anvil, rpc: &[String]) -> Ceremony {
    Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), rpc)
}

/// Changes a desk's council file, as if it had been so from the beginning.
fn edit(desk: &Desk, from: &str, to: &str) {
    let path = desk.path("breakglass.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    fs::write(path, text.replace(from, to)).unwrap();
    desk.forgets();
}

#[test]
fn one_rpc_named_twice_is_one_and_agrees_with_nobody() {
    let anvil = Anvil::start();
    let url = anvil.url();
    let rpc = [url.clone(), url.replace("127.0.0.1", "localhost") + "/"];
    let ceremony = with_rpcs(anvil, &rpc);
    let alice = &ceremony.desks[0];
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    refused_without_a_trace(alice, &words, 7, &["2 RPCs must agree, and only 1", "is the same as"]);
    // A third address makes two.
    let proxy = Proxy::to(&ceremony.anvil);
    edit(alice, "rpc = [", &format!("rpc = [{:?}, ", proxy.url()));
    alice.run(&["pause", "vault"]).ended(0).says("2 of 2 RPCs agree").says("rpc-same").says("is the same as");
}

/// A chain that began a while ago by its own blocks.
fn old_chain(seconds: u64) -> Anvil {
    Anvil::with_args(31_337, &["--timestamp", &(now() - seconds).to_string()])
}

/// Mines one block with this time.
fn mine_at(anvil: &Anvil, timestamp: u64) {
    anvil.rpc("evm_setNextBlockTimestamp", &json!([timestamp]));
    anvil.mine(1);
}

/// Two RPCs of one attacker, five blocks ahead on a chain of their own where the vault is paused, against three.
#[test]
fn two_rpcs_of_an_attacker_do_not_outvote_three() {
    let anvil = Anvil::start();
    let proxies: Vec<Proxy> = (0..4).map(|_| Proxy::to(&anvil)).collect();
    let rpc: Vec<String> = proxies.iter().map(Proxy::url).chain([anvil.url()]).collect();
    let ceremony = with_rpcs(anvil, &rpc);
    let alice = &ceremony.desks[0];
    edit(alice, "rpc = [", "quorum = 2\nrpc = [");
    for attacker in &proxies[..2] {
        attacker.rewrite(|method, params, truth| match method {
            "eth_getBlockByNumber" => truth.map(|mut block| {
                if let Some(hash) = block["hash"].as_str().map(|hash| format!("0x66{}", &hash[4..])) {
                    block["hash"] = json!(hash);
                }
                if params[0] == "latest" {
                    let number = u64::from_str_radix(&block["number"].as_str().unwrap()[2..], 16).unwrap();
                    block["number"] = json!(format!("{:#x}", number + 5));
                }
                block
            }),
            "eth_call" if params[0]["data"] == "0x5c975abb" => Ok(json!(format!("0x{:064x}", 1))),
            _ => truth,
        });
    }
    alice.run(&["pause", "vault"]).ended(0).says("3 of 5 RPCs agree").says("rpc-outvoted");
    // Two against two: nobody is believed, and who says what is told.
    edit(alice, &format!(", {:?}]", rpc[4]), "]");
    refused_without_a_trace(alice, &["pause".into(), "vault".into()], 7, &["3 must", "another block"]);
}

#[test]
fn one_rpc_of_two_that_is_silent_stops_nobody_for_long() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let rpc = [anvil.url(), proxy.url()];
    let ceremony = with_rpcs(anvil, &rpc);
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    proxy.fail(Some(Fault::Hang));
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let says = ["1 of 2 RPCs agree", "did not answer within", "--quorum 1"];
    // A request may take 20 seconds.
    refused_without_a_trace(alice, &words, 7, &says).never_says("within 20 s");
    // With one that answers, for this run: recorded, and shown to whoever signs next.
    let run = run(alice, &with_key(alice, &["--json", "sign", "vault", "--yes", "--quorum", "1"]))
        .ended(0)
        .says("ask again when the others answer");
    assert_eq!(run.json()["signatures"][0]["accepted"], json!(["quorum:1"]));
    run.says("1 RPC had to agree in this run, and the council file asks for 2");
    proxy.fail(None);
    for file in files(alice.folder()).iter().filter(|file| path(file).contains("incidents/")) {
        let there = bob.path(path(file.strip_prefix(alice.folder()).unwrap()));
        fs::create_dir_all(there.parent().unwrap()).unwrap();
        fs::copy(file, there).unwrap();
    }
    try_sign(bob, &["vault"])
        .ended(0)
        .says("the file says that alice accepted quorum:1")
        .never_says("! quorum:");
    assert!(!alice.run(&["pause", "vault", "--quorum", "0"]).ended(2).stderr.is_empty());
}

#[test]
fn already_paused_at_an_old_block_is_not_believed() {
    let anvil = old_chain(1_000);
    let proxy = Proxy::to(&anvil);
    let rpc = [anvil.url(), proxy.url()];
    let ceremony = with_rpcs(anvil, &rpc);
    let alice = &ceremony.desks[0];
    edit(alice, "rpc = [", "block_time = \"2 seconds\"\nrpc = [");
    as_the_safe(&ceremony, ceremony.vault, pauseCall {}.abi_encode());
    // One of the two shows the block in which it was paused: the other has it too.
    ceremony.anvil.rpc("evm_setNextBlockTimestamp", &json!([now()]));
    as_the_safe(&ceremony, ceremony.vault, unpauseCall {}.abi_encode());
    assert!(!is_paused(&ceremony));
    proxy.lag(1);
    let words = ["pause".to_string(), "vault".into()];
    refused_without_a_trace(alice, &words, 4, &["refused (block-age:", "minutes old", "is at block"]);
    // With one that must agree, the one that stands still holds nobody back, and is named.
    alice.run(&["pause", "vault", "--quorum", "1"]).ended(0).says("older than the newest");
    proxy.lag(0);
    alice.run(&["pause", "vault"]).ended(0).says("2 of 2 RPCs agree").says("s old");
}

#[test]
fn a_chain_that_stands_still_can_be_accepted_and_a_wrong_clock_is_named() {
    let anvil = old_chain(1_000);
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &[]);
    let alice = &ceremony.desks[0];
    edit(alice, "rpc = []", &format!("block_time = \"2 seconds\"\nrpc = [{:?}]", ceremony.anvil.url()));
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    refused_without_a_trace(alice, &words, 4, &["block-age", "the chain stands still"]);
    alice.run(&["status", "vault"]).ended(4).says("the chain stands still").says("s old");
    let head = ceremony.anvil.rpc("eth_getBlockByNumber", &json!(["latest", false]));
    let made = u64::from_str_radix(&head["timestamp"].as_str().unwrap()[2..], 16).unwrap();
    let accept = format!("block-age:{made}");
    run(alice, &with_key(alice, &["sign", "vault", "--yes", "--accept", &accept])).ended(0);
    mine_at(&ceremony.anvil, now() + 600);
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    refused_without_a_trace(alice, &words, 4, &["refused (clock:", "this machine's clock is wrong"]);
}

#[test]
fn a_provider_that_takes_three_requests_at_once_is_asked_by_three() {
    let (ceremony, proxy) = behind_a_proxy();
    proxy.limit(3);
    let alice = &ceremony.desks[0];
    let run = alice.run(&["pause", "vault"]).ended(0).says("takes only 3 requests at once");
    run.says("write batch = 3");
    edit(alice, "rpc = [", "batch = 3\nrpc = [");
    alice.run(&["pause", "vault"]).ended(0).never_says("takes only");
}

/// An RPC that is behind does not make a mined transaction "not mined": the RPCs that know it are named, and those that do not.
#[test]
fn a_transaction_that_only_one_rpc_has_is_not_called_not_mined() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let rpc = [anvil.url(), proxy.url()];
    let ceremony = with_rpcs(anvil, &rpc);
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.mine(1);
    proxy.lag(1);
    refused(broadcast(alice, &["vault", "--wait", "1"]), 7, &["has it in block", "does not know it yet"]);
    proxy.lag(0);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
}

/// On a slow network, the first evaluation of a lever costs two rounds and a small download.
#[test]
fn the_first_evaluation_of_a_lever_downloads_little() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let ceremony = with_rpcs(anvil, &[proxy.url()]);
    proxy.pack().forget_counts();
    ceremony.desks[0].run(&["pause", "vault"]).ended(0);
    let counts = proxy.counts();
    assert!(counts.rounds <= 2 && counts.bytes < 25_000, "{} rounds, {} bytes", counts.rounds, counts.bytes);
}
