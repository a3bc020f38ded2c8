//! The attacks that past incidents were made of, each built for real on a chain, against a signer who has waved the
//! stranger through wherever the program lets them.

use std::fs;

use alloy::primitives::{Address, B256, Bytes, U256, b256, keccak256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::proposal::Proposal;
use breakglass::safe::deployments::Contract;
use breakglass::safe::{Call, Nonce, Operation, SENTINEL, SafeTx, SafeVersion, encode_batch};
use serde_json::{Value, json};

use crate::stage::{Anvil, Ceremony, Desk, Run, SafeSetup, deploy, key, npm_bytecode, published};
use crate::steps::{
    acceptance, accepting, as_the_safe, broadcast, executed, import, is_paused, path, sign, try_sign,
    two_of_three,
};

/// EIP-1967: where a proxy keeps the address of its implementation.
const IMPLEMENTATION: B256 = b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
const THIEF: Address = Address::repeat_byte(0x66);

sol! {
    function transfer(address to, uint256 amount) external returns (bool);
    function enableModule(address module) external;
    function swapOwner(address prevOwner, address oldOwner, address newOwner) external;
    function initialise(address firstOwner) external;
}

/// The pause that alice proposes in good faith.
fn honest(ceremony: &Ceremony) -> Proposal {
    let said = ceremony.desks[0].run(&["--json", "pause", "vault"]).ended(0).json();
    let file = ceremony.desks[0].path(said["proposal"].as_str().unwrap());
    Proposal::parse(&fs::read_to_string(file).unwrap()).unwrap()
}

/// A proposal file that is in order in itself: the honest one's words around another transaction.
fn forge(desk: &Desk, honest: &Proposal, tx: SafeTx) -> String {
    let (state, binding) = (honest.snapshot().clone(), honest.binding().clone());
    let forged = Proposal::new(tx, state, honest.block().unwrap(), binding, honest.readings().clone());
    let file = desk.path("urgent.json");
    fs::write(&file, forged.to_json()).unwrap();
    path(&file).into()
}

fn delegatecall(to: Address, data: impl Into<Bytes>) -> SafeTx {
    SafeTx::new(to, U256::ZERO, data.into(), Operation::DelegateCall, Nonce::from(0))
}

/// The pause, and something behind it.
fn with_pause(ceremony: &Ceremony, honest: &Proposal, to: Address, data: Vec<u8>) -> Vec<Call> {
    vec![
        Call { to: ceremony.vault, value: U256::ZERO, data: honest.tx().data.clone() },
        Call { to, value: U256::ZERO, data: data.into() },
    ]
}

/// Somebody who believes the stranger that it is all right.
fn sign_a_strangers(bob: &Desk, file: &str, more: &[&str]) -> Run {
    accepting(&[&["not-your-playbook"], more].concat(), |words| try_sign(bob, &[&[file], words].concat()))
}

/// Bybit's signers were shown a transfer; the transaction that they signed replaced the Safe's code.
#[test]
fn a_delegatecall_that_replaces_the_safes_code_is_shown_and_refused() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    let evil = deploy(&ceremony.anvil, "Evil", &[]);
    let loot = transferCall { to: THIEF, amount: U256::ZERO }.abi_encode();
    let file = forge(bob, &honest(&ceremony), delegatecall(evil, loot));
    let run = try_sign(bob, &[&file]).ended(4);
    let run = run.says("IS NOT WHAT YOUR PLAYBOOK GIVES").says("safe-slots").says("safe.singleton");
    run.says("singleton").says(&THIEF.to_string()).says("delegatecall");
    let more = ["delegatecall", "after:1"];
    sign_a_strangers(bob, &file, &more).ended(4).says("refused (safe-slots:");
}

/// The right calldata for the right function, at another address: one that makes no calls and writes slot 0, and
/// the published contract that lets a batch delegatecall.
#[test]
fn a_look_alike_of_the_batch_contract_is_refused() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    let honest = honest(&ceremony);
    let calls = with_pause(&ceremony, &honest, ceremony.vault, vec![]);
    let look_alike = deploy(&ceremony.anvil, "LookAlike", &[]);
    let file = forge(bob, &honest, delegatecall(look_alike, encode_batch(&calls)));
    let run = sign_a_strangers(bob, &file, &[]).ended(4);
    run.says("refused (delegatecall:").says(&look_alike.to_string()).says("safe.singleton");

    let code = npm_bytecode(
        "@safe-global/safe-contracts/build/artifacts/contracts/libraries/MultiSend.sol/MultiSend.json",
    );
    let factory: Address = "0x914d7Fec6aaC8cd542e72Bca78B30650d45643d7".parse().unwrap();
    let multi_send = factory.create2_from_code(B256::ZERO, &code);
    assert!(!ceremony.anvil.code(multi_send).is_empty());
    let file = forge(bob, &honest, delegatecall(multi_send, encode_batch(&calls)));
    sign_a_strangers(bob, &file, &[]).ended(4).says("refused (delegatecall:").says(&multi_send.to_string());
}

/// The batch contract's address is the published one, and its code on this chain is not.
#[test]
fn other_code_at_the_batch_contracts_address_is_refused() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    let honest = honest(&ceremony);
    let calls = with_pause(&ceremony, &honest, ceremony.vault, vec![]);
    let batch = published(Contract::MultiSendCallOnly, SafeVersion::V1_4_1);
    let look_alike = deploy(&ceremony.anvil, "LookAlike", &[]);
    ceremony.anvil.set_code(batch, &ceremony.anvil.code(look_alike));
    let file = forge(bob, &honest, delegatecall(batch, encode_batch(&calls)));
    let run = sign_a_strangers(bob, &file, &[]).ended(4).says("refused (delegatecall:");
    run.says("and not the published").says(&keccak256(ceremony.anvil.code(batch)).to_string());
}

/// A pause with a second call after it: accepted as a stranger's transaction, it is still refused for its effects.
#[test]
fn a_module_enabled_or_an_owner_swapped_behind_a_pause_is_refused() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    let honest = honest(&ceremony);
    let batch = published(Contract::MultiSendCallOnly, SafeVersion::V1_4_1);
    let module = enableModuleCall { module: ceremony.vault }.abi_encode();
    let old = key(0).address;
    let swap = swapOwnerCall { prevOwner: SENTINEL, oldOwner: old, newOwner: THIEF }.abi_encode();
    for (data, change, slot) in
        [(module, "safe.modules", "first module"), (swap, "safe.owners", "first owner")]
    {
        let calls = with_pause(&ceremony, &honest, ceremony.safe, data);
        let file = forge(bob, &honest, delegatecall(batch, encode_batch(&calls)));
        let run = try_sign(bob, &[&file]).ended(4).says(change).says(slot);
        acceptance(&run, &["not-your-playbook", "safe-slots"]);
        sign_a_strangers(bob, &file, &[]).ended(4).says("refused (safe-slots:");
    }
}

/// A refund of gas at a price and to an address that the proposer chose.
#[test]
fn a_refund_that_drains_the_safe_is_refused_and_shown() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    ceremony.anvil.set_balance(ceremony.safe, U256::from(10).pow(U256::from(20)));
    let honest = honest(&ceremony);
    let tx = SafeTx {
        safe_tx_gas: U256::from(200_000),
        base_gas: U256::from(1_000_000),
        gas_price: U256::from(10).pow(U256::from(13)),
        refund_receiver: THIEF,
        ..honest.tx().clone()
    };
    let file = forge(bob, &honest, tx);
    let run = sign_a_strangers(bob, &file, &[]).ended(4).says("refused (refund:").says(&THIEF.to_string());
    run.says("baseGas is 1000000").says("outflow").says("the Safe loses");
}

/// A lever of the reader's own, for a contract that does more than its playbook knows.
fn lever(ceremony: &mut Ceremony, contract: &str) -> Address {
    let target = deploy(&ceremony.anvil, contract, &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.trap]\nanvil = \"{target}\"\n\n[levers.trap]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"trap\" }}\n"
    ));
    target
}

#[test]
fn ownership_handed_over_behind_a_harmless_call_is_refused() {
    let mut ceremony = two_of_three();
    let trojan = lever(&mut ceremony, "Trojan");
    let run = ceremony.desks[0].run(&["pause", "trap"]).ended(4).says(&format!("refused (control:{trojan}:"));
    run.says("does not say so: OwnershipTransferred").says("✓ trap paused() is true");
}

/// No event, the owner packed beside other values, and more harmless slots before it than are shown.
#[test]
fn an_owner_changed_without_an_event_is_refused_and_shown_first() {
    let mut ceremony = two_of_three();
    let quiet = lever(&mut ceremony, "Quiet");
    let (from, to) = (ceremony.safe.to_string(), key(1).address.to_string());
    let run = ceremony.desks[0].run(&["pause", "trap"]).ended(4);
    let run = run.says(&format!("refused (control:{quiet}:")).says(&format!("{from} to {to}"));
    let shown = run.says("more changes: breakglass dry-run --json lists them");
    let stderr = &shown.stderr;
    let at = |text: &str| stderr.find(text).unwrap_or_else(|| panic!("{text}: {stderr}"));
    assert!(at("could be") < at(&format!("slot {}", B256::ZERO)), "{stderr}");
    assert!(at("could be") < at(&format!("bob {to}")), "{stderr}");
    // Accepting this owner accepts no other.
    let said = ceremony.desks[0].run(&["--json", "dry-run", "trap"]).ended(0).json();
    let all = said["writes"].as_array().unwrap();
    let owner = all
        .iter()
        .filter(|write| write["name"] == "trap" && !write["addresses"].as_array().unwrap().is_empty());
    assert_eq!(owner.count(), 1, "{all:?}");
}

#[test]
fn an_undeclared_change_of_a_contract_is_refused_until_the_lever_declares_it() {
    let mut ceremony = two_of_three();
    lever(&mut ceremony, "Busybody");
    let alice = &ceremony.desks[0];
    let said = alice.run(&["--json", "dry-run", "trap"]).ended(0).json();
    let written = said["writes"].as_array().unwrap().iter().find(|w| w["name"].is_null());
    let bystander = written.unwrap()["address"].as_str().unwrap().to_string();
    let run = alice.run(&["pause", "trap"]).ended(4);
    acceptance(&run, &[&format!("undeclared-effects:{bystander}")]);
    ceremony.add_to_council(&format!("changes = [\"{bystander}\"]\n"));
    ceremony.desks[0].run(&["pause", "trap"]).ended(0);
}

/// A pausable proxy of the Safe's, as lever `vault2`; with its implementation.
fn proxied(ceremony: &mut Ceremony) -> (Address, Address) {
    let logic = deploy(&ceremony.anvil, "PausableLogic", &[]);
    let init = Bytes::from(initialiseCall { firstOwner: ceremony.safe }.abi_encode());
    let proxy = deploy(&ceremony.anvil, "Proxied", &(logic, init).abi_encode_params());
    (proxy, logic)
}

fn lever_of(target: &str) -> String {
    format!(
        "\n[targets.proxy]\nanvil = {target}\n\n[levers.proxy]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"proxy\" }}\n"
    )
}

fn swap_implementation(ceremony: &Ceremony, proxy: Address) -> Address {
    let other = deploy(&ceremony.anvil, "Vault", &key(9).address.abi_encode());
    ceremony.anvil.set_storage(proxy, IMPLEMENTATION, other.into_word());
    // The other one keeps its owner elsewhere: let the pause still work.
    ceremony.anvil.set_storage(proxy, B256::ZERO, ceremony.safe.into_word());
    other
}

#[test]
fn an_implementation_swapped_between_plan_and_broadcast_is_drift() {
    let mut ceremony = two_of_three();
    let (proxy, logic) = proxied(&mut ceremony);
    ceremony.add_to_council(&lever_of(&format!("\"{proxy}\"")));
    let [alice, bob, carol] = &ceremony.desks[..] else { panic!("three desks") };
    alice.run(&["pause", "proxy"]).ended(0);
    import(alice, &["proxy"], &[sign(bob, &["proxy"]), sign(carol, &["proxy"])].join("\n"));
    let other = swap_implementation(&ceremony, proxy);
    let code = keccak256(ceremony.anvil.code(other));
    let run =
        broadcast(alice, &["proxy"]).ended(5).says(&format!("code-moved:{proxy}:")).says(&code.to_string());
    run.says(&other.to_string()).says(&logic.to_string());
    assert_eq!(executed(&ceremony), 0);
}

#[test]
fn a_proxy_that_does_not_run_the_pinned_code_is_refused() {
    let mut ceremony = two_of_three();
    let (proxy, logic) = proxied(&mut ceremony);
    let code = [proxy, logic].map(|at| keccak256(ceremony.anvil.code(at)).to_string());
    ceremony.add_to_council(&lever_of(&format!("{{ address = \"{proxy}\", code = {code:?} }}")));
    let alice = &ceremony.desks[0];
    alice.run(&["pause", "proxy"]).ended(0);
    alice.run(&["check", "proxy"]).ended(0).says("as your council file pins it");
    let other = keccak256(ceremony.anvil.code(swap_implementation(&ceremony, proxy)));
    try_sign(alice, &["proxy"])
        .ended(4)
        .says(&format!("refused (code:{proxy}:"))
        .says(&code[1])
        .says(&other.to_string());
}

#[test]
fn a_target_without_code_is_refused() {
    let mut ceremony = two_of_three();
    let nobody = Address::repeat_byte(0x99);
    fs::create_dir(ceremony.desks[0].path("playbooks")).unwrap();
    let text = "schema = 1\nid = \"pause/blind\"\nkind = \"pause\"\ntitle = \"Poke\"\nseverity = \"P1\"\n\
        does_not_stop = \"anything\"\ncost = \"nothing\"\nundo = { none = \"nothing is done\" }\nsource = \"a test\"\n\n\
        [[param]]\nname = \"target\"\ntype = \"address\"\n\n[[step]]\nto = \"{target}\"\ncall = \"pause()\"\n\n\
        [[after]]\nview = \"getThreshold()(uint256)\"\non = \"{safe}\"\nexpect = \"2\"\n";
    fs::write(ceremony.desks[0].path("playbooks/blind.toml"), text).unwrap();
    ceremony.add_to_council(&format!(
        "\n[levers.blind]\nplaybook = \"pause/blind\"\nsafe = \"guardian\"\nset = {{ target = \"{nobody}\" }}\n"
    ));
    let run = ceremony.desks[0].run(&["pause", "blind"]).ended(4);
    run.says(&format!("no-code:{nobody}")).says("succeed and do nothing");
}

/// Two nodes that both say chain 31337 and have seen different blocks.
#[test]
fn two_rpcs_on_different_forks_give_nothing_to_sign() {
    let (here, there) = (Anvil::start(), Anvil::start());
    there.mine(3);
    let rpc = [here.url(), there.url()];
    let ceremony = Ceremony::on(here, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &rpc);
    there.mine(ceremony.anvil.block_number());
    let run = ceremony.desks[0].run(&["pause", "vault"]).ended(7).says("agree");
    assert!(run.stdout.is_empty(), "{}", run.stdout);
    try_sign(&ceremony.desks[0], &["vault"]).ended(7);
    assert!(!is_paused(&ceremony));
}

/// A module that somebody enabled is not one that the council pinned.
#[test]
fn a_module_of_the_safe_is_refused_until_the_council_file_pins_it() {
    let ceremony = two_of_three();
    as_the_safe(&ceremony, ceremony.safe, enableModuleCall { module: THIEF }.abi_encode());
    acceptance(&ceremony.desks[0].run(&["pause", "vault"]).ended(4), &[&format!("module:{THIEF}")]);
    let council =
        ceremony.council().replace("threshold = 2\n", &format!("threshold = 2\nmodules = [\"{THIEF}\"]\n"));
    fs::write(ceremony.desks[0].path("breakglass.toml"), council).unwrap();
    ceremony.desks[0].forgets();
    ceremony.desks[0].run(&["pause", "vault"]).ended(0);

    // A new council file pins what the Safe has.
    let (safe, rpc) = (ceremony.safe.to_string(), ceremony.anvil.url());
    let first = ["init", "--council", "new.toml", "--safe", &safe, "--rpc", &rpc];
    ceremony.desks[0].run(&first).ended(0);
    let written = fs::read_to_string(ceremony.desks[0].path("new.toml")).unwrap();
    let handler = published(Contract::FallbackHandler, SafeVersion::V1_4_1);
    for pin in [format!("modules = [\"{THIEF}\"]"), format!("fallback_handler = \"{handler}\"")] {
        assert!(written.contains(&pin), "{written}");
    }
    assert!(written.contains("guard = \"none\""), "{written}");
}

/// A Safe whose code was replaced can answer every call as a Safe does.
#[test]
fn a_safe_behind_code_that_no_factory_makes_is_refused() {
    let ceremony = two_of_three();
    let mut code = ceremony.anvil.code(ceremony.safe).to_vec();
    code.push(0);
    ceremony.anvil.set_code(ceremony.safe, &code.into());
    ceremony.desks[0].run(&["pause", "vault"]).ended(4).says("refused (unknown-proxy:0x");
}

/// A signer accepts a refusal by its name, and every later signer reads that.
#[test]
fn a_refusal_that_one_signer_accepted_is_shown_to_every_later_one() {
    let ceremony = two_of_three();
    as_the_safe(&ceremony, ceremony.safe, enableModuleCall { module: THIEF }.abi_encode());
    let [alice, bob, _] = &ceremony.desks[..] else { panic!("three desks") };
    let id = format!("module:{THIEF}");
    let accept = ["--accept", &id];
    let said =
        alice.run(&["--json", "pause", "vault", "--accept", &id, "--accept", "nonsense"]).ended(0).json();
    let proposal = alice.path(said["proposal"].as_str().unwrap());
    assert_eq!(
        serde_json::from_str::<Value>(&fs::read_to_string(&proposal).unwrap()).unwrap()["accepted"],
        json!([id])
    );
    // A line in a chat has no room for it; the signature's file has.
    let run = try_sign(alice, &[&["vault"], &accept[..]].concat()).ended(0);
    run.says(&format!("you accepted {id}: write that beside the line"));
    let folder = alice.path("out");
    fs::create_dir(&folder).unwrap();
    alice.run(&["export", "vault", "--to", path(&folder)]).ended(0);

    let carried = bob.path("carried.json");
    fs::copy(&proposal, &carried).unwrap();
    let shown = format!("accepted {id}");
    let run = try_sign(bob, &[path(&carried), "--accept", "modul"]).ended(4);
    let run = run
        .says(&format!("the file says that the proposer {shown}"))
        .says("--accept modul accepts nothing here");
    run.says(&format!("refused ({id})"));
    let signature = format!("{}.{}.sig.json", said["safe_tx_hash"].as_str().unwrap(), key(0).address);
    bob.run(&["import", path(&carried), path(&folder.join(signature))]).ended(0);
    try_sign(bob, &[path(&carried)]).ended(4).says(&format!("the file says that alice {shown}"));
}
