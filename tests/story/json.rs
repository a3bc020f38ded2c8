//! `--json`: every command gives exactly one object on standard output, whether it did what was asked or not.

use std::fs;

use serde_json::{Value, json};

use crate::stage::{Desk, Run, breakglass, run};
use crate::steps::{behind_a_proxy, path, pausedCall, propose, signed_by_two, two_of_three, with_key};

/// The one object. An error's exit code stands in it too.
#[track_caller]
fn object(run: &Run, code: i32) -> Value {
    let value = run.json();
    assert!(value.is_object(), "{run:?}");
    assert_eq!(run.code, code, "{run:?}");
    match value.get("error") {
        Some(error) => {
            assert_eq!(error["exit"], json!(code), "{run:?}");
            assert!(!error["message"].as_str().unwrap().is_empty(), "{run:?}");
        }
        None => assert!(matches!(code, 0 | 3 | 5), "{run:?}"),
    }
    value
}

#[track_caller]
fn asked(desk: &Desk, words: &[&str], code: i32) -> Value {
    object(&desk.run(&[&["--json"], words].concat()), code)
}

#[track_caller]
fn with_own_key(desk: &Desk, words: &[&str], code: i32) -> Value {
    let words = with_key(desk, words);
    // The flag is global: it may stand at the end as well.
    object(
        &desk.run(&[&words.iter().map(String::as_str).collect::<Vec<_>>()[..], &["--json"]].concat()),
        code,
    )
}

#[test]
fn one_object_from_every_command_that_does_what_was_asked() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    assert_eq!(asked(alice, &[], 0)["levers"][0]["lever"], "vault");
    assert!(asked(alice, &["pause"], 0)["levers"].is_array());
    let file = propose(alice);
    let hash = asked(alice, &["hash", path(&file)], 0)["safe_tx_hash"].clone();
    assert_eq!(asked(alice, &["pause", "vault"], 0)["safe_tx_hash"], hash);
    let signed = with_own_key(alice, &["sign", "vault", "--yes"], 0);
    assert_eq!(signed["signatures"][0]["safe_tx_hash"], hash);
    assert_eq!(asked(alice, &["status", "vault"], 3)["signed"], 1);
    let signed = with_own_key(bob, &["sign", "vault", "--yes"], 0);
    let line = signed["signatures"][0]["line"].as_str().unwrap();
    fs::write(alice.path("chat.txt"), line).unwrap();
    assert_eq!(asked(alice, &["import", "vault", "chat.txt"], 0)["taken"][0]["safe_tx_hash"], hash);
    assert_eq!(asked(alice, &["export", "vault"], 0)["lines"].as_array().unwrap().len(), 2);
    assert_eq!(asked(alice, &["status", "vault"], 0)["status"], "ready to broadcast");
    alice
        .run(&["status", "vault"])
        .ended(0)
        .says("→ breakglass broadcast vault --keystore FILE, or --ledger");
    assert!(asked(alice, &["broadcast", "vault", "--calldata"], 0)["data"].is_string());
    let done = with_own_key(alice, &["broadcast", "vault", "--confirm", "guardian"], 0);
    assert_eq!((&done["proven"], &done["safe_tx_hash"]), (&json!(true), &hash));
    assert_eq!(with_own_key(alice, &["broadcast", "vault", "--confirm", "guardian"], 0)["proven"], true);
    // Shown, and then a failure: one object holds both.
    let failing = asked(carol, &["dry-run", "vault", "--undo", "--nonce", "0"], 5);
    assert!(failing["error"].is_object() && failing["summary"]["answer"].is_object(), "{failing}");
    assert!(asked(carol, &["playbook", "list"], 0)["playbooks"].is_array());
    assert!(asked(carol, &["playbook", "show", "pause/oz-pausable"], 0)["text"].is_string());
    fs::create_dir(carol.path("playbooks")).unwrap();
    let text = include_str!("../../playbooks/pause/oz-pausable.toml");
    fs::write(carol.path("playbooks/pause.toml"), text).unwrap();
    assert!(asked(carol, &["playbook", "check", "playbooks"], 0)["playbooks"].is_array());
    assert!(asked(carol, &["completions", "bash"], 0)["script"].is_string());
    let (safe, rpc) = (ceremony.safe.to_string(), ceremony.anvil.url());
    assert!(
        asked(carol, &["init", "--council", "new.toml", "--safe", &safe, "--rpc", &rpc], 0)["council"]
            .is_string()
    );
    let nowhere = tempfile::tempdir().unwrap();
    object(&run(breakglass().arg("--json").current_dir(nowhere.path())), 0);
}

#[test]
fn one_object_from_every_command_that_does_not() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    for usage in [
        &["no-such-command"][..],
        &["sign"],
        &["hash", "--safe", "0x12"],
        &["pause", "vault", "--nonce", "-1"],
        &["param", "vault"],
        &["pause", "valt"],
        &["status", "valt"],
        &["sign", "vault"],
        &["broadcast", "vault"],
        &["playbook", "show", "pause/no-such"],
        &["pause", "vault", "--set", "target=guardian"],
        &["init", "--council", "new.toml", "--safe", "0x00"],
    ] {
        asked(alice, usage, 2);
    }
    for failed in [
        &["hash", "no-such.json"][..],
        &["sign", "no-such.json", "--keystore", "keystore.json"],
        &["playbook", "check", "no-such.toml"],
        &["playbook", "check", "breakglass.toml"],
        &["import", "vault", "password"],
        &["export", "vault"],
        &["--council", "no-such.toml", "status", "vault"],
        &["init", "--safe", &ceremony.safe.to_string(), "--rpc", &ceremony.anvil.url()],
    ] {
        asked(alice, failed, 1);
    }
    with_own_key(alice, &["broadcast", "vault", "--confirm", "guardian"], 3);
    // The second of two to sign is refused: the first is in the object beside the error.
    let file = propose(bob);
    let mut other = crate::steps::read_json(&file);
    other["levers"][0]["lever"] = json!("other");
    fs::write(bob.path("other.json"), other.to_string()).unwrap();
    let half = with_own_key(bob, &["sign", "vault", "other.json", "--yes"], 4);
    assert_eq!(half["signatures"].as_array().unwrap().len(), 1, "{half}");
    let broken = ceremony.council().replace("schema = 1", "schema = x");
    fs::write(carol.path("breakglass.toml"), broken).unwrap();
    for words in [&[][..], &["status", "vault"], &["playbook", "list"]] {
        let fault = asked(carol, words, 1);
        assert!(fault["error"]["excerpt"].as_str().unwrap().contains('^'), "{fault}");
    }
    let nowhere = tempfile::tempdir().unwrap();
    object(&run(breakglass().args(["--json", "status", "vault"]).current_dir(nowhere.path())), 2);
}

#[test]
fn one_object_when_it_was_sent_and_not_proven() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    proxy.rewrite(|_, params, truth| {
        let selector = alloy::hex::encode_prefixed(<pausedCall as alloy::sol_types::SolCall>::SELECTOR);
        let asks = params[0]["data"].as_str().is_some_and(|data| data.starts_with(&selector));
        if asks { Ok(json!(format!("0x{:064}", 0))) } else { truth }
    });
    let told = with_own_key(alice, &["broadcast", "vault", "--confirm", "guardian"], 1);
    assert_eq!((&told["proven"], &told["execution"]), (&json!(false), &json!("success")));
}
