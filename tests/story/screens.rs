//! The last lines of a small terminal when the program asks, or stops. `SNAPSHOTS=overwrite` writes the
//! screens anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use alloy::primitives::{Address, hex};
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use snapbox::{Assert, Data};

use crate::stage::{Ceremony, Desk, SafeSetup, Terminal, deploy, key};
use crate::steps::{as_the_safe, signed_by_two, two_of_three, with_key};

/// The windows: columns and rows.
const WINDOWS: [(u16, usize); 2] = [(80, 24), (120, 40)];
const PAUSE: [u8; 4] = hex!("8456cb59");

/// Sets the fee of a vault.
const FEE: &str = r#"schema = 1
id = "param/fee"
kind = "param"
title = "Set the fee"
severity = "P3"
does_not_stop = "deposits and withdrawals"
cost = "none"
undo = { none = "the fee that it had is not recorded" }
source = "tests/story"

[[param]]
name = "target"
type = "address"

[[param]]
name = "fee"
type = "uint256"

[[step]]
to = "{target}"
call = "setFee(uint256 newFee)"
args = ["{fee}"]

[[before]]
view = "fee()(uint256)"
on = "{target}"
expect_not = "{fee}"

[[after]]
view = "fee()(uint256)"
on = "{target}"
expect = "{fee}"
"#;

fn ceremony() -> Ceremony {
    Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 5, 3))
}

/// Levers `vault-1`, `vault-2` … each for a vault of its own.
fn with_vaults(count: usize) -> (Ceremony, Vec<Address>) {
    let mut ceremony = ceremony();
    let mut text = String::new();
    let mut vaults = Vec::new();
    for n in 1..=count {
        let vault = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
        write!(
            text,
            "\n[targets.vault-{n}]\nanvil = \"{vault}\"\n\n[levers.vault-{n}]\nplaybook = \"pause/oz-pausable\"\n\
             safe = \"guardian\"\nset = {{ target = \"vault-{n}\" }}\n"
        )
        .unwrap();
        vaults.push(vault);
    }
    ceremony.add_to_council(&text);
    (ceremony, vaults)
}

/// The lines up to the question, the newest last; the terminal is told no.
fn at_the_question(desk: &Desk, columns: u16, words: &[&str]) -> Vec<String> {
    let words = with_key(desk, words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut terminal = Terminal::of_width(columns, &mut desk.command(&words));
    terminal.asks("yes / no / more: ");
    let lines = terminal.lines();
    terminal.types("no\n");
    terminal.ends();
    lines
}

/// The lines from the one that begins so: the last of the review.
#[track_caller]
fn block<'l>(lines: &'l [String], beginning: &str) -> &'l [String] {
    let at = lines.iter().rposition(|line| line.starts_with(beginning));
    &lines[at.unwrap_or_else(|| panic!("no line begins with {beginning:?}:\n{}", lines.join("\n")))..]
}

#[track_caller]
fn fits(lines: &[String], rows: usize, columns: usize) {
    let shown = lines.join("\n");
    assert!(lines.len() <= rows, "{} lines, not {rows}:\n{shown}", lines.len());
    for line in lines {
        assert!(line.chars().count() <= columns, "wider than {columns}: {line}");
        assert!(!line.contains('↪'), "a line is wrapped:\n{shown}");
    }
}

#[track_caller]
fn has(lines: &[String], texts: &[&str]) {
    for text in texts {
        assert!(lines.iter().any(|line| line.contains(text)), "{text:?} is missing:\n{}", lines.join("\n"));
    }
}

/// The lines of a command that ends without a question, in a terminal.
#[track_caller]
fn at_the_end(desk: &Desk, columns: u16, words: &[&str], code: i32) -> Vec<String> {
    let words = with_key(desk, words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let run = Terminal::of_width(columns, &mut desk.command(&words)).ended(code);
    run.stdout.lines().map(|line| line.trim_end_matches('\r').to_string()).collect()
}

/// Compares with the screen that is kept. Hexadecimal digits, ages and the count of checks are other ones each time.
#[track_caller]
fn compare(name: &str, lines: &[String]) {
    let mut screen = String::new();
    for line in lines {
        screen.push_str(&masked(line));
        screen.push('\n');
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/story/screens/{name}.txt"));
    Assert::new().action_env("SNAPSHOTS").eq(screen, Data::read_from(&path, None).raw());
}

fn masked(line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(str::to_string).collect();
    let is_hex =
        |word: &str| word.trim_start_matches("0x").chars().all(|c| c.is_ascii_hexdigit() || c == '…');
    let mut out: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", String::as_str);
        let in_digest = line.contains("digest ") && word.len() == 4 && is_hex(word);
        let is_count = next == "pass"
            || next == "UTC,"
            || (at > 0 && words[at - 1] == "UTC,")
            || next == "s"
            || (at > 0 && words[at - 1] == "block");
        out.push(if in_digest || (word.chars().count() > 10 && is_hex(word)) {
            let start = if word.starts_with("0x") { "0x" } else { "" };
            format!("{start}{}", "h".repeat(word.chars().count() - start.len()))
        } else if is_count && !word.is_empty() {
            "N".into()
        } else {
            word.clone()
        });
    }
    out.join(" ").trim_end().to_string()
}

#[test]
fn a_pause_fits_the_window_above_the_question() {
    let ceremony = ceremony();
    let alice = &ceremony.desks[0];
    for (columns, rows) in WINDOWS {
        let lines = at_the_question(alice, columns, &["sign", "vault"]);
        let screen = block(&lines, " REAL · PAUSE vault");
        fits(screen, rows, columns.into());
        let (safe, vault) = (ceremony.safe.to_string(), ceremony.vault.to_string());
        has(screen, &["P1 · pause/oz-pausable", &safe, &vault, "pause()", "vault paused()   false → true"]);
        has(
            screen,
            &[
                "nothing else changes",
                "undo    breakglass undo vault",
                "data 0x8456CB59, operation 0, nonce 0",
            ],
        );
        compare(&format!("pause-{columns}"), screen);
    }
    // The block as data.
    let said = alice.run(&["--json", "pause", "vault"]).ended(0).json();
    let summary = &said["summary"];
    assert_eq!(summary["levers"][0]["results"][0]["before"], "false");
    assert_eq!(summary["levers"][0]["results"][0]["after"], "true");
    assert_eq!(summary["hashes"]["safe_tx"], said["safe_tx_hash"]);
    let lines = at_the_question(alice, 80, &["sign", "vault"]);
    let hash = said["safe_tx_hash"].as_str().unwrap().trim_start_matches("0x").to_uppercase();
    has(block(&lines, " REAL"), &[&hash]);
}

/// The password, the gas and the price stand between the review and the question.
#[test]
fn what_is_sent_fits_the_window_above_the_question() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let words = ["broadcast", "vault", "--keystore", "keystore.json"];
    let mut terminal = Terminal::of_width(80, &mut alice.command(&words));
    terminal
        .asks("keystore.json: ")
        .types("the password of alice\n")
        .asks("Type the Safe's name, guardian: ");
    let lines = terminal.lines();
    terminal.types("no\n");
    terminal.ended(4);
    let screen = block(&lines, " REAL · PAUSE vault");
    fits(screen, 24, 80);
    let (safe, vault) = (ceremony.safe.to_string(), ceremony.vault.to_string());
    has(screen, &[&safe, &vault, "pause()", "vault paused()   false → true", "signed  alice, bob", "payer"]);
    assert!(
        !screen.iter().any(|line| line.contains("Ledger")),
        "owners have read it:\n{}",
        screen.join("\n")
    );
}

#[test]
fn four_levers_fit_the_window_and_twelve_are_counted() {
    let (ceremony, _) = with_vaults(12);
    let alice = &ceremony.desks[0];
    let names: Vec<String> = (1..=12).map(|n| format!("vault-{n}")).collect();
    for (columns, rows) in WINDOWS {
        let pull = |count: usize| {
            let words = std::iter::once("sign").chain(names[..count].iter().map(String::as_str));
            at_the_question(alice, columns, &words.collect::<Vec<&str>>())
        };
        let lines = pull(4);
        let screen = block(&lines, " REAL · PAUSE vault-1, vault-2, vault-3, vault-4");
        fits(screen, rows, columns.into());
        let is_shown =
            |name: &String| screen.iter().any(|l| l.contains(name) && l.contains("paused() false → true"));
        assert!(names[..4].iter().all(is_shown), "{screen:?}");
        let undo = "undo    breakglass undo vault-1 vault-2 vault-3 vault-4";
        has(screen, &["operation 1", "makes several calls one", undo]);
        compare(&format!("combined-4-{columns}"), screen);
        let lines = pull(12);
        let screen = block(&lines, " REAL · PAUSE vault-1, vault-2");
        fits(screen, rows + 5, columns.into());
        has(screen, &["vault-8 ", "and 4 more levers: above"]);
        compare(&format!("combined-12-{columns}"), screen);
    }
}

#[test]
fn a_parameter_and_a_rotation_say_the_values_before_and_after() {
    let mut ceremony = ceremony();
    let (erin, new) = (ceremony.setup.owners[4], key(7).address);
    ceremony.add_to_council(&format!(
        "\n[levers.fee]\nplaybook = \"param/fee\"\nsafe = \"guardian\"\nset = {{ target = \"vault\", fee = \"7\" }}\n\
         \n[levers.rotate]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\n\
         set = {{ old = \"{erin}\", new = \"{new}\" }}\n"
    ));
    let alice = &ceremony.desks[0];
    fs::create_dir(alice.path("playbooks")).unwrap();
    fs::write(alice.path("playbooks/fee.toml"), FEE).unwrap();
    for (columns, rows) in WINDOWS {
        let lines = at_the_question(alice, columns, &["sign", "fee"]);
        let screen = block(&lines, " REAL · PARAM fee");
        fits(screen, rows, columns.into());
        let never = "cannot be taken back: the fee that it had";
        has(screen, &["P3 · param/fee", "setFee(7)", "vault fee()   0 → 7", never]);
        compare(&format!("param-{columns}"), screen);
        let lines = at_the_question(alice, columns, &["sign", "rotate"]);
        let screen = block(&lines, " REAL · ROTATE rotate");
        fits(screen, rows, columns.into());
        has(screen, &["swapOwner(", "nothing else changes"]);
        compare(&format!("rotate-{columns}"), screen);
    }
}

/// The assumed Safe is named in the place of the block.
#[test]
fn a_lever_that_is_signed_offline_says_above_the_question_what_is_assumed() {
    let ceremony = ceremony();
    let alice = &ceremony.desks[0];
    for (columns, rows) in WINDOWS {
        let lines = at_the_question(alice, columns, &["sign", "vault", "--offline", "--nonce", "3"]);
        let screen = block(&lines, " REAL · PAUSE vault");
        fits(screen, rows, columns.into());
        has(screen, &["nonce 3, not looked up", "ASSUMED from breakglass.toml", "not rehearsed"]);
        compare(&format!("offline-{columns}"), screen);
    }
}

#[test]
fn a_done_lever_and_its_undo_are_shown_in_one_form() {
    let ceremony = ceremony();
    let alice = &ceremony.desks[0];
    as_the_safe(&ceremony, ceremony.vault, PAUSE);
    for (columns, rows) in WINDOWS {
        let lines = at_the_end(alice, columns, &["sign", "vault"], 0);
        assert!(!lines.iter().any(|line| line.contains("REAL") || line.contains("REFUSED")), "{lines:?}");
        let screen = block(&lines, " NOTHING TO DO: vault paused() is true");
        fits(screen, rows, columns.into());
        compare(&format!("done-{columns}"), screen);
        let lines = at_the_question(alice, columns, &["sign", "vault", "--undo"]);
        let screen = block(&lines, " REAL · UNDO vault");
        fits(screen, rows, columns.into());
        has(screen, &["unpause()", "vault paused()   true → false", "undo    pull vault again"]);
        compare(&format!("undo-{columns}"), screen);
    }
}

/// A refused transaction shows no hashes and asks no question.
#[test]
fn a_refusal_stands_where_the_question_would() {
    let mut ceremony = ceremony();
    let other = deploy(&ceremony.anvil, "Vault", &key(4).address.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.other]\nanvil = \"{other}\"\n\n[levers.other]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n\
         set = {{ target = \"other\" }}\n"
    ));
    let alice = &ceremony.desks[0];
    for (columns, rows) in WINDOWS {
        for words in [&["pause", "other"][..], &["sign", "other"]] {
            let lines = if words[0] == "sign" {
                at_the_end(alice, columns, words, 4)
            } else {
                let run = Terminal::of_width(columns, &mut alice.command(words)).ended(4);
                run.stdout.lines().map(|line| line.trim_end_matches('\r').to_string()).collect()
            };
            assert!(!lines.iter().any(|line| line.starts_with(" REAL")), "{lines:?}");
            let end = lines.iter().position(|line| line.starts_with("error: ")).unwrap();
            let screen = block(&lines[..end], " REFUSED, do not sign: ");
            fits(screen, rows, columns.into());
            has(screen, &["   what    PAUSE other   guardian nonce 0", "   checks  "]);
            compare(&format!("refused-{columns}"), screen);
        }
    }
}

/// The lines that scrolled away are shown again, and then the question; each of two transactions has its own block.
#[test]
fn more_shows_the_rest_and_asks_again() {
    let (mut ceremony, _) = with_vaults(2);
    ceremony.add_to_council("\n[levers.apart]\npull = [\"vault-1\", \"vault-2\"]\nalone = [\"vault-2\"]\n");
    let alice = &ceremony.desks[0];
    for (columns, rows) in WINDOWS {
        two_parts(alice, columns, rows);
    }
}

fn two_parts(alice: &Desk, columns: u16, rows: usize) {
    let words = with_key(alice, &["sign", "apart"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut terminal = Terminal::of_width(columns, &mut alice.command(&words));
    terminal.asks("Sign as alice 0x");
    terminal.asks("1 of 2?  yes / no / more: ");
    let first = terminal.lines();
    let screen = block(&first, " REAL · PAUSE apart: vault-1");
    fits(screen, rows, columns.into());
    has(screen, &["nonce 0, the next one"]);
    compare(&format!("two-parts-{columns}"), screen);
    let details = |lines: &[String]| lines.iter().filter(|line| line.contains("What it does")).count();
    let before = details(&first);
    terminal.types("more\n");
    // In the larger window the details are one page.
    if rows == 24 {
        terminal.asks("Enter shows the next, q ends it: ").types("q\n");
    }
    terminal.asks_times("1 of 2?  yes / no / more: ", 2);
    let again = terminal.lines();
    assert_eq!(details(&again), before + 1, "{again:?}");
    assert_eq!(block(&again, " REAL").len(), screen.len());
    terminal.types("what\n").asks("type yes, no, or more").asks_times("1 of 2?  yes / no / more: ", 3);
    terminal.types("n\n").asks("2 of 2?  yes / no / more: ");
    let second = terminal.lines();
    let screen = block(&second, " REAL · PAUSE apart: vault-2");
    fits(screen, rows, columns.into());
    has(screen, &["nonce 1, 0 comes first"]);
    terminal.types("no\n");
    terminal.ended(4).says("2 of 2 were not signed");
}

/// The first word and the chain that the device shows distinguish it from a real transaction.
#[test]
fn a_drill_fits_the_window_and_says_what_it_is() {
    let ceremony = ceremony();
    let [alice, bob, ..] = &ceremony.desks[..] else { unreachable!() };
    let line = alice.run(&["drill", "vault"]).ended(0).stdout;
    let name = line.trim().split(' ').next_back().unwrap();
    let lines = at_the_question(bob, 80, &["sign", name]);
    let screen = block(&lines, " DRILL · PAUSE vault");
    fits(screen, 24, 80);
    has(screen, &["chainId 431416241260 (DRILL)", "drill-unannounced", "Sign DRILL as bob", "false → true"]);
    assert!(!lines.iter().any(|line| line.contains("REAL")), "{lines:?}");
    compare("drill", screen);
}
