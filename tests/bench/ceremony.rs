//! One whole ceremony, each command once, behind the delaying proxy.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use serde_json::Value;

use crate::measure::{Cost, cost, myself};
use crate::stage::{Anvil, Ceremony, Desk, Fault, Proxy, SafeSetup, deploy, key};
use crate::table::Row;

pub const DELAY: Duration = Duration::from_millis(100);
const KEY: [&str; 4] = ["--keystore", "keystore.json", "--password-file", "password"];
/// Calls in the large batch, each to a contract of its own.
const BATCH: usize = 50;

/// A chain behind the proxy, and what was measured on it.
struct Stage {
    proxy: Proxy,
    rows: Vec<Row>,
}

impl Stage {
    fn run(&self, what: &str, desk: &Desk, args: &[&str], code: i32) -> (Cost, usize) {
        self.proxy.forget_counts();
        let mut command = myself();
        command.current_dir(desk.folder()).env("HOME", desk.folder());
        let cost = cost(command, env!("CARGO_BIN_EXE_breakglass"), args).ended(what, code);
        (cost, self.proxy.counts().rounds)
    }

    /// One command once, held to its number of rounds and to 64 MB.
    fn row(&mut self, what: &str, desk: &Desk, args: &[&str], code: i32, most: usize) -> Cost {
        let (cost, rounds) = self.run(what, desk, args, code);
        let row = Row::new(what).cost(cost).rounds(rounds).at_most_rounds(most).at_most_megabytes(64.0);
        self.rows.push(row);
        cost
    }
}

/// The rows, and what the cold `pause` took: the peers are held against it.
pub fn rows() -> (Vec<Row>, Cost) {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let rpc = [proxy.url()];
    let mut ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 5, 3), &rpc);
    add_levers(&mut ceremony);
    proxy.delay(DELAY);
    let mut stage = Stage { proxy, rows: Vec::new() };
    let [alice, bob, carol, dave, ..] = &ceremony.desks[..] else { panic!("too few desks") };
    let sign = [&["sign", "vault"][..], &KEY, &["--yes"]].concat();
    let rotate = [&["sign", "rotate"][..], &KEY, &["--yes"]].concat();

    let pause = stage.row("pause, cold", alice, &["pause", "vault"], 0, 2);
    dry_run(&mut stage, alice);
    stage.row("rotate, cold", alice, &["rotate", "rotate"], 0, 3);
    stage.row("pause, a batch of 50 calls, cold", alice, &["pause", "fifty"], 0, 3);
    stage.row("dry-run, that batch, with hints", alice, &["dry-run", "fifty"], 0, 1);
    stage.row("sign, online", alice, &sign, 0, 2);
    stage.row("sign, online, cold", bob, &sign, 0, 2);
    stage.row("sign, online, cold, rotate", dave, &rotate, 0, 2);
    let carried = carol.path("proposal.json");
    fs::copy(kept(alice), &carried).unwrap();
    let offline = [&["sign", "proposal.json", "--offline"][..], &KEY, &["--yes"]].concat();
    stage.row("sign, offline", carol, &offline, 0, 0);
    stage.row("status", alice, &["status", "vault"], 3, 1);
    stage.row("pause, cold, with --proofs", dave, &["pause", "vault", "--proofs"], 0, 3);
    let lines = [bob, carol].map(|desk| desk.run(&["export", &carried_or_kept(desk)]).ended(0).stdout);
    fs::write(alice.path("chat.txt"), lines.concat()).unwrap();
    stage.row("import, a chat", alice, &["import", "vault", "chat.txt"], 0, 0);
    broadcast(&mut stage, alice);
    stage.rows.push(one_silent_of_three());
    (stage.rows, pause)
}

/// A first evaluation with one RPC of three that accepts the request and never answers, beside one with all three
/// healthy.
fn one_silent_of_three() -> Row {
    let anvil = Anvil::start();
    let proxies = [(); 3].map(|()| Proxy::to(&anvil));
    let rpc = proxies.each_ref().map(Proxy::url);
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &rpc);
    for proxy in &proxies {
        proxy.delay(DELAY);
    }
    let evaluate = |desk: &Desk| {
        let mut command = myself();
        command.current_dir(desk.folder()).env("HOME", desk.folder());
        let what = "pause, cold, one RPC of three silent";
        cost(command, env!("CARGO_BIN_EXE_breakglass"), &["pause", "vault"]).ended(what, 0)
    };
    let healthy = evaluate(&ceremony.desks[0]);
    proxies[2].fail(Some(Fault::Hang));
    let silent = evaluate(&ceremony.desks[1]);
    let note =
        format!("{:.2} of the {:.0} ms with all three", silent.millis / healthy.millis, healthy.millis);
    Row::new("pause, cold, one RPC of three silent")
        .cost(silent)
        .must(silent.millis <= 1.5 * healthy.millis, &note)
}

/// Several times: the least processor time is the program's own, the rest is the machine's.
fn dry_run(stage: &mut Stage, desk: &Desk) {
    let what = "dry-run, with hints";
    let runs = (0..5).map(|_| stage.run(what, desk, &["dry-run", "vault"], 0));
    let (cost, rounds) = runs.min_by(|a, b| a.0.cpu.total_cmp(&b.0.cpu)).unwrap();
    let row = Row::new(what).cost(cost).rounds(rounds).at_most_rounds(1).at_most_megabytes(64.0);
    stage.rows.push(row.at_most_cpu(30.0).note("the whole process"));
}

/// To the raw transaction leaving, to the proof, and the gas of the rehearsal against the receipt's.
fn broadcast(stage: &mut Stage, desk: &Desk) {
    let rehearsed = desk.run(&["--json", "dry-run", "vault"]).ended(0).json();
    let send = [&["broadcast", "vault"][..], &KEY, &["--confirm", "guardian"]].concat();
    let (cost, rounds) = stage.run("broadcast", desk, &send, 0);
    let left = stage.proxy.counts().first_at.get("eth_sendRawTransaction").copied().unwrap_or(usize::MAX);
    let leaves = Row::new("broadcast, to the raw transaction leaving").rounds(left).at_most_rounds(2);
    let proof = Row::new("broadcast, to the proof").cost(cost).rounds(rounds).at_most_rounds(4);
    stage.rows.extend([leaves, proof.at_most_megabytes(64.0)]);
    let executed = desk.run(&["--json", "status", "vault"]).ended(0).json();
    let gas = |value: &Value| value.as_u64().unwrap_or(0);
    let (said, used) = (gas(&rehearsed["gas"]), gas(&executed["gas_used"]));
    let exact = rehearsed["gas_is_exact"] == true && said == used && used > 0;
    let what = format!("{said} gas rehearsed with the signatures, {used} on the receipt");
    stage.rows.push(Row::new("gas").must(exact, &what));
}

/// The file of the proposal that a desk keeps for the lever `vault`.
fn kept(desk: &Desk) -> PathBuf {
    let folders = fs::read_dir(desk.path("incidents")).unwrap().map(|entry| entry.unwrap().path());
    let file = |folder: PathBuf| folder.join("proposal.json");
    folders.filter(|folder| folder.to_str().unwrap().contains("-vault-n")).map(file).next().unwrap()
}

/// Returns the file for an owner who signed from one.
fn carried_or_kept(desk: &Desk) -> String {
    let file = desk.path("proposal.json");
    if file.is_file() { file } else { kept(desk) }.to_str().unwrap().into()
}

/// Beside `vault`: an owner's rotation, and fifty vaults paused in one transaction.
fn add_levers(ceremony: &mut Ceremony) {
    let mut text = format!(
        "\n[levers.rotate]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\n\
         set = {{ old = \"{}\", new = \"{}\" }}\n\n[levers.fifty]\nplaybook = \"pause/fifty\"\nsafe = \"guardian\"\n",
        key(1).address,
        key(7).address
    );
    let mut playbook = String::from(HEAD);
    for n in 0..BATCH {
        let vault = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
        writeln!(text, "set.vault{n} = \"{vault}\"").unwrap();
        write!(playbook, "\n[[param]]\nname = \"vault{n}\"\ntype = \"address\"\n").unwrap();
    }
    for n in 0..BATCH {
        write!(playbook, "\n[[step]]\nto = \"{{vault{n}}}\"\ncall = \"pause()\"\n").unwrap();
    }
    for (section, expected) in [("before", false), ("after", true)] {
        for n in 0..BATCH {
            write!(
                playbook,
                "\n[[{section}]]\nview = \"paused()(bool)\"\non = \"{{vault{n}}}\"\nexpect = \"{expected}\"\n"
            )
            .unwrap();
        }
    }
    ceremony.add_to_council(&text);
    for desk in &ceremony.desks {
        fs::create_dir(desk.path("playbooks")).unwrap();
        fs::write(desk.path("playbooks/fifty.toml"), &playbook).unwrap();
    }
}

const HEAD: &str = r#"schema = 1
id = "pause/fifty"
kind = "pause"
title = "Pause fifty vaults"
summary = "All in one transaction."
severity = "P1"
does_not_stop = "anything else"
cost = "users can neither deposit nor withdraw"
undo = { none = "the bench has no need of it" }
source = "tests/bench"
"#;
