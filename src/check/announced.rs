//! The check that a drill is announced in the reader's own journal: a real proposal could be called a drill to collect
//! its signatures, and a drill could be called real to waste the council's time.

use super::description::Description;
use super::{Check, Facts, all};
use crate::safe::DRILL_CHAIN_ID;

pub(super) const CHECKS: [Check; 1] = [("drill", |facts| all(is_announced(facts)))];

/// A drill, announced in the reader's journal or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrillProblem {
    Announced,
    Unannounced,
}

impl DrillProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::Announced => Description::pass("drill", "it is a drill that your own journal announces"),
            Self::Unannounced => Description::warn(
                "drill-unannounced",
                "not announced in your journal: call its author",
                format!(
                    "call the person who is said to have announced it; it is a drill only if your device shows chain \
                     {DRILL_CHAIN_ID}"
                ),
            ),
        }
    }
}

/// `None` for a real proposal, and while nothing is signed.
fn is_announced(facts: &Facts) -> Option<DrillProblem> {
    let is_asked = facts.proposal.is_drill() && facts.signing;
    is_asked.then_some(if facts.announced { DrillProblem::Announced } else { DrillProblem::Unannounced })
}
