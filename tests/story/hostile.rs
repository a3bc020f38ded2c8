//! The owner of one RPC of two or three, and of two of five: what they can do while the others are silent or slow.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::as_a_safe::add_parent;
use crate::emulator::app::Behaviour;
use crate::emulator::{Emulator, Wire};
use crate::stage::{Desk, Fault, wait_until};
use crate::steps::{
    acceptance, asked, behind, broadcast, executed, files, import, path, records, refused,
    refused_without_a_trace, run, sign, signed_by_two, with_key,
};

/// Two of three behind this many RPCs, each a proxy; two must agree, as in a council file that does not say it.
/// Answers as if the vault were paused.
fn says_paused(method: &str, params: &Value, truth: Result<Value, Value>) -> Result<Value, Value> {
    match method {
        "eth_call" if params[0]["data"] == "0x5c975abb" => Ok(json!(format!("0x{:064x}", 1))),
        _ => truth,
    }
}

/// Waits until the person has something to approve.
fn in_review(emulator: &Emulator) {
    wait_until("something is shown for approval", || !emulator.signed().is_empty());
}

#[test]
fn two_rpcs_of_five_are_not_believed_while_three_are_silent() {
    let (ceremony, proxies) = behind::<5>();
    let alice = &ceremony.desks[0];
    for proxy in &proxies[2..] {
        proxy.fail(Some(Fault::Hang));
    }
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let run = refused_without_a_trace(
        alice,
        &words,
        4,
        &["refused (rpc-minority:", "only 2 of 5 RPCs agree", "compare the block"],
    );
    // A signer who accepts it shows that to the others.
    let accepted = acceptance(&run, &["rpc-minority"]);
    let words: Vec<&str> = words.iter().chain(&accepted).map(String::as_str).collect();
    alice.run(&words).ended(0).says("you accepted rpc-minority:");
    for proxy in &proxies {
        proxy.fail(None);
    }
    sign(&ceremony.desks[1], &["vault"]);
}

/// Two RPCs of five answer that it was executed.
#[test]
fn a_minority_of_rpcs_cannot_report_a_lever_as_done() {
    let (ceremony, proxies) = behind::<5>();
    let alice = signed_by_two(&ceremony);
    broadcast(alice, &["vault"]).ended(0).says("5 of 5 RPCs");
    for proxy in &proxies[2..] {
        proxy.fail(Some(Fault::Status(503)));
    }
    for words in [&["status", "vault"][..], &["broadcast", "vault", "--confirm", "guardian"]] {
        refused(run(alice, &words_of(alice, words)), 4, &["rpc-minority", "only 2 of 5 RPCs agree"]);
    }
}

fn words_of(desk: &Desk, words: &[&str]) -> Vec<String> {
    match words {
        ["status", ..] => words.iter().map(ToString::to_string).collect(),
        _ => with_key(desk, words),
    }
}

/// A slow honest RPC is asked if the other two contradict each other, even if it was too slow before.
#[test]
fn one_liar_of_three_does_not_win_by_the_slowness_of_another() {
    let (ceremony, [liar, honest, slow]) = behind::<3>();
    slow.delay(Duration::from_millis(900));
    liar.rewrite(|method, params, truth| {
        // In the first round it tells the truth, and later it lies about what was not asked before.
        if method == "eth_getCode" && params[1] != "latest" { Ok(json!("0x6001")) } else { truth }
    });
    ceremony.desks[0].run(&["pause", "vault"]).ended(4).says("2 of 3 RPCs agree").says("rpc-lying");
    drop(honest);
}

#[test]
fn an_rpc_that_answers_late_and_contradicts_stops_the_signature() {
    let (ceremony, proxies) = behind::<3>();
    let third = &proxies[2];
    let alice = &ceremony.desks[0];
    third.hold("eth_chainId").rewrite(says_paused);
    let mut terminal = asked(alice, &["sign", "vault"], "yes / no / more: ");
    third.release();
    thread::sleep(Duration::from_millis(500));
    terminal.types("yes\n");
    let run = refused(terminal.ended(4), 4, &["an answer that came late contradicts the others"]);
    run.says("lies").says("nothing was signed").never_says("bgsig1");
    assert!(!alice.path("incidents").exists(), "something was written");
    // The next run shows it in the review.
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    refused_without_a_trace(alice, &words, 4, &["refused (rpc-lying"]);
}

#[test]
fn an_rpc_that_answers_late_and_contradicts_stops_the_sending() {
    let (ceremony, proxies) = behind::<3>();
    let third = &proxies[2];
    let alice = signed_by_two(&ceremony);
    third.hold("eth_chainId").rewrite(says_paused);
    let mut terminal = asked(alice, &["broadcast", "vault"], "Send vault now? Type the Safe's name");
    third.release();
    thread::sleep(Duration::from_millis(500));
    terminal.types("guardian\n");
    refused(terminal.ended(4), 4, &["an answer that came late contradicts the others"]);
    assert_eq!((records(alice), executed(&ceremony)), (0, 0));
}

/// While the person reads the Ledger, an RPC answers differently. The signature is not shown or kept.
#[test]
fn a_signature_is_kept_back_when_an_answer_comes_during_the_approval() {
    let (ceremony, proxies) = behind::<3>();
    let third = &proxies[2];
    let alice = &ceremony.desks[0];
    third.hold("eth_chainId").rewrite(says_paused);
    let wire = Wire { thinks_for: Duration::from_millis(1500), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour::default(), wire);
    let url = emulator.url();
    thread::scope(|scope| {
        let run = scope.spawn(|| alice.run(&["sign", "vault", "--ledger", &url, "--as", "alice"]));
        in_review(&emulator);
        third.release();
        let run = refused(run.join().unwrap(), 4, &["an answer that came late contradicts the others"]);
        run.never_says("bgsig1");
    });
    assert_eq!(emulator.signed().len(), 1, "the person has approved it");
    assert!(!alice.path("incidents").exists(), "something was written");
}

/// The approved transaction is read over its own connection, and the Safe that approves it never asks about the vault.
#[test]
fn a_late_answer_about_what_is_approved_stops_the_approval() {
    let (mut ceremony, proxies) = behind::<3>();
    add_parent(&mut ceremony);
    let third = &proxies[2];
    let alice = &ceremony.desks[0];
    third.hold("eth_chainId").rewrite(says_paused);
    let words = ["sign", "second", "--approve-as", "guardian"];
    let mut terminal = asked(alice, &words, "yes / no / more: ");
    third.release();
    thread::sleep(Duration::from_millis(500));
    terminal.types("yes\n");
    let run = refused(terminal.ended(4), 4, &["an answer that came late contradicts the others"]);
    run.says("nothing was signed").never_says("bgsig");
    assert!(!alice.path("incidents").exists(), "something was written");
}

/// The signature of a set that the device has just made is kept back too.
#[test]
fn a_signature_ahead_is_kept_back_when_an_answer_comes_during_the_approval() {
    let (ceremony, proxies) = behind::<3>();
    let third = &proxies[2];
    let alice = &ceremony.desks[0];
    third.hold("eth_chainId").rewrite(says_paused);
    let wire = Wire { thinks_for: Duration::from_millis(1500), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour::default(), wire);
    let url = emulator.url();
    let words =
        ["sign", "vault", "--nonces", "0..2", "--to", "set.txt", "--yes", "--ledger", &url, "--as", "alice"];
    thread::scope(|scope| {
        let run = scope.spawn(|| alice.run(&words));
        in_review(&emulator);
        third.release();
        refused(run.join().unwrap(), 4, &["an answer that came late contradicts the others"]);
    });
    assert_eq!(emulator.signed().len(), 1, "the person has approved it");
    assert!(!alice.path("set.txt").exists(), "something was written");
}

/// The review on the payer's Ledger takes less than a block, and meanwhile an RPC answers differently.
#[test]
fn a_transaction_is_kept_back_when_an_answer_comes_during_the_payers_approval() {
    let (mut ceremony, proxies) = behind::<3>();
    let slow = ceremony.council().replacen("rpc = [", "block_time = \"60 seconds\"\nrpc = [", 1);
    ceremony.replace_council(slow);
    let third = &proxies[2];
    let alice = signed_by_two(&ceremony);
    third.hold("eth_chainId").rewrite(says_paused);
    let wire = Wire { thinks_for: Duration::from_millis(1500), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour { blind_signing: true, ..Behaviour::default() }, wire);
    let url = emulator.url();
    thread::scope(|scope| {
        let words = ["broadcast", "vault", "--confirm", "guardian", "--ledger", &url];
        let run = scope.spawn(move || alice.run(&words));
        in_review(&emulator);
        third.release();
        refused(run.join().unwrap(), 4, &["an answer that came late contradicts the others"]);
    });
    assert_eq!((records(alice), executed(&ceremony)), (0, 0));
}

/// The review on the payer's Ledger takes longer than a block, and somebody else sends: the chain is read again before
/// sending.
#[test]
fn a_change_during_a_ledgers_approval_is_read_before_sending() {
    let (ceremony, proxies) = behind::<2>();
    let alice = signed_by_two(&ceremony);
    let dave = ceremony.outsider("dave", crate::stage::key(5));
    let alices = files(alice.folder()).into_iter().find(|f| f.ends_with("proposal.json")).unwrap();
    std::fs::copy(path(&alices), dave.path("proposal.json")).unwrap();
    import(&dave, &["proposal.json"], &alice.run(&["export", "vault"]).ended(0).stdout);
    let wire = Wire { thinks_for: Duration::from_secs(4), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour { blind_signing: true, ..Behaviour::default() }, wire);
    let url = emulator.url();
    thread::scope(|scope| {
        let words = ["broadcast", "vault", "--confirm", "guardian", "--ledger", &url];
        let run = scope.spawn(move || alice.run(&words));
        in_review(&emulator);
        broadcast(&dave, &["proposal.json"]).ended(0);
        let before = proxies.iter().map(crate::steps::sent).sum::<usize>();
        run.join().unwrap().ended(0).says("Nothing sent: already executed by somebody else");
        assert_eq!(proxies.iter().map(crate::steps::sent).sum::<usize>(), before);
    });
    assert_eq!(records(alice), 0);
}
