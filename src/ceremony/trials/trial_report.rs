//! The results of trying a lever, its undo and a stranger: rows for a person, an object for a script, and the first fault.

use serde_json::{Value, json};

use crate::ceremony::order::Order;
use crate::ceremony::trials::left_over::LeftOver;
use crate::ceremony::trials::pulled::TrialResult;
use crate::error::{Error, Exit};
use crate::evm::{Keys, called};
use crate::safe::Call;

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
        self.part(key, name, ended.text(), ended.object());
        let exit = match ended {
            TrialResult::Proven { .. } => return true,
            TrialResult::Refused(_) => Exit::Refused,
            TrialResult::Failed(_) => Exit::Failed,
        };
        self.wrong(part, exit, format!("{name}: {}", ended.text()), hint);
        false
    }
}
