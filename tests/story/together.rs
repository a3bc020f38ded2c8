//! Several levers in one command: one transaction for each Safe, equal for everybody in any order of the names.

use std::fmt::Write;
use std::fs;

use alloy::primitives::{Address, hex};
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;

use crate::stage::{Anvil, Ceremony, Proxy, SafeSetup, deploy, deploy_safe};
use crate::steps::{
    as_the_safe, broadcast, executed, import, path, pausedCall, propose, refused, run, sign, try_sign,
    two_of_three, with_key,
};

const PAUSE: [u8; 4] = hex!("8456cb59");

/// Contracts of the council's Safe, each with a lever that pauses it; and `freeze`, which pulls all of them.
fn with_contracts(ceremony: &mut Ceremony, names: &[&str], more: &str) -> Vec<Address> {
    let mut text = String::new();
    let mut all = Vec::new();
    for name in names {
        let at = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
        all.push(at);
        write!(
            text,
            "\n[targets.{name}]\nanvil = \"{at}\"\n[levers.{name}]\nplaybook = \"pause/oz-pausable\"\n\
             safe = \"guardian\"\nset = {{ target = \"{name}\" }}\n"
        )
        .unwrap();
    }
    let pulled = [&["vault"], names].concat();
    write!(text, "\n[levers.freeze]\ntitle = \"Stop everything\"\npull = {pulled:?}\n{more}").unwrap();
    ceremony.add_to_council(&text);
    all
}

fn paused(ceremony: &Ceremony, contracts: &[Address]) -> usize {
    contracts.iter().filter(|contract| ceremony.anvil.view(**contract, &pausedCall {})).count()
}

#[test]
fn three_signers_type_three_orders_and_sign_one_transaction() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 3));
    let all = with_contracts(&mut ceremony, &["bridge", "oracle"], "");
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let chat = [
        sign(alice, &["vault", "bridge", "oracle"]),
        sign(bob, &["oracle", "vault", "bridge"]),
        sign(carol, &["freeze"]),
    ];
    import(alice, &["freeze"], &chat.join("\n"));
    let run = broadcast(alice, &["freeze"]).ended(0).says("done and proven");
    run.says("3 calls in one")
        .says("vault: Pause an OpenZeppelin Pausable contract")
        .says("bridge paused() is true");
    assert_eq!((paused(&ceremony, &all), executed(&ceremony)), (2, 1));
}

/// The first evaluation of three contracts takes as many rounds as that of one.
#[test]
fn a_combined_lever_is_derived_and_rehearsed_in_two_rounds() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let mut ceremony = Ceremony::on(anvil, setup, &[proxy.url()]);
    with_contracts(&mut ceremony, &["bridge", "oracle"], "");
    let object = ceremony.desks[0].run(&["--json", "pause", "freeze"]).ended(0).json();
    assert_eq!(object["rounds"], 2, "{object}");
}

#[test]
fn levers_left_out_are_named_in_the_command() {
    let mut ceremony = two_of_three();
    let all = with_contracts(&mut ceremony, &["bridge", "oracle"], "");
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    alice
        .run(&["pause", "freeze"])
        .ended(0)
        .says("if somebody else makes the call of bridge, pause(), first, all of it reverts");
    import(alice, &["freeze"], &sign(bob, &["freeze"]));
    // Somebody pauses the bridge first, by hand.
    as_the_safe(&ceremony, all[0], PAUSE);
    let command = "breakglass sign freeze --without bridge";
    let lost = "the signatures of bob are lost by that";
    refused(try_sign(alice, &["freeze"]), 4, &["bridge: already done", lost, command]);
    sign(alice, &["freeze", "--without", "bridge"]);
    let says = format!("bob signed freeze for nonce 0, which does not count here: {command}");
    alice.run(&["status", "freeze", "--without", "bridge"]).ended(3).says(&says);
    let lines =
        [sign(alice, &["freeze", "--without", "bridge"]), sign(bob, &["freeze", "--without", "bridge"])];
    import(alice, &["freeze", "--without", "bridge"], &lines.join("\n"));
    broadcast(alice, &["freeze", "--without", "bridge"]).ended(0).says("done and proven");
    assert_eq!(paused(&ceremony, &all), 2);
    refused(
        try_sign(alice, &["freeze", "--without", "brigde"]),
        2,
        &["no lever is called \"brigde\"", "bridge"],
    );
    refused(try_sign(alice, &["vault", "--without", "bridge"]), 2, &["does not pull it"]);
}

/// The second swap depends on the order of the owners, which the first one changes.
#[test]
fn levers_of_which_one_reads_what_the_other_changes_are_not_combined() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let mut text = String::new();
    let owners = ceremony.setup.owners.clone();
    for (name, old, byte) in [("first", owners[0], 0x11), ("second", owners[1], 0x22)] {
        let new = Address::repeat_byte(byte);
        write!(
            text,
            "\n[levers.{name}]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\n\
             set = {{ old = \"{old}\", new = \"{new}\" }}\n"
        )
        .unwrap();
    }
    ceremony.add_to_council(&text);
    let alice = &ceremony.desks[0];
    alice.run(&["rotate", "first"]).ended(0);
    refused(try_sign(alice, &["first", "second"]), 4, &["first and second cannot be combined"]);
    ceremony.add_to_council("\n[levers.both]\npull = [\"first\", \"second\"]\n");
    ceremony.desks[0]
        .run(&["council", "check"])
        .ended(1)
        .says("first and second cannot be combined")
        .says("1 of 4 levers are bad: both");
}

/// The fee is a value of the contract that is paused first. If somebody has paused it already, the reason is that the
/// pause would revert, and the fee can still be set.
#[test]
fn a_lever_that_is_done_already_does_not_make_the_next_one_clash() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\n\
         set = { target = \"vault\", was = \"0\", fee = \"40\" }\n",
    );
    let alice = &ceremony.desks[0];
    alice.run(&["pause", "vault", "fee"]).ended(0).says("2 calls in one");
    as_the_safe(&ceremony, ceremony.vault, PAUSE);
    let run = try_sign(alice, &["vault", "fee"]).ended(4).never_says("cannot be combined");
    run.says("vault: already done").says("breakglass sign fee");
}

/// A bad lever is found when the file is changed, and hides no other.
#[test]
fn the_council_file_is_checked_as_a_whole() {
    let mut ceremony = two_of_three();
    let all = with_contracts(&mut ceremony, &["bridge", "oracle"], "");
    let alice = &ceremony.desks[0];
    let good = alice.run(&["council", "check", "--json"]).ended(0).json();
    assert_eq!(good["levers"].as_array().unwrap().len(), 4, "{good}");
    let nobody = Address::repeat_byte(0x77);
    let broken = ceremony
        .council()
        .replace(&format!("anvil = \"{}\"", all[0]), &format!("anvil = \"{nobody}\""))
        .replace("set = { target = \"oracle\" }", "set = { traget = \"oracle\" }");
    std::fs::write(alice.path("breakglass.toml"), &broken).unwrap();
    let run = alice.run(&["council", "check"]).ended(1);
    run.says(&format!("bridge {nobody} is not a contract on anvil"))
        .says("no argument \"traget\"; did you mean \"target\"?")
        .says("✓ vault")
        .says("pulls bridge, oracle, which cannot be pulled")
        .says("3 of 4 levers are bad: bridge, oracle, freeze");
    let offline = alice.run(&["council", "check", "--offline", "--json"]).ended(1).json();
    assert_eq!(offline["levers"][1]["faults"], serde_json::json!([]), "the chain was asked: {offline}");
    assert_eq!(offline["levers"][2]["good"], false);
    let unnamed = broken.replacen("pause/oz-pausable", "pause/no-such", 1);
    std::fs::write(alice.path("breakglass.toml"), unnamed).unwrap();
    let run = alice
        .run(&[])
        .ended(0)
        .says("council file: lever vault: no playbook is called")
        .says("breakglass council check");
    assert!(run.stdout.contains("pause freeze") && run.stdout.contains("Stop everything"), "{}", run.stdout);
}

#[test]
fn combined_levers_stand_in_the_list() {
    let mut ceremony = two_of_three();
    with_contracts(&mut ceremony, &["bridge", "oracle"], "");
    let alice = &ceremony.desks[0];
    for words in [&["--json"][..], &["pause", "--json"]] {
        let listed = alice.run(words).ended(0).json();
        let freeze = &listed["levers"][3];
        assert_eq!(freeze["pulls"], serde_json::json!(["vault", "bridge", "oracle"]), "{listed}");
        assert_eq!(freeze["safes"], serde_json::json!(["guardian"]));
    }
    let listed = alice.run(&["param", "--json"]).ended(0).json();
    assert_eq!(listed["levers"], serde_json::json!([]), "it pulls no param");
}

/// A lever that anybody could pull first has its own transaction: its failure does not stop the others.
#[test]
fn a_lever_with_its_own_transaction_has_its_own_nonce() {
    let mut ceremony = two_of_three();
    let all = with_contracts(&mut ceremony, &["bridge", "oracle"], "alone = [\"bridge\"]\n");
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let (alices, bobs) = (try_sign(alice, &["freeze"]).ended(0), try_sign(bob, &["freeze"]).ended(0));
    assert_eq!((alices.stdout.lines().count(), bobs.stdout.lines().count()), (2, 2));
    // The first line has left the screen by the second review.
    let bobs = bobs.says("2 signed; to see all lines again: breakglass export freeze");
    // One paste holds all the lines; each proposal takes its own.
    import(alice, &["freeze"], &bobs.stdout);
    let object = run(alice, &with_key(alice, &["--json", "broadcast", "freeze", "--confirm", "guardian"]))
        .ended(0)
        .json();
    assert_eq!(object["parts"].as_array().map(Vec::len), Some(2), "{object}");
    assert_eq!((paused(&ceremony, &all), executed(&ceremony)), (2, 2));
}

/// A second Safe on a chain of its own, and a third chain whose RPC does not answer.
fn over_three_chains(ceremony: &mut Ceremony, other: &Anvil) -> Address {
    let safe = deploy_safe(other, &ceremony.setup);
    let vault = deploy(other, "Vault", &safe.abi_encode());
    let (url, dead) = (other.url(), "http://127.0.0.1:9");
    let mut text = String::new();
    for (chain, id, rpc) in [("second", other.chain_id, url.as_str()), ("third", 31_340, dead)] {
        write!(
            text,
            "\n[chains.{chain}]\nid = {id}\nrpc = [{rpc:?}]\n\
             [safes.guardian-{chain}]\nchain = \"{chain}\"\naddress = \"{safe}\"\nversion = \"1.4.1\"\n\
             owners = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\n\
             [targets.vault-{chain}]\n{chain} = \"{vault}\"\n\
             [levers.vault-{chain}]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian-{chain}\"\n\
             set = {{ target = \"vault-{chain}\" }}\n"
        )
        .unwrap();
    }
    text.push_str("\n[levers.everywhere]\npull = [\"vault\", \"vault-second\", \"vault-third\"]\n");
    ceremony.add_to_council(&text);
    vault
}

#[test]
fn a_chain_that_does_not_answer_does_not_stop_the_others() {
    let mut ceremony = two_of_three();
    let other = Anvil::with_chain_id(31_339);
    let vault = over_three_chains(&mut ceremony, &other);
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let signed = |desk| {
        let run =
            try_sign(desk, &["everywhere"]).ended(7).says("left out: vault-third · guardian-third on third");
        assert_eq!(run.stdout.lines().count(), 2, "{}", run.stdout);
        run.stdout
    };
    signed(alice);
    let bobs = signed(bob);
    let both = ["everywhere", "--without", "vault-third"];
    import(alice, &both, &bobs);
    let words =
        [&["broadcast"], &both[..], &["--confirm", "guardian", "--confirm", "guardian-second"]].concat();
    run(alice, &with_key(alice, &words)).ended(0).says("1 of 2").says("2 of 2").says("done and proven");
    assert!(other.view(vault, &pausedCall {}) && ceremony.anvil.view(ceremony.vault, &pausedCall {}));
}

/// A value that is given for one lever would also accept the same value in a file.
#[test]
fn a_value_cannot_be_given_for_a_lever_and_a_file_at_once() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let file = alice.path("theirs.json");
    fs::copy(propose(bob), &file).unwrap();
    let words = [path(&file), "vault", "--set", "target=vault"];
    refused(try_sign(alice, &words), 2, &["--set is for the levers", "sign the file by itself"]);
}
