//! A lever is signed where there is no network and no proposal file: from the council file and the nonce alone.

use std::fs;

use alloy::primitives::Address;
use breakglass::safe::SafeVersion;

use crate::stage::{Ceremony, Desk, SafeSetup, dead_url};
use crate::steps::{broadcast, files, import, is_paused, path, refused, sign, try_sign};

/// Sets the fee of a vault, which has one already.
const FEE: &str = r#"schema = 1
id = "param/fee"
kind = "param"
title = "Set the fee"
severity = "P3"
does_not_stop = "deposits and withdrawals"
cost = "none"
undo = { none = "the fee that it had is not recorded" }
source = "tests/story"

[[param]]
name = "target"
type = "address"

[[param]]
name = "fee"
type = "uint256"

[[step]]
to = "{target}"
call = "setFee(uint256 newFee)"
args = ["{fee}"]

[[after]]
view = "fee()(uint256)"
on = "{target}"
expect = "{fee}"
"#;

/// The same, one more than the chain has now.
const RAISE: &str = r#"schema = 1
id = "param/raise"
kind = "param"
title = "Raise the fee"
severity = "P3"
does_not_stop = "deposits and withdrawals"
cost = "none"
undo = { none = "the fee that it had is not recorded" }
source = "tests/story"

[[param]]
name = "target"
type = "address"

[[read]]
name = "fee"
view = "fee()(uint256)"
on = "{target}"

[[step]]
to = "{target}"
call = "setFee(uint256 newFee)"
args = ["{fee}"]

[[after]]
view = "fee()(uint256)"
on = "{target}"
expect = "{fee}"
"#;

/// Two of three; the singleton is not the one that a Safe of this version usually has.
fn stage() -> Ceremony {
    let mut setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    setup.l2 = true;
    let mut ceremony = Ceremony::new(setup);
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n\
         \n[levers.raise]\nplaybook = \"param/raise\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
    for desk in &ceremony.desks {
        fs::create_dir(desk.path("playbooks")).unwrap();
        fs::write(desk.path("playbooks/fee.toml"), FEE).unwrap();
        fs::write(desk.path("playbooks/raise.toml"), RAISE).unwrap();
        desk.forgets();
    }
    ceremony
}

/// Writes another council file on one desk.
fn rewrite(desk: &Desk, text: &str) {
    fs::write(desk.path("breakglass.toml"), text).unwrap();
    desk.forgets();
}

fn is_unplugged(ceremony: &Ceremony, desk: &Desk) {
    rewrite(desk, &ceremony.council().replace(&ceremony.anvil.url(), &dead_url()));
}

#[test]
fn a_lever_that_reads_nothing_is_signed_from_the_council_file_and_a_nonce() {
    let ceremony = stage();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    is_unplugged(&ceremony, bob);
    let run = try_sign(bob, &["vault", "--offline"]).ended(2);
    run.says("no proposal of lever vault is kept").says("say the nonce that the others sign: --nonce N");
    let run = bob.run(&["status", "vault", "--offline"]).ended(2).says("no proposal of lever vault is kept");
    run.says("to ask the chain: breakglass status vault").never_says("to sign it offline");
    let run = bob.run(&["--json", "check", "vault", "--offline", "--nonce", "0"]).ended(0);
    let ids: Vec<String> =
        run.json()["findings"].as_array().unwrap().iter().map(|f| f["id"].to_string()).collect();
    assert!(ids.contains(&"\"safe-assumed\"".into()), "{ids:?}");
    for never in ["unknown-singleton", "modules", "fallback-handler", "safe-owners", "safe-version"] {
        assert!(!ids.iter().any(|id| id.contains(never)), "nobody read it: {ids:?}");
    }
    let run = try_sign(bob, &["--json", "vault", "--offline", "--nonce", "0"]).ended(0);
    let run = run
        .says("version, owners, threshold ASSUMED from breakglass.toml")
        .says("assumed from breakglass.toml, not read from the chain: Safe 1.4.1");
    let signed = &run.json()["signatures"][0];
    assert_eq!(signed["summary"]["safe_is"], "assumed");
    let online = alice.run(&["--json", "pause", "vault"]).ended(0).json();
    assert_eq!(signed["safe_tx_hash"], online["safe_tx_hash"], "the same bytes as online");
    let line = signed["line"].as_str().unwrap().to_string();
    // It is known once it is signed, and goes on a stick from there.
    try_sign(bob, &["vault", "--offline"]).ended(0).says("already signed: ");
    import(alice, &["vault"], &line);
    alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
    // Back at the network, what was assumed is read: bob's own file is as good as any.
    rewrite(bob, ceremony.council());
    import(bob, &["vault"], &sign(carol, &["vault"]));
    bob.run(&["status", "vault"])
        .ended(0)
        .says("2 of 2 signed")
        .never_says("changed since this was proposed");
    broadcast(bob, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
    bob.run(&["status", "vault"]).ended(0).says("done and proven");
}

/// An argument that the lever leaves open, and signatures ahead.
#[test]
fn open_arguments_and_nonces_ahead_are_signed_offline_too() {
    let ceremony = stage();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    is_unplugged(&ceremony, bob);
    let fee = ["fee", "--set", "fee=7"];
    try_sign(bob, &["fee", "--offline", "--nonce", "0"]).ended(2).says("--set fee=");
    let bobs = sign(bob, &[&fee[..], &["--offline", "--nonce", "0"]].concat());
    import(alice, &fee, &[bobs, sign(carol, &fee)].join("\n"));
    broadcast(alice, &fee).ended(0).says("done and proven");
    let set = bob.path("set.txt");
    try_sign(bob, &["vault", "--offline", "--nonces", "1..2", "--to", path(&set)]).ended(0);
    alice.run(&["import", "vault", path(&set)]).ended(0).says("bob");
    sign(alice, &["vault"]);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
}

#[test]
fn a_lever_that_needs_the_chain_says_which_value_and_how_to_carry_it() {
    let ceremony = stage();
    let bob = &ceremony.desks[1];
    is_unplugged(&ceremony, bob);
    let run = try_sign(bob, &["raise", "--offline", "--nonce", "0"]).ended(2);
    run.says("lever raise reads vault fee() from the chain").says("breakglass export").says("--offline");
    assert!(files(bob.folder()).iter().all(|file| !path(file).contains("incidents")), "nothing was written");
}

#[test]
fn a_pin_that_is_missing_is_named() {
    let mut ceremony = stage();
    let second = Address::repeat_byte(9);
    ceremony.add_to_council(&format!(
        "\n[targets.second]\nanvil = \"{second}\"\n\n[levers.other]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"second\" }}\n"
    ));
    let bob = &ceremony.desks[1];
    let without = |words: &[&str]| {
        let lines =
            ceremony.council().lines().filter(|line| !words.iter().any(|word| line.starts_with(word)));
        lines.collect::<Vec<_>>().join("\n")
    };
    for (gone, levers, named) in [
        (&["version"][..], &["vault"][..], "has to say its version"),
        (&["owners", "threshold"], &["vault"], "has to say its owners and threshold"),
        (&["version", "owners", "threshold"], &["vault"], "its version, owners and threshold"),
        (&[], &["vault", "other"], "has to say its batch"),
    ] {
        rewrite(bob, &without(gone));
        let words = [levers, &["--offline", "--nonce", "0"]].concat();
        refused(try_sign(bob, &words), 2, &["[safes.guardian] in breakglass.toml", named]);
    }
}
