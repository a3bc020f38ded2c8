//! Levers on a chain in memory: read, rehearsed and judged as on a real one.

mod accepted;
mod ahead;
mod choosing;
mod held;
mod imported;
mod rehearsing;
mod state;

use super::bytecode::{Body, contract};
use super::memory::Memory;
use super::*;
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::check::Level;

const GUARDIAN: Address = Address::repeat_byte(0x11);
const LABS: Address = Address::repeat_byte(0x22);
const BRIDGE: Address = Address::repeat_byte(0x88);

/// The functions of a contract that can be paused and takes a fee.
const VAULTS: [(&str, Body); 5] = [
    ("pause()", Body::Set(0, 1)),
    ("unpause()", Body::Set(0, 0)),
    ("paused()", Body::Get(0)),
    ("setFee(uint256)", Body::Put(1)),
    ("fee()", Body::Get(1)),
];

/// A chain with the Safes and the targets of the council file: nothing is paused, the fee is 30 bps.
pub(in crate::ceremony) fn chain() -> Memory {
    let node = Memory::new(1);
    furnish(&node);
    node
}

/// Puts the Safes and the targets of the council file there.
pub(in crate::ceremony) fn furnish(node: &Memory) {
    node.safe(GUARDIAN, &[address(ALICE), address(BOB), LABS], 2, 4);
    node.safe(LABS, &[address(CAROL), address(DORA)], 1, 0);
    let code = contract(&VAULTS);
    for target in [VAULT, BRIDGE] {
        node.code(target, code.clone());
        node.set(target, 1, 30);
    }
}

/// A signer's folder whose mainnet is this chain.
pub(in crate::ceremony) fn home(node: &Memory) -> Home {
    Home::new().with("http://127.0.0.1:9", &node.url())
}

/// A folder whose mainnet has two RPCs, so that what a transaction rests on is not one RPC's word alone.
fn home_of_two(nodes: [&Memory; 2]) -> Home {
    let [one, other] = nodes.map(Memory::url);
    Home::new().with("rpc = [\"http://127.0.0.1:9\"]", &format!("rpc = [\"{one}\", \"{other}\"]\nquorum = 2"))
}

/// A desk with a lever `both` of a playbook with these steps and checks.
pub(in crate::ceremony) fn with_both<'a>(home: &'a Home, steps: &str) -> Desk<'a> {
    let mut desk = home.desk();
    desk.catalogue.add(
        "playbooks/both.toml",
        &format!(
            "schema = 1\nid = \"pause/both\"\nkind = \"pause\"\ntitle = \"Pause, and a fee\"\nseverity = \"P1\"\n\
             does_not_stop = \"anything else\"\ncost = \"nothing\"\nundo = {{ none = \"a test\" }}\n\
             source = \"a test\"\n\n[[param]]\nname = \"target\"\ntype = \"address\"\n\n{steps}"
        ),
    );
    desk
}

const BOTH: &str = "[levers.both]\nplaybook = \"pause/both\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n[levers.freeze]";

/// Pauses unless the fee is 17, and sets the fee to 30.
const SKIPPING: &str = "[[step]]\nto = \"{target}\"\ncall = \"pause()\"\n\
     skip_if = { view = \"fee()(uint256)\", on = \"{target}\", expect = \"17\" }\n\
     [[step]]\nto = \"{target}\"\ncall = \"setFee(uint256)\"\nargs = [\"30\"]\n\n\
     [[after]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"30\"\n";

/// Sets a bit of the fee, whatever else is in it.
pub(in crate::ceremony) const SETTING_A_BIT: &str = "[[read]]\nname = \"now\"\nview = \"fee()(uint256)\"\non = \"{target}\"\n\n\
     [[step]]\nto = \"{target}\"\ncall = \"setFee(uint256)\"\nargs = [\"{or(now, 8)}\"]\n\n\
     [[after]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"{or(now, 8)}\"\n";

/// The proposal of a lever as the chain is now.
fn live_proposal(desk: &Desk, levers: &[&str], given: &Given) -> Proposal {
    let order = order(desk, levers, given);
    desk.propose(order, given).unwrap().online.derived.proposal
}

fn keep_signed(desk: &Desk, proposal: &Proposal, seeds: &[u8]) {
    desk.keep_proposal(proposal).unwrap();
    for seed in seeds {
        desk.keep_signature(proposal, &sign(desk, *seed, proposal)).unwrap();
    }
}

/// The signature of a key, whether it counts or not.
fn signature_by(seed: u8, proposal: &Proposal) -> OwnerSignature {
    let owners = crate::safe::Owners::new(vec![address(seed)], 1).unwrap();
    let state = crate::safe::SafeState { owners, ..proposal.snapshot().clone() };
    let owners = crate::proposal::SafeOwners::of(&state);
    OwnerSignature::verify(&stated(seed, proposal), proposal, &owners).unwrap()
}

/// Keeps a set in which somebody has signed a transaction at these nonces.
fn keep_set(desk: &Desk, seed: u8, proposal: &Proposal, nonces: &[u64]) {
    let signed: Vec<_> = nonces
        .iter()
        .map(|nonce| {
            let nonce = Nonce::from(*nonce);
            let signature = signature_by(seed, &proposal.with_nonce(nonce));
            crate::proposal::SignedAhead { made: None, target: 0, nonce, signature }
        })
        .collect();
    let set = crate::proposal::Set::new(proposal, 1, &signed).unwrap();
    desk.incidents.keep_set(&format!("set-{seed}-{}", nonces[0]), &set.to_json()).unwrap();
}

pub(in crate::ceremony) fn evaluated<'a>(
    desk: &'a Desk<'a>,
    what: &[&str],
    given: &Given,
    purpose: CommandPurpose,
) -> Vec<Judged<'a>> {
    let parts = desk.evaluate(&words(what), given, purpose).unwrap();
    parts.into_iter().map(|part| part.result.unwrap().judge(true)).collect()
}

const PAYER: Address = Address::repeat_byte(0x77);

fn one<'a>(desk: &'a Desk<'a>, what: &str, purpose: CommandPurpose) -> Judged<'a> {
    evaluated(desk, &[what], &Given::default(), purpose).remove(0)
}

/// A proposal as a file that somebody handed over, held against the chain.
fn handed<'a>(desk: &'a Desk<'a>, proposal: &Proposal) -> Judged<'a> {
    let given = Given::default();
    let found = Found::Proposal(Box::new(desk.find_own_lever(proposal.clone(), &given).unwrap()));
    let view = desk.read_point(found.safe()).unwrap();
    desk.evaluate_found(found, view, &given, true, None).unwrap().judge(true)
}

fn rounds(judged: &Judged) -> u32 {
    judged.seen().unwrap().link.rounds()
}

#[test]
fn a_lever_is_derived_at_the_next_nonce_and_rehearsed() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = evaluated(&desk, &["vault"], &Given::default(), CommandPurpose::Propose).remove(0);
    assert_eq!(vault.proposal().nonce(), Nonce::from(4));
    assert_eq!(vault.proposal().tx().to, VAULT);
    let done = vault.rehearsal.done().unwrap();
    assert_eq!((done.rehearsal.writes.len(), done.rehearsal.outcome), (2, crate::fork::RunResult::Succeeded));
    let refused: Vec<_> = vault.findings.iter().filter(|found| found.level == Level::Refuse).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

/// A transaction that a test mines has a receipt, events and effects, as on a node.
#[test]
fn a_mined_transaction_is_read_as_from_a_node() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let judged = evaluated(&desk, &["vault"], &Given::default(), CommandPurpose::Propose).remove(0);
    let other = node.twin();
    for seed in [ALICE, BOB] {
        desk.keep_signature(judged.proposal(), &sign(&desk, seed, judged.proposal())).unwrap();
    }
    let mut judged = evaluated(&desk, &["vault"], &Given::default(), CommandPurpose::Finish);
    let vault = judged.remove(0);
    let tree = vault.seen().unwrap().fresh().unwrap();
    let ready = crate::proposal::assemble(vault.proposal(), &vault.approvals(), tree).unwrap();
    let sender = Address::repeat_byte(0x77);
    let tx = node.execute(vault.proposal(), ready.signatures(), sender);
    assert_eq!((node.read(VAULT, 0), node.read(GUARDIAN, 5)), (U256::from(1), U256::from(5)));
    let link = &vault.seen().unwrap().link;
    let receipt = link.receipt(tx).unwrap().unwrap();
    assert!(receipt.succeeded && receipt.from == sender && receipt.block.number == super::memory::FIRST + 1);
    let executions = link.last_executions(vault.proposal().safe(), &receipt.block).unwrap();
    assert_eq!((executions.len(), executions[0].tx, executions[0].hash), (1, tx, vault.proposal().hash()));
    assert_eq!((other.read(VAULT, 0), other.read(GUARDIAN, 5)), (U256::ZERO, U256::from(4)));
    let failed = node.mine_call(sender, VAULT, &Bytes::new(), false);
    assert!(!link.receipt(failed).unwrap().unwrap().succeeded);
    assert_eq!(node.mine(), super::memory::FIRST + 3);
}

#[test]
fn a_chain_that_is_old_or_answers_half_is_not_believed() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let given = Given::default();
    found_offline(&desk, &["vault"], &at(4)).unwrap();
    assert!(node.asked().is_empty(), "offline nothing is asked");
    let vault = evaluated(&desk, &["vault"], &given, CommandPurpose::Propose).remove(0);
    assert!(node.asked().contains(&"eth_getStorageAt".to_string()));
    assert!(vault.enforce_fresh(&[]).is_ok());
    node.age(100_000);
    let vault = evaluated(&desk, &["vault"], &given, CommandPurpose::Propose).remove(0);
    assert!(vault.enforce_fresh(&[]).is_err());
    node.refuse("eth_getStorageAt");
    let parts = desk.evaluate(&words(&["vault"]), &given, CommandPurpose::Propose).unwrap();
    assert!(parts.iter().all(|part| part.result.is_err()));
}
