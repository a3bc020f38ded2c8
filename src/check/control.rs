//! Checks of who controls the contracts afterwards: owners, roles, implementations and timelocks that change without
//! the playbook saying so.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};

use super::description::{ASK, Description, Id, listed};
use super::facts::has_word;
use super::{Check, Facts, all};
use crate::evm::Write;
use crate::fork::{Moved, PROXY_SLOTS, Rehearsal};
use crate::playbook::PlannedCall;

/// Events that say who controls a contract or what code it runs, with the places of the words that name them. Sources:
/// OpenZeppelin Contracts 5.x, ERC-1967, EIP-2535, DSAuth, Solady, Compound v2, Safe.
const GAINS: [(&str, &[usize]); 20] = [
    ("OwnershipTransferred(address,address)", &[1]),
    ("OwnershipTransferStarted(address,address)", &[1]),
    ("RoleGranted(bytes32,address,address)", &[0, 1]),
    ("RoleAdminChanged(bytes32,bytes32,bytes32)", &[0, 2]),
    ("DefaultAdminTransferScheduled(address,uint48)", &[0]),
    ("RoleGranted(uint64,address,uint32,uint48,bool)", &[0, 1]),
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
/// Events by which somebody loses control of a contract, with the places of the words that name them.
const LOSSES: [(&str, &[usize]); 2] =
    [("RoleRevoked(bytes32,address,address)", &[0, 1]), ("RoleRevoked(uint64,address)", &[0, 1])];
/// Proxies from before EIP-1967 keep implementation and administrator at the hashes of these names.
const OLD_SLOTS: [&str; 2] = ["org.zeppelinos.proxy.implementation", "org.zeppelinos.proxy.admin"];
/// Parts of a function's name by which a playbook says that it changes control.
const CONTROL_WORDS: [&str; 11] = [
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

pub(super) const CHECKS: [Check; 2] = [
    ("control", |facts| all(facts.effects().map_or_else(Vec::new, |effects| control(facts, effects)))),
    ("timelock order", |facts| all(order(facts))),
];

/// A change of an owner, a role, an implementation or a timelock's order. `Gained`: control of a contract that changes hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlProblem {
    NobodyGains,
    Gained { contract: Address, what: BTreeSet<String> },
    InOrder,
    AnyOrder { timelock: Address, operations: Vec<TimelockOperation> },
}

impl ControlProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::NobodyGains => Description::pass(
                "control",
                "no contract is upgraded or gets another owner, but as the playbook says",
            ),
            Self::Gained { contract, what } => {
                let what: Vec<String> = what.iter().cloned().collect();
                Description::refuse(
                    Id::of("control", contract).digest_all(&what),
                    format!(
                        "it changes who controls {contract}, or may do so, and the playbook does not say so: {}",
                        listed(&what)
                    ),
                    ASK,
                )
            }
            Self::InOrder => Description::pass(
                "timelock-order",
                "the operations that it queues can only be executed in their order",
            ),
            Self::AnyOrder { timelock, operations } => {
                let queued = operations.iter().map(|o| format!("{} after {}", o.id, o.predecessor));
                Description::refuse(
                    Id::of("timelock-order", timelock).digest_all(&queued.collect::<Vec<_>>()),
                    format!(
                        "it queues several operations on timelock {timelock}, and anyone could execute them in another \
                         order"
                    ),
                    "queue them as one with scheduleBatch, or let each name the one before as its predecessor; where any \
                     order is right, accept it",
                )
            }
        }
    }
}

/// Somebody or something that gets, or loses, control of a contract.
struct Gain {
    contract: Address,
    /// The event, or the name of the slot.
    what: &'static str,
    words: Vec<B256>,
    loses: bool,
}

impl Gain {
    fn describe(&self) -> String {
        let shown = self.words.iter().map(|word| match address_of(*word) {
            Some(address) => format!(" {address}"),
            None => format!(" {word}"),
        });
        format!("{}{}", self.what, shown.collect::<String>())
    }
}

/// Returns the address in a word; `None` if its first 12 bytes are not zero.
fn address_of(word: B256) -> Option<Address> {
    word[..12].iter().all(|byte| *byte == 0).then(|| Address::from_word(word))
}

/// Returns one refusal for each contract whose control changes undeclared, such as an owner swapped behind a harmless
/// call.
fn control(facts: &Facts, rehearsal: &Rehearsal) -> Vec<ControlProblem> {
    let safe = facts.proposal.safe().address;
    let gained = GAINS.map(|(event, words)| (keccak256(event), event, words, false));
    let lost = LOSSES.map(|(event, words)| (keccak256(event), event, words, true));
    let proxy = PROXY_SLOTS.map(|proxy| (proxy.slot, proxy.name));
    let old = OLD_SLOTS.map(|name| (keccak256(name), name));
    let slots: Vec<(B256, &str)> = proxy.into_iter().chain(old).collect();

    let events = rehearsal.events.iter().filter_map(|log| {
        let is_it = |(topic, ..): &&(B256, _, _, _)| log.topics().first() == Some(topic);
        let (_, event, at, loses) = gained.iter().chain(&lost).find(is_it)?;
        let words: Vec<B256> = log.topics()[1..]
            .iter()
            .copied()
            .chain(log.data.data.chunks_exact(32).map(B256::from_slice))
            .collect();
        let words = at.iter().map(|at| words.get(*at).copied().unwrap_or_default()).collect();
        let what = event.split('(').next().unwrap_or_default();
        Some(Gain { contract: log.address, what, words, loses: *loses })
    });
    let writes = rehearsal.writes.iter().filter_map(|write| {
        let (_, name) = slots.iter().find(|(slot, _)| *slot == write.slot)?;
        Some(Gain { contract: write.address, what: name, words: vec![write.new], loses: false })
    });
    let gains: Vec<Gain> = events.chain(writes).filter(|gain| gain.contract != safe).collect();
    let mut undeclared: BTreeMap<Address, BTreeSet<String>> = BTreeMap::new();
    for gain in gains.iter().filter(|gain| !is_expected(facts, gain)) {
        undeclared.entry(gain.contract).or_default().insert(gain.describe());
    }
    let is_named = |write: &Write| slots.iter().any(|(slot, _)| *slot == write.slot);
    for write in rehearsal.writes.iter().filter(|write| write.address != safe && !is_named(write)) {
        let moved = write.addresses();
        if !moved.is_empty() && !is_explained(facts, write, &moved, &gains, &rehearsal.writes) {
            undeclared.entry(write.address).or_default().insert(describe_write(write, &moved));
        }
    }
    if undeclared.is_empty() {
        return vec![ControlProblem::NobodyGains];
    }
    undeclared.into_iter().map(|(contract, what)| ControlProblem::Gained { contract, what }).collect()
}

/// Returns `true` if a changed slot is harmless: the reader's own call names what it gets or loses, their own playbook
/// promises that the contract states it afterwards, an event that is judged by itself names it, or the Safe gains.
fn is_explained(facts: &Facts, write: &Write, moved: &[Moved], gains: &[Gain], writes: &[Write]) -> bool {
    let safe = facts.proposal.safe().address;
    let contract = write.address;
    let says = |word: B256| !word.is_zero() && facts.mentions(contract, &word);
    let told = |word: B256| gains.iter().any(|gain| gain.contract == contract && gain.words.contains(&word));
    let after = facts.plan.map_or(&[][..], |plan| &plan.after);
    let promised = |moved: &Moved| after.iter().any(|check| check.states(contract, moved.new));
    // A number of many digits or below zero, which only looks like an address, is promised as the number that it is.
    let is_number =
        moved.iter().any(Moved::gains) && after.iter().any(|check| check.states_number(contract, &write.new));
    if says(write.new) || moved.iter().any(promised) || is_number || closes_a_gap(write, gains, writes) {
        return true;
    }
    let mut gained = moved.iter().filter(|moved| moved.gains()).map(|moved| moved.new).peekable();
    if gained.peek().is_some() {
        return gained.any(|new| new == safe || says(new.into_word()) || told(new.into_word()));
    }
    // Nobody gains: a call that clears something names it, passes zero, or says so by its name.
    says(write.old)
        || moved.iter().any(|moved| says(moved.old.into_word()))
        || facts.mentions(contract, &B256::ZERO)
        || facts.calls_about(contract).any(|planned| names_role_change(&planned.signature))
}

/// Returns `true` if the last member of a list moves to the slot of one whose role is revoked (EnumerableSet).
fn closes_a_gap(write: &Write, gains: &[Gain], writes: &[Write]) -> bool {
    let revoked =
        |gain: &Gain| gain.contract == write.address && gain.loses && gain.words.contains(&write.old);
    let left = |other: &Write| {
        other.address == write.address
            && other.slot != write.slot
            && other.old == write.new
            && other.new.is_zero()
    };
    gains.iter().any(revoked) && writes.iter().any(left)
}

/// `slot 0x…: 0x… to 0x…`
fn describe_write(write: &Write, moved: &[Moved]) -> String {
    let places = moved.iter().map(|Moved { old, new, .. }| format!("{old} to {new}"));
    format!("slot {}: {}", write.slot, places.collect::<Vec<_>>().join(", or "))
}

fn names_role_change(signature: &str) -> bool {
    let name = signature.split('(').next().unwrap_or_default().to_ascii_lowercase();
    CONTROL_WORDS.iter().any(|word| name.contains(word))
}

/// Returns `true` if one of the reader's own calls about that contract names whom and what; or if a call whose name
/// speaks of control gives it to the Safe or to nobody, or takes it away.
fn is_expected(facts: &Facts, gain: &Gain) -> bool {
    let Gain { contract, words: gained, loses, .. } = gain;
    let (contract, loses) = (*contract, *loses);
    let safe = facts.proposal.safe().address.into_word();
    // Without a word to compare, only the function's name can tell.
    if gained.is_empty() {
        let mut about = facts.calls_about(contract);
        return about.any(|planned| planned.call.to == contract && names_role_change(&planned.signature));
    }
    let last = gained.len() - 1;
    // A function for one role, such as addGuardian(address), takes no role; that of zero is every administrator's.
    let own_role = |planned: &PlannedCall, role: &B256| {
        planned.call.data.len() == 4 || (!role.is_zero() && !planned.signature.contains("bytes32"))
    };
    let implied = |planned: &PlannedCall, at: usize, word: &B256| {
        let by_name =
            if at == last { loses || word.is_zero() || *word == safe } else { own_role(planned, word) };
        names_role_change(&planned.signature) && by_name
    };
    facts.calls_about(contract).any(|planned| {
        let said =
            |(at, word): (usize, &B256)| has_word(&planned.call.data, word) || implied(planned, at, word);
        gained.iter().enumerate().all(said)
    })
}

/// Checks that each operation on a timelock names the one before it: otherwise anybody could execute them in another
/// order. It sees only operations of one transaction on an OpenZeppelin TimelockController.
fn order(facts: &Facts) -> Option<ControlProblem> {
    let mut queued: BTreeMap<Address, Vec<TimelockOperation>> = BTreeMap::new();
    for call in facts.calls() {
        if let Some(operation) = scheduled(&call.data) {
            queued.entry(call.to).or_default().push(operation);
        }
    }
    let count = queued.values().map(Vec::len).sum::<usize>();
    let is_loose = |own: &[TimelockOperation]| own.windows(2).any(|pair| pair[1].predecessor != pair[0].id);
    match queued.into_iter().find(|(_, own)| is_loose(own)) {
        None => (count > 1).then_some(ControlProblem::InOrder),
        Some((timelock, operations)) => Some(ControlProblem::AnyOrder { timelock, operations }),
    }
}

/// An operation that is queued on a timelock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelockOperation {
    id: B256,
    predecessor: B256,
}

/// Returns the operation that a call queues. Its id is the hash of all arguments but the delay; without that word, the
/// offsets are one word smaller. Source: OpenZeppelin TimelockController, `hashOperation` and `hashOperationBatch`.
fn scheduled(data: &Bytes) -> Option<TimelockOperation> {
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
    Some(TimelockOperation { id: keccak256(encoded), predecessor: B256::from_slice(head.get(96..128)?) })
}

fn selector_of(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature);
    [hash[0], hash[1], hash[2], hash[3]]
}
