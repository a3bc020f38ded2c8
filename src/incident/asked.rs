//! Owners who were asked to sign, and of whom nothing is known.

use std::collections::BTreeSet;

use alloy::primitives::Address;

use super::entry::{Entry, JournalAct, TransactionRef};
use super::time::Utc;
use crate::council::Council;

/// An owner who neither signed a transaction nor said that they are awake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    pub name: String,
    /// The moment when the transaction was there to be signed.
    pub asked: Utc,
    pub about: TransactionRef,
}

/// Returns the owners of each transaction's Safe, by the council file, from whom there is no answer in the journals, nor in what
/// the chain executed (`signers`).
pub fn unanswered(
    council: &Council,
    entries: &[&Entry],
    transactions: &[(TransactionRef, Vec<Address>)],
) -> Vec<Unanswered> {
    let mut all: Vec<Unanswered> = Vec::new();
    for (about, signers) in transactions {
        let owners = council.safe_at(about.chain_id, about.address).and_then(|safe| safe.owners.as_ref());
        let is_about = |entry: &&&Entry| {
            entry.draft.about.as_ref().is_some_and(|of| of.safe_tx_hash == about.safe_tx_hash)
        };
        let (Some(owners), Some(first)) = (owners, entries.iter().find(is_about)) else { continue };
        let signed: BTreeSet<Address> =
            entries.iter().filter(is_about).flat_map(|entry| signed_by(&entry.draft.act)).collect();
        for signer in council.signers.values().filter(|signer| owners.contains(signer.address)) {
            let has_signed = signed.contains(&signer.address) || signers.contains(&signer.address);
            if has_signed || entries.iter().any(|entry| has_answered(entry, &signer.name)) {
                continue;
            }
            let (name, asked) = (signer.name.clone(), first.draft.time);
            if all.iter().all(|known| known.name != name || known.about != *about) {
                all.push(Unanswered { name, asked, about: about.clone() });
            }
        }
    }
    all
}

fn signed_by(act: &JournalAct) -> Vec<Address> {
    match act {
        JournalAct::Signed { owner, .. } | JournalAct::SignedAhead { owner, .. } => vec![*owner],
        JournalAct::Imported { owners } | JournalAct::ImportedAhead { owners, .. } => owners.clone(),
        _ => Vec::new(),
    }
}

/// They wrote in a journal of theirs, or said that they are awake.
fn has_answered(entry: &Entry, name: &str) -> bool {
    let wrote = entry.draft.who.as_ref().is_some_and(|who| who.to_string() == name);
    let is_awake =
        matches!(&entry.draft.act, JournalAct::Awake { name: awake, .. } if awake.to_string() == name);
    wrote || is_awake
}
