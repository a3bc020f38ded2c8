//! The results of trying a lever, its undo and a stranger: rows for a person, an object for a script, and the first fault; and
//! the storage that a lever and its undo leave changed.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use serde_json::{Value, json};

use crate::ceremony::order::Order;
use crate::ceremony::trials::pulled::TrialResult;
use crate::error::{Error, Exit};
use crate::evm::{Keys, Write, called};
use crate::safe::{Call, slot, slot_word};

/// The results of the parts, in their order.
#[derive(Default)]
pub struct TrialReport {
    pub rows: Vec<Vec<String>>,
    pub parts: serde_json::Map<String, Value>,
    /// The first part that did not end as it must, and how the program ends for it.
    pub wrong: Option<(TrialPart, Error)>,
    /// The calls of the lever, as far as there is a plan.
    pub calls: Vec<Call>,
    /// The keys that the lever's transaction and its checks read.
    pub read: Keys,
    /// Those of its undo.
    pub undo_read: Keys,
    /// The gas of the lever's transaction.
    pub gas: Option<u64>,
    /// It is refused because it is done: all that it promises holds already.
    pub is_done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialPart {
    Lever,
    Undo,
    /// Somebody without the role, who must be denied.
    Stranger,
}

impl TrialReport {
    /// Notes a part: a row for a person, and an object for a script.
    pub(in crate::ceremony) fn part(&mut self, key: &str, name: &str, text: String, object: Value) {
        self.rows.push(vec![name.into(), text]);
        self.parts.insert(key.into(), object);
    }

    /// Notes a fault, if it is the first.
    pub(in crate::ceremony) fn wrong(&mut self, part: TrialPart, exit: Exit, message: String, hint: &str) {
        self.wrong.get_or_insert_with(|| (part, Error::new(exit, message).hint(hint)));
    }

    /// Notes the slots that the undo did not bring back, slot by slot.
    pub(in crate::ceremony) fn left_over(&mut self, order: &Order, left: &[LeftOver]) {
        const SHOWN: usize = 8;
        let row = |one: &LeftOver| {
            let contract = called(one.address, &order.names);
            format!("{contract} slot {} was {} and is {}", one.slot, one.was, one.is)
        };
        let mut rows: Vec<String> = left.iter().take(SHOWN).map(row).collect();
        if left.len() > SHOWN {
            rows.push(format!("and {} more", left.len() - SHOWN));
        }
        let text = if rows.is_empty() { "nothing: every slot is as it was".into() } else { rows.join("; ") };
        let object = |one: &LeftOver| {
            json!({
                "address": one.address.to_string(), "slot": one.slot.to_string(),
                "was": one.was.to_string(), "is": one.is.to_string(),
            })
        };
        let objects = left.iter().map(object).collect();
        self.part("left_over", "left over after its undo", text, objects);
    }

    /// Notes a part that must be proven. Returns `true` if it is.
    pub(in crate::ceremony) fn must_prove(
        &mut self,
        part: TrialPart,
        name: &str,
        ended: &TrialResult,
        hint: &str,
    ) -> bool {
        let key = if part == TrialPart::Undo { "undo" } else { "lever" };
        self.part(key, name, ended.to_string(), json!(ended));
        let exit = match ended {
            TrialResult::Proven { .. } => return true,
            TrialResult::Refused { .. } => Exit::Refused,
            TrialResult::Failed { .. } => Exit::Failed,
        };
        self.wrong(part, exit, format!("{name}: {ended}"), hint);
        false
    }
}

/// A slot that is not what it was before the lever, after its undo.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ceremony) struct LeftOver {
    pub address: Address,
    pub slot: B256,
    pub was: B256,
    pub is: B256,
}

/// Returns the slots that two transactions, one after the other, changed and did not bring back. The nonces of the Safes
/// are left out.
pub(in crate::ceremony) fn left_over(writes: &[Write], safes: &[Address]) -> Vec<LeftOver> {
    let mut slots: BTreeMap<(Address, B256), (B256, B256)> = BTreeMap::new();
    for write in writes {
        slots.entry((write.address, write.slot)).or_insert((write.old, write.new)).1 = write.new;
    }
    let nonce = slot_word(slot::NONCE);
    let is_nonce = |(address, slot): &(Address, B256)| *slot == nonce && safes.contains(address);
    slots
        .into_iter()
        .filter(|(at, (was, is))| was != is && !is_nonce(at))
        .map(|((address, slot), (was, is))| LeftOver { address, slot, was, is })
        .collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::ceremony::tests::{Home, VAULT, at, order};

    fn proven() -> TrialResult {
        TrialResult::Proven { gas: 9, proofs: vec!["it is paused".into()], read: Keys::default() }
    }

    #[test]
    fn the_first_part_that_is_not_proven_is_the_fault() {
        let mut report = TrialReport::default();
        assert!(report.must_prove(TrialPart::Lever, "the lever", &proven(), "fix it"));
        assert!(report.wrong.is_none());
        assert_eq!(report.rows, [["the lever", "would succeed, 9 gas: it is paused"]]);
        assert_eq!(report.parts["lever"]["ended"], "proven");
        let refused = TrialResult::Refused { why: "no role".into() };
        assert!(!report.must_prove(TrialPart::Undo, "its undo", &refused, "name a Safe"));
        assert_eq!(report.parts["undo"]["why"], "no role");
        let failed = TrialResult::Failed { why: "it reverts".into() };
        assert!(!report.must_prove(TrialPart::Stranger, "without the role", &failed, "fix it"));
        assert_eq!(report.parts["lever"]["ended"], "failed");
        let (part, error) = report.wrong.unwrap();
        assert_eq!((part, error.exit), (TrialPart::Undo, Exit::Refused), "the first counts");
        assert_eq!(error.message, "its undo: refused before anybody signs: no role");
        let mut report = TrialReport::default();
        report.must_prove(TrialPart::Lever, "the lever", &failed, "fix it");
        let (_, error) = report.wrong.unwrap();
        assert_eq!((error.exit, error.message.as_str()), (Exit::Failed, "the lever: fails: it reverts"));
        assert_eq!(error.hints, ["fix it"]);
    }

    #[test]
    fn what_an_undo_does_not_bring_back_is_told_slot_by_slot() {
        let home = Home::new();
        let desk = home.desk();
        let order = order(&desk, &["vault"], &at(4));
        let of = |count: u8| {
            let word = B256::with_last_byte;
            let slots =
                (0..count).map(|n| LeftOver { address: VAULT, slot: word(n), was: word(1), is: word(2) });
            let mut report = TrialReport::default();
            report.left_over(&order, &slots.collect::<Vec<_>>());
            let (text, objects) = (report.rows[0][1].clone(), report.parts["left_over"].clone());
            (text, objects.as_array().unwrap().len())
        };
        assert_eq!(of(0), ("nothing: every slot is as it was".into(), 0));
        let (one, _) = of(1);
        let word = B256::with_last_byte;
        assert_eq!(one, format!("vault slot {} was {} and is {}", word(0), word(1), word(2)));
        let (eight, all) = of(8);
        assert_eq!((eight.split("; ").count(), eight.contains(" more"), all), (8, false, 8));
        let (nine, all) = of(9);
        assert!(nine.ends_with("; and 1 more") && all == 9, "{nine}");
    }

    #[test]
    fn slots_that_the_undo_did_not_bring_back_are_left_over() {
        let (safe, vault) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let word = |n: u8| B256::with_last_byte(n);
        let write = |address, slot, old, new| Write { address, slot, old: word(old), new: word(new) };
        let writes = [
            write(safe, slot_word(slot::NONCE), 0, 1),
            write(vault, word(7), 0, 1),
            write(vault, word(8), 5, 6),
            write(safe, slot_word(slot::NONCE), 1, 2),
            write(vault, word(7), 1, 0),
            write(vault, word(9), 3, 4),
            write(vault, slot_word(slot::NONCE), 0, 9),
            write(safe, word(7), 1, 2),
        ];
        let left = left_over(&writes, &[safe]);
        let of =
            |address, slot, was, is| LeftOver { address, slot: word(slot), was: word(was), is: word(is) };
        let in_vault = [of(vault, 5, 0, 9), of(vault, 8, 5, 6), of(vault, 9, 3, 4)];
        assert_eq!(left[0], of(safe, 7, 1, 2));
        assert_eq!(left[1..], in_vault);
    }
}
