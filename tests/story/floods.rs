//! Somebody in the chat, or an owner, posts so much that nobody else's signature should be found: all are.

use std::fs;
use std::path::PathBuf;

use alloy::primitives::{B256, hex, keccak256};
use bech32::{Bech32m, Hrp};
use k256::ecdsa::SigningKey;
use k256::ecdsa::hazmat::SignPrimitive;

use crate::stage::{Desk, Key};
use crate::steps::{
    broadcast, files, import, is_paused, path, propose, read_json, sign, try_import, two_of_three,
};

/// A line as the program writes it, over any signature.
fn line(hash: B256, signature: &[u8; 65]) -> String {
    let payload = [&[1][..], hash.as_slice(), signature].concat();
    bech32::encode::<Bech32m>(Hrp::parse("bgsig").unwrap(), &payload).unwrap()
}

/// Signatures of one key over one hash, all different and all good: each by another nonce of ECDSA.
fn many(key: Key, hash: B256, count: u64) -> String {
    let secret = SigningKey::from_slice(key.secret.as_slice()).unwrap();
    let one = |nonce: u64| {
        let nonce = k256::Scalar::from(nonce + 2);
        let (signature, parity) =
            secret.as_nonzero_scalar().try_sign_prehashed(nonce, &hash.0.into()).unwrap();
        let mut bytes = [27 + parity.unwrap().to_byte(); 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        line(hash, &bytes) + "\n"
    };
    (0..count).map(one).collect()
}

fn signature_files(desk: &Desk) -> usize {
    files(desk.folder()).iter().filter(|f| path(f).ends_with(".sig.json")).count()
}

#[test]
fn an_owner_who_signs_many_times_keeps_no_other_owner_out() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let hash: B256 = read_json(&propose(alice))["hashes"]["safe_tx_hash"].as_str().unwrap().parse().unwrap();
    let chat = format!("{}{}", many(bob.key, hash, 25), sign(carol, &["vault"]));
    let run = try_import(alice, &["vault"], &chat).ended(0);
    run.says(&carol.key.address.to_string()).says("24 more of theirs not needed");
    assert_eq!(signature_files(alice), 2, "one of bob's, one of carol's");
    // Once more: nothing is new, and nothing more is kept.
    try_import(alice, &["vault"], &chat).ended(0).says("known").says("24 more of theirs not needed");
    assert_eq!(signature_files(alice), 2);
    broadcast(alice, &["vault"]).ended(0);
    assert!(is_paused(&ceremony));
}

#[test]
fn owners_lines_are_found_behind_any_posts_of_strangers() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let hash: B256 = read_json(&propose(alice))["hashes"]["safe_tx_hash"].as_str().unwrap().parse().unwrap();
    let good = sign(bob, &["vault"]);
    let words = |n: u32| hex::encode(keccak256(n.to_be_bytes()));
    let invented = |n: u64| {
        let mut bytes = [27; 65];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        line(hash, &bytes) + "\n"
    };
    let noise = [
        "bgsig1".repeat(20_000),
        "bgsig2".repeat(20_000),
        format!("{}\n", &good[..150]).repeat(12_000),
        (0..1_000).map(|n| words(n) + " ").collect::<String>(),
        (0..500).map(|n| words(n).repeat(2) + "1b\n").collect::<String>(),
        (0..500).map(invented).collect::<String>(),
        "a a a ".repeat(500_000),
    ];
    let chat = format!("{}\n{good}\n{}\n> {}", noise.join("\n"), noise[0], sign(carol, &["vault"]));
    let run = try_import(alice, &["vault"], &chat).ended(4);
    let run = run.says(&bob.key.address.to_string()).says(&carol.key.address.to_string());
    let run = run.says("more that were refused, not listed");
    assert!(run.stderr.lines().count() < 24, "more than a screen:\n{}", run.stderr);
    broadcast(alice, &["vault"]).ended(0);
    assert!(is_paused(&ceremony));
}

#[test]
fn bytes_that_are_not_text_in_a_chat_or_in_one_file_of_a_folder_stop_nothing() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    propose(alice);
    let chat = [b"caf\xe9 \xff\xfe\n".as_slice(), sign(bob, &["vault"]).as_bytes(), b"\n\xf0\x28"].concat();
    fs::write(alice.path("chat.txt"), chat).unwrap();
    let run = alice.run(&["import", "vault", "chat.txt"]).ended(0).says(&bob.key.address.to_string());
    run.says("chat.txt: bytes that are not text (UTF-8) were passed over");

    sign(carol, &["vault"]);
    let folder = alice.path("stick");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("0.json"), [0xff; 40]).unwrap();
    fs::write(folder.join("1.json"), "a".repeat(9 << 20)).unwrap();
    let theirs = files(carol.folder()).into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    fs::copy(theirs, folder.join("2.json")).unwrap();
    let run = alice.run(&["--json", "import", "vault", "stick"]).ended(1);
    let run = run.says("1.json").says("is larger than").says("every good signature in it is kept");
    assert_eq!(run.json()["taken"][0]["owner"], carol.key.address.to_string());
    broadcast(alice, &["vault"]).ended(0);
}

/// Every file name for bob's signature is taken: it is kept under another name and counts. If that is taken too,
/// carol's is still kept.
#[test]
fn one_signature_that_cannot_be_kept_ends_the_keeping_of_no_other() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let proposal = propose(alice);
    let name = |n: u32| match n {
        1 => format!("{}.sig.json", bob.key.address),
        n => format!("{}-{n}.sig.json", bob.key.address),
    };
    for n in 1..=100 {
        fs::write(proposal.parent().unwrap().join(name(n)), "{}").unwrap();
    }
    let chat = format!("{}\n{}", sign(bob, &["vault"]), sign(carol, &["vault"]));
    fs::write(alice.path("chat.txt"), &chat).unwrap();
    let junk = signature_files(alice);
    let run = alice.run(&["--json", "import", "vault", "chat.txt"]).ended(0);
    assert_eq!(run.json()["taken"].as_array().unwrap().len(), 2);
    let run = alice.run(&["status", "vault"]).ended(0).says("95 more signature files");
    assert!(run.stderr.lines().count() < 30, "more than a screen:\n{}", run.stderr);
    assert_eq!(signature_files(alice), junk + 2);
    let is_bobs = |file: &PathBuf| path(file).contains(&bob.key.address.to_string());
    let bobs =
        files(alice.folder()).into_iter().find(|f| is_bobs(f) && fs::read(f).unwrap() != b"{}").unwrap();
    fs::write(bobs, "{}").unwrap();
    fs::remove_file(proposal.parent().unwrap().join(format!("{}.sig.json", carol.key.address))).unwrap();
    let run = alice.run(&["--json", "import", "vault", "chat.txt"]).ended(1);
    let run = run.says(&bob.key.address.to_string()).says("already exists");
    assert_eq!(run.json()["taken"][0]["owner"], carol.key.address.to_string());
    sign(alice, &["vault"]);
    broadcast(alice, &["vault"]).ended(0);
}

/// A person who can write into `incidents/` puts thousands of files there: the work and the output are bounded, and the
/// honest proposal and its signatures count.
#[test]
fn thousands_of_files_planted_in_the_incidents_hide_nothing_and_are_counted() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let proposal = propose(alice);
    import(alice, &["vault"], &sign(bob, &["vault"]));
    sign(carol, &["vault"]);
    let theirs = files(carol.folder()).into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    let folder = proposal.parent().unwrap();
    fs::copy(&theirs, folder.join(theirs.file_name().unwrap())).unwrap();
    for n in 0..12_000_u32 {
        fs::write(folder.join(format!("{n}.sig.json")), "{}").unwrap();
    }
    let incidents = folder.parent().unwrap();
    let honest = fs::read_to_string(&proposal).unwrap();
    for n in 0..3_000_u32 {
        let folder = incidents.join(keccak256(n.to_be_bytes()).to_string());
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("proposal.json"), if n % 500 == 0 { &honest } else { "{}" }).unwrap();
    }
    for n in 0..5 {
        fs::write(incidents.join(keccak256([n]).to_string()), "a file, not a folder").unwrap();
    }
    let run = alice.run(&["status", "vault"]).ended(0);
    let run = run
        .says("2995 more proposal files")
        .says("more signature files")
        .says("signature files that were not read");
    assert!(run.stderr.lines().count() < 40, "more than a screen:\n{}", run.stderr);
    broadcast(alice, &["vault"]).ended(0);
    assert!(is_paused(&ceremony));
}

/// A list of acceptances is not signed: the first person who passes a signature on does not decide what is shown beside
/// it.
#[test]
fn an_invented_list_of_acceptances_hides_no_other() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    propose(alice);
    sign(bob, &["vault"]);
    let theirs = files(bob.folder()).into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    let with = |name: &str, accepted: &[String]| {
        let mut file = read_json(&theirs);
        file["accepted"] = serde_json::json!(accepted);
        fs::write(alice.path(name), file.to_string()).unwrap();
    };
    let invented: Vec<String> = (0..50).map(|n| format!("invented:{n}")).collect();
    with("first.json", &invented[..2]);
    with("second.json", &["module:real".into()]);
    with("third.json", &invented);
    alice.run(&["import", "vault", "first.json"]).ended(0).says("imported");
    alice.run(&["import", "vault", "second.json"]).ended(0).says("imported");
    alice.run(&["import", "vault", "second.json"]).ended(0).says("known");
    let run = alice.run(&["dry-run", "vault"]);
    let said = "the file says that bob accepted invented:0, invented:1, module:real";
    assert!(run.stderr.contains(said) || run.stdout.contains(said), "{}", run.stderr);
    alice.run(&["import", "vault", "third.json"]).ended(0).says("imported");
    let run = alice.run(&["dry-run", "vault"]);
    let said = "invented:0, invented:1, module:real, invented:2, invented:3, and 46 more";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    sign(alice, &["vault"]);
    broadcast(alice, &["vault"]).ended(0);
}
