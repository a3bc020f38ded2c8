//! `make demo`: the whole main path with the real program, as three owners and a sender would live it. It is run with
//! the other tests too, so that it stays true.
//!
//! A 3-of-5 Safe on a chain of its own owns a vault. Alice proposes and signs on a Ledger; bob signs from the proposal file he was
//! given; carol signs from the lever alone, having received nothing. Alice reads their lines, broadcasts, and the
//! chain proves it. Then two other contracts are paused by a combined lever, in one transaction, whatever each owner
//! types. Everything is gone afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a demo that cannot go on has failed")]

#[path = "ledger/emulator/mod.rs"]
mod emulator;
#[path = "stage/mod.rs"]
mod stage;

use std::fs;
use std::time::Instant;

use alloy::primitives::Address;
use alloy::sol;
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;

use emulator::Emulator;
use emulator::app::Behaviour;
use stage::{Ceremony, Desk, Run, SafeSetup, deploy};

sol! {
    function paused() external view returns (bool);
}

fn main() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 5, 3));
    let others = ["bridge", "oracle"].map(|name| with_contract(&mut ceremony, name));
    ceremony.add_to_council(
        "\n[levers.freeze]\ntitle = \"Stop the bridge and the oracle\"\npull = [\"bridge\", \"oracle\"]\n",
    );
    let [alice, bob, carol, ..] = &ceremony.desks[..] else { return };
    println!("A Safe 1.4.1 with 5 owners, 3 must sign:  {}", ceremony.safe);
    println!("A vault that only the Safe may pause:     {}", ceremony.vault);
    println!("paused() = {}\n", ceremony.anvil.view(ceremony.vault, &pausedCall {}));

    let begun = Instant::now();
    act(alice, "sees her levers", &[]);
    let proposed = act(alice, "pulls one", &["pause", "vault"]);
    let carried = bob.path("proposal.json");
    let kept = proposed.stderr.lines().find_map(|line| line.strip_prefix("proposed ")).unwrap();
    fs::copy(alice.path(kept), &carried).unwrap();
    let ledger = Emulator::start(Behaviour::default());
    act(
        alice,
        "signs on her Ledger (here an emulator)",
        &["sign", "vault", "--ledger", &ledger.url(), "--as", "alice"],
    );
    let bobs = signed(bob, "signs the file that alice gave him", &[carried.to_str().unwrap()]);
    let carols = signed(carol, "signs from the lever alone: no file reached her", &["vault"]);

    let chat = alice.path("chat.txt");
    fs::write(&chat, format!("[12:03] bob:\n> {bobs}\n[12:04] carol: mine: {carols} good luck\n")).unwrap();
    act(alice, "imports the chat", &["import", "vault", "chat.txt"]);
    act(alice, "looks who has signed", &["status", "vault"]);
    broadcasts(alice, "vault");
    let taken = begun.elapsed();

    let paused = ceremony.anvil.view(ceremony.vault, &pausedCall {});
    assert!(paused, "the vault is not paused");
    println!("paused() = {paused}, {:.1} s from the first command to the proof\n", taken.as_secs_f64());

    let begun = Instant::now();
    println!("Two more contracts: one transaction for both, whatever the order of the words.\n");
    let lines = [
        signed(alice, "signs the combined lever", &["freeze"]),
        signed(bob, "names its levers", &["bridge", "oracle"]),
        signed(carol, "names them in another order", &["oracle", "bridge"]),
    ];
    fs::write(&chat, lines.join("\n")).unwrap();
    act(alice, "imports the chat", &["import", "freeze", "chat.txt"]);
    broadcasts(alice, "freeze");
    let taken = begun.elapsed();
    for (name, at) in ["bridge", "oracle"].into_iter().zip(others) {
        assert!(ceremony.anvil.view(at, &pausedCall {}), "{name} is not paused");
    }
    println!("both paused() = true, {:.1} s from the first command to the proof", taken.as_secs_f64());
}

/// Another contract that only the Safe may pause, and its lever.
fn with_contract(ceremony: &mut Ceremony, name: &str) -> Address {
    let at = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.{name}]\nanvil = \"{at}\"\n[levers.{name}]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"{name}\" }}\n"
    ));
    at
}

fn broadcasts(desk: &Desk, what: &str) {
    let key = ["--keystore", "keystore.json", "--password-file", "password", "--confirm", "guardian"];
    act(desk, "broadcasts", &[&["broadcast", what][..], &key].concat());
}

fn signed(desk: &Desk, does: &str, what: &[&str]) -> String {
    let key = ["--keystore", "keystore.json", "--password-file", "password", "--yes"];
    act(desk, does, &[&["sign"][..], what, &key].concat()).stdout.trim().to_string()
}

/// Runs one command at a desk and shows what that person sees.
fn act(desk: &Desk, does: &str, args: &[&str]) -> Run {
    println!("── {} {does}", desk.name);
    println!("   $ breakglass {}", args.join(" "));
    let run = desk.run(args).ended(0);
    let indented = |text: &str| {
        for line in text.lines() {
            println!("   {line}");
        }
    };
    indented(&run.stderr);
    indented(&run.stdout);
    println!();
    run
}
