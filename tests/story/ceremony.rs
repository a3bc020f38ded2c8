//! From a lever to a proven effect: one call, a batch, an owner's key rotated, and everything taken back.

use std::fs;

use alloy::primitives::{Address, Bytes};
use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::safe::SafeVersion;

use crate::stage::{Anvil, Ceremony, SafeSetup, key};
use crate::steps::{broadcast, import, is_paused, sign, two_of_three};

sol! {
    function paused() external view returns (bool);
    function getOwners() external view returns (address[]);
}

const VERSIONS: [SafeVersion; 3] = [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0];

fn paused(ceremony: &Ceremony, vault: Address) -> bool {
    ceremony.anvil.view(vault, &pausedCall {})
}

/// The first `n` owners sign, each alone from the lever; the first takes the chat in and sends.
fn carry_out(ceremony: &Ceremony, what: &[&str], n: usize) {
    let lines: Vec<String> = ceremony.desks[..n].iter().map(|desk| sign(desk, what)).collect();
    let sender = &ceremony.desks[0];
    import(sender, what, &format!("> {}\nthanks!", lines.join("\n> ")));
    broadcast(sender, what).ended(0).says("done and proven");
}

#[test]
fn a_vault_is_paused_and_unpaused_by_three_of_five_on_every_version() {
    for (version, l2) in VERSIONS.into_iter().flat_map(|v| [(v, false), (v, true)]) {
        let mut setup = SafeSetup::new(version, 5, 3);
        setup.l2 = l2;
        let ceremony = Ceremony::new(setup);
        let alice = &ceremony.desks[0];
        alice.run(&["pause", "vault"]).ended(0).says("matches your playbook").says("pause()");
        alice.run(&["status", "vault"]).ended(3).says("0 of 3 signed");
        carry_out(&ceremony, &["vault"], 3);
        assert!(paused(&ceremony, ceremony.vault), "{version} {l2}");
        alice.run(&["status", "vault"]).ended(0).says("done and proven").never_says("drift:");
        broadcast(alice, &["vault"]).ended(0).says("Nothing sent");

        carry_out(&ceremony, &["vault", "--undo"], 3);
        assert!(!paused(&ceremony, ceremony.vault), "{version} {l2}");
    }
}

pub const TWO_VAULTS: &str = r#"
schema = 1
id = "pause/two-vaults"
kind = "pause"
title = "Pause both vaults"
summary = "Both vaults in one transaction."
severity = "P1"
does_not_stop = "anything else"
cost = "users can neither deposit nor withdraw"
undo = { none = "the test has no need of it" }
source = "tests/story/ceremony.rs"

[[param]]
name = "first"
type = "address"

[[param]]
name = "second"
type = "address"

[[before]]
view = "paused()(bool)"
on = "{first}"
expect = "false"

[[step]]
to = "{first}"
call = "pause()"

[[step]]
to = "{second}"
call = "pause()"
skip_if = { view = "paused()(bool)", on = "{second}", expect = "true" }

[[after]]
view = "paused()(bool)"
on = "{first}"
expect = "true"

[[after]]
view = "paused()(bool)"
on = "{second}"
expect = "true"
"#;

#[test]
fn two_vaults_are_paused_in_one_batch_through_the_councils_own_playbook() {
    for version in VERSIONS {
        let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(version, 3, 2));
        let second = crate::stage::deploy(
            &ceremony.anvil,
            "Vault",
            &alloy::sol_types::SolValue::abi_encode(&ceremony.safe),
        );
        ceremony.add_to_council(&format!(
            "\n[targets.second]\nanvil = \"{second}\"\n\n[levers.both]\nplaybook = \"pause/two-vaults\"\n\
             safe = \"guardian\"\nset = {{ first = \"vault\", second = \"second\" }}\n"
        ));
        for desk in &ceremony.desks {
            fs::create_dir(desk.path("playbooks")).unwrap();
            fs::write(desk.path("playbooks/two-vaults.toml"), TWO_VAULTS).unwrap();
        }
        let alice = &ceremony.desks[0];
        alice.run(&["pause", "both"]).ended(0).says("from your own playbooks/two-vaults.toml");
        carry_out(&ceremony, &["both"], 2);
        assert!(paused(&ceremony, ceremony.vault) && paused(&ceremony, second), "{version}");
    }
}

#[test]
fn an_owner_is_replaced_wherever_in_the_list_and_the_change_is_taken_back() {
    for (version, at) in VERSIONS.into_iter().zip([0, 1, 2]) {
        let mut ceremony = Ceremony::new(SafeSetup::new(version, 3, 2));
        let before: Vec<Address> = ceremony.anvil.view(ceremony.safe, &getOwnersCall {});
        let old = before[at];
        let new = key(7).address;
        ceremony.add_to_council(&format!(
            "\n[levers.rotate]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\n\
             set = {{ old = \"{old}\", new = \"{new}\" }}\n"
        ));
        let alice = &ceremony.desks[0];
        alice.run(&["rotate", "rotate"]).ended(0).says("swapOwner(address,address,address)");
        carry_out(&ceremony, &["rotate"], 2);
        let mut expected = before.clone();
        expected[at] = new;
        let now: Vec<Address> = ceremony.anvil.view(ceremony.safe, &getOwnersCall {});
        assert_eq!(now, expected, "{version}");
    }
}

/// No file is sent before signing: three owners derive the transaction alone and get the same hash.
#[test]
fn a_lever_has_one_hash_at_every_desk() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let hashes: Vec<String> = ceremony
        .desks
        .iter()
        .map(|desk| desk.run(&["--json", "pause", "vault"]).ended(0).json()["safe_tx_hash"].to_string())
        .collect();
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(hashes[0], hashes[2]);
}

#[test]
fn an_offline_owner_signs_from_the_proposal_file() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let file =
        alice.run(&["--json", "pause", "vault"]).ended(0).json()["proposal"].as_str().unwrap().to_string();
    let carried = bob.path("carried.json");
    fs::copy(alice.path(&file), &carried).unwrap();
    let council = bob.path("breakglass.toml");
    let text =
        fs::read_to_string(&council).unwrap().replace(&ceremony.anvil.url(), &crate::stage::dead_url());
    fs::write(&council, text).unwrap();
    let bobs = sign(bob, &[carried.to_str().unwrap(), "--offline"]);
    let carols = sign(carol, &["vault"]);
    import(alice, &["vault"], &format!("{bobs}\n{carols}"));
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
}

#[test]
fn somebody_else_sends_it_and_it_is_proven_all_the_same() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_3_0, 3, 2));
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let lines = format!("{}\n{}", sign(alice, &["vault"]), sign(bob, &["vault"]));
    import(alice, &["vault"], &lines);
    let call = alice.run(&["--json", "broadcast", "vault", "--calldata"]).ended(0).json();
    let data: Bytes = call["data"].as_str().unwrap().parse().unwrap();
    assert_eq!(call["to"].as_str().unwrap(), ceremony.safe.to_string());
    assert!(
        ceremony.anvil.send(key(8).address, ceremony.safe, &data, alloy::primitives::U256::ZERO).succeeded
    );
    let sender = key(8).address.to_string();
    broadcast(alice, &["vault"]).ended(0).says("already executed by somebody else").says(&sender);
    assert_eq!(pausedCall::SELECTOR, [0x5c, 0x97, 0x5a, 0xbb]);
}

/// `undo` is a verb of its own, with every check of the counter-playbook.
#[test]
fn a_lever_is_taken_back_by_the_verb_undo() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    // It runs: there is nothing to take back.
    alice.run(&["undo", "vault"]).ended(0).says("NOTHING TO DO").says("vault paused() is false");
    let lines = [sign(alice, &["vault"]), sign(bob, &["vault"])].join("\n");
    import(alice, &["vault"], &lines);
    broadcast(alice, &["vault"]).ended(0);
    assert!(is_paused(&ceremony));
    alice.run(&["undo", "vault"]).ended(0).says("breakglass sign vault --undo");
    let lines = [sign(alice, &["vault", "--undo"]), sign(bob, &["vault", "--undo"])].join("\n");
    import(alice, &["vault", "--undo"], &lines);
    broadcast(alice, &["vault", "--undo"]).ended(0).says("done and proven");
    assert!(!is_paused(&ceremony));
}
