//! A card is compared with what the real app showed: the pages that it names hold the values that it prints.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The council of the recorded transaction; its RPC answers nobody.
const COUNCIL: &str = r#"
schema = 1
name = "Recorded"

[chains.mainnet]
id = 1
rpc = ["http://127.0.0.1:1"]

[signers.alice]
address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

[safes.guardian]
chain = "mainnet"
address = "0x1c511d88ba898b4d9cd9113d13b9c360a02fcea1"
version = "1.4.1"
owners = ["alice"]
threshold = 1

[targets.vault]
mainnet = "0x6076586ea1ce15ddcf19208ec6346cf748dffbee"

[levers.vault]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "vault" }
"#;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The screens of pause() at nonce 42 with Raw messages and Transaction hash on, approved; each as one text.
fn recorded(model: &str) -> Vec<String> {
    let screens = lines(include_str!("data/screens.jsonl"));
    let rows = lines(include_str!("data/exchanges.jsonl"));
    let is_it = |row: &&Value| {
        row["model"] == model
            && row["settings"] == "RT"
            && row["act"] == "pause"
            && row["outcome"] == "approved"
            && row["input"] == 0
    };
    let row = rows.iter().find(is_it).unwrap();
    let text = |at: &Value| {
        let texts = screens[usize::try_from(at.as_u64().unwrap()).unwrap()].as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap()).collect::<String>().split_whitespace().collect()
    };
    row["screens"].as_array().unwrap().iter().map(text).collect()
}

fn card(folder: &Path) -> Value {
    fs::write(folder.join("breakglass.toml"), COUNCIL).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakglass"));
    command.args(["--json", "card", "vault", "--nonces", "42..42"]).current_dir(folder).env_clear();
    let output = command.env("HOME", folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    object["cards"][0].clone()
}

#[test]
fn the_pages_of_a_card_are_those_that_the_real_app_showed() {
    let folder = tempfile::tempdir().unwrap();
    let card = card(folder.path());
    // Which one it was is the digest that the real app signed.
    assert_eq!(
        card["nonces"][0]["safe_tx_hash"].as_str().unwrap().to_lowercase(),
        "0x88d3d84043d9268c958dc17cd67f709fc022cee2f2d5afcf38f633a909f3ed7d"
    );
    for (at, (model, warning)) in [("nanosp", 1), ("flex", 0)].into_iter().enumerate() {
        let screens = recorded(model);
        let read = card["devices"][at]["read"].as_array().unwrap();
        let mut seen = Vec::new();
        for page in read {
            let number = |name: &str| usize::try_from(page[name].as_u64().unwrap()).unwrap() - warning;
            let shown = screens[number("first")..=number("last")].concat();
            let title = page["title"].as_str().unwrap();
            let value = match title {
                "to" => card["to"]["address"].as_str().unwrap(),
                "data" => card["data"].as_str().unwrap(),
                "operation" => "0",
                "nonce" => card["nonces"][0]["nonce"].as_str().unwrap(),
                "Domain hash" => card["domain_hash"].as_str().unwrap(),
                "Message hash" => card["nonces"][0]["message_hash"].as_str().unwrap(),
                other => panic!("{model}: {other} is not on a card"),
            };
            // A value that goes over two pages has the next page's title in between.
            let pages = ["(1/2)", "(2/2)"].iter().fold(shown, |text, page| text.replace(page, ""));
            let name: String = title.split_whitespace().collect();
            assert!(pages.contains(&name), "{model}: page of {title} shows {pages}");
            let pages = pages.replace(&name, "").to_lowercase();
            assert!(
                pages.contains(&value.to_lowercase()),
                "{model}: page of {title} shows {pages}, not {value}"
            );
            seen.push(title);
        }
        assert_eq!(seen, ["to", "data", "operation", "nonce", "Domain hash", "Message hash"], "{model}");
    }
}
