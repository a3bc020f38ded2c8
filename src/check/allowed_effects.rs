//! Checks of what a rehearsed transaction writes: the Safe's own slots, and contracts that the reader's own playbook
//! does not declare.

use std::collections::{BTreeMap, HashMap, HashSet};

use alloy::primitives::{Address, B256};

use super::Facts;
use super::description::{Description, Id, listed};
use crate::council::Safe;
use crate::evm::Write;
use crate::fork::Rehearsal;
use crate::playbook::Change;
use crate::safe::{self, SlotKind};

/// The writes of a transaction, against what the playbook declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectProblem {
    SafeAsDeclared,
    SafeChanges { undeclared: Vec<SafePart>, written: Vec<(B256, B256)> },
    ContractsAsDeclared,
    ContractChanges { contract: Address, written: Vec<(B256, B256)> },
}

/// The part of a Safe that a write at one of its slots changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SafePart {
    Known(Change),
    Slot(B256),
}

impl EffectProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::SafeAsDeclared => Description::pass(
                "safe-slots",
                "nothing of the Safe itself changes that the playbook does not declare",
            ),
            Self::SafeChanges { undeclared, written } => {
                let parts: Vec<String> = undeclared.iter().map(|part| part.describe()).collect();
                Description::refuse(
                    Id::from("safe-slots").digest_all(&words(written)),
                    format!("it changes {} and the playbook does not say so", listed(&parts)),
                    "do not sign: this is how a Safe is taken over",
                )
            }
            Self::ContractsAsDeclared => Description::pass(
                "undeclared-effects",
                "it changes no contract but those that the playbook calls or declares",
            ),
            Self::ContractChanges { contract, written } => Description::refuse(
                Id::of("undeclared-effects", contract).digest_all(&words(written)),
                format!("it changes {contract}, which the playbook neither calls nor declares"),
                "look at what changes in it; if it is meant, say so: `changes` of the lever in breakglass.toml",
            ),
        }
    }
}

impl SafePart {
    fn describe(self) -> String {
        match self {
            Self::Known(change) => change.to_string(),
            Self::Slot(slot) => format!("slot {slot} of the Safe"),
        }
    }
}

fn words(written: &[(B256, B256)]) -> Vec<String> {
    written.iter().map(|(slot, word)| format!("{slot} {word}")).collect()
}

/// Compares the writes to the Safe's own slots with the playbook's `changes`: whoever writes them owns the Safe, as at
/// Bybit.
pub(super) fn safe_slots(facts: &Facts, rehearsal: &Rehearsal) -> EffectProblem {
    let declared = declared(facts);
    let safe = facts.proposal.safe().address;
    let parts = SafeSlots::new(facts, rehearsal);
    let (mut undeclared, mut written) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for write in rehearsal.writes.iter().filter(|write| write.address == safe) {
        let part = match parts.of(write) {
            None => continue,
            Some(SafePart::Known(change)) if declared.contains(&change) => continue,
            Some(part) => part,
        };
        written.push((write.slot, write.new));
        if seen.insert(part) {
            undeclared.push(part);
        }
    }
    if undeclared.is_empty() {
        EffectProblem::SafeAsDeclared
    } else {
        EffectProblem::SafeChanges { undeclared, written }
    }
}

/// The slots of a Safe with a known meaning.
struct SafeSlots(HashMap<B256, SlotKind>);

impl SafeSlots {
    fn new(facts: &Facts, rehearsal: &Rehearsal) -> Self {
        let state = facts.state();
        // A linked list names its members in the words written.
        let words = rehearsal.writes.iter().flat_map(|w| [w.old, w.new]).map(Address::from_word);
        let known = state.owners.list().iter().chain(&state.modules).copied();
        let members: HashSet<Address> = words.chain(known).collect();
        let entries = safe::safe_slots(&members, &members, None);
        let approvals = safe::safe_slots(state.owners.list(), &[], Some(facts.proposal.hash()));
        Self(entries.chain(approvals).map(|(slot, part, _)| (slot, part)).collect())
    }

    /// Returns the part that a write changes; `None` for what every transaction writes.
    fn of(&self, write: &Write) -> Option<SafePart> {
        Some(SafePart::Known(match self.0.get(&write.slot) {
            Some(SlotKind::Nonce) => return None,
            // The approvals of this very transaction are used up.
            Some(SlotKind::Approvals) if write.new.is_zero() => return None,
            None | Some(SlotKind::Approvals) => return Some(SafePart::Slot(write.slot)),
            Some(SlotKind::Singleton) => Change::SafeSingleton,
            Some(SlotKind::Owners) => Change::SafeOwners,
            Some(SlotKind::Threshold) => Change::SafeThreshold,
            Some(SlotKind::Guard) => Change::SafeGuard,
            Some(SlotKind::ModuleGuard) => Change::SafeModuleGuard,
            Some(SlotKind::FallbackHandler) => Change::SafeFallbackHandler,
            Some(SlotKind::Modules) => Change::SafeModules,
        }))
    }
}

fn declared<'a>(facts: &Facts<'a>) -> &'a [Change] {
    facts.plan.map_or(&[], |plan| &plan.changes)
}

/// Returns `true` if a contract's storage may change: the reader's own playbook calls or declares it, its lever
/// declares it, or it is a guard that the council pinned, which may count transactions.
fn may_change(facts: &Facts, contract: Address) -> bool {
    let called = || facts.planned().iter().any(|planned| planned.call.to == contract);
    let Safe { guard, module_guard, .. } = facts.council_safe;
    declared(facts).contains(&Change::Contract(contract))
        || facts.changes.contains(&contract)
        || [guard, module_guard].contains(&&Some(contract))
        || called()
}

/// Returns one problem for each contract, so that accepting one accepts no other.
pub(super) fn undeclared(facts: &Facts, rehearsal: &Rehearsal) -> Vec<EffectProblem> {
    let safe = facts.proposal.safe().address;
    let mut others: BTreeMap<Address, Vec<(B256, B256)>> = BTreeMap::new();
    for write in &rehearsal.writes {
        others.entry(write.address).or_default().push((write.slot, write.new));
    }
    for contract in rehearsal.created.iter().chain(&rehearsal.destroyed) {
        others.entry(*contract).or_default();
    }
    others.retain(|contract, _| *contract != safe && !may_change(facts, *contract));
    if others.is_empty() {
        return vec![EffectProblem::ContractsAsDeclared];
    }
    others
        .into_iter()
        .map(|(contract, written)| EffectProblem::ContractChanges { contract, written })
        .collect()
}
