//! Before the incident: the keys of this machine, what was made ready before, Safes that own Safes, the contracts of the
//! council file, and private endpoints. `doctor` says what is wrong with each.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use alloy::primitives::{Address, B256, Bytes, U256, b256, hex};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::{SafeVersion, slot, slot_word};

use crate::doctor::{RICH, doctor, gaps, is_not_ready, ready, warns};
use crate::emulator::Emulator;
use crate::emulator::app::{Behaviour, Open};
use crate::stage::{
    Ceremony, Desk, Fault, KEYS, Proxy, Run, SafeSetup, dead_url, deploy, deploy_safe, fixtures, key,
};
use crate::steps::{as_the_safe, path, run, with_key};

sol! {
    function swapOwner(address previous, address old, address new) external;
    function addOwnerWithThreshold(address owner, uint256 threshold) external;
    function changeThreshold(uint256 threshold) external;
}

/// `keccak256("eip1967.proxy.beacon") - 1`, of EIP-1967.
const BEACON: B256 = b256!("a3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50");

/// The gaps of the keys alone, as id and level.
fn of_keys(run: &Run) -> Vec<(String, String)> {
    let all = gaps(run).into_iter();
    all.map(|(id, level, _)| (id, level))
        .filter(|(id, _)| id.starts_with("ledger") || id.starts_with("key"))
        .collect()
}

/// The emulator has the keys of all owners; one real device should not.
#[test]
fn each_setting_that_is_off_on_this_machines_ledger_is_reported() {
    const STATED: &str = "[ledger]\nraw_messages = true\ntransaction_hash = true\n";
    let ceremony = ready();
    let alice = &ceremony.desks[0];
    let is = |behaviour: Behaviour, stated: &str| {
        let emulator = Emulator::start(behaviour);
        alice.settings(&format!("key = \"{}\"\n{stated}", emulator.url()));
        let run = doctor(alice);
        assert_eq!(emulator.faults(), Vec::<String>::new());
        assert_eq!(emulator.signed(), [], "doctor signs nothing");
        run
    };
    let pair = |id: &str, level: &str| (id.to_string(), level.to_string());
    let shared = pair("ledger-shared", "warning");
    let run = is(Behaviour::default(), STATED).ended(0);
    assert_eq!(of_keys(&run), std::slice::from_ref(&shared));
    let key = &run.json()["keys"][0];
    assert_eq!((&key["app"], &key["blind_signing"]), (&"1.22.0".into(), &false.into()), "{key}");
    assert_eq!(key["signers"].as_array().unwrap().len(), 3, "{key}");
    // The app tells of one setting; of the others what its person states counts.
    let run = is(Behaviour { blind_signing: true, ..Behaviour::default() }, STATED).ended(0);
    assert_eq!(of_keys(&run), [pair("ledger-blind", "warning"), shared.clone()]);
    let run = is(Behaviour::default(), "").ended(0);
    assert_eq!(of_keys(&run), [pair("ledger-untold", "warning"), shared.clone()]);
    let short = STATED.replace("transaction_hash = true", "transaction_hash = false");
    let run = is(Behaviour::default(), &short).ended(0);
    assert_eq!(of_keys(&run), [pair("ledger-hash", "warning"), shared.clone()]);
    let off = STATED.replacen("true", "false", 1);
    let run = is(Behaviour { raw_messages: false, ..Behaviour::default() }, &off).ended(8);
    assert_eq!(of_keys(&run), [pair("ledger-raw", "not_ready"), shared.clone()]);
    let old = Behaviour { open: Open::Ethereum([1, 9, 18]), ..Behaviour::default() };
    assert_eq!(of_keys(&is(old, STATED).ended(8)), [pair("ledger-app", "not_ready"), shared]);
    // It signs and pays, and nothing else is wrong with it.
    let emulator = Emulator::start(Behaviour::default());
    alice.settings(&format!("key = \"{0}\"\npayer = \"{0}\"\n{STATED}", emulator.url()));
    let run = doctor(alice).ended(0);
    assert_eq!(of_keys(&run), [pair("ledger-pays", "warning"), pair("ledger-shared", "warning")]);
    alice.run(&["doctor", "--payer", RICH]).ended(0).says("Blind signing must be turned on, and off again");
    let other = Behaviour { other_seed: true, ..Behaviour::default() };
    let run = is(other, STATED).ended(8);
    assert_eq!(of_keys(&run), [pair("key-owner", "not_ready")]);
    assert!(gaps(&run).iter().any(|(.., said)| said.contains("which is not an owner")), "{}", run.stdout);
    let locked = Behaviour { locked_for: usize::MAX, ..Behaviour::default() };
    let run = is(locked, STATED).ended(8);
    assert_eq!(of_keys(&run), [pair("key", "not_ready")]);
    assert!(gaps(&run).iter().any(|(.., said)| said.contains("enter its PIN")), "{}", run.stdout);
    assert_eq!(run.json()["keys"][0]["usable"], false, "{}", run.stdout);
}

#[test]
fn a_keystore_that_is_missing_broken_or_a_strangers_is_reported() {
    let ceremony = ready();
    let alice = &ceremony.desks[0];
    let of = |path: &str| {
        alice.settings(&format!("key = {path:?}\n"));
        doctor(alice)
    };
    let own = path(&alice.keystore()).to_string();
    let run = of(&own).ended(0);
    assert_eq!(run.json()["keys"][0]["address"], alice.key.address.to_string());
    assert!(of_keys(&run).is_empty(), "{}", run.stdout);
    let is = |path: &str, id: &str, said: &str| {
        let all = gaps(&of(path).ended(8));
        assert!(all.iter().any(|(i, _, s)| i == id && s.contains(said)), "{all:#?}");
    };
    is("/nowhere/key.json", "key", "there is no keystore /nowhere/key.json");
    fs::write(alice.path("broken.json"), "{\"version\": 3").unwrap();
    is(path(&alice.path("broken.json")), "key", "keystore");
    let mallory = ceremony.outsider("mallory", KEYS[8]);
    is(path(&mallory.keystore()), "key-owner", "which is not an owner of a Safe of your file");
}

#[test]
fn signatures_made_ahead_that_are_stale_dead_nearly_used_or_of_no_safe_here_are_reported() {
    let mut ceremony = ready();
    let [alice, bob, carol] = &ceremony.desks[..] else { panic!() };
    let set = alice.path("vault.set");
    run(alice, &with_key(alice, &["sign", "vault", "--nonces", "0..3", "--to", path(&set), "--yes"]))
        .ended(0);
    bob.run(&["import", "vault", path(&set)]).ended(0);
    let run = doctor(bob).ended(0);
    assert_eq!(run.json()["armed"][0]["nonces_left"], 4, "{}", run.stdout);
    assert!(!gaps(&run).iter().any(|(id, ..)| id.starts_with("armed")), "{}", run.stdout);
    ceremony.anvil.set_storage(ceremony.safe, slot_word(slot::NONCE), B256::with_last_byte(3));
    warns(bob, "armed-few", "what is signed ahead of vault is good for 1 nonce more");
    // The vault gets other code: what was signed does not do what it was signed for.
    let code = ceremony.anvil.code(ceremony.vault);
    ceremony.anvil.set_code(ceremony.vault, &hex!("fe").into());
    is_not_ready(bob, "armed-stale", "guardian: what is signed ahead of vault is stale");
    ceremony.anvil.set_code(ceremony.vault, &code);
    ceremony.anvil.set_storage(ceremony.safe, slot_word(slot::NONCE), B256::with_last_byte(4));
    warns(bob, "armed-dead", "what is signed ahead of vault can be used no more");
    assert!(gaps(&doctor(carol).ended(0)).iter().all(|(id, ..)| id != "armed-dead"), "carol has no set");
    // The council goes on with another Safe: of the old one nobody here can say what its signatures are worth.
    let other = deploy_safe(&ceremony.anvil, &ceremony.setup);
    let council = ceremony.council().replace(&ceremony.safe.to_string(), &other.to_string());
    ceremony.replace_council(council);
    is_not_ready(
        &ceremony.desks[1],
        "armed-unread",
        "what is signed ahead of a transaction that your own files do not give, 0x",
    );
}

#[test]
fn a_card_that_is_used_up_or_of_another_transaction_is_reported() {
    let mut ceremony = ready();
    ceremony.desks[0].run(&["card", "vault", "--nonces", "0..4"]).ended(0);
    let of_cards = |run: &Run| gaps(run).into_iter().filter(|(id, ..)| id.starts_with("card")).count();
    let run = doctor(&ceremony.desks[0]).ended(0);
    assert_eq!((of_cards(&run), &run.json()["cards"][0]["nonces"]), (0, &"0..4".into()), "{}", run.stdout);
    let nonce =
        |n| ceremony.anvil.set_storage(ceremony.safe, slot_word(slot::NONCE), B256::with_last_byte(n));
    nonce(4);
    warns(&ceremony.desks[0], "card-few", "nonces 0..4, is good for 1 nonce more");
    nonce(5);
    warns(&ceremony.desks[0], "card-used", "guardian: the card of vault from 20");
    nonce(0);
    // The lever comes to another transaction: the target was moved.
    let moved = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    let council = ceremony.council().replace(&ceremony.vault.to_string(), &moved.to_string());
    ceremony.replace_council(council);
    is_not_ready(&ceremony.desks[0], "card-stale", "is of another transaction than now");
    let renamed = ceremony.council().replace("[levers.vault]", "[levers.treasury]");
    ceremony.replace_council(renamed);
    warns(&ceremony.desks[0], "card-unknown", "the card of vault from 20");
}

/// foundation, two of bob and carol, is an owner of guardian in alice's place.
fn nested() -> (Ceremony, Address) {
    let mut ceremony = ready();
    let owners = vec![key(1).address, key(2).address];
    let setup = SafeSetup { version: SafeVersion::V1_4_1, l2: false, owners, threshold: 1 };
    let foundation = deploy_safe(&ceremony.anvil, &setup);
    let (previous, old) = (Address::with_last_byte(1), key(0).address);
    let swap = swapOwnerCall { previous, old, new: foundation }.abi_encode();
    as_the_safe(&ceremony, ceremony.safe, swap);
    let pins = ceremony
        .council()
        .lines()
        .filter(|line| ["modules", "guard", "fallback_handler"].iter().any(|pin| line.starts_with(pin)));
    let pins = pins.collect::<Vec<_>>().join("\n");
    let council = ceremony.council().replace("owners = [\"alice\"", "owners = [\"foundation\"");
    ceremony.replace_council(format!(
        "{council}\n[safes.foundation]\nchain = \"anvil\"\naddress = \"{foundation}\"\nversion = \"1.4.1\"\n\
         owners = [\"bob\", \"carol\"]\nthreshold = 1\n{pins}\n"
    ));
    (ceremony, foundation)
}

#[test]
fn a_safe_that_owns_a_safe_is_checked_as_strictly_as_its_parent() {
    let (mut ceremony, foundation) = nested();
    warns(&ceremony.desks[1], "threshold-one", "foundation: each of its 2 owners can do everything alone");
    let all = gaps(&doctor(&ceremony.desks[1]).ended(0));
    let asked: Vec<&str> =
        all.iter().filter(|(id, ..)| id == "roll-call").map(|(.., s)| s.as_str()).collect();
    assert_eq!(asked, ["never proved that they can sign: bob, carol"], "a Safe signs no roll call");
    let more = addOwnerWithThresholdCall { owner: key(3).address, threshold: U256::from(2) }.abi_encode();
    as_the_safe_at(&ceremony, foundation, more);
    is_not_ready(&ceremony.desks[1], "safe-differs", "foundation: threshold: 2 on chain, 1 in your file");
    is_not_ready(&ceremony.desks[1], "safe-differs", "foundation: owners: ");
    let code = ceremony.anvil.code(foundation);
    let other = [&code[..], &[0]].concat().into();
    ceremony.anvil.set_code(foundation, &other);
    is_not_ready(&ceremony.desks[1], "safe-code", "foundation: its own code 0x");
    ceremony.anvil.set_code(foundation, &Bytes::new());
    is_not_ready(&ceremony.desks[1], "safe", "foundation cannot be read: there is no contract at 0x");
    ceremony.anvil.set_code(foundation, &other);
    // Without foundation in the file it is a contract of which nothing is known.
    let council = ceremony.council().to_string();
    let begin = council.find("\n[safes.foundation]").unwrap();
    let council = council[..begin].replace("\"foundation\"", &format!("\"{foundation}\""));
    ceremony.replace_council(council);
    let all = gaps(&doctor(&ceremony.desks[1]).ended(8));
    assert!(
        all.iter().any(|(id, _, said)| id == "owner-contract" && said.contains("is a contract")),
        "{all:#?}"
    );
}

/// A call that a Safe makes to itself, without its owners' signatures.
fn as_the_safe_at(ceremony: &Ceremony, safe: Address, data: Vec<u8>) {
    ceremony.anvil.rpc("anvil_impersonateAccount", &serde_json::json!([safe]));
    ceremony.anvil.set_balance(safe, U256::from(10).pow(U256::from(18)));
    ceremony.anvil.send(safe, safe, &data.into(), U256::ZERO);
}

#[test]
fn an_owner_whose_key_is_delegated_is_reported() {
    let ceremony = ready();
    let code: Bytes = [&hex!("ef0100")[..], ceremony.vault.as_slice()].concat().into();
    ceremony.anvil.set_code(key(1).address, &code);
    warns(&ceremony.desks[0], "owner-delegated", "guardian: owner bob 0x7099");
}

#[test]
fn code_that_changed_or_is_not_pinned_and_a_target_of_another_are_reported() {
    let mut ceremony = ready();
    let code = ceremony.anvil.code(ceremony.vault);
    ceremony.anvil.set_code(ceremony.vault, &[&code[..], &[0]].concat().into());
    is_not_ready(&ceremony.desks[0], "code-differs", "vault on anvil runs code 0x");
    ceremony.anvil.set_code(ceremony.vault, &code);
    let council = ceremony.council().to_string();
    ceremony
        .replace_council(format!("{council}\n[targets.nothing]\nanvil = \"{}\"\n", Address::repeat_byte(9)));
    is_not_ready(&ceremony.desks[0], "target-empty", "nothing on anvil has no code");
    // A stranger's Safe owns it, and no lever works on it.
    let dao = Address::repeat_byte(7);
    let foreign = deploy(&ceremony.anvil, "OwnedOnce", &dao.abi_encode());
    ceremony.replace_council(format!("{council}\n[targets.foreign]\nanvil = \"{foreign}\"\n"));
    warns(&ceremony.desks[0], "target-not-yours", &format!("foreign on anvil: its owner() is {dao}"));
    warns(&ceremony.desks[0], "code-unpinned", "your file does not pin the code of foreign");
}

/// A beacon names the target's code: `pause()` is found there.
#[test]
fn a_function_behind_a_beacon_that_no_lever_calls_is_reported() {
    let mut ceremony = ready();
    let (target, beacon) = (Address::repeat_byte(0xbe), Address::repeat_byte(0xac));
    let logic = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    let returns = format!("73{}5f5260205ff3", hex::encode(logic));
    ceremony.anvil.set_code(beacon, &returns.parse::<Bytes>().unwrap());
    ceremony.anvil.set_code(target, &hex!("fe").into());
    ceremony.anvil.set_storage(target, BEACON, beacon.into_word());
    ceremony.add_to_council(&format!("\n[targets.behind]\nanvil = \"{target}\"\n"));
    is_not_ready(&ceremony.desks[0], "uncovered", "behind on anvil has pause(), and no lever calls it");
}

#[test]
fn a_private_endpoint_that_is_away_or_of_another_chain_is_reported() {
    let mut ceremony = ready();
    let council = ceremony.council().to_string();
    let send = |ceremony: &mut Ceremony, relay: &str| {
        ceremony.replace_council(council.replacen(
            "[chains.anvil]\n",
            &format!("[chains.anvil]\nsend = [{relay:?}]\n"),
            1,
        ));
    };
    let relay = Proxy::to(&ceremony.anvil);
    send(&mut ceremony, &relay.url());
    let run = doctor(&ceremony.desks[0]).ended(0);
    assert!(run.json()["chains"][0]["relays"][0]["latency_ms"].is_u64(), "{}", run.stdout);
    relay.fail(Some(Fault::Status(403)));
    is_not_ready(&ceremony.desks[0], "relay", &format!("private endpoint {}", relay.url()));
    let away = dead_url();
    send(&mut ceremony, &away);
    is_not_ready(&ceremony.desks[0], "relay", &format!("private endpoint {away}"));
    let other = crate::stage::Anvil::with_chain_id(4_242);
    send(&mut ceremony, &other.url());
    is_not_ready(&ceremony.desks[0], "relay", "4242");
}

#[test]
fn the_methods_of_each_rpc_are_shown_and_the_missing_ones_named() {
    let ceremony = ready();
    let alice = &ceremony.desks[0];
    let offers = &doctor(alice).ended(0).json()["chains"][0]["offers"];
    for one in offers.as_array().unwrap() {
        assert_eq!(
            (&one["access_lists"], &one["proofs"], &one["old_state"]),
            (&true.into(), &true.into(), &true.into())
        );
        assert!(one["latency_ms"].is_u64(), "{offers}");
    }
    assert_eq!(offers.as_array().unwrap().len(), 2, "{offers}");
    alice.run(&["doctor"]).says("ACCESS LISTS").says("OLD STATE");
}

/// Doctor's JSON with nothing in PATH but this folder.
fn with_path(desk: &Desk, folder: &std::path::Path) -> Run {
    let mut command = desk.command(&["--json", "doctor", "--payer", crate::doctor::RICH]);
    crate::stage::run(command.env("PATH", folder))
}

#[test]
fn a_hash_is_compared_with_casts_if_cast_is_installed() {
    let ceremony = ready();
    let alice = &ceremony.desks[0];
    let empty = alice.path("empty");
    fs::create_dir(&empty).unwrap();
    assert!(with_path(alice, &empty).ended(0).json()["cast"].is_null());
    let real = fixtures().join("node_modules/@foundry-rs/cast-linux-amd64/bin");
    let run = with_path(alice, &real).ended(0);
    assert_eq!(run.json()["cast"]["agrees"], true, "{}", run.stdout);
    // A cast that lies, or this program does: the two differ.
    let lying = alice.path("lying");
    fs::create_dir(&lying).unwrap();
    let script = format!("#!/bin/sh\necho 0x{}\n", "11".repeat(32));
    fs::write(lying.join("cast"), script).unwrap();
    fs::set_permissions(lying.join("cast"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let broken = alice.path("broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("cast"), "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(broken.join("cast"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = with_path(alice, &broken).ended(0);
    assert!(gaps(&run).iter().any(|(id, ..)| id == "cast-failed"), "{}", run.stdout);
    let run = with_path(alice, &lying).ended(8);
    assert!(
        gaps(&run).iter().any(|(id, level, _)| id == "cast-differs" && level == "not_ready"),
        "{}",
        run.stdout
    );
}

#[test]
fn seals_controls_are_listed_with_what_is_met_and_by_what() {
    let ceremony = ready();
    let alice = &ceremony.desks[0];
    let run = alice.run(&["--json", "doctor", "--seal", "--payer", crate::doctor::RICH]).ended(0);
    let object = run.json();
    let control = |id: &str| {
        let all = object["seal"].as_array().unwrap();
        let found = all.iter().find(|control| control["id"] == id).unwrap_or_else(|| panic!("no {id}"));
        (found["state"].as_str().unwrap().to_string(), found["evidence"].as_str().unwrap().to_string())
    };
    let is = |id: &str, state: &str, evidence: &str| {
        let (found, by) = control(id);
        assert!(found == state && by.contains(evidence), "{id}: {found}, {by}");
    };
    is("ms-1.1.2", "met", "1 Safes are on chain as the council file pins them");
    is("ms-2.1.1", "met", "1 Safes");
    is("ms-3.1.1", "not met", "0 signers have proven their key");
    is("ms-4.1.1", "not met", "no private endpoint on anvil");
    is("ms-4.1.2", "not met", "0 entries");
    is("ms-4.1.4", "met", "two RPCs or more agree");
    is("ms-6.1.1", "met", "1 of 1 levers were pulled on a fork");
    is("ms-6.1.3", "not met", "0 alarms");
    is("ir-3.1.3", "not met", "0 transactions are signed ahead");
    is("ms-2.1.3", "not known to this program", "");
    is("ms-3.1.8", "not known to this program", "people of the council file in 0 time zones");
    is("ms-6.1.4", "not met", "no drill of guardian in the journal");
    is("ir-5.1.1", "not met", "no drill of guardian in the journal");
    assert_eq!(object["seal"].as_array().unwrap().len(), 37);
    assert!(doctor(alice).json()["seal"].is_null(), "asked for alone");
    // An owner with a threshold of one, and a whole journal with the roll call of everybody.
    let one = changeThresholdCall { threshold: U256::from(1) }.abi_encode();
    as_the_safe(&ceremony, ceremony.safe, one);
    let lines = ceremony.desks.iter().map(crate::doctor::roll_call).collect::<Vec<_>>().join("\n");
    crate::doctor::take_in(alice, &lines).ended(0);
    let run = alice.run(&["doctor", "--seal", "--payer", crate::doctor::RICH]).ended(8);
    let run = run.says("✗ ms-2.1.1").says("guardian is 1 of 3");
    let run = run.says("✓ ms-3.1.1").says("3 signers have proven their key by a roll call");
    run.says("✓ ir-2.1.4").says("the journal has 3 entries and 0 breaks of its chain");
}
