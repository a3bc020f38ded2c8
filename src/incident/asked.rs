//! Owners who were asked to sign and did not answer. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;

use super::entry::{Entry, JournalAct, TransactionRef};
use super::plain::Plain;
use super::time::Utc;
use crate::council::Council;

/// An owner who neither signed a transaction nor sent an awake line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    pub name: String,
    /// The time from which the transaction could be signed.
    pub asked: Utc,
    pub about: TransactionRef,
}

/// Returns the owners of each transaction's Safe, by the council file, who answered neither in a journal nor by a
/// signature in the executed transaction.
pub fn unanswered(
    council: &Council,
    entries: &[&Entry],
    transactions: &[(TransactionRef, Vec<Address>)],
) -> Vec<Unanswered> {
    let (mut asked, mut signed) = (BTreeMap::new(), BTreeSet::new());
    for entry in entries {
        if let Some(about) = &entry.draft.about {
            asked.entry(about.safe_tx_hash).or_insert(entry.draft.time);
            signed.extend(signed_by(&entry.draft.act).into_iter().map(|owner| (about.safe_tx_hash, owner)));
        }
    }
    let answered: BTreeSet<&str> = entries.iter().flat_map(|entry| answered_by(entry)).collect();
    let mut all: Vec<Unanswered> = Vec::new();
    for (about, signers) in transactions {
        let hash = about.safe_tx_hash;
        let owners = council.safe_at(about.chain_id, about.address).and_then(|safe| safe.owners.as_ref());
        let (Some(owners), Some(&asked)) = (owners, asked.get(&hash)) else { continue };
        for signer in council.signers.values().filter(|signer| owners.contains(signer.address)) {
            let has_signed = signed.contains(&(hash, signer.address)) || signers.contains(&signer.address);
            if !has_signed && !answered.contains(signer.name.as_str()) {
                all.push(Unanswered { name: signer.name.clone(), asked, about: about.clone() });
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

/// Returns the person who wrote an entry, and the one whose awake line it has.
fn answered_by(entry: &Entry) -> impl Iterator<Item = &str> {
    let awake = match &entry.draft.act {
        JournalAct::Awake { name, .. } => Some(name),
        _ => None,
    };
    entry.draft.who.iter().chain(awake).map(Plain::as_str)
}
