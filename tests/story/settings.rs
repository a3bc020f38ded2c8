//! The shared repository is not trusted: what changed in it since it was accepted on this machine is shown, and needs a
//! yes of its own before any review.

use std::fs;

use alloy::primitives::{hex, keccak256};
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;

use crate::stage::{Ceremony, Desk, Run, SafeSetup, Terminal, deploy, run};
use crate::steps::{
    broadcast, contents, files, path, propose, read_json, refused, refused_without_a_trace, sign,
    two_of_three, with_key,
};

fn digits(text: &str) -> String {
    hex::encode(&keccak256(text)[..8])
}

fn grouped(text: &str) -> String {
    keccak256(text)[..8].chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ")
}

fn at(desk: &Desk, words: &[String]) -> Run {
    crate::steps::run(desk, words)
}

/// The council file, with the lever at a contract of the attacker's.
fn poisoned(ceremony: &Ceremony) -> String {
    let other = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.council().replace(&ceremony.vault.to_string(), &other.to_string())
}

fn signatures(desk: &Desk) -> usize {
    files(desk.folder()).iter().filter(|f| path(f).ends_with(".sig.json")).count()
}

#[test]
fn a_poisoned_pull_is_shown_and_needs_a_yes_of_its_own() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let first = format!("first use: digest {}, compare it with a colleague", grouped(ceremony.council()));
    at(alice, &words).ended(0).says(&first);
    at(alice, &words).ended(0).never_says("first use");

    let council = poisoned(&ceremony);
    fs::write(alice.path("breakglass.toml"), &council).unwrap();
    let before = signatures(alice);
    let flag = format!("--accept changed:{}", digits(&council));
    let said = ["CHANGED since you accepted it", &flag, &grouped(&council), &grouped(ceremony.council())];
    let run = refused(at(alice, &words), 2, &said);
    let run = run.says(&format!("- anvil = \"{}\"", ceremony.vault)).never_says("[signers.alice]");
    run.never_says("What it does");
    // Every command that leads to a transaction asks; those that only read say it in one line.
    refused(alice.run(&["pause", "vault"]), 2, &[&flag]);
    refused(at(alice, &with_key(alice, &["broadcast", "vault", "--confirm", "guardian"])), 2, &[&flag]);
    alice.run(&["status", "vault"]).says("changed since you accepted it; sign shows the difference");
    let offline = with_key(alice, &["sign", "vault", "--offline", "--yes"]);
    refused(at(alice, &offline), 2, &[&flag]);
    let wrong =
        with_key(alice, &["sign", "vault", "--yes", "--accept", &format!("changed:{}", digits("other"))]);
    refused(at(alice, &wrong), 2, &[&flag]);
    assert_eq!(signatures(alice), before);

    // A copy elsewhere, under another name, speaks for the same Safe.
    let elsewhere = alice.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let renamed = council.replace("Test protocol", "Another protocol");
    fs::write(elsewhere.join("breakglass.toml"), &renamed).unwrap();
    let copy = crate::stage::run(
        alice.command(&words.iter().map(String::as_str).collect::<Vec<_>>()).current_dir(&elsewhere),
    );
    refused(copy, 2, &[&format!("--accept changed:{}", digits(&renamed)), "+ name = \"Another protocol\""]);

    // Accepted once, it is the accepted one; the one before is then a change.
    at(alice, &with_key(alice, &["sign", "vault", "--yes", "--accept", &flag["--accept ".len()..]])).ended(0);
    at(alice, &words).ended(0).never_says("CHANGED");
    fs::write(alice.path("breakglass.toml"), ceremony.council()).unwrap();
    refused(at(alice, &words), 2, &["CHANGED since you accepted it", &digits(ceremony.council())]);
}

#[test]
fn at_a_terminal_the_difference_stands_above_its_own_question() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    let council = ceremony.council().replace("threshold = 2", "threshold = 2 # as agreed");
    fs::write(alice.path("breakglass.toml"), &council).unwrap();
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let before = contents(alice.folder());
    for no in ["no\n", "N\n"] {
        let mut terminal = Terminal::start(&mut alice.command(&words));
        terminal.asks("+ threshold = 2 # as agreed").asks("Type yes: ").types(no);
        terminal.ended(4).says("was not accepted").never_says("What it does");
    }
    assert_eq!(before, contents(alice.folder()));
    let mut terminal = Terminal::start(&mut alice.command(&words));
    terminal.asks("Type yes: ").types("yes\n");
    terminal.ended(0).says("bgsig2");
    alice.run(&words).ended(0).never_says("CHANGED");
}

/// A change that does not fit on a screen is not accepted as read.
#[test]
fn a_change_that_is_too_long_to_show_is_accepted_by_its_digest_only() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    let council = format!("{}{}\n", "# padding\n".repeat(500), ceremony.council());
    fs::write(alice.path("breakglass.toml"), &council).unwrap();
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(&mut alice.command(&words));
    terminal.asks(&format!("then type {}: ", digits(&council))).types("yes\n");
    let run = terminal.ended(4).says("Not all of it is shown");
    assert!(run.stdout.lines().count() < 250, "{}", run.stdout.lines().count());
    let mut terminal = Terminal::start(&mut alice.command(&words));
    terminal.asks("then type").types(&format!("{}\n", digits(&council)));
    terminal.ended(0).says("bgsig2");
}

/// A file in `playbooks/` that takes the id of the playbook that a lever used until now.
#[test]
fn a_playbook_that_takes_a_built_in_ones_place_is_a_change_of_the_lever() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\nset = { target = \"vault\", fee = \"50\", was = \"0\" }\n",
    );
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    // Without its example, which would give the changed call away.
    let text = include_str!("../../playbooks/pause/oz-pausable.toml").split("[example]").next().unwrap();
    let forged = text.replace("\"pause()\"", "\"unpause()\"");
    assert_ne!(text, forged);
    let own = alice.path("playbooks/pause");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("oz-pausable.toml"), &forged).unwrap();
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let flag = format!("--accept changed:{}", digits(&forged));
    let run =
        refused(at(alice, &words), 2, &["in the place of the built-in playbook", &flag, "oz-pausable.toml"]);
    run.says("unpause()").never_says("CHANGED since you accepted it: /");
    // No lever that uses another playbook is stopped, and one never used before is known all the same.
    fs::write(
        own.join("fee.toml"),
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/param/fee-bps.toml")).unwrap()
            + "# other\n",
    )
    .unwrap();
    let fee = with_key(alice, &["sign", "fee", "--yes"]);
    refused(at(alice, &fee), 2, &["in the place of the built-in playbook", "fee.toml", "+ # other"]);
    // Taken away, the lever is what it was.
    fs::remove_dir_all(alice.path("playbooks")).unwrap();
    at(alice, &words).ended(0).never_says("CHANGED");
}

/// A lever whose playbook was missing when the council file was accepted: a playbook that is added later was not
/// accepted.
#[test]
fn a_playbook_added_later_for_a_lever_without_one_must_be_accepted() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council(
        "\n[levers.other]\nplaybook = \"pause/other\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    let built_in = include_str!("../../playbooks/pause/oz-pausable.toml");
    let laid = built_in.replace("id = \"pause/oz-pausable\"", "id = \"pause/other\"");
    assert_ne!(built_in, laid);
    fs::create_dir(alice.path("playbooks")).unwrap();
    fs::write(alice.path("playbooks/other.toml"), &laid).unwrap();
    let words = with_key(alice, &["sign", "other", "--yes"]);
    let flag = format!("changed:{}", digits(&laid));
    let named = ["NEW since you accepted the council file", "playbooks/other.toml", &flag];
    refused_without_a_trace(alice, &words, 2, &named).never_says("What it does");
    let accepting = with_key(alice, &["sign", "other", "--yes", "--accept", &flag]);
    at(alice, &accepting).ended(0).says("accepted: playbooks/other.toml");
    at(alice, &words).ended(0).never_says("NEW since");
}

/// The same host may serve another chain: a fork that somebody rented there.
#[test]
fn a_change_of_an_rpc_address_behind_its_host_is_shown_without_its_key() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let url = ceremony.anvil.url();
    let with_key_of = |key: &str| ceremony.council().replace(&url, &format!("{url}/?key={key}"));
    fs::write(alice.path("breakglass.toml"), with_key_of("SECRET")).unwrap();
    sign(alice, &["vault"]);
    fs::write(alice.path("breakglass.toml"), format!("# note\n{}", with_key_of("ANOTHER"))).unwrap();
    let run = refused(at(alice, &with_key(alice, &["sign", "vault", "--yes"])), 2, &["+ # note"]);
    let run = run.says(&format!("- rpc = [\"{url}/…")).says(&format!("+ rpc = [\"{url}/…"));
    run.never_says("SECRET").never_says("ANOTHER");
    for file in files(alice.home()) {
        assert!(!fs::read_to_string(&file).unwrap().contains("SECRET"), "{file:?}");
    }
}

/// Faulty settings do not stop an emergency, and the fault is reported.
#[test]
fn without_settings_signing_goes_on_and_says_so() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    run(alice.command(&words).env_remove("HOME"))
        .ended(0)
        .says("Everything counts as a first use")
        .says("first use: digest");
    // A file where the folder should be: neither read nor written.
    fs::write(alice.home().join(".config"), "").unwrap();
    let said = alice.run(&words).ended(0).says("could not be kept, and is asked again next time");
    said.says("first use: digest");
    // A malformed file is pointed at.
    sign(bob, &["vault"]);
    let accepted = files(bob.home()).into_iter().find(|f| f.ends_with("000001.toml")).unwrap();
    fs::write(&accepted, "version = 1\naccepted = [{ waht = \"x\" }]\n").unwrap();
    let own = with_key(bob, &["sign", "vault", "--yes"]);
    refused(at(bob, &own), 1, &["000001.toml:2:", "unknown field `waht`", "^^^^"]);
    carol.settings("me = \"carol\"\nkeys = \"ledger\"\n");
    refused(carol.run(&["status", "vault"]), 1, &["config.toml:2:1: unknown field `keys`", "^^^^"]);
}

#[test]
fn the_council_file_of_the_settings_is_used_from_every_folder_and_the_settings_stay_as_written() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let config = alice.home().join("settings/breakglass/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let text =
        format!("# mine\nme = \"alice\"\ncouncil = \"{}\" # ours\n", path(&alice.path("breakglass.toml")));
    fs::write(&config, &text).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = alice.command(&words);
    command.current_dir(elsewhere.path()).env("XDG_CONFIG_HOME", alice.home().join("settings"));
    run(&mut command).ended(0).says("bgsig2");
    assert_eq!(fs::read_to_string(&config).unwrap(), text);
    assert!(config.parent().unwrap().join("accepted/000001.toml").is_file());
    assert!(files(elsewhere.path()).is_empty());
}

/// Two levers of one Safe.
fn two_levers() -> Ceremony {
    let mut ceremony = two_of_three();
    ceremony.add_to_council(
        "\n[levers.again]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n\
         [levers.both]\npull = [\"vault\", \"again\"]\nalone = [\"again\"]\n",
    );
    ceremony
}

#[test]
fn one_yes_signs_one_review_and_the_password_is_asked_for_once() {
    let ceremony = two_levers();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let both = |desk: &Desk| {
        let keystore = desk.keystore();
        Terminal::start(&mut desk.command(&["sign", "both", "--keystore", path(&keystore)]))
    };
    let (first, second) = (", 1 of 2?  yes / no / more: ", ", 2 of 2?  yes / no / more: ");
    let mut terminal = both(alice);
    terminal
        .asks("lever both")
        .asks(first)
        .types("yes\n")
        .asks("password of")
        .types(&format!("{}\n", alice.password()));
    terminal.asks(second).types("no\n");
    let run = terminal.ended(4).says("1 of 2 were not signed: you said no").says("the others are signed");
    assert_eq!(run.stdout.matches("password of").count(), 1, "{}", run.stdout);
    assert_eq!(signatures(alice), 1);
    let mut terminal = both(carol);
    terminal.asks(first).types("yes\n").asks("password of").types(&format!("{}\n", carol.password()));
    terminal.asks(second).types("yes\n");
    let run = terminal.ended(0);
    assert_eq!((run.stdout.matches("password of").count(), signatures(carol)), (1, 2), "{}", run.stdout);
    // A no to the first is not an answer to the second, which then waits for the nonce.
    let mut terminal = both(bob);
    terminal.asks(first).types("no\n").asks("can be sent only once nonce 0 is used");
    terminal.asks(second).types("yes\n").asks("password of").types(&format!("{}\n", bob.password()));
    terminal.ended(4).says("bgsig2");
    assert_eq!(signatures(bob), 1);
}

#[test]
fn only_the_flag_signs_several_without_a_question() {
    let ceremony = two_levers();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let object = at(alice, &with_key(alice, &["--json", "sign", "both", "--yes"])).ended(0).json();
    assert_eq!(object["signatures"].as_array().unwrap().len(), 2);
    refused_without_a_trace(bob, &with_key(bob, &["sign", "both"]), 2, &["--yes"]);
    let object = at(bob, &with_key(bob, &["--json", "sign", "both"])).ended(2).json();
    assert_eq!(object["signatures"].as_array().unwrap().len(), 0);
}

/// A file names its own lever and playbook: it cannot avoid the acceptance.
#[test]
fn a_file_rests_on_the_same_files_as_its_lever() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let file = propose(alice);
    let carried = bob.path("carried.json");
    fs::copy(&file, &carried).unwrap();
    sign(bob, &["vault"]);
    assert_eq!(read_json(&carried)["levers"][0]["lever"], "vault");
    let council = ceremony.council().replace("threshold = 2", "threshold = 2 ");
    fs::write(bob.path("breakglass.toml"), &council).unwrap();
    for words in [&["sign", path(&carried), "--yes"][..], &["sign", path(&carried), "--offline", "--yes"]] {
        refused(at(bob, &with_key(bob, words)), 2, &[&format!("--accept changed:{}", digits(&council))]);
    }
    let _ = broadcast(bob, &["vault", "--accept", &format!("changed:{}", digits(&council))]).ended(3);
}
