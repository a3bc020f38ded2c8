//! From the question to the block: who sees the signatures and when, what is read again, and a transaction that is stuck.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use alloy::primitives::{U256, hex};
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};

use crate::stage::{Anvil, Ceremony, Desk, Fault, Proxy, SafeSetup, Terminal};
use crate::steps::{
    self, behind_a_proxy, broadcast, executed, files, import, is_paused, path, read_json, records, refused,
    run, sent, sign, signed_by_two, two_of_three, with_key,
};

const GWEI: u64 = 1_000_000_000;

fn base_fee(anvil: &Anvil, gwei: u64) {
    anvil.rpc("anvil_setNextBlockBaseFeePerGas", &json!([U256::from(gwei * GWEI)]));
    anvil.mine(1);
}

/// A broadcast at a terminal, up to the question.
fn asked(desk: &Desk) -> Terminal {
    steps::asked(desk, &["broadcast", "vault"], "Send vault now? Type the Safe's name")
}

/// Longer than a block of this chain can be taken to last.
fn think() {
    thread::sleep(Duration::from_millis(1100));
}

/// The owners' signatures that lie at a desk, as hexadecimal digits without `v`.
fn signatures(desk: &Desk) -> Vec<String> {
    let kept = files(desk.folder()).into_iter().filter(|file| path(file).ends_with(".sig.json"));
    let all: Vec<String> =
        kept.map(|file| read_json(&file)["signature"].as_str().unwrap()[2..130].to_lowercase()).collect();
    assert_eq!(all.len(), 2, "two have signed");
    all
}

/// Returns how many requests with this method (or any) showed a signature to an RPC.
fn shown(proxy: &Proxy, method: Option<&str>, signatures: &[String]) -> usize {
    signatures.iter().map(|signature| proxy.asked_with(method, signature)).sum()
}

#[test]
fn no_rpc_sees_a_signature_before_the_transaction_itself() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let signatures = signatures(alice);
    proxy.rewrite(|method, _, truth| {
        assert!(method != "eth_estimateGas" || truth.is_ok(), "the estimate failed: {truth:?}");
        truth
    });
    for looks in [
        &["status", "vault"][..],
        &["check", "vault"],
        &["dry-run", "vault"],
        &["broadcast", "vault", "--calldata"],
    ] {
        alice.run(looks).ended(0);
    }
    // Everything is ready, and nobody is there to be asked.
    run(alice, &with_key(alice, &["broadcast", "vault"])).ended(2).says("--confirm guardian");
    assert_eq!(shown(&proxy, None, &signatures), 0);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!(shown(&proxy, None, &signatures), 2, "both, in the one transaction");
    assert_eq!((shown(&proxy, Some("eth_sendRawTransaction"), &signatures), sent(&proxy)), (2, 1));
    assert!(proxy.counts().by_method.contains_key("eth_estimateGas"), "the estimate was asked for unsigned");
}

#[test]
fn a_transaction_sent_during_the_question_is_found_and_none_is_sent() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let dave = ceremony.outsider("dave", crate::stage::key(5));
    let alices =
        path(&files(alice.folder()).into_iter().find(|f| f.ends_with("proposal.json")).unwrap()).to_string();
    let lines = alice.run(&["export", "vault"]).ended(0).stdout;
    fs::copy(&alices, dave.path("proposal.json")).unwrap();
    import(&dave, &["proposal.json"], &lines);
    let mut terminal = asked(alice);
    broadcast(&dave, &["proposal.json"]).ended(0);
    think();
    let before = sent(&proxy);
    terminal.types("guardian\n");
    let daves = dave.key.address.to_string();
    terminal
        .ended(0)
        .says("Nothing sent: already executed by somebody else")
        .says(&daves)
        .says("done and proven");
    assert_eq!((sent(&proxy), records(alice)), (before, 0));
}

#[test]
fn fees_that_rose_while_the_question_stood_are_asked_for_again() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let mut terminal = asked(alice);
    base_fee(&ceremony.anvil, 40);
    think();
    terminal
        .types("guardian\n")
        .asks("it costs more now than when you were asked")
        .asks_times("Send vault now? Type the Safe's name", 2);
    terminal.types("no\n");
    refused(terminal.ended(4), 4, &["the Safe's name is guardian"]);
    assert_eq!((records(alice), executed(&ceremony)), (0, 0));
    // Within the limit that was agreed to, nobody is asked twice.
    let mut terminal = asked(alice);
    think();
    terminal.types("guardian\n");
    terminal.ended(0).never_says("it costs more now").says("done and proven");
}

#[test]
fn the_payer_and_the_cost_are_shown_before_the_question() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let run = run(alice, &with_key(alice, &["broadcast", "vault"])).ended(2);
    let payer = format!("payer alice {}", alice.key.address);
    run.says(&payer).says("gas").says("gwei now").says("ether now,").says("ether at most");
}

/// The limit and the tip of each transaction that a desk has signed for sending, the lowest first, in wei.
fn fees_sent(desk: &Desk) -> Vec<(u128, u128)> {
    let kept = files(desk.folder()).into_iter().filter(|f| path(f).contains("sent-"));
    let fees = |file: std::path::PathBuf| {
        let raw = hex::decode(read_json(&file)["raw"].as_str().unwrap()).unwrap();
        let tx =
            <alloy::consensus::TxEnvelope as alloy::network::eip2718::Decodable2718>::decode_2718_exact(&raw);
        let alloy::consensus::TxEnvelope::Eip1559(tx) = tx.unwrap() else { panic!() };
        (tx.tx().max_fee_per_gas, tx.tx().max_priority_fee_per_gas)
    };
    let mut all: Vec<_> = kept.map(fees).collect();
    all.sort_unstable();
    all
}

#[test]
fn the_person_overrules_the_tip_and_raises_it_for_one_that_waits() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.rewrite(
        |method, _, truth| if method == "eth_maxPriorityFeePerGas" { Ok(json!("0x0")) } else { truth },
    );
    refused(
        broadcast(alice, &["vault", "--priority-fee", "501"]),
        2,
        &["--priority-fee 501", "--max-fee 500"],
    );
    refused(
        broadcast(alice, &["vault", "--priority-fee", "3", "--max-fee", "2"]),
        2,
        &["more than --max-fee 2"],
    );
    alice.run(&["broadcast", "vault", "--priority-fee", "-1"]).ended(2);
    alice.run(&["broadcast", "vault", "--priority-fee", "a lot"]).ended(2).says("write gwei as 2 or 1.5");
    assert_eq!((sent(&proxy), records(alice)), (0, 0));
    ceremony.anvil.rpc("evm_setAutomine", &json!([false]));
    let words = ["vault", "--priority-fee", "1.5", "--wait", "0"];
    refused(broadcast(alice, &words), 7, &["a tip of 1.5", "is not mined"]);
    // The same command again waits for it; with a higher fee it replaces it.
    refused(broadcast(alice, &words), 7, &["Nothing new sent"]);
    let words = ["vault", "--priority-fee", "20", "--wait", "0"];
    refused(broadcast(alice, &words), 7, &["stuck: 0x", "a tip of 20"]);
    let tips: Vec<u128> = fees_sent(alice).iter().map(|(_, tip)| *tip).collect();
    assert_eq!(tips, [1_500_000_000, 20_000_000_000]);
}

#[test]
fn a_proposal_not_ready_or_done_is_known_before_the_password() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    let wrong = alice.path("wrong");
    fs::write(&wrong, "not the password\n").unwrap();
    let keystore = alice.keystore();
    let words =
        ["broadcast", "vault", "--confirm", "guardian", "--keystore", path(&keystore), "--password-file"];
    let words = [&words[..], &[path(&wrong)]].concat();
    alice.run(&words).ended(3).never_says("password");
    let bobs = sign(&ceremony.desks[1], &["vault"]);
    import(alice, &["vault"], &bobs);
    alice.run(&words).ended(1).says("wrong password");
    broadcast(alice, &["vault"]).ended(0);
    alice.run(&words).ended(0).says("Nothing sent: already executed").never_says("wrong password");
}

#[test]
fn a_stuck_transaction_is_replaced_at_the_same_nonce_and_whichever_is_mined_is_proven() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.rpc("evm_setAutomine", &json!([false]));
    refused(broadcast(alice, &["vault", "--wait", "0"]), 7, &["is not mined"]);
    // It will do as it is: given out again, and no second one made.
    refused(broadcast(alice, &["vault", "--wait", "0"]), 7, &["Nothing new sent"]);
    refused(broadcast(alice, &["vault", "--wait", "0", "--max-fee", "1"]), 7, &["more than --max-fee 1"]);
    assert_eq!(records(alice), 1);

    base_fee(&ceremony.anvil, 60);
    alice.run(&["status", "vault"]).ended(0).says("sent 0x").says("the base fee is 60").says("replaces it");
    let low = broadcast(alice, &["vault", "--wait", "0", "--max-fee", "50"]);
    refused(low, 1, &["more than --max-fee 50", "still waits"]);
    assert_eq!(records(alice), 1);
    refused(broadcast(alice, &["vault", "--wait", "0"]), 7, &["stuck: 0x", "is not mined"]);
    assert_eq!(records(alice), 2);
    let fee = |raw: &Value| {
        let raw = hex::decode(raw.as_str().unwrap()).unwrap();
        let tx =
            <alloy::consensus::TxEnvelope as alloy::network::eip2718::Decodable2718>::decode_2718_exact(&raw);
        let alloy::consensus::TxEnvelope::Eip1559(tx) = tx.unwrap() else { panic!() };
        (tx.tx().nonce, tx.tx().max_fee_per_gas, tx.tx().input.clone())
    };
    let kept = files(alice.folder()).into_iter().filter(|f| path(f).contains("sent-"));
    let mut both: Vec<_> = kept.map(|file| fee(&read_json(&file)["raw"])).collect();
    both.sort();
    assert_eq!((both[0].0, &both[0].2), (both[1].0, &both[1].2), "the same nonce and the same call");
    assert!(both[1].1 > u128::from(60 * GWEI) && both[1].1 > both[0].1 * 9 / 8 - 1, "{both:?}");
    let pending = ceremony.anvil.rpc("eth_getTransactionCount", &json!([alice.key.address, "pending"]));
    let mined = ceremony.anvil.rpc("eth_getTransactionCount", &json!([alice.key.address, "latest"]));
    assert_eq!(
        (pending, mined),
        (json!(format!("{:#x}", both[0].0 + 1)), json!(format!("{:#x}", both[0].0)))
    );
    ceremony.anvil.mine(1);
    broadcast(alice, &["vault"]).ended(0).says("already executed by the transaction sent from here");
    assert_eq!((records(alice), executed(&ceremony)), (2, 1));
    drop(proxy);
}

#[test]
fn a_dropped_transaction_is_given_out_again() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.rpc("evm_setAutomine", &json!([false]));
    refused(broadcast(alice, &["vault", "--wait", "0"]), 7, &["is not mined"]);
    let hash = read_json(&files(alice.folder()).into_iter().find(|f| path(f).contains("sent-")).unwrap());
    ceremony.anvil.rpc("anvil_dropTransaction", &json!([hash["transaction"]]));
    ceremony.anvil.rpc("evm_setAutomine", &json!([true]));
    broadcast(alice, &["vault"]).ended(0).says("Nothing new sent").says("done and proven");
    assert_eq!((sent(&proxy), records(alice), executed(&ceremony)), (2, 1, 1));
}

#[test]
fn a_payers_nonce_belongs_to_the_proposal_that_it_was_signed_for() {
    let (mut ceremony, proxy) = behind_a_proxy();
    let other = crate::stage::deploy(
        &ceremony.anvil,
        "Vault",
        &alloy::sol_types::SolValue::abi_encode(&ceremony.safe),
    );
    ceremony.add_to_council(&format!(
        "\n[targets.bridge]\nanvil = \"{other}\"\n\n[levers.bridge]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"bridge\" }}\n"
    ));
    let [alice, bob, ..] = &ceremony.desks[..] else { unreachable!() };
    sign(alice, &["vault"]);
    import(alice, &["vault"], &sign(bob, &["vault"]));
    // By name: a lever that others have not signed would take the next nonce.
    sign(alice, &["bridge", "--nonce", "0"]);
    import(alice, &["bridge"], &sign(bob, &["bridge", "--nonce", "0"]));
    // Recorded, and no RPC took it: the chain knows nothing of it.
    proxy.fail_at("eth_sendRawTransaction", Fault::Status(403));
    refused(broadcast(alice, &["vault"]), 7, &["403"]);
    proxy.fail(None);
    // The lever that was signed first keeps the nonce; whoever accepts that meets the payer's own.
    let kept = broadcast(alice, &["bridge"]).ended(5).says("vault keeps nonce 0");
    let id = kept.stderr.split("refused (").nth(1).unwrap().split(')').next().unwrap().to_string();
    let words = ["bridge", "--accept", &id];
    refused(broadcast(alice, &words), 1, &["was signed for something else", "nothing was sent"]);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!(executed(&ceremony), 1);
}

#[test]
fn ctrl_c_while_it_waits_says_that_it_is_sent_and_how_to_go_on() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.rpc("evm_setAutomine", &json!([false]));
    let words = with_key(alice, &["broadcast", "vault", "--confirm", "guardian"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut process = alice.command(&words).stderr(std::process::Stdio::piped()).spawn().unwrap();
    proxy.reached("eth_getTransactionReceipt");
    let id = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let status = process.wait().unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut process.stderr.take().unwrap(), &mut said).unwrap();
    assert_eq!(status.code(), Some(7), "{said}");
    assert!(
        said.contains("was sent and you stopped waiting") && said.contains("run the same command again"),
        "{said}"
    );
    assert_eq!(records(alice), 1);
}

#[test]
fn an_answer_to_the_sending_that_is_held_back_is_not_waited_for() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.rewrite(|method, _, truth| {
        if method == "eth_sendRawTransaction" {
            thread::sleep(Duration::from_secs(22));
        }
        truth
    });
    broadcast(alice, &["vault"]).ended(0).says("may have left").says("done and proven");
}

/// A chain behind one RPC and a relay, each a proxy; `private` is what the council file says of both.
fn with_a_relay(private: &str) -> (Ceremony, Proxy, Proxy) {
    let anvil = Anvil::start();
    let (rpc, relay) = (Proxy::to(&anvil), Proxy::to(&anvil));
    (behind_a_relay(anvil, &rpc, &relay, private), rpc, relay)
}

fn behind_a_relay(anvil: Anvil, rpc: &Proxy, relay: &Proxy, private: &str) -> Ceremony {
    let urls = [rpc.url()];
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &urls);
    let named = format!("rpc = {urls:?}\nsend = [{:?}]\nprivate_for = {private:?}", relay.url());
    for desk in &ceremony.desks {
        let council = ceremony.council().replace(&format!("rpc = {urls:?}"), &named);
        fs::write(desk.path("breakglass.toml"), council).unwrap();
    }
    ceremony
}

#[test]
fn a_relay_that_includes_it_is_enough_and_no_rpc_sees_a_signature() {
    let (ceremony, rpc, relay) = with_a_relay("25 seconds");
    let alice = signed_by_two(&ceremony);
    let signatures = signatures(alice);
    broadcast(alice, &["vault"]).ended(0).says("to the private relay").says("done and proven");
    assert_eq!((sent(&rpc), sent(&relay), shown(&rpc, None, &signatures)), (0, 1, 0));
}

#[test]
fn a_relay_that_never_includes_it_has_it_for_private_for_reruns_and_replacements_included() {
    let (ceremony, rpc, relay) = with_a_relay("10 minutes");
    let alice = signed_by_two(&ceremony);
    let signatures = signatures(alice);
    // Takes it, and keeps it to itself: what comes to the chain by this way is dropped.
    relay.fail_at("eth_sendRawTransaction", Fault::Status(503));
    refused(broadcast(alice, &["vault", "--wait", "0"]), 7, &["not confirmed", "goes to the RPCs in"]);
    refused(broadcast(alice, &["vault", "--wait", "1"]), 7, &["goes to the RPCs in"]);
    base_fee(&ceremony.anvil, 60);
    refused(broadcast(alice, &["vault", "--wait", "0"]), 7, &["stuck: 0x"]);
    assert_eq!((shown(&rpc, None, &signatures), records(alice)), (0, 2));
    let council = fs::read_to_string(alice.path("breakglass.toml")).unwrap();
    fs::write(alice.path("breakglass.toml"), council.replace("10 minutes", "1 second")).unwrap();
    alice.forgets();
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony) && sent(&rpc) == 1);
    assert_eq!(shown(&rpc, None, &signatures), 2);
}

/// A relay that accepts everything and sends nothing: it has a chain of its own.
#[test]
fn a_relay_that_takes_it_and_never_includes_it_has_it_for_private_for_alone() {
    let (anvil, elsewhere) = (Anvil::start(), Anvil::start());
    let (rpc, relay) = (Proxy::to(&anvil), Proxy::to(&elsewhere));
    let ceremony = behind_a_relay(anvil, &rpc, &relay, "6 seconds");
    let alice = signed_by_two(&ceremony);
    let signatures = signatures(alice);
    let begun = Instant::now();
    thread::scope(|scope| {
        let run = scope.spawn(|| broadcast(alice, &["vault"]));
        relay.reached("eth_sendRawTransaction");
        thread::sleep(Duration::from_secs(3));
        assert_eq!((sent(&relay), sent(&rpc), shown(&rpc, None, &signatures)), (1, 0, 0));
        let run = run.join().unwrap().ended(0).says("to the private relay; it goes to the RPCs in");
        run.says("not mined by way of the private relay: it goes to the RPCs now").says("done and proven");
    });
    // The time of the record is in whole seconds.
    assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((sent(&relay), sent(&rpc), records(alice)), (1, 1, 1));
    assert!(is_paused(&ceremony));
}

/// No block but its own is waited for.
#[test]
fn the_proof_is_there_after_the_first_block() {
    let anvil = Anvil::with_args(31_337, &[]);
    let proxy = Proxy::to(&anvil);
    let rpc = [proxy.url()];
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &rpc);
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.rpc("evm_setAutomine", &json!([false]));
    thread::scope(|scope| {
        let run = scope.spawn(|| broadcast(alice, &["vault"]));
        proxy.reached("eth_getTransactionReceipt");
        ceremony.anvil.mine(1);
        run.join().unwrap().ended(0).says("done and proven");
    });
}
