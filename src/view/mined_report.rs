//! A mined transaction and its effects, as lines and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ceremony::aftermath::mined::AsRehearsed;
use crate::ceremony::aftermath::outcome::{Outcome, OutcomeProof};
use crate::ceremony::judged::Judged;
use crate::chain::{Depth, EndpointReport, Events, Receipt, agreeing, is_minority};
use crate::council::Arguments;
use crate::safe::Execution;
use crate::ui::{Lines, Text};
use crate::view::review_lines::already_done::People;
use crate::view::review_lines::verdict_line::VerdictLine;

/// Differences beyond this number are counted and not listed.
const MOST_SHOWN: usize = 20;

/// The outcome of a transaction, as it is printed and kept.
#[derive(Debug, Serialize)]
pub struct MinedReport {
    safe_tx_hash: String,
    transaction: String,
    block: u64,
    block_hash: String,
    #[serde(flatten)]
    people: People,
    gas_used: u64,
    execution: &'static str,
    after: Vec<VerdictLine>,
    proven: bool,
    judged_at: u64,
    not_as_rehearsed: Vec<String>,
    not_compared: Option<String>,
    /// The values that its undo brings back, by lever.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub was: BTreeMap<String, Arguments>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<DepthShown>,
}

#[derive(Debug, Serialize)]
struct DepthShown {
    confirmations: u64,
    newest_block: u64,
    #[serde(rename = "final")]
    is_final: Option<bool>,
}

impl MinedReport {
    pub fn new(judged: &Judged, outcome: &Outcome, people: People) -> Self {
        let receipt = &outcome.receipt;
        let (not_as_rehearsed, not_compared) = match &outcome.as_rehearsed {
            AsRehearsed::Yes => (Vec::new(), None),
            AsRehearsed::No(differences) => (differences.clone(), None),
            AsRehearsed::Unknown(why) => (Vec::new(), Some(why.clone())),
        };
        Self {
            safe_tx_hash: judged.proposal().hash().to_string(),
            transaction: receipt.tx.to_string(),
            block: receipt.block.number,
            block_hash: receipt.block.hash.to_string(),
            people,
            gas_used: receipt.gas_used,
            execution: match outcome.execution {
                Execution::Succeeded => "success",
                Execution::Failed => "failure",
            },
            after: VerdictLine::all(&outcome.verdicts),
            proven: outcome.is_proven(judged),
            judged_at: outcome.judged_at.number,
            not_as_rehearsed,
            not_compared,
            was: BTreeMap::new(),
            level: None,
            depth: None,
        }
    }

    pub fn add_depth(&mut self, depth: &Depth, receipt: &Receipt) {
        self.depth = Some(DepthShown {
            confirmations: depth.confirmations,
            newest_block: depth.newest.number,
            is_final: depth.final_block.map(|_| depth.is_final(&receipt.block)),
        });
    }

    /// Returns the transaction, its people and its checks.
    pub fn lines(&self, judged: &Judged, outcome: &Outcome) -> Lines {
        let mut lines = Lines::default();
        lines.say(&Text::default().dim("transaction ").add(&self.transaction));
        lines.say(&self.people.line());
        if outcome.judged_at != outcome.receipt.block {
            let (then, now) = (self.block, self.judged_at);
            let text = format!("no RPC keeps the state of block {then} any more: judged at block {now}");
            lines.say(&Text::default().warn("note: ").add(&text));
        } else if let Some(why) = self.not_compared.as_ref().filter(|_| outcome.is_proven(judged)) {
            let text = format!("what it did was not compared with a rehearsal: {why}");
            lines.say(&Text::default().warn("note: ").add(&text));
        }
        self.after.iter().for_each(|one| lines.say(&Text::new("  ").then(one.text())));
        lines
    }
}

/// Returns a line for each of the first differences from the rehearsal.
pub fn differences(differences: &[String]) -> Lines {
    differences.iter().take(MOST_SHOWN).map(|line| Text::default().bad("  ✗ ").add(line)).collect()
}

/// Returns the first difference from the rehearsal, and how many more there are.
pub fn mined_otherwise(differences: &[String]) -> String {
    let (first, more) = (differences.first().map_or("", String::as_str), differences.len().saturating_sub(1));
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    format!("mined, but not as rehearsed: {first}{more}")
}

/// Returns the level of the proof, for a script and for a person: state roots, a quorum of RPCs or a single one.
pub fn level(endpoints: &[EndpointReport], proven: Option<&OutcomeProof>) -> (&'static str, String) {
    let (word, by) = level_by_votes(endpoints);
    let Some(OutcomeProof { state, events, mined, needs_events }) = proven else { return (word, by) };
    match events {
        Events::Proven(_) => {
            let text = format!("{state}; its events against the receipts root of block {}", mined.number);
            ("roots", text)
        }
        Events::Unproven(why) => {
            let text = format!("{state}; its events {by}: {why}");
            (if *needs_events { word } else { "state root" }, text)
        }
    }
}

/// Returns the level by the votes of the RPCs alone.
fn level_by_votes(endpoints: &[EndpointReport]) -> (&'static str, String) {
    match agreeing(endpoints) {
        (0 | 1, _) => ("one RPC", "by the word of one RPC".into()),
        (agree, of) if is_minority(endpoints) => {
            ("minority", format!("by the word of {agree} of {of} RPCs, the others did not agree in time"))
        }
        (agree, of) => ("quorum", format!("{agree} of {of} RPCs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{EndpointFault, EndpointStatus};

    #[test]
    fn a_minority_is_not_a_quorum() {
        let word = |agree: usize, of: usize| {
            let standing = |at| {
                if at < agree {
                    EndpointStatus::Agrees
                } else {
                    EndpointStatus::Outvoted(EndpointFault::Slow)
                }
            };
            let report = |at| EndpointReport {
                shown: String::new(),
                standing: standing(at),
                newest: None,
                batch: None,
            };
            level_by_votes(&(0..of).map(report).collect::<Vec<_>>())
        };
        assert_eq!(word(1, 1).0, "one RPC");
        assert_eq!(word(1, 3).0, "one RPC");
        let (level, by) = word(2, 5);
        assert_eq!(level, "minority");
        assert!(by.contains("2 of 5 RPCs") && by.contains("did not agree in time"), "{by}");
        assert_eq!(word(2, 3), ("quorum", "2 of 3 RPCs".into()));
        assert_eq!(word(3, 4).0, "quorum");
    }
}
