//! What the transaction would do, by the rehearsal: whether it works, and whether it does no more than the reader's
//! own playbook declares.

use alloy::primitives::{Address, B256, Log, U256, b256};

use super::{Facts, Finding};
use crate::chain::fork::{Outcome, Rehearsal, Write, module_slot, owner_slot};
use crate::playbook::Change;
use crate::safe::{SENTINEL, approved_hash_slot, slot, slot_word};

/// `Approval(address,address,uint256)`, of ERC-20 and, with four topics, of ERC-721.
const APPROVAL: B256 = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");
/// `ApprovalForAll(address,address,bool)`
const APPROVAL_FOR_ALL: B256 = b256!("17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31");
/// `Transfer(address,address,uint256)`: with four topics, of ERC-721.
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `TransferSingle(address,address,address,uint256,uint256)` and `TransferBatch(…)` of ERC-1155; the third topic is
/// the holder.
const TRANSFER_SINGLE: B256 = b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
const TRANSFER_BATCH: B256 = b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");

const ASK: &str = "do not sign before you know why; ask its proposer in person";

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    if let Some(why) = facts.not_rehearsed {
        let fix =
            "try again, or on another RPC with `breakglass dry-run --fork-url`: nobody has seen what it does";
        return vec![Finding::warn("not-rehearsed", format!("it could not be rehearsed: {why}"), fix)];
    }
    let Some(rehearsal) = facts.rehearsal else { return Vec::new() };
    let mut all = vec![succeeds(rehearsal)];
    if rehearsal.outcome != Outcome::Succeeded {
        return all;
    }
    all.extend(after_holds(facts));
    all.push(safe_slots(facts, rehearsal));
    all.push(effects(facts, rehearsal));
    all.push(outflow(facts, rehearsal));
    all.push(approvals(facts, rehearsal));
    all.extend(as_recorded(facts));
    all
}

fn succeeds(rehearsal: &Rehearsal) -> Finding {
    let id = "rehearsal-fails";
    let fix = "look at the reason; nothing happens on chain when it is sent like this";
    let reason = || {
        let revert = rehearsal.reverts.last();
        revert.map_or_else(String::new, |r| format!(": {} (in {})", r.reason(&[]), r.by))
    };
    match rehearsal.outcome {
        Outcome::Succeeded => Finding::pass(id, "it succeeds when rehearsed"),
        Outcome::Reverted => Finding::refuse(id, format!("it reverts when rehearsed{}", reason()), fix),
        Outcome::Failed => {
            let sentence = format!("the Safe reports ExecutionFailure when rehearsed{}", reason());
            Finding::refuse(id, sentence, "do not send it: it would use up the nonce and do nothing")
        }
        Outcome::Unannounced => {
            Finding::refuse(id, "the Safe does not announce its success: it is no Safe that is known", ASK)
        }
    }
}

fn after_holds(facts: &Facts) -> Vec<Finding> {
    let judged = facts.after.iter().map(|verdict| {
        let sentence = format!("after: {}", verdict.sentence);
        if verdict.holds {
            return Finding::pass("after", sentence);
        }
        Finding::refuse("after", sentence, "it would not do what the playbook promises: find out why")
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
    let mut undeclared: Vec<String> = Vec::new();
    for write in rehearsal.writes.iter().filter(|write| write.address == safe) {
        let what = match part(facts, rehearsal, write) {
            Part::Bookkeeping => continue,
            Part::Declarable(change) if declared.contains(&change) => continue,
            Part::Declarable(change) => change.to_string(),
            Part::Unknown => format!("slot {} of the Safe", write.slot),
        };
        if !undeclared.contains(&what) {
            undeclared.push(what);
        }
    }
    if undeclared.is_empty() {
        return Finding::pass(id, "nothing of the Safe itself changes that the playbook does not declare");
    }
    let sentence = format!("it changes {} and the playbook does not say so", undeclared.join(", "));
    Finding::refuse(id, sentence, "do not sign: this is how a Safe is taken over")
}

fn part(facts: &Facts, rehearsal: &Rehearsal, write: &Write) -> Part {
    let fixed = [
        (slot_word(slot::SINGLETON), Change::SafeSingleton),
        (slot_word(slot::OWNER_COUNT), Change::SafeOwners),
        (slot_word(slot::THRESHOLD), Change::SafeThreshold),
        (slot::GUARD, Change::SafeGuard),
        (slot::MODULE_GUARD, Change::SafeModuleGuard),
        (slot::FALLBACK_HANDLER, Change::SafeFallbackHandler),
    ];
    if let Some((_, change)) = fixed.iter().find(|(slot, _)| *slot == write.slot) {
        return Part::Declarable(*change);
    }
    let state = facts.now.unwrap_or_else(|| facts.proposal.snapshot());
    let hash = facts.proposal.hash();
    let consumed = || state.owners.list().iter().any(|owner| approved_hash_slot(*owner, &hash) == write.slot);
    if write.slot == slot_word(slot::NONCE) || (write.new.is_zero() && consumed()) {
        return Part::Bookkeeping;
    }
    // A linked list names its members in the words written.
    let words = rehearsal.writes.iter().flat_map(|w| [w.old, w.new]).map(Address::from_word);
    let known = state.owners.list().iter().chain(&state.modules).copied();
    for address in words.chain(known).chain([SENTINEL]) {
        if owner_slot(address) == write.slot {
            return Part::Declarable(Change::SafeOwners);
        }
        if module_slot(address) == write.slot {
            return Part::Declarable(Change::SafeModules);
        }
    }
    Part::Unknown
}

fn declared<'a>(facts: &Facts<'a>) -> &'a [Change] {
    facts.plan.map_or(&[], |plan| &plan.changes)
}

/// Contracts whose storage the reader's own playbook touches: those it calls, and those it declares.
fn is_declared(facts: &Facts, contract: Address) -> bool {
    let called = || facts.plan.is_some_and(|plan| plan.calls.iter().any(|c| c.call.to == contract));
    declared(facts).contains(&Change::Contract(contract)) || called()
}

fn effects(facts: &Facts, rehearsal: &Rehearsal) -> Finding {
    let id = "undeclared-effects";
    let safe = facts.proposal.safe().address;
    let written = rehearsal.writes.iter().map(|write| write.address);
    let other = written.chain(rehearsal.created.iter().copied()).chain(rehearsal.destroyed.iter().copied());
    let mut others: Vec<Address> = other.filter(|a| *a != safe && !is_declared(facts, *a)).collect();
    others.dedup();
    if others.is_empty() {
        return Finding::pass(id, "it changes no contract but those that the playbook calls or declares");
    }
    let list: Vec<String> = others.iter().take(10).map(ToString::to_string).collect();
    let more = others.len().saturating_sub(list.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let sentence = format!(
        "it changes contracts that the playbook neither calls nor declares: {}{more}",
        list.join(", ")
    );
    Finding::warn(id, sentence, "look at what changes in them; the playbook's `changes` can declare it")
}

fn outflow(facts: &Facts, rehearsal: &Rehearsal) -> Finding {
    let id = "outflow";
    let safe = facts.proposal.safe().address;
    let mut lost = Vec::new();
    let sends = match facts.plan {
        Some(plan) => plan.calls.iter().fold(U256::ZERO, |sum, c| sum.saturating_add(c.call.value)),
        None => U256::ZERO,
    };
    if let Some(change) = rehearsal.balances.iter().find(|change| change.address == safe) {
        let out = change.old.saturating_sub(change.new);
        if out > sends {
            lost.push(format!("{out} wei, and the playbook sends {sends}"));
        }
    }
    let tokens = rehearsal.tokens.iter().filter(|t| t.holder == safe && t.sent > t.received);
    lost.extend(
        tokens
            .filter(|t| !is_declared(facts, t.token))
            .map(|t| format!("{} of token {}", t.sent.saturating_sub(t.received), t.token)),
    );
    let others = rehearsal.events.iter().filter(|log| !is_declared(facts, log.address));
    lost.extend(others.filter_map(|log| collectible_from(log, safe)));
    if lost.is_empty() {
        return Finding::pass(id, "nothing leaves the Safe that the playbook does not send");
    }
    Finding::refuse(id, format!("the Safe loses {}", lost.join("; ")), ASK)
}

/// An ERC-721 or ERC-1155 token that leaves `safe`.
fn collectible_from(log: &Log, safe: Address) -> Option<String> {
    let from = safe.into_word();
    let leaves = match log.topics() {
        [TRANSFER, holder, _, _] | [TRANSFER_SINGLE | TRANSFER_BATCH, _, holder, _] => *holder == from,
        _ => false,
    };
    leaves.then(|| format!("a token of the collection {}", log.address))
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
    let undeclared: Vec<String> = given
        .filter(|log| !is_declared(facts, log.address))
        .map(|log| {
            let spender = log.topics().get(2).map(|word| Address::from_word(*word)).unwrap_or_default();
            format!("{spender} may take token {} from the Safe", log.address)
        })
        .collect();
    if undeclared.is_empty() {
        return Finding::pass(id, "nobody is allowed to take tokens that the playbook does not name");
    }
    Finding::refuse(id, format!("it gives a permission away: {}", undeclared.join("; ")), ASK)
}

/// Whoever proposed it saw something else.
fn as_recorded(facts: &Facts) -> Option<Finding> {
    let (first, others) = facts.rehearsed_otherwise.split_first()?;
    let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
    let sentence = format!("it does not do what it did when it was proposed: {first}{more}");
    let fix = "see what changed above: the chain moved on, a contract was replaced, or the file lies";
    Some(Finding::warn("rehearsed-otherwise", sentence, fix))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy::primitives::{Bytes, keccak256};
    use alloy::sol_types::SolValue;

    use super::*;
    use crate::chain::fork::{BalanceChange, Keys, Revert, TokenChange, Trace};
    use crate::check::{Level, Match};
    use crate::council;
    use crate::playbook::{Plan, PlannedCall, PlaybookDigest, PlaybookId, Readings, Verdict};
    use crate::proposal::{Binding, Block, BlockHash, Proposal};
    use crate::safe::{Call, Nonce, Operation, Owners, SafeId, SafeState, SafeTx, SafeVersion};

    const SAFE: Address = Address::repeat_byte(5);
    const VAULT: Address = Address::repeat_byte(9);
    const THIEF: Address = Address::repeat_byte(0x66);
    const OWNER: Address = Address::repeat_byte(1);
    const MODULE: Address = Address::repeat_byte(8);

    fn proposal() -> Proposal {
        let id = SafeId { chain_id: 1, address: SAFE, version: SafeVersion::V1_4_1 };
        let state = SafeState {
            id,
            owners: Owners::new(vec![OWNER, Address::repeat_byte(2)], 1).unwrap(),
            nonce: Nonce::from(3),
            singleton: Address::repeat_byte(6),
            guard: Address::ZERO,
            module_guard: Address::ZERO,
            fallback_handler: Address::repeat_byte(7),
            modules: vec![MODULE],
        };
        let tx = SafeTx::new(VAULT, U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(3));
        let binding = Binding {
            lever: None,
            undo: false,
            playbook: PlaybookId::new("pause/x").unwrap(),
            digest: PlaybookDigest::of(""),
            text: String::new(),
            args: BTreeMap::new(),
        };
        let block = Block { number: 1, hash: BlockHash::claimed(B256::ZERO) };
        Proposal::new(tx, state, block, binding, Readings::default())
    }

    fn plan(changes: &[Change]) -> Plan {
        let call = Call { to: VAULT, value: U256::from(10), data: Bytes::new() };
        Plan {
            args: vec![],
            reads: vec![],
            calls: vec![PlannedCall {
                call,
                signature: "pause()".into(),
                arguments: vec![],
                to_name: None,
                step: 0,
            }],
            skipped: vec![],
            before: vec![],
            after: vec![],
            changes: changes.to_vec(),
            rests_on: Readings::default(),
        }
    }

    fn rehearsal() -> Rehearsal {
        Rehearsal {
            outcome: Outcome::Succeeded,
            reverts: vec![],
            trace: Trace::default(),
            events: vec![],
            writes: vec![write(SAFE, slot_word(slot::NONCE), 4)],
            balances: vec![],
            tokens: vec![],
            created: vec![],
            destroyed: vec![],
            gas_used: 1,
            answers: Readings::default(),
            read_by: BTreeMap::new(),
            read: Keys::default(),
        }
    }

    fn write(address: Address, slot: B256, new: u8) -> Write {
        Write { address, slot, old: B256::ZERO, new: B256::with_last_byte(new) }
    }

    fn to(address: Address, slot: B256, new: Address) -> Write {
        Write { new: new.into_word(), ..write(address, slot, 0) }
    }

    /// What is not passed, by id.
    fn found(rehearsal: &Rehearsal, changes: &[Change], after: &[Verdict]) -> Vec<(String, Level)> {
        let (proposal, plan) = (proposal(), plan(changes));
        let council_safe = council::Safe {
            name: "guardian".into(),
            chain: "c".into(),
            address: SAFE,
            version: None,
            owners: None,
        };
        let facts = Facts {
            proposal: &proposal,
            matching: &Match::Same,
            plan: Some(&plan),
            council_safe: &council_safe,
            now: None,
            before: &[],
            foreign: &[],
            signing: true,
            nonce_named: false,
            endpoints: &[],
            block_age: None,
            others: &[],
            rehearsal: Some(rehearsal),
            after,
            rehearsed_otherwise: &[],
            not_rehearsed: None,
        };
        let all = findings(&facts).into_iter();
        all.filter(|f| f.level != Level::Pass).map(|f| (f.id, f.level)).collect()
    }

    fn refused(id: &str) -> Vec<(String, Level)> {
        vec![(id.to_string(), Level::Refuse)]
    }

    #[test]
    fn a_plain_pause_passes() {
        let mut plain = rehearsal();
        plain.writes.push(write(VAULT, B256::ZERO, 1));
        assert!(found(&plain, &[], &[]).is_empty());
    }

    #[test]
    fn what_fails_is_refused_with_its_innermost_reason() {
        for outcome in [Outcome::Failed, Outcome::Reverted, Outcome::Unannounced] {
            let reverts = vec![Revert { by: VAULT, data: Bytes::new(), halt: None }];
            let failing = Rehearsal { outcome, reverts, ..rehearsal() };
            assert_eq!(found(&failing, &[], &[]), refused("rehearsal-fails"));
        }
        let text = ("no".to_string(),).abi_encode_params();
        let data = [&keccak256("Error(string)")[..4], &text].concat().into();
        let reverts = vec![Revert { by: VAULT, data, halt: None }];
        let sentence = succeeds(&Rehearsal { outcome: Outcome::Reverted, reverts, ..rehearsal() }).sentence;
        assert!(sentence.contains("\"no\"") && sentence.contains(&VAULT.to_string()), "{sentence}");
    }

    #[test]
    fn an_after_check_that_is_not_reached_is_refused() {
        let verdict = |holds| Verdict {
            holds,
            sentence: "vault paused() is false".into(),
            expected: "is true".into(),
            found: "is false".into(),
        };
        assert_eq!(found(&rehearsal(), &[], &[verdict(true), verdict(false)]), refused("after"));
    }

    #[test]
    fn every_part_of_the_safe_is_refused_unless_it_is_declared() {
        let word = slot_word;
        let thief = owner_slot(THIEF);
        for (writes, change) in [
            (vec![to(SAFE, word(slot::SINGLETON), THIEF)], Change::SafeSingleton),
            (vec![write(SAFE, word(slot::OWNER_COUNT), 3)], Change::SafeOwners),
            (vec![write(SAFE, word(slot::THRESHOLD), 1)], Change::SafeThreshold),
            (vec![to(SAFE, slot::GUARD, THIEF)], Change::SafeGuard),
            (vec![to(SAFE, slot::MODULE_GUARD, THIEF)], Change::SafeModuleGuard),
            (vec![to(SAFE, slot::FALLBACK_HANDLER, THIEF)], Change::SafeFallbackHandler),
            (vec![to(SAFE, owner_slot(SENTINEL), THIEF), to(SAFE, thief, OWNER)], Change::SafeOwners),
            (vec![to(SAFE, owner_slot(OWNER), THIEF)], Change::SafeOwners),
            (
                vec![to(SAFE, module_slot(SENTINEL), THIEF), to(SAFE, module_slot(THIEF), MODULE)],
                Change::SafeModules,
            ),
            (vec![to(SAFE, module_slot(MODULE), SENTINEL)], Change::SafeModules),
        ] {
            let rehearsal = Rehearsal { writes, ..rehearsal() };
            assert_eq!(found(&rehearsal, &[], &[]), refused("safe-slots"), "{change}");
            assert!(found(&rehearsal, &[change], &[]).is_empty(), "{change}");
        }
    }

    #[test]
    fn a_slot_of_the_safe_that_nothing_explains_is_refused_whatever_is_declared() {
        let hidden = Rehearsal { writes: vec![write(SAFE, owner_slot(THIEF), 2)], ..rehearsal() };
        let all = [Change::SafeOwners, Change::SafeModules, Change::SafeSingleton];
        assert_eq!(found(&hidden, &all, &[]), refused("safe-slots"));
    }

    #[test]
    fn other_contracts_are_warned_of_unless_they_are_declared() {
        let other = Rehearsal { writes: vec![write(THIEF, B256::ZERO, 1)], ..rehearsal() };
        assert_eq!(found(&other, &[], &[]), [("undeclared-effects".to_string(), Level::Warn)]);
        assert!(found(&other, &[Change::Contract(THIEF)], &[]).is_empty());
        let made = Rehearsal { created: vec![THIEF], ..rehearsal() };
        assert_eq!(found(&made, &[], &[]), [("undeclared-effects".to_string(), Level::Warn)]);
    }

    #[test]
    fn what_leaves_the_safe_beyond_the_calls_value_is_refused() {
        let n = |n: u64| U256::from(n);
        let lost = |new| BalanceChange { address: SAFE, old: n(100), new: n(new) };
        assert!(found(&Rehearsal { balances: vec![lost(90)], ..rehearsal() }, &[], &[]).is_empty());
        assert_eq!(
            found(&Rehearsal { balances: vec![lost(89)], ..rehearsal() }, &[], &[]),
            refused("outflow")
        );
        let token = |token, sent| TokenChange { token, holder: SAFE, received: n(5), sent: n(sent) };
        for (change, is_fine) in [(token(THIEF, 6), false), (token(THIEF, 5), true), (token(VAULT, 6), true)]
        {
            let moved = found(&Rehearsal { tokens: vec![change], ..rehearsal() }, &[], &[]);
            assert_eq!(moved.is_empty(), is_fine);
        }
    }

    fn event(topics: &[B256], data: &[u8]) -> Rehearsal {
        let log = Log::new_unchecked(THIEF, topics.to_vec(), Bytes::copy_from_slice(data));
        Rehearsal { events: vec![log], ..rehearsal() }
    }

    #[test]
    fn collectibles_that_leave_are_refused() {
        let (safe, thief, id) = (SAFE.into_word(), THIEF.into_word(), B256::repeat_byte(1));
        for topics in [
            [TRANSFER, safe, thief, id],
            [TRANSFER_SINGLE, thief, safe, thief],
            [TRANSFER_BATCH, thief, safe, thief],
        ] {
            assert_eq!(found(&event(&topics, &[]), &[], &[]), refused("outflow"));
            let back = [topics[0], thief, thief, safe];
            assert!(found(&event(&back, &[]), &[], &[]).is_empty());
        }
    }

    #[test]
    fn approvals_are_refused_and_revocations_are_not() {
        let (safe, thief) = (SAFE.into_word(), THIEF.into_word());
        let one = B256::with_last_byte(1);
        for topic in [APPROVAL, APPROVAL_FOR_ALL] {
            assert_eq!(found(&event(&[topic, safe, thief], one.as_slice()), &[], &[]), refused("approvals"));
            assert!(found(&event(&[topic, safe, thief], &[0; 32]), &[], &[]).is_empty());
            assert!(found(&event(&[topic, thief, safe], one.as_slice()), &[], &[]).is_empty());
        }
        assert_eq!(found(&event(&[APPROVAL, safe, thief, one], &[]), &[], &[]), refused("approvals"));
        let declared = [Change::Contract(THIEF)];
        assert!(found(&event(&[APPROVAL, safe, thief], one.as_slice()), &declared, &[]).is_empty());
    }

    #[test]
    fn the_topics_are_the_hashes_of_their_events() {
        for (topic, event) in [
            (APPROVAL, "Approval(address,address,uint256)"),
            (APPROVAL_FOR_ALL, "ApprovalForAll(address,address,bool)"),
            (TRANSFER, "Transfer(address,address,uint256)"),
            (TRANSFER_SINGLE, "TransferSingle(address,address,address,uint256,uint256)"),
            (TRANSFER_BATCH, "TransferBatch(address,address,address,uint256[],uint256[])"),
        ] {
            assert_eq!(topic, keccak256(event), "{event}");
        }
    }
}
