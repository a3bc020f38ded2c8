//! Terminal escapes, bidirectional marks and line breaks in every string that somebody else wrote: nothing of it
//! reaches a terminal, and no line can be forged.

use std::fs;

use alloy::primitives::{Bytes, hex};
use alloy::sol_types::{Revert, SolCall, SolError, SolValue};
use breakglass::safe::ISafe::VERSIONCall;
use serde_json::{Value, json};

use crate::stage::{Desk, Run};
use crate::steps::{
    behind_a_proxy, broadcast, files, path, pausedCall, propose, read_json, sign, signed_by_two, try_import,
    two_of_three, with_key,
};

/// Clears the screen (as ESC [ and as the one-character CSI), turns the direction, rings, and begins new lines.
const HOSTILE: &str =
    "a\u{1b}[2J\u{9b}2J\u{1b}]0;t\u{7}\u{202e}b\u{2066}\u{200b}\nFORGED line\rFORGED\u{85}FORGED";

#[track_caller]
fn harmless(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        let bad = |c: &char| {
            (c.is_control() && *c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.chars().any(|c| bad(&c)), "{:?} in {run:?}", text.chars().find(bad));
        assert!(!text.lines().any(|line| line.trim_start().starts_with("FORGED")), "{run:?}");
    }
    assert!(!run.stderr.contains("panicked"), "{run:?}");
}

/// Runs for people and for programs.
#[track_caller]
fn both(desk: &Desk, words: &[&str]) -> Run {
    let json = desk.run(&[&["--json"], words].concat());
    harmless(&json);
    let run = desk.run(words);
    harmless(&run);
    run
}

/// The places of all texts in a JSON value.
fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) | Value::Null => found.push(at.into()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| texts(item, &format!("{at}/{n}"), found));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            texts(field, &format!("{at}/{}", name.replace('/', "~1")), found);
        }),
        _ => {}
    }
}

fn each_text_hostile(value: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    texts(value, "", &mut places);
    let altered = places.into_iter().map(|place| {
        let mut altered = value.clone();
        *altered.pointer_mut(&place).unwrap() = json!(HOSTILE);
        (place, altered)
    });
    altered.collect()
}

#[test]
fn every_text_of_a_proposal_and_every_name_in_it() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let proposal = read_json(&propose(alice));
    let file = bob.path("handed-over.json");
    let mut altered = each_text_hostile(&proposal);
    for (place, with) in [
        ("/levers/0/arguments", json!({ HOSTILE: HOSTILE, "target": "vault" })),
        ("/levers/0", json!({ HOSTILE: HOSTILE })),
        ("/pull/names", json!([HOSTILE, HOSTILE])),
        ("/pull/without", json!([HOSTILE])),
        ("/accepted", json!([HOSTILE])),
        ("/safe/owners", json!([HOSTILE])),
    ] {
        let mut one = proposal.clone();
        *one.pointer_mut(place).unwrap() = with;
        altered.push((place.into(), one));
    }
    for (place, altered) in altered {
        fs::write(&file, altered.to_string()).unwrap();
        // A file that can be read as a proposal goes on to the review; every other one ends here.
        if both(bob, &["hash", path(&file)]).code == 0 {
            let words = with_key(bob, &["sign", path(&file), "--offline", "--yes"]);
            both(bob, &words.iter().map(String::as_str).collect::<Vec<_>>());
            both(bob, &["status", path(&file)]);
            let claims = ["/levers", "/pull", "/accepted"];
            assert!(claims.iter().any(|claim| place.starts_with(claim)), "{place}");
        }
    }
}

#[test]
fn every_text_of_a_signature_a_keystore_and_a_chat() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let line = sign(bob, &["vault"]);
    propose(alice);
    let theirs = files(bob.folder()).into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    let mut signature = read_json(&theirs);
    signature["accepted"] = json!([HOSTILE]);
    let folder = alice.path("from\u{1b}[2Jbob");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("bob.json");
    for (_, altered) in each_text_hostile(&signature) {
        fs::write(&file, altered.to_string()).unwrap();
        both(alice, &["import", "vault", path(&file)]);
        both(alice, &["status", "vault"]);
    }
    both(alice, &["import", "vault", path(&folder)]);
    both(alice, &["export", "vault"]);
    for chat in
        [HOSTILE.to_string(), format!("{HOSTILE}{line}"), format!("bgsig1{HOSTILE}"), line[..99].into()]
    {
        harmless(&try_import(alice, &["vault"], &chat));
    }
    let keystore = read_json(&bob.keystore());
    let words = with_key(bob, &["sign", "vault", "--yes"]);
    for (_, altered) in each_text_hostile(&keystore) {
        fs::write(bob.keystore(), altered.to_string()).unwrap();
        both(bob, &words.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// A text in TOML, all escapes written out.
fn quoted(text: &str) -> String {
    let escaped: Vec<String> = text.chars().map(|c| format!("\\U{:08x}", c as u32)).collect();
    format!("\"{}\"", escaped.concat())
}

#[test]
fn every_text_of_the_council_file_and_of_a_playbook() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    let hostile = quoted(HOSTILE);
    let council = format!(
        "{}\n[contacts.security]\nrole = \"r\"\nreach = \"x\"\n[levers.open]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"vault\" }}\n",
        ceremony.council()
    );
    let lines: Vec<&str> = council.lines().collect();
    for (n, line) in lines.iter().enumerate() {
        let Some((name, value)) = line.split_once(" = ") else { continue };
        let altered = match value.as_bytes()[0] {
            b'"' => format!("{name} = {hostile}"),
            b'[' => format!("{name} = [{hostile}]"),
            b'{' => format!("{name} = {{ target = {hostile} }}"),
            _ => format!("{name} = {value}\n{hostile} = {hostile}"),
        };
        let text = [&lines[..n], &[altered.as_str()], &lines[n + 1..]].concat().join("\n");
        fs::write(bob.path("breakglass.toml"), text).unwrap();
        both(bob, &[]);
        both(bob, &["pause", "vault"]);
    }
    fs::write(bob.path("breakglass.toml"), ceremony.council()).unwrap();

    fs::create_dir(bob.path("playbooks")).unwrap();
    let file = bob.path("playbooks/pause.toml");
    let playbook = include_str!("../../playbooks/pause/oz-pausable.toml");
    let lines: Vec<&str> = playbook.lines().collect();
    for (n, line) in lines.iter().enumerate() {
        let Some((name, _)) = line.split_once(" = ") else { continue };
        let altered = format!("{name} = {hostile}");
        let text = [&lines[..n], &[altered.as_str()], &lines[n + 1..]].concat().join("\n");
        fs::write(&file, text).unwrap();
        if both(bob, &["playbook", "check", "playbooks"]).code == 0 {
            both(bob, &["playbook", "show", "pause/oz-pausable"]);
            both(bob, &["playbook", "list"]);
            both(bob, &[]);
            both(bob, &["pause", "vault"]);
        }
    }
}

/// Texts from a target contract, a node and a Safe.
#[test]
fn every_text_that_an_rpc_answers() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let calls = |params: &Value, selector: [u8; 4]| {
        params[0]["data"]
            .as_str()
            .or(params[0]["input"].as_str())
            .unwrap_or("")
            .starts_with(&hex::encode_prefixed(selector))
    };
    let text = json!(hex::encode_prefixed(HOSTILE.to_string().abi_encode()));
    proxy.rewrite(
        move |_, params, truth| if calls(params, VERSIONCall::SELECTOR) { Ok(text.clone()) } else { truth },
    );
    both(alice, &["pause", "vault"]).says("Safe version");
    let reason = Bytes::from(Revert::from(HOSTILE.to_string()).abi_encode());
    for selector in [pausedCall::SELECTOR, VERSIONCall::SELECTOR, [0x6a, 0x76, 0x12, 0x02]] {
        let error = json!({"code": 3, "message": HOSTILE, "data": reason});
        proxy.rewrite(
            move |_, params, truth| if calls(params, selector) { Err(error.clone()) } else { truth },
        );
        both(alice, &["pause", "vault"]);
        both(alice, &["status", "vault"]);
        harmless(&broadcast(alice, &["vault"]));
    }
    for code in [-32000, 3, 429] {
        let error = json!({"code": code, "message": HOSTILE, "data": HOSTILE});
        proxy.rewrite(
            move |method, _, truth| {
                if method == "eth_sendRawTransaction" { Err(error.clone()) } else { truth }
            },
        );
        harmless(&broadcast(alice, &["vault"]));
    }
    for method in ["eth_chainId", "eth_getBlockByNumber", "eth_getCode", "eth_getStorageAt", "eth_gasPrice"] {
        proxy.rewrite(move |asked, _, truth| if asked == method { Ok(json!(HOSTILE)) } else { truth });
        both(alice, &["pause", "vault"]);
    }
}
