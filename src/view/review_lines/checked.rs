//! The objects of `check` and `dry-run`: the findings about one proposal, and its rehearsal.

use serde::Serialize;

use crate::ceremony::judged::Judged;
use crate::check::Finding;
use crate::view::review_lines::decision::ReviewAnswer;
use crate::view::review_lines::summary::Summary;
use crate::view::review_lines::what_changes::Changes;
use crate::view::review_lines::what_it_does::{DecidedPart, decided_parts};

/// Every finding about a proposal.
#[derive(Serialize)]
pub struct Checked<'j> {
    pub safe_tx_hash: String,
    proven: Option<String>,
    decided_by_the_chain: Vec<DecidedPart>,
    findings: &'j [Finding],
}

impl<'j> Checked<'j> {
    pub fn new(judged: &'j Judged) -> Self {
        Self {
            safe_tx_hash: judged.proposal().hash().to_string(),
            proven: judged.proven(),
            decided_by_the_chain: decided_parts(judged),
            findings: &judged.findings,
        }
    }
}

/// A rehearsal by itself.
#[derive(Serialize)]
pub struct DryRun {
    #[serde(flatten)]
    changes: Option<Changes>,
    decided_by_the_chain: Vec<DecidedPart>,
    safe_tx_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rounds: Option<u32>,
    summary: Summary,
}

impl DryRun {
    pub fn new(judged: &Judged, summary: Summary) -> Self {
        Self {
            changes: Changes::of(judged),
            decided_by_the_chain: decided_parts(judged),
            safe_tx_hash: judged.proposal().hash().to_string(),
            rounds: judged.seen.as_ref().map(|seen| seen.link.rounds()),
            summary,
        }
    }

    /// Returns `true` if there is nothing to do.
    pub const fn is_done(&self) -> bool {
        matches!(self.summary.answer, ReviewAnswer::NothingToDo(_))
    }
}
