//! Files with false statements: about the chain, about the Safe, about what they are.

use std::fs;
use std::path::PathBuf;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::safe::SafeVersion;
use breakglass::safe::deployments::batch_contracts;
use serde_json::{Value, json};

use crate::altered::{STRANGER, bob_refuses, changed, hand_over, rehashed};
use crate::stage::{Anvil, Ceremony, Desk, SafeSetup, key};
use crate::steps::{
    as_the_safe, broadcast, import, is_paused, path, propose, read_json, refusals, refused,
    refused_without_a_trace, sign, try_import, try_sign, two_of_three,
};

sol! {
    function setFee(uint256 newFee) external;
}

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
    Ceremony::with_two_rpcs(anvil, SafeSetup::new(SafeVersion::V1_3_0, 3, 2))
}

/// The file states the wrong published batch contract: the batch would go to an address without code, which succeeds
/// and does nothing.
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
    // The honest file gives the same hash online and offline, and says what was not checked.
    let file = hand_over(bob, &good);
    let offline = try_sign(bob, &[&file, "--offline"]).ended(0);
    let offline = offline.says("delegatecall").says("its code on this chain was not looked at");
    assert_eq!(sign(bob, &["both"]), offline.stdout.trim());
}

/// On a chain without published contracts of Safe, the council file names the batch contract; `init` reads it from the
/// chain.
#[test]
fn a_batch_contract_without_a_constant_needs_the_council_file_offline() {
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
    bob.forgets();
    fs::remove_dir_all(bob.path("incidents")).unwrap();
    let run = try_sign(bob, &[&file, "--offline"]).ended(0).says("as your council file says");
    // The signature is the same; the claims tell of another council file.
    let signature = |line: &str| line[..140].to_string();
    assert_eq!(signature(run.stdout.trim()), signature(&online));

    // Named and without its code: online nothing is signed.
    let at: Address = line.split('"').nth(1).unwrap().parse().unwrap();
    ceremony.anvil.set_code(at, &Bytes::new());
    try_sign(bob, &["both"]).ended(1).says("has its published code on this chain").says(&at.to_string());
}

/// Any reading can cause a step to be left out: offline each is refused until its exact value is accepted.
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
        let ids = refusals(&try_sign(bob, &[&file, "--offline"]).ended(4));
        let [id] = &ids[..] else { panic!("one refusal: {ids:?}") };
        bob_refuses(bob, &evil, &["--offline", "--accept", id], 4, &["values-from-file:"]);
        let file = hand_over(bob, &good);
        try_sign(bob, &[&file, "--offline", "--accept", id]).ended(0);
    }
}

/// A proposal in a file of its own with everything in order in itself: its own owners, and their real signatures.
fn forged(good: &Value) -> (Value, String) {
    let owners = [5, 6, 7, 8, 9].map(key);
    let mut evil = changed(good, "/transaction/data", &json!("0x3f4ba83a"));
    evil["safe"]["owners"] = json!(owners.map(|owner| owner.address.to_string()));
    let evil = rehashed(evil);
    let hash: B256 = evil["hashes"]["safe_tx_hash"].as_str().unwrap().parse().unwrap();
    let lines = owners.map(|owner| Bytes::from(owner.sign(hash)).to_string());
    (evil, lines.join("\n"))
}

/// Lays a proposal into a desk's folder of incidents, as whoever can push to a shared repository can.
fn lay(desk: &Desk, proposal: &Value) -> PathBuf {
    let folder = desk.path("incidents").join(proposal["hashes"]["safe_tx_hash"].as_str().unwrap());
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("proposal.json");
    fs::write(&file, format!("{proposal:#}\n")).unwrap();
    file
}

/// The file claims to be lever vault at nonce 0, and has five owners of its own who have signed.
#[test]
fn a_forged_proposal_does_not_take_a_levers_name() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let good = read_json(&propose(carol));
    let (evil, signatures) = forged(&good);
    let file = hand_over(alice, &evil);
    let chat = alice.path("chat.txt");
    fs::write(&chat, &signatures).unwrap();
    let words = ["import", &file, path(&chat)].map(str::to_string);
    let named = ["the proposal is not kept", "data is 0x3f4ba83a and 0x8456cb59 by your files"];
    refused_without_a_trace(alice, &words, 4, &named);

    // Laid into the folder it is left alone, online and offline, and the honest one is the lever's.
    let laid = lay(alice, &evil);
    for (n, owner) in [5, 6].map(key).into_iter().enumerate() {
        let line = signatures.lines().nth(n).unwrap();
        let stated = json!({ "breakglass_signature": 1, "safe_tx_hash": evil["hashes"]["safe_tx_hash"],
            "owner": owner.address.to_string(), "kind": "ecdsa", "signature": line, "accepted": [] });
        let name = format!("{}.sig.json", owner.address);
        fs::write(laid.with_file_name(name), stated.to_string()).unwrap();
    }
    let honest = good["hashes"]["safe_tx_hash"].as_str().unwrap();
    let run = alice.run(&["status", "vault"]).ended(3).says(honest).says("0 of 2 signed");
    assert_eq!(run.stderr.matches("left out: ").count(), 1, "said once: {}", run.stderr);
    run.says(path(&laid)).says("data is 0x3f4ba83a");
    try_sign(alice, &["vault", "--offline"]).ended(2).says("no proposal of lever vault is kept");
    let run = try_sign(alice, &["--json", "vault", "--offline", "--nonce", "0"]).ended(0);
    assert_eq!(run.json()["signatures"][0]["safe_tx_hash"], honest, "its own, from its own files");
    let lines = [sign(bob, &["vault"]), sign(carol, &["vault"])].join("\n");
    import(alice, &["vault"], &lines);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
}

/// A proposal of the reader's own lever with the file's arguments is kept and marked, and signed only if they are named.
#[test]
fn an_argument_that_a_file_chose_is_marked_and_does_not_become_the_levers() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council("\n[levers.any]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n");
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let made = alice.run(&["--json", "pause", "any", "--set", "target=vault"]).ended(0).json();
    let proposal = read_json(&alice.path(made["proposal"].as_str().unwrap()));
    let line = sign(alice, &["any", "--set", "target=vault"]);
    let (file, chat) = (hand_over(bob, &proposal), bob.path("chat.txt"));
    fs::write(&chat, &line).unwrap();
    let run = bob.run(&["import", &file, path(&chat)]).ended(0);
    run.says("lever any leaves open, and the file chose: target = vault");
    bob.run(&["status", "any"]).ended(3).says("1 of 2 signed");
    let offline = ["any", "--offline", "--nonce", "0"];
    refused(try_sign(bob, &offline), 4, &["not-your-arguments", "target = vault"]);
    try_sign(bob, &[&offline[..], &["--set", "target=vault"]].concat()).ended(0);
}

/// An owner of one Safe of the council is not an owner of its other one.
#[test]
fn an_owner_of_another_safe_of_the_council_is_no_owner() {
    let mut ceremony = two_of_three();
    let frank = key(5);
    ceremony.add_to_council(&format!("\n[signers.frank]\naddress = \"{}\"\n", frank.address));
    let alice = &ceremony.desks[0];
    let good = read_json(&propose(alice));
    let hash: B256 = good["hashes"]["safe_tx_hash"].as_str().unwrap().parse().unwrap();
    let signature = Bytes::from(frank.sign(hash)).to_string();
    let taken = try_import(alice, &["vault"], &signature);
    refused(taken, 4, &[&frank.address.to_string(), "not an owner of this Safe"]);
}

/// Without owners in the council file, they are read from the chain; offline they are unknown.
#[test]
fn owners_that_are_not_pinned_come_from_the_chain_and_never_from_a_file() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    for desk in &ceremony.desks {
        let unpinned =
            ceremony.council().lines().filter(|l| !l.starts_with("owners") && !l.starts_with("threshold"));
        fs::write(desk.path("breakglass.toml"), unpinned.collect::<Vec<_>>().join("\n")).unwrap();
    }
    let good = read_json(&propose(alice));
    bob_refuses(bob, &good, &["--offline"], 4, &["the owners of guardian are not in your council file"]);
    let stranger = key(7);
    let hash: B256 = good["hashes"]["safe_tx_hash"].as_str().unwrap().parse().unwrap();
    let mut poisoned = good.clone();
    poisoned["safe"]["owners"] = json!([stranger.address.to_string(), key(1).address.to_string()]);
    let (file, chat) = (hand_over(carol, &poisoned), carol.path("chat.txt"));
    fs::write(&chat, Bytes::from(stranger.sign(hash)).to_string()).unwrap();
    refused(carol.run(&["import", &file, path(&chat)]), 4, &["not an owner of this Safe"]);
    let lines = [sign(bob, &["vault"]), sign(carol, &["vault"])].join("\n");
    import(alice, &["vault"], &lines);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
}

/// Values that the chain never had are reported as false, not as drift. If the block cannot be read, they are not
/// called drift either.
#[test]
fn values_that_were_never_on_the_chain_are_a_lie_and_values_that_were_are_drift() {
    let mut ceremony = on_chain(1);
    with_two_calls(
        &mut ceremony,
        "skip_if = { view = \"fee()(uint256)\", on = \"{target}\", expect = \"17\" }",
    );
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let good = proposed(alice);
    let mut evil = good.clone();
    evil["readings"][0]["answer"] = json!({ "value": format!("{:#066x}", 17) });
    evil["transaction"]["to"] = json!(ceremony.vault);
    evil["transaction"]["operation"] = json!(0);
    evil["transaction"]["data"] = json!(format!("0x69fe0e2d{:064x}", 30));
    let evil = rehashed(evil);
    let named = ["refused (values-never-true:", "it uses values that the chain never had", "do not sign"];
    bob_refuses(bob, &evil, &[], 4, &named);
    // A block that is not the chain's, or not yet.
    for (pointer, to) in [("/block/hash", json!(B256::ZERO.to_string())), ("/block/number", json!(u64::MAX))]
    {
        bob_refuses(bob, &changed(&evil, pointer, &to), &[], 4, &["values-never-true:", "block"]);
    }
    // A statement that was true and has changed since is drift.
    as_the_safe(&ceremony, ceremony.vault, setFeeCall { newFee: U256::from(17) }.abi_encode());
    bob_refuses(bob, &good, &[], 5, &["values-moved", "have changed since it was proposed"]);
}

/// The right transaction with false statements about the Safe, imported first: signing and sending still work, and an
/// honest file that comes later counts.
#[test]
fn a_poisoned_record_of_the_safe_or_of_code_is_left_aside() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let good = read_json(&propose(carol));
    let lines = [sign(bob, &["vault"]), sign(carol, &["vault"])].join("\n");
    let chat = alice.path("chat.txt");
    fs::write(&chat, &lines).unwrap();
    let mut poisoned = changed(&good, "/safe/singleton", &json!(STRANGER));
    poisoned["safe"]["guard"] = json!(STRANGER);
    let code = changed(&good, "/rehearsal/code/0/hash", &json!(B256::repeat_byte(1).to_string()));
    for evil in [&poisoned, &code] {
        // Handed over to be signed, the lie is a reason to ask.
        bob_refuses(
            bob,
            evil,
            &[],
            4,
            &["refused (safe-never-so:", "the file states values that the Safe never had"],
        );
        lay(alice, evil);
        let run = alice.run(&["status", "vault"]).ended(3);
        run.says("0 of 2 signed").never_says("drift");
    }
    alice.run(&["import", "vault", path(&chat)]).ended(0);
    let run = alice.run(&["broadcast", "vault", "--calldata"]).ended(0);
    run.says("the file states values that the Safe never had").says("code-not-recorded");

    // The honest file comes later, is kept beside it, and counts.
    let file = hand_over(alice, &good);
    alice.run(&["import", &file, path(&chat)]).ended(0);
    let run = broadcast(alice, &["vault"]).ended(0).says("done and proven");
    run.never_says("never was").never_says("code-not-recorded");
}
