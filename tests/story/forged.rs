//! Files that say what was never so: about the chain, about the Safe, about what they are.

use std::fs;

use alloy::primitives::{Address, B256};
use breakglass::safe::SafeVersion;
use breakglass::safe::deployments::batch_contracts;
use serde_json::{Value, json};

use crate::altered::{bob_refuses, changed, hand_over, rehashed};
use crate::stage::{Anvil, Ceremony, Desk, SafeSetup};
use crate::steps::{read_json, sign, try_sign};

/// A council playbook of two calls; the first is left out if a condition holds.
fn with_two_calls(ceremony: &mut Ceremony, skip_if: &str) {
    let text = format!(
        "schema = 1\nid = \"pause/both\"\nkind = \"pause\"\ntitle = \"Pause, and a fee\"\nseverity = \"P1\"\n\
         does_not_stop = \"anything else\"\ncost = \"nothing\"\nundo = {{ none = \"a test\" }}\nsource = \"a test\"\n\n\
         [[param]]\nname = \"target\"\ntype = \"address\"\n\n\
         [[step]]\nto = \"{{target}}\"\ncall = \"pause()\"\n{skip_if}\n\
         [[step]]\nto = \"{{target}}\"\ncall = \"setFee(uint256)\"\nargs = [\"30\"]\n\n\
         [[after]]\nview = \"fee()(uint256)\"\non = \"{{target}}\"\nexpect = \"30\"\n"
    );
    for desk in &ceremony.desks {
        fs::create_dir(desk.path("playbooks")).unwrap();
        fs::write(desk.path("playbooks/both.toml"), &text).unwrap();
    }
    ceremony.add_to_council(
        "\n[levers.both]\nplaybook = \"pause/both\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
}

/// Alice's proposal file for the lever of two calls.
fn proposed(alice: &Desk) -> Value {
    let said = alice.run(&["--json", "pause", "both"]).ended(0).json();
    read_json(&alice.path(said["proposal"].as_str().unwrap()))
}

fn reading(question: &Value, answer: &str) -> Value {
    json!({ "question": question, "answer": { "value": answer } })
}

fn on_chain(chain_id: u64) -> Ceremony {
    let anvil = Anvil::with_chain_id(chain_id);
    let rpc = [anvil.url()];
    Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_3_0, 3, 2), &rpc)
}

/// The file says that one published batch contract has no code and the other has: the batch would go through an address
/// without code, which succeeds and does nothing.
#[test]
fn a_file_does_not_choose_the_batch_contract() {
    let mut ceremony = on_chain(1);
    with_two_calls(&mut ceremony, "");
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let good = proposed(alice);
    let [canonical, other] = [0, 1].map(|n| batch_contracts(SafeVersion::V1_3_0).nth(n).unwrap());
    assert_eq!(good["transaction"]["to"], canonical.address.to_string());
    assert_eq!(good["readings"], json!([]), "nothing of the batch contract is a file's to say");
    let mut evil = changed(&good, "/transaction/to", &json!(other.address.to_string()));
    evil["readings"] = json!([
        reading(&json!({ "code_hash": { "address": canonical.address } }), &B256::ZERO.to_string()),
        reading(&json!({ "code_hash": { "address": other.address } }), &other.code_hash.to_string()),
    ]);
    for more in [&[][..], &["--offline"]] {
        let own = format!("{} by your files", canonical.address);
        bob_refuses(
            bob,
            &rehashed(evil.clone()),
            more,
            4,
            &["not-your-playbook", &other.address.to_string(), &own],
        );
    }
    // The honest one gives one hash online and offline, and what was not looked at is said.
    let file = hand_over(bob, &good);
    let offline = try_sign(bob, &[&file, "--offline"]).ended(0);
    let offline = offline.says("delegatecall").says("its code on this chain was not looked at");
    assert_eq!(sign(bob, &["both"]), offline.stdout.trim());
}

/// On a chain for which Safe has published nothing, the council file says it; `init` writes it from the chain.
#[test]
fn where_no_constant_names_the_batch_contract_the_council_file_does_or_nothing_is_signed_offline() {
    let mut ceremony = on_chain(31_337);
    with_two_calls(&mut ceremony, "");
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let good = proposed(alice);
    let advice = ["batch = \"0x…\" into that Safe's part of breakglass.toml"];
    bob_refuses(bob, &good, &["--offline"], 4, &advice);
    let file = hand_over(bob, &good);
    let online = sign(bob, &[&file]);

    let (safe, rpc) = (ceremony.safe.to_string(), ceremony.anvil.url());
    alice.run(&["init", "--council", "new.toml", "--safe", &safe, "--rpc", &rpc]).ended(0);
    let written = fs::read_to_string(alice.path("new.toml")).unwrap();
    let line = written.lines().find(|line| line.starts_with("batch = ")).unwrap();
    let council = ceremony.council().replace("threshold = 2\n", &format!("threshold = 2\n{line}\n"));
    fs::write(bob.path("breakglass.toml"), &council).unwrap();
    let run = try_sign(bob, &[&file, "--offline"]).ended(0).says("as your council file says");
    assert_eq!(run.stdout.trim(), online);

    // Named and without its code: online nothing is signed.
    let at: Address = line.split('"').nth(1).unwrap().parse().unwrap();
    ceremony.anvil.set_code(at, &alloy::primitives::Bytes::new());
    try_sign(bob, &["both"]).ended(1).says("has its published code on this chain").says(&at.to_string());
}

/// A reading of any kind can leave out a step: offline each is refused until these very values are accepted.
#[test]
fn a_reading_that_leaves_out_a_step_is_refused_offline_until_its_values_are_accepted() {
    let word = format!("{:#066x}", 17);
    for (kind, source, expected) in [
        ("code_hash", "code = \"{target}\"", word.as_str()),
        ("storage", "slot = \"5\", on = \"{target}\", type = \"bytes32\"", &word),
        ("balance", "balance = \"{target}\"", "17"),
        ("call", "view = \"fee()(uint256)\", on = \"{target}\"", "17"),
    ] {
        let mut ceremony = on_chain(1);
        with_two_calls(&mut ceremony, &format!("skip_if = {{ {source}, expect = \"{expected}\" }}"));
        let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
        let good = proposed(alice);
        assert_eq!(good["transaction"]["operation"], 1, "{kind}: both calls");
        // As the file tells it, the vault is paused already: only the fee is signed.
        let mut evil = good.clone();
        assert!(!evil["readings"][0]["question"][kind].is_null(), "{evil}");
        evil["readings"][0]["answer"] = json!({ "value": word });
        evil["transaction"]["to"] = json!(ceremony.vault);
        evil["transaction"]["operation"] = json!(0);
        evil["transaction"]["data"] = json!(format!("0x69fe0e2d{:064x}", 30));
        let evil = rehashed(evil);
        let named = ["values-from-file:", "pause() is left out because of them", &word];
        bob_refuses(bob, &evil, &["--offline"], 4, &named);
        // Accepting the values of another file accepts nothing here.
        let file = hand_over(bob, &good);
        let said = try_sign(bob, &[&file, "--offline"]).ended(4).stderr;
        let id = said.split("--accept ").nth(1).unwrap().split_whitespace().next().unwrap();
        bob_refuses(bob, &evil, &["--offline", "--accept", id], 4, &["values-from-file:"]);
        let file = hand_over(bob, &good);
        try_sign(bob, &[&file, "--offline", "--accept", id]).ended(0);
    }
}
