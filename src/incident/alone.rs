//! Acts that deputies did alone in an incident: listed, so that the council confirms or undoes them. Pure.

use std::collections::BTreeMap;

use super::entry::{DeputyStep, Entry, JournalAct, TxStep};
use super::plain::Plain;
use super::time::Utc;
use crate::evm::TxHash;

/// The block of each transaction by the chain, and `true` if it succeeded.
pub type Receipts = BTreeMap<TxHash, (u64, bool)>;

/// One act of a deputy, at its last step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeputyAct {
    pub at: Utc,
    /// The person whose journal states it.
    pub who: Option<Plain>,
    pub act: DeputyStep,
    /// `None` if the chain was not asked, or does not have it.
    pub on_chain: Option<(u64, bool)>,
}

impl DeputyAct {
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

/// Returns the transactions that deputies sent, each once, and the signatures that are in files, in the order of time.
pub fn deputy_acts(entries: &[&Entry], receipts: &Receipts) -> Vec<DeputyAct> {
    let (mut all, mut places): (Vec<DeputyAct>, BTreeMap<TxHash, usize>) = (Vec::new(), BTreeMap::new());
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
        all.push(DeputyAct { at, who, act: act.clone(), on_chain });
    }
    all
}
