//! Lists, files and answers far longer than any real one: refused by the bound that they pass, before they cost anything.

use std::fs;

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::ISafe::getOwnersCall;
use serde_json::{Value, json};

use crate::stage::Run;
use crate::steps::{behind_a_proxy, path, propose, read_json, refused, sign, try_sign};

fn addresses(count: u64) -> Vec<Address> {
    (0..count).map(|n| Address::left_padding_from(&(n + 2).to_be_bytes())).collect()
}

/// Nobody reads more than a screen of what a stranger wrote.
#[track_caller]
fn short(run: Run) -> Run {
    let length = run.stdout.len() + run.stderr.len();
    assert!(length < 4_000, "{length} bytes: {}", run.stderr.chars().take(2_000).collect::<String>());
    run
}

#[test]
fn a_proposal_file_with_too_many_entries_is_refused_and_nothing_is_asked() {
    let (ceremony, proxy) = behind_a_proxy();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let honest = read_json(&propose(alice));
    let lever = honest["levers"][0].clone();
    let reading = json!({"question": "time", "answer": {"value": "0x"}});
    let many_arguments: serde_json::Map<String, Value> =
        (0..60).map(|n| (format!("a{n}"), json!("1"))).collect();
    let file = bob.path("handed-over.json");
    proxy.forget_counts();
    for (pointer, value, named) in [
        (
            "/safe/owners",
            json!(addresses(60_000)),
            "60000 owners are more than this program reads, which is 1000",
        ),
        ("/safe/modules", json!(addresses(1_000)), "1000 modules, and this program reads at most 200"),
        ("/readings", json!(vec![reading; 20_000]), "20000 readings, and this program reads at most 10000"),
        ("/levers", json!(vec![lever; 501]), "501 levers, and this program reads at most 500"),
        ("/pull/names", json!(vec!["vault"; 501]), "501 names of levers, and this program reads at most 500"),
        ("/levers/0/arguments", many_arguments.into(), "60 arguments, and this program reads at most 50"),
        (
            "/levers/0/arguments",
            json!({"x": "y".repeat(600_000)}),
            "600000 characters in one argument, and this program reads at most",
        ),
    ] {
        let mut changed = honest.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        fs::write(&file, changed.to_string()).unwrap();
        short(refused(try_sign(bob, &[path(&file)]), 1, &["handed-over.json", named]));
    }
    assert!(proxy.counts().by_method.is_empty(), "{:?}", proxy.counts());
}

#[test]
fn a_chain_that_lists_too_many_owners_or_modules_is_refused_by_the_bound() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    let asks = |params: &Value, selector: [u8; 4]| {
        let data = params[0]["data"].as_str().or(params[0]["input"].as_str()).unwrap_or_default();
        data.starts_with(&alloy::primitives::hex::encode_prefixed(selector))
    };
    let lie = |selector: [u8; 4], answer: Vec<u8>| {
        let answer = json!(Bytes::from(answer));
        proxy
            .rewrite(move |_, params, truth| if asks(params, selector) { Ok(answer.clone()) } else { truth });
    };
    for (count, named) in
        [(1_500, "1500 owners are more than this program reads"), (400_000, "2 MB for one call")]
    {
        lie(getOwnersCall::SELECTOR, addresses(count).abi_encode());
        short(refused(alice.run(&["pause", "vault"]), 7, &[named]));
    }
    let selector = breakglass::safe::ISafe::getModulesPaginatedCall::SELECTOR;
    lie(selector, (addresses(201), Address::ZERO).abi_encode_params());
    short(refused(alice.run(&["pause", "vault"]), 7, &["more than 200 modules"]));
}

/// Each command reads every playbook of the council: one that no lever uses costs almost nothing, and its fault is
/// reported when it is used.
#[test]
fn a_playbook_with_thousands_of_reads_stops_no_lever_and_is_refused_by_the_bound() {
    let (ceremony, _proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    let reads = (0..5_000)
        .map(|n| format!("[[read]]\nname = \"r{n}\"\nview = \"v()(uint256)\"\non = \"{{target}}\"\n"));
    let whole = fs::read_to_string("playbooks/pause/oz-pausable.toml").unwrap();
    let whole = whole.replace("id = \"pause/oz-pausable\"", "id = \"pause/huge\"");
    fs::create_dir_all(alice.path("playbooks/pause")).unwrap();
    let text = format!("{whole}\n{}", reads.take(3_000).collect::<String>());
    fs::write(alice.path("playbooks/pause/huge.toml"), text).unwrap();
    sign(alice, &["vault"]);
    let run = alice.run(&["playbook", "show", "pause/huge"]);
    short(refused(run, 1, &["at most 100 of [[read]], and this has 3000"]));
    fs::write(alice.path("playbooks/pause/huge.toml"), format!("{whole}{}", "#".repeat(300_000))).unwrap();
    short(refused(
        alice.run(&["playbook", "check", "playbooks/pause/huge.toml"]),
        1,
        &["is larger than 262144 bytes"],
    ));
}

/// A foreign text of any length takes at most one screen, and the number of omitted lines is shown.
#[test]
fn a_long_text_of_a_strangers_is_shown_by_its_beginning() {
    let (ceremony, _proxy) = behind_a_proxy();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let honest = read_json(&propose(alice));
    let file = bob.path("handed-over.json");
    let review = try_sign(bob, &["vault"]).ended(0).stderr.len();
    for (pointer, value) in [
        ("/accepted", json!(["x".repeat(5_000_000)])),
        ("/accepted", json!(vec!["y"; 1_000_000])),
        ("/levers/0/arguments/extra", json!("z".repeat(500_000))),
        ("/levers/0/playbook", json!("w".repeat(5_000_000))),
        ("/chain_id", json!("7".repeat(5_000_000))),
        ("/safe/version", json!(format!("{}✓ matches your playbook", " ".repeat(5_000_000)))),
    ] {
        let mut changed = honest.clone();
        match pointer.strip_suffix("/extra") {
            Some(parent) => changed.pointer_mut(parent).unwrap()["extra"] = value,
            None => *changed.pointer_mut(pointer).unwrap() = value,
        }
        fs::write(&file, changed.to_string()).unwrap();
        for run in [try_sign(bob, &[path(&file)]), bob.run(&["--json", "status", path(&file)])] {
            let length = run.stdout.len() + run.stderr.len();
            assert!(length < review + 60_000, "{pointer}: {length} bytes");
            assert!(run.stderr.len() < review + 6_000, "{pointer}: {} bytes", run.stderr.len());
        }
    }
}
