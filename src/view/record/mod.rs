//! The record of an incident: one struct, written as JSON, Markdown, HTML, and drafts of messages.

mod dora;
mod draft_message;
mod drafts;
mod escape;
mod html;
mod markdown;
#[cfg(test)]
mod tests;

use std::time::Duration;

use alloy::primitives::Address;
use serde::Serialize;

pub use dora::DoraStage;
pub use draft_message::DraftMessage;
pub use drafts::{DraftAudience, built_in};
pub use html::html;
pub use markdown::markdown;

use crate::council::Council;
use crate::incident::{
    DeputyAct, Happened, Journal, JournalAct, Lane, Measure, Moment, Record, TimedPhase, Transaction, TxStep,
    Utc,
};
use crate::ui::{Lines, Text};
use crate::view::journal_table::describe;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentReport {
    pub council: String,
    pub title: String,
    pub severity: Option<String>,
    pub roles: Vec<Role>,
    pub began: Option<String>,
    pub closed: Option<String>,
    pub times: Vec<Time>,
    pub timeline: Vec<TimelineRow>,
    pub transactions: Vec<Tx>,
    /// The acts of one key alone.
    pub to_be_confirmed: Vec<ToConfirm>,
    pub accepted: Vec<AcceptedFindings>,
    pub contradictions: Vec<String>,
    pub journals: Vec<JournalDigest>,
    pub playbooks: Vec<PlaybookText>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    pub role: String,
    pub name: String,
}

/// The time that a phase took from the first moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Time {
    pub what: String,
    #[serde(skip)]
    pub phase: TimedPhase,
    pub seconds: Option<u64>,
    pub wanted_seconds: Option<u64>,
    pub is_late: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineRow {
    /// `2026-11-26T22:31:04.000Z`
    pub at: String,
    #[serde(skip)]
    pub millis: u64,
    pub lane: String,
    /// It is from a monitor, not from a person.
    #[serde(skip)]
    pub is_alarm: bool,
    pub text: String,
    /// The text of a note.
    #[serde(skip)]
    pub note: Option<String>,
    /// `journal`: a statement of its writer. `chain`: read from the chain.
    pub by: &'static str,
    /// A refusal that was accepted.
    pub is_grave: bool,
}

/// One transaction: the facts that the chain confirms, and those that only a journal states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tx {
    pub what: String,
    #[serde(skip)]
    pub is_undo: bool,
    pub safe: String,
    pub address: String,
    pub chain_id: u64,
    pub nonce: String,
    pub safe_tx_hash: String,
    pub on_chain: Option<OnChain>,
    /// Why the chain does not confirm it.
    pub unknown: Option<String>,
    /// A journal states that its effect was proven.
    pub is_proven: bool,
    pub changes: Vec<Changed>,
    /// Commands that show the same without this program.
    pub check: Vec<String>,
}

/// An act of a deputy, which a Safe confirms or undoes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToConfirm {
    pub at: String,
    pub lever: String,
    pub deputy: String,
    pub address: String,
    /// The Safe that confirms it.
    pub safe: String,
    pub chain_id: u64,
    pub module: Option<String>,
    /// `signed`, `sent`, `unproven` or `proven`, by the journal.
    pub step: &'static str,
    pub transaction: Option<String>,
    /// `true` if the chain has it and it succeeded; `None` if the chain was not asked or does not have it.
    pub on_chain: Option<bool>,
    pub block: Option<u64>,
    /// The command that undoes it.
    pub undo: String,
}

impl ToConfirm {
    /// Returns its state in a sentence.
    pub fn state(&self) -> String {
        match (self.on_chain, self.block, &self.transaction) {
            (Some(true), Some(block), Some(tx)) => {
                format!("done in block {block}, transaction {tx}, {}", self.step)
            }
            (Some(false), Some(block), Some(tx)) => format!("failed in block {block}, transaction {tx}"),
            (_, _, Some(tx)) => format!("{}, not confirmed by the chain: {tx}", self.step),
            (_, _, None) => "signed to a file: a person who has it can use it, once".into(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnChain {
    pub transaction: String,
    pub block: u64,
    pub time: Option<String>,
    pub succeeded: bool,
    /// From the call's data.
    pub signed_by: Vec<String>,
    pub paid_by: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    pub what: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcceptedFindings {
    pub who: String,
    pub at: String,
    pub ids: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalDigest {
    pub name: String,
    pub entries: usize,
    pub digest: Option<String>,
    pub is_whole: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlaybookText {
    pub id: String,
    pub digest: String,
    pub text: String,
}

impl JournalDigest {
    pub fn new(name: String, journal: &Journal) -> Self {
        Self {
            name,
            entries: journal.entries.len(),
            digest: journal.last.map(|last| last.to_string()),
            is_whole: journal.breaks.is_empty(),
        }
    }
}

impl IncidentReport {
    /// Returns a line if the chain does not confirm every transaction, and one for each contradiction.
    pub fn doubts(&self, offline: bool) -> Lines {
        let unsure = self.transactions.iter().filter(|one| one.on_chain.is_none()).count();
        let unsure = (unsure > 0 && !offline).then(|| {
            let of = self.transactions.len();
            Text::default()
                .warn("note: ")
                .add(&format!("{unsure} of {of} transactions are not confirmed by the chain"))
        });
        let contradiction = |text: &String| Text::default().bad("contradiction: ").add(text);
        unsure.into_iter().chain(self.contradictions.iter().map(contradiction)).collect()
    }

    pub fn new(council: &Council, record: &Record, journals: Vec<JournalDigest>) -> Self {
        let text = |utc: Utc| utc.to_string();
        let mut playbooks: Vec<PlaybookText> = Vec::new();
        for used in record.transactions.iter().flat_map(|one| &one.facts.playbooks) {
            let playbook =
                PlaybookText { id: used.id.clone(), digest: used.digest.clone(), text: used.text.clone() };
            if !playbooks.contains(&playbook) {
                playbooks.push(playbook);
            }
        }
        let accepted = record.accepted.iter().map(|(who, at, ids)| AcceptedFindings {
            who: who.as_ref().map_or_else(|| "unnamed".into(), ToString::to_string),
            at: at.to_string(),
            ids: ids.iter().map(ToString::to_string).collect(),
        });
        Self {
            council: council.name.clone(),
            title: record.title.clone(),
            severity: record.severity.map(|severity| severity.to_string()),
            roles: record
                .roles
                .iter()
                .map(|(role, name)| Role { role: (*role).into(), name: name.to_string() })
                .collect(),
            began: record.began.map(text),
            closed: record.closed.map(text),
            times: record.measures.iter().map(time).collect(),
            timeline: record.moments.iter().map(|moment| row(council, moment)).collect(),
            transactions: record.transactions.iter().map(|one| tx(council, one)).collect(),
            to_be_confirmed: record.alone.iter().map(|one| to_confirm(council, one)).collect(),
            accepted: accepted.collect(),
            contradictions: record.contradictions.clone(),
            journals,
            playbooks,
        }
    }

    /// `P1 · vault is drained`
    pub fn headline(&self) -> String {
        let severity = self.severity.as_ref().map(|severity| format!("{severity} · ")).unwrap_or_default();
        format!("{severity}{}", self.title)
    }
}

fn time(measure: &Measure) -> Time {
    Time {
        what: measure.phase.as_str().into(),
        phase: measure.phase,
        seconds: measure.took.map(|took| took.as_secs()),
        wanted_seconds: measure.wanted.map(|wanted| wanted.as_secs()),
        is_late: measure.is_late(),
    }
}

fn row(council: &Council, moment: &Moment) -> TimelineRow {
    let about = |about: &crate::incident::TransactionRef| {
        format!("{} ({}, nonce {})", about.what, about.safe, about.nonce)
    };
    let (text, by) = match &moment.what {
        Happened::Entered(act, of) => {
            let of = of.as_ref().map(|of| format!(": {}", about(of))).unwrap_or_default();
            (format!("{}{of}", describe(council, act)), "journal")
        }
        Happened::Mined { about: of, block, succeeded } => {
            let how = if *succeeded { "executed" } else { "executed, and failed" };
            (format!("{how} in block {block}: {}", about(of)), "chain")
        }
        Happened::Unanswered { about: of } => {
            (format!("asked to sign, and no answer: {}", about(of)), "journal")
        }
    };
    let lane = match &moment.lane {
        Lane::Monitor => "monitor".into(),
        Lane::Chain => "chain".into(),
        // A person may have the name of a lane.
        Lane::Person(name) if ["monitor", "chain"].contains(&name.trim()) => format!("{name} (a person)"),
        Lane::Person(name) => name.clone(),
    };
    let is_grave = matches!(
        moment.what,
        Happened::Entered(JournalAct::Accepted { .. }, _) | Happened::Unanswered { .. }
    );
    let note = match &moment.what {
        Happened::Entered(JournalAct::Note { text }, _) => Some(text.to_string()),
        _ => None,
    };
    let is_alarm = moment.lane == Lane::Monitor;
    let (at, millis) = (moment.at.to_string(), moment.at.millis());
    TimelineRow { at, millis, lane, is_alarm, text, note, by, is_grave }
}

fn to_confirm(council: &Council, one: &DeputyAct) -> ToConfirm {
    let act = &one.act;
    let step = match act.step {
        TxStep::Signed {} => "signed",
        TxStep::Sent { .. } => "sent",
        TxStep::Unproven { .. } => "unproven",
        TxStep::Proven { .. } => "proven",
    };
    ToConfirm {
        at: one.at.to_string(),
        lever: act.lever.to_string(),
        deputy: council.signer_name(act.deputy),
        address: act.deputy.to_string(),
        safe: act.safe.to_string(),
        chain_id: act.chain_id,
        module: act.module.map(|module| module.to_string()),
        step,
        transaction: one.tx().map(|tx| tx.to_string()),
        on_chain: one.on_chain.map(|(_, succeeded)| succeeded),
        block: one.on_chain.map(|(block, _)| block),
        undo: format!("breakglass undo {}", act.lever),
    }
}

fn tx(council: &Council, one: &Transaction) -> Tx {
    let name = |address: &Address| {
        let known = council.signer_at(*address);
        known.map_or_else(|| address.to_string(), |signer| format!("{} {address}", signer.name))
    };
    let on_chain = one.facts.executed.as_ref().map(|executed| OnChain {
        transaction: executed.tx.to_string(),
        block: executed.block,
        time: executed.time.map(|time| Utc::from_millis(time.saturating_mul(1_000)).to_string()),
        succeeded: executed.succeeded,
        signed_by: executed.signers.iter().map(name).collect(),
        paid_by: name(&executed.sender),
    });
    let changed = one.facts.changes.iter().map(|change| Changed {
        what: change.label.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
    });
    Tx {
        what: one.about.what.to_string(),
        is_undo: one.about.is_undo(),
        safe: one.about.safe.to_string(),
        address: one.about.address.to_string(),
        chain_id: one.about.chain_id,
        nonce: one.about.nonce.to_string(),
        safe_tx_hash: one.about.safe_tx_hash.to_string(),
        on_chain,
        unknown: one.facts.unknown.clone(),
        is_proven: one.is_proven,
        changes: changed.collect(),
        check: one.facts.lines.clone(),
    }
}

/// Returns a length of time: `4 min 12 s`.
pub fn time_text(seconds: u64) -> String {
    let time = Duration::from_secs(seconds).as_secs();
    match (time / 3_600, time / 60 % 60, time % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
