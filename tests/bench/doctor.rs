//! Before the incident: `doctor` of many levers and chains beside one of each, and a journal of years.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use serde_json::Value;

use crate::ceremony::DELAY;
use crate::measure::{Cost, cost, myself};
use crate::stage::{Anvil, Ceremony, Desk, Proxy, SafeSetup, deploy, deploy_safe};
use crate::table::Row;

/// On each of two chains.
const LEVERS: usize = 5;
const ENTRIES: usize = 100_000;
/// Runs of one command, of which the fastest counts: the others are the machine's.
const RUNS: usize = 5;

pub fn rows() -> Vec<Row> {
    let mut rows = of_doctor();
    rows.extend(of_the_journal());
    rows
}

fn run(what: &str, desk: &Desk, args: &[&str], code: i32) -> Cost {
    let mut command = myself();
    command.current_dir(desk.folder()).env("HOME", desk.home());
    cost(command, env!("CARGO_BIN_EXE_breakglass"), args).ended(what, code)
}

/// Vaults of a Safe on a chain, each with its lever, behind a proxy of their own.
fn levers(ceremony: &mut Ceremony, second: &Anvil, proxy: &Proxy) {
    let safe = deploy_safe(second, &ceremony.setup);
    let mut text = format!(
        "\n[chains.second]\nid = {}\nrpc = [{:?}]\n[safes.other]\nchain = \"second\"\naddress = \"{safe}\"\n\
         version = \"1.4.1\"\nowners = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\n",
        second.chain_id,
        proxy.url()
    );
    for n in 0..LEVERS {
        for (chain, name, anvil, owner) in
            [("anvil", "guardian", &ceremony.anvil, ceremony.safe), ("second", "other", second, safe)]
        {
            let at = deploy(anvil, "Vault", &owner.abi_encode());
            write!(
                text,
                "\n[targets.{chain}{n}]\n{chain} = \"{at}\"\n[levers.{chain}{n}]\nplaybook = \"pause/oz-pausable\"\n\
                 safe = \"{name}\"\nset = {{ target = \"{chain}{n}\" }}\n"
            )
            .unwrap();
        }
    }
    ceremony.add_to_council(&text);
}

/// Ten levers on two chains within the rounds of one on one, and what it leaves for the incident.
fn of_doctor() -> Vec<Row> {
    let setup = || SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let (one, first, second) = (Anvil::start(), Anvil::start(), Anvil::with_chain_id(41_001));
    let proxies = [&one, &first, &second].map(Proxy::to);
    let single = Ceremony::on(one, setup(), &[proxies[0].url()]);
    let mut many = Ceremony::on(first, setup(), &[proxies[1].url()]);
    levers(&mut many, &second, &proxies[2]);
    for proxy in &proxies {
        proxy.delay(DELAY);
    }
    // Nobody is named in [people], and the like: what is missing is not measured.
    let args = ["doctor", "--payer", "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"];
    let alone = run("doctor, one lever", &single.desks[0], &args, 0);
    let rounds = proxies[0].counts().rounds;
    let what = "doctor, 11 levers on two chains";
    let all = run(what, &many.desks[0], &args, 0);
    let most = proxies[1..].iter().map(|proxy| proxy.counts().rounds).max().unwrap_or(0);
    proxies[0].forget_counts();
    let pause = run("pause, first after doctor", &single.desks[0], &["pause", "vault"], 0);
    let after = proxies[0].counts().rounds;
    vec![
        Row::new("doctor, one lever").cost(alone).rounds(rounds),
        Row::new(what).cost(all).rounds(most).at_most_rounds(rounds),
        Row::new("pause, first after doctor").cost(pause).rounds(after).at_most_rounds(1),
    ]
}

/// A line is added to a journal of years as to a new one, and the whole chain of it is verified.
fn of_the_journal() -> Vec<Row> {
    let anvil = Anvil::start();
    let url = anvil.url();
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &[url]);
    let [alice, bob, _] = &ceremony.desks[..] else { panic!("too few desks") };
    let note = ["incident", "note", "the vault holds less than it owes"];
    let fastest = |what: &str, desk: &Desk, args: &[&str]| {
        let runs = (0..RUNS).map(|_| run(what, desk, args, 0));
        runs.min_by(|a, b| a.millis.total_cmp(&b.millis)).unwrap()
    };
    let what = "incident note, a new journal";
    run(what, alice, &note, 0);
    let new = fastest(what, alice, &note);
    fill(&bob.path("incidents/journal.jsonl"), &alice.path("incidents/journal.jsonl"));
    let long = format!("incident note, a journal of {ENTRIES} entries");
    let appended = fastest(&long, bob, &note);
    let more = (appended.millis - new.millis).max(0.0);
    let whole = format!("log --verify, {ENTRIES} entries");
    let verified = fastest(&whole, bob, &["log", "--verify"]);
    let told = format!("{more:.1} ms more than to a new one; at most 5");
    vec![
        Row::new(what).cost(new),
        Row::new(&long).cost(appended).must(more < 5.0, &told),
        Row::new(&whole).cost(verified).at_most_millis(1_000.0),
    ]
}

/// Writes a journal of many entries, each with the digest of the one before, after the likeness of another's first line.
fn fill(path: &Path, sample: &Path) {
    use sha2::{Digest, Sha256};
    let first = fs::read_to_string(sample).unwrap().lines().next().unwrap().to_string();
    let entry: Value = serde_json::from_str(&first).unwrap();
    let previous = entry["previous"].as_str().unwrap().to_string();
    let number = |n: usize| format!("\"number\":{n},");
    assert!(first.contains(&number(1)), "{first}");
    let (mut text, mut last) = (String::new(), previous.clone());
    for n in 1..=ENTRIES {
        let line = first.replace(&number(1), &number(n)).replace(&previous, &last) + "\n";
        last = format!("0x{}", alloy::hex::encode(Sha256::digest(line.as_bytes())));
        text.push_str(&line);
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
