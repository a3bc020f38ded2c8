//! The library through the program itself.

use std::fs;

use alloy::primitives::{Address, Uint};
use alloy::sol;
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;

use crate::stage::{Anvil, Ceremony, SafeSetup, breakglass, deploy, run};

sol! {
    function isTransferPaused() external view returns (bool);
}

fn playbook(args: &[&str]) -> crate::stage::Run {
    let folder = tempfile::tempdir().unwrap();
    run(breakglass().current_dir(folder.path()).args(args))
}

#[test]
fn the_list_is_filtered_and_a_filter_that_means_nothing_is_a_mistake() {
    let all = playbook(&["--json", "playbook", "list"]).ended(0).json();
    assert!(all["playbooks"].as_array().unwrap().len() >= 60);
    let list = playbook(&["playbook", "list", "--family", "euler", "--kind", "pause"]).ended(0);
    list.says("pause/euler-v2-operations").never_says("param/euler-v2-supply-cap").never_says("aave");
    playbook(&["playbook", "list", "--family", "nobody"]).ended(0).says("no playbook is about that");
    playbook(&["playbook", "list", "--severity", "P9"]).ended(2).says("P1, P2, P3, P4, P5");
    playbook(&["playbook", "list", "--severity", "p1", "--kind", "PAUSE"]).ended(0).says("pause/");
}

#[test]
fn a_playbook_is_explained_with_an_example_lever() {
    let shown = playbook(&["playbook", "show", "pause/aave-v3-reserve"]).ended(0);
    let shown = shown.says("asset (address): the underlying token of the reserve");
    shown.says("[levers.aave-v3-reserve]").says("setReservePause(address,bool)").says("EMERGENCY_ADMIN");
}

#[test]
fn a_folder_of_playbooks_is_checked() {
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks");
    playbook(&["playbook", "check", library]).ended(0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let check = || playbook(&["playbook", "check", folder.path().to_str().unwrap()]);
    let new = playbook(&["playbook", "new", "pause/mine", "--call", "stop()", "--view", "stopped()(bool)"])
        .ended(0);
    fs::write(&file, &new.stdout).unwrap();
    check()
        .ended(1)
        .says("replace \"TO SAY\" in line 4, 5, 7, 8, 9, 10, 11: the scaffold leaves this to you");
    let said = new.stdout.replace("TO SAY: ", "");
    fs::write(&file, &said).unwrap();
    check().ended(0).says("no [example]");
    // A weak proof is a warning: the author may have a good reason.
    let skip = said.lines().find(|line| line.starts_with("skip_if")).unwrap();
    fs::write(&file, said.replace(skip, "")).unwrap();
    check()
        .ended(0)
        .says("! ")
        .says("warning: [[after]] {target} stopped() is true: it may hold before the steps");
    let listed = playbook(&["--json", "playbook", "check", file.to_str().unwrap()]).ended(0).json();
    assert_eq!(listed["playbooks"][0]["faults"].as_array().unwrap().len(), 0);
    assert_eq!(listed["playbooks"][0]["warnings"].as_array().unwrap().len(), 1);
    let undo = said.lines().find(|line| line.starts_with("undo")).unwrap();
    fs::write(&file, said.replace(undo, "undo = \"pause/aave-v3-reserve\"")).unwrap();
    check()
        .ended(1)
        .says("its undo pause/aave-v3-reserve needs configurator, which pause/mine does not give");
    fs::write(&file, said.replace("stop()", "stop(")).unwrap();
    check().ended(1).says("is not a function signature").says("^");
}

/// Three desks, one market: what was paused by somebody else stays, and a Safe without the role is told beforehand.
#[test]
fn a_lever_of_the_library_goes_through_the_whole_program() {
    let setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), setup);
    let ours = deploy(&ceremony.anvil, "Comet", &ceremony.safe.abi_encode());
    let theirs = deploy(&ceremony.anvil, "Comet", &Address::repeat_byte(9).abi_encode());
    for (name, comet) in [("ours", ours), ("theirs", theirs)] {
        ceremony.add_to_council(&format!(
            "\n[targets.{name}]\nanvil = \"{comet}\"\n\n[levers.{name}]\nplaybook = \"pause/compound-v3-comet\"\n\
             safe = \"guardian\"\nset = {{ comet = \"{name}\", supply = \"true\" }}\n"
        ));
    }
    let alice = &ceremony.desks[0];
    alice
        .run(&["pause", "ours"])
        .ended(0)
        .says("matches your playbook")
        .says("pause(bool,bool,bool,bool,bool)");
    assert!(ceremony.anvil.view(ours, &isTransferPausedCall {}));
    alice.run(&["pause", "theirs"]).ended(4).says("from the Safe");
}

/// A lever that takes effect later says so in the review, with the contract's own time.
#[test]
fn a_lever_that_waits_says_how_long_in_its_review() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let args = (Uint::<48, 1>::from(86_400), ceremony.safe).abi_encode_params();
    let target = format!("target={}", deploy(&ceremony.anvil, "Ruled", &args));
    let new = format!("new={}", Address::repeat_byte(9));
    let words = ["rotate", "--playbook", "rotate/oz-default-admin", "--safe", "guardian"];
    let words = [&words[..], &["--set", &target, "--set", &new]].concat();
    ceremony.desks[0].run(&words).ended(0).says(
        "takes effect: the new admin can accept only after 86400 seconds, which is defaultAdminDelay()",
    );
}

/// A broken file of the council's stops the lever that rests on it, and no other.
#[test]
fn one_broken_playbook_stops_no_other_lever() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
    let alice = &ceremony.desks[0];
    let folder = alice.path("playbooks");
    fs::create_dir_all(folder.join("param")).unwrap();
    for (name, text) in [
        ("half.toml", "kind = \"pause\"\ntitle = \"cut o".as_bytes()),
        ("not-text.toml", &[0xff, 0xfe, 0x00]),
        ("param/fee-bps.toml", b"schema = 1\n"),
        ("typo.toml", b"schema = 1\nid = \"pause/other\"\nkidn = \"pause\"\n"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let paused = alice.run(&["pause", "vault"]).ended(0).says("matches your playbook");
    let paused =
        paused.says("left out: playbooks/half.toml:2:15:").says("left out: playbooks/not-text.toml:");
    paused.never_says("typo.toml");
    // The one whose place the broken file takes is not replaced by the built-in one.
    let fee = alice.run(&["param", "fee", "--set", "fee=0.5 %", "--set", "was=0"]).ended(1);
    fee.says("playbooks/param/fee-bps.toml: ");
    let list = alice.run(&["playbook", "list", "pausable"]).ended(0);
    list.says("left out: playbooks/typo.toml:3:1:").says("pause/oz-pausable");
    // Every fault of a folder is told, each with its file.
    let all = alice.run(&["--json", "playbook", "check", folder.to_str().unwrap()]).ended(1).json();
    assert_eq!(all["error"]["message"], "4 of 4 playbooks have faults");
}
