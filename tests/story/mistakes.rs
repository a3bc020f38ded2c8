//! Mistakes of people who are tired, frightened or in the wrong folder: each is told what was wrong and what to do, with
//! the exit code of its kind. One chain and three desks for all of it.

use std::fmt::Write;
use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Ceremony, Desk, KEYS, Run, breakglass, encrypt, run};
use crate::steps::{executed, propose, read_json, sign, two_of_three, with_key};

/// One mistake: what is typed, how the run ends, what was wrong, and what to do.
type Row = (&'static str, i32, &'static str, &'static str);

/// Sets a fee in basis points, below a bound.
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
unit = "bps"
max = "10 %"

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

/// Alice's desk with a lever that asks for a fee, files that are easily taken for others, and one signature for `vault`.
fn stage() -> Ceremony {
    let mut ceremony = two_of_three();
    ceremony.add_to_council(
        "\n[levers.fee]\nplaybook = \"param/fee\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n",
    );
    for desk in &ceremony.desks {
        fs::create_dir(desk.path("playbooks")).unwrap();
        fs::write(desk.path("playbooks/fee.toml"), FEE).unwrap();
    }
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let line = sign(bob, &["vault"]);
    let proposal = propose(alice);
    let mut altered = read_json(&proposal);
    altered["transaction"]["value"] = json!("1");
    let write = |name: &str, text: &str| fs::write(alice.path(name), text).unwrap();
    fs::copy(&proposal, alice.path("proposal.json")).unwrap();
    write("altered.json", &altered.to_string());
    write("stranger.json", &encrypt(&KEYS[9], "secret").to_string());
    write("bob.json", &fs::read_to_string(bob.keystore()).unwrap());
    write("other.json", "{\"hello\": 1}");
    write("cut.json", &fs::read_to_string(&proposal).unwrap()[..200]);
    write("empty", "");
    write("hello.txt", "gm, is anybody there?\n");
    write("cut.txt", &line[..60]);
    write("mistyped.txt", &line.replacen(&line[50..51], if &line[50..51] == "a" { "b" } else { "a" }, 1));
    write("hash.txt", "0xe2dcb008a0ec34b9a9698f1d5d7dfb8f70efcf2656e72548f3bee2a8bf764c9a");
    write("fee.txt", &sign(bob, &["fee", "--set", "fee=1 %"]));
    write("broken.toml", "[chains.anvil\nid = 1\n");
    write("misspelt.toml", &ceremony.council().replacen("threshold", "treshold", 1));
    write("unset.toml", &ceremony.council().replacen(&ceremony.anvil.url(), "${NO_SUCH_RPC}", 1));
    write("down.toml", &ceremony.council().replacen(&ceremony.anvil.url(), "http://127.0.0.1:9", 1));
    write("chain.toml", &ceremony.council().replacen("id = 31337", "id = 1", 1));
    write(
        "nosafe.toml",
        &ceremony.council().replacen(&ceremony.safe.to_string(), &KEYS[8].address.to_string(), 1),
    );
    fs::create_dir(alice.path("nothing")).unwrap();
    ceremony
}

/// Types a line at a desk. `KEY` stands for the desk's own keystore and password.
fn typed(desk: &Desk, line: &str) -> Run {
    let words = words(line);
    let has_key = words.iter().any(|word| word == "KEY");
    let plain: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "KEY").collect();
    let all = if has_key { with_key(desk, &plain) } else { plain.iter().map(ToString::to_string).collect() };
    desk.run(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Words apart by spaces; those in single quotes are one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_string());
        } else {
            words.extend(part.split_whitespace().map(str::to_string));
        }
    }
    words
}

const ROWS: &[Row] = &[
    ("pasue vault", 2, "no command called \"pasue\"", "did you mean: breakglass pause"),
    ("unpause vault", 2, "no command called \"unpause\"", "did you mean: breakglass undo vault"),
    ("resume vault", 2, "no command called \"resume\"", "did you mean: breakglass undo vault"),
    ("vault", 2, "no command called \"vault\"", "did you mean: breakglass pause vault"),
    ("fee", 2, "no command called \"fee\"", "did you mean: breakglass param fee"),
    ("sing vault", 2, "no command called \"sing\"", "did you mean: breakglass sign"),
    ("statsu", 2, "no command called \"statsu\"", "did you mean: breakglass status"),
    ("frobnicate", 2, "no command called \"frobnicate\"", "breakglass --help lists the commands"),
    ("council chek", 2, "no command called \"chek\"", "did you mean: breakglass council check"),
    ("pause valt", 2, "no lever is called \"valt\"", "did you mean \"vault\"?"),
    ("status valt", 2, "no lever is called \"valt\"", "did you mean vault?"),
    ("broadcast valt KEY", 2, "no lever is called \"valt\"", "did you mean vault?"),
    ("import valt hello.txt", 2, "no lever is called \"valt\"", "did you mean vault?"),
    ("undo valt", 2, "no lever is called \"valt\"", "breakglass, alone, lists the levers"),
    (
        "sign breakglass.toml KEY",
        2,
        "no lever is called \"breakglass.toml\"",
        "breakglass, alone, lists the levers",
    ),
    ("param vault", 2, "vault is a pause playbook, not param", "breakglass pause vault"),
    ("pause fee", 2, "fee is a param playbook, not pause", "breakglass param fee"),
    ("pause --playbook pause/oz-pausable", 2, "required arguments were not provided", "--safe <NAME>"),
    (
        "rotate --playbook rotate/no-such --safe guardian",
        2,
        "no playbook is called \"rotate/no-such\"",
        "breakglass playbook list",
    ),
    (
        "pause --playbook pause/oz-pausabel --safe guardian --set target=vault",
        2,
        "no playbook is called \"pause/oz-pausabel\"",
        "did you mean pause/oz-pausable?",
    ),
    (
        "pause --playbook pause/oz-pausable --safe gaurdian --set target=vault",
        2,
        "no Safe is called \"gaurdian\"",
        "known: guardian",
    ),
    ("sign vault --ofline", 2, "unexpected argument '--ofline'", "a similar argument exists: '--offline'"),
    ("sign vault --account x", 2, "unexpected argument '--account'", "try '--help'"),
    ("broadcast vault --confrim guardian", 2, "unexpected argument '--confrim'", "try '--help'"),
    ("sign vault --nonce abc", 2, "nonce \"abc\" is not a whole number", "try '--help'"),
    ("pause vault --set target", 2, "\"target\" is not of the form NAME=VALUE", "try '--help'"),
    ("pause vault --set traget=vault", 2, "no argument \"traget\"", "did you mean \"target\"?"),
    (
        "pause vault --set target=guardian",
        2,
        "lever vault fixes target to \"vault\"",
        "--playbook ID --safe NAME --set …",
    ),
    ("param fee", 2, "param/fee needs", "give --set fee=…"),
    ("param fee --set 'fee=0.5 furlongs'", 2, "fee=0.5 furlongs", "breakglass playbook show ID"),
    ("param fee --set fee=", 2, "fee=:", "breakglass playbook show ID"),
    ("param fee --set 'fee=1 %' --set 'fee=2 %'", 2, "--set fee is given twice", "leave one of them out"),
    ("--quorum 0 status vault", 2, "0 is not in 1..=255", "try '--help'"),
    (
        "--quorum 3 status vault",
        7,
        "3 RPCs must agree, and only 1 are named",
        "add an RPC of another operator",
    ),
    ("sign vault --ledger --keystore x", 2, "cannot be used with '--keystore <FILE>'", "try '--help'"),
    ("sign", 2, "required arguments were not provided", "<WHAT>"),
    ("sign vault --yes", 2, "no key is named to sign with", "pass --ledger, or --keystore FILE"),
    ("sign vault --yes --keystore nope.json", 1, "there is no keystore nope.json", "check the path"),
    (
        "sign vault --yes --keystore breakglass.toml",
        1,
        "breakglass.toml: keystore: not JSON",
        "name another file with --keystore",
    ),
    (
        "sign vault --yes --keystore other.json",
        1,
        "not a Web3 Secret Storage file",
        "name another file with --keystore",
    ),
    (
        "sign vault --yes --keystore stranger.json --password-file password",
        1,
        "which is not an owner of guardian",
        "its owners: alice",
    ),
    (
        "sign vault --yes --keystore bob.json --as alice --password-file password",
        1,
        "and you sign as",
        "its owners: alice",
    ),
    (
        "sign vault --yes --keystore keystore.json --password-file hello.txt",
        1,
        "keystore.json",
        "nothing was signed",
    ),
    ("sign vault --yes --keystore keystore.json --password-file nope", 1, "nope", "check the path"),
    (
        "sign vault --yes --as nobody KEY",
        2,
        "no signer of the council file is called \"nobody\"",
        "its signers: alice, bob, carol",
    ),
    ("sign vault KEY", 2, "there is no terminal to ask on", "pass --yes"),
    (
        "sign vault --yes --keystore keystore.json",
        2,
        "there is no terminal to ask on",
        "pass --password-file FILE",
    ),
    ("--council nope.toml status vault", 1, "cannot read nope.toml", "check the path"),
    ("--council broken.toml status vault", 1, "broken.toml:1:14: unclosed table", "fix line 1"),
    ("--council misspelt.toml status vault", 1, "unknown field `treshold`", "fix line "),
    (
        "--council unset.toml status vault",
        2,
        "the environment variable NO_SUCH_RPC is not set",
        "set it in this shell",
    ),
    (
        "--council down.toml status vault",
        7,
        "RPC http://127.0.0.1:9 cannot be reached",
        "name another RPC address in the council file",
    ),
    (
        "--council chain.toml status vault",
        7,
        "is on chain 31337, but the council file says that anvil is chain 1",
        "correct the id and rpc of that chain",
    ),
    (
        "--council nosafe.toml status vault",
        7,
        "there is no contract at",
        "check the Safe's address and chain in the council file",
    ),
    ("--council playbooks/fee.toml status vault", 1, "unknown field", "fix line "),
    ("sign nope.json KEY --yes", 1, "cannot read nope.json", "check the path"),
    ("sign other.json KEY --yes", 1, "other.json: it is not a proposal file", "name a proposal file"),
    ("sign keystore.json KEY --yes", 1, "keystore.json: it is not a proposal file", "name a proposal file"),
    (
        "sign cut.json KEY --yes",
        1,
        "cut.json: it is not a proposal file",
        "it is cut or damaged: ask for it again",
    ),
    ("sign altered.json KEY --yes", 4, "altered.json", "somebody changed this file"),
    (
        "sign proposal.json --nonce 5 KEY --yes",
        4,
        "the file is for nonce 0, and --nonce says 5",
        "ask for the file that you mean",
    ),
    ("sign proposal.json --undo KEY --yes", 4, "the file is no undo of lever vault", "leave out --undo"),
    (
        "sign vault --nonce -1 KEY --yes",
        2,
        "invalid value '-1' for '--nonce <N>'",
        "is not a whole number below 2^256",
    ),
    (
        "sign fee --offline --set 'fee=1 %' KEY --yes",
        2,
        "no proposal of lever fee is kept",
        "to sign it offline, say the nonce that the others sign: --nonce N",
    ),
    ("broadcast vault", 2, "no key is named that pays for the gas", "pass --ledger, or --keystore FILE"),
    (
        "broadcast vault KEY --priority-fee 600",
        2,
        "--priority-fee 600 is more than --max-fee 500",
        "raise --max-fee",
    ),
    ("broadcast vault KEY --max-fee abc", 2, "invalid value 'abc' for '--max-fee <GWEI>'", "try '--help'"),
    ("broadcast vault KEY --calldata", 2, "'--calldata' cannot be used with", "try '--help'"),
    ("broadcast vault KEY --confirm guardian", 3, "of 2 owners have signed", "still to sign: "),
    (
        "broadcast vault KEY --confirm treasury",
        3,
        "of 2 owners have signed",
        "breakglass import vault reads their lines",
    ),
    ("import vault nope.txt", 1, "nope.txt", "check the path"),
    ("hash --chain-id one", 2, "invalid value 'one' for '--chain-id <ID>'", "try '--help'"),
    (
        "playbook show pause/oz-pausabel",
        2,
        "no playbook is called \"pause/oz-pausabel\"",
        "did you mean pause/oz-pausable?",
    ),
    ("playbook check nope.toml", 1, "cannot read nope.toml", "fix nope.toml"),
    ("playbook check hello.txt", 1, "hello.txt:1:3: key with no value", "fix hello.txt"),
    ("incident close", 2, "no incident is open", "breakglass log shows the last ones"),
    ("incident note", 2, "required arguments were not provided", "<TEXT>"),
    (
        "init --safe 0x12 --rpc http://127.0.0.1:9",
        2,
        "\"0x12\" is not an address",
        "expected 0x and 40 hexadecimal digits",
    ),
    (
        "init --safe 0x0000000000000000000000000000000000000001 --rpc http://127.0.0.1:9",
        1,
        "breakglass.toml already exists",
        "name another file with --council FILE",
    ),
    ("help nosuch", 2, "no topic or command called \"nosuch\"", "breakglass help lists all of them"),
    ("completions tcsh", 2, "invalid value 'tcsh' for '<SHELL>'", "possible values: bash"),
    ("log nope.jsonl", 1, "cannot read nope.jsonl", "check the path"),
    (
        "dry-run vault --fork-url notaurl",
        2,
        "does not begin with http:// or https://",
        "--fork-url https://…",
    ),
];

/// Every row is tried, and all that differ are told at once.
#[test]
fn each_mistake_says_what_was_wrong_and_what_to_do() {
    let ceremony = stage();
    let alice = &ceremony.desks[0];
    assert!(ROWS.len() >= 60, "{}", ROWS.len());
    let mut wrong = String::new();
    for (line, code, what, remedy) in ROWS {
        let run = typed(alice, line);
        let said = format!("{} {}", run.stdout, run.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        let names = [what, remedy].iter().all(|text| said.contains(**text));
        if run.code != *code || !names {
            writeln!(
                wrong,
                "$ breakglass {line}\n{} and not {code}, {what:?}, {remedy:?}:\n{}",
                run.code, run.stderr
            )
            .unwrap();
        }
        // Nothing was sent, and no hint names a flag that weakens a check.
        if said.contains("--accept ") {
            writeln!(wrong, "$ breakglass {line}\nhands out the way past a check:\n{said}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(executed(&ceremony), 0);
}

/// The wrong text is pasted.
#[test]
fn a_paste_that_is_no_signature_says_what_it_is() {
    let ceremony = stage();
    let alice = &ceremony.desks[0];
    for file in
        ["hello.txt", "hash.txt", "cut.txt", "mistyped.txt", "fee.txt", "empty", "keystore.json", "nothing"]
    {
        let run = alice.run(&["import", "vault", file]);
        assert_ne!(run.code, 0, "{file} was taken: {run:?}");
        assert!(run.stderr.contains("error: ") && run.stderr.contains("→"), "{file}: {run:?}");
    }
    let pasted = alice.run(&["import", "vault"]);
    assert_ne!(pasted.code, 0, "{pasted:?}");
}

#[test]
fn in_the_wrong_folder_the_message_says_how_to_name_the_council_file() {
    let (elsewhere, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for line in ["status vault", "sign vault", "pause vault", "broadcast vault", "import vault"] {
        let mut command = breakglass();
        command.args(words(line)).current_dir(&elsewhere).env("HOME", home.path());
        let run = run(&mut command).ended(2).says("there is no breakglass.toml here or in a folder above");
        run.says("pass --council FILE").says("breakglass init");
    }
    let mut alone = breakglass();
    alone.current_dir(&elsewhere).env("HOME", home.path());
    run(&mut alone).ended(0).says("No council file here");
}
