//! Alarms: a false claim prepares its lever, one short failure wakes nobody, and a monitor's message chooses no lever.

use std::fs::{self, File};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use alloy::primitives::{Address, B256, U256, address, keccak256};
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};

use crate::stage::{Anvil, Ceremony, Desk, Fault, Proxy, Run, SafeSetup, deploy, run, wait_until};
use crate::steps::{acts, behind_a_proxy, broadcast, import, is_paused, sign, two_of_three};

const ETHER: u64 = 1_000_000_000_000_000_000;

/// The vault must hold at least one ether.
const DRAINED: &str = "
[alarms.drained]
title = \"vault is drained\"
lever = \"vault\"
balance = \"vault\"
at_least = \"1000000000000000000\"
";

fn holds(ceremony: &Ceremony, wei: u64) {
    ceremony.anvil.set_balance(ceremony.vault, U256::from(wei));
    ceremony.anvil.mine(1);
}

fn alert(desk: &Desk, args: &[&str], message: &str) -> Run {
    let words: Vec<&str> = ["alert"].iter().chain(args).copied().collect();
    let file = desk.path("message.json");
    fs::write(&file, message).unwrap();
    run(desk.command(&words).stdin(File::open(file).unwrap()))
}

fn vector(name: &str) -> String {
    fs::read_to_string(format!("{}/tests/vectors/alerts/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn a_drained_vault_prepares_its_lever_and_three_commands_later_it_is_paused() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council(DRAINED);
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    holds(&ceremony, ETHER);
    alice.run(&["watch", "--once"]).ended(0).says("watching 1 alarm on 1 chain");
    assert!(acts(alice).is_empty(), "a quiet alarm is no act");

    holds(&ceremony, ETHER - 1);
    let told = alice.path("told.json");
    let command = format!("cat > {}", told.display());
    let run =
        alice.run(&["watch", "--once", "--run", &command]).ended(9).says("ALARM drained: vault is drained");
    assert!(
        run.stdout.contains("each signer, on their own machine: breakglass sign vault"),
        "{}",
        run.stdout
    );
    assert_eq!(acts(alice), ["opened", "alarm", "proposed"]);
    let told: Value = serde_json::from_str(&fs::read_to_string(told).unwrap()).unwrap();
    assert_eq!(
        (&told["alarm"], &told["is_first"], &told["lever"]),
        (&"drained".into(), &true.into(), &"vault".into())
    );
    let prepared = &told["prepared"][0];
    assert!(run.stdout.contains(prepared["safe_tx_hash"].as_str().unwrap()));

    // Everybody derives the same transaction; nobody needs the file.
    let lines = [sign(bob, &["vault"]), sign(carol, &["vault"])].join("\n");
    import(alice, &["vault"], &lines);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));

    // It is still drained, and there is nothing left to do: told, and nobody is woken a second time.
    let run = alice.run(&["--json", "watch", "--once"]).ended(9);
    let first: Value = serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&first["is_first"], &first["prepared"][0]["safe_tx_hash"]), (&false.into(), &Value::Null));
    assert!(first["prepared"][0]["why"].as_str().unwrap().contains("already"), "{first}");
}

#[test]
fn one_block_is_not_enough_where_the_alarm_needs_two() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council(&format!("{DRAINED}for = 3\nevery = \"1 seconds\"\n"));
    let alice = &ceremony.desks[0];
    holds(&ceremony, 0);
    // The chain makes no block: with `--once` it waits for two more, and there it holds again.
    let mut child =
        alice.command(&["watch", "--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    assert!(child.try_wait().unwrap().is_none(), "it waits for more blocks");
    holds(&ceremony, ETHER);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(acts(alice).is_empty());
    holds(&ceremony, 0);
    let mut child =
        alice.command(&["watch", "--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    ceremony.anvil.mine(3);
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn an_absent_rpc_is_reported_and_does_not_count_as_quiet() {
    let (mut ceremony, proxy) = behind_a_proxy();
    ceremony.add_to_council(DRAINED);
    let alice = &ceremony.desks[0];
    holds(&ceremony, 0);
    proxy.fail(Some(Fault::Close));
    alice.run(&["watch", "--once"]).ended(7).says("cannot be read: anvil").says("could not be read: drained");
    proxy.fail(None);
    alice.run(&["watch", "--once"]).ended(9);
}

/// One RPC of two reports a full vault.
#[test]
fn one_lying_rpc_does_not_silence_an_alarm() {
    let anvil = Anvil::start();
    let setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let proxy = Proxy::to(&anvil);
    let rpc = [anvil.url(), proxy.url()];
    let mut ceremony = Ceremony::on(anvil, setup, &rpc);
    ceremony.add_to_council(DRAINED);
    holds(&ceremony, 0);
    proxy.rewrite(|method, _, honest| match method {
        "eth_getBalance" => Ok("0xde0b6b3a7640000".into()),
        _ => honest,
    });
    ceremony.desks[0].run(&["watch", "--once"]).ended(7).says("cannot be read: anvil");
}

#[test]
fn two_feeds_that_differ_and_a_collateral_ratio_trip_their_alarms() {
    let mut ceremony = two_of_three();
    let feeds = [deploy(&ceremony.anvil, "Feed", &[]), deploy(&ceremony.anvil, "Feed", &[])];
    ceremony.add_to_council(&format!(
        r#"
[targets.feed]
anvil = "{}"
[targets.feed2]
anvil = "{}"

[alarms.oracle]
title = "the two feeds differ by more than 2 %"
lever = "vault"
on = "feed"
view = "latestAnswer()(int256)"
at_least = "{{div(mul(second, 98), 100)}}"
at_most = "{{div(mul(second, 102), 100)}}"
read = [{{ name = "second", view = "latestAnswer()(int256)", on = "feed2" }}]

[alarms.ratio]
title = "collateral is below 150 % of the debt"
lever = "vault"
balance = "feed"
expect = ">= {{div(mul(debt, 150), 100)}}"
read = [{{ name = "debt", balance = "feed2" }}]
"#,
        feeds[0], feeds[1]
    ));
    let alice = &ceremony.desks[0];
    let set = |feed: usize, answer: u64| {
        ceremony.anvil.set_storage(feeds[feed], B256::ZERO, B256::from(U256::from(answer)));
        ceremony.anvil.mine(1);
    };
    let debt = |collateral: u64| {
        ceremony.anvil.set_balance(feeds[0], U256::from(collateral));
        ceremony.anvil.set_balance(feeds[1], U256::from(1_000));
        ceremony.anvil.mine(1);
    };
    debt(1_500);
    alice.run(&["watch", "--once"]).ended(0);
    set(0, 98_000_000);
    alice.run(&["watch", "--once"]).ended(0);
    set(0, 97_999_999);
    let run = alice.run(&["watch", "--once", "oracle"]).ended(9).says("ALARM oracle");
    assert!(run.stdout.contains("97999999"), "{}", run.stdout);
    set(0, 100_000_000);
    debt(1_499);
    alice.run(&["watch", "--once"]).ended(9).says("ALARM ratio").never_says("ALARM oracle");
}

/// Code of a token: a call with three words (from, to, amount) makes it emit that transfer.
const TOKEN: Address = address!("0x7070707070707070707070707070707070707070");

fn token_in(ceremony: &mut Ceremony) {
    let topic = keccak256("Transfer(address,address,uint256)");
    // MSTORE(0, word 2); LOG3(0, 32, topic, word 0, word 1)
    let code = format!("0x6040356000526020356000357f{topic:x}60206000a300");
    ceremony.anvil.set_code(TOKEN, &code.parse().unwrap());
    ceremony.add_to_council(&format!(
        r#"
[targets.token]
anvil = "{TOKEN}"

[alarms.outflow]
title = "more than 1,000 left the vault in 10 blocks"
lever = "vault"
every = "1 seconds"
event = "Transfer(address indexed from,address indexed to,uint256 value)"
on = "token"
args = ["vault", "_", "_"]
blocks = 10
sum = "value"
at_most = "1000"
"#
    ));
}

fn transfer(ceremony: &Ceremony, from: Address, value: u64) {
    let data = (from, Address::repeat_byte(9), U256::from(value)).abi_encode_params();
    let payer = ceremony.desks[0].key.address;
    ceremony.anvil.send(payer, TOKEN, &data.into(), U256::ZERO);
}

#[test]
fn an_outflow_of_the_last_blocks_trips_its_alarm() {
    let mut ceremony = two_of_three();
    token_in(&mut ceremony);
    let alice = &ceremony.desks[0];
    let watch = |code: i32| alice.run(&["watch", "--once"]).ended(code);
    watch(0);
    transfer(&ceremony, ceremony.vault, 600);
    transfer(&ceremony, Address::repeat_byte(8), 5_000);
    transfer(&ceremony, ceremony.vault, 400);
    watch(0);
    transfer(&ceremony, ceremony.vault, 1);
    let run = watch(9).says("ALARM outflow: more than 1,000 left the vault");
    run.says("of token in 10 blocks is 1001; expected: is at most 1000");
    assert_eq!(acts(alice), ["opened", "alarm", "proposed"]);
    // The first transfer is too long ago.
    ceremony.anvil.mine(7);
    watch(0);
    alice.run(&["council", "check"]).ended(0).says("alarm outflow");
}

/// A provider that searches no events makes one alarm unreadable, and no other.
#[test]
fn a_search_that_is_refused_silences_no_other_alarm() {
    let (mut ceremony, proxy) = behind_a_proxy();
    token_in(&mut ceremony);
    ceremony.add_to_council(DRAINED);
    holds(&ceremony, 0);
    proxy.rewrite(|method, _, honest| match method {
        "eth_getLogs" => Err(json!({"code": -32005, "message": "query exceeds max block range"})),
        _ => honest,
    });
    let run = ceremony.desks[0].run(&["watch", "--once"]).ended(9).says("ALARM drained");
    run.says("cannot be read: outflow: its events cannot be had");
    let run = ceremony.desks[0].run(&["watch", "--once", "outflow"]).ended(7);
    run.says("could not be read: outflow");
}

/// Events are searched in the batch that reads everything else, once the height of the chain is known.
#[test]
fn events_are_searched_along_with_everything_else() {
    let (mut ceremony, proxy) = behind_a_proxy();
    token_in(&mut ceremony);
    ceremony.add_to_council(&format!("{DRAINED}every = \"1 seconds\"\n"));
    holds(&ceremony, ETHER);
    proxy.forget_counts();
    let mut child =
        ceremony.desks[0].command(&["watch"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let searches = || proxy.counts().by_method.get("eth_getLogs").copied().unwrap_or(0);
    wait_until("three searches", || searches() >= 3);
    let counts = proxy.counts();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(counts.posts, counts.by_method["eth_getLogs"] + 1, "one more at the first look: {counts:?}");
}

/// Twenty alarms, one batch.
#[test]
fn many_alarms_take_one_round_for_each_block() {
    let (mut ceremony, proxy) = behind_a_proxy();
    for n in 0..20 {
        let own = DRAINED.replace("drained]", &format!("drained{n}]"));
        let address = format!("\"0x{:040x}\"", 0xaaaa + n);
        ceremony.add_to_council(&own.replace("balance = \"vault\"", &format!("balance = {address}")));
        ceremony.anvil.set_balance(address.trim_matches('"').parse().unwrap(), U256::from(ETHER));
    }
    holds(&ceremony, ETHER);
    proxy.forget_counts();
    ceremony.desks[0].run(&["watch", "--once"]).ended(0).says("watching 20 alarms");
    let counts = proxy.counts();
    assert_eq!((counts.by_method.get("eth_getBalance").copied(), counts.posts), (Some(20), 1), "{counts:?}");
}

#[test]
fn each_monitors_message_is_taken_once_and_chooses_nothing() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council("\n[alarms.drained]\ntitle = \"vault is drained\"\nlever = \"vault\"\n");
    let alice = &ceremony.desks[0];
    let tenderly = vector("tenderly");
    alert(alice, &["drained", "--wait"], &tenderly).ended(0).says("ALARM drained by tenderly");
    assert_eq!(acts(alice), ["opened", "alarm", "proposed"]);
    alert(alice, &["drained", "--wait"], &tenderly).ended(0).says("this message came before");
    assert_eq!(acts(alice).len(), 3);
    for by in ["openzeppelin-monitor", "alertmanager", "pagerduty"] {
        let run = alert(alice, &["drained", "--wait", "--json"], &vector(by)).ended(0);
        let first: Value = serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
        assert_eq!((&first["by"], &first["is_first"]), (&by.into(), &false.into()));
    }
    let before = acts(alice);
    let resolved = vector("alertmanager").replace("\"firing\"", "\"resolved\"");
    alert(alice, &["drained", "--wait"], &resolved).ended(0).says("Nothing was prepared");
    assert_eq!(acts(alice).len(), before.len() + 1);
    assert_eq!(acts(alice).last().map(String::as_str), Some("note"));

    alert(alice, &["draind"], "x").ended(2).says("no alarm is called \"draind\"");
    alert(alice, &["drained"], " \n").ended(2).says("there is no message");
    // The text of a message is data only.
    let hostile = "{\"alarm\":\"other\",\"lever\":\"bridge\",\"run\":\"touch x\"}\u{1b}[2J";
    alert(alice, &["drained", "--wait"], hostile).ended(0).never_says("\u{1b}[2J");
}

/// A monitor ends a script after one second.
#[test]
fn a_message_is_acknowledged_at_once_and_prepared_after_it() {
    let (mut ceremony, proxy) = behind_a_proxy();
    ceremony.add_to_council(DRAINED);
    let alice = &ceremony.desks[0];
    proxy.hold("eth_getBlockByNumber");
    alert(alice, &["drained"], &vector("openzeppelin-monitor")).ended(0).says("is prepared now");
    assert_eq!(
        acts(alice),
        ["opened", "alarm"],
        "the chain does not answer, and the message is acknowledged"
    );
    proxy.release();
    wait_until("it is prepared", || acts(alice) == ["opened", "alarm", "proposed"]);
}

#[test]
fn a_faulty_alarm_is_named_with_its_place() {
    let mut ceremony = two_of_three();
    let refused = |ceremony: &Ceremony, text: &str, code: i32, says: &str| {
        let desk = ceremony.outsider("mallory", ceremony.desks[0].key);
        fs::write(desk.path("breakglass.toml"), format!("{}{text}", ceremony.council())).unwrap();
        desk.run(&["watch", "--once"]).ended(code).says(says);
    };
    for (text, code, says) in [
        (DRAINED.replace("lever = \"vault\"", "lever = \"valt\""), 1, "did you mean \"vault\""),
        (DRAINED.replace("title = \"vault is drained\"\n", ""), 1, "title is missing"),
        (format!("{DRAINED}for = 0\n"), 1, "from 1 to 1000"),
        (format!("{DRAINED}every = \"2 blocks\"\n"), 1, "is not a time"),
        (format!("{DRAINED}chain = \"mainet\"\n"), 1, "no chain is called"),
        (DRAINED.replace("at_least", "at_lest"), 2, "unknown field"),
        (DRAINED.replace("\"vault\"\nat", "\"valt\"\nat"), 2, "valt"),
    ] {
        refused(&ceremony, &text, code, says);
    }
    ceremony.add_to_council(&DRAINED.replace("at_least", "at_lest"));
    ceremony.desks[0].run(&["council", "check"]).ended(1).says("alarm drained").says("at_lest");
    let mut ceremony = two_of_three();
    ceremony.add_to_council("");
    ceremony.desks[0].run(&["watch", "--once"]).ended(2).says("breakglass help alarms");
}

/// An RPC goes away and comes back: both are reported, unread blocks do not count, and the alarm fires afterwards.
#[test]
fn an_rpc_that_comes_back_is_read_again_by_a_watch_that_runs() {
    let (mut ceremony, proxy) = behind_a_proxy();
    ceremony.add_to_council(&format!("{DRAINED}every = \"1 seconds\"\n"));
    let alice = &ceremony.desks[0];
    holds(&ceremony, ETHER);
    let said = alice.path("said.txt");
    let mut child =
        alice.command(&["watch"]).stdout(Stdio::null()).stderr(File::create(&said).unwrap()).spawn().unwrap();
    let says = |text: &str| wait_until(text, || fs::read_to_string(&said).unwrap().contains(text));
    says("watching 1 alarm");
    proxy.reached("eth_getBalance").fail(Some(Fault::Status(503)));
    says("cannot be read: anvil");
    assert!(acts(alice).is_empty());
    proxy.fail(None);
    says("read again: drained");
    proxy.fail(Some(Fault::Garbage));
    holds(&ceremony, 0);
    proxy.forget_counts().reached("eth_getBalance");
    assert!(acts(alice).is_empty(), "nobody reads the chain");
    proxy.fail(None);
    says("ALARM drained: vault is drained");
    wait_until("it is prepared", || acts(alice) == ["opened", "alarm", "proposed"]);
    child.kill().unwrap();
    child.wait().unwrap();
}
