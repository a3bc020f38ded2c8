//! Entries that belong together: those between the opening and the closing of an incident, and otherwise those about
//! one Safe transaction. A drill never belongs to an incident. Pure.

use std::collections::BTreeMap;

use super::entry::{Entry, JournalAct};
use crate::safe::SafeTxHash;

/// The incident or proposal that an entry belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Belongs {
    /// The place of the entry that opened the incident.
    Incident(usize),
    /// No incident was open.
    Transaction(SafeTxHash),
    /// No incident was open: the place of the first entry about a deputy's act by this lever.
    Deputy(usize),
    /// It is a step of this drill, which is not an incident.
    Drill(SafeTxHash),
    Nothing,
}

/// Returns the incident or proposal of each entry; they are in the order of time, each with the number of its journal.
///
/// The reader's own journal, the first one, decides when an incident began and ended, if it has any: another journal
/// could leave entries out of the record.
pub fn belonging(entries: &[(usize, &Entry)]) -> Vec<Belongs> {
    let decides = deciding(entries);
    let (mut open, mut deputies) = (None, BTreeMap::new());
    let mut all = Vec::with_capacity(entries.len());
    for (at, (journal, entry)) in entries.iter().enumerate() {
        let draft = &entry.draft;
        if matches!(draft.act, JournalAct::Opened(_)) && decides(*journal) {
            open = Some(at);
        }
        if let Some((_, hash)) = entry.drill() {
            all.push(Belongs::Drill(hash));
            continue;
        }
        let transaction = || draft.about.as_ref().map(|about| Belongs::Transaction(about.safe_tx_hash));
        let deputy = || match &draft.act {
            JournalAct::Deputy(act) => {
                Some(Belongs::Deputy(*deputies.entry(act.lever.clone()).or_insert(at)))
            }
            _ => None,
        };
        let belongs = open.map(Belongs::Incident).or_else(transaction);
        all.push(belongs.or_else(deputy).unwrap_or(Belongs::Nothing));
        if draft.act == (JournalAct::Closed {}) && decides(*journal) {
            open = None;
        }
    }
    all
}

/// Returns `true` for journals that decide when an incident began and ended: the first one if it has any incident, and
/// otherwise all.
pub(super) fn deciding(entries: &[(usize, &Entry)]) -> impl Fn(usize) -> bool {
    let opens = |(journal, entry): &(usize, &Entry)| {
        *journal == 0 && matches!(entry.draft.act, JournalAct::Opened(_))
    };
    let has_own = entries.iter().any(opens);
    move |journal| journal == 0 || !has_own
}

/// Returns the entry that opened the incident that is still open; `None` if there is none.
pub fn open_incident<'e>(entries: impl DoubleEndedIterator<Item = &'e Entry>) -> Option<&'e Entry> {
    let mut bounds =
        entries.rev().filter(|e| matches!(e.draft.act, JournalAct::Opened(_) | JournalAct::Closed {}));
    bounds.next().filter(|entry| entry.draft.act != JournalAct::Closed {})
}
