//! An alarm's evaluation at one block, and the readings that it needs first.

use std::collections::BTreeSet;

use super::Verdict;
use crate::evm::{LogFilter, Query};

/// The readings that must be taken from the chain first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeededReadings {
    pub queries: BTreeSet<Query>,
    pub events: BTreeSet<LogFilter>,
}

impl NeededReadings {
    pub fn extend(&mut self, other: &Self) {
        self.queries.extend(other.queries.iter().cloned());
        self.events.extend(other.events.iter().cloned());
    }

    pub fn is_empty(&self) -> bool {
        self.queries.is_empty() && self.events.is_empty()
    }
}

/// An alarm's evaluation at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlarmEvaluation {
    /// Values must be read first.
    Needs(NeededReadings),
    /// All claims hold.
    Quiet { sentences: Vec<String> },
    /// Some do not: `vault totalAssets() is 5; expected: is at least 9`.
    False { sentences: Vec<String> },
    /// A value that the claim rests on cannot be read.
    Unreadable(String),
}

impl AlarmEvaluation {
    pub(super) fn asking(queries: Vec<Query>) -> Self {
        Self::Needs(NeededReadings { queries: queries.into_iter().collect(), ..NeededReadings::default() })
    }

    /// Returns the evaluation, given the verdicts on all claims.
    pub(super) fn of(verdicts: Vec<Verdict>) -> Self {
        let (quiet, broken): (Vec<_>, Vec<_>) = verdicts.into_iter().partition(|verdict| verdict.holds);
        let sentences = |verdicts: Vec<Verdict>| verdicts.into_iter().map(|v| v.sentence).collect();
        if broken.is_empty() {
            Self::Quiet { sentences: sentences(quiet) }
        } else {
            Self::False { sentences: sentences(broken) }
        }
    }
}
