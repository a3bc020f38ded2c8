//! A Safe that owns another and approves one of its transactions on chain, by a transaction of its own.

use std::fs;
use std::path::PathBuf;

use alloy::primitives::{Address, B256, Bytes};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::proposal::Proposal;
use breakglass::safe::{SafeTx, SafeVersion, slot};

use crate::nested::{NAMES, Scene, address, council, safe_of, safe_text};
use crate::stage::{Anvil, Ceremony, Desk, Proxy, Run, SafeSetup, deploy, key};
use crate::steps::{broadcast, import, path, read_json, refused, sign, try_import, try_sign};

sol! {
    function paused() external view returns (bool);
    function approveHash(bytes32 hash) external;
}

const AS: [&str; 3] = ["vault", "--approve-as", "foundation"];

/// guardian of two; the handlers of foundation and labs verify nothing.
fn without_handlers(version: SafeVersion) -> Scene {
    let scene = Scene::new(version, 2);
    for safe in [scene.foundation, scene.labs] {
        scene.anvil.set_storage(safe, slot::FALLBACK_HANDLER, B256::ZERO);
    }
    scene
}

fn broadcast_as(desk: &Desk, safes: &[&str]) -> Run {
    let flags = safes.iter().flat_map(|safe| ["--approve-as", safe]);
    let last = ["--confirm", safes.last().unwrap()];
    broadcast(desk, &["vault"].into_iter().chain(flags).chain(last).collect::<Vec<_>>())
}

/// The proposal that a run kept.
fn kept(desk: &Desk, run: &Run) -> PathBuf {
    desk.path(run.json()["proposal"].as_str().unwrap())
}

fn upper(hash: B256) -> String {
    alloy::hex::encode_upper(hash)
}

/// If its handler does not verify, its owners are told what to type; the review shows what the transaction does that
/// is approved, and its approval on chain counts.
#[test]
fn a_safe_that_cannot_sign_approves_by_a_transaction_of_its_own() {
    let scene = without_handlers(SafeVersion::V1_4_1);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| scene.desk(name));
    let next = "breakglass sign vault --approve-as foundation";
    refused(try_sign(bob, &["vault"]), 1, &["is not an owner", "cannot approve by signatures", next]);
    refused(try_sign(bob, &["vault", "--for", "foundation"]), 2, &[next]);
    // What is on chain is no drill: neither announced, nor signed by the name of one.
    let drilled = bob.run(&["drill", "vault", "--approve-as", "foundation"]);
    refused(drilled, 2, &["a Safe that approves on chain cannot take part in a drill", "--approve-as"]);
    let of_drill = try_sign(bob, &["drill:vault-n0-7f3a", "--approve-as", "foundation"]);
    refused(of_drill, 2, &["cannot take part in a drill"]);
    assert!(!bob.path("incidents").exists(), "something was written");
    let ahead = ["--nonces", "0..3", "--to", "set.txt"];
    refused(try_sign(bob, &[&AS[..], &ahead].concat()), 2, &["--nonces is not for an approval on chain"]);
    let vault = scene.vault.to_string();
    let signed = try_sign(bob, &AS)
        .ended(0)
        .says("What foundation is to approve")
        .says("APPROVE vault as foundation")
        .says("PAUSE vault   of guardian, nonce 0, the next one")
        .says(&vault)
        .says("pause()")
        .says("false → true")
        .says(&upper(scene.hash()));
    let line = signed.stdout.trim().to_string();
    // Taken for the lever's own it is told what it is, and what to type.
    refused(
        try_import(carol, &["vault"], &line),
        4,
        &["bob signed vault, approved by foundation", "import it with --approve-as foundation"],
    );
    // Carol has no file of it, and derives it as she imports the line.
    try_import(carol, &AS, &line)
        .ended(0)
        .says("to approve vault as foundation")
        .says("1 of 2: bob. Next: carol: breakglass sign vault --approve-as");
    carol.run(&[&["status"], &AS[..]].concat()).ended(3).says("foundation on anvil").says("1 of 2 signed");
    carol.run(&["status", "vault"]).ended(3).says("0 of 2 signed").says("--approve-as");
    refused(broadcast_as(carol, &["foundation"]), 3, &["carol"]);
    sign(carol, &AS);
    broadcast_as(carol, &["foundation"]).ended(0).says("done and proven");
    assert!(!scene.is_paused());
    // Once more, it is done already.
    try_sign(bob, &AS).ended(0).says("NOTHING TO DO");
    sign(alice, &["vault"]);
    alice.run(&["status", "vault"]).ended(0).says("2 of 2 signed").says("approved on chain");
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(scene.is_paused());
    try_sign(scene.desk("dave"), &["vault", "--approve-as", "labs"]).ended(0).says("NOTHING TO DO");
}

/// Foundation has approved it, and guardian used the nonce without it: the approval is on chain, and the transaction
/// can no longer run.
#[test]
fn an_approval_of_a_transaction_that_can_no_longer_run_is_not_called_done() {
    let scene = without_handlers(SafeVersion::V1_4_1);
    let [bob, carol] = ["bob", "carol"].map(|name| scene.desk(name));
    let file = kept(bob, &bob.run(&["--json", "pause", "vault", "--approve-as", "foundation"]).ended(0));
    let line = sign(bob, &[path(&file)]);
    import(carol, &AS, &line);
    sign(carol, &AS);
    broadcast_as(carol, &["foundation"]).ended(0).says("done and proven");
    try_sign(bob, &[path(&file)]).ended(0).says("NOTHING TO DO");
    scene.anvil.set_storage(scene.guardian, B256::with_last_byte(5), B256::with_last_byte(1));
    let run = try_sign(bob, &[path(&file)]);
    assert!(matches!(run.code, 4 | 5), "{run:?}");
    run.says("what it approves: ").says("nonce").never_says("NOTHING TO DO");
    assert!(!scene.is_paused());
}

/// A Safe in the middle that cannot sign approves by a transaction, which the Safe below it approves by another.
#[test]
fn a_safe_approves_the_approval_of_a_safe_between() {
    let anvil = Anvil::start();
    let version = SafeVersion::V1_3_0;
    let inner = safe_of(&anvil, version, &[address(2), address(3)], 1);
    let middle = safe_of(&anvil, version, &[address(1), inner], 1);
    let guardian = safe_of(&anvil, version, &[address(0), middle], 1);
    for safe in [inner, middle] {
        anvil.set_storage(safe, slot::FALLBACK_HANDLER, B256::ZERO);
    }
    let vault = deploy(&anvil, "Vault", &guardian.abi_encode());
    let safes = [
        safe_text("guardian", guardian, version, &["alice", "middle"], 1),
        safe_text("middle", middle, version, &["bob", "inner"], 1),
        safe_text("inner", inner, version, &["carol", "dave"], 1),
    ];
    let council = council(&anvil, vault, &safes.concat());
    let carol = Desk::new(NAMES[2], key(2), &council);
    refused(try_sign(&carol, &["vault", "--approve-as", "inner"]), 2, &["inner is not an owner of guardian"]);
    let both = ["vault", "--approve-as", "middle", "--approve-as", "inner"];
    try_sign(&carol, &both)
        .ended(0)
        .says("APPROVE vault as middle as inner")
        .says("APPROVE vault as middle   of middle")
        .says("PAUSE vault   of guardian")
        .says("pause()");
    broadcast_as(&carol, &["middle", "inner"]).ended(0).says("done and proven");
    broadcast_as(&carol, &["middle"]).ended(0).says("done and proven");
    broadcast(&carol, &["vault"]).ended(0).says("done and proven");
    assert!(anvil.view(vault, &pausedCall {}));
}

/// The file is derived again: the lever, its hash, the call of approveHash. It is refused if it names another hash,
/// hides another transaction under the lever's name, or has none.
#[test]
fn a_file_that_approves_another_hash_than_the_levers_is_refused() {
    let scene = without_handlers(SafeVersion::V1_4_1);
    let bob = scene.desk("bob");
    let path_of = kept(bob, &bob.run(&["--json", "pause", "vault", "--approve-as", "foundation"]).ended(0));
    let honest = Proposal::parse(&fs::read_to_string(&path_of).unwrap()).unwrap();
    let pause = honest.approves().unwrap();
    assert_eq!(read_json(&path_of)["breakglass_proposal"], 3);
    let made = |tx: SafeTx, of: Option<Proposal>| {
        let (snapshot, block) = (honest.snapshot().clone(), honest.block().unwrap());
        let (binding, readings) = (honest.binding().clone(), honest.readings().clone());
        Proposal::new(tx, snapshot, block, binding, readings).approving(of)
    };
    let approves =
        |hash: B256| SafeTx { data: approveHashCall { hash }.abi_encode().into(), ..honest.tx().clone() };
    let steal = SafeTx { to: Address::repeat_byte(0x66), data: Bytes::new(), ..pause.tx().clone() };
    let stolen = Proposal::new(
        steal,
        pause.snapshot().clone(),
        pause.block().unwrap(),
        pause.binding().clone(),
        pause.readings().clone(),
    );
    let other_nonce = pause.with_nonce(breakglass::safe::Nonce::from(7));
    for (name, forged, named) in [
        (
            "another-hash",
            made(approves(B256::repeat_byte(0x66)), Some(pause.clone())),
            "data is 0xd4d9bdcd6666",
        ),
        ("hidden", made(approves(*stolen.hash().word()), Some(stolen.clone())), "to is 0x6666"),
        ("later", made(approves(*other_nonce.hash().word()), Some(other_nonce.clone())), "nonce 7"),
        ("none", made(honest.tx().clone(), None), "not-your-playbook"),
    ] {
        let file = bob.path(&format!("{name}.json"));
        fs::write(&file, forged.to_json()).unwrap();
        for offline in [&[][..], &["--offline"]] {
            if name == "later" && !offline.is_empty() {
                continue;
            }
            let run = try_sign(bob, &[&[path(&file)], offline].concat());
            assert!(matches!(run.code, 4 | 5), "{name} {offline:?}: {run:?}");
            run.says(named);
        }
    }
    refused(try_sign(bob, &[&AS[..], &["--offline", "--nonce", "9"]].concat()), 2, &["a proposal file"]);
    // The honest one is signed, with and without the network.
    sign(bob, &[path(&path_of), "--offline"]);
    let line = sign(scene.desk("carol"), &[path(&path_of)]);
    import(bob, &[path(&path_of)], &line);
    broadcast(bob, &[path(&path_of), "--confirm", "foundation"]).ended(0).says("done and proven");
}

/// parent, owned by guardian alone, whose owners are alice, bob and carol; behind a proxy that counts.
fn counted() -> (Ceremony, Proxy) {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let mut ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &[proxy.url()]);
    add_parent(&mut ceremony);
    (ceremony, proxy)
}

/// Adds a Safe that guardian alone owns, with the lever `second`.
pub fn add_parent(ceremony: &mut Ceremony) {
    let parent = safe_of(&ceremony.anvil, SafeVersion::V1_4_1, &[ceremony.safe], 1);
    let vault = deploy(&ceremony.anvil, "Vault", &parent.abi_encode());
    ceremony.add_to_council(&format!(
        "\n{}[targets.second]\nanvil = \"{vault}\"\n\n[levers.second]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"parent\"\nset = {{ target = \"second\" }}\n",
        safe_text("parent", parent, SafeVersion::V1_4_1, &["guardian"], 1)
    ));
}

/// One command evaluates the Safe that is approved for, and then the Safe that approves.
#[test]
fn an_approval_by_a_safe_costs_few_rounds() {
    let (ceremony, proxy) = counted();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let rounds = |desk: &Desk, args: &[&str], code: i32| {
        proxy.forget_counts();
        let key = ["--keystore", "keystore.json", "--password-file", "password"];
        let keyed = if matches!(args[0], "sign" | "broadcast") { &key[..] } else { &[] };
        let run = desk.run(&[args, keyed].concat()).ended(code);
        (run, proxy.counts().rounds)
    };
    let of = ["second", "--approve-as", "guardian"];
    let sign = [&["sign"][..], &of, &["--yes"]].concat();
    let (_, first) = rounds(alice, &sign, 0);
    let (run, second) = rounds(bob, &sign, 0);
    import(alice, &of, run.stdout.trim());
    let (_, status) = rounds(alice, &[&["status"][..], &of].concat(), 0);
    let (_, broadcast) = rounds(alice, &[&["broadcast"][..], &of, &["--confirm", "guardian"]].concat(), 0);
    let (_, child) = rounds(carol, &["sign", "second", "--yes"], 0);
    assert_eq!((first, second, status, broadcast, child), (4, 4, 2, 4, 2));
}

/// An approval on chain is a transaction, and a drill sends no transaction.
#[test]
fn an_approval_by_a_safe_is_not_drilled() {
    let scene = Scene::new(SafeVersion::V1_4_1, 2);
    let bob = scene.desk("bob");
    let refusal = ["a Safe that approves on chain cannot take part in a drill", "leave out --approve-as"];
    refused(bob.run(&[&["drill"], &AS[..]].concat()), 2, &refusal);
    let name = bob.run(&["drill", "vault"]).ended(0).stdout;
    let name = name.trim().split(' ').next_back().unwrap();
    for command in [&["sign"][..], &["status"], &["broadcast"]] {
        let run = bob.run(&[command, &[name, "--approve-as", "foundation"]].concat());
        assert_ne!(run.code, 0, "{command:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
    }
    refused(try_sign(bob, &[name, "--approve-as", "foundation"]), 2, &refusal);
}
