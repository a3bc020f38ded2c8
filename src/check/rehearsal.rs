//! What the transaction would do, by the rehearsal: whether it works, and whether it does no more than the reader's
//! own playbook declares.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;

use alloy::primitives::{Address, B256, Log, U256, b256};

use super::{Check, Facts, Finding, Sort, listed, named, named_by};
use crate::council::Safe;
use crate::fork::{Outcome, Rehearsal, Write};
use crate::playbook::Change;
use crate::safe::{SENTINEL, approved_hash_slot, module_slot, owner_slot, slot, slot_word};

/// `Approval(address,address,uint256)`, of ERC-20 and, with four topics, of ERC-721.
pub(super) const APPROVAL: B256 = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");
/// `ApprovalForAll(address,address,bool)`
pub(super) const APPROVAL_FOR_ALL: B256 =
    b256!("17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31");
/// `Transfer(address,address,uint256)`: with four topics, of ERC-721.
pub(super) const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `TransferSingle(address,address,address,uint256,uint256)` and `TransferBatch(…)` of ERC-1155; the third topic is
/// the holder.
pub(super) const TRANSFER_SINGLE: B256 =
    b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
pub(super) const TRANSFER_BATCH: B256 =
    b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");

const ASK: &str = "do not sign before you know why; ask its proposer in person";

pub(super) const CHECKS: [Check; 9] = [
    ("rehearsed", |facts| is_rehearsed(facts).into_iter().collect()),
    ("succeeds", |facts| facts.rehearsal.map(|rehearsal| succeeds(facts, rehearsal)).into_iter().collect()),
    ("gas", |facts| facts.effects().and_then(gas).into_iter().collect()),
    ("safe slots", |facts| facts.effects().map(|effects| safe_slots(facts, effects)).into_iter().collect()),
    ("outflow", |facts| facts.effects().map(|effects| outflow(facts, effects)).into_iter().collect()),
    ("approvals", |facts| facts.effects().map(|effects| approvals(facts, effects)).into_iter().collect()),
    ("after", after_holds),
    ("undeclared effects", |facts| facts.effects().map_or_else(Vec::new, |done| undeclared(facts, done))),
    ("as recorded", |facts| as_recorded(facts).into_iter().collect()),
];

fn is_rehearsed(facts: &Facts) -> Option<Finding> {
    let why = facts.not_rehearsed?;
    let fix =
        "try again, or on another RPC with `breakglass dry-run --fork-url`: nobody has seen what it does";
    let id = named("not-rehearsed", [&facts.proposal.hash() as &dyn Display]);
    let found = Finding::refuse(id, format!("it could not be rehearsed: {why}"), fix);
    // On another Safe than the proposal's it cannot be: then that is the trouble.
    let moved = facts.now.is_some_and(|now| now.id != *facts.proposal.safe());
    Some(if moved { Finding { sort: Sort::Drift, ..found } } else { found })
}

fn succeeds(facts: &Facts, rehearsal: &Rehearsal) -> Finding {
    let errors = facts.plan.map_or(&[][..], |plan| &plan.errors);
    let revert = rehearsal.reverts.last();
    let reason = revert.map_or_else(String::new, |r| format!(": {} (in {})", r.reason(errors), r.by));
    let refuse = |id: &str, sentence: String, fix: &str| {
        Finding::refuse(named(id, [&facts.proposal.hash() as &dyn Display, &reason]), sentence, fix)
    };
    match rehearsal.outcome {
        Outcome::Succeeded => Finding::pass("rehearsal-fails", "it succeeds when rehearsed"),
        Outcome::Reverted => {
            let fix = "look at the reason; nothing happens on chain when it is sent like this";
            refuse("rehearsal-fails", format!("it reverts when rehearsed{reason}"), fix)
        }
        Outcome::Failed => {
            let fix = "do not send it: it would use up the nonce and do nothing";
            refuse(
                "execution-failure",
                format!("the Safe reports ExecutionFailure when rehearsed{reason}"),
                fix,
            )
        }
        Outcome::Unannounced => {
            let sentence = "the Safe does not announce its success: it is no Safe that is known";
            refuse("unannounced", sentence.into(), ASK)
        }
    }
}

/// No block takes a transaction above the limit, and what it costs may still grow.
fn gas(rehearsal: &Rehearsal) -> Option<Finding> {
    let (used, limit) = (rehearsal.gas_used, rehearsal.gas_limit);
    let share = used.saturating_mul(100) / limit.max(1);
    (share > 80).then(|| {
        let sentence = format!("it uses {used} gas, {share} % of the {limit} that one transaction may have");
        Finding::warn("gas", sentence, "propose it in several transactions while there is time")
    })
}

fn after_holds(facts: &Facts) -> Vec<Finding> {
    let judged = facts.after.iter().enumerate().map(|(at, verdict)| {
        let (id, sentence) = (format!("after:{}", at + 1), format!("after: {}", verdict.sentence));
        if verdict.holds {
            return Finding::pass(id, sentence);
        }
        let about: [&dyn Display; 3] = [&verdict.sentence, &verdict.expected, &verdict.found];
        let fix = "it would not do what the playbook promises: find out why";
        Finding::refuse(named(&id, about), sentence, fix)
    });
    judged.collect()
}

/// What of a Safe a write at one of its slots changes.
enum Part {
    Bookkeeping,
    Declarable(Change),
    Unknown,
}

/// Bybit's attack: whoever writes these slots owns the Safe.
fn safe_slots(facts: &Facts, rehearsal: &Rehearsal) -> Finding {
    let id = "safe-slots";
    let declared = declared(facts);
    let safe = facts.proposal.safe().address;
    let parts = Parts::new(facts, rehearsal);
    let (mut undeclared, mut written) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for write in rehearsal.writes.iter().filter(|write| write.address == safe) {
        let what = match parts.of(write) {
            Part::Bookkeeping => continue,
            Part::Declarable(change) if declared.contains(&change) => continue,
            Part::Declarable(change) => change.to_string(),
            Part::Unknown => format!("slot {} of the Safe", write.slot),
        };
        written.push(format!("{} {}", write.slot, write.new));
        if seen.insert(what.clone()) {
            undeclared.push(what);
        }
    }
    if undeclared.is_empty() {
        return Finding::pass(id, "nothing of the Safe itself changes that the playbook does not declare");
    }
    let sentence = format!("it changes {} and the playbook does not say so", listed(&undeclared));
    Finding::refuse(named_by(id, &written), sentence, "do not sign: this is how a Safe is taken over")
}

/// The slots of a Safe that mean something, worked out once.
struct Parts {
    slots: HashMap<B256, Change>,
    /// Approvals of this very transaction, which are used up.
    approvals: HashSet<B256>,
}

impl Parts {
    fn new(facts: &Facts, rehearsal: &Rehearsal) -> Self {
        let state = facts.state();
        let hash = facts.proposal.hash();
        // A linked list names its members in the words written.
        let words = rehearsal.writes.iter().flat_map(|w| [w.old, w.new]).map(Address::from_word);
        let known = state.owners.list().iter().chain(&state.modules).copied();
        let members: HashSet<Address> = words.chain(known).chain([SENTINEL]).collect();
        let mut slots = HashMap::new();
        slots.extend(members.iter().map(|member| (module_slot(*member), Change::SafeModules)));
        slots.extend(members.iter().map(|member| (owner_slot(*member), Change::SafeOwners)));
        slots.extend([
            (slot_word(slot::SINGLETON), Change::SafeSingleton),
            (slot_word(slot::OWNER_COUNT), Change::SafeOwners),
            (slot_word(slot::THRESHOLD), Change::SafeThreshold),
            (slot::GUARD, Change::SafeGuard),
            (slot::MODULE_GUARD, Change::SafeModuleGuard),
            (slot::FALLBACK_HANDLER, Change::SafeFallbackHandler),
        ]);
        let approvals = state.owners.list().iter().map(|owner| approved_hash_slot(*owner, &hash)).collect();
        Self { slots, approvals }
    }

    fn of(&self, write: &Write) -> Part {
        let consumed = || write.new.is_zero() && self.approvals.contains(&write.slot);
        match self.slots.get(&write.slot) {
            Some(change) => Part::Declarable(*change),
            None if write.slot == slot_word(slot::NONCE) || consumed() => Part::Bookkeeping,
            None => Part::Unknown,
        }
    }
}

fn declared<'a>(facts: &Facts<'a>) -> &'a [Change] {
    facts.plan.map_or(&[], |plan| &plan.changes)
}

/// Contracts whose storage may change: those that the reader's own playbook calls or declares, those that its lever
/// declares, and a guard that the council pinned, which may keep books.
fn may_change(facts: &Facts, contract: Address) -> bool {
    let called = || facts.plan.is_some_and(|plan| plan.calls.iter().any(|c| c.call.to == contract));
    let Safe { guard, module_guard, .. } = facts.council_safe;
    declared(facts).contains(&Change::Contract(contract))
        || facts.changes.contains(&contract)
        || [guard, module_guard].contains(&&Some(contract))
        || called()
}

/// One refusal for each contract: accepting one accepts no other.
fn undeclared(facts: &Facts, rehearsal: &Rehearsal) -> Vec<Finding> {
    let id = "undeclared-effects";
    let safe = facts.proposal.safe().address;
    let mut others: BTreeMap<Address, Vec<String>> = BTreeMap::new();
    for write in &rehearsal.writes {
        others.entry(write.address).or_default().push(format!("{} {}", write.slot, write.new));
    }
    for contract in rehearsal.created.iter().chain(&rehearsal.destroyed) {
        others.entry(*contract).or_default();
    }
    others.retain(|contract, _| *contract != safe && !may_change(facts, *contract));
    if others.is_empty() {
        return vec![Finding::pass(
            id,
            "it changes no contract but those that the playbook calls or declares",
        )];
    }
    let refuse = |(contract, written): (Address, Vec<String>)| {
        let sentence = format!("it changes {contract}, which the playbook neither calls nor declares");
        let fix =
            "look at what changes in it; if it is meant, say so: `changes` of the lever in breakglass.toml";
        Finding::refuse(named_by(&format!("{id}:{contract}"), &written), sentence, fix)
    };
    others.into_iter().map(refuse).collect()
}

/// Something that leaves the Safe: in words, and to the last detail.
struct Loss {
    shown: String,
    whole: String,
}

impl Loss {
    fn new(what: &str, to: &[String]) -> Self {
        let given = |to: String| if to.is_empty() { what.to_string() } else { format!("{what} to {to}") };
        Self { shown: given(listed(to)), whole: given(to.join("; ")) }
    }
}

fn outflow(facts: &Facts, rehearsal: &Rehearsal) -> Finding {
    let id = "outflow";
    let lost: Vec<Loss> = ether_lost(facts, rehearsal)
        .into_iter()
        .chain(tokens_lost(facts, rehearsal))
        .chain(collectibles_lost(facts, rehearsal))
        .collect();
    if lost.is_empty() {
        return Finding::pass(id, "nothing leaves the Safe that the playbook does not send");
    }
    let (shown, whole): (Vec<String>, Vec<String>) =
        lost.into_iter().map(|loss| (loss.shown, loss.whole)).unzip();
    Finding::refuse(named_by(id, &whole), format!("the Safe loses {}", listed(&shown)), ASK)
}

fn ether_lost(facts: &Facts, rehearsal: &Rehearsal) -> Option<Loss> {
    let safe = facts.proposal.safe().address;
    let calls = facts.plan.map_or(&[][..], |plan| &plan.calls);
    let sends = calls.iter().fold(U256::ZERO, |sum, c| sum.saturating_add(c.call.value));
    let change = rehearsal.balances.iter().find(|change| change.address == safe)?;
    let out = change.old.saturating_sub(change.new);
    let gains = rehearsal.balances.iter().filter(|other| other.new > other.old);
    let to: Vec<String> = gains
        .map(|other| format!("{} ({} wei)", other.address, other.new.saturating_sub(other.old)))
        .collect();
    (out > sends).then(|| Loss::new(&format!("{out} wei (the playbook sends {sends})"), &to))
}

fn tokens_lost(facts: &Facts, rehearsal: &Rehearsal) -> impl Iterator<Item = Loss> {
    let safe = facts.proposal.safe().address;
    let tokens = rehearsal.tokens.iter().filter(move |t| t.holder == safe && t.sent > t.received);
    tokens.filter_map(move |t| {
        let sent: Vec<(B256, U256)> = sent_to(rehearsal, t.token, safe).collect();
        let said = !sent.is_empty() && sent.iter().all(|(to, _)| facts.says(t.token, to));
        let to: Vec<String> =
            sent.iter().map(|(to, amount)| format!("{} ({amount})", Address::from_word(*to))).collect();
        let what = format!("{} of token {}", t.sent.saturating_sub(t.received), t.token);
        (!said).then(|| Loss::new(&what, &to))
    })
}

fn collectibles_lost(facts: &Facts, rehearsal: &Rehearsal) -> impl Iterator<Item = Loss> {
    let safe = facts.proposal.safe().address;
    rehearsal.events.iter().filter_map(move |log| {
        let to = collectible_from(log, safe)?;
        let (what, to) = (format!("a token of the collection {}", log.address), Address::from_word(to));
        let whole = format!("{what} {:?} {}", log.topics(), log.data.data);
        let said = facts.says(log.address, &to.into_word());
        (!said).then(|| Loss { shown: format!("{what} to {to}"), whole })
    })
}

/// Who receives an ERC-20 token from `safe`, and how much.
fn sent_to(rehearsal: &Rehearsal, token: Address, safe: Address) -> impl Iterator<Item = (B256, U256)> {
    let logs = rehearsal.events.iter().filter(move |log| log.address == token);
    logs.filter_map(move |log| match log.topics() {
        [TRANSFER, from, to] if *from == safe.into_word() => {
            Some((*to, U256::try_from_be_slice(&log.data.data).unwrap_or_default()))
        }
        _ => None,
    })
}

/// Who receives an ERC-721 or ERC-1155 token that leaves `safe`.
fn collectible_from(log: &Log, safe: Address) -> Option<B256> {
    match log.topics() {
        [TRANSFER, holder, to, _] | [TRANSFER_SINGLE | TRANSFER_BATCH, _, holder, to] => {
            (*holder == safe.into_word()).then_some(*to)
        }
        _ => None,
    }
}

/// A permission to take tokens outlives the transaction.
fn approvals(facts: &Facts, rehearsal: &Rehearsal) -> Finding {
    let id = "approvals";
    let safe = facts.proposal.safe().address.into_word();
    let given = rehearsal.events.iter().filter(|log| {
        let grants = log.data.data.iter().any(|byte| *byte != 0);
        match log.topics() {
            [APPROVAL | APPROVAL_FOR_ALL, owner, _] => *owner == safe && grants,
            [APPROVAL, owner, spender, _] => *owner == safe && !spender.is_zero(),
            _ => false,
        }
    });
    let spender = |log: &Log| log.topics().get(2).copied().unwrap_or_default();
    let unsaid: Vec<&Log> = given.filter(|log| !facts.says(log.address, &spender(log))).collect();
    let of = |log: &Log| format!("{} {:?} {}", log.address, log.topics(), log.data.data);
    let about: Vec<String> = unsaid.iter().map(|log| of(log)).collect();
    let allowed = |log: &&Log| {
        format!("{} may take token {} from the Safe", Address::from_word(spender(log)), log.address)
    };
    let undeclared: Vec<String> = unsaid.iter().map(allowed).collect();
    if undeclared.is_empty() {
        return Finding::pass(id, "nobody is allowed to take tokens that the playbook does not name");
    }
    Finding::refuse(named_by(id, &about), format!("it gives a permission away: {}", listed(&undeclared)), ASK)
}

/// Whoever proposed it saw something else.
fn as_recorded(facts: &Facts) -> Option<Finding> {
    let (first, others) = facts.rehearsed_otherwise.split_first()?;
    let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
    let sentence = format!("it does not do what it did when it was proposed: {first}{more}");
    let fix = "see what changed above: the chain moved on, a contract was replaced, or the file lies";
    Some(Finding::warn("rehearsed-otherwise", sentence, fix))
}
