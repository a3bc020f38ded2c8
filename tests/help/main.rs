//! Every page of help, as it stands in a terminal of 80 columns; the completion scripts, and what they complete.
//! `SNAPSHOTS=overwrite` writes the pages anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a page that cannot be had fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use snapbox::{Assert, Data};

const COMMANDS: &[&str] = &[
    "",
    "pause",
    "param",
    "rotate",
    "undo",
    "dry-run",
    "sign",
    "check",
    "status",
    "import",
    "export",
    "broadcast",
    "deputy",
    "watch",
    "alert",
    "card",
    "armed",
    "ack",
    "incident",
    "incident open",
    "incident note",
    "incident close",
    "log",
    "doctor",
    "drill",
    "report",
    "hash",
    "device",
    "playbook",
    "playbook list",
    "playbook show",
    "playbook check",
    "playbook new",
    "playbook test",
    "playbook schema",
    "council",
    "council check",
    "council add",
    "council add chain",
    "council add safe",
    "council add signer",
    "council add target",
    "council add lever",
    "council add person",
    "init",
    "completions",
    "man",
    "help",
];
const TOPICS: &[&str] = &[
    "alarms",
    "deputies",
    "drill",
    "exit-codes",
    "files",
    "ledger",
    "offline",
    "playbooks",
    "readiness",
    "refusals",
    "settings",
];
const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "breakglass.bash"),
    ("zsh", "_breakglass"),
    ("fish", "breakglass.fish"),
    ("powershell", "_breakglass.ps1"),
    ("elvish", "breakglass.elv"),
];

const COUNCIL: &str = r#"
schema = 1
name = "Example"
[chains.mainnet]
id = 1
rpc = ["https://rpc.example"]
[safes.guardian]
chain = "mainnet"
address = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"
owners = ["alice", "bob"]
threshold = 2
[signers.alice]
address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
[signers.bob]
address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
[targets.vault]
mainnet = "0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552"
[levers.vault]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "vault" }
[levers.freeze]
title = "Stop everything"
pull = ["vault"]
[levers.owner]
playbook = "rotate/safe-swap-owner"
safe = "guardian"
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn breakglass(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakglass"));
    command.args(args).env_clear();
    command
}

fn printed(args: &[&str]) -> String {
    let Output { status, stdout, stderr } = breakglass(args).output().unwrap();
    assert!(status.success(), "{args:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn words(command: &str) -> Vec<&str> {
    command.split(' ').filter(|word| !word.is_empty()).collect()
}

/// Every page is equal to its snapshot and fits 80 columns.
fn compare(name: &str, page: &str) {
    assert!(page.lines().count() > 5, "{name}: {page}");
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{name} is wider than 80 columns: {line}");
    }
    let path = root().join(format!("tests/help/pages/{name}.txt"));
    Assert::new().action_env("SNAPSHOTS").eq(page, Data::read_from(&path, None).raw());
}

#[test]
fn every_page_of_help_is_as_it_was() {
    for command in COMMANDS {
        let name = if command.is_empty() { "breakglass" } else { command }.replace(' ', "-");
        for (flag, kind) in [("-h", "short"), ("--help", "long")] {
            let page = printed(&[&words(command)[..], &[flag]].concat());
            assert!(page.contains("Examples:"), "{name} has no example");
            compare(&format!("{name}.{kind}"), &page);
        }
    }
    for topic in TOPICS {
        compare(&format!("topic-{topic}"), &printed(&["help", topic]));
    }
}

#[test]
fn help_of_a_command_is_its_long_page_and_help_alone_lists_the_topics() {
    assert_eq!(
        printed(&["help", "playbook", "test"]).trim_end(),
        printed(&["playbook", "test", "--help"]).trim_end()
    );
    let all = printed(&["help"]);
    for topic in TOPICS {
        assert!(all.contains(topic), "{topic}: {all}");
    }
    let wrong = breakglass(&["help", "offlin"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean breakglass help offline?"));
}

#[test]
fn every_command_has_its_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("man1");
    let listed = printed(&["man", dir.to_str().unwrap()]);
    for command in COMMANDS {
        let name = ["breakglass"].into_iter().chain(words(command)).collect::<Vec<_>>().join("-");
        let page = fs::read_to_string(dir.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS") && page.contains("Examples:"), "{name}: {page}");
        assert!(listed.contains(&format!("{name}.1")), "{listed}");
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), COMMANDS.len());
}

#[test]
fn completions_are_current() {
    for (shell, file) in SCRIPTS {
        let path = root().join("completions").join(file);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        let script = printed(&["completions", shell]);
        assert!(script == committed, "{} is not current: run `make completions`", path.display());
    }
}

/// A folder with a council file.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("breakglass.toml"), COUNCIL).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().into()
    }

    /// Returns the program's answer to a shell that completes the last of these words.
    fn completes(&self, line: &[&str]) -> Vec<String> {
        let index = line.len().to_string();
        let mut command = breakglass(&["--", "breakglass"]);
        let asked = command.args(line).current_dir(self.path()).env("HOME", self.path());
        let asked = asked
            .env("BREAKGLASS_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", index)
            .env("_CLAP_IFS", "\n");
        let Output { status, stdout, stderr } = asked.output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(status.success() && stderr.is_empty(), "{line:?}: {stderr}");
        String::from_utf8(stdout).unwrap().lines().map(|name| name.trim_end().to_string()).collect()
    }
}

#[test]
fn names_of_the_council_file_are_completed() {
    let desk = Desk::new();
    assert_eq!(desk.completes(&["sign", "v"]), ["vault"]);
    assert_eq!(desk.completes(&["pause", ""])[0], "vault");
    assert_eq!(desk.completes(&["sign", "f"]), ["freeze"]);
    assert!(!desk.completes(&["pause", ""]).contains(&"owner".to_string()), "another kind of lever");
    assert_eq!(desk.completes(&["sign", "vault", "--as", "b"]), ["bob"]);
    assert_eq!(desk.completes(&["playbook", "test", "pause/oz-pausable", "--safe", ""]), ["guardian"]);
    let begun = desk.completes(&["playbook", "show", "pause/oz-p"]);
    assert!(begun.contains(&"pause/oz-pausable".to_string()), "{begun:?}");
    assert!(begun.iter().all(|id| id.starts_with("pause/oz-p")), "{begun:?}");
    let open = desk.completes(&["rotate", "owner", "--set", ""]);
    assert!(!open.is_empty() && open.iter().all(|name| name.ends_with('=')), "{open:?}");
    assert!(desk.completes(&["pause", "vault", "--set", ""]).is_empty(), "its only argument is set");
    // The council file that is named, from any folder; and a broken one ends in silence.
    let elsewhere = Desk(tempfile::tempdir().unwrap());
    let council = desk.path().join("breakglass.toml").display().to_string();
    assert_eq!(elsewhere.completes(&["sign", "v"]), [""; 0]);
    assert_eq!(elsewhere.completes(&["sign", "--council", &council, "v"]), ["vault"]);
    fs::write(elsewhere.path().join("breakglass.toml"), "schema = ").unwrap();
    assert_eq!(elsewhere.completes(&["sign", "v"]), [""; 0]);
}

#[test]
fn keystores_of_foundry_are_completed_by_name() {
    let desk = Desk::new();
    let folder = desk.path().join(".foundry/keystores");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("alice"), "{}").unwrap();
    assert_eq!(desk.completes(&["sign", "vault", "--keystore", "al"]), ["alice"]);
}

#[test]
fn bash_itself_completes_a_lever() {
    let desk = Desk::new();
    let bin = Path::new(env!("CARGO_BIN_EXE_breakglass")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = format!(
        "source {}/completions/breakglass.bash
        COMP_WORDS=(breakglass sign va) COMP_CWORD=2 COMP_TYPE=9
        _clap_complete_breakglass breakglass va sign
        printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        root().display()
    );
    let run = Command::new("bash")
        .args(["--norc", "-c", &script])
        .current_dir(desk.path())
        .env("PATH", path)
        .env("HOME", desk.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(run.stdout).unwrap().trim(),
        "vault",
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
