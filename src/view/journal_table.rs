//! The entries of the journal, as a table and as JSON.

use alloy::primitives::Address;
use serde::Serialize;
use serde_json::Value;

use crate::council::Council;
use crate::evm::abbreviated;
use crate::incident::{
    Belongs, DeputyStep, DrillStep, Entry, JournalAct, Merged, OpenedIncident, TxStep, belonging,
};

const HEADER: [&str; 6] = ["no", "time (UTC)", "of", "who", "did", "about"];

/// Returns the header and one row for each entry from `skipped` on. With several journals, each number begins with that
/// of its journal. A column that is empty in every row is left out.
pub fn table(
    council: &Council,
    merged: &Merged,
    several: bool,
    skipped: usize,
) -> (Vec<&'static str>, Vec<Vec<String>>) {
    filled(&rows(council, merged, several, skipped))
}

fn filled(rows: &[Vec<String>]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let is_filled = |at: usize| rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()));
    let kept: Vec<usize> = (0..HEADER.len()).filter(|at| rows.is_empty() || is_filled(*at)).collect();
    let header = kept.iter().filter_map(|at| HEADER.get(*at).copied()).collect();
    let of_row = |row: &Vec<String>| kept.iter().filter_map(|at| row.get(*at).cloned()).collect();
    (header, rows.iter().map(of_row).collect())
}

fn rows(council: &Council, merged: &Merged, several: bool, skipped: usize) -> Vec<Vec<String>> {
    let number = |(journal, entry): &(usize, &Entry)| {
        if several { format!("{}:{}", journal + 1, entry.number) } else { entry.number.to_string() }
    };
    let belongs = belonging(&merged.entries);
    let row = |(at, belongs): (&(usize, &Entry), &Belongs)| {
        let draft = &at.1.draft;
        let of = match belongs {
            Belongs::Incident(opened) => merged.entries.get(*opened).map(number).unwrap_or_default(),
            Belongs::Drill(_) => "drill".into(),
            Belongs::Transaction(_) | Belongs::Deputy(_) | Belongs::Nothing => String::new(),
        };
        let about = draft.about.as_ref();
        vec![
            number(at),
            draft.time.to_string().replace('T', " ").chars().take(19).collect(),
            of,
            draft.who.as_ref().map(ToString::to_string).unwrap_or_default(),
            describe(council, &draft.act),
            about
                .map(|about| format!("{} ({}, nonce {})", about.what, about.safe, about.nonce))
                .unwrap_or_default(),
        ]
    };
    merged.entries.iter().zip(&belongs).skip(skipped).map(row).collect()
}

/// Returns the act in a few words.
pub fn describe(council: &Council, act: &JournalAct) -> String {
    let name = |owner: &Address| council.signer_name(*owner);
    match act {
        JournalAct::Opened(OpenedIncident { title, severity, leads, speaks, writes }) => {
            let roles = [("leads", leads), ("speaks", speaks), ("writes", writes)];
            let roles =
                roles.into_iter().filter_map(|(role, who)| Some(format!("; {} {role}", who.as_ref()?)));
            format!("opened {severity}: {title}{}", roles.collect::<String>())
        }
        JournalAct::Note { text } => format!("noted: {text}"),
        JournalAct::Closed {} => "closed it".into(),
        JournalAct::Alarm { name, by, text, .. } => format!("alarm {name} by {by}: {text}"),
        JournalAct::RollCall { owner, .. } => format!("roll call of {}", name(owner)),
        JournalAct::Awake { name, .. } => format!("{name} is awake"),
        JournalAct::Proposed {} => "proposed".into(),
        JournalAct::Signed { owner, .. } => format!("signed as {}", name(owner)),
        JournalAct::Imported { owners } => {
            format!("took in {}", owners.iter().map(name).collect::<Vec<_>>().join(", "))
        }
        JournalAct::SignedAhead { owner, nonces, .. } => {
            format!("signed ahead as {}, {nonces}", name(owner))
        }
        JournalAct::ImportedAhead { owners, nonces } => {
            let owners = owners.iter().map(name).collect::<Vec<_>>().join(", ");
            format!("took in {owners}, made ahead for {nonces}")
        }
        JournalAct::Accepted { ids } => {
            format!("accepted {}", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        JournalAct::Card { nonces } => format!("printed a card for nonces {nonces}"),
        JournalAct::Sent { tx, payer } => format!("sent {}, paid by {}", abbreviated(tx), name(payer)),
        JournalAct::Mined { tx, block, succeeded } => {
            let how = if *succeeded { "mined" } else { "mined, and failed" };
            format!("{how} in block {block}: {}", abbreviated(tx))
        }
        JournalAct::Proven { tx, block } => format!("proven at block {block}: {}", abbreviated(tx)),
        JournalAct::Deputy(act) => deputy_act_text(council, act),
        JournalAct::Drill { step } => format!("DRILL: {}", drill_step_text(step, name)),
    }
}

fn drill_step_text(step: &DrillStep, name: impl Fn(&Address) -> String) -> String {
    match step {
        DrillStep::Announced {} => "announced".into(),
        DrillStep::Signed { owner, .. } => format!("signed as {}", name(owner)),
        DrillStep::Imported { owner, .. } => format!("took in {}", name(owner)),
        DrillStep::Accepted { ids } => {
            format!("accepted {}", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        DrillStep::Proven { block, .. } => format!("proven on a fork of block {block}"),
    }
}

/// Returns `alice alone, lever freeze: sent 0x12…34, paid by bob`.
fn deputy_act_text(council: &Council, act: &DeputyStep) -> String {
    let name = |address: &Address| council.signer_name(*address);
    let did = match &act.step {
        TxStep::Signed {} => "signed, and the signature is in a file".into(),
        TxStep::Sent { tx, payer } => format!("sent {}, paid by {}", abbreviated(tx), name(payer)),
        TxStep::Unproven { tx, block } => {
            format!("mined in block {block}, and not proven: {}", abbreviated(tx))
        }
        TxStep::Proven { tx, block } => format!("proven at block {block}: {}", abbreviated(tx)),
    };
    format!("{} alone, lever {}: {did}", name(&act.deputy), act.lever)
}

/// An entry as it is written, with the number of its journal and its incident.
#[derive(Debug, Serialize)]
pub struct EntryObject {
    #[serde(flatten)]
    entry: Value,
    journal: usize,
    /// The entry that opened its incident.
    incident: Option<Opened>,
}

#[derive(Debug, Serialize)]
struct Opened {
    journal: usize,
    number: u64,
}

impl EntryObject {
    pub fn all(merged: &Merged) -> Vec<Self> {
        let object = |((journal, entry), belongs): (&(usize, &Entry), Belongs)| {
            let opened = match belongs {
                Belongs::Incident(opened) => merged.entries.get(opened),
                Belongs::Transaction(_) | Belongs::Deputy(_) | Belongs::Drill(_) | Belongs::Nothing => None,
            };
            Self {
                entry: serde_json::from_str(&entry.line()).unwrap_or_default(),
                journal: journal + 1,
                incident: opened
                    .map(|(journal, entry)| Opened { journal: journal + 1, number: entry.number }),
            }
        };
        merged.entries.iter().zip(belonging(&merged.entries)).map(object).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_column_is_left_out() {
        let row = |cells: [&str; 6]| cells.map(String::from).to_vec();
        let signed = row(["2", "12:01", "", "", "signed", "vault"]);
        let (header, rows) = filled(&[row(["1", "12:00", "", "", "noted", ""]), signed.clone()]);
        assert_eq!(header, ["no", "time (UTC)", "did", "about"]);
        assert_eq!(rows, [vec!["1", "12:00", "noted", ""], vec!["2", "12:01", "signed", "vault"]]);
        let (header, _) = filled(&[signed, row(["3", "12:02", "1", "alice", "closed it", ""])]);
        assert_eq!(header, HEADER);
        assert_eq!(filled(&[]).0, HEADER);
    }
}
