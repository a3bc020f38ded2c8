//! `make bench`: how long and how much memory each command takes, and how many sequential network rounds, as a table.
//! Measured on the release build against a chain of its own, behind a proxy that delays every request by 100 ms.
//!
//! Numbers, not verdicts about a machine: a limit that is exceeded is marked, and only a ceremony that does not come to
//! its end fails the run. Also written to `target/bench.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot be taken has failed")]

#[path = "../stage/mod.rs"]
mod stage;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use breakglass::safe::SafeVersion;
use nix::sys::resource::{UsageWho, getrusage};

use stage::{Anvil, Ceremony, Desk, Proxy, SafeSetup};

/// The argument by which the bench runs itself: one command, measured alone, so that its peak memory is its own.
const MEASURE: &str = "--measure-one";
const DELAY: Duration = Duration::from_millis(100);
const KEY: [&str; 4] = ["--keystore", "keystore.json", "--password-file", "password"];

struct Row {
    what: String,
    millis: f64,
    megabytes: f64,
    rounds: Option<usize>,
    limit: &'static str,
    within: bool,
}

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(MEASURE) {
        return measure_one(&args.collect::<Vec<_>>());
    }
    let mut rows = local_rows();
    rows.extend(network_rows());
    let table = table(&rows);
    println!("{table}");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/target/bench.txt");
    fs::write(file, format!("{table}\n")).unwrap();
}

/// Runs a command, then prints its wall time in milliseconds, its peak memory in KiB and its exit code.
fn measure_one(args: &[String]) {
    let [program, rest @ ..] = args else { return };
    let begun = Instant::now();
    let status = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let millis = begun.elapsed().as_secs_f64() * 1000.0;
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    println!("{millis} {peak} {}", status.ok().and_then(|s| s.code()).unwrap_or(-1));
}

fn measured(mut command: Command, program: &str, args: &[&str], expected: i32) -> Option<(f64, f64)> {
    let output = command.arg(MEASURE).arg(program).args(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    let [millis, kib, code] = numbers[..] else { return None };
    assert!((code - f64::from(expected)).abs() < 0.5, "{program} {args:?} ended with {code}, not {expected}");
    Some((millis, kib / 1024.0))
}

fn myself() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// The best of several runs: what the program itself needs, with as little of the machine's noise as can be.
fn local_rows() -> Vec<Row> {
    let cast = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/node_modules/@foundry-rs/cast-linux-amd64/bin/cast"
    );
    let ours = env!("CARGO_BIN_EXE_breakglass");
    let best = |program: &str, args: &[&str]| {
        let runs = (0..10).filter_map(|_| measured(myself(), program, args, 0));
        runs.min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let mut rows = Vec::new();
    for (what, args, limit) in [
        ("breakglass --help", &["--help"][..], 10.0),
        ("breakglass playbook list", &["playbook", "list"], 15.0),
    ] {
        if let Some((millis, megabytes)) = best(ours, args) {
            let limit_text = if limit < 12.0 { "10 ms, 40 MB" } else { "15 ms, 40 MB" };
            let within = millis <= limit && megabytes <= 40.0;
            rows.push(Row { what: what.into(), millis, megabytes, rounds: None, limit: limit_text, within });
        }
    }
    match fs::metadata(cast).is_ok().then(|| best(cast, &["--version"])).flatten() {
        Some((millis, megabytes)) => rows.push(Row {
            what: "cast --version".into(),
            millis,
            megabytes,
            rounds: None,
            limit: "(for comparison)",
            within: true,
        }),
        None => println!("cast is not installed here: its row is left out"),
    }
    rows
}

/// One whole ceremony, each command once, behind the delaying proxy.
fn network_rows() -> Vec<Row> {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let rpc = [proxy.url()];
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 5, 3), &rpc);
    proxy.delay(DELAY);
    let [alice, bob, carol, ..] = &ceremony.desks[..] else { return Vec::new() };
    let sign = [&["sign", "vault"][..], &KEY, &["--yes"]].concat();
    let mut rows = Vec::new();
    let mut row = |what: &str, desk: &Desk, args: &[&str], code: i32, rounds: usize| {
        proxy.forget_counts();
        let mut command = myself();
        command.current_dir(desk.folder()).env("HOME", desk.folder());
        let (millis, megabytes) = measured(command, env!("CARGO_BIN_EXE_breakglass"), args, code).unwrap();
        let counted = proxy.counts().rounds;
        let limit =
            ["0 rounds, 40 MB", "1 round, 40 MB", "2 rounds, 40 MB", "", "4 rounds, 40 MB"][rounds.min(4)];
        rows.push(Row {
            what: what.into(),
            millis,
            megabytes,
            rounds: Some(counted),
            limit,
            within: counted <= rounds && megabytes <= 40.0,
        });
    };
    row("pause vault, cold", alice, &["pause", "vault"], 0, 2);
    row("sign vault, online", alice, &sign, 0, 2);
    let hash = alice.run(&["--json", "export", "vault"]).json()["safe_tx_hash"].as_str().unwrap().to_string();
    let carried = bob.path("proposal.json");
    fs::copy(alice.path(&format!("incidents/{hash}/proposal.json")), &carried).unwrap();
    let offline = [&["sign", "proposal.json", "--offline"][..], &KEY, &["--yes"]].concat();
    row("sign proposal.json --offline", bob, &offline, 0, 0);
    row("status vault", alice, &["status", "vault"], 3, 1);
    let lines = [bob.run(&["export", "proposal.json"]).stdout, carol.run(&sign).stdout].concat();
    fs::write(alice.path("chat.txt"), lines).unwrap();
    row("import vault chat.txt", alice, &["import", "vault", "chat.txt"], 0, 0);
    let send = [&["broadcast", "vault"][..], &KEY, &["--confirm", "guardian"]].concat();
    row("broadcast vault, to the proof", alice, &send, 0, 4);
    rows
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![format!("{:<32} {:>9} {:>9} {:>7}  limit", "command", "ms", "peak MB", "rounds")];
    for row in rows {
        let rounds = row.rounds.map_or("-".into(), |r| r.to_string());
        let mark = if row.within { "" } else { "  EXCEEDED" };
        lines.push(format!(
            "{:<32} {:>9.1} {:>9.1} {:>7}  {}{mark}",
            row.what, row.millis, row.megabytes, rounds, row.limit
        ));
    }
    lines.join("\n")
}
