//! Acts that deputies did alone in an incident: listed, so that the council confirms them or takes them back.

use std::collections::BTreeMap;

use super::entry::{Deputed, Entry, JournalAct, TxStep};
use super::plain::Plain;
use super::time::Utc;
use crate::evm::TxHash;

/// The chain's own word on a transaction: its block, and if it went through.
pub type Receipts = BTreeMap<TxHash, (u64, bool)>;

/// One act of a deputy, by its last step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alone {
    pub at: Utc,
    /// The person whose journal states it.
    pub who: Option<Plain>,
    pub act: Deputed,
    /// `None` if the chain was not asked, or does not have it.
    pub on_chain: Option<(u64, bool)>,
}

impl Alone {
    pub const fn tx(&self) -> Option<TxHash> {
        tx_of(&self.act.step)
    }
}

const fn tx_of(step: &TxStep) -> Option<TxHash> {
    match step {
        TxStep::Signed {} => None,
        TxStep::Sent { tx, .. } | TxStep::Unproven { tx, .. } | TxStep::Proven { tx, .. } => Some(*tx),
    }
}

/// Returns the transactions that deputies sent, each once, and the signatures that are in files. In the order of time.
pub fn alone(entries: &[&Entry], receipts: &Receipts) -> Vec<Alone> {
    let (mut all, mut places): (Vec<Alone>, BTreeMap<TxHash, usize>) = (Vec::new(), BTreeMap::new());
    for entry in entries {
        let JournalAct::Deputy(act) = &entry.draft.act else { continue };
        let tx = tx_of(&act.step);
        let on_chain = tx.and_then(|tx| receipts.get(&tx).copied());
        let known = tx.and_then(|tx| places.get(&tx).copied()).and_then(|at| all.get_mut(at));
        if let Some(known) = known {
            // It began when it was sent.
            known.act.step = act.step.clone();
            continue;
        }
        places.extend(tx.map(|tx| (tx, all.len())));
        let (at, who) = (entry.draft.time, entry.draft.who.clone());
        all.push(Alone { at, who, act: act.clone(), on_chain });
    }
    all
}
