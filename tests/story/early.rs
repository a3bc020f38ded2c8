//! Faults that can be known early are named before a review and before a password; a person's own settings name their key.

use std::fs;

use crate::stage::{Desk, KEYS, Terminal, encrypt, run};
use crate::steps::{broadcast, path, sign, signed_by_two, two_of_three, with_key};

/// The settings, and a keystore of this name in Foundry's folder.
fn settle(desk: &Desk, settings: &str, name: &str) {
    desk.settings(settings);
    let folder = desk.home().join(".foundry/keystores");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(desk.keystore(), folder.join(name)).unwrap();
}

#[test]
fn sign_needs_only_a_lever_and_asks_again_after_a_mistyped_answer() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    settle(alice, "me = \"alice\"\nkey = \"alices\"\npayer = \"alices\"\n", "alices");
    let mut terminal = Terminal::start(&mut alice.command(&["sign", "vault"]));
    terminal
        .asks("?  yes / no / more: ")
        .types("ja\n")
        .asks("type yes, no, or more")
        .asks_times("?  yes / no / more: ", 2)
        .types("Y\n");
    terminal.asks("password of").types("wrong\n").asks("two more tries");
    terminal.asks_times("password of", 2).types("wrong again\n").asks("one more try");
    terminal.asks_times("password of", 3).types(&format!("{}\n", alice.password()));
    terminal.ended(0).says("signed by alice").says("bgsig");
    // The third wrong one is the last.
    let bob = &ceremony.desks[1];
    settle(bob, "key = \"bobs\"\n", "bobs");
    let mut terminal = Terminal::start(&mut bob.command(&["sign", "vault", "--yes"]));
    for times in 1..=3 {
        terminal.asks_times("password of", times).types("wrong\n");
    }
    terminal.ended(1).says("nothing was signed");
    // A variable comes before the file, and what is typed before both.
    let words = ["sign", "vault", "--yes"];
    let lost = run(bob.command(&words).env("BREAKGLASS_KEY", "bobz")).ended(1);
    lost.says("there is no keystore bobz").says("did you mean bobs?");
    let typed = with_key(bob, &words);
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    run(bob.command(&typed).env("BREAKGLASS_KEY", "bobz")).ended(0).says("signed by bob");
    // The payer is a setting of its own.
    run(&mut bob.command(&["broadcast", "vault"])).ended(2).says("no key is named that pays for the gas");
    let sent = run(bob
        .command(&[
            "broadcast",
            "vault",
            "--confirm",
            "guardian",
            "--password-file",
            path(&bob.password_file()),
        ])
        .env("BREAKGLASS_PAYER", "bobs"));
    sent.ended(3).says("1 of 2 owners have signed");
}

#[test]
fn a_strangers_key_is_refused_before_the_review_and_before_the_password() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let stranger = alice.path("stranger.json");
    fs::write(&stranger, encrypt(&KEYS[9], "secret").to_string()).unwrap();
    let run = alice.run(&["sign", "vault", "--yes", "--keystore", path(&stranger)]).ended(1);
    assert!(run.stderr.lines().count() < 10, "a review: {}", run.stderr);
    run.says("which is not an owner of guardian").says("its owners: alice");
    let bobs = ceremony.desks[1].keystore();
    let run = alice.run(&["sign", "vault", "--yes", "--as", "alice", "--keystore", path(&bobs)]).ended(1);
    run.says("and you sign as");
    fs::write(&stranger, "{}").unwrap();
    let run = alice.run(&["sign", "vault", "--yes", "--keystore", path(&stranger)]).ended(1);
    assert!(run.stderr.lines().count() < 10, "a review: {}", run.stderr);
    run.says("stranger.json").says("name another file with --keystore");
}

#[test]
fn a_used_nonce_is_reported_without_a_review_and_before_the_password() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    broadcast(alice, &["vault"]).ended(0);
    let keystore = alice.keystore();
    for words in [
        &["sign", "vault", "--undo", "--nonce", "0", "--keystore", path(&keystore)][..],
        &["undo", "vault", "--nonce", "0"],
    ] {
        let run = alice.run(words);
        assert!(run.code != 0 && run.stderr.lines().count() < 14, "a review: {}", run.stderr);
        run.says("REFUSED, do not sign: nonce 0 is used: the Safe is at 1").never_says("What it does");
    }
}

#[test]
fn an_owner_who_has_signed_gets_the_line_again_without_a_password() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let line = sign(alice, &["vault"]);
    let keystore = alice.keystore();
    let again = alice.run(&["sign", "vault", "--keystore", path(&keystore)]).ended(0);
    assert_eq!(again.stdout.trim(), line.trim());
    again.says("already signed: alice");
    // Another kind of signature is another one.
    alice.run(&["sign", "vault", "--eth-sign", "--keystore", path(&keystore)]).ended(2).says("--yes");
    let chat = format!("{line}\n{}", sign(bob, &["vault"]));
    crate::steps::import(carol, &["vault"], &chat);
    let words = with_key(carol, &["sign", "vault", "--yes"]);
    crate::steps::run(carol, &words).ended(0).says("2 of 2 have signed: it can be broadcast without you");
}
