//! The council file before the night: entries are added without spoiling it, bad levers are said early, and whoever is
//! missing is named with how to reach them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::stage::{KEYS, deploy};
use crate::steps::{broadcast, refused, refused_without_a_trace, sign, two_of_three};
use alloy::sol_types::SolValue;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_string).collect()
}

#[test]
fn entries_are_added_and_comments_stay() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let file = alice.path("breakglass.toml");
    let commented =
        ceremony.council().replace("[levers.vault]", "# Pull this one first.\n[levers.vault] # ours");
    fs::write(&file, &commented).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let gate = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode()).to_string();
    let add = |words: &[&str]| alice.run(&[&["council", "add"], words].concat());
    let frank = KEYS[5].address.to_string();

    add(&["signer", "frank", &frank]).ended(0).says("added signer frank").says("its digest is now");
    add(&["target", "gate", &gate]).ended(0);
    add(&["lever", "gate", "pause/oz-pausable", "target=gate"]).ended(0);
    add(&["chain", "base", "8453", "--rpc", "${BASE_RPC}"]).ended(0);
    add(&["target", "gate", &gate, "--chain", "base"]).ended(0);
    add(&["person", "frank", "--reach", "phone 1", "--zone", "Europe/Berlin"]).ended(0);
    let after = fs::read_to_string(&file).unwrap();
    for line in commented.lines() {
        assert!(after.contains(line), "{line:?} is not in\n{after}");
    }
    assert!(after.contains(&format!("[targets.gate]\nanvil = \"{gate}\"\nbase = \"{gate}\"\n")), "{after}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    alice.run(&["pause", "gate"]).ended(0).says("gate");

    // Again is no mistake; something else by the same name is.
    add(&["target", "gate", &gate, "--chain", "base"]).ended(0).says("is there already: nothing to do");
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    let other = frank.as_str();
    for (words, said) in [
        (
            &["target", "gate", other, "--chain", "anvil"][..],
            "target gate is there already, and says otherwise",
        ),
        (&["lever", "gate2", "pause/oz-pausable", "target=gat"], "gat"),
        (&["lever", "gate2", "pause/oz-pausible", "target=gate"], "pause/oz-pausible"),
        (&["lever", "gate2", "pause/oz-pausable", "traget=gate"], "did you mean \"target\"?"),
        (&["target", "x", other, "--chain", "bose"], "no chain is called \"bose\"; known: anvil, base"),
        (&["target", "x", other], "the council file has 2 chains: which one?"),
        (&["chain", "op", "10", "--rpc", "https://op.example/v2/SECRET"], "may hold a key"),
    ] {
        let all = [&["council", "add"], words].concat();
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        refused_without_a_trace(alice, &all, 2, &[said]).never_says("SECRET");
    }
    // Entries that the file itself would not allow, with their place in the text to be written.
    let run = refused_without_a_trace(
        alice,
        &words("council add signer gate 0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"),
        1,
        &["already names"],
    );
    run.says("^");
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
}

#[test]
fn a_safe_is_added_as_the_chain_has_it_through_a_link_and_init_names_its_owners() {
    let ceremony = two_of_three();
    let (alice, safe, rpc) = (&ceremony.desks[0], ceremony.safe.to_string(), ceremony.anvil.url());
    let [first, second] = [0, 1].map(|n| ceremony.desks[n].key.address.to_string());
    let owner = format!("alice={first}");
    let init = ["--council", "new.toml", "init", "--safe", &safe, "--rpc", &rpc, "--owner"];
    alice.run(&[&init[..], &[&owner]].concat()).ended(0);
    let text = fs::read_to_string(alice.path("new.toml")).unwrap();
    assert!(text.contains("[\"alice\", \"owner-2\", \"owner-3\"]"), "{text}");
    assert!(text.contains(&format!("[signers.alice]\naddress = \"{first}\"")), "{text}");
    fs::remove_file(alice.path("new.toml")).unwrap();
    for (owner, said) in [
        (format!("eve={}", KEYS[7].address), "it is not an owner of the Safe; they are"),
        ("alice".into(), "write it as NAME=ADDRESS"),
        ("alice=0x12".into(), "0x12"),
    ] {
        let run = alice.run(&[&init[..], &[&owner]].concat()).ended(2).says(said);
        assert!(!alice.path("new.toml").exists(), "{}", run.stderr);
    }

    let chain_only = format!(
        "schema = 1\nname = \"x\"\n[chains.anvil]\nid = {}\nrpc = [\"{rpc}\"]\n[signers.bob]\naddress = \"{second}\"\n",
        ceremony.anvil.chain_id
    );
    fs::write(alice.path("shared.toml"), &chain_only).unwrap();
    symlink("shared.toml", alice.path("linked.toml")).unwrap();
    alice.run(&["--council", "linked.toml", "council", "add", "safe", "guardian", &safe]).ended(0);
    let text = fs::read_to_string(alice.path("shared.toml")).unwrap();
    assert!(alice.path("linked.toml").is_symlink(), "the link stays a link");
    let owners = format!("owners = [\"{first}\", \"bob\", ");
    assert!(
        text.contains(&owners) && text.contains("threshold = 2\nmodules = []\nguard = \"none\""),
        "{text}"
    );
}

#[test]
fn bad_levers_are_reported_in_one_line_and_the_others_are_still_shown() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let bad = "\n[levers.gate]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\nset = { target = \"valt\" }\n\
               [levers.door]\nplaybook = \"pause/nothing\"\nsafe = \"guardian\"\n";
    fs::write(alice.path("breakglass.toml"), format!("{}{bad}", ceremony.council())).unwrap();
    let line = "lever gate: ";
    for words in [&[][..], &["pause", "vault"], &["status", "vault"], &["log"]] {
        let run = alice.run(words);
        let said = run.stderr.lines().filter(|l| l.contains(line)).collect::<Vec<_>>();
        assert!(
            matches!(said[..], [one] if one.contains("valt") && one.contains("another lever is bad too")),
            "{}",
            run.stderr
        );
    }
    alice
        .run(&["council", "check", "--offline"])
        .ended(1)
        .says("valt")
        .says("pause/nothing")
        .never_says("another lever");
    refused(alice.run(&["pause", "gate"]), 2, &["valt"]);
    fs::write(alice.path("breakglass.toml"), ceremony.council()).unwrap();
    alice.run(&["pause", "vault"]).never_says("council check");
}

#[test]
fn missing_owners_are_named_with_their_contact_and_backup() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council(
        "\n[people.bob]\nreach = \"phone 1\"\nbackup = \"frank\"\naway = [\"2020-01-01..2099-12-31\"]\n\
         [people.frank]\nreach = \"phone 2\"\nzone = \"Asia/Tokyo\"\n[people.alice]\nreach = \"phone 3\"\n",
    );
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    let run = alice.run(&["status", "vault"]).ended(3).says("call frank (for bob, who is away): phone 2, ");
    run.never_says("phone 3");
    let json = alice.run(&["--json", "status", "vault"]).ended(3).json();
    assert_eq!(json["call"][0]["name"], "frank", "{json}");
    assert_eq!(json["call"][0]["instead_of"], "bob", "{json}");
    broadcast(alice, &["vault"]).ended(3).says("call frank (for bob, who is away): phone 2, ");
}
