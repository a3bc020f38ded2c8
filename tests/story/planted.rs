//! Files that somebody plants beside honest ones, and lines that they post into the chat: what was signed still counts, and
//! nothing is said that is not so.

use std::fs;
use std::path::{Path, PathBuf};

use alloy::primitives::U256;
use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};

use crate::altered::{STRANGER, changed};
use crate::stage::{Anvil, Ceremony, Desk, SafeSetup};
use crate::steps::{
    as_the_safe, broadcast, files, import, is_paused, path, read_json, run, sign, signed_by_two,
    two_of_three, with_key,
};

sol! {
    function setFee(uint256 newFee) external;
}

/// The folder of the one proposal that a desk has.
fn only_folder(desk: &Desk) -> PathBuf {
    let proposals = files(&desk.path("incidents")).into_iter().filter(|file| file.ends_with("proposal.json"));
    let mut folders: Vec<PathBuf> = proposals.map(|file| file.parent().unwrap().to_path_buf()).collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders.remove(0)
}

/// Plants the one proposal of a desk at another.
fn plant(from: &Desk, at: &Desk) {
    let folder = only_folder(from);
    let planted = at.path("incidents").join(folder.file_name().unwrap());
    fs::create_dir_all(&planted).unwrap();
    for file in files(&folder) {
        fs::copy(&file, planted.join(file.file_name().unwrap())).unwrap();
    }
}

/// Signs a lever ahead at a desk, and takes it in at another.
fn armed_by(signer: &Desk, lever: &str, nonces: &str, keeper: &Desk) {
    let file = signer.path("ahead.set");
    let words = ["sign", lever, "--nonces", nonces, "--to", path(&file), "--yes"];
    run(signer, &with_key(signer, &words)).ended(0);
    keeper.run(&["import", lever, path(&file), "--complete"]).ended(0);
}

fn only_set(desk: &Desk) -> (PathBuf, Value) {
    let file = files(&desk.path("incidents/armed")).pop().unwrap();
    let set = read_json(&file);
    (file, set)
}

fn write(file: &Path, value: &Value) {
    fs::write(file, format!("{value:#}\n")).unwrap();
}

/// An outcome that states an execution, and an unsigned proposal of the same lever for another nonce.
#[test]
fn a_planted_outcome_does_not_hide_what_was_signed() {
    let ceremony = two_of_three();
    let carol = &ceremony.desks[2];
    let alice = signed_by_two(&ceremony);
    let signed = only_folder(alice);
    write(&signed.join("outcome.json"), &json!({}));
    carol.run(&["pause", "vault", "--nonce", "5"]).ended(0);
    plant(carol, alice);
    alice.run(&["status", "vault"]).ended(0).says("2 of 2 signed");
    alice.run(&["status"]).ended(0).says("2 of 2").never_says("nothing is open");
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
}

/// It has the chain's values of one block ago and no signature, and a complete set of the current lever is beside it.
#[test]
fn a_planted_proposal_that_nobody_signed_does_not_take_the_place_of_a_set() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let text = "schema = 1\nid = \"pause/both\"\nkind = \"pause\"\ntitle = \"A flag of a fee\"\nseverity = \"P1\"\n\
         does_not_stop = \"anything else\"\ncost = \"nothing\"\nundo = { none = \"a test\" }\nsource = \"a test\"\n\n\
         [[param]]\nname = \"target\"\ntype = \"address\"\n\n\
         [[read]]\nname = \"now\"\nview = \"fee()(uint256)\"\non = \"{target}\"\n\n\
         [[step]]\nto = \"{target}\"\ncall = \"setFee(uint256)\"\nargs = [\"{or(now, 8)}\"]\n\n\
         [[after]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"{or(now, 8)}\"\n";
    for desk in &ceremony.desks {
        fs::create_dir(desk.path("playbooks")).unwrap();
        fs::write(desk.path("playbooks/both.toml"), text).unwrap();
    }
    ceremony.add_to_council(
        "\n[levers.both]\nplaybook = \"pause/both\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    for signer in [alice, bob] {
        armed_by(signer, "both", "0..1", alice);
    }
    let set_fee = |fee: u64| {
        as_the_safe(&ceremony, ceremony.vault, setFeeCall { newFee: U256::from(fee) }.abi_encode());
    };
    set_fee(1);
    carol.run(&["pause", "both"]).ended(0);
    set_fee(0);
    plant(carol, alice);
    alice.run(&["status", "both"]).ended(0).says("2 of 2 signed");
    broadcast(alice, &["both"]).ended(0).says("done and proven");
}

/// Anybody can post a line of a set, of any lever. To derive it, more is needed than the command has.
#[test]
fn a_line_of_a_set_in_the_chat_keeps_no_signature_out() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\n\
         set = { target = \"vault\", was = \"0\" }\n",
    );
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let set = carol.path("ahead.set");
    run(carol, &with_key(carol, &["sign", "vault", "--nonces", "3..3", "--to", path(&set), "--yes"]))
        .ended(0);
    sign(alice, &["fee", "--set", "fee=40"]);
    let chat = alice.path("chat.txt");
    let bobs = sign(bob, &["fee", "--set", "fee=40"]);
    fs::write(&chat, format!("{}{bobs}\n", fs::read_to_string(&set).unwrap())).unwrap();
    let run = broadcast(alice, &["fee", "--chat", path(&chat)]).ended(0).says("done and proven");
    run.says("signed ahead");
}

/// A planted file of a set states an old state of the Safe: no set is called dead because of it.
#[test]
fn a_planted_set_does_not_make_a_live_one_dead_nor_name_what_was_not_signed() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council(
        "\n[levers.burn]\nplaybook = \"rotate/safe-burn-nonce\"\nsafe = \"guardian\"\nset = {}\n",
    );
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    armed_by(alice, "vault", "0..3", bob);
    let (file, honest) = only_set(bob);
    let planted = changed(&honest, "/proposal/safe/owners", &json!([STRANGER]));
    let planted = changed(&planted, "/proposal/safe/threshold", &json!(1));
    write(&file.parent().unwrap().join("0.json"), &planted);
    let renamed = honest.to_string().replace("\"vault\"", "\"bridge\"");
    fs::write(file.parent().unwrap().join("1.json"), renamed).unwrap();
    let run = bob.run(&["armed", "vault"]).says("1 more needed").says("one owner's signature more");
    run.never_says("DEAD");
    bob.run(&["status", "burn"]).never_says("bridge");
}

/// Anybody can write a file whose argument equals the chain's value: it is not the council's decision.
#[test]
fn a_planted_argument_equal_to_the_chains_value_is_not_already_done() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let text = "schema = 1\nid = \"param/fee\"\nkind = \"param\"\ntitle = \"Set the fee\"\nseverity = \"P3\"\n\
         does_not_stop = \"anything else\"\ncost = \"nothing\"\nundo = { none = \"a test\" }\nsource = \"a test\"\n\n\
         [[param]]\nname = \"target\"\ntype = \"address\"\n\n[[param]]\nname = \"fee\"\ntype = \"uint256\"\n\n\
         [[before]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect_not = \"{fee}\"\n\n\
         [[step]]\nto = \"{target}\"\ncall = \"setFee(uint256)\"\nargs = [\"{fee}\"]\n\n\
         [[after]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"{fee}\"\n";
    for desk in &ceremony.desks {
        fs::create_dir(desk.path("playbooks")).unwrap();
        fs::write(desk.path("playbooks/fee.toml"), text).unwrap();
    }
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    carol.run(&["param", "fee", "--set", "fee=40"]).ended(0);
    as_the_safe(&ceremony, ceremony.vault, setFeeCall { newFee: U256::from(40) }.abi_encode());
    plant(carol, alice);
    alice.run(&["status", "fee"]).ended(3).says("0 of 2 signed").never_says("NOTHING TO DO");
    // Whoever names the value is told that it is so.
    alice.run(&["status", "fee", "--set", "fee=40"]).ended(0).says("NOTHING TO DO");
    let other = ["fee", "--set", "fee=30"];
    import(alice, &other, &[sign(alice, &other), sign(bob, &other)].join("\n"));
    broadcast(alice, &other).ended(0).says("done and proven");
}

/// Without a network, an outcome closes no proposal that this machine has not seen done: anybody can write one.
#[test]
fn a_planted_outcome_chooses_no_nonce_where_the_chain_is_not_asked() {
    let ceremony = two_of_three();
    let carol = &ceremony.desks[2];
    let alice = signed_by_two(&ceremony);
    write(&only_folder(alice).join("outcome.json"), &json!({}));
    carol.run(&["pause", "vault", "--nonce", "5"]).ended(0);
    plant(carol, alice);
    let words = ["sign", "vault", "--offline", "--yes"];
    run(alice, &with_key(alice, &words)).ended(2).says("with nonces 0, 5").says("say which with --nonce");
    alice.run(&["status", "vault", "--offline"]).ended(2).says("with nonces 0, 5");
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    // What it has proven itself is closed, and the journal has it, whatever lies there.
    alice.run(&["status", "vault", "--offline"]).says("0 of 2 signed").never_says("with nonces");
    alice.run(&["log"]).ended(0).says("proven");
    broadcast(alice, &["vault", "--nonce", "0"]).ended(0);
    let journal = fs::read_to_string(alice.path("incidents/journal.jsonl")).unwrap();
    assert_eq!(journal.matches("\"kind\":\"proven\"").count(), 1, "{journal}");
}
