//! Commands that ask nothing of a network. The best of several runs: the program's own need, with as little of
//! the machine's noise as can be.

use std::fs;

use crate::measure::{Cost, cost, myself};
use crate::stage::fixtures;
use crate::table::Row;

const RUNS: usize = 10;

pub fn rows() -> Vec<Row> {
    let ours = env!("CARGO_BIN_EXE_breakglass");
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks");
    let row = |what: &str, args: &[&str], most: f64| {
        Row::new(what).cost(best(ours, args, what)).at_most_millis(most).at_most_megabytes(40.0)
    };
    vec![
        row("breakglass --help", &["--help"], 10.0),
        row("breakglass playbook list", &["playbook", "list"], 15.0),
        row("breakglass playbook check, whole library", &["playbook", "check", library], 200.0),
        cast(),
    ]
}

fn best(program: &str, args: &[&str], what: &str) -> Cost {
    let runs = (0..RUNS).map(|_| cost(myself(), program, args).ended(what, 0));
    runs.min_by(|a, b| a.millis.total_cmp(&b.millis)).unwrap()
}

fn cast() -> Row {
    let cast = fixtures().join("node_modules/@foundry-rs/cast-linux-amd64/bin/cast");
    let row = Row::new("cast --version");
    match cast.to_str().filter(|_| fs::metadata(&cast).is_ok()) {
        Some(cast) => row.cost(best(cast, &["--version"], "cast")).note("(for comparison)"),
        None => row.note("(not installed here)"),
    }
}
