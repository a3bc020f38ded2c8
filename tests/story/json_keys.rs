//! The keys of the `--json` objects, with the kinds of their values: scripts rest on them. `SNAPSHOTS=overwrite` writes the
//! list anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use snapbox::{Assert, Data};

use crate::stage::Desk;
use crate::steps::{path, propose, two_of_three, with_key};

/// `sign .signatures[].line: string`, each once.
#[derive(Default)]
struct Keys(BTreeSet<String>);

impl Keys {
    /// Runs a command, named by its first `verb` words, and notes the keys of its object.
    #[track_caller]
    fn of(&mut self, desk: &Desk, verb: usize, words: &[&str]) -> Value {
        let object = desk.run(&[&["--json"], words].concat()).json();
        self.note(&format!("{} ", words[..verb].join(" ")), &object);
        object
    }

    /// Runs a command that needs a key.
    #[track_caller]
    fn with_key(&mut self, desk: &Desk, words: &[&str]) -> Value {
        let with_key = with_key(desk, words);
        self.of(desk, 1, &with_key.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn note(&mut self, place: &str, value: &Value) {
        let kind = match value {
            // Depends on the machine: Foundry may be installed or not.
            _ if place == "doctor .cast" => "null or object",
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    self.note(&format!("{place}.{key}"), value);
                }
                return;
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    self.note(&format!("{place}[]"), item);
                }
                return;
            }
            Value::Object(_) => "empty object",
            Value::Array(_) => "empty array",
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "boolean",
            Value::Null => "null",
        };
        self.0.insert(format!("{place}: {kind}"));
    }
}

#[test]
fn the_keys_of_every_object_are_those_that_scripts_know() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let mut keys = Keys::default();
    keys.of(alice, 0, &[]);
    keys.of(alice, 1, &["incident", "open", "The vault is drained", "--severity", "P1"]);
    keys.of(alice, 1, &["pause"]);
    let file = propose(alice);
    keys.of(alice, 1, &["hash", path(&file)]);
    keys.of(alice, 1, &["pause", "vault"]);
    keys.of(alice, 1, &["check", "vault"]);
    keys.of(alice, 1, &["dry-run", "vault", "--trace"]);
    keys.of(alice, 1, &["card", "vault", "--nonces", "0..1"]);
    keys.with_key(alice, &["sign", "vault", "--yes"]);
    let line = keys.with_key(bob, &["sign", "vault", "--yes"])["signatures"][0]["line"].clone();
    fs::write(alice.path("chat.txt"), line.as_str().unwrap()).unwrap();
    keys.of(alice, 1, &["status", "vault"]);
    keys.of(alice, 1, &["import", "vault", "chat.txt"]);
    keys.of(alice, 1, &["export", "vault"]);
    keys.of(alice, 1, &["status", "vault"]);
    keys.of(alice, 1, &["status", "vault", "--offline"]);
    keys.of(alice, 1, &["broadcast", "vault", "--calldata"]);
    keys.with_key(alice, &["broadcast", "vault", "--confirm", "guardian"]);
    keys.of(alice, 1, &["status", "vault"]);
    keys.of(alice, 1, &["undo", "vault"]);
    keys.of(alice, 1, &["drill", "vault", "--undo"]);
    keys.with_key(carol, &["sign", "vault", "--undo", "--yes", "--nonces", "2..3", "--to", "set.txt"]);
    keys.of(carol, 1, &["import", "vault", "--undo", "set.txt"]);
    keys.of(carol, 1, &["armed"]);
    keys.of(alice, 1, &["doctor", "--seal"]);
    keys.of(alice, 1, &["ack", "--as", "alice"]);
    keys.of(alice, 1, &["log"]);
    keys.of(alice, 1, &["incident", "close"]);
    keys.of(alice, 1, &["report"]);
    keys.of(alice, 1, &["report", "--draft", "regulator", "--stage", "final"]);
    keys.of(alice, 2, &["council", "check"]);
    for words in [&["list"][..], &["show", "pause/oz-pausable"], &["check", "no-such.toml"]] {
        keys.of(alice, 2, &[&["playbook"], words].concat());
    }
    let list: Vec<String> = keys.0.into_iter().collect();
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/story/screens/json-keys.txt");
    Assert::new().action_env("SNAPSHOTS").eq(list.join("\n") + "\n", Data::read_from(&place, None).raw());
}
