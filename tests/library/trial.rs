//! `playbook test` through the program: a real anvil, a real Safe, and playbooks that keep or break their word.

use std::fs;

use alloy::primitives::Address;
use alloy::sol;
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;

use crate::stage::{Ceremony, Proxy, Run, SafeSetup, dead_url, deploy};

sol! {
    function osm() external view returns (address);
}

fn ceremony() -> Ceremony {
    Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2))
}

fn tested(ceremony: &Ceremony, args: &[&str]) -> Run {
    ceremony.desks[0].run(&[&["playbook", "test"][..], args].concat())
}

/// A playbook that `playbook new` writes for the vault, with everything said.
fn own(ceremony: &Ceremony, id: &str, call: &str, view: &str) -> String {
    let new = ceremony.desks[0].run(&["playbook", "new", id, "--call", call, "--view", view]).ended(0);
    new.stdout.replace("TO SAY: ", "")
}

#[test]
fn a_lever_is_tried_undone_and_denied_to_others_and_nothing_is_sent() {
    let ceremony = ceremony();
    let before = ceremony.anvil.block_number();
    let tried = tested(&ceremony, &["pause/oz-pausable", "--set", "target=vault"]).ended(0);
    let tried = tried.says("without the role refused before anybody signs: ").says("vault paused() is true");
    let tried = tried.says("once more refused before anybody signs: ");
    let tried = tried.says("its undo, pause/oz-pausable-undo would succeed").says("vault paused() is false");
    tried.says("left over after its undo nothing: every slot is as it was");
    assert_eq!(ceremony.anvil.block_number(), before);

    let json =
        ceremony.desks[0].run(&["--json", "playbook", "test", "pause/oz-pausable", "--set", "target=vault"]);
    let json = json.ended(0).json();
    assert_eq!(json["lever"]["ended"], "proven");
    assert_eq!(json["undo"]["proofs"][0], "vault paused() is false");
    assert_eq!(json["without_role"]["ended"], "refused");
    assert_eq!(json["undo_without_role"]["ended"], "refused");
    assert_eq!(json["block"], before);
}

/// Several calls through MultiSend, an owner of the Safe itself, a value that is read first.
#[test]
fn a_rotation_of_the_safe_itself_is_taken_back_with_the_owners_that_it_left() {
    let ceremony = ceremony();
    let (old, new) = (ceremony.setup.owners[1].to_string(), Address::repeat_byte(7).to_string());
    let set = [format!("old={old}"), format!("new={new}")];
    let words = ["rotate/safe-swap-owner", "--set", &set[0], "--set", &set[1]];
    tested(&ceremony, &words).ended(0).says("its undo, rotate/safe-swap-owner would succeed");

    let market = deploy(&ceremony.anvil, "Comet", &ceremony.safe.abi_encode());
    let set = format!("comet={market}");
    tested(&ceremony, &["pause/compound-v3-comet", "--set", &set, "--set", "supply=true"])
        .ended(0)
        .says("isTransferPaused() is true")
        .says("its undo, pause/compound-v3-comet-undo would succeed");
}

#[test]
fn a_safe_without_the_role_is_reported_and_an_undo_may_be_another_safes() {
    let ceremony = ceremony();
    let theirs = deploy(&ceremony.anvil, "Vault", &Address::repeat_byte(9).abi_encode());
    let set = format!("target={theirs}");
    tested(&ceremony, &["pause/oz-pausable", "--set", &set])
        .ended(4)
        .says("the lever: refused before anybody signs");

    let admin = Address::repeat_byte(0xad);
    let args = (admin, ceremony.safe).abi_encode_params();
    let comptroller = deploy(&ceremony.anvil, "Comptroller", &args);
    let set = format!("comptroller={comptroller}");
    let words = ["pause/compound-v2-seize", "--set", &set];
    tested(&ceremony, &words)
        .ended(4)
        .says("seizeGuardianPaused() is true")
        .says("where another Safe takes it back: --undo-safe NAME");
}

#[test]
fn a_playbook_that_breaks_its_promise_fails() {
    let ceremony = ceremony();
    let desk = &ceremony.desks[0];
    let text = own(&ceremony, "pause/mine", "pause()", "paused()(bool)");
    let file = desk.path("mine.toml");
    let given = |text: &str| {
        fs::write(&file, text).unwrap();
        tested(&ceremony, &[file.to_str().unwrap(), "--set", "target=vault"])
    };
    let good = given(&text).ended(0);
    good.says("vault paused() is true").says("its undo none: ");
    // It proves what is not so; it is undone by the wrong one; anybody may do it.
    let (first, after) = text.split_once("[[after]]").unwrap();
    let lies = format!("{first}[[after]]{}", after.replace("expect = \"true\"", "expect = \"false\""));
    given(&lies).ended(1).says("it would not do its work: vault paused() is true, not false");
    let undo = text.lines().find(|line| line.starts_with("undo")).unwrap();
    let unfit = text.replace(undo, "undo = \"pause/oz-pausable\"");
    given(&unfit).ended(4).says("its undo, pause/oz-pausable: refused before anybody signs");
    // Anybody may do it, and it does not say so.
    let spell_at = deploy(&ceremony.anvil, "Spell", &[]);
    let spell = format!("target={spell_at}");
    let open = own(&ceremony, "pause/open", "schedule()", "done()(bool)");
    fs::write(&file, &open).unwrap();
    let tried = || tested(&ceremony, &[file.to_str().unwrap(), "--set", &spell]);
    tried().ended(1).says("schedule() does not revert from 0x6E6f626f64790000000000000000000000000000");
    let role = open.lines().find(|line| line.starts_with("role")).unwrap();
    let anyone = open.replace(role, "anyone = true");
    fs::write(&file, &anyone).unwrap();
    // It changes a contract that it does not name: what `pause` refuses is refused here too.
    tried().ended(4).says("without the role not tried: anybody may").says("undeclared-effects");
    let changed: Address = ceremony.anvil.view(spell_at, &osmCall {});
    fs::write(&file, anyone.replace("anyone = true", &format!("anyone = true\nchanges = [\"{changed}\"]")))
        .unwrap();
    tried().ended(0).says("done() is true");
    // A check that held before proves nothing, unless it says why it is looked at.
    let held = "\n[[after]]\nview = \"owner()(address)\"\non = \"{target}\"\nexpect = \"{safe}\"\n";
    given(&format!("{text}{held}"))
        .ended(1)
        .says("vault owner() is")
        .says("it held before, and the playbook does not say why");
    given(&format!("{text}{held}kept = \"the owner must stay the same\"\n")).ended(0);
}

#[test]
fn it_runs_on_the_fork_that_is_named() {
    let mut ceremony = ceremony();
    let proxy = Proxy::to(&ceremony.anvil);
    let anvil = ceremony.anvil.url();
    let council = ceremony.council().replace(&anvil, &dead_url());
    for desk in &ceremony.desks {
        fs::write(desk.path("breakglass.toml"), &council).unwrap();
    }
    let words = ["pause/oz-pausable", "--set", "target=vault"];
    tested(&ceremony, &words).ended(7);
    let url = proxy.url();
    let named = [&words[..], &["--fork-url", &url]].concat();
    tested(&ceremony, &named).ended(0);
    assert!(!proxy.counts().by_method.contains_key("eth_sendRawTransaction"));
    ceremony.add_to_council(
        "\n[safes.other]\nchain = \"anvil\"\naddress = \"0x0000000000000000000000000000000000000009\"\n",
    );
    tested(&ceremony, &named).ended(2).says("pass --safe NAME, one of: guardian, other");
}
