//! Files that somebody lays into the shared folder: they stop no signature and no sending, take no time and fill no screen.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use alloy::sol_types::SolValue;
use serde_json::{Value, json};

use crate::altered::{changed, hand_over, rehashed};
use crate::stage::{Desk, Run, deploy};
use crate::steps::{broadcast, import, is_paused, propose, read_json, refused, sign, try_sign, two_of_three};

/// The folder of a proposal at a desk, made if it is not there.
fn folder(desk: &Desk, proposal: &Value) -> PathBuf {
    let folder = desk.path("incidents").join(proposal["hashes"]["safe_tx_hash"].as_str().unwrap());
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn name(n: u32) -> String {
    if n == 1 { "proposal.json".into() } else { format!("proposal-{n}.json") }
}

/// Truncated lines beside the review.
#[track_caller]
fn is_short(run: Run) -> Run {
    assert!(run.stderr.lines().count() < 90 && run.stderr.len() < 12_000, "{}", run.stderr);
    run
}

/// Files of the right transaction with false statements about the Safe and the code: the honest file that is proposed
/// later counts, whatever their block numbers are.
#[test]
fn a_poisoned_file_of_the_right_transaction_gives_way_to_an_honest_one() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let good = read_json(&propose(carol));
    let code = format!("0x{}", "77".repeat(32));
    let poisoned = changed(&good, "/rehearsal/code/0/hash", &json!(code));
    fs::write(folder(alice, &good).join(name(1)), poisoned.to_string()).unwrap();
    refused(try_sign(alice, &["vault"]), 5, &["code-moved", "propose again"]);
    propose(alice);
    let first = sign(alice, &["vault"]);

    // Each of the numbers, and one far ahead.
    let guard = |n: u32| json!(format!("0x{n:040x}"));
    for n in (2..=30).chain([9_999]) {
        let poisoned = changed(&good, "/safe/guard", &guard(n));
        fs::write(folder(bob, &good).join(name(n)), poisoned.to_string()).unwrap();
    }
    fs::write(folder(bob, &good).join(name(1)), changed(&good, "/safe/guard", &guard(1)).to_string())
        .unwrap();
    // The files state a Safe that never was: they are set aside, and the signatures are missing.
    broadcast(bob, &["vault"]).ended(3).says("0 of 2 owners have signed");
    propose(bob);
    import(bob, &["vault"], &[first, sign(carol, &["vault"])].join("\n"));
    broadcast(bob, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
}

#[test]
fn forged_and_huge_proposals_by_the_hundred_make_nobody_wait() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let good = read_json(&propose(bob));
    for n in 0..300 {
        let evil = rehashed(changed(&good, "/transaction/data", &json!(format!("0x{n:08x}"))));
        fs::write(folder(alice, &evil).join(name(1)), evil.to_string()).unwrap();
    }
    let huge = alice.path("huge");
    fs::write(&huge, " ".repeat(8 << 20)).unwrap();
    for at in 0..40 {
        let folder = alice.path("incidents").join(format!("0x{at:064x}"));
        fs::create_dir_all(&folder).unwrap();
        for n in 1..=20 {
            fs::hard_link(&huge, folder.join(name(n))).unwrap();
        }
    }
    let run = is_short(try_sign(alice, &["vault"]).ended(0));
    run.says("proposal files that were not read: there are too many");
    is_short(alice.run(&["status", "vault"]).ended(3)).says("1 of 2 signed");
}

/// A repository can contain a link to a whole disk.
#[test]
fn a_link_in_the_place_of_a_folder_is_not_searched_for_ever() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let good = read_json(&propose(bob));
    let disk = tempfile::tempdir().unwrap();
    for n in 0..50_001 {
        fs::write(disk.path().join(format!("{n}.toml")), "").unwrap();
    }
    symlink(disk.path(), alice.path("playbooks")).unwrap();
    is_short(try_sign(alice, &["vault"]).ended(0)).says("more playbook");
    fs::remove_dir_all(alice.path("incidents")).unwrap();
    fs::remove_file(alice.path("playbooks")).unwrap();

    fs::write(disk.path().join("1.sig.json"), "{}").unwrap();
    fs::create_dir(alice.path("incidents")).unwrap();
    let link = folder(bob, &good).file_name().unwrap().to_owned();
    symlink(disk.path(), alice.path("incidents").join(link)).unwrap();
    is_short(try_sign(alice, &["vault"]).ended(0));
    is_short(alice.run(&["status", "vault"]).ended(3)).says("1 of 2 signed");
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 50_002, "nothing is written through it");
}

/// If one command signed both, either could be sent without a choice.
#[test]
fn two_transactions_for_one_nonce_are_not_signed_in_one_command() {
    let mut ceremony = two_of_three();
    let other = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.second]\nanvil = \"{other}\"\n[levers.second]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"second\" }}\n"
    ));
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let made = alice.run(&["--json", "pause", "second"]).ended(0).json();
    let file = hand_over(bob, &read_json(&alice.path(made["proposal"].as_str().unwrap())));
    let run = refused(try_sign(bob, &["vault", &file]), 2, &["both for nonce 0 of guardian"]);
    assert_eq!(run.stdout, "");
    refused(try_sign(bob, &[&file, "vault"]), 2, &["both for nonce 0 of guardian"]);
}
