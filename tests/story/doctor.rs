//! Before the incident: each thing that would fail in it is caused for real, and `doctor` says it.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, Bytes, U256, address, hex, keccak256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::SafeVersion;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::drills::{announce, drill};
use crate::stage::{Anvil, Ceremony, Desk, KEYS, Proxy, Run, SafeSetup, dead_url, deploy};
use crate::steps::{as_the_safe, behind_a_proxy, path, run, sign, with_key};

sol! {
    function changeThreshold(uint256 threshold) external;
    function enableModule(address module) external;
    function transferOwnership(address newOwner) external;
}

/// Holds nothing.
const POOR: Address = address!("0x00000000000000000000000000000000000a11ce");
/// One of anvil's accounts: 10,000 ether.
pub const RICH: &str = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720";

/// Two of three with two RPCs, all pinned, and everybody is reachable.
pub fn ready() -> Ceremony {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let handler = ceremony.anvil.storage(
        ceremony.safe,
        "0x6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5".parse().unwrap(),
    );
    let handler = Address::from_word(handler);
    let handler = if handler.is_zero() { "none".into() } else { handler.to_string() };
    let pins =
        format!("[safes.guardian]\nmodules = []\nguard = \"none\"\nfallback_handler = \"{handler}\"\n");
    let council = ceremony.council().replace("[safes.guardian]\n", &pins);
    let code = keccak256(ceremony.anvil.code(ceremony.vault));
    let vault = format!("anvil = \"{}\"", ceremony.vault);
    let pinned = format!("anvil = {{ address = \"{}\", code = \"{code}\" }}", ceremony.vault);
    let council = council.replacen(&vault, &pinned, 1);
    let people = ["alice", "bob", "carol"].map(|name| format!("[people.{name}]\nreach = \"phone\"\n"));
    ceremony.replace_council(format!("{council}{}", people.concat()));
    ceremony
}

pub fn doctor(desk: &Desk) -> Run {
    desk.run(&["--json", "doctor", "--payer", RICH])
}

/// The gaps of a run, each as id, level and sentence.
pub fn gaps(run: &Run) -> Vec<(String, String, String)> {
    let object: Value = run.json();
    let gaps = if object["gaps"].is_array() { &object["gaps"] } else { &object["done"]["gaps"] };
    let text = |gap: &Value, key: &str| gap[key].as_str().unwrap().to_string();
    let gaps = gaps.as_array().unwrap_or_else(|| panic!("no gaps: {object}"));
    gaps.iter().map(|gap| (text(gap, "id"), text(gap, "level"), text(gap, "sentence"))).collect()
}

/// Is ready all the same, and warns of this.
#[track_caller]
pub fn warns(desk: &Desk, id: &str, said: &str) {
    let all = gaps(&doctor(desk).ended(0));
    let found = all.iter().any(|(i, level, s)| i == id && level == "warning" && s.contains(said));
    assert!(found, "no {id} with {said:?} in {all:#?}");
}

/// Ends with 8 because of this, and says so.
#[track_caller]
pub fn is_not_ready(desk: &Desk, id: &str, said: &str) {
    let run = doctor(desk).ended(8);
    let all = gaps(&run);
    let found = all.iter().any(|(i, level, s)| i == id && level == "not_ready" && s.contains(said));
    assert!(found, "no {id} with {said:?} in {all:#?}");
}

#[test]
fn a_ready_council_is_ready_and_says_what_it_did_not_do() {
    let ceremony = ready();
    let alice = &ceremony.desks[0];
    let run = doctor(alice).ended(0);
    let warned: Vec<String> = gaps(&run).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(warned, ["roll-call", "drill"], "{}", run.stdout);
    let object = run.json();
    assert_eq!(object["ready"], true);
    assert_eq!(object["chains"][0]["levers"][0]["state"], "works", "{object}");
    let run = alice.run(&["doctor", "--payer", RICH]).ended(0);
    let run = run.says("ready").says("never proved that they can sign: alice, bob, carol");
    assert!(run.stdout.contains("vault") && run.stdout.contains("works"), "{}", run.stdout);
}

#[test]
fn a_safe_that_is_not_as_pinned_is_reported_with_the_chains_values() {
    let ceremony = ready();
    let alice = &ceremony.desks[0];
    let module = enableModuleCall { module: POOR }.abi_encode();
    as_the_safe(&ceremony, ceremony.safe, module);
    is_not_ready(
        alice,
        "safe-differs",
        "guardian: modules: 0x00000000000000000000000000000000000A11cE on chain",
    );
    let one = changeThresholdCall { threshold: U256::from(1) }.abi_encode();
    as_the_safe(&ceremony, ceremony.safe, one);
    is_not_ready(alice, "safe-differs", "guardian: threshold: 1 on chain, 2 in your file");
    assert!(gaps(&doctor(alice)).iter().any(|(id, ..)| id == "threshold-one"));
}

#[test]
fn a_lever_that_lost_its_role_is_reported_and_one_that_is_done_is_good() {
    let ceremony = ready();
    let alice = &ceremony.desks[0];
    as_the_safe(&ceremony, ceremony.vault, hex!("8456cb59"));
    assert_eq!(doctor(alice).ended(0).json()["chains"][0]["levers"][0]["state"], "done already");
    as_the_safe(&ceremony, ceremony.vault, hex!("3f4ba83a"));
    let lost = transferOwnershipCall { newOwner: POOR }.abi_encode();
    as_the_safe(&ceremony, ceremony.vault, lost);
    is_not_ready(alice, "lever-fails", "lever vault cannot be pulled");
}

/// A contract with `paused()`, and `pause()` for the Safe alone until a second.
fn until(ceremony: &Ceremony, end: u64) -> Address {
    let at = Address::with_last_byte(0x77);
    let end = hex::encode(u32::try_from(end).unwrap().to_be_bytes());
    let safe = hex::encode(ceremony.safe);
    let pause = format!("73{safe}331415604457{}", format_args!("63{end}4211604457"));
    let head = format!("5f3560e01c635c975abb14604857{pause}60015f5500");
    let fail = head.len() / 2;
    let view = fail + 4;
    let text =
        head.replace("604457", &format!("60{fail:02x}57")).replace("604857", &format!("60{view:02x}57"));
    let code = format!("{text}5b5f5ffd5b5f545f5260205ff3");
    ceremony.anvil.set_code(at, &code.parse::<Bytes>().unwrap());
    at
}

#[test]
fn a_window_that_closes_soon_is_reported_with_its_days_and_a_closed_one_fails() {
    let mut ceremony = ready();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = until(&ceremony, now + 9 * 86_400 - 7_200);
    ceremony.add_to_council(&format!(
        "\n[targets.window]\nanvil = \"{at}\"\n[levers.window]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n\
         set = {{ target = \"window\" }}\n"
    ));
    let alice = &ceremony.desks[0];
    let all = gaps(&doctor(alice).ended(0));
    let ends = all.iter().find(|(id, ..)| id == "lever-ends").unwrap_or_else(|| panic!("{all:#?}"));
    assert_eq!(ends.2, "lever window works now, and no longer in 9 days");
    until(&ceremony, now - 60);
    is_not_ready(alice, "lever-fails", "lever window cannot be pulled");
}

#[test]
fn rpcs_that_are_the_same_or_dead_or_behind_are_reported() {
    let mut ceremony = ready();
    let proxy = Proxy::to(&ceremony.anvil);
    let council = ceremony.council().to_string();
    let with = |ceremony: &mut Ceremony, rpc: &[&str]| {
        let begin = council.find("rpc = ").unwrap();
        let end = begin + council[begin..].find('\n').unwrap();
        ceremony.replace_council(format!(
            "{}rpc = {rpc:?}\nquorum = 1{}",
            &council[..begin],
            &council[end..]
        ));
    };
    let (url, other) = (ceremony.anvil.url(), proxy.url());
    with(&mut ceremony, &[&url, &format!("{url}/second")]);
    is_not_ready(&ceremony.desks[0], "rpc-same", "is the same host as");
    with(&mut ceremony, &[&url, &dead_url()]);
    is_not_ready(&ceremony.desks[0], "rpc", "RPC http://127.0.0.1");
    ceremony.anvil.mine(10);
    proxy.lag(5);
    with(&mut ceremony, &[&url, &other]);
    is_not_ready(&ceremony.desks[0], "rpc-lagging", &format!("RPC {other} is 5 blocks behind"));
    proxy.lag(0);
    doctor(&ceremony.desks[0]).ended(0);
    with(&mut ceremony, &[&dead_url()]);
    is_not_ready(&ceremony.desks[0], "chain", "anvil cannot be read");
}

#[test]
fn a_target_without_lever_a_poor_payer_and_a_misspelt_target_are_named() {
    let mut ceremony = ready();
    let gate = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!("\n[targets.gate]\nanvil = \"{gate}\"\n"));
    is_not_ready(&ceremony.desks[0], "uncovered", "gate on anvil has pause(), and no lever calls it");
    let lever = "\n[levers.gate]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n";
    ceremony.add_to_council(lever);
    let all = gaps(&doctor(&ceremony.desks[0]).ended(8));
    let told = all.iter().find(|(id, ..)| id == "lever-untried").unwrap();
    assert_eq!(told.2, "lever gate was not tried: it leaves open target");
    ceremony.add_to_council("try = { target = \"gate\" }\n");
    doctor(&ceremony.desks[0]).ended(0);
    let poor = POOR.to_string();
    let run = ceremony.desks[0].run(&["--json", "doctor", "--payer", &poor]).ended(8);
    assert!(gaps(&run).iter().any(|(id, ..)| id == "payer"), "{}", run.stdout);
    let bad = ceremony.council().replace("try = { target = \"gate\" }", "set = { target = \"gat\" }");
    ceremony.replace_council(bad);
    is_not_ready(&ceremony.desks[0], "lever-bad", "gat");
}

#[test]
fn people_who_are_away_asleep_or_unknown_are_reported() {
    let mut ceremony = ready();
    let council = ceremony.council().to_string();
    let away = "reach = \"phone\"\naway = [\"2020-01-01..2099-12-31\"]";
    ceremony.replace_council(council.replacen("reach = \"phone\"", away, 2));
    is_not_ready(
        &ceremony.desks[0],
        "people-away",
        "alice, bob are away: 1 owners are there, and 2 must sign",
    );
    ceremony.replace_council(council.replacen(
        "reach = \"phone\"",
        "reach = \"phone\"\nzone = \"Asia/Tokyo\"",
        2,
    ));
    let all = gaps(&doctor(&ceremony.desks[0]).ended(0));
    let asleep = all.iter().find(|(id, ..)| id == "people-asleep").unwrap_or_else(|| panic!("{all:#?}"));
    assert_eq!(asleep.2, "guardian: fewer than 2 owners are awake from 14:00 to 22:00 UTC");
    ceremony.replace_council(council.replace("[people.bob]\nreach = \"phone\"\n", ""));
    is_not_ready(&ceremony.desks[0], "owner-unknown", "does not say how to reach its owner bob 0x7099");
    ceremony.replace_council(council.replacen("schema = 1", "schema = 1\nprogram = \">= 99\"", 1));
    is_not_ready(&ceremony.desks[0], "program", "asks for breakglass >=99");
}

pub fn roll_call(desk: &Desk) -> String {
    let run = run(desk, &with_key(desk, &["doctor", "--roll-call"])).ended(0).says("It approves nothing");
    run.stdout.trim().to_string()
}

pub fn take_in(desk: &Desk, chat: &str) -> Run {
    fs::write(desk.path("chat.txt"), chat).unwrap();
    desk.run(&["doctor", "--lines", path(&desk.path("chat.txt"))])
}

#[test]
fn a_roll_call_shows_who_can_sign_and_who_has_another_file() {
    let ceremony = ready();
    let [alice, bob, carol] = &ceremony.desks[..] else { panic!() };
    let sentences = alice.run(&["doctor", "--roll-call"]).ended(0);
    assert_eq!(sentences.stdout.matches("sign as a personal message  breakglass roll call 20").count(), 3);
    let own = roll_call(alice);
    assert!(own.starts_with("bgroll1 20") && own.lines().count() == 1, "{own}");
    is_not_ready(alice, "roll-call-few", "guardian: 1 owners proved that they can sign, and 2 must sign");
    let bobs = roll_call(bob);
    take_in(alice, &format!("bob 09:12\n{bobs}\nthanks")).ended(0).says("kept: bob");
    let all = gaps(&doctor(alice).ended(0)).into_iter().filter(|(id, ..)| id.starts_with("roll-call"));
    let warned: Vec<String> = all.map(|(.., said)| said).collect();
    assert_eq!(warned, ["never proved that they can sign: carol"]);
    // Pasted again, it says nothing new.
    let before = fs::read(alice.path("incidents/journal.jsonl")).unwrap();
    take_in(alice, &bobs).ended(0).says("known already");
    assert_eq!(fs::read(alice.path("incidents/journal.jsonl")).unwrap(), before);

    // Somebody else's signature under bob's name, an old line under a new date, a stranger's.
    let words: Vec<&str> = bobs.split(' ').collect();
    let (alices, date) = (own.split(' ').next_back().unwrap(), words[1]);
    for (line, said) in [
        (bobs.replace(words[4], alices), "is signed by"),
        (bobs.replace(date, "2026-01-01"), "is signed by"),
        ("bgroll1 today".into(), "is not a line of a roll call"),
        (String::new(), "no line of a roll call was found"),
    ] {
        let run = take_in(alice, &line);
        assert!([1, 4].contains(&run.code), "{}", run.stderr);
        run.says(said);
    }
    let mallory = ceremony.outsider("mallory", KEYS[8]);
    run(&mallory, &with_key(&mallory, &["doctor", "--roll-call"])).ended(2).says("is not a signer");

    // Bob took none of the lines in: alice's journal has them, and each is verified again.
    let journal = alice.path("incidents/journal.jsonl");
    let with = |journal: &Path| {
        let run = bob.run(&["--json", "doctor", "--payer", RICH, "--journal", path(journal)]);
        let all =
            gaps(&run).into_iter().filter(|(id, ..)| id.starts_with("roll-call") || id == "journal-broken");
        all.map(|(.., said)| said).collect::<Vec<_>>()
    };
    assert_eq!(with(&journal), ["never proved that they can sign: carol"]);
    let forged = fs::read_to_string(&journal).unwrap().replace(&own, &own.replace(alices, words[4]));
    let planted = bob.path("forged.jsonl");
    fs::write(&planted, forged).unwrap();
    let told = with(&planted);
    assert!(
        told.iter().any(|said| said.ends_with("alice, carol")),
        "a line that alice did not sign: {told:?}"
    );
    assert!(told.iter().any(|said| said.contains("does not continue line")), "{told:?}");

    // Carol has another file: it is seen at alice's.
    let other = ceremony.council().replace("reach = \"phone\"", "reach = \"fax\"");
    fs::write(carol.path("breakglass.toml"), other).unwrap();
    let carols = roll_call(carol);
    take_in(alice, &carols).ended(0);
    is_not_ready(alice, "council-differs", "carol had another council file on 20");
}

/// Moves every entry of a journal to a day, and each line to the digest of the one before.
fn move_journal_to(desk: &Desk, date: &str) {
    let path = desk.path("incidents/journal.jsonl");
    let (mut text, mut last) = (String::new(), None::<String>);
    for line in fs::read_to_string(&path).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let time = entry["time"].as_str().unwrap();
        let line = line.replacen(time, &format!("{date}{}", &time[10..]), 1);
        let previous = entry["previous"].as_str().unwrap();
        let line = line.replacen(previous, last.as_deref().unwrap_or(previous), 1) + "\n";
        last = Some(format!("0x{}", hex::encode(Sha256::digest(line.as_bytes()))));
        text += &line;
    }
    fs::write(path, text).unwrap();
}

#[test]
fn the_last_drill_is_shown_with_its_times_and_who_did_not_sign() {
    let mut ceremony = ready();
    ceremony.add_to_council("\n[response]\nfirst_signature = \"0 seconds\"\nproof = \"0 seconds\"\n");
    let [alice, bob, carol] = &ceremony.desks[..] else { panic!() };
    warns(alice, "drill", "guardian: this machine's journal has no drill of it");
    assert!(doctor(alice).json()["drills"][0]["last"].is_null());
    let (words, _) = announce(alice, &["vault"]);
    // A drill that goes on stands among what is open.
    let row = format!("guardian on anvil 0 {words} 0 of 2 alice, bob, carol");
    alice.run(&[]).ended(0).says(&row).says(&format!("→ breakglass sign {words}"));
    assert_eq!(alice.run(&["--json"]).ended(0).json()["open"][0]["purpose"], "drill");
    warns(alice, "drill", "has no drill of it");
    let lines = [bob, carol].map(|desk| drill(desk, &words)).join("\n");
    fs::write(alice.path("chat.txt"), lines).unwrap();
    alice.run(&["broadcast", &words, "--chat", path(&alice.path("chat.txt"))]).ended(0).says("DRILL proven");
    alice.run(&[]).ended(0).says("nothing is open");
    bob.run(&[]).ended(0).says(&format!("{words} 1 of 2 alice, carol"));

    warns(alice, "drill-late", "guardian: in the drill of 20");
    let run = doctor(alice).ended(0);
    let object = run.json();
    let drill = &object["drills"][0];
    assert_eq!((&drill["safe"], &drill["last"]["lever"]), (&"guardian".into(), &"vault".into()), "{object}");
    assert_eq!(drill["did_not_sign"], serde_json::json!(["alice"]), "{object}");
    assert_eq!(drill["last"]["signed"].as_array().unwrap().len(), 2, "{object}");
    assert_eq!(drill["last"]["phases"][1]["what"], "enough signatures", "{object}");
    assert!(drill["last"]["phases"][1]["after_seconds"].is_u64(), "{object}");
    alice.run(&["doctor", "--payer", RICH]).ended(0).says("LAST DRILL").says("DID NOT SIGN");
    // Bob took part, and does not know that it was proven.
    assert_eq!(
        doctor(bob).ended(0).json()["drills"][0]["did_not_sign"],
        serde_json::json!(["alice", "carol"])
    );
    // With her journal beside his own he knows, and from whom. Carol, who has none of it at all, too.
    let (bobs, alices) = (bob.path("incidents/journal.jsonl"), alice.path("incidents/journal.jsonl"));
    let with = |desk: &Desk, journal: &Path| {
        desk.run(&["--json", "doctor", "--payer", RICH, "--journal", path(journal)]).ended(0)
    };
    for desk in [bob, carol] {
        let run = with(desk, &alices);
        let drill = run.json()["drills"][0].clone();
        assert_eq!(drill["did_not_sign"], serde_json::json!(["alice"]), "{drill}");
        assert_eq!(drill["stated_by_others"], true, "{drill}");
        let stated =
            gaps(&run).into_iter().filter(|(id, level, _)| id == "drill-stated" && level == "warning");
        assert_eq!(stated.count(), 1, "{}", run.stdout);
    }
    // Nothing of bob's is news to alice.
    let of_alice = with(alice, &bobs).json()["drills"][0].clone();
    assert_eq!(of_alice["did_not_sign"], serde_json::json!(["alice"]), "{of_alice}");
    move_journal_to(alice, "2025-01-01");
    alice.run(&["log", "--verify"]).ended(0);
    is_not_ready(alice, "drill-old", "guardian: the last drill was on 2025-01-01, ");
    move_journal_to(bob, "2025-01-01");
    bob.run(&[]).ended(0).says("nothing is open");
    // Bob announces one of his own: at another nonce, so that no signature of the old one counts for it.
    let (again, _) = announce(bob, &["vault"]);
    assert!(words.contains("-n0-") && again.contains("-n1-"), "{words} {again}");
    bob.run(&["status", &again]).ended(3).says("0 of 2 signed");
}

/// Rounds and posts of the first `pause` of a lever at a desk.
fn rounds_of_pause(ceremony: &Ceremony, proxy: &Proxy) -> usize {
    proxy.forget_counts();
    ceremony.desks[0].run(&["pause", "vault"]).ended(0);
    proxy.counts().rounds
}

#[test]
fn the_first_pause_after_doctor_takes_one_round() {
    let (cold, proxy) = behind_a_proxy();
    assert_eq!(rounds_of_pause(&cold, &proxy), 2);
    let (ceremony, proxy) = behind_a_proxy();
    doctor(&ceremony.desks[0]).ended(0);
    assert_eq!(rounds_of_pause(&ceremony, &proxy), 1);
    // The cache decides nothing: with another's keys or garbage in it the proposal is the same.
    let (third, _proxy) = behind_a_proxy();
    let alice = &third.desks[0];
    doctor(alice).ended(0);
    let cache = alice.home().join(".cache/breakglass");
    let file = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let poisoned = format!("{{\"accounts\":[\"{POOR}\"],\"slots\":[],\"block_hashes\":[]}}");
    for text in ["not JSON", poisoned.as_str()] {
        fs::write(&file, text).unwrap();
        alice.run(&["pause", "vault"]).ended(0);
        fs::remove_dir_all(alice.path("incidents")).unwrap();
    }
}

#[test]
fn owners_awake_are_not_called_and_a_late_first_signature_is_named() {
    let mut ceremony = ready();
    ceremony.add_to_council("\n[response]\nfirst_signature = \"0 seconds\"\n");
    let [alice, bob, _] = &ceremony.desks[..] else { panic!() };
    alice.run(&["pause", "vault"]).ended(0);
    let run =
        alice.run(&["status", "vault"]).ended(3).says("the first signature was due 0 min ago: call now");
    run.says("call alice: phone").says("call bob: phone").says("call carol: phone");
    let line = bob.run(&["ack", "--as", "bob"]).ended(0).stdout;
    assert!(line.starts_with("bgawake1 bob 20"), "{line}");
    fs::write(alice.path("chat.txt"), format!("bob: {line}\nbgawake1 eve 2026-01-01T00:00:00.000Z")).unwrap();
    let run = alice.run(&["ack", path(&alice.path("chat.txt"))]).ended(0).says("awake: bob");
    run.says("refused: nobody is called \"eve\"");
    let run = alice.run(&["status", "vault"]).ended(3).says("awake: bob").never_says("call bob");
    run.says("call carol: phone");
    let old = "bgawake1 carol 2026-01-01T00:00:00.000Z";
    fs::write(alice.path("chat.txt"), old).unwrap();
    alice
        .run(&["ack", path(&alice.path("chat.txt"))])
        .ended(1)
        .says("the line is too old, or from the future");
    alice.run(&["ack"]).ended(2).says("--as NAME");
    sign(alice, &["vault"]);
    alice.run(&["status", "vault"]).ended(3).never_says("the first signature was due");
}
