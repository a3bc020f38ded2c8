//! The depth of a mined transaction: its block can still be replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{Anvil, Ceremony, Desk, Run, SafeSetup, wait_until};
use crate::steps::{
    broadcast, files, is_paused, path, read_json, refused, run, signed_by_two, two_of_three, with_key,
};
use breakglass::safe::SafeVersion;

fn broadcast_and_wait(desk: &Desk, more: &[&str]) -> Run {
    run(desk, &with_key(desk, &[&["broadcast", "vault", "--confirm", "guardian"], more].concat()))
}

/// Two of three on a chain where the block before the last but one is final.
fn with_short_epochs() -> Ceremony {
    let anvil = Anvil::with_args(31_337, &["--slots-in-an-epoch", "1"]);
    let rpc = [anvil.url()];
    Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &rpc)
}

/// Blocks come while something runs.
fn while_blocks_come<T>(ceremony: &Ceremony, work: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(100));
                ceremony.anvil.mine(1);
            }
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        done
    })
}

#[test]
fn confirmations_and_finality_are_shown_and_waited_for() {
    let ceremony = with_short_epochs();
    let alice = signed_by_two(&ceremony);
    let run = while_blocks_come(&ceremony, || broadcast_and_wait(alice, &["--confirmations", "4"])).ended(0);
    run.says("done and proven")
        .says("waiting until it has 4 confirmations, about")
        .says("confirmations, final");
    let told = broadcast_and_wait(alice, &["--finalized", "--json"]).ended(0).json();
    assert_eq!(told["depth"]["final"], json!(true), "{told}");
    assert!(told["depth"]["confirmations"].as_u64().unwrap() >= 4, "{told}");
    assert_eq!(told["level"], json!("one RPC"), "{told}");
    alice.run(&["status", "vault"]).ended(0).says("final").says("by the word of one RPC");
}

#[test]
fn a_block_that_is_not_final_is_marked() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    broadcast(alice, &["vault"]).ended(0).says("just mined, not final yet");
    alice.run(&["status", "vault"]).ended(0).says("1 confirmation, not final yet");
    let before = with_short_epochs();
    let alice = signed_by_two(&before);
    while_blocks_come(&before, || broadcast_and_wait(alice, &["--finalized"]))
        .ended(0)
        .says("until it is final");
}

fn outcomes(desk: &Desk) -> Vec<Value> {
    let all = files(desk.folder());
    all.iter().filter(|file| path(file).contains("outcome")).map(|file| read_json(file)).collect()
}

/// The transaction was mined and proven, and its block is replaced: it is sent again, and the record changes.
#[test]
fn a_reorganisation_takes_it_back_and_the_record_follows() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.mine(2);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
    ceremony.anvil.rpc("anvil_reorg", &json!([1, []]));
    assert!(!is_paused(&ceremony), "still there after the reorganisation");
    alice
        .run(&["status", "vault"])
        .ended(0)
        .says("outcome.json says that it was executed")
        .says("sent, and not mined yet")
        .never_says("ready to broadcast");
    ceremony.anvil.mine(1);
    broadcast(alice, &["vault"]).ended(0).says("done and proven").says("the chain was reorganised since");
    assert!(is_paused(&ceremony));
    let [first, second] = &outcomes(alice)[..] else { panic!("{:?}", outcomes(alice)) };
    let (older, newer) = if first["supersedes"].is_null() { (first, second) } else { (second, first) };
    assert_eq!(newer["supersedes"], json!("outcome.json"));
    assert_ne!(older["block_hash"], newer["block_hash"]);
    // The second time there is no news.
    alice.run(&["status", "vault"]).ended(0);
    assert_eq!(outcomes(alice).len(), 2);
}

/// The block is replaced while it is waited for.
#[test]
fn a_reorganisation_during_the_wait_is_reported() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.mine(2);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| broadcast_and_wait(alice, &["--confirmations", "50"]));
        wait_until("it is mined", || !outcomes(alice).is_empty());
        thread::sleep(Duration::from_millis(300));
        ceremony.anvil.rpc("anvil_reorg", &json!([1, []]));
        refused(
            waiting.join().unwrap(),
            5,
            &["no longer part of the chain", "run breakglass broadcast again"],
        );
    });
}
