//! The power fails: `kill -9` between any two writes, and two people who press the same button.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use alloy::sol_types::SolCall;
use serde_json::{Value, json};

use crate::stage::{Ceremony, Desk, Proxy, wait_until};
use crate::steps::{
    behind_a_proxy, broadcast, executed, files, is_paused, path, pausedCall, propose, records, refused, run,
    sent, sign, signed_by_two, two_of_three, with_key,
};

/// A command that somebody will end before its time.
fn start(desk: &Desk, words: &[String]) -> Child {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    desk.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn kill(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

fn sending(desk: &Desk) -> Vec<String> {
    with_key(desk, &["broadcast", "vault", "--confirm", "guardian"])
}

/// Every file with a name of ours can be read from beginning to end.
#[track_caller]
fn all_whole(folder: &Path) {
    for file in files(folder).into_iter().filter(|f| f.extension().is_some_and(|e| e == "json")) {
        let text = std::fs::read(&file).unwrap();
        let read: Result<Value, _> = serde_json::from_slice(&text);
        assert!(
            read.is_ok() && text.ends_with(b"}\n") || file.ends_with("keystore.json"),
            "{} is cut",
            path(&file)
        );
    }
}

/// The next run finishes what was begun, with one transaction in all.
#[track_caller]
fn finished(ceremony: &Ceremony, desk: &Desk, word: &str) {
    all_whole(desk.folder());
    broadcast(desk, &["vault"]).ended(0).says("done and proven").says(word);
    assert!(is_paused(ceremony));
    assert_eq!(executed(ceremony), 1);
    broadcast(desk, &["vault"]).ended(0).says("Nothing sent");
}

/// Holds the answers of a kind back for ever, and says when there is one.
fn silence(proxy: &Proxy, wanted: impl Fn(&str, &Value) -> bool + Send + Sync + 'static) -> Arc<AtomicBool> {
    let (reached, set) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let reached_too = reached.clone();
    proxy.rewrite(move |method, params, truth| {
        if wanted(method, params) && !set.swap(true, Ordering::Relaxed) {
            reached_too.store(true, Ordering::Relaxed);
            thread::sleep(Duration::from_secs(3));
        }
        truth
    });
    reached
}

fn wait_for(reached: &AtomicBool) {
    wait_until("the answer is held back", || reached.load(Ordering::Relaxed));
}

#[test]
fn killed_after_the_record_and_before_the_chain_has_it() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.hold("eth_sendRawTransaction");
    let process = start(alice, &sending(alice));
    proxy.reached("eth_sendRawTransaction");
    assert!(files(alice.folder()).iter().any(|f| path(f).contains("sent-")), "sent before it was recorded");
    kill(process);
    // The request dies with the connection: what is held now never arrives.
    drop(proxy);
    let council = alice.path("breakglass.toml");
    let text = std::fs::read_to_string(&council).unwrap();
    let rpc = text.lines().find(|line| line.starts_with("rpc = ")).unwrap().to_string();
    std::fs::write(&council, text.replace(&rpc, &format!("rpc = [\"{}\"]", ceremony.anvil.url()))).unwrap();
    alice.forgets();
    assert_eq!(executed(&ceremony), 0);
    finished(&ceremony, alice, "Sent");
}

#[test]
fn killed_after_the_chain_has_it_and_before_the_answer() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let reached = silence(&proxy, |method, _| method == "eth_sendRawTransaction");
    let process = start(alice, &sending(alice));
    wait_for(&reached);
    kill(process);
    finished(&ceremony, alice, "already executed by the transaction sent from here");
    assert_eq!(sent(&proxy), 1);
}

#[test]
fn killed_while_it_waits_to_be_mined() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.rpc("evm_setAutomine", &json!([false]));
    let process = start(alice, &sending(alice));
    proxy.reached("eth_getTransactionReceipt");
    kill(process);
    thread::scope(|scope| {
        let again = scope.spawn(|| broadcast(alice, &["vault"]));
        wait_until("it is sent again", || sent(&proxy) == 2);
        ceremony.anvil.rpc("evm_setAutomine", &json!([true]));
        ceremony.anvil.mine(1);
        again.join().unwrap().ended(0).says("Nothing").says("done and proven");
    });
    assert_eq!(records(alice), 1);
    finished(&ceremony, alice, "Nothing sent");
}

#[test]
fn killed_between_the_receipt_and_the_proof() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let asks_paused = |params: &Value| {
        let data = params[0]["data"].as_str().unwrap_or("");
        data == alloy::hex::encode_prefixed(pausedCall {}.abi_encode())
    };
    let mined = Arc::<AtomicBool>::default();
    let reached = silence(&proxy, move |method, params| {
        if method == "eth_getTransactionReceipt" {
            mined.store(true, Ordering::Relaxed);
        }
        method == "eth_call" && asks_paused(params) && mined.load(Ordering::Relaxed)
    });
    let process = start(alice, &sending(alice));
    wait_for(&reached);
    kill(process);
    assert!(!files(alice.folder()).iter().any(|f| f.ends_with("outcome.json")));
    finished(&ceremony, alice, "already executed by the transaction sent from here");
    assert_eq!(sent(&proxy), 1);
}

/// Killed at twelve moments of a command: the next run works with any files that were left.
#[test]
fn killed_at_any_moment_of_signing_and_importing() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let file = bob.path("chat.txt");
    std::fs::write(&file, format!("{}\n{}", sign(alice, &["vault"]), sign(carol, &["vault"]))).unwrap();
    let offline = path(&propose(carol)).to_string();
    let signing = with_key(bob, &["sign", &offline, "--offline", "--yes"]);
    let importing = ["import", "vault", path(&file)].map(str::to_string).to_vec();
    for words in [signing, importing] {
        let begun = Instant::now();
        run(bob, &words).ended(0);
        let whole = begun.elapsed();
        for moment in 1..=12 {
            let _ = std::fs::remove_dir_all(bob.path("incidents"));
            let process = start(bob, &words);
            thread::sleep(whole * moment / 12);
            kill(process);
            all_whole(bob.folder());
            run(bob, &words).ended(0);
            all_whole(bob.folder());
        }
    }
    bob.run(&["status", "vault"]).ended(0).says("2 of 2 signed");
}

#[test]
fn two_broadcasts_at_once_on_one_machine_send_one_transaction() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.hold("eth_sendRawTransaction");
    thread::scope(|scope| {
        let first = scope.spawn(|| broadcast(alice, &["vault"]));
        proxy.reached("eth_sendRawTransaction");
        refused(broadcast(alice, &["vault"]), 1, &["another breakglass is working", "wait for it to end"]);
        proxy.release();
        first.join().unwrap().ended(0).says("done and proven");
    });
    broadcast(alice, &["vault"]).ended(0).says("Nothing sent");
    assert_eq!((sent(&proxy), executed(&ceremony)), (1, 1));
    // Any number of them, started together.
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| broadcast(alice, &["vault"]))).collect();
        let codes: Vec<i32> = all.into_iter().map(|one| one.join().unwrap().code).collect();
        assert!(codes.contains(&0) && codes.iter().all(|code| matches!(code, 0 | 1)), "{codes:?}");
    });
    assert_eq!((records(alice), executed(&ceremony)), (1, 1));
}
