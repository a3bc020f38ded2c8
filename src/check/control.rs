//! Who controls the contracts afterwards: owners, roles, implementations and timelocks that change hands without the
//! playbook saying so.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};

use super::{Facts, Finding};
use crate::chain::fork::{PROXY_SLOTS, Rehearsal};
use crate::playbook::Change;

/// Events that say who controls a contract, or what code it runs. Sources: OpenZeppelin Contracts 5.x, ERC-1967.
const EVENTS: [&str; 9] = [
    "OwnershipTransferred(address,address)",
    "OwnershipTransferStarted(address,address)",
    "RoleGranted(bytes32,address,address)",
    "RoleRevoked(bytes32,address,address)",
    "RoleAdminChanged(bytes32,bytes32,bytes32)",
    "AdminChanged(address,address)",
    "Upgraded(address)",
    "BeaconUpgraded(address)",
    "AuthorityUpdated(address)",
];
/// Parts of a function's name by which a playbook says that it changes control.
const SAYING: [&str; 11] = [
    "owner",
    "admin",
    "role",
    "upgrade",
    "implementation",
    "authority",
    "governor",
    "guardian",
    "rely",
    "deny",
    "member",
];

sol! {
    /// TimelockController: whoever has the executor's role, often everybody, runs what is due, in any order.
    function schedule(
        address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay
    ) external;
    function scheduleBatch(
        address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt, uint256 delay
    ) external;
}

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all: Vec<Finding> =
        facts.rehearsal.map(|rehearsal| control(facts, rehearsal)).into_iter().collect();
    all.extend(order(facts));
    all
}

/// An owner swapped behind a harmless call.
fn control(facts: &Facts, rehearsal: &Rehearsal) -> Finding {
    let id = "control";
    let safe = facts.proposal.safe().address;
    let topics = EVENTS.map(|event| (keccak256(event), event));
    let events = rehearsal.events.iter().filter_map(|log| {
        let event = topics.iter().find(|(topic, _)| log.topics().first() == Some(topic))?.1;
        Some((log.address, event.split('(').next().unwrap_or_default()))
    });
    let slots = rehearsal.writes.iter().filter_map(|write| {
        let (_, name) = PROXY_SLOTS.iter().find(|(slot, _)| *slot == write.slot)?;
        Some((write.address, *name))
    });
    let undeclared: BTreeSet<String> = events
        .chain(slots)
        .filter(|(contract, _)| *contract != safe && !is_declared(facts, *contract))
        .map(|(contract, what)| format!("{what} of {contract}"))
        .collect();
    if undeclared.is_empty() {
        return Finding::pass(
            id,
            "nobody gets control of a contract, and none is upgraded, unless the playbook says so",
        );
    }
    let list: Vec<String> = undeclared.into_iter().collect();
    let sentence =
        format!("it changes who controls a contract, and the playbook does not say so: {}", list.join("; "));
    Finding::refuse(id, sentence, "do not sign before you know why; ask its proposer in person")
}

/// The playbook calls a function of that contract, or with that contract, whose name says it; or declares it.
fn is_declared(facts: &Facts, contract: Address) -> bool {
    let Some(plan) = facts.plan else { return false };
    let says = |signature: &str| {
        let name = signature.split('(').next().unwrap_or_default().to_ascii_lowercase();
        SAYING.iter().any(|word| name.contains(word))
    };
    let word = contract.into_word();
    let about =
        |data: &Bytes| data.get(4..).unwrap_or_default().chunks(32).any(|chunk| chunk == word.as_slice());
    plan.changes.contains(&Change::Contract(contract))
        || plan.calls.iter().any(|planned| {
            says(&planned.signature) && (planned.call.to == contract || about(&planned.call.data))
        })
}

/// Operations queued apart can be executed apart: each after the first has to name the one before it.
fn order(facts: &Facts) -> Option<Finding> {
    let id = "timelock-order";
    let scheduled: Vec<_> = facts.calls().iter().filter_map(|c| Some((c.to, scheduled(&c.data)?))).collect();
    let timelocks: BTreeSet<Address> = scheduled.iter().map(|(timelock, _)| *timelock).collect();
    let loose = timelocks.into_iter().find(|timelock| {
        let own: Vec<_> = scheduled.iter().filter(|(to, _)| to == timelock).map(|(_, op)| op).collect();
        own.windows(2).any(|pair| pair[1].predecessor != pair[0].id)
    });
    match loose {
        None if scheduled.len() < 2 => None,
        None => Some(Finding::pass(id, "the queued operations can only be executed in their order")),
        Some(timelock) => Some(Finding::refuse(
            id,
            format!(
                "it queues several operations on timelock {timelock}, and anyone could execute them out of order"
            ),
            "queue them as one with scheduleBatch, or let each name the one before as its predecessor",
        )),
    }
}

struct Scheduled {
    id: B256,
    predecessor: B256,
}

/// Source: OpenZeppelin TimelockController, `hashOperation` and `hashOperationBatch`.
fn scheduled(data: &Bytes) -> Option<Scheduled> {
    if let Ok(call) = scheduleCall::abi_decode(data) {
        let parts: (Address, U256, Bytes, B256, B256) =
            (call.target, call.value, call.data, call.predecessor, call.salt);
        return Some(Scheduled { id: keccak256(parts.abi_encode_params()), predecessor: call.predecessor });
    }
    let call = scheduleBatchCall::abi_decode(data).ok()?;
    let parts = (call.targets, call.values, call.payloads, call.predecessor, call.salt);
    Some(Scheduled { id: keccak256(parts.abi_encode_params()), predecessor: call.predecessor })
}
