//! Who controls the contracts afterwards: owners, roles, implementations and timelocks that change hands without the
//! playbook saying so.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};

use super::{Facts, Finding, has_word};
use crate::chain::fork::{Outcome, PROXY_SLOTS, Rehearsal};
use crate::playbook::PlannedCall;

/// Events that say who controls a contract or what code it runs, and which of their words say whom or what. Sources:
/// OpenZeppelin Contracts 5.x, ERC-1967, EIP-2535, DSAuth, Solady, Compound v2, Safe.
const EVENTS: [(&str, &[usize]); 22] = [
    ("OwnershipTransferred(address,address)", &[1]),
    ("OwnershipTransferStarted(address,address)", &[1]),
    ("RoleGranted(bytes32,address,address)", &[0, 1]),
    ("RoleRevoked(bytes32,address,address)", &[0, 1]),
    ("RoleAdminChanged(bytes32,bytes32,bytes32)", &[0, 2]),
    ("DefaultAdminTransferScheduled(address,uint48)", &[0]),
    ("RoleGranted(uint64,address,uint32,uint48,bool)", &[0, 1]),
    ("RoleRevoked(uint64,address)", &[0, 1]),
    ("RolesUpdated(address,uint256)", &[0]),
    ("AdminChanged(address,address)", &[1]),
    ("Upgraded(address)", &[0]),
    ("BeaconUpgraded(address)", &[0]),
    ("AuthorityUpdated(address)", &[0]),
    ("LogSetOwner(address)", &[0]),
    ("LogSetAuthority(address)", &[0]),
    ("NewAdmin(address,address)", &[1]),
    ("NewPendingAdmin(address,address)", &[1]),
    ("NewImplementation(address,address)", &[1]),
    ("DiamondCut((address,uint8,bytes4[])[],address,bytes)", &[]),
    ("AddedOwner(address)", &[0]),
    ("EnabledModule(address)", &[0]),
    ("ChangedGuard(address)", &[0]),
];
/// Proxies from before EIP-1967 keep implementation and administrator at the hashes of these names.
const OLD_SLOTS: [&str; 2] = ["org.zeppelinos.proxy.implementation", "org.zeppelinos.proxy.admin"];
/// Parts of a function's name by which a playbook says that it changes control.
const SAYING: [&str; 11] = [
    "owner",
    "admin",
    "role",
    "upgrade",
    "implementation",
    "authority",
    "governor",
    "diamondcut",
    "rely",
    "deny",
    "member",
];

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let rehearsed = facts.rehearsal.filter(|rehearsal| rehearsal.outcome != Outcome::Reverted);
    let mut all = rehearsed.map(|rehearsal| control(facts, rehearsal)).unwrap_or_default();
    all.extend(order(facts));
    all
}

/// An owner swapped behind a harmless call: one refusal for each contract.
fn control(facts: &Facts, rehearsal: &Rehearsal) -> Vec<Finding> {
    let safe = facts.proposal.safe().address;
    let known = EVENTS.map(|(event, words)| (keccak256(event), event, words));
    let old = OLD_SLOTS.map(|name| (keccak256(name), name));
    let slots: Vec<(B256, &str)> = PROXY_SLOTS.into_iter().chain(old).collect();

    let events = rehearsal.events.iter().filter_map(|log| {
        let (_, event, gains) = known.iter().find(|(topic, ..)| log.topics().first() == Some(topic))?;
        let words: Vec<B256> = log.topics()[1..]
            .iter()
            .copied()
            .chain(log.data.data.chunks_exact(32).map(B256::from_slice))
            .collect();
        let gained: Vec<B256> = gains.iter().map(|at| words.get(*at).copied().unwrap_or_default()).collect();
        Some((log.address, event.split('(').next().unwrap_or_default(), gained))
    });
    let writes = rehearsal.writes.iter().filter_map(|write| {
        let (_, name) = slots.iter().find(|(slot, _)| *slot == write.slot)?;
        Some((write.address, *name, vec![write.new]))
    });
    let mut undeclared: BTreeMap<Address, BTreeSet<&str>> = BTreeMap::new();
    for (contract, what, gained) in events.chain(writes) {
        if contract != safe && !is_said(facts, contract, &gained, what == "RoleRevoked") {
            undeclared.entry(contract).or_default().insert(what);
        }
    }
    if undeclared.is_empty() {
        let sentence =
            "nobody is seen to get control of a contract, and none is upgraded, but as the playbook says";
        return vec![Finding::pass("control", sentence)];
    }
    let refuse = |(contract, what): (Address, BTreeSet<&str>)| {
        let list = what.into_iter().collect::<Vec<_>>().join(", ");
        let sentence =
            format!("it changes who controls {contract}, and the playbook does not say so: {list}");
        let fix = "do not sign before you know why; ask its proposer in person";
        Finding::refuse(format!("control:{contract}"), sentence, fix)
    };
    undeclared.into_iter().map(refuse).collect()
}

/// One of the reader's own calls to that contract, or with it, names whom and what; or by a call whose name says so it
/// is the Safe that gains, or nobody, or somebody who loses.
fn is_said(facts: &Facts, contract: Address, gained: &[B256], loses: bool) -> bool {
    let safe = facts.proposal.safe().address.into_word();
    let named = |signature: &str| {
        let name = signature.split('(').next().unwrap_or_default().to_ascii_lowercase();
        SAYING.iter().any(|word| name.contains(word))
    };
    let calls = facts.plan.map_or(&[][..], |plan| &plan.calls);
    // Without a word to look for, only the name can say it.
    if gained.is_empty() {
        return calls.iter().any(|planned| planned.call.to == contract && named(&planned.signature));
    }
    let last = gained.len() - 1;
    // A function for one role, such as addGuardian(address), takes no role; that of zero is every administrator's.
    let own_role = |planned: &PlannedCall, role: &B256| {
        planned.call.data.len() == 4 || (!role.is_zero() && !planned.signature.contains("bytes32"))
    };
    let implied = |planned: &PlannedCall, at: usize, word: &B256| {
        let by_name =
            if at == last { loses || word.is_zero() || *word == safe } else { own_role(planned, word) };
        named(&planned.signature) && by_name
    };
    calls.iter().filter(|planned| Facts::is_about(planned, contract)).any(|planned| {
        let said =
            |(at, word): (usize, &B256)| has_word(&planned.call.data, word) || implied(planned, at, word);
        gained.iter().enumerate().all(said)
    })
}

/// Operations queued apart can be executed apart: each after the first has to name the one before it. Only those of
/// one transaction on an OpenZeppelin TimelockController are seen here.
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
        None => Some(Finding::pass(id, "the operations that it queues can only be executed in their order")),
        Some(timelock) => Some(Finding::refuse(
            format!("{id}:{timelock}"),
            format!(
                "it queues several operations on timelock {timelock}, and anyone could execute them in another order"
            ),
            "queue them as one with scheduleBatch, or let each name the one before as its predecessor; where any order is right, accept it",
        )),
    }
}

struct Scheduled {
    id: B256,
    predecessor: B256,
}

/// Source: OpenZeppelin TimelockController, `hashOperation` and `hashOperationBatch`: the id is the hash of all arguments
/// but the delay. Without that word, everything behind it lies one word nearer.
fn scheduled(data: &Bytes) -> Option<Scheduled> {
    let moving: &[usize] = match data.get(..4)? {
        selector if selector == selector_of("schedule(address,uint256,bytes,bytes32,bytes32,uint256)") => {
            &[2]
        }
        selector
            if selector
                == selector_of("scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)") =>
        {
            &[0, 1, 2]
        }
        _ => return None,
    };
    let (head, tail) = data.get(4..)?.split_at_checked(6 * 32)?;
    let mut encoded = Vec::with_capacity(data.len());
    for (at, word) in head.chunks(32).take(5).enumerate() {
        let offset = U256::from_be_slice(word).wrapping_sub(U256::from(32));
        if moving.contains(&at) {
            encoded.extend_from_slice(&offset.to_be_bytes::<32>());
        } else {
            encoded.extend_from_slice(word);
        }
    }
    encoded.extend_from_slice(tail);
    Some(Scheduled { id: keccak256(encoded), predecessor: B256::from_slice(head.get(96..128)?) })
}

fn selector_of(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature);
    [hash[0], hash[1], hash[2], hash[3]]
}
