//! Before the incident, once more: what a bare council file leaves out, levers that anybody can pull or nobody can take back,
//! a chain that stands still, RPCs that offer little, an old roll call. Each is caused for real, and `doctor` says it.

use std::fs;
use std::thread;
use std::time::Duration;

use alloy::primitives::{Address, Bytes, eip191_hash_message, hex};
use breakglass::safe::SafeVersion;
use serde_json::json;

use crate::doctor::{RICH, doctor, gaps, is_not_ready, ready, roll_call, take_in, warns};
use crate::stage::{Anvil, Ceremony, Proxy, SafeSetup};
use crate::steps::{now, two_of_three};

#[test]
fn gaps_of_a_minimal_council_file_are_reported_and_it_is_still_ready() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 2, 2));
    let run = ceremony.desks[0].run(&["--json", "doctor"]).ended(0);
    let all = gaps(&run);
    for (id, said) in [
        ("rpc-single", "anvil: only one RPC is named, and no other can show that it lies"),
        ("safe-unpinned", "guardian: your file does not say: modules, guard"),
        ("threshold-all", "guardian: all 2 owners must sign, so one lost key stops everything"),
        ("code-unpinned", "your file does not pin the code of vault"),
        ("payer-unknown", "no address that pays for gas is known"),
        ("people", "your file does not say how to reach anybody"),
        ("roll-call", "never proved that they can sign: alice, bob"),
        ("drill", "guardian: this machine's journal has no drill of it"),
    ] {
        let found = all.iter().any(|(i, level, s)| i == id && level == "warning" && s.contains(said));
        assert!(found, "no {id} with {said:?} in {all:#?}");
    }
    assert_eq!(run.json()["ready"], true);
}

/// A contract with `paused()`, whose other functions set it for anybody, after they have spent `gas` on memory.
fn open_to_all(ceremony: &Ceremony, at: Address, memory: u32) {
    let memory = hex::encode(&memory.to_be_bytes()[1..]);
    let code =
        format!("5f3560e01c635c975abb14601957 5f62{memory}52 60015f5500 5b5f545f5260205ff3").replace(' ', "");
    ceremony.anvil.set_code(at, &code.parse::<Bytes>().unwrap());
}

fn lever(name: &str, at: Address) -> String {
    format!(
        "\n[targets.{name}]\nanvil = \"{at}\"\n[levers.{name}]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n\
         set = {{ target = \"{name}\" }}\n"
    )
}

#[test]
fn a_lever_that_anybody_can_pull_and_levers_too_heavy_for_one_transaction_are_reported() {
    let mut ceremony = ready();
    let targets = ["a", "b", "c"].map(|name| (name, Address::repeat_byte(name.as_bytes()[0])));
    for (name, at) in targets {
        open_to_all(&ceremony, at, 32);
        ceremony.add_to_council(&lever(name, at));
    }
    ceremony.add_to_council("[levers.all]\npull = [\"a\", \"b\", \"c\"]\n");
    let alice = &ceremony.desks[0];
    is_not_ready(alice, "lever-open", "lever a: ");
    assert!(!gaps(&doctor(alice).ended(8)).iter().any(|(id, ..)| id == "lever-gas"));
    // About 13 million gas each.
    for (_, at) in targets {
        open_to_all(&ceremony, at, 2_600_000);
    }
    is_not_ready(alice, "lever-gas", "lever all: its transaction of guardian takes about ");
}

/// The Safe can call `pause()`, and no function undoes it.
#[test]
fn a_lever_that_nobody_can_undo_is_reported() {
    let mut ceremony = ready();
    let (at, safe) = (Address::repeat_byte(0x77), hex::encode(ceremony.safe));
    let code =
        format!("5f3560e01c635c975abb14603157 73{safe}3314602b57 5f5ffd 5b60015f5500 5b5f545f5260205ff3");
    let code = code.replace(' ', "");
    ceremony.anvil.set_code(at, &code.parse::<Bytes>().unwrap());
    ceremony.add_to_council(&lever("forever", at));
    warns(&ceremony.desks[0], "undo-fails", "lever forever: no Safe of your file can take it back");
}

#[test]
fn a_chain_that_stands_still_and_a_clock_that_is_behind_are_reported() {
    let anvil = Anvil::with_args(31_337, &["--timestamp", &(now() - 1_000).to_string()]);
    let mut ceremony = Ceremony::with_two_rpcs(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let council = ceremony.council().replacen("rpc = [", "block_time = \"2 seconds\"\nrpc = [", 1);
    ceremony.replace_council(council);
    is_not_ready(&ceremony.desks[0], "block-age", "anvil: the newest block is ");
    ceremony.anvil.rpc("evm_setNextBlockTimestamp", &json!([now() + 3_600]));
    ceremony.anvil.mine(1);
    is_not_ready(&ceremony.desks[0], "clock", "this machine's clock is wrong");
}

#[test]
fn methods_that_no_rpc_offers_are_reported_and_the_levers_are_still_tried() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &[proxy.url()]);
    proxy.rewrite(|method, _, answer| match method {
        "eth_createAccessList" | "eth_getProof" => {
            Err(json!({ "code": -32_601, "message": "the method does not exist" }))
        }
        _ => answer,
    });
    let alice = &ceremony.desks[0];
    for missing in ["access lists: a first rehearsal takes more rounds", "proofs: --proofs cannot be used"] {
        warns(alice, "rpc-service", &format!("anvil: none of its RPCs offers {missing}"));
    }
    let object = doctor(alice).ended(0).json();
    assert_eq!(object["chains"][0]["levers"][0]["state"], "works", "{object}");
    assert_eq!(object["chains"][0]["offers"][0]["access_lists"], false, "{object}");
}

/// One of two RPCs takes two seconds to answer with its chain id; the other is not named.
#[test]
fn a_slow_rpc_is_reported_with_its_time() {
    let mut ceremony = ready();
    let proxy = Proxy::to(&ceremony.anvil);
    let (fast, slow) = (ceremony.anvil.url(), proxy.url());
    let begin = ceremony.council().find("rpc = ").unwrap();
    let end = begin + ceremony.council()[begin..].find('\n').unwrap();
    let council = ceremony.council();
    let council = format!("{}rpc = {:?}{}", &council[..begin], [&fast, &slow], &council[end..]);
    ceremony.replace_council(council);
    let alice = &ceremony.desks[0];
    let told = |run: &crate::stage::Run| {
        let all = gaps(run).into_iter().filter(|(id, ..)| id == "rpc-slow");
        all.map(|(_, level, said)| (level, said)).collect::<Vec<_>>()
    };
    assert_eq!(told(&doctor(alice).ended(0)), []);
    proxy.rewrite(|method, _, answer| {
        if method == "eth_chainId" {
            thread::sleep(Duration::from_millis(2_050));
        }
        answer
    });
    let run = doctor(alice).ended(0);
    let [(level, said)] = &told(&run)[..] else { panic!("{}", run.stdout) };
    assert_eq!(level, "warning");
    let millis = said.strip_prefix(&format!("RPC {slow} took ")).and_then(|rest| rest.split(' ').next());
    assert!(millis.unwrap_or_else(|| panic!("{said}")).parse::<u64>().unwrap() > 2_000, "{said}");
}

#[test]
fn an_old_roll_call_is_reported_with_its_age_in_days() {
    let ceremony = two_of_three();
    let [alice, ..] = &ceremony.desks[..] else { panic!() };
    let line = roll_call(alice);
    take_in(alice, &line).ended(0);
    let words: Vec<&str> = line.split(' ').collect();
    let (owner, council) = (words[2], words[3]);
    let sentence = format!(
        "breakglass roll call 2025-01-01: {owner} can sign for council {council}. This approves nothing."
    );
    let signature = hex::encode_prefixed(alice.key.sign(eip191_hash_message(sentence)));
    let old = format!("bgroll1 2025-01-01 {owner} {council} {signature}");
    // No longer taken in; as it stands in a journal since then.
    take_in(alice, &old).ended(4).says("is from 2025-01-01: sign today's sentence");
    let journal = alice.path("incidents/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    assert_eq!(text.matches(&line).count(), 1, "{text}");
    fs::write(&journal, text.replace(&line, &old)).unwrap();
    is_not_ready(alice, "roll-call-old", "alice last proved ");
    let run = alice.run(&["doctor", "--seal", "--payer", RICH]).ended(8);
    run.says("1 of them more than 90 days ago");
}
