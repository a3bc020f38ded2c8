//! One decision for several contracts and chains: the steps of a signer, and the cost of more of them.

use std::fmt::Write;
use std::fs;

use alloy::primitives::hex;
use alloy::sol_types::SolValue;
use breakglass::proposal::Proposal;
use breakglass::safe::{Nonce, SafeTx, SafeVersion};
use serde_json::{Value, json};

use crate::ceremony::DELAY;
use crate::measure::{Cost, cost, myself};
use crate::stage::{Anvil, Ceremony, Desk, Proxy, SafeSetup, Terminal, deploy, deploy_safe};
use crate::table::Row;

const CHAINS: u64 = 8;
const KEPT: u64 = 2_000;
const KEY: [&str; 4] = ["--keystore", "keystore.json", "--password-file", "password"];

pub fn rows() -> Vec<Row> {
    let mut rows = three_contracts();
    rows.extend(eight_chains());
    rows.push(many_kept());
    rows
}

fn run(what: &str, desk: &Desk, args: &[&str], code: i32) -> Cost {
    let mut command = myself();
    command.current_dir(desk.folder()).env("HOME", desk.folder());
    cost(command, env!("CARGO_BIN_EXE_breakglass"), args).ended(what, code)
}

/// Three of five owners sign a combined lever of three contracts, from nothing: each with one command.
fn three_contracts() -> Vec<Row> {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let mut ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 5, 3), &[proxy.url()]);
    let mut text = String::new();
    for name in ["bridge", "oracle"] {
        let at = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
        write!(
            text,
            "\n[targets.{name}]\nanvil = \"{at}\"\n[levers.{name}]\nplaybook = \"pause/oz-pausable\"\n\
             safe = \"guardian\"\nset = {{ target = \"{name}\" }}\n"
        )
        .unwrap();
    }
    ceremony
        .add_to_council(&format!("{text}\n[levers.freeze]\npull = [\"vault\", \"bridge\", \"oracle\"]\n"));
    proxy.delay(DELAY);
    let what = "sign three contracts at once, cold";
    let [alice, bob, carol, ..] = &ceremony.desks[..] else { panic!("too few desks") };
    let cost = run(what, alice, &[&["sign", "freeze"][..], &KEY, &["--yes"]].concat(), 0);
    let rounds = proxy.counts().rounds;
    let mut lines = alice.run(&["export", "freeze"]).ended(0).stdout;
    // At a terminal: questions, and lines to paste. A device would be asked once for each signature.
    let (mut questions, mut pastes) = (Vec::new(), Vec::new());
    for desk in [bob, carol] {
        let mut command = desk.command(&[&["sign", "freeze"][..], &KEY].concat());
        let mut terminal = Terminal::start(&mut command);
        terminal.asks("yes / no / more").types("yes\n");
        let screen = terminal.ended(0).stdout;
        questions.push(screen.matches("yes / no / more").count());
        let line = desk.run(&["export", "freeze"]).ended(0).stdout;
        pastes.push(line.lines().count());
        lines.push_str(&line);
    }
    let once = questions == [1, 1] && pastes == [1, 1];
    let told = format!("for each signer 1 command, {questions:?} questions, {pastes:?} lines and approvals");
    let sign = Row::new(what).cost(cost).rounds(rounds).at_most_rounds(2).must(once, &told);

    fs::write(alice.path("chat.txt"), lines).unwrap();
    proxy.forget_counts();
    let what = "broadcast three contracts, with the chat";
    let send = ["broadcast", "freeze", "--chat", "chat.txt", "--confirm", "guardian"];
    let cost = run(what, alice, &[&send[..], &KEY].concat(), 0);
    let whole = Row::new(what).cost(cost).rounds(proxy.counts().rounds).at_most_rounds(4);
    vec![sign, whole.note("1 command, 1 paste of the whole chat")]
}

/// A lever on eight chains, each behind its own RPC, beside one of them.
fn eight_chains() -> Vec<Row> {
    let anvils: Vec<Anvil> = (1..CHAINS).map(|n| Anvil::with_chain_id(41_000 + n)).collect();
    let first = Anvil::start();
    let mut proxies = vec![Proxy::to(&first)];
    let mut ceremony = Ceremony::on(first, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &[proxies[0].url()]);
    let (mut text, mut names) = (String::new(), vec!["vault".to_string()]);
    for (n, anvil) in (1..).zip(&anvils) {
        let proxy = Proxy::to(anvil);
        let safe = deploy_safe(anvil, &ceremony.setup);
        let vault = deploy(anvil, "Vault", &safe.abi_encode());
        write!(
            text,
            "\n[chains.c{n}]\nid = {}\nrpc = [{:?}]\n[safes.s{n}]\nchain = \"c{n}\"\naddress = \"{safe}\"\n\
             version = \"1.4.1\"\nowners = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\n\
             [targets.v{n}]\nc{n} = \"{vault}\"\n[levers.v{n}]\nplaybook = \"pause/oz-pausable\"\nsafe = \"s{n}\"\n\
             set = {{ target = \"v{n}\" }}\n",
            anvil.chain_id,
            proxy.url()
        )
        .unwrap();
        names.push(format!("v{n}"));
        proxies.push(proxy);
    }
    ceremony.add_to_council(&format!("{text}\n[levers.everywhere]\npull = {names:?}\n"));
    for proxy in &proxies {
        proxy.delay(DELAY);
    }
    let most = |proxies: &[Proxy]| proxies.iter().map(|proxy| proxy.counts().rounds).max().unwrap_or(0);
    let one = run("pause, one chain", &ceremony.desks[0], &["pause", "vault"], 0);
    let one_rounds = most(&proxies);
    for proxy in &proxies {
        proxy.forget_counts();
    }
    let what = "pause on eight chains, cold";
    let all = run(what, &ceremony.desks[1], &["pause", "everywhere"], 0);
    let rounds = most(&proxies);
    let note = format!("{:.2} of the {:.0} ms of one chain", all.millis / one.millis, one.millis);
    vec![
        Row::new("pause on one of eight chains, cold").cost(one).rounds(one_rounds).at_most_rounds(2),
        Row::new(what).cost(all).rounds(rounds).at_most_rounds(2).note(&note),
    ]
}

/// The files of years of done work beside those that are open.
fn many_kept() -> Row {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &[proxy.url()]);
    let alice = &ceremony.desks[0];
    let made = alice.run(&["--json", "pause", "vault"]).ended(0).json();
    let text = fs::read_to_string(alice.path(made["proposal"].as_str().unwrap())).unwrap();
    proxy.delay(DELAY);
    let what = "status among 2,000 kept proposals";
    let alone = run(what, alice, &["status", "vault"], 3);
    let (mut file, proposal) =
        (serde_json::from_str::<Value>(&text).unwrap(), Proposal::parse(&text).unwrap());
    for n in 1..=KEPT {
        let hashes = proposal.safe().hashes(&SafeTx { nonce: Nonce::from(n), ..proposal.tx().clone() });
        file["transaction"]["nonce"] = json!(n.to_string());
        file["hashes"] = json!({
            "domain_hash": hashes.domain.to_string(),
            "message_hash": hashes.message.to_string(),
            "safe_tx_hash": hashes.safe_tx.to_string(),
        });
        let head = hex::encode(&hashes.safe_tx.word()[..4]);
        let folder = alice.path(&format!("incidents/2026-01-01-vault-n{n}-{head}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("proposal.json"), file.to_string()).unwrap();
        fs::write(folder.join("outcome.json"), "{}").unwrap();
    }
    proxy.forget_counts();
    let among = run(what, alice, &["status", "vault"], 3);
    let note = format!("{:.0} ms alone", alone.millis);
    Row::new(what).cost(among).rounds(proxy.counts().rounds).at_most_rounds(2).note(&note)
}
