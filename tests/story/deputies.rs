//! One key acts alone: by a transaction of its own, or by a signature that a module takes from anybody. Each is reviewed,
//! rehearsed and proven like what a Safe does, and is listed for those who confirm it afterwards.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::emulator::app::{Behaviour, Reject};
use crate::stage::{Anvil, Ceremony, Desk, Proxy, Run, SafeSetup, deploy, deploy_safe, key};
use crate::steps::{as_the_safe, broadcast, files, path, read_json, run, sent, signed_by_two, with_key};

sol! {
    function enableModule(address module) external;
    function setIsPauser(address pauser, bool can) external;
    function setDeputy(address deputy) external;
    function unpause(address identifier) external;

    interface Flags {
        function paused() external view returns (uint256);
        function unpause(uint256 flags) external;
    }

    interface OfOne {
        function paused(address identifier) external view returns (bool);
    }

    interface OfAll {
        function paused() external view returns (bool);
    }
}

/// The chain that is paused.
const LOCKBOX: Address = address!("00000000000000000000000000000000000c4a1e");
/// The account that may replace the deputy.
const FOUNDATION: usize = 9;

fn act(desk: &Desk, words: &[&str]) -> Run {
    run(desk, &with_key(desk, &[&["deputy"], words, &["--yes"]].concat()))
}

/// Without `--yes`: it would have to ask.
fn run_deputy(desk: &Desk, words: &[&str]) -> Run {
    run(desk, &with_key(desk, &[&["deputy"], words].concat()))
}

/// A contract with pause flags: alice may set them, the Safe alone clears them.
fn with_a_pauser() -> (Ceremony, Address, Address) {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let alice = ceremony.desks[0].key.address;
    let registry = deploy(&ceremony.anvil, "PauserRegistry", &(alice, ceremony.safe).abi_encode());
    let pods = deploy(&ceremony.anvil, "PausableByFlags", &registry.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.pods]\nanvil = \"{pods}\"\n\n[levers.freeze]\nplaybook = \"pause/eigenlayer\"\nsafe = \"guardian\"\n\
         by = \"deputy\"\ndeputy = \"alice\"\nset = {{ target = \"pods\", flags = \"3\" }}\n"
    ));
    (ceremony, registry, pods)
}

/// Optimism's second module: alice is the deputy of the guardian Safe.
struct Superchain {
    ceremony: Ceremony,
    config: Address,
    module: Address,
}

impl Superchain {
    fn new(anvil: Anvil, besides: &[u8]) -> Self {
        let rpc = [anvil.url()];
        Self::on(anvil, besides, &rpc)
    }

    fn on(anvil: Anvil, besides: &[u8], rpc: &[String]) -> Self {
        let mut ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), rpc);
        let (anvil, safe, alice) = (&ceremony.anvil, ceremony.safe, ceremony.desks[0].key.address);
        let config = deploy(anvil, "SuperchainConfig", &safe.abi_encode());
        let system = deploy(anvil, "SystemConfig", &(config, LOCKBOX).abi_encode());
        let args = (key(FOUNDATION).address, config, alice, safe, Bytes::copy_from_slice(besides));
        let module = deploy(anvil, "DeputyPauseModule", &args.abi_encode_params());
        as_the_safe(&ceremony, safe, enableModuleCall { module }.abi_encode());
        ceremony.add_to_council(&council(
            config,
            &format!("[targets.system]\nanvil = \"{system}\"\n"),
            module,
        ));
        ceremony.add_to_council(&format!(
            "set = {{ superchain_config = \"config\", identifier = \"{LOCKBOX}\", system_config = \"system\" }}\n"
        ));
        pin_modules(&mut ceremony, &[module]);
        Self { ceremony, config, module }
    }

    fn is_paused(&self) -> bool {
        self.ceremony.anvil.view(self.config, &OfOne::pausedCall { identifier: LOCKBOX })
    }

    fn replace_deputy(&self, deputy: Address) {
        let data = setDeputyCall { deputy }.abi_encode().into();
        self.ceremony.anvil.send(key(FOUNDATION).address, self.module, &data, U256::ZERO);
    }
}

fn council(config: Address, more: &str, module: Address) -> String {
    let playbook = if more.is_empty() { "pause/op-superchain-before-u16" } else { "pause/op-superchain" };
    format!(
        "\n[targets.config]\nanvil = \"{config}\"\n\n[targets.pauser]\nanvil = \"{module}\"\n\n{more}\n[levers.superchain]\n\
         playbook = \"{playbook}\"\nsafe = \"guardian\"\nby = \"deputy\"\ndeputy = \"alice\"\nmodule = \"pauser\"\n"
    )
}

fn pin_modules(ceremony: &mut Ceremony, modules: &[Address]) {
    let modules: Vec<String> = modules.iter().map(ToString::to_string).collect();
    let text = ceremony
        .council()
        .replace("[safes.guardian]\n", &format!("[safes.guardian]\nmodules = {modules:?}\n"));
    ceremony.replace_council(text);
}

/// The deputy signs to a file, and gives it to somebody.
fn signed(from: &Desk, to: &Desk) -> String {
    let file = from.path("pause.json");
    act(from, &["superchain", "--to", path(&file)]).ended(0);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(to.path("pause.json"), &text).unwrap();
    text
}

#[test]
fn a_pauser_acts_alone_and_the_record_lists_it_to_be_confirmed() {
    let (ceremony, _, pods) = with_a_pauser();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    alice.run(&["incident", "open", "pods are drained", "--severity", "P1"]).ended(0);
    // Its command is that of the deputy.
    let home = alice.run(&[]).ended(0).says("deputy freeze pods running guardian");
    home.never_says("pause freeze").says("propose one: breakglass pause vault");
    // Nobody else can, and the owners cannot sign for it.
    act(bob, &["freeze"]).ended(1).says("may pull lever freeze").never_says("Sent");
    run(alice, &with_key(alice, &["sign", "freeze", "--yes"])).ended(2).says("breakglass deputy freeze");
    alice.run(&["pause", "freeze"]).ended(2).says("breakglass deputy freeze");
    act(alice, &["vault"]).ended(2).says("lever vault has no deputy").says("breakglass sign vault");
    act(alice, &["freeze", "--to", "pause.json"]).ended(2).says("--to is for a deputy's module");

    let done = act(alice, &["freeze"]).ended(0);
    let done =
        done.says("REAL · PAUSE freeze").says("alone, at once").says("pause(3").says("done and proven");
    let tx: B256 = done.stdout.trim().parse().unwrap();
    assert_eq!(ceremony.anvil.view(pods, &Flags::pausedCall {}), U256::from(3));
    assert!(ceremony.anvil.receipt(tx).succeeded);
    act(alice, &["freeze"]).ended(0).says("already done: pods paused() is 3").never_says("Sent");
    // It is no gap of the morning after.
    let gaps = alice.run(&["--json", "doctor"]).json()["gaps"].to_string();
    assert!(!gaps.contains("lever-fails") && !gaps.contains("uncovered"), "{gaps}");

    alice.run(&["log"]).ended(0).says("alice alone, lever freeze: proven");
    let text = alice.run(&["report"]).ended(0).says("To be confirmed").says("breakglass undo freeze").stdout;
    assert!(text.contains(&tx.to_string()), "{text}");
    let object = alice.run(&["--json", "report"]).ended(0).json();
    let one = &object["to_be_confirmed"][0];
    assert_eq!(
        (&one["deputy"], &one["safe"], &one["on_chain"]),
        (&"alice".into(), &"guardian".into(), &true.into())
    );
    // The Safe takes it back as it takes back every lever.
    alice.run(&["undo", "freeze"]).ended(0);
}

#[test]
fn a_key_that_may_not_pause_any_more_is_refused_before_it_signs() {
    let (ceremony, registry, pods) = with_a_pauser();
    let alice = &ceremony.desks[0];
    let pauser = alice.key.address;
    // Doctor tells it before the incident.
    alice.run(&["doctor"]).ended(0).says("freeze anvil works").never_says("isPauser");
    as_the_safe(&ceremony, registry, setIsPauserCall { pauser, can: false }.abi_encode());
    alice.run(&["doctor"]).ended(8).says("isPauser");
    act(alice, &["freeze"]).ended(4).says("REFUSED").says("isPauser").never_says("Sent");
    assert_eq!(ceremony.anvil.view(pods, &Flags::pausedCall {}), U256::ZERO);
}

#[test]
fn a_deputys_signature_is_sent_by_somebody_else_once() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let rpc = [proxy.url()];
    let chain = Superchain::on(anvil, &[], &rpc);
    let [alice, bob, _] = &chain.ceremony.desks[..] else { unreachable!() };
    let file = alice.path("pause.json");
    let run = act(alice, &["superchain", "--to", path(&file)]).ended(0);
    let run = run.says("a person who has this file can pause").says("one key alone").says("alone, at once");
    let text = fs::read_to_string(&file).unwrap();
    let object: Value = serde_json::from_str(&text).unwrap();
    let signature = object["signature"].as_str().unwrap();
    assert!(
        !run.stdout.contains(&signature[..20]) && !run.stderr.contains(&signature[..20]),
        "it was printed"
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!chain.is_paused(), "nothing was sent");
    assert_eq!(proxy.counts().by_method.get("eth_sendRawTransaction"), None);
    // Where no file can be written, nobody is asked to sign one.
    let nowhere = alice.path("nowhere/pause.json");
    for (to, why) in [(&file, "exists"), (&nowhere, "cannot write")] {
        let run = run_deputy(alice, &["superchain", "--to", path(to)]).ended(1).says(why);
        run.never_says("REAL").never_says("there is no terminal to ask on");
    }

    fs::write(bob.path("pause.json"), &text).unwrap();
    let relay = ["superchain", "--relay", "pause.json"];
    act(bob, &relay).ended(0).says("done and proven").never_says(&signature[..20]);
    assert!(chain.is_paused());
    act(bob, &relay).ended(0).says("NOTHING TO DO");
    // After the Safe has lifted it, the same signature is worth nothing.
    as_the_safe(&chain.ceremony, chain.config, unpauseCall { identifier: LOCKBOX }.abi_encode());
    act(bob, &relay).ended(4).says("was used before");
    // The deputy signs a new one and sends it in one go.
    act(alice, &["superchain"]).ended(0).says("done and proven");
    assert!(chain.is_paused());
}

#[test]
fn a_signature_of_a_former_deputy_or_for_another_chain_or_module_is_refused() {
    let chain = Superchain::new(Anvil::start(), &[]);
    let [alice, bob, carol] = &chain.ceremony.desks[..] else { unreachable!() };
    let text = signed(alice, bob);
    let relay = ["superchain", "--relay", "pause.json"];
    let altered = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(bob.path("pause.json"), text.replace(from, to)).unwrap();
    };
    altered("\"chain_id\": 31337", "\"chain_id\": 10");
    act(bob, &relay).ended(4).says("it was made for chain 10, and this lever is on chain 31337");
    altered(&chain.module.to_string().to_lowercase(), &format!("{:#x}", carol.key.address));
    act(bob, &relay).ended(4).says("it was made for module");
    altered("\"nonce\": \"0x", "\"nonce\": \"0x00");
    act(bob, &relay).ended(4).says("it is not a deputy's signature");
    // The same module's address on another chain: its domain is another, whatever the file says.
    let other = Superchain::new(Anvil::with_chain_id(10), &[]);
    assert_eq!(other.module, chain.module, "the same addresses");
    let theirs = &other.ceremony.desks[1];
    fs::write(theirs.path("pause.json"), text.replace("31337", "10")).unwrap();
    act(theirs, &relay).ended(4).says("it was made by 0x");
    assert!(!other.is_paused());

    fs::write(bob.path("pause.json"), &text).unwrap();
    chain.replace_deputy(carol.key.address);
    act(bob, &relay).ended(4).says("is not the deputy of").says("REFUSED");
    act(alice, &["superchain"]).ended(4).says("is not the deputy of");
    assert!(!chain.is_paused());
}

#[test]
fn a_module_that_makes_the_safe_do_more_than_the_playbook_is_refused() {
    let thief = enableModuleCall { module: LOCKBOX }.abi_encode();
    let chain = Superchain::new(Anvil::start(), &thief);
    let alice = &chain.ceremony.desks[0];
    act(alice, &["superchain"]).ended(4).says("something else than your playbook").never_says("Sent");
    act(alice, &["superchain", "--to", "pause.json"]).ended(4);
    assert!(!alice.path("pause.json").exists() && !chain.is_paused());
}

#[test]
fn a_contract_that_is_not_the_module_is_refused() {
    let mut chain = Superchain::new(Anvil::start(), &[]);
    let wrong = format!("[targets.pauser]\nanvil = \"{}\"", chain.config);
    let text =
        chain.ceremony.council().replace(&format!("[targets.pauser]\nanvil = \"{}\"", chain.module), &wrong);
    chain.ceremony.replace_council(text);
    let alice = &chain.ceremony.desks[0];
    act(alice, &["superchain"]).ended(4).says("is not a DeputyPauseModule").never_says("Sent");
    assert!(!chain.is_paused());
}

#[test]
fn the_first_module_acts_through_another_safe() {
    let setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let mut ceremony = Ceremony::new(setup.clone());
    let (anvil, safe, alice) = (&ceremony.anvil, ceremony.safe, ceremony.desks[0].key.address);
    let foundation = deploy_safe(anvil, &setup);
    let config = deploy(anvil, "SuperchainConfigOld", &safe.abi_encode());
    let between = deploy(anvil, "DeputyGuardianModule", &(safe, config, foundation).abi_encode());
    let module = deploy(anvil, "DeputyPauseModuleOld", &(foundation, config, alice, between).abi_encode());
    as_the_safe(&ceremony, safe, enableModuleCall { module: between }.abi_encode());
    let superchain = "set = { superchain_config = \"config\", identifier = \"\" }\n";
    ceremony.add_to_council(&format!("{}{superchain}", council(config, "", module)));
    pin_modules(&mut ceremony, &[between]);
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    act(alice, &["superchain"]).ended(4).says("is not enabled");

    ceremony.anvil.set_balance(foundation, U256::from(10).pow(U256::from(18)));
    let enable = enableModuleCall { module }.abi_encode().into();
    ceremony.anvil.send(foundation, foundation, &enable, U256::ZERO);
    signed(alice, bob);
    act(bob, &["superchain", "--relay", "pause.json"]).ended(0).says("done and proven");
    assert!(ceremony.anvil.view(config, &OfAll::pausedCall {}));
}

/// A private relay gets it first, and no RPC sees the deputy's signature, not even for the gas estimate.
#[test]
fn no_rpc_sees_a_deputys_signature_where_a_relay_includes_it() {
    let anvil = Anvil::start();
    let (rpc, relay) = (Proxy::to(&anvil), Proxy::to(&anvil));
    let urls = [rpc.url()];
    let mut chain = Superchain::on(anvil, &[], &urls);
    let named = format!("rpc = {urls:?}\nsend = [{:?}]\nprivate_for = \"25 seconds\"", relay.url());
    let text = chain.ceremony.council().replace(&format!("rpc = {urls:?}"), &named);
    chain.ceremony.replace_council(text);
    let [alice, bob, _] = &chain.ceremony.desks[..] else { unreachable!() };
    let object: Value = serde_json::from_str(&signed(alice, bob)).unwrap();
    let signature = object["signature"].as_str().unwrap()[2..66].to_lowercase();
    act(bob, &["superchain", "--relay", "pause.json"])
        .ended(0)
        .says("to the private relay")
        .says("done and proven");
    assert_eq!((sent(&rpc), sent(&relay)), (0, 1));
    assert_eq!((rpc.asked_with(None, &signature), relay.asked_with(None, &signature)), (0, 1));
}

/// The device shows the two hashes of the message, so a Ledger signs it; it does not show the call of a transaction, so
/// it signs none.
#[test]
fn a_ledger_signs_a_modules_message_and_sends_nothing() {
    let chain = Superchain::new(Anvil::start(), &[]);
    let [alice, bob, _] = &chain.ceremony.desks[..] else { unreachable!() };
    let emulator = Emulator::start(Behaviour { blind_signing: true, ..Behaviour::default() });
    let url = emulator.url();
    let on_ledger =
        |words: &[&str]| alice.run(&[&["deputy", "superchain", "--yes", "--ledger", &url], words].concat());
    on_ledger(&[]).ended(2).says("a Ledger does not show what this call does");
    let run = on_ledger(&["--to", "pause.json"]).ended(0).says("compare both with the lines above");
    assert_eq!(emulator.faults(), Vec::<String>::new(), "the device was asked nothing out of order");
    run.says("domain ").says("written: pause.json");
    fs::copy(alice.path("pause.json"), bob.path("pause.json")).unwrap();
    act(bob, &["superchain", "--relay", "pause.json"]).ended(0).says("done and proven");
    assert!(chain.is_paused());
    let rejecting = Behaviour { blind_signing: true, reject: Some(Reject::End), ..Behaviour::default() };
    let emulator = Emulator::start(rejecting);
    let flags = ["deputy", "superchain", "--yes", "--ledger", &emulator.url(), "--to", "other.json"];
    as_the_safe(&chain.ceremony, chain.config, unpauseCall { identifier: LOCKBOX }.abi_encode());
    alice.run(&flags).ended(6).says("rejected");
    assert!(!alice.path("other.json").exists());
}

/// A waiting transaction is sent again unchanged, and one that pays too little is replaced; a transaction that was
/// signed for another act never takes its place.
#[test]
fn a_deputys_transaction_that_waits_is_not_sent_twice_and_one_that_is_stuck_is_replaced() {
    let (ceremony, _, pods) = with_a_pauser();
    let alice = signed_by_two(&ceremony);
    let anvil = &ceremony.anvil;
    anvil.rpc("evm_setAutomine", &json!([false]));
    let records = || files(&alice.path("incidents/deputy-freeze"));
    act(alice, &["freeze", "--wait", "0"]).ended(7).says("is not mined");
    act(alice, &["freeze", "--wait", "0"]).ended(7).says("Nothing new sent").never_says("stuck");
    assert_eq!(records().len(), 1);
    broadcast(alice, &["vault", "--wait", "0"]).ended(1).never_says("Sent ");

    let base_fee = json!([format!("{:#x}", 60_u64 * 1_000_000_000)]);
    anvil.rpc("anvil_setNextBlockBaseFeePerGas", &base_fee);
    anvil.rpc("anvil_mine", &json!(["0x1", "0x0"]));
    let run = act(alice, &["freeze", "--wait", "0"]).ended(7).says("stuck: 0x");
    run.says("is not mined").never_says("Nothing new sent");
    assert_eq!(records().len(), 2);
    // A record that somebody else signed, and one of another call, count for nothing.
    let forged = fs::read_to_string(&records()[0]).unwrap();
    fs::write(alice.path("incidents/deputy-freeze/sent-0x00.json"), forged.replace("0x02", "0x01")).unwrap();
    anvil.rpc("evm_setAutomine", &json!([true]));
    anvil.mine(1);
    assert_eq!(anvil.view(pods, &Flags::pausedCall {}), U256::from(3));
    act(alice, &["freeze"]).ended(0).says("already done").never_says("Sent");
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
}

/// The Safe has lifted the pause, and the deputy pauses again: that the first transaction is mined proves nothing of the second.
#[test]
fn an_act_that_is_done_again_is_not_proven_by_the_first() {
    let (ceremony, _, pods) = with_a_pauser();
    let (alice, anvil) = (&ceremony.desks[0], &ceremony.anvil);
    let first = act(alice, &["freeze"]).ended(0).says("done and proven").stdout;
    as_the_safe(&ceremony, pods, Flags::unpauseCall { flags: U256::ZERO }.abi_encode());
    anvil.rpc("evm_setAutomine", &json!([false]));
    let run = act(alice, &["freeze", "--wait", "0"]).ended(7).says("is not mined");
    run.never_says("done and proven").never_says(first.trim());
    assert_eq!(anvil.view(pods, &Flags::pausedCall {}), U256::ZERO);
    anvil.rpc("evm_setAutomine", &json!([true]));
    anvil.mine(1);
    act(alice, &["freeze"]).ended(0).says("already done").never_says("Sent");
}

/// On Arbitrum and Mantle gas pays for the data too, and no rehearsal knows how much.
#[test]
fn a_deputys_transaction_has_the_gas_that_its_data_costs() {
    const MORE: u64 = 900_000;
    let anvil = Anvil::with_chain_id(42_161);
    let proxy = Proxy::to(&anvil);
    proxy.rewrite(|method, _, honest| match method {
        "eth_estimateGas" => honest.map(|gas| {
            let gas = u64::from_str_radix(gas.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
            json!(format!("{:#x}", gas + MORE))
        }),
        _ => honest,
    });
    let rpc = [proxy.url()];
    let chain = Superchain::on(anvil, &[], &rpc);
    let [alice, bob, _] = &chain.ceremony.desks[..] else { unreachable!() };
    let gas_of = |run: Run| {
        let tx: B256 = run.stdout.trim().parse().unwrap();
        let tx = chain.ceremony.anvil.rpc("eth_getTransactionByHash", &json!([tx]));
        serde_json::from_value::<U256>(tx["gas"].clone()).unwrap()
    };
    signed(alice, bob);
    let gas = gas_of(act(bob, &["superchain", "--relay", "pause.json"]).ended(0).says("done and proven"));
    assert!(gas > U256::from(MORE), "{gas}");
    // What the RPC was asked about has as much data, and is not the deputy's signature.
    let object: Value = read_json(&bob.path("pause.json"));
    let signature = object["signature"].as_str().unwrap()[2..66].to_lowercase();
    assert!(proxy.asked_with(Some("eth_estimateGas"), "142b53c9") > 0);
    assert_eq!(proxy.asked_with(Some("eth_estimateGas"), &signature), 0);

    proxy.rewrite(|method, _, honest| match method {
        "eth_estimateGas" => Err(json!({"code": -32000, "message": "no"})),
        _ => honest,
    });
    as_the_safe(&chain.ceremony, chain.config, unpauseCall { identifier: LOCKBOX }.abi_encode());
    act(alice, &["superchain"]).ended(7).says("could estimate the gas").never_says("Sent");
    act(alice, &["superchain", "--gas", "2000000"]).ended(0).says("done and proven");
}

/// The printed command must be the one that works.
#[test]
fn an_alarm_and_a_refusal_name_the_deputys_own_command() {
    let (mut ceremony, registry, _) = with_a_pauser();
    ceremony.add_to_council(
        "\n[alarms.drained]\ntitle = \"pods are drained\"\nlever = \"freeze\"\nbalance = \"pods\"\nat_least = \"1\"\n",
    );
    let alice = &ceremony.desks[0];
    let run = alice.run(&["watch", "--once"]).ended(9).says("alice alone can act");
    run.says("breakglass deputy freeze").never_says("breakglass sign").never_says("not prepared");
    let pauser = alice.key.address;
    as_the_safe(&ceremony, registry, setIsPauserCall { pauser, can: false }.abi_encode());
    act(alice, &["freeze"]).ended(4).says("breakglass help refusals").never_says("breakglass check");
}
