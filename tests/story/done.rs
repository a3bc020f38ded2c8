//! "Done already" is an answer, in every verb and on every machine; and so is whose it is to do, if it is not the Safe's.

use alloy::primitives::{Address, hex};
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use serde_json::Value;

use crate::stage::{Ceremony, Desk, Run, SafeSetup, deploy, key};
use crate::steps::{
    as_the_safe, broadcast, files, import, is_paused, path, sign, signed_by_two, try_sign, two_of_three,
};

const PAUSE: [u8; 4] = hex!("8456cb59");

fn of_version(version: SafeVersion) -> Ceremony {
    Ceremony::new(SafeSetup::new(version, 3, 2))
}

/// The hash of the transaction by which the lever's signatures were sent.
fn sent(run: &Run) -> String {
    run.stdout.trim().to_string()
}

/// Returns what each verb answers at a desk where nothing is kept.
fn answers(desk: &Desk) -> [Run; 5] {
    [
        desk.run(&["pause", "vault"]),
        try_sign(desk, &["vault"]),
        desk.run(&["status", "vault"]),
        broadcast(desk, &["vault"]),
        desk.run(&["dry-run", "vault"]),
    ]
}

#[test]
fn a_colleague_was_faster_and_every_machine_says_who_when_and_by_which_transaction() {
    for version in [SafeVersion::V1_4_1, SafeVersion::V1_3_0] {
        let ceremony = of_version(version);
        let alice = signed_by_two(&ceremony);
        let tx = sent(&broadcast(alice, &["vault"]).ended(0).says("signed by alice, bob sent by alice"));
        let carol = &ceremony.desks[2];
        for run in answers(carol) {
            let run = run.ended(0).says("NOTHING TO DO: vault paused() is true").says("since block ");
            let run = run.says(" s ago by guardian nonce 0, this lever").says(&format!("tx {tx}"));
            run.says("signed alice, bob sent by alice").never_says("REFUSED").never_says("error:");
        }
        // A nonce that is used gives the same answer, and so does a drill.
        for run in [
            carol.run(&["pause", "vault", "--nonce", "0"]),
            try_sign(carol, &["vault", "--nonce", "0"]),
            carol.run(&["check", "vault", "--nonce", "0"]),
            carol.run(&["drill", "vault"]),
        ] {
            let run = run.ended(0).says("NOTHING TO DO: vault paused() is true").says(&format!("tx {tx}"));
            run.says("signed alice, bob sent by alice").never_says("REFUSED").never_says("error:");
        }
        let kept: Vec<_> =
            files(carol.folder()).into_iter().filter(|file| path(file).contains("proposal")).collect();
        assert!(kept.is_empty(), "{kept:?}");
        // Where the proposal is kept it is proven once more, and its people are read from the chain.
        for run in [alice.run(&["status", "vault"]), broadcast(alice, &["vault"])] {
            run.ended(0).says("signed by alice, bob sent by alice").says("done and proven");
        }
        let kept = alice.run(&["--json", "status", "vault"]).ended(0).json();
        assert_eq!(kept["signers"][1]["name"], "bob");
        let said = carol.run(&["--json", "pause", "vault"]).ended(0).json();
        let done = &said["summary"]["answer"]["nothing_to_do"];
        assert_eq!(done["promised"], "vault paused() is true");
        assert_eq!(done["transaction"], Value::from(tx));
        assert_eq!(done["this_lever"], true);
        let names: Vec<&str> =
            done["signers"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["alice", "bob"]);
        assert_eq!(said["nothing_to_do"]["exit"], 0);
    }
}

/// The kept proposal was executed, so its own nonce is used.
#[test]
fn a_kept_proposal_that_was_executed_is_nothing_to_do_for_a_dry_run_and_a_check() {
    let ceremony = two_of_three();
    let [_, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let alice = signed_by_two(&ceremony);
    sign(bob, &["vault"]);
    let tx = sent(&broadcast(alice, &["vault"]).ended(0));
    for desk in [alice, bob] {
        for run in
            [try_sign(desk, &["vault"]), desk.run(&["dry-run", "vault"]), desk.run(&["check", "vault"])]
        {
            let run = run.ended(0).says("NOTHING TO DO: vault paused() is true").says("since block ");
            let run = run.says("by guardian nonce 0, this lever").says(&format!("tx {tx}"));
            run.never_says("REFUSED").never_says("error:");
        }
    }
    for verb in ["dry-run", "check"] {
        let said = alice.run(&["--json", verb, "vault"]).ended(0).json();
        assert_eq!(said["summary"]["answer"]["nothing_to_do"]["transaction"], Value::from(tx.as_str()));
    }
    // Its state was taken back: the used nonce refuses again.
    let chat = format!("{}\n{}", sign(alice, &["vault", "--undo"]), sign(bob, &["vault", "--undo"]));
    import(alice, &["vault", "--undo"], &chat);
    broadcast(alice, &["vault", "--undo"]).ended(0);
    for run in [bob.run(&["dry-run", "vault"]), bob.run(&["check", "vault"])] {
        run.ended(5).says("nonce 0 is used").never_says("NOTHING TO DO");
    }
}

/// The signatures are for a nonce that another transaction has used.
#[test]
fn a_state_that_another_lever_brought_is_done_too() {
    let mut ceremony = two_of_three();
    let bridge = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.bridge]\nanvil = \"{bridge}\"\n\n[levers.bridge]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"bridge\" }}\n\n[levers.freeze]\npull = [\"vault\", \"bridge\"]\n"
    ));
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    sign(carol, &["vault"]);
    let chat = format!("{}\n{}", sign(alice, &["freeze"]), sign(bob, &["freeze"]));
    import(alice, &["freeze"], &chat);
    broadcast(alice, &["freeze"]).ended(0);
    for run in answers(carol).into_iter().take(4) {
        let run = run.ended(0).says("NOTHING TO DO: vault paused() is true");
        run.says("by guardian nonce 0, by other levers").says("signed alice, bob");
    }
}

#[test]
fn the_author_of_a_done_state_is_not_guessed() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    signed_by_two(&ceremony);
    broadcast(alice, &["vault"]).ended(0);
    let chat = format!("{}\n{}", sign(alice, &["vault", "--undo"]), sign(bob, &["vault", "--undo"]));
    import(alice, &["vault", "--undo"], &chat);
    broadcast(alice, &["vault", "--undo"]).ended(0);
    // It was taken back since; what paused it now is no transaction of the Safe.
    as_the_safe(&ceremony, ceremony.vault, PAUSE);
    assert!(is_paused(&ceremony));
    for run in answers(carol) {
        run.ended(0).says("NOTHING TO DO").says("since not known: none of the last transactions of guardian");
    }
}

/// The contract's own error is shown, and no flag is suggested.
#[test]
fn a_lever_that_is_not_the_safes_names_the_owner() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 5, 3));
    let erin = ceremony.setup.owners[4];
    lever(&mut ceremony, "notours", erin);
    lever(&mut ceremony, "foreign", key(8).address);
    let alice = &ceremony.desks[0];
    for run in [alice.run(&["pause", "notours"]), try_sign(alice, &["notours"])] {
        let run = run.ended(4).says("REFUSED, do not sign: guardian may not call pause() of notours");
        let run =
            run.says(&format!("owner erin {erin}")).says("this lever cannot work").never_says("--accept");
        run.says("breakglass help refusals");
    }
    let run = alice.run(&["pause", "foreign"]).ended(4);
    run.says(&format!("owner {} not in your council file", key(8).address));
    let said = alice.run(&["--json", "pause", "notours"]).ended(4).json();
    assert_eq!(said["summary"]["answer"]["refused"]["holder"]["held_by"]["name"], "erin");
    let refused = said["refused"].as_array().unwrap();
    assert_eq!((&refused[0]["kind"], &refused[0]["about"][0]), (&Value::from("before"), &Value::from("2")));
    assert!(refused.iter().all(|one| one["id"].is_string() && one["sentence"].is_string()), "{refused:?}");
    // `check` tells how a refusal is overridden.
    alice.run(&["check", "notours"]).ended(4).says("--accept before:2:");
}

fn lever(ceremony: &mut Ceremony, name: &str, owner: Address) {
    let target = deploy(&ceremony.anvil, "Vault", &owner.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.{name}]\nanvil = \"{target}\"\n\n[levers.{name}]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"{name}\" }}\n"
    ));
}
