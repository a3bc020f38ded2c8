//! Journals of several machines in one order of time, and their contradictions. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;

use super::entry::{Entry, JournalAct, LineDigest, TransactionRef};
use super::journal::Journal;
use crate::evm::TxHash;
use crate::safe::{Nonce, SafeTxHash};

/// The most contradictions between statements that are listed.
const MOST_LISTED: usize = 100;

/// Several journals as one.
#[derive(Clone, Debug, Default)]
pub struct Merged<'j> {
    /// In the order of their times; each with the number of its journal. A line that several journals have is one
    /// entry.
    pub entries: Vec<(usize, &'j Entry)>,
    pub contradictions: Vec<Contradiction>,
    /// `true` if there are contradictions that are not listed.
    pub has_more: bool,
}

/// A contradiction between two journals, or between two entries of one. At most one of them is true; the chain decides.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub enum Contradiction {
    /// Two journals begin with the same line and differ from this number on: one was rewritten, or one file was
    /// continued on two machines.
    #[display(
        "journal {} and journal {} begin alike and differ from entry {number} on: one was altered, or carried on elsewhere",
        journals.0 + 1,
        journals.1 + 1
    )]
    Forked { journals: (usize, usize), number: u64 },
    /// Two transactions are stated for one hash.
    #[display("{hash}: journal {} says {}, journal {} says {}", journals.0 + 1, said.0, journals.1 + 1, said.1)]
    Transaction { hash: SafeTxHash, journals: (usize, usize), said: (String, String) },
    /// Two outcomes are stated for one transaction.
    #[display("{hash}: journal {} says {}, journal {} says {}", journals.0 + 1, said.0, journals.1 + 1, said.1)]
    Outcome { hash: SafeTxHash, journals: (usize, usize), said: (String, String) },
}

impl Merged<'_> {
    /// Returns `true` if the first journal, the reader's own, has this entry.
    pub fn is_own(&self, entry: &Entry) -> bool {
        let place = |journal: usize, entry: &Entry| (entry.draft.time, journal, entry.number);
        let found = self.entries.binary_search_by_key(&place(0, entry), |(at, one)| place(*at, one));
        found.is_ok_and(|at| self.entries.get(at).is_some_and(|(_, found)| *found == entry))
    }
}

/// Merges journals. The same line in two of them is one entry.
pub fn merge(journals: &[Journal]) -> Merged<'_> {
    let mut seen: BTreeSet<LineDigest> = BTreeSet::new();
    let mut entries = Vec::new();
    for (at, journal) in journals.iter().enumerate() {
        let new = journal.entries.iter().filter(|(digest, _)| seen.insert(*digest));
        entries.extend(new.map(|(_, entry)| (at, entry)));
    }
    entries.sort_by_key(|(journal, entry)| (entry.draft.time, *journal, entry.number));
    let mut contradictions = forks(journals);
    let (of_entries, has_more) = find_contradictions(&entries);
    contradictions.extend(of_entries);
    Merged { entries, contradictions, has_more }
}

fn forks(journals: &[Journal]) -> Vec<Contradiction> {
    let mut found = Vec::new();
    for (b, later) in journals.iter().enumerate() {
        for (a, first) in journals[..b].iter().enumerate() {
            let mut pairs = first.entries.iter().zip(&later.entries);
            let alike = pairs.next().is_some_and(|(x, y)| x.0 == y.0);
            if let Some((_, (_, entry))) = pairs.find(|(x, y)| x.0 != y.0).filter(|_| alike) {
                found.push(Contradiction::Forked { journals: (a, b), number: entry.number });
            }
        }
    }
    found
}

/// The first statement about one hash.
#[derive(Default)]
struct FirstStatement<'e> {
    about: Option<(usize, &'e TransactionRef)>,
    mined: Option<(usize, (TxHash, u64, bool))>,
}

/// Returns the first contradictions, and `true` if there are more.
fn find_contradictions(entries: &[(usize, &Entry)]) -> (Vec<Contradiction>, bool) {
    let mut told: BTreeMap<SafeTxHash, FirstStatement> = BTreeMap::new();
    let (mut found, mut has_more): (Vec<Contradiction>, bool) = (Vec::new(), false);
    for (journal, entry) in entries {
        let Some(about) = &entry.draft.about else { continue };
        let hash = about.safe_tx_hash;
        let told = told.entry(hash).or_default();
        let (by, first) = *told.about.get_or_insert((*journal, about));
        let mut differ = |contradiction: Contradiction| {
            if found.contains(&contradiction) {
                return;
            }
            if found.len() < MOST_LISTED {
                found.push(contradiction);
            } else {
                has_more = true;
            }
        };
        if identity(first) != identity(about) {
            let said = (transaction(first), transaction(about));
            differ(Contradiction::Transaction { hash, journals: (by, *journal), said });
        }
        let Some(outcome) = outcome(&entry.draft.act) else { continue };
        let (by, first) = *told.mined.get_or_insert((*journal, outcome));
        if first != outcome {
            let said = (mined(first), mined(outcome));
            differ(Contradiction::Outcome { hash, journals: (by, *journal), said });
        }
    }
    (found, has_more)
}

/// Returns what all statements about one hash must agree in. The Safe's name is each council's own, and one transaction may be
/// called by its lever or by a combined one.
fn identity(about: &TransactionRef) -> (bool, Nonce, Address, u64) {
    (about.is_undo(), about.nonce, about.address, about.chain_id)
}

/// Returns the transaction of a safeTxHash for a sentence.
fn transaction(about: &TransactionRef) -> String {
    format!("{}, nonce {} of {} on chain {}", about.what, about.nonce, about.address, about.chain_id)
}

const fn outcome(act: &JournalAct) -> Option<(TxHash, u64, bool)> {
    match act {
        JournalAct::Mined { tx, block, succeeded } => Some((*tx, *block, *succeeded)),
        JournalAct::Proven { tx, block } => Some((*tx, *block, true)),
        _ => None,
    }
}

fn mined((tx, block, succeeded): (TxHash, u64, bool)) -> String {
    let how = if succeeded { "" } else { " and failed" };
    format!("mined in block {block} by {tx}{how}")
}
