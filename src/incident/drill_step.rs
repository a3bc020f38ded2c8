//! The steps of a drill, as the journal has them. They are acts of a kind of their own, so that no count of real acts
//! includes them.

use std::collections::BTreeMap;

use super::entry::{DrillStep, Entry, JournalAct};
use super::time::Utc;
use crate::safe::SafeTxHash;

impl JournalAct {
    /// Returns the steps that an act is entered as if it is about a drill: never as a real act.
    pub fn in_drill(self) -> Vec<DrillStep> {
        match self {
            Self::Proposed {} => vec![DrillStep::Announced {}],
            Self::Signed { owner, name } => vec![DrillStep::Signed { owner, name }],
            Self::Imported { owners } => {
                owners.into_iter().map(|owner| DrillStep::Imported { owner, made: None }).collect()
            }
            Self::Accepted { ids } => vec![DrillStep::Accepted { ids }],
            Self::Drill { step } => vec![step],
            // No other act is of a drill: it is not sent, not mined and not signed ahead.
            Self::Opened(_)
            | Self::Note { .. }
            | Self::Closed {}
            | Self::Alarm { .. }
            | Self::RollCall { .. }
            | Self::Awake { .. }
            | Self::SignedAhead { .. }
            | Self::ImportedAhead { .. }
            | Self::Card { .. }
            | Self::Sent { .. }
            | Self::Mined { .. }
            | Self::Proven { .. }
            | Self::Deputy(_) => Vec::new(),
        }
    }

    pub const fn is_of_drill(&self) -> bool {
        matches!(self, Self::Drill { .. })
    }
}

impl Entry {
    /// Returns the step that it records, and the hash of its drill.
    pub fn drill(&self) -> Option<(&DrillStep, SafeTxHash)> {
        match (&self.draft.act, &self.draft.about) {
            (JournalAct::Drill { step }, Some(about)) => Some((step, about.safe_tx_hash)),
            _ => None,
        }
    }
}

/// Returns `true` if these entries prove the drill with this hash, or have a step of it from before `since`: old
/// signatures do not show who can sign now.
pub fn is_over<'e>(entries: impl Iterator<Item = &'e Entry>, hash: SafeTxHash, since: Utc) -> bool {
    let mut steps = entries.filter_map(|entry| Some((entry.draft.time, entry.drill()?)));
    steps.any(|(time, (step, of))| of == hash && (time < since || matches!(step, DrillStep::Proven { .. })))
}

/// Returns `true` if these entries announce the drill with this hash at `since` or later.
pub fn is_announced<'e>(mut entries: impl Iterator<Item = &'e Entry>, hash: SafeTxHash, since: Utc) -> bool {
    entries.any(|entry| entry.drill() == Some((&DrillStep::Announced {}, hash)) && entry.draft.time >= since)
}

/// Returns the drills that began at `since` or later and that these entries do not prove.
pub fn open_drills<'e>(entries: impl Iterator<Item = &'e Entry>, since: Utc) -> Vec<SafeTxHash> {
    let mut drills: BTreeMap<SafeTxHash, (Utc, bool)> = BTreeMap::new();
    for entry in entries {
        if let Some((step, hash)) = entry.drill() {
            let (_, is_proven) = drills.entry(hash).or_insert((entry.draft.time, false));
            *is_proven |= matches!(step, DrillStep::Proven { .. });
        }
    }
    let is_open = |(hash, (began, is_proven)): (SafeTxHash, (Utc, bool))| {
        (began >= since && !is_proven).then_some(hash)
    };
    drills.into_iter().filter_map(is_open).collect()
}
