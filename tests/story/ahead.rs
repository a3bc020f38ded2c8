//! Signed ahead of time: a set of twenty nonces, its state while the Safe executes others, and who could use it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, U256};
use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::safe::{
    Approval, EcdsaSignature, Nonce, Operation, SENTINEL, SafeId, SafeTx, SafeVersion, encode_approvals,
};
use serde_json::Value;

use crate::emulator::app::Behaviour;
use crate::emulator::{Emulator, Wire};
use crate::stage::{Anvil, Ceremony, Desk, Run, SafeSetup, deploy_safe, key};
use crate::steps::{
    as_the_safe, broadcast, contents, executed, files, import, is_paused, path, refused, run, sign,
    signed_by_two, try_import, try_sign, two_of_three, with_key,
};

sol! {
    function swapOwner(address prevOwner, address oldOwner, address newOwner) external;
    function changeThreshold(uint256 threshold) external;
    function unpause() external;
}

/// Signs a lever at a range of nonces into a file; gives the file.
fn sign_ahead(desk: &Desk, lever: &str, nonces: &str) -> PathBuf {
    let file = desk.path(&format!("{lever}-{nonces}.set"));
    try_ahead(desk, lever, nonces, path(&file)).ended(0);
    file
}

fn try_ahead(desk: &Desk, lever: &str, nonces: &str, to: &str) -> Run {
    run(desk, &with_key(desk, &["sign", lever, "--nonces", nonces, "--to", to, "--yes"]))
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap().lines().map(String::from).collect()
}

/// Takes in a set at another desk.
fn take_in(desk: &Desk, lever: &str, set: &Path, flags: &[&str]) -> Run {
    desk.run(&[&["import", lever, path(set)], flags].concat())
}

fn armed(desk: &Desk, lever: &str) -> Value {
    let object = desk.run(&["--json", "armed", lever]).json();
    object["armed"][0].clone()
}

/// A lever that burns a nonce, for everybody.
fn with_burn(ceremony: &mut Ceremony) {
    ceremony.add_to_council(
        "\n[levers.burn]\nplaybook = \"rotate/safe-burn-nonce\"\nsafe = \"guardian\"\nset = {}\n",
    );
}

#[test]
fn twenty_nonces_are_signed_three_are_burnt_and_the_one_of_its_turn_is_sent() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    with_burn(&mut ceremony);
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let set = sign_ahead(alice, "vault", "0..19");
    let all = lines(&set);
    assert!(all.len() == 20 && all.iter().all(|line| line.starts_with("bgset2")), "{all:?}");
    assert_eq!(fs::metadata(&set).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = files(alice.folder()).into_iter().filter(|file| path(file).contains("incidents"));
    let kept: Vec<_> = kept.filter(|file| !file.ends_with("journal.jsonl")).collect();
    assert!(kept.is_empty(), "written elsewhere than --to says: {kept:?}");

    let said = take_in(bob, "vault", &set, &[]).ended(0).says("alice").says("nonces 0 to 19");
    said.says("→ breakglass armed ").says("→ breakglass broadcast vault ");
    let file = files(&bob.path("incidents/armed")).pop().unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    take_in(bob, "vault", &set, &[]).ended(0).says("20 signatures").says("kept already");
    assert_eq!(files(&bob.path("incidents/armed")).len(), 1);
    let home = bob.run(&[]).ended(0).says("nothing is open").says("→ breakglass armed");
    home.says("signed ahead: vault for guardian at 20 nonces, 0 to 19");
    bob.run(&["status", "--offline"]).ended(0).says("signed ahead: vault for guardian at 20 nonces, 0 to 19");
    let before = bob.run(&["armed"]).ended(0).says("0 to 19").says("1 more needed");
    before.says("anyone who has the file, with one owner's signature more").says("good: rehearsed");

    // Three are burnt, one transaction each.
    for desk in [alice, bob] {
        let burns = sign_ahead(desk, "burn", "0..2");
        take_in(bob, "burn", &burns, &["--complete"]).ended(0);
    }
    assert_eq!(armed(bob, "burn")["ways_to_end_it"][0]["transactions"], 1);
    let words = ["burn", "--nonces", "0..2"];
    broadcast(bob, &words).ended(0).says("nonce 1, 2 of 3").says("done and proven");
    assert_eq!((executed(&ceremony), is_paused(&ceremony)), (3, false));
    let now = bob.run(&["armed", "vault"]).ended(0).says("0 to 2").says("used").says("3 to 19");
    now.says("good: rehearsed");
    assert_eq!(armed(bob, "burn")["is_dead"], true);
    // Nonces that are used are not told of any more.
    let home = bob.run(&[]).ended(0).says("signed ahead: vault for guardian at 17 nonces, 3 to 19");
    home.never_says("signed ahead: burn");

    // The incident: one more owner, and the one of this turn goes.
    bob.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
    try_sign(bob, &["vault"]).ended(0).says("2 of 2 have signed. Next: breakglass broadcast vault");
    broadcast(bob, &["vault"]).ended(0).says("done and proven");
    assert_eq!((executed(&ceremony), is_paused(&ceremony)), (4, true));
    bob.run(&["armed", "vault"]).ended(5).says("already done: vault paused() is true").says("4 to 19");
}

#[test]
fn a_set_is_kept_one_signature_short_unless_it_shall_be_complete() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let (alices, bobs) = (sign_ahead(alice, "vault", "0..4"), sign_ahead(bob, "vault", "2..6"));
    take_in(carol, "vault", &alices, &[]).ended(0);
    let said = take_in(carol, "vault", &bobs, &[]).ended(0).says("bob").says("nonces 5, 6");
    said.says("3 signatures, nonces 2 to 4: of each nonce at most 1 is kept").says("--complete keeps all");
    let set = armed(carol, "vault");
    let standing = |nonce: usize| set["nonces"][nonce]["signed"].as_array().unwrap().len();
    assert_eq!((0..7).map(standing).collect::<Vec<_>>(), [1; 7]);
    // An incomplete set cannot be sent by one person alone.
    broadcast(carol, &["vault"]).ended(3).says("still to sign");
    assert!(!is_paused(&ceremony));

    take_in(carol, "vault", &bobs, &["--complete"]).ended(0).says("nonces 2 to 4");
    let said = carol.run(&["armed", "vault"]).ended(0).says("complete").says("0, 1").says("5, 6");
    said.says("anyone who has the file can use it without asking anybody")
        .says("1 transaction: remove bob")
        .says("1 transaction: raise the threshold to 3")
        .says("5 transactions: use up nonces 0 to 4")
        .says("a person who has the set can take it first");
}

#[test]
fn a_complete_set_is_named_where_it_can_take_the_nonce_of_another_lever() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    with_burn(&mut ceremony);
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    for desk in [alice, bob] {
        let set = sign_ahead(desk, "vault", "0..1");
        take_in(bob, "vault", &set, &["--complete"]).ended(0);
    }
    let said = bob.run(&["status", "burn"]).ended(3);
    said.says("nonce 0 can also be taken by vault, signed by alice, bob: complete");
    // A person with a complete set sends it without asking anybody.
    broadcast(bob, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
}

#[test]
fn an_owner_replaced_in_the_middle_leaves_the_set_dead_and_says_so() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    for desk in [alice, bob] {
        let set = sign_ahead(desk, "vault", "0..19");
        take_in(bob, "vault", &set, &["--complete"]).ended(0);
    }
    bob.run(&["armed", "vault"]).ended(0).says("complete");
    let new = key(5).address;
    let swap = swapOwnerCall { prevOwner: SENTINEL, oldOwner: alice.key.address, newOwner: new };
    as_the_safe(&ceremony, ceremony.safe, swap.abi_encode());
    // Only the owners have changed: by the council file of before, and by one that follows.
    let said = bob.run(&["armed", "vault"]).ended(0).says("no longer owners: alice");
    said.says("DEAD: too few of its signers are owners now").says("since it was signed, owners:");
    assert_eq!(armed(bob, "vault")["is_dead"], true);
    broadcast(bob, &["vault"]).ended(5);
    assert!(!is_paused(&ceremony));
}

#[test]
fn a_raised_threshold_and_replaced_code_make_a_set_useless_or_stale() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let set = sign_ahead(alice, "vault", "0..3");
    take_in(bob, "vault", &set, &[]).ended(0);
    // The contract is upgraded after the set was signed: what it does now, nobody agreed to.
    let code = ceremony.anvil.code(ceremony.vault);
    ceremony.anvil.set_code(ceremony.vault, &[code.as_ref(), &[0]].concat().into());
    bob.run(&["armed", "vault"]).ended(5).says("STALE:").says("ran").says("when this was proposed");
    ceremony.anvil.set_code(ceremony.vault, &code);
    bob.run(&["armed", "vault"]).ended(0).says("good:");
    as_the_safe(&ceremony, ceremony.safe, changeThresholdCall { threshold: U256::from(3) }.abi_encode());
    let said = bob.run(&["armed", "vault"]).ended(5).says("2 more needed").says("STALE:");
    said.says("since it was signed, threshold: 2 → 3");
}

#[test]
fn a_set_is_good_for_no_other_safe() {
    let mut ceremony = two_of_three();
    let other = deploy_safe(&ceremony.anvil, &ceremony.setup);
    let vault =
        crate::stage::deploy(&ceremony.anvil, "Vault", &alloy::sol_types::SolValue::abi_encode(&other));
    ceremony.add_to_council(&format!(
        "\n[safes.other]\nchain = \"anvil\"\naddress = \"{other}\"\nversion = \"1.4.1\"\n\
         owners = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\n\n[targets.second]\nanvil = \"{vault}\"\n\n\
         [levers.second]\nplaybook = \"pause/oz-pausable\"\nsafe = \"other\"\nset = {{ target = \"second\" }}\n"
    ));
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let set = sign_ahead(alice, "vault", "0..2");
    let text = fs::read_to_string(&set).unwrap();
    let before = contents(bob.folder());
    let safe = ceremony.safe.to_string();
    refused(take_in(bob, "second", &set, &[]), 4, &["it says that it is for Safe", &safe]);
    refused(try_import(bob, &["second"], &text), 4, &[&safe]);
    let chat = ["broadcast", "second", "--chat", path(&set), "--confirm", "other"];
    run(bob, &with_key(bob, &chat)).ended(3).says("it says that it is for Safe");
    let records = files(bob.folder()).into_iter().filter(|file| path(file).contains("sent-")).count();
    assert_eq!((records, executed(&ceremony)), (0, 0));
    let armed =
        |all: &[(PathBuf, Vec<u8>)]| all.iter().filter(|(file, _)| path(file).contains("armed")).count();
    assert_eq!((armed(&before), armed(&contents(bob.folder()))), (0, 0));

    // Laid into the folder all the same, it counts for nothing there.
    take_in(bob, "vault", &set, &[]).ended(0);
    bob.run(&["status", "second"]).ended(3).says("0 of 2 signed");
}

#[test]
fn an_interrupted_set_is_continued_at_its_next_nonce() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let file = alice.path("set.txt");
    let on_device = |emulator: &Emulator| {
        let url = emulator.url();
        let words = ["sign", "vault", "--nonces", "0..5", "--to", "set.txt"];
        alice.run(&[&words[..], &["--ledger", &url, "--as", "alice", "--timeout", "3"]].concat())
    };
    let pulled = Wire { hangs_up_at: Some(150), ..Wire::default() };
    let stopped = on_device(&Emulator::start_with(Behaviour::default(), pulled)).ended(6);
    let done = lines(&file).len();
    assert!((1..6).contains(&done), "{done} of 6 were signed before the cable was pulled");
    stopped.says(&format!("{done} of 6")).says("run the same command again: it goes on from there");

    let emulator = Emulator::start(Behaviour::default());
    on_device(&emulator)
        .ended(0)
        .says("signed already, it goes on with the others")
        .says(&format!("nonce {done}"));
    assert_eq!((lines(&file).len(), emulator.signed().len()), (6, 6 - done), "none is signed twice");
    take_in(bob, "vault", &file, &[]).ended(0).says("nonces 0 to 5");

    // A file of something else is never added to.
    let words = ["sign", "vault", "--undo", "--nonces", "0..5", "--to", "set.txt", "--yes"];
    let before = fs::read(&file).unwrap();
    refused(run(alice, &with_key(alice, &words)), 4, &["set.txt holds something else"]);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_set_goes_through_a_pipe_and_in_bases_form_and_needs_a_place_to_go() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let piped = try_ahead(alice, "vault", "0..2", "-").ended(0);
    assert_eq!(piped.stdout.lines().filter(|line| line.starts_with("bgset2")).count(), 3);
    // As a chat folds and quotes it.
    let folded: String = piped.stdout.chars().enumerate().fold(String::new(), |mut all, (at, c)| {
        if at % 60 == 59 {
            all.push_str("\n> ");
        }
        all.push(c);
        all
    });
    try_import(carol, &["vault"], &folded).ended(0).says("nonces 0 to 2");

    let file = bob.path("signatures-pause.txt");
    let words = ["sign", "vault", "--nonces", "0..2", "--to", path(&file), "--base", "--yes"];
    run(bob, &with_key(bob, &words)).ended(0);
    let text = fs::read_to_string(&file).unwrap();
    let entries: Vec<&str> = text.split_terminator(',').collect();
    assert_eq!(entries.len(), 3, "{text}");
    for (nonce, entry) in entries.iter().enumerate() {
        let parts: Vec<&str> = entry.split(':').collect();
        assert_eq!((parts[0], parts[1]), (&*bob.key.address.to_string(), &*nonce.to_string()));
        assert_eq!(parts[2].len(), 130, "{entry}");
    }
    // Whatever nonce it is given for, a signature is of the one that it signs.
    let moved = text.replacen(":0:", ":1:", 1);
    try_import(carol, &["vault", "--complete"], &moved)
        .ended(4)
        .says("signed nonce 0, and it is given for nonce 1");
    take_in(carol, "vault", &file, &["--complete"]).ended(0).says("nonce 0").says("bob");
    assert_eq!(armed(carol, "vault")["nonces"][2]["standing"], "complete");

    let nowhere = run(alice, &with_key(alice, &["sign", "vault", "--nonces", "0..2", "--yes"])).ended(2);
    nowhere.says("--to");
    run(alice, &with_key(alice, &["sign", "vault", "--nonces", "5..2", "--to", "-"])).ended(2).says("5..2");
}

/// The kept proposal of an incident comes before a set, and a set whose nonces are used blocks nothing.
#[test]
fn signatures_of_the_incident_are_sent_with_and_without_a_set() {
    let ceremony = two_of_three();
    let carol = &ceremony.desks[2];
    let set = sign_ahead(carol, "vault", "0..3");
    let alice = signed_by_two(&ceremony);
    take_in(alice, "vault", &set, &[]).ended(0).says("left out");
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    as_the_safe(&ceremony, ceremony.vault, unpauseCall {}.abi_encode());
    take_in(alice, "vault", &set, &[])
        .ended(0)
        .says("nonce 0: used by the Safe already")
        .says("3 signatures");
    let bobs = sign(&ceremony.desks[1], &["vault"]);
    import(alice, &["vault"], &bobs);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!((executed(&ceremony), is_paused(&ceremony)), (2, true));
}

/// Has the Safe do something that two owners agreed on with other software, and somebody else sent.
fn execute_elsewhere(ceremony: &Ceremony, to: Address, data: Vec<u8>) {
    let version = SafeVersion::V1_4_1;
    let id = SafeId { chain_id: ceremony.anvil.chain_id, address: ceremony.safe, version };
    let nonce = Nonce::from(executed(ceremony));
    let tx = SafeTx::new(to, U256::ZERO, data.into(), Operation::Call, nonce);
    let hash = id.hashes(&tx).safe_tx;
    let approvals = [0, 1].map(|n| {
        let bytes = ceremony.desks[n].key.sign(*hash.word());
        Approval::Signed(EcdsaSignature::from_safe_bytes(&bytes, &hash, version).unwrap())
    });
    let call = tx.exec_calldata(encode_approvals(&approvals));
    ceremony.anvil.send(key(8).address, ceremony.safe, &call, U256::ZERO);
}

/// One nonce was used by the complete set, and two by other transactions of the owners: the set continues with the
/// next.
#[test]
fn a_set_goes_on_where_the_safe_stands_after_others_used_three_of_its_nonces() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let set = sign_ahead(alice, "vault", "0..5");
    take_in(bob, "vault", &set, &[]).ended(0);
    take_in(carol, "vault", &set, &[]).ended(0);
    sign(carol, &["vault"]);
    broadcast(carol, &["vault"]).ended(0).says("done and proven");
    let done = bob.run(&["armed", "vault"]).ended(5).says("already done: vault paused() is true");
    done.says("nonce 0").says("used");
    execute_elsewhere(&ceremony, ceremony.vault, unpauseCall {}.abi_encode());
    execute_elsewhere(&ceremony, key(7).address, Vec::new());
    assert_eq!((executed(&ceremony), is_paused(&ceremony)), (3, false));

    let said = bob.run(&["armed", "vault"]).ended(0).says("0 to 2").says("used").says("3 to 5");
    said.says("1 more needed").says("good: rehearsed");
    let standing = |desk: &Desk| -> Vec<String> {
        let set = armed(desk, "vault");
        let rows = set["nonces"].as_array().unwrap().iter();
        rows.map(|row| row["standing"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(standing(bob), ["used", "used", "used", "short", "short", "short"]);
    // Alone the set is one signature short at this nonce too: none of a used one counts for it.
    bob.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
    refused(broadcast(bob, &["vault"]), 3, &["bob"]);
    // A person who gets the set only now is told what of it is left.
    take_in(alice, "vault", &set, &[]).ended(0).says("nonces 0 to 2: used by the Safe already");
    sign(bob, &["vault"]);
    broadcast(bob, &["vault"]).ended(0).says("done and proven");
    assert_eq!((executed(&ceremony), is_paused(&ceremony)), (4, true));
    bob.run(&["armed", "vault"]).ended(5).says("already done").says("4, 5");
}
