//! Several proposals for one nonce: which of them is continued, which has to wait, and who decides.

use std::fs;

use alloy::primitives::U256;
use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::safe::SafeVersion;

use crate::stage::{Anvil, Ceremony, Desk, SafeSetup};
use crate::steps::{
    as_the_safe, broadcast, executed, import, is_paused, path, refused, sign, try_import, try_sign,
};

sol! {
    function setFee(uint256 newFee) external;
    function fee() external view returns (uint256);
}

/// Two of three, and a lever `both` of a playbook that is given here.
fn with_playbook(steps: &str) -> Ceremony {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let text = format!(
        "schema = 1\nid = \"pause/both\"\nkind = \"pause\"\ntitle = \"Pause, and a fee\"\nseverity = \"P1\"\n\
         does_not_stop = \"anything else\"\ncost = \"nothing\"\nundo = {{ none = \"a test\" }}\nsource = \"a test\"\n\n\
         [[param]]\nname = \"target\"\ntype = \"address\"\n\n{steps}"
    );
    for desk in &ceremony.desks {
        fs::create_dir(desk.path("playbooks")).unwrap();
        fs::write(desk.path("playbooks/both.toml"), &text).unwrap();
    }
    ceremony.add_to_council(
        "\n[levers.both]\nplaybook = \"pause/both\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
    ceremony
}

fn fee(ceremony: &Ceremony) -> U256 {
    ceremony.anvil.view(ceremony.vault, &feeCall {})
}

fn set_fee(ceremony: &Ceremony, fee: u64) {
    as_the_safe(ceremony, ceremony.vault, setFeeCall { newFee: U256::from(fee) }.abi_encode());
}

/// Signs at one desk, and gives proposal and signature to another.
fn handed(from: &Desk, to: &Desk, words: &[&str]) {
    let line = sign(from, words);
    let made = from.run(&["--json", "export", words[0], "--to", path(&from.path("out"))]).ended(0).json();
    let file = made["files"][0].as_str().unwrap();
    let copy = to.path("theirs.json");
    fs::copy(from.path(file), &copy).unwrap();
    import(to, &[path(&copy)], &line);
}

/// A call that would now be left out does no harm: later signers continue the signed proposal.
#[test]
fn a_proposal_that_others_signed_is_continued_while_it_works() {
    let ceremony = with_playbook(
        "[[step]]\nto = \"{target}\"\ncall = \"pause()\"\n\
         skip_if = { view = \"fee()(uint256)\", on = \"{target}\", expect = \"17\" }\n\
         [[step]]\nto = \"{target}\"\ncall = \"setFee(uint256)\"\nargs = [\"30\"]\n\n\
         [[after]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"30\"\n",
    );
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    handed(alice, bob, &["both"]);
    set_fee(&ceremony, 17);
    let says = "1 signed it when other values were read, and it still does what is promised";
    let run = try_sign(bob, &["both"]).ended(0).says(says);
    import(alice, &["both"], run.stdout.trim());
    alice.run(&["status", "both"]).ended(0).says("2 of 2 signed").says("ready to broadcast");
    broadcast(alice, &["both"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
    assert_eq!(fee(&ceremony), U256::from(30));
}

/// The signed flags would clear one that was set since: the playbook does not promise that.
#[test]
fn a_proposal_that_would_undo_a_later_act_is_not_continued() {
    let ceremony = with_playbook(
        "[[read]]\nname = \"now\"\nview = \"fee()(uint256)\"\non = \"{target}\"\n\n\
         [[step]]\nto = \"{target}\"\ncall = \"setFee(uint256)\"\nargs = [\"{or(now, 8)}\"]\n\n\
         [[after]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"{or(now, 8)}\"\n",
    );
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    handed(alice, bob, &["both"]);
    import(bob, &["both"], &sign(carol, &["both"]));
    bob.run(&["status", "both"]).ended(0).says("ready to broadcast");
    set_fee(&ceremony, 4);
    bob.run(&["status", "both"]).ended(5).says("values read from the chain have changed");
    refused(broadcast(bob, &["both"]), 5, &["values-moved"]);
    try_sign(bob, &["both"])
        .ended(0)
        .says("others have signed 0x")
        .says("it no longer works as it was signed");
    assert_eq!(executed(&ceremony), 0);
}

/// A lever that leaves its fee open, signed with two values.
fn with_open_fee() -> Ceremony {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 1));
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\n\
         set = { target = \"vault\", was = \"0\" }\n",
    );
    ceremony
}

#[test]
fn two_values_for_one_nonce_are_both_shown_and_one_is_sent_by_its_hash() {
    let ceremony = with_open_fee();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    sign(alice, &["fee", "--set", "fee=40"]);
    let fifty = sign(bob, &["fee", "--set", "fee=50"]);
    import(alice, &["fee", "--set", "fee=50"], &fifty);
    let status = alice.run(&["--json", "status", "fee"]);
    let shown: Vec<String> = status.json()["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["safe_tx_hash"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(shown.len(), 2, "{shown:?}");

    let run = broadcast(alice, &["fee"]).ended(2);
    let run = run.says("2 signed proposals of fee are kept for nonce 0").says("fee=40").says("fee=50");
    for hash in &shown {
        assert!(run.stderr.contains(&hash[2..18]), "{}", run.stderr);
    }
    broadcast(alice, &["fee", "--hash", "0123456789"]).ended(2).says("at least 16 digits");
    refused(broadcast(alice, &["fee", "--hash", "0123456789abcdef"]), 2, &["say which is meant"]);
    assert_eq!(executed(&ceremony), 0);
    // A value in the command names one of them too.
    alice.run(&["broadcast", "fee", "--set", "fee=0.4%", "--calldata"]).ended(0);
    let line = run.stderr.lines().find(|line| line.ends_with("fee=50")).unwrap();
    let digits = line.split("--hash ").nth(1).unwrap().split(':').next().unwrap();
    broadcast(alice, &["fee", "--hash", digits]).ended(0).says("done and proven");
    assert_eq!(fee(&ceremony), U256::from(50));
}

/// Both were signed for one nonce by people who did not know of each other.
#[test]
fn the_graver_lever_keeps_its_nonce_and_the_other_takes_the_next() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\n\
         set = { target = \"vault\", was = \"0\", fee = \"0.4%\" }\n",
    );
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let vaults = sign(alice, &["vault"]);
    // Another text for the same value is no contradiction.
    let fees = sign(bob, &["fee", "--set", "fee=40"]);
    import(carol, &["vault"], &vaults);
    import(carol, &["fee"], &fees);

    let keeps = "vault keeps nonce 0, for which 1 signed it";
    carol.run(&["status", "fee"]).ended(5).says(keeps).says("sign this one again");
    carol.run(&["status", "vault"]).ended(3).never_says("keeps nonce");
    // Said where everything is listed, too; and that it has moved, once somebody has signed it there.
    for words in [&[][..], &["status"], &["status", "--offline"]] {
        carol.run(words).ended(0).says(&format!("! fee: {keeps}. Sign fee again")).never_says("! vault");
    }
    refused(broadcast(carol, &["fee"]), 5, &[keeps]);
    try_sign(carol, &["fee"]).ended(0).says(keeps).says("this one takes nonce 1");
    let run = carol.run(&["--json"]).ended(0).says(&format!("! fee has nonce 1: {keeps}"));
    assert_eq!(run.json()["open"][2]["kept_by"], "vault");
    import(carol, &["vault"], &sign(bob, &["vault"]));
    broadcast(carol, &["vault"]).ended(0).says("done and proven");
    try_import(bob, &["fee"], &sign(carol, &["fee"]));
    import(carol, &["fee"], &sign(bob, &["fee"]));
    broadcast(carol, &["fee"]).ended(0).says("done and proven");
    assert_eq!((executed(&ceremony), fee(&ceremony)), (2, U256::from(40)));
}
