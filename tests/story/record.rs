//! From the alarm to the record: what happened, who did it, what the chain confirms, and drafts that a person finishes.

use std::fs;

use serde_json::{Value, json};

use breakglass::safe::SafeVersion;

use crate::stage::{Ceremony, Desk, SafeSetup};
use crate::steps::{broadcast, import, path, sign, try_sign, two_of_three};

/// Returns the places of the words, each after the one before.
fn in_order(text: &str, words: &[&str]) {
    let mut from = 0;
    for word in words {
        let at = text[from..].find(word).unwrap_or_else(|| panic!("{word:?} does not follow in\n{text}"));
        from += at + word.len();
    }
}

#[test]
fn from_the_alarm_to_a_record_that_the_chain_confirms() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 3));
    ceremony.add_to_council(
        "\n[response]\nfirst_signature = \"10 minutes\"\nproof = \"30 minutes\"\n
[alarms.drained]\ntitle = \"vault is drained\"\nlever = \"vault\"\nbalance = \"vault\"\nat_least = \"1\"\n",
    );
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    for (desk, name) in [(alice, "alice"), (bob, "bob"), (carol, "carol")] {
        desk.settings(&format!("me = \"{name}\"\n"));
    }
    alice.run(&["watch", "--once"]).ended(9);
    let lines = [sign(bob, &["vault"]), sign(carol, &["vault"])].join("\n");
    import(alice, &["vault"], &lines);
    sign(alice, &["vault"]);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    alice.run(&["incident", "note", "frontend <b>taken</b> down"]).ended(0);
    alice.run(&["incident", "close"]).ended(0);

    let bobs = bob.path("incidents/journal.jsonl");
    let carols = carol.path("incidents/journal.jsonl");
    let journals = ["--journal", path(&bobs), "--journal", path(&carols)];
    let report = |words: &[&str]| alice.run(&[&["report"], words, &journals[..]].concat());
    let text = report(&[]).ended(0).stdout;
    in_order(
        &text,
        &[
            "# P1 · alarm drained: vault is drained",
            "| first signature |",
            "| 10 min 0 s |",
            "## Timeline",
            "monitor",
            "signed as bob",
            "signed as carol",
            "sent",
            "executed in block",
            "proven at block",
            "frontend \\<b\\>taken",
        ],
    );
    let object = report(&["--json"]).ended(0).json();
    let one = &object["transactions"][0];
    let name =
        |at: usize| one["on_chain"]["signed_by"][at].as_str().unwrap().split(' ').next().unwrap().to_string();
    let mut signers = [name(0), name(1), name(2)];
    signers.sort();
    assert_eq!(signers, ["alice", "bob", "carol"], "{one}");
    times_are_the_journals_and_the_blocks(&ceremony, &object);
    assert_eq!(one["changes"], json!([{ "what": "vault paused()", "before": "false", "after": "true" }]));
    assert_eq!((&one["is_proven"], &object["contradictions"]), (&json!(true), &json!([])));
    let late: Vec<&Value> =
        object["times"].as_array().unwrap().iter().filter(|time| time["is_late"] == true).collect();
    assert!(late.is_empty(), "{late:?}");
    let by_chain = object["timeline"].as_array().unwrap().iter().filter(|row| row["by"] == "chain").count();
    assert_eq!(by_chain, 1);

    // One page, which nothing overwrites.
    let page = alice.path("incident.html");
    report(&["--html", path(&page)]).ended(0);
    let html = fs::read_to_string(&page).unwrap();
    in_order(
        &html,
        &[
            "<!DOCTYPE html>",
            "<svg",
            "monitor",
            "bob",
            "carol",
            "chain",
            "vault paused()",
            "false → <b>true</b>",
        ],
    );
    assert!(
        !html.contains("<b>taken</b>") && html.contains("&lt;b&gt;taken"),
        "what a person wrote is no markup"
    );
    report(&["--html", path(&page)]).ended(1).says("already exists");
    // `make look` opens it in a browser.
    if let Some(folder) = std::env::var_os("BREAKGLASS_LOOK") {
        fs::copy(&page, std::path::Path::new(&folder).join("incident.html")).unwrap();
    }

    // Drafts, from the program's templates and from the council's own.
    let users = report(&["--draft", "users"]).ended(0).stdout;
    in_order(&users, &["Test protocol", "vault by Safe guardian", "vault paused(): false → true"]);
    let regulator = report(&["--draft", "regulator", "--stage", "final"]).ended(0).stdout;
    in_order(
        &regulator,
        &["final_report", "detectionDateTime", "monitoring_systems", "actual_figures", "[TO BE FILLED]"],
    );
    fs::create_dir(alice.path("drafts")).unwrap();
    fs::write(alice.path("drafts/users.md"), "We paused {services}. {nobody}").unwrap();
    let own = report(&["--draft", "users"]).ended(0).stdout;
    assert_eq!(own.trim(), "We paused vault. [no fact is called nobody]");
}

/// Every moment of the record is one of a journal or of a block, and so is what is measured.
fn times_are_the_journals_and_the_blocks(ceremony: &Ceremony, record: &Value) {
    let journal = |desk: &Desk| fs::read_to_string(desk.path("incidents/journal.jsonl")).unwrap();
    let lines = ceremony.desks.iter().map(journal).collect::<String>();
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let time = |entry: &Value| entry["time"].as_str().unwrap().to_string();
    let first = |kind: &str| entries.iter().filter(|one| one["act"]["kind"] == kind).map(time).min().unwrap();
    let all: Vec<String> = entries.iter().map(time).collect();
    let rows = record["timeline"].as_array().unwrap();
    let (chain, stated): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| row["by"] == "chain");
    assert_eq!(stated.len(), all.len(), "each entry once: {rows:?}");
    for row in stated {
        assert!(all.contains(&row["at"].as_str().unwrap().to_string()), "{row}");
    }
    let [mined] = &chain[..] else { panic!("{chain:?}") };
    let block = record["transactions"][0]["on_chain"]["block"].as_u64().unwrap();
    let header = ceremony.anvil.rpc("eth_getBlockByNumber", &json!([format!("{block:#x}"), false]));
    let timestamp =
        u64::from_str_radix(header["timestamp"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let on_chain = record["transactions"][0]["on_chain"]["time"].as_str().unwrap();
    assert_eq!(seconds(on_chain), timestamp, "by the block");
    // A block says whole seconds, and the journal is written later: it does not come before what was sent.
    let at = mined["at"].as_str().unwrap();
    assert!(seconds(at).abs_diff(timestamp) < 10 && at >= first("sent").as_str(), "{at}, {timestamp}");

    let began = record["began"].as_str().unwrap();
    assert_eq!(began, all.iter().min().unwrap());
    let measured = |what: &str| {
        let times = record["times"].as_array().unwrap();
        times.iter().find(|time| time["what"] == what).unwrap()["seconds"].as_u64().unwrap()
    };
    for (what, kind) in [("first signature", "signed"), ("sent", "sent"), ("proven", "proven")] {
        let took = (millis(&first(kind)) - millis(began)) / 1_000;
        assert_eq!(measured(what), took, "{what}");
    }
}

/// Seconds since midnight, and milliseconds, of `2026-11-26T22:31:04.000Z`.
fn millis(time: &str) -> u64 {
    let part = |from: usize, to: usize| time[from..to].parse::<u64>().unwrap();
    (part(8, 10) * 86_400 + part(11, 13) * 3_600 + part(14, 16) * 60 + part(17, 19)) * 1_000 + part(20, 23)
}

/// Seconds since 1970 of such a time, by the day's number.
fn seconds(time: &str) -> u64 {
    let (year, month) = (time[..4].parse::<u64>().unwrap(), time[5..7].parse::<u64>().unwrap());
    // Days before the month, by Howard Hinnant's days_from_civil.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (y / 400, y % 400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 - 719_468 - 1;
    days * 86_400 + millis(time) / 1_000
}

#[test]
fn a_journal_that_contradicts_the_chain_is_reported() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let lines = [sign(alice, &["vault"]), sign(bob, &["vault"])].join("\n");
    import(alice, &["vault"], &lines);
    broadcast(alice, &["vault"]).ended(0);
    // Without an incident the lever's own entries are one.
    let object = alice.run(&["--json", "report", "vault"]).ended(0).json();
    assert_eq!((&object["title"], &object["contradictions"]), (&json!("vault"), &json!([])));

    let journal = alice.path("incidents/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let block = object["transactions"][0]["on_chain"]["block"].as_u64().unwrap();
    let lie = text.replace(&format!("\"block\":{block}"), &format!("\"block\":{}", block + 5));
    assert_ne!(lie, text);
    fs::write(&journal, lie).unwrap();
    let run = alice.run(&["--json", "report", "vault"]).ended(0).says("contradiction:");
    let object = run.json();
    assert!(object["contradictions"][0].as_str().unwrap().contains("the chain has"), "{object}");
    assert_eq!(object["journals"][0]["is_whole"], json!(false));
    let offline = alice.run(&["--json", "report", "vault", "--offline"]).ended(0).json();
    assert_eq!(offline["transactions"][0]["unknown"], json!("the chain was not asked"));
}

#[test]
fn an_accepted_refusal_is_in_the_record_and_what_was_not_sent_is_not_confirmed() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    alice.run(&["report"]).ended(2).says("no such incident");
    alice.run(&["incident", "open", "a test", "--severity", "P3", "--leads", "alice"]).ended(0);
    // Code that no factory made is refused, until a person says otherwise.
    let mut code = ceremony.anvil.code(ceremony.safe).to_vec();
    code.push(0);
    ceremony.anvil.set_code(ceremony.safe, &code.into());
    let refused = try_sign(alice, &["vault"]).ended(4);
    let id = refused.stderr.split("refused (").nth(1).unwrap().split(')').next().unwrap().to_string();
    try_sign(alice, &["vault", "--accept", &id]).ended(0);
    let object = alice.run(&["--json", "report"]).ended(0).json();
    assert_eq!(object["accepted"][0]["ids"], json!([id]));
    assert!(object["transactions"][0]["unknown"].as_str().unwrap().contains("not executed"), "{object}");
    assert!(object["timeline"].as_array().unwrap().iter().any(|row| row["is_grave"] == true));
    assert_eq!((&object["severity"], &object["roles"][0]["name"]), (&json!("P3"), &json!("alice")));
    alice.run(&["report", "99"]).ended(2).says("no such incident");
    alice.run(&["report", "valt"]).ended(2).says("did you mean vault");
    alice.run(&["report", "--since", "yesterday"]).ended(2).says("is not a time");
}
