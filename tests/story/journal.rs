//! The journal: who did what, when. It survives a killed run, and a fault in it stops no command.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use alloy::primitives::hex;
use serde_json::json;

use crate::stage::{Desk, breakglass, run};
use crate::steps::{
    acts, behind_a_proxy, broadcast, entries, import, is_paused, journal, path, propose, refused, sign,
    signed_by_two, two_of_three, with_key,
};

#[test]
fn a_whole_ceremony_leaves_a_journal_that_says_who_did_what() {
    let (ceremony, proxy) = behind_a_proxy();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    alice.settings("me = \"alice\"\n");
    bob.settings("me = \"bob\"\n");
    let open = ["incident", "open", "vault is drained", "--severity", "P1", "--leads", "alice"];
    alice.run(&open).ended(0).says("opened P1: vault is drained; alice leads");
    propose(alice);
    sign(alice, &["vault"]);
    let bobs = sign(bob, &["vault"]);
    import(alice, &["vault"], &bobs);
    alice.run(&["incident", "note", "asked https://rpc.example/v2/S3cretKey"]).ended(0);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
    // Reading a proposal is not an act.
    alice.run(&["status", "vault"]).ended(0);
    broadcast(alice, &["vault"]).ended(0).says("Nothing sent");
    alice.run(&["incident", "close"]).ended(0);
    alice.run(&["pause", "vault"]);
    let expected = ["opened", "proposed", "signed", "imported", "note", "sent", "mined", "proven", "closed"];
    assert_eq!(acts(alice), expected);
    assert_eq!(acts(bob), ["signed"]);

    let all = entries(alice);
    let hash = &all[1]["about"]["safe_tx_hash"];
    for entry in &all {
        assert_eq!((&entry["who"], &entry["v"]), (&json!("alice"), &json!(1)), "{entry}");
        assert!(entry["council"].as_str().unwrap().len() == 66, "{entry}");
    }
    for entry in [1, 2, 3, 5, 6, 7].map(|at| &all[at]) {
        let about = &entry["about"];
        assert_eq!(
            (&about["what"], &about["nonce"], &about["safe_tx_hash"]),
            (&json!("vault"), &json!("0"), hash)
        );
        assert_eq!(about["address"], json!(ceremony.safe.to_string().to_lowercase()), "{entry}");
    }
    assert_eq!(all[2]["act"]["name"], json!("alice"));
    assert_eq!(all[3]["act"]["owners"], json!([bob.key.address.to_string().to_lowercase()]));
    assert_eq!(all[6]["act"]["tx"], all[5]["act"]["tx"]);
    assert_eq!(all[4]["act"]["text"], json!("asked https://rpc.example/…"));

    // It holds no key, no host and no name of this machine.
    let text = fs::read_to_string(journal(alice)).unwrap().to_lowercase();
    let password = fs::read_to_string(alice.password_file()).unwrap();
    let folder = path(alice.folder()).to_lowercase();
    for secret in [
        hex::encode(alice.key.secret).as_str(),
        password.trim(),
        "s3cretkey",
        &folder,
        &proxy.url(),
        "127.0.0.1",
    ] {
        assert!(!text.contains(&secret.to_lowercase()), "{secret}");
    }

    alice.run(&["log", "--verify"]).ended(0).says("9 entries");
    alice
        .run(&["log"])
        .ended(0)
        .says("took in bob")
        .says("opened P1: vault is drained")
        .says("vault (guardian, nonce 0)");
    let object = alice.run(&["--json", "log"]).ended(0).json();
    let opened = json!({ "journal": 1, "number": 1 });
    assert!(
        object["entries"].as_array().unwrap().iter().all(|entry| entry["incident"] == opened),
        "{object}"
    );
    // Bob's too, in one order of time.
    let bobs = journal(bob);
    let object = alice.run(&["--json", "log", path(&bobs)]).ended(0).json();
    let who: Vec<&str> =
        object["entries"].as_array().unwrap().iter().map(|e| e["who"].as_str().unwrap()).collect();
    assert_eq!((who.len(), who[0], *who.last().unwrap()), (10, "alice", "alice"));
    assert_eq!((&object["contradictions"], who.contains(&"bob")), (&json!([]), true));
    fs::write(&bobs, fs::read_to_string(&bobs).unwrap().replace("\"nonce\":\"0\"", "\"nonce\":\"7\""))
        .unwrap();
    alice.run(&["log", path(&bobs), "--verify"]).ended(1).says("contradiction:").says("nonce 7");
}

#[test]
fn one_altered_line_is_found_and_a_colleague_with_the_digest_finds_the_last() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    for n in 0..4 {
        alice.run(&["incident", "note", &format!("note {n}")]).ended(0);
    }
    let digest = alice.run(&["log", "--verify"]).ended(0).stdout;
    let text = fs::read_to_string(journal(alice)).unwrap();
    fs::write(journal(alice), text.replace("note 1", "nothing")).unwrap();
    alice.run(&["log", "--verify"]).ended(1).says("line 3 does not continue line 2").says("altered");
    let object = alice.run(&["--json", "log", "--verify"]).ended(1).json();
    assert_eq!(object["journals"][0]["breaks"][0]["line"], json!(3), "{object}");
    // It is shown and carried on all the same.
    alice.run(&["log"]).ended(0).says("noted: nothing").says("broken:");
    alice.run(&["incident", "note", "after"]).ended(0);
    assert_eq!(entries(alice).len(), 5);
    fs::write(journal(alice), text.replace("note 3", "nothing")).unwrap();
    assert_ne!(alice.run(&["log", "--verify"]).ended(0).stdout, digest);
}

#[test]
fn an_incident_is_opened_once_and_closed_once_and_its_people_are_the_councils() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let open = ["incident", "open", "drained", "--severity", "p1"];
    refused(alice.run(&["incident", "close"]), 2, &["no incident is open"]);
    refused(
        alice.run(&["incident", "open", "drained", "--severity", "P1", "--leads", "alise"]),
        2,
        &["alise", "did you mean \"alice\"?"],
    );
    refused(alice.run(&["incident", "note", "two\nlines"]), 2, &["line break"]);
    refused(alice.run(&["incident", "note", &"x".repeat(501)]), 2, &["501 characters"]);
    alice.run(&open).ended(0);
    refused(alice.run(&open), 2, &["an incident is open", "incident close"]);
    alice.run(&["incident", "close"]).ended(0);
    alice.run(&open).ended(0);
    assert_eq!(acts(alice), ["opened", "closed", "opened"]);
}

/// `kill -9` while lines are written.
#[test]
fn killed_while_it_writes_no_whole_line_is_lost() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let note = ["incident", "note", "on the way"];
    let begun = Instant::now();
    alice.run(&note).ended(0);
    let whole = begun.elapsed();
    for moment in 1..=20 {
        let mut process = alice.command(&note).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(whole * moment / 20);
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let before = entries(alice).len();
    alice.run(&note).ended(0);
    assert_eq!(entries(alice).len(), before + 1);
    alice.run(&["log", "--verify"]).ended(0);
    // After a torn write, half a line is kept aside, and a whole one that lacks its end is given it.
    let half = b"{\"v\":1,\"number\":";
    OpenOptions::new().append(true).open(journal(alice)).unwrap().write_all(half).unwrap();
    alice.run(&["log", "--verify"]).ended(0).says("not written to its end (16 bytes)");
    alice.run(&note).ended(0).says("16 bytes were cut off").says("journal-cut-1.txt");
    assert_eq!(fs::read(alice.path("incidents/journal-cut-1.txt")).unwrap(), half);
    let text = fs::read(journal(alice)).unwrap();
    fs::write(journal(alice), &text[..text.len() - 1]).unwrap();
    alice.run(&note).ended(0).never_says("cut off");
    assert_eq!(entries(alice).len(), before + 3);
    alice.run(&["log", "--verify"]).ended(0);
}

#[test]
fn two_writers_at_once_lose_no_entry() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    thread::scope(|scope| {
        for writer in ["one", "two", "three"] {
            scope.spawn(move || {
                for n in 0..8 {
                    alice.run(&["incident", "note", &format!("{writer} {n}")]).ended(0);
                }
            });
        }
    });
    assert_eq!(entries(alice).len(), 24);
    alice.run(&["log", "--verify"]).ended(0).says("24 entries");
}

/// A journal that cannot be written is reported once and stops no command.
#[test]
fn a_journal_that_cannot_be_written_stops_neither_signing_nor_sending() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let in_its_place = |desk: &Desk| {
        let _ = fs::remove_file(journal(desk));
        fs::create_dir_all(journal(desk)).unwrap();
    };
    in_its_place(bob);
    let words = with_key(bob, &["sign", "vault", "--yes"]);
    let signed = crate::steps::run(bob, &words).ended(0).says("the journal was not written").says("a folder");
    assert_eq!(signed.stderr.matches("the journal was not written").count(), 1);
    sign(alice, &["vault"]);
    import(alice, &["vault"], &signed.stdout);
    in_its_place(alice);
    let run = broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!(run.stderr.matches("the journal was not written").count(), 1, "{}", run.stderr);
    assert!(is_paused(&ceremony));
    refused(alice.run(&["incident", "note", "lost"]), 1, &["journal.jsonl", "a folder"]);
}

/// A full disk takes only a part of the line: the earlier lines stay, and the run continues.
#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_the_journal_stays_whole_and_the_signature_is_made() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    // Longer than every other file that is written now.
    while fs::metadata(journal(alice)).map_or(0, |found| found.len()) < 62_000 {
        for _ in 0..4 {
            alice.run(&["incident", "note", &"é".repeat(500)]).ended(0);
        }
    }
    let before = fs::read(journal(alice)).unwrap();
    // The shell's limit on the size of a file, in units of 512 bytes; in the middle of the next line.
    let limit = (before.len() / 512 + 1).to_string();
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
    let program = breakglass().get_program().to_owned();
    let words = ["incident", "note", &"é".repeat(500)];
    let mut limited = std::process::Command::new("dash");
    limited.arg("-c").arg(&script).arg(&program).args(words).current_dir(alice.folder());
    limited.env_clear().env("HOME", alice.home()).stdin(Stdio::null());
    run(&mut limited).ended(1).says("cannot write").says("journal.jsonl");
    assert_eq!(fs::read(journal(alice)).unwrap(), before);
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    let mut limited = std::process::Command::new("dash");
    limited.arg("-c").arg(&script).arg(&program).args(words).current_dir(alice.folder());
    limited.env_clear().env("HOME", alice.home()).stdin(Stdio::null());
    run(&mut limited).ended(0).says("bgsig2");
    alice.run(&["log", "--verify"]).ended(0);
}
