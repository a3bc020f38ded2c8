//! Pasted text: lines of both versions as chats change them, and what a signature that fits nothing is for.

use std::fs;

use alloy::primitives::hex;
use alloy::sol_types::SolValue;
use bech32::{Bech32m, Hrp};
use breakglass::proposal::{Claims, OwnerSignature, Proposal, SafeOwners, Stated, find_signatures};
use breakglass::safe::{Nonce, SafeVersion};

use crate::stage::{Ceremony, Desk, SafeSetup, deploy};
use crate::steps::{
    broadcast, files, import, is_paused, path, propose, refused, run, sign, try_import, try_sign,
    two_of_three, with_key,
};

/// Three of five; besides `vault` the levers `bridge`, on a vault of its own, and `fee`, which leaves the fee open.
fn three_of_five() -> Ceremony {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 5, 3));
    let bridge = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.bridge]\nanvil = \"{bridge}\"\n\n[levers.bridge]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"bridge\" }}\n\n[levers.fee]\nplaybook = \"param/fee-bps\"\n\
         safe = \"guardian\"\nset = {{ target = \"vault\", was = \"0\" }}\n"
    ));
    ceremony
}

/// Returns the signature as a line of version 1.
fn first_version(line: &str) -> String {
    let found = find_signatures(line);
    let stated = &found.stated[0];
    let payload = [&[1][..], stated.hash.unwrap().word().as_slice(), &stated.bytes].concat();
    bech32::encode::<Bech32m>(Hrp::parse("bgsig").unwrap(), &payload).unwrap()
}

/// The proposal that a desk keeps.
fn kept(desk: &Desk) -> Proposal {
    let file = files(desk.folder()).into_iter().find(|file| file.ends_with("proposal.json")).unwrap();
    Proposal::parse(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Returns the signature with other claims: anybody who passes a line on can write them.
fn claiming(line: &str, proposal: &Proposal, change: impl Fn(&mut Claims)) -> String {
    let stated: Stated = find_signatures(line).stated[0].clone();
    let state = proposal.snapshot();
    let owners = SafeOwners::new((state.id.chain_id, state.id.address), Some(&state.owners), None).unwrap();
    let signature = OwnerSignature::verify(&stated, proposal, &owners).unwrap();
    let mut claims = stated.claims.unwrap();
    change(&mut claims);
    signature.line(&claims)
}

#[test]
fn the_tally_and_the_next_command_come_last() {
    let ceremony = three_of_five();
    let [alice, bob, carol, ..] = &ceremony.desks[..] else { unreachable!() };
    propose(alice);
    sign(alice, &["vault"]);
    let run = try_import(alice, &["vault"], &sign(carol, &["vault"])).ended(0);
    let last = run.stderr.lines().last().unwrap();
    assert_eq!(last, "2 of 3: alice, carol. Next: one of bob, dave, erin: breakglass sign vault");
    let run = try_import(alice, &["vault"], &sign(bob, &["vault"])).ended(0);
    assert_eq!(
        run.stderr.lines().last().unwrap(),
        "3 of 3: alice, bob, carol. Next: breakglass broadcast vault"
    );
    // Open arguments and the undo stand in the command.
    let fee = ["fee", "--set", "fee=40"];
    alice.run(&[&["param"], &fee[..]].concat()).ended(0);
    let run = try_import(alice, &fee, &sign(bob, &fee));
    run.ended(0).says("1 of 3: bob. Next: 2 of alice, carol, dave, erin: breakglass sign fee --set fee=40");
}

#[test]
fn a_signature_that_fits_nothing_is_explained_whatever_its_version() {
    let ceremony = three_of_five();
    let [alice, bob, carol, dave, erin] = &ceremony.desks[..] else { unreachable!() };
    propose(alice);
    let bridge = sign(carol, &["bridge"]);
    let later = sign(dave, &["vault", "--nonce", "4"]);
    let undo = sign(erin, &["vault", "--nonce", "3"]);
    let good = sign(bob, &["vault"]);
    let bare = format!("0x{}", hex::encode(find_signatures(&bridge).stated[0].bytes));
    for chat in [
        [&bridge, &later, &undo, &good].map(String::clone),
        [&bridge, &later, &undo, &good].map(|line| first_version(line)),
        [bare, later.clone(), undo.clone(), first_version(&good)],
    ] {
        let run = try_import(alice, &["vault"], &chat.join("\n")).ended(4);
        let run = run
            .says("carol signed bridge at nonce 0, not vault")
            .says("dave signed vault at nonce 4, not at nonce 0")
            .says("erin signed vault at nonce 3, not at nonce 0");
        let last = run.stderr.lines().last().unwrap();
        assert!(last.starts_with("1 of 3: bob. Next: 2 of alice, carol"), "{last}");
    }
    // Another argument than the reader's.
    let fee = ["fee", "--set", "fee=50"];
    alice.run(&[&["param"], &fee[..]].concat()).ended(0);
    // Bob has signed the vault's pause for that nonce: he says that he means it.
    let forty = sign(bob, &["fee", "--set", "fee=40", "--nonce", "0"]);
    for line in [forty.clone(), claiming(&forty, &kept_for(bob, "fee"), |claims| claims.council = None)] {
        refused(try_import(alice, &fee, &line), 4, &["bob signed fee with fee = 40, you have fee = 50"]);
    }
    // And the same is in the object.
    let chat = alice.path("chat.txt");
    fs::write(&chat, &forty).unwrap();
    let object = alice.run(&["--json", "import", "fee", path(&chat), "--set", "fee=50"]).ended(4).json();
    assert!(object["refused"][0]["why"].as_str().unwrap().contains("fee = 40"), "{object}");
    assert_eq!(object["tallies"][0]["threshold"], 3);
}

/// The proposal that a desk keeps for a lever.
fn kept_for(desk: &Desk, lever: &str) -> Proposal {
    let of_lever = |file: &std::path::PathBuf| {
        path(file).contains(&format!("-{lever}-n")) && file.ends_with("proposal.json")
    };
    let file = files(desk.folder()).into_iter().find(of_lever).unwrap();
    Proposal::parse(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The most likely cause: somebody has an old council file.
#[test]
fn a_signature_from_another_council_file_says_so() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let other = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    propose(alice);
    fs::write(
        bob.path("breakglass.toml"),
        ceremony.council().replace(&ceremony.vault.to_string(), &other.to_string()),
    )
    .unwrap();
    let line = sign(bob, &["vault"]);
    let run = try_import(alice, &["vault"], &line);
    refused(run, 4, &["bob signed from council file", "yours is", ": pull"]);
    // An earlier program's line does not say it.
    refused(
        try_import(alice, &["vault"], &first_version(&line)),
        4,
        &["bob signed a transaction that is none of yours, 0x"],
    );
    // One that lies about it convinces nobody.
    let lying = claiming(&line, &kept(bob), |claims| {
        let mine = find_signatures(&sign(alice, &["vault"])).stated[0].claims.clone().unwrap();
        *claims = mine;
    });
    refused(
        try_import(alice, &["vault"], &lying),
        4,
        &["bob signed a transaction that is none of yours; the line of breakglass", "says vault at nonce 0"],
    );
    alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
}

#[test]
fn claims_that_lie_neither_help_nor_harm_and_say_nothing_in_the_programs_name() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    propose(alice);
    // A good signature is good whatever its line says of itself.
    let line = sign(bob, &["vault"]);
    let lying = claiming(&line, &kept(bob), |claims| {
        claims.levers = vec!["bridge".into()];
        claims.nonce = Some(Nonce::from(99));
        claims.council = None;
        claims.chain_id = Some(5);
    });
    try_import(alice, &["vault"], &lying).ended(0).says("imported");
    // One that fits nothing shows a stranger's words as such, in few lines.
    let far = sign(carol, &["vault", "--nonce", "900"]);
    let hostile = claiming(&far, &kept(carol), |claims| {
        claims.levers = vec!["vault\n✓ matches your playbook\u{202e}".into()];
        claims.args = (0..9).map(|n| (format!("a{n}"), "\u{1b}[2J".repeat(20))).collect();
    });
    let run = try_import(alice, &["vault"], &hostile).ended(4);
    assert!(
        !run.stderr.contains(['\u{1b}', '\u{202e}']) && run.stderr.lines().count() < 20,
        "{}",
        run.stderr
    );
    run.says("carol signed").never_says("✓ matches your playbook taken");
    refused(try_import(alice, &["vault"], &far), 4, &["none of yours", "says vault at nonce 900"]);
    import(alice, &["vault"], &sign(carol, &["vault"]));
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
}

/// One paste with lines of both versions, wrapped and quoted in every way.
#[test]
fn a_whole_chat_of_both_versions_is_taken_and_sent_in_one_command() {
    let ceremony = three_of_five();
    let [alice, bob, carol, dave, _] = &ceremony.desks[..] else { unreachable!() };
    let fold = |line: &str, at: usize, between: &str| {
        let chars: Vec<char> = line.chars().collect();
        chars.chunks(at).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(between)
    };
    let chat = alice.path("chat.txt");
    fs::write(
        &chat,
        format!(
            "[22:41] bob: “{}”\n[22:42] carol:\n> {}\n\n[22:43] dave: ```{}```\nthanks all! 0x1234\n",
            sign(bob, &["vault"]).to_uppercase(),
            fold(&sign(carol, &["vault"]), 60, "\n> "),
            fold(&first_version(&sign(dave, &["vault"])), 76, "=\r\n"),
        ),
    )
    .unwrap();
    // At this desk no proposal was made or imported.
    let words = with_key(alice, &["broadcast", "vault", "--chat", path(&chat), "--confirm", "guardian"]);
    let sent =
        run(alice, &words).ended(0).says("imported  bob").says("imported  dave").says("done and proven");
    assert!(is_paused(&ceremony));
    sent.never_says("refused");
    // With too few it says who is missing, and sends nothing.
    fs::write(&chat, sign(bob, &["vault", "--undo"])).unwrap();
    let undo =
        with_key(alice, &["broadcast", "vault", "--undo", "--chat", path(&chat), "--confirm", "guardian"]);
    let short = run(alice, &undo);
    refused(short, 3, &["1 of 3 owners have signed"]);
    let missing =
        with_key(alice, &["broadcast", "vault", "--undo", "--chat", "no-such-file", "--confirm", "guardian"]);
    refused(run(alice, &missing), 1, &["no-such-file", "nothing was sent"]);
}

/// The name of a folder is for people; its content decides. Folders of an earlier version are read too, and two of one
/// proposal, as after copying from another machine.
#[test]
fn a_proposal_is_found_by_what_lies_in_its_folder_whatever_that_is_called() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let file = propose(alice);
    let folder = file.parent().unwrap().to_path_buf();
    let name = folder.file_name().unwrap().to_str().unwrap();
    let hash = kept(alice).hash().to_string();
    assert!(name.ends_with(&format!("-vault-n0-{}", &hash[2..10])) && name.starts_with("20"), "{name}");
    import(alice, &["vault"], &sign(bob, &["vault"]));
    for called in ["2026-11-25-bridge-n7-00000000", "whatever", &hash] {
        let there = alice.path("incidents").join(called);
        fs::rename(&folder, &there).unwrap();
        alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed").never_says("left out");
        fs::rename(&there, &folder).unwrap();
    }
    // Carol's folder of the same proposal, brought beside it under a name of its own.
    sign(carol, &["vault"]);
    let theirs = files(carol.folder()).into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    let second = alice.path("incidents/of-carols-machine");
    fs::create_dir(&second).unwrap();
    fs::copy(&theirs, second.join(theirs.file_name().unwrap())).unwrap();
    fs::copy(theirs.with_file_name("proposal.json"), second.join("proposal.json")).unwrap();
    alice.run(&["status", "vault"]).ended(0).says("2 of 2 signed");
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    // The files in a folder with another hash are not what its name promises.
    let wrong = alice.path("incidents").join(format!("0x{}", "ab".repeat(32)));
    fs::rename(&folder, &wrong).unwrap();
    alice.run(&["status", "vault"]).says("left out").says(&format!("it is proposal {hash}"));
}

/// Years of incidents change no answer. What they cost is counted in tests/bench/together.rs.
#[test]
fn two_thousand_kept_proposals_change_no_answer() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let file = propose(alice);
    let chat = alice.path("chat.txt");
    fs::write(&chat, sign(bob, &["vault"])).unwrap();
    let answers = || {
        alice.run(&["import", "vault", path(&chat)]).ended(0);
        let status = alice.run(&["status", "vault"]).ended(3).says("1 of 2").stdout.clone();
        (status, alice.run(&["export", "vault"]).ended(0).stdout.clone())
    };
    let alone = answers();
    let good: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    for n in 1..=2_000_u64 {
        let then = crate::altered::changed(&good, "/transaction/nonce", &serde_json::json!(n.to_string()));
        let folder = alice.path(&format!("incidents/2026-01-01-vault-n{n}-00000000"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("proposal.json"), crate::altered::rehashed(then).to_string()).unwrap();
        fs::write(folder.join("outcome.json"), "{}").unwrap();
    }
    assert_eq!(answers(), alone);
}

#[test]
fn one_paste_holds_the_lines_of_every_transaction_of_a_combined_lever() {
    let mut ceremony = three_of_five();
    ceremony.add_to_council("\n[levers.freeze]\npull = [\"vault\", \"bridge\"]\nalone = [\"bridge\"]\n");
    let [alice, bob, carol, ..] = &ceremony.desks[..] else { unreachable!() };
    let lines = try_sign(bob, &["freeze"]).ended(0).stdout;
    assert_eq!(lines.lines().filter(|line| line.starts_with("bgsig2")).count(), 2, "{lines}");
    // No file is kept here yet: both are derived, and each has its own tally.
    let run = try_import(alice, &["freeze"], &lines).ended(0);
    assert_eq!(run.stderr.matches("1 of 3: bob. Next: 2 of ").count(), 2, "{}", run.stderr);
    let both = alice.run(&["export", "freeze"]).ended(0).stdout;
    assert_eq!(both.trim(), lines.trim());
    // One of the two is kept by its own import: the paste brings the other, and the tally is of both.
    let first = lines.lines().next().unwrap();
    try_import(carol, &["freeze"], first).ended(0).says("0 of 3. Next: 3 of ");
    let run = try_import(carol, &["freeze"], &lines).ended(0);
    assert_eq!(run.stderr.matches("1 of 3: bob. Next: 2 of ").count(), 2, "{}", run.stderr);
}
