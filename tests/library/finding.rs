//! Finding the playbook for a contract, by its words and by the contract's code on a real chain.

use alloy::primitives::Address;
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::SafeVersion;

use crate::stage::{Anvil, Ceremony, Desk, Run, SafeSetup, breakglass, deploy, run};

sol! {
    function initialise(address firstOwner);
}

fn playbook(args: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    run(breakglass().current_dir(folder.path()).args(["playbook"]).args(args))
}

#[test]
fn the_whole_list_fits_a_window() {
    let list = playbook(&["list"]).ended(0);
    assert!(list.stdout.lines().count() <= 60, "{}", list.stdout);
    for protocol in ["Aave v3", "Compound v2", "OpenZeppelin", "Zodiac"] {
        assert!(list.stdout.lines().any(|line| line.starts_with(protocol)), "{}", list.stdout);
    }
    list.never_says("-undo").says("breakglass playbook list TEXT");
}

#[test]
fn a_playbook_is_found_by_what_its_contract_has() {
    for text in [&["setReservePause"][..], &["aave", "reserve"], &["setReservePause(address,bool)"]] {
        let found = playbook(&[&["list"][..], text].concat()).ended(0);
        // The undo stands beside its act.
        found.says("pause/aave-v3-reserve").says("-undo").never_says("pause/aave-v3-reserve-undo");
    }
    playbook(&["list", "0x8456cb59"]).ended(0).says("pause/oz-pausable").never_says("aave");
    playbook(&["list", "aave", "compound"]).ended(0).says("no playbook is about that");
}

/// Returns the ids that fit, each with the param that it is given as.
fn fitting(desk: &Desk, args: &[&str]) -> Vec<(String, String)> {
    let object = desk.run(&[&["--json", "playbook", "list", "--for"][..], args].concat()).ended(0).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_string();
    let whole = object["playbooks"].as_array().unwrap().iter();
    let whole = whole.filter(|found| found["lacks"].as_array().unwrap().is_empty());
    whole.map(|found| (text(&found["id"]), text(&found["given_as"]))).collect()
}

fn fits(desk: &Desk, args: &[&str], id: &str, param: &str) -> bool {
    fitting(desk, args).contains(&(id.into(), param.into()))
}

/// A vault, a vault behind a proxy, and a Safe behind its own kind of proxy: the code that runs is read.
#[test]
fn a_contract_says_which_playbooks_fit_it_also_behind_a_proxy() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let logic = deploy(&ceremony.anvil, "PausableLogic", &[]);
    let init = initialiseCall { firstOwner: ceremony.safe }.abi_encode();
    let proxied = deploy(&ceremony.anvil, "Proxied", &(logic, init).abi_encode_params());
    ceremony.add_to_council(&format!("\n[targets.router]\nanvil = \"{proxied}\"\n"));
    let alice = &ceremony.desks[0];
    assert!(fits(alice, &["vault"], "pause/oz-pausable", "target"));
    assert!(fits(alice, &["router"], "pause/oz-pausable", "target"));
    assert!(fits(alice, &[&proxied.to_string()], "pause/oz-pausable-many", "targets"));
    assert!(!fits(alice, &["router"], "rotate/oz-ownable", "target"), "it has no transferOwnership");
    assert!(fits(alice, &["vault"], "rotate/oz-ownable", "target"));
    let safe = fitting(alice, &["guardian"]);
    assert!(safe.contains(&("rotate/safe-swap-owner".into(), "safe".into())), "{safe:?}");
    let shown = alice.run(&["playbook", "list", "--for", "vault"]).ended(0);
    shown
        .says("bind one: breakglass council add lever NAME pause/oz-pausable target=vault")
        .says("breakglass playbook test")
        .never_says("safe-swap-owner");
}

#[test]
fn an_account_without_code_and_an_unknown_chain_are_named() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let alice = &ceremony.desks[0];
    let list = |desk: &Desk, args: &[&str]| desk.run(&[&["playbook", "list", "--for"][..], args].concat());
    let nobody = Address::repeat_byte(0x77).to_string();
    list(alice, &[&nobody]).ended(1).says("has no code on anvil");
    list(alice, &["vualt"]).ended(2).says("no target is called \"vualt\"").says("did you mean \"vault\"?");
    list(alice, &["0x12"]).ended(2).says("is not an address");
    list(alice, &["vault", "--chain", "mainnet"]).ended(2).says("no chain is called \"mainnet\"");
    playbook(&["list", "--for", &nobody]).ended(2).says("breakglass.toml");
    let other = Anvil::with_chain_id(777);
    ceremony.add_to_council(&format!("\n[chains.other]\nid = 777\nrpc = [\"{}\"]\n", other.url()));
    let alice = &ceremony.desks[0];
    list(alice, &["vault"]).ended(0);
    list(alice, &[&nobody]).ended(2).says("may be on anvil or other").says("--chain NAME");
    list(alice, &[&nobody, "--chain", "other"]).ended(1).says("has no code on other");
}

/// The code of the contract and a rehearsal fill in what nobody has to write.
#[test]
fn a_first_playbook_comes_from_a_contract_and_works() {
    let ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let alice = &ceremony.desks[0];
    let new = |args: &[&str]| alice.run(&[&["playbook", "new"][..], args].concat());
    let made = new(&["pause/mine", "--at", "vault", "--call", "pause"]).ended(0);
    let made = made.says("changes: paused(): false → true");
    let text = made.stdout.replace("TO SAY: ", "");
    assert!(
        text.contains("[[before]]\nview = \"paused()(bool)\"\non = \"{target}\"\nexpect = \"false\""),
        "{text}"
    );
    std::fs::create_dir_all(alice.path("playbooks")).unwrap();
    std::fs::write(alice.path("playbooks/mine.toml"), text).unwrap();
    alice.run(&["playbook", "test", "pause/mine", "--set", "target=vault"]).ended(0).says("would succeed");
    // With an argument: the view tells what was set.
    let fee =
        new(&["param/mine", "--at", "vault", "--call", "setFee(uint256 newFee)", "--set", "new_fee=30"])
            .ended(0);
    let fee = fee.says("changes: fee(): 0 → 30");
    assert!(
        fee.stdout
            .contains("[[after]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"{new_fee}\""),
        "{}",
        fee.stdout
    );
    // A fault is named, and nothing is written.
    let fails =
        new(&["param/mine", "--at", "vault", "--call", "setFee(uint256 newFee)", "--set", "new_fee=5000"]);
    let fails = fails.ended(1).says("setFee(uint256) fails from guardian: unknown error 0x7b931420");
    assert!(fails.stdout.is_empty(), "{}", fails.stdout);
    new(&["param/mine", "--at", "vault", "--call", "setFee(uint256 newFee)"])
        .ended(2)
        .says("--set new_fee=…");
    new(&["param/mine", "--at", "vault", "--call", "setCap(uint256)"])
        .ended(2)
        .says("the contract's code has no function");
    new(&["param/mine", "--call", "setFee(uint256)"]).ended(2).says("--view");
}
