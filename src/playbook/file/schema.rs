//! The JSON Schema of a playbook's file, for editors. What it cannot say, the reader of the file says.

use serde_json::{Map, Value, json};

use crate::playbook::{PlaybookKind, Severity, Word};

const HINT: &str = "A literal, or an expression in braces such as {safe}, {target} or {or(flags, bit(3))}.";

fn words<T: Word>() -> Value {
    json!({ "enum": T::ALL.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}

fn list(of: &str, description: &str) -> Value {
    json!({ "type": "array", "items": { "$ref": format!("#/$defs/{of}") }, "description": description })
}

fn object(required: &[&str], properties: Vec<(&str, Value)>) -> Value {
    let properties: Map<String, Value> = properties.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

/// The schema, in the draft of 2020-12.
pub fn schema() -> Value {
    let required = [
        "schema",
        "id",
        "kind",
        "title",
        "severity",
        "does_not_stop",
        "cost",
        "undo",
        "source",
        "step",
        "after",
    ];
    let mut schema = object(&required, playbook());
    let definitions = json!({ "param": param(), "ask": ask(), "step": step(), "example": example() });
    if let Value::Object(map) = &mut schema {
        map.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        map.insert("title".into(), "A breakglass playbook".into());
        map.insert("$defs".into(), definitions);
    }
    schema
}

/// The lists that a part is repeated over.
fn repeats() -> Value {
    json!({
        "type": "object", "minProperties": 1, "additionalProperties": { "type": "string" },
        "description": "Repeated for each item of a list, such as { pool = \"{pools}\" }; several lists go side by side. The value of a read is then a list.",
    })
}

fn playbook() -> Vec<(&'static str, Value)> {
    let undo = json!({
        "description": "The id of the counter-playbook, the same with its arguments, or why there is none.",
        "oneOf": [
            { "type": "string" },
            object(&["playbook"], vec![
                ("playbook", text("The id of the counter-playbook.")),
                ("set", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
            ]),
            object(&["none"], vec![("none", text("Why it cannot be taken back."))]),
        ],
    });
    vec![
        ("schema", json!({ "const": 1 })),
        ("id", json!({ "type": "string", "pattern": "^(pause|param|rotate)/[a-z0-9][a-z0-9-]*$" })),
        ("kind", words::<PlaybookKind>()),
        ("family", text("The protocol that it is for.")),
        ("title", text("What it does, in one line.")),
        ("summary", text("More about what it does.")),
        ("severity", words::<Severity>()),
        ("does_not_stop", text("What goes on although the lever is pulled.")),
        ("cost", text("What using it costs users.")),
        ("undo", undo),
        ("source", text("Where the functions and views were read.")),
        ("role", text("What the Safe must be to the contracts.")),
        ("anyone", json!({ "type": "boolean", "description": "Anybody may do it: it needs no role." })),
        ("delay", text("When it takes effect, if not at once; params and reads may stand in braces.")),
        (
            "repeatable",
            text("Why it is harmless to pull it again when it is done; otherwise it says that it is done."),
        ),
        ("changes", texts("Effects beyond the contracts called: safe.owners, … or an address.")),
        ("errors", texts("Errors that the contracts revert with, such as NotOwner(address who).")),
        ("no_errors", text("Why no errors are named: the contracts revert with texts.")),
        ("param", list("param", "What a person gives.")),
        ("read", list("ask", "What is read from the chain before the calls are made.")),
        ("before", list("ask", "What must be true before.")),
        ("step", list("step", "What the Safe calls, in order.")),
        ("after", list("ask", "What must be true after.")),
        ("example", json!({ "$ref": "#/$defs/example" })),
    ]
}

fn param() -> Value {
    let units = ["ether", "gwei", "wei", "bps", "percent", "seconds", "minutes", "hours", "days", "token"];
    object(
        &["name", "type"],
        vec![
            ("name", json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$" })),
            ("type", text("A Solidity type.")),
            ("title", text("What it is, for who gives it.")),
            ("unit", json!({ "enum": units })),
            ("decimals", json!({ "type": ["integer", "string"] })),
            ("min", text("The lowest value.")),
            ("max", text("The highest value.")),
            ("max_change", text("How far from the value in force: a number or a percentage.")),
            ("current", text("The value in force, for max_change.")),
            ("zero", text("refuse, or the word to write where zero means it, such as unlimited.")),
            (
                "flags",
                json!({
                    "type": "object", "additionalProperties": { "type": "integer", "minimum": 1 },
                    "description": "The names of its bits, such as { deposit = 1, withdraw = 4 }: a lever then chooses [\"deposit\", \"withdraw\"].",
                }),
            ),
            (
                "choices",
                json!({
                    "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 },
                    "description": "The names of its values, such as those of an enum, { general = 1, finalization = 6 }: a lever then chooses \"finalization\"; of a list several.",
                }),
            ),
            (
                "for_undo",
                json!({ "type": "boolean", "description": "Only the undo needs it: the value that it restores." }),
            ),
            (
                "was",
                text(
                    "The value in force before the act, by a read such as {now}: only the undo needs it. It is read when the act is proven.",
                ),
            ),
            ("default", text("The value where none is given.")),
        ],
    )
}

fn ask() -> Value {
    object(
        &[],
        vec![
            ("name", text("The name of a read.")),
            ("view", text("A view with what it returns: paused()(bool).")),
            ("slot", text("A storage slot: a number, 32 bytes or an expression.")),
            ("balance", text("Whose balance.")),
            ("code", text("Whose code, as keccak256; 32 zero bytes where there is none.")),
            ("time", json!({ "const": "block", "description": "The block's time, in checks only." })),
            ("event", text("An event of our own transaction.")),
            ("reverts", text("A call that must revert.")),
            ("succeeds", text("A call that must not revert; it is tried and not sent.")),
            ("on", text("The contract.")),
            ("args", texts(HINT)),
            ("from", text("Who calls.")),
            ("type", text("The type of a slot's word.")),
            ("token", text("The token of a balance.")),
            (
                "expect",
                json!({
                    "description": "The value, with _ for any part of it; or the fields of a tuple by name: { frozen = \"true\" }.",
                    "oneOf": [{ "type": "string" }, { "type": "object", "additionalProperties": { "type": "string" } }],
                }),
            ),
            ("expect_not", text("Any value but this.")),
            ("at_least", text("The lowest value.")),
            ("at_most", text("The highest value.")),
            ("contains", text("An item of the list.")),
            ("lacks", text("No item of the list.")),
            ("same_items", text("The list, in any order.")),
            ("for", repeats()),
            ("kept", text("In [[after]]: why it may hold before already, such as that it must not change.")),
        ],
    )
}

fn step() -> Value {
    object(
        &["to", "call"],
        vec![
            ("to", text("The contract.")),
            ("call", text("The function's signature.")),
            ("args", texts(HINT)),
            (
                "append",
                text(
                    "An address whose 20 bytes follow the arguments, for a contract that reads its target there.",
                ),
            ),
            ("value", text("ETH to send: 0.1 ether, or an expression.")),
            (
                "tried",
                json!({ "type": "boolean", "description": "The call, from the Safe and alone, must not revert before anybody signs." }),
            ),
            ("for", repeats()),
            ("skip_if", json!({ "$ref": "#/$defs/ask" })),
            ("skip_if_all", list("ask", "The step is left out when all of these hold.")),
        ],
    )
}

fn example() -> Value {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    object(
        &["calldata"],
        vec![
            ("set", texts.clone()),
            ("read", texts),
            (
                "calldata",
                json!({ "type": "array", "items": { "type": "string", "pattern": "^0x[0-9a-f]{8,}$" } }),
            ),
        ],
    )
}
