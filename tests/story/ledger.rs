//! An owner signs on a Ledger: the strict emulator over TCP, with the test mnemonic's keys (alice is its first, bob its
//! second), in a whole ceremony.

use std::fs;

use breakglass::safe::SafeVersion;

use crate::emulator::Emulator;
use crate::emulator::app::{Behaviour, Open, Reject};
use crate::stage::{Ceremony, Desk, Run, SafeSetup, key};
use crate::steps;

fn on_ledger(desk: &Desk, what: &[&str], emulator: &Emulator) -> Run {
    let url = emulator.url();
    desk.run(&[&["sign"], what, &["--ledger", &url, "--timeout", "3"]].concat())
}

#[test]
fn alice_compares_the_pages_and_approves_on_the_device() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let emulator = Emulator::start(Behaviour::default());
    let run = on_ledger(alice, &["vault"], &emulator).ended(0);
    let run =
        run.says("On your Ledger").says("Review struct").says("verifyingContract").says("signed by alice");
    let chat = format!("{}\n{}", run.stdout, steps::sign(bob, &["vault"]));
    fs::write(alice.path("chat.txt"), chat).unwrap();
    alice.run(&["import", "vault", "chat.txt"]).ended(0);
    steps::broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!(emulator.faults(), Vec::<String>::new(), "the device was asked nothing out of order");
}

#[test]
fn a_rejection_signs_nothing_and_says_so() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour { reject: Some(Reject::End), ..Behaviour::default() });
    on_ledger(alice, &["vault"], &emulator).ended(6).says("rejected");
    assert!(!alice.path("incidents").exists(), "something was written");
}

#[test]
fn another_app_and_a_stranger_s_device_are_told_apart() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let alice = &ceremony.desks[0];
    let bitcoin = Emulator::start(Behaviour { open: Open::Other("Bitcoin"), ..Behaviour::default() });
    on_ledger(alice, &["vault"], &bitcoin).ended(6).says("Bitcoin");

    let mut setup = SafeSetup::new(SafeVersion::V1_4_1, 2, 1);
    setup.owners = vec![key(8).address, key(9).address];
    let strangers = Ceremony::new(setup);
    let ethereum = Emulator::start(Behaviour::default());
    let run = strangers.desks[0].run(&["device", "--ledger", &ethereum.url()]).ended(0);
    run.says(&key(0).address.to_string()).says("Raw messages");
}

/// Hashes only is never silent: the review says which way and why, and the device shows two hashes.
#[test]
fn hashes_are_given_only_when_they_are_asked_for() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour { blind_signing: true, ..Behaviour::default() });
    on_ledger(alice, &["vault", "--hashes"], &emulator).ended(0).says("Domain hash").says("as asked for");
}
