//! Paper: a card that a signer compares with the device, and what to do without this program.

use std::process::Command;

use alloy::primitives::Address;
use alloy::sol_types::SolValue;
use serde_json::Value;

use crate::emulator::Emulator;
use crate::emulator::app::{Behaviour, Signed};
use crate::stage::{Anvil, Ceremony, Desk, Run, SafeSetup, deploy, fixtures};
use crate::steps;
use breakglass::safe::SafeVersion;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_string()
}

fn card(desk: &Desk, args: &[&str]) -> Value {
    desk.run(&[&["--json", "card"][..], args].concat()).ended(0).json()["cards"].clone()
}

/// The hashes of a proposal, as `check` states them.
fn proposed(desk: &Desk, words: &[&str]) -> String {
    text(&desk.run(&[&["--json"][..], words].concat()).ended(0).json()["safe_tx_hash"]).to_lowercase()
}

#[test]
fn a_card_has_the_hashes_that_are_signed_and_asks_no_network() {
    let (ceremony, proxy) = steps::behind_a_proxy();
    let alice = &ceremony.desks[0];
    let cards = card(alice, &["vault", "--nonces", "0..2"]);
    assert_eq!(proxy.counts().posts, 0, "a lever that reads nothing was looked up");
    let hashes: Vec<String> = cards[0]["nonces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| text(&n["safe_tx_hash"]).to_lowercase())
        .collect();
    assert_eq!(hashes.len(), 3);
    for (nonce, hash) in ["0", "1", "2"].iter().zip(&hashes) {
        assert_eq!(&proposed(alice, &["pause", "vault", "--nonce", nonce]), hash);
    }
    // Without nonces the Safe is asked which is next.
    let cards = card(alice, &["vault"]);
    assert_eq!(cards[0]["nonces"].as_array().unwrap().len(), 5);
    assert_eq!(text(&cards[0]["nonces"][0]["safe_tx_hash"]).to_lowercase(), hashes[0]);
    assert!(proxy.counts().posts > 0);
}

#[test]
fn a_card_fits_one_page_and_is_in_the_journal() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    let run = alice.run(&["card", "vault", "--nonces", "7..9"]).ended(0);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
    let run = run.says("CARD · PAUSE vault").says("data 0x8456CB59 (4 bytes)").says("operation 0");
    let run = run
        .says("nothing was asked of a chain")
        .says("doctor says when it is stale")
        .says("15 data 0x8456CB59")
        .says("31-32 Domain hash");
    for nonce in ["nonce 7", "nonce 8", "nonce 9"] {
        assert!(run.stdout.contains(nonce), "{}", run.stdout);
    }
    alice.run(&["log"]).ended(0).says("printed a card for nonces 7..9");
    alice.run(&["card", "vault", "--nonces", "9..7"]).ended(2).says("ends before it begins");
    alice.run(&["card", "vault", "--nonces", "0..100"]).ended(2).says("101 nonces are too many");
    alice.run(&["card", "vualt", "--nonces", "0..1"]).ended(2).says("did you mean vault?");
}

/// The lever is bound to another contract after the card was printed: the old card must be destroyed.
#[test]
fn the_program_says_to_destroy_a_card_of_another_transaction() {
    let mut ceremony = steps::two_of_three();
    let other = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    let before = format!("anvil = \"{}\"", ceremony.vault);
    let printed = ceremony.desks[0].run(&["card", "vault", "--nonces", "0..3"]).ended(0);
    printed.never_says("destroy it");
    ceremony.desks[0].run(&["card", "vault", "--nonces", "2..5"]).ended(0).never_says("destroy it");
    ceremony.add_to_council("");
    let path = ceremony.desks[0].path("breakglass.toml");
    let council = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, council.replace(&before, &format!("anvil = \"{other}\""))).unwrap();
    let again = ceremony.desks[0].run(&["card", "vault", "--nonces", "2..5"]).ended(0);
    again.says("for nonces 2..5 is of another transaction: destroy it");
}

/// The rows of one device on the paper: first and last page, and the title; how many pages there are.
fn pages_on_paper(paper: &str, device: &str) -> (usize, Vec<(usize, usize, String)>) {
    let part = paper.split_once(&format!("{device}: ")).unwrap().1;
    let (count, rows) = part.split_once(" pages\n").unwrap();
    let row = |line: &str| {
        let (pages, rest) = line.strip_prefix("      ")?.trim_start().split_once("  ")?;
        let (first, last) = pages.split_once('-').unwrap_or((pages, pages));
        let title = rest.trim_start().split("  ").next()?;
        Some((first.parse().ok()?, last.parse().ok()?, title.to_string()))
    };
    (count.parse().unwrap(), rows.lines().map_while(row).collect())
}

/// Signs a lever on a Ledger, beside the card that was printed before. Every value on the paper must be complete on the
/// device's pages that the paper names; the pages are made from the bytes that the device received.
#[test]
fn each_value_on_the_paper_is_on_the_pages_of_the_device_that_it_names() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    let paper = alice.run(&["card", "vault", "--nonces", "0..1"]).ended(0).stdout;
    let behind = |text: &str, head: &str| {
        text.split_once(head).unwrap().1.split_whitespace().next().unwrap().to_string()
    };
    let of_nonce = |nonce: &str| paper.split_once(&format!("nonce {nonce}\n")).unwrap().1;
    let (count, rows) = pages_on_paper(&paper, "Nano S Plus or Nano X");
    assert_eq!(rows.len(), 6, "{paper}");
    for nonce in ["0", "1"] {
        let emulator = Emulator::start(Behaviour::default());
        let url = emulator.url();
        let words = ["sign", "vault", "--nonce", nonce, "--as", "alice", "--ledger", &url, "--timeout", "3"];
        alice.run(&words).ended(0);
        let shown = emulator.shown();
        let [screens] = &shown[..] else { panic!("{} reviews", shown.len()) };
        assert_eq!(screens.len(), count);
        for (first, last, title) in &rows {
            let pages = &screens[first - 1..*last];
            assert!(pages.iter().all(|page| page[0].starts_with(title.as_str())), "{title}: {pages:?}");
            let value = match title.as_str() {
                "to" => behind(&paper, "   to  "),
                "data" => behind(&paper, "   data  "),
                "operation" => behind(&paper, "   operation  "),
                "nonce" => nonce.to_string(),
                "Domain hash" => behind(&paper, "domain hash, the same for every nonce"),
                "Message hash" => behind(of_nonce(nonce), "message"),
                other => panic!("{other} is not on a card"),
            };
            let on_device = pages.iter().flat_map(|page| &page[1..]).cloned().collect::<String>();
            assert_eq!(on_device, value, "page {first} of nonce {nonce}");
        }
        // The card's row of another nonce is on no page of this one.
        let other = behind(of_nonce(if nonce == "0" { "1" } else { "0" }), "message");
        let all = screens.iter().flat_map(|page| &page[1..]).cloned().collect::<String>();
        assert!(!all.contains(&other), "{all}");
        let Signed::Fields(received) = &emulator.signed()[0] else { panic!("{:?}", emulator.signed()) };
        assert_eq!(
            received.digest(),
            behind(of_nonce(nonce), "safeTx").parse::<alloy::primitives::B256>().unwrap()
        );
    }
}

/// A council file that somebody changed prints no card before its reader has accepted the change.
#[test]
fn a_changed_council_file_prints_no_card_before_it_is_accepted() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    alice.run(&["card", "vault", "--nonces", "0..3"]).ended(0);
    let path = alice.path("breakglass.toml");
    let council = std::fs::read_to_string(&path).unwrap();
    let evil = Address::repeat_byte(0x66);
    std::fs::write(&path, council.replace(&ceremony.vault.to_string(), &evil.to_string())).unwrap();
    let refused = alice.run(&["card", "vault", "--nonces", "0..3"]).ended(2).says("--accept");
    assert!(!refused.stdout.contains("safeTx"), "{}", refused.stdout);
}

#[test]
fn a_batch_is_on_one_card() {
    let setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), setup);
    let second = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.second]\nanvil = \"{second}\"\n\n[levers.second]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n\
         set = {{ target = \"second\" }}\n\n[levers.both]\npull = [\"vault\", \"second\"]\n"
    ));
    let alice = &ceremony.desks[0];
    let cards = card(alice, &["both", "--nonces", "0..1"]);
    let hash = text(&cards[0]["nonces"][0]["safe_tx_hash"]).to_lowercase();
    assert_eq!(proposed(alice, &["pause", "both"]), hash);
    let run = alice.run(&["card", "both", "--nonces", "0..1"]).ended(0);
    run.says("1, only because `to` is MultiSendCallOnly").says(&second.to_string());
}

#[test]
fn a_card_names_the_values_of_the_chain_that_it_rests_on() {
    let setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), setup);
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/reads-fee\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
    let alice = &ceremony.desks[0];
    std::fs::create_dir_all(alice.path("playbooks")).unwrap();
    std::fs::write(alice.path("playbooks/reads-fee.toml"), READS_FEE).unwrap();
    let run = alice.run(&["card", "fee", "--nonces", "3..3"]).ended(0);
    run.says("Rests on values of the chain, read at block").says("newFee of setFee(uint256), because");
}

/// Its argument is what the contract calls the most.
const READS_FEE: &str = r#"
schema = 1
id = "param/reads-fee"
kind = "param"
title = "Raise the fee to the most"
severity = "P3"
does_not_stop = "nothing"
cost = "a fee"
undo = { none = "set it by hand" }
source = "the tests"

[[param]]
name = "target"
type = "address"

[[read]]
name = "most"
view = "MAX_FEE()(uint256)"
on = "{target}"

[[before]]
view = "owner()(address)"
on = "{target}"
expect = "{safe}"

[[step]]
to = "{target}"
call = "setFee(uint256 newFee)"
args = ["{most}"]

[[after]]
view = "fee()(uint256)"
on = "{target}"
expect = "{most}"
"#;

/// Runs the lines with the real `cast`, and returns what it prints after each name.
fn cast(script: &str) -> Vec<(String, String)> {
    let bin = fixtures().join("node_modules/@foundry-rs/cast-linux-amd64/bin");
    let output = Command::new("sh")
        .args(["-eu", "-c", script])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{said}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let pairs = stdout.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, hash)| (name.to_string(), hash.to_lowercase())).collect()
}

fn by_hand(desk: &Desk, args: &[&str]) -> (Run, Value) {
    let words = [&["export", "--manual"][..], args].concat();
    let object = desk.run(&[&["--json"][..], &words].concat()).ended(0).json();
    (desk.run(&words).ended(0), object["by_hand"][0].clone())
}

#[test]
fn cast_computes_the_hashes_that_are_printed_for_the_night_without_this_program() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let second = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.second]\nanvil = \"{second}\"\n\n[levers.second]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n\
         set = {{ target = \"second\" }}\n\n[levers.both]\npull = [\"vault\", \"second\"]\n\n\
         [people.alice]\nrole = \"signer\"\nreach = \"Signal +49 1\"\nzone = \"Europe/Berlin\"\n"
    ));
    let alice = &ceremony.desks[0];
    for lever in ["vault", "both"] {
        let (run, page) = by_hand(alice, &[lever, "--nonce", "4"]);
        assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
        let first = &page["card"]["nonces"][0];
        let expected = [
            ("domain".to_string(), text(&page["card"]["domain_hash"]).to_lowercase()),
            ("message".to_string(), text(&first["message_hash"]).to_lowercase()),
            ("safeTx".to_string(), text(&first["safe_tx_hash"]).to_lowercase()),
        ];
        assert_eq!(cast(&text(&page["cast"])), expected, "{lever}");
        assert_eq!(proposed(alice, &["pause", lever, "--nonce", "4"]), expected[2].1);
        let run =
            run.says("alice (signer): Signal +49 1, Europe/Berlin").says("Data (Hex encoded) 0x8456cb59");
        let run = run.says("The nonce must be 4").says("Turn \"Custom data\" on");
        // The script stands on the page as it is.
        for line in text(&page["cast"]).lines() {
            assert!(run.stdout.contains(line), "{line}\n{}", run.stdout);
        }
    }
}

#[test]
fn a_manual_page_is_made_for_levers_and_says_if_nobody_can_be_called() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    by_hand(alice, &["vault"]).0.says("names nobody in [people]");
    alice.run(&["export", "--manual", "proposal.json"]).ended(1).says("proposal.json");
    alice.run(&["export", "--manual", "vault", "--to", "x"]).ended(2).says("cannot be used with");
}
