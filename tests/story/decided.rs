//! Transactions that rest on values of the chain: one RPC alone does not decide what is signed.

use std::fs;

use alloy::primitives::{Address, B256, keccak256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use serde_json::json;

use crate::stage::{Ceremony, Proxy, deploy, key};
use crate::steps::{accepting, behind, try_sign};

sol! {
    function hasRole(bytes32 role, address account) external view returns (bool);
    function decimals() external view returns (uint8);
}

/// Sets the fee of a vault to an amount of a token.
const CAP: &str = r#"schema = 1
id = "param/cap"
kind = "param"
title = "Set a cap"
severity = "P3"
does_not_stop = "anything"
cost = "none"
undo = { none = "a test" }
source = "tests/story"

[[param]]
name = "target"
type = "address"

[[param]]
name = "token"
type = "address"

[[param]]
name = "cap"
type = "uint256"
unit = "token"
decimals = "{decimals}"

[[read]]
name = "decimals"
view = "decimals()(uint8)"
on = "{token}"

[[step]]
to = "{target}"
call = "setFee(uint256 cap)"
args = ["{cap}"]

[[after]]
view = "fee()(uint256)"
on = "{target}"
expect = "{cap}"
"#;

const GRANT: &str = "grantRole(bytes32,address)";

/// A ceremony behind as many RPCs, the first of which can lie.
/// Lever `role`: moves a role from one account to another.
fn add_role_lever(ceremony: &mut Ceremony) -> Address {
    let role = keccak256("PAUSER_ROLE");
    let (old, new) = (key(8).address, key(9).address);
    let target = deploy(&ceremony.anvil, "Controlled", &(ceremony.safe, role, old).abi_encode_params());
    ceremony.add_to_council(&format!(
        "\n[targets.controlled]\nanvil = \"{target}\"\n\n[levers.role]\nplaybook = \"rotate/oz-access-control\"\n\
         safe = \"guardian\"\nset = {{ target = \"controlled\", role = \"{role}\", old = \"{old}\", new = \"{new}\" }}\n"
    ));
    target
}

/// The new account has the role already, says the RPC: then the step that gives it to them is left out.
fn lie_about_the_role(proxy: &Proxy) {
    let asked = hasRoleCall { role: keccak256("PAUSER_ROLE"), account: key(9).address }.abi_encode();
    let asked = json!(alloy::hex::encode_prefixed(asked));
    proxy.rewrite(move |method, params, truth| match method {
        "eth_call" if params[0]["data"] == asked || params[0]["input"] == asked => {
            Ok(json!(B256::with_last_byte(1)))
        }
        _ => truth,
    });
}

#[test]
fn a_single_rpc_that_leaves_out_a_step_decides_nothing() {
    let (mut ceremony, proxies) = behind::<1>();
    add_role_lever(&mut ceremony);
    let alice = &ceremony.desks[0];
    lie_about_the_role(&proxies[0]);
    for command in [&["rotate", "role"][..], &["rotate", "role", "--proofs"], &["check", "role"]] {
        let run = alice.run(command);
        assert_ne!(run.code, 0, "{run:?}");
    }
    let run = try_sign(alice, &["role"]).ended(4).says("one-rpc-decides:");
    let run = run.says(&format!("left out: {GRANT}")).says(&format!("that {GRANT} is left out, because"));
    assert!(!run.stdout.contains("bgsig2"));
    // A signer who compared the values elsewhere accepts these answers, and no others.
    let accepted = accepting(&["one-rpc-decides:"], |words| try_sign(alice, &[&["role"], words].concat()));
    accepted.ended(4).says("refused (after:2:").never_says("accept one-rpc-decides");
    let lied = crate::steps::acceptance(&try_sign(alice, &["role"]), &["one-rpc-decides:"]);
    proxies[0].honest();
    let words = ["role", &lied[0], &lied[1]];
    try_sign(alice, &words)
        .ended(4)
        .says("refused (one-rpc-decides:")
        .says(&format!("that {GRANT} is called, because"));
}

#[test]
fn two_rpcs_decide_and_one_that_lies_beside_an_honest_one_decides_nothing() {
    let (mut ceremony, proxies) = behind::<2>();
    add_role_lever(&mut ceremony);
    let alice = &ceremony.desks[0];
    let said = alice.run(&["--json", "rotate", "role"]).ended(0).json();
    let decided = said["decided_by_the_chain"].as_array().unwrap();
    assert_eq!(decided[0]["call"], json!(GRANT));
    assert_eq!(decided[0]["part"], json!("made"));
    try_sign(alice, &["role"]).ended(0).says(&format!("the chain decides that {GRANT} is called"));
    lie_about_the_role(&proxies[0]);
    try_sign(alice, &["role"]).ended(7);
}

/// 10^20 for 10^8, shown as 100 both times.
#[test]
fn a_single_rpc_that_tells_a_tokens_decimals_decides_nothing() {
    let (mut ceremony, proxies) = behind::<1>();
    let token =
        deploy(&ceremony.anvil, "Token", &(ceremony.safe, alloy::primitives::U256::ZERO).abi_encode_params());
    ceremony.add_to_council(&format!(
        "\n[targets.token]\nanvil = \"{token}\"\n\n[levers.cap]\nplaybook = \"param/cap\"\nsafe = \"guardian\"\n\
         set = {{ target = \"vault\", token = \"token\", cap = \"0.0000000000000001\" }}\n"
    ));
    let alice = &ceremony.desks[0];
    fs::create_dir(alice.path("playbooks")).unwrap();
    fs::write(alice.path("playbooks/cap.toml"), CAP).unwrap();
    let run = try_sign(alice, &["cap"]).ended(4).says("refused (one-rpc-decides:");
    let run = run.says("cap of setFee(uint256), because token").says("decimals() is 18");
    let honest = crate::steps::acceptance(&run, &["one-rpc-decides:"]);
    let asked = json!(alloy::hex::encode_prefixed(decimalsCall {}.abi_encode()));
    proxies[0].rewrite(move |method, params, truth| match method {
        "eth_call" if params[0]["data"] == asked || params[0]["input"] == asked => {
            Ok(json!(B256::with_last_byte(17)))
        }
        _ => truth,
    });
    let lied = try_sign(alice, &["cap", &honest[0], &honest[1]]);
    lied.ended(4).says("refused (one-rpc-decides:").says("decimals() is 17");
}

/// Levers that use no value of the chain are not affected: a pause, and a rotation whose owners are pinned.
#[test]
fn a_single_rpc_is_enough_where_it_decides_nothing() {
    let (mut ceremony, _proxies) = behind::<1>();
    let (old, new) = (key(1).address, key(7).address);
    ceremony.add_to_council(&format!(
        "\n[levers.rotate]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\n\
         set = {{ old = \"{old}\", new = \"{new}\" }}\n"
    ));
    let alice = &ceremony.desks[0];
    for lever in ["vault", "rotate"] {
        try_sign(alice, &[lever]).ended(0).never_says("one-rpc-decides");
    }
    // Without the pin, the list that the new owner's place follows from is one RPC's word.
    let bob = &ceremony.desks[1];
    let council = fs::read_to_string(bob.path("breakglass.toml")).unwrap();
    let is_pin = |line: &&str| line.starts_with("owners = ") || line.starts_with("threshold = ");
    let without = council.lines().filter(|line| !is_pin(line)).collect::<Vec<_>>().join("\n");
    fs::write(bob.path("breakglass.toml"), without).unwrap();
    try_sign(bob, &["vault"]).ended(0);
    let run = try_sign(bob, &["rotate"]).ended(4).says("refused (one-rpc-decides:");
    run.says("prevOwner of swapOwner(address,address,address)");
}

/// The name is the library's, and the calls are the file's.
#[test]
fn a_playbook_that_takes_a_built_in_ones_id_is_named_with_what_differs() {
    let (ceremony, _proxies) = behind::<1>();
    let text = include_str!("../../playbooks/pause/oz-pausable.toml");
    let [alice, bob, _] = &ceremony.desks[..] else { panic!("three desks") };
    for desk in [alice, bob] {
        fs::create_dir(desk.path("playbooks")).unwrap();
    }
    fs::write(alice.path("playbooks/stop.toml"), text).unwrap();
    try_sign(alice, &["vault"]).ended(0).never_says("replaces-built-in");
    let other = text.replace("title = \"", "title = \"Not ").replace("tried = true\n", "");
    fs::write(bob.path("playbooks/stop.toml"), &other).unwrap();
    let digest = |text: &str| keccak256(text).to_string()[2..18].to_string();
    let run =
        try_sign(bob, &["vault"]).ended(0).says("replaces-built-in:").says("playbooks/stop.toml, digest");
    let run = run.says(&digest(text)).says(&digest(&other)).says("in place of the one built in");
    run.says("step 1: pause() on {target}, and built in pause() on {target}, tried before").says("title");
}
