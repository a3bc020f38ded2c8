//! The lines of a drill: its announcement for the chat, and the time of each person and phase.

use std::time::Duration;

use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::drills::drilling::DrillProof;
use crate::ceremony::judged::Judged;
use crate::council::Response;
use crate::incident::Measure;
use crate::proposal::{DrillName, Proposal};
use crate::readiness::drill_times::Drill;
use crate::ui::{Lines, Text};
use crate::view::record::time_text;
use crate::view::review_lines::verdict_line::VerdictLine;

pub const HEADER: [&str; 5] = ["phase", "at (UTC)", "after", "target", ""];
pub const TREND: [&str; 5] = ["drill", "lever", "first signature", "enough signatures", "proven"];

/// Returns the line for the chat: `DRILL vault n42 7f3a: breakglass sign drill:vault-n42-7f3a`.
pub fn announcement(drill: &Proposal, words: &str) -> String {
    let title = drill.binding().title();
    let head = DrillName::of(drill).map(|name| name.head().to_string()).unwrap_or_default();
    let undo = if drill.binding().undo() { "undo of " } else { "" };
    format!("DRILL {undo}{title} n{} {head}: breakglass sign {words}", drill.nonce())
}

/// A drill that was proven on a fork.
#[derive(Debug, Serialize)]
pub struct DrillProven {
    purpose: &'static str,
    safe_tx_hash: String,
    nonce: String,
    block: u64,
    proven: bool,
    sent: bool,
    gas_used: u64,
    after: Vec<VerdictLine>,
}

impl DrillProven {
    pub fn new(judged: &Judged, proof: &DrillProof) -> Self {
        let drill = judged.proposal();
        Self {
            purpose: "drill",
            safe_tx_hash: drill.hash().to_string(),
            nonce: drill.nonce().to_string(),
            block: proof.block.number,
            proven: true,
            sent: false,
            gas_used: proof.gas_used,
            after: VerdictLine::all(&proof.verdicts),
        }
    }

    pub fn lines(&self) -> Lines {
        let text = format!("on a fork of block {} the Safe itself takes the signatures", self.block);
        let last = "Nothing was sent, and nothing changed: its signatures are good on no chain.";
        let after = self.after.iter().map(|one| Text::new("  ").then(one.text()));
        let first = Text::default().good("DRILL proven: ").add(&text);
        [first].into_iter().chain(after).chain([Text::new(last)]).collect()
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Times {
    pub safe_tx_hash: String,
    pub lever: String,
    pub began: String,
    pub signed: Vec<DrillSigner>,
    pub phases: Vec<Phase>,
}

/// The time at which an owner signed.
#[derive(Clone, Debug, Serialize)]
pub struct DrillSigner {
    pub name: String,
    pub at: String,
    pub after_seconds: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    pub what: &'static str,
    pub after_seconds: Option<u64>,
    pub target_seconds: Option<u64>,
    pub is_late: bool,
}

impl Times {
    pub fn new(drill: &Drill, response: &Response, name: impl Fn(Address) -> String) -> Self {
        let seconds = |took: Duration| took.as_secs();
        let phase = |measure: Measure| Phase {
            what: measure.phase.as_str(),
            after_seconds: measure.took.map(seconds),
            target_seconds: measure.wanted.map(seconds),
            is_late: measure.is_late(),
        };
        let person = |signed: &crate::readiness::drill_times::Signed| DrillSigner {
            name: name(signed.owner),
            at: signed.at.to_string(),
            after_seconds: signed.at.since(drill.began).as_secs(),
        };
        Self {
            safe_tx_hash: drill.hash.to_string(),
            lever: drill.what.to_string(),
            began: drill.began.to_string(),
            signed: drill.signed.iter().map(person).collect(),
            phases: drill.measures(response).into_iter().map(phase).collect(),
        }
    }

    /// Returns a row for its beginning, for each person, and for each phase.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let row = |what: &str, at: &str, after: String, target: String, word: &str| {
            vec![what.to_string(), at.into(), after, target, word.into()]
        };
        let none = String::new;
        let mut rows = vec![row("announced", &clock(&self.began), none(), none(), "")];
        rows.extend(self.signed.iter().map(|one| {
            row(&format!("signed by {}", one.name), &clock(&one.at), time_text(one.after_seconds), none(), "")
        }));
        rows.extend(self.phases.iter().map(|phase| {
            let word = match (phase.after_seconds, phase.target_seconds) {
                (_, None) | (None, _) => "",
                _ if phase.is_late => "LATE",
                _ => "in time",
            };
            row(
                phase.what,
                "",
                known_time(phase.after_seconds),
                phase.target_seconds.map(time_text).unwrap_or_default(),
                word,
            )
        }));
        rows
    }

    /// Returns the row of an earlier drill.
    pub fn trend_row(&self) -> Vec<String> {
        let day: String = self.began.chars().take(10).collect();
        let phases = self.phases.iter().map(|phase| {
            format!("{}{}", known_time(phase.after_seconds), if phase.is_late { " LATE" } else { "" })
        });
        [day, self.lever.clone()].into_iter().chain(phases).collect()
    }
}

fn known_time(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "not known".into(), time_text)
}

/// Returns the time of day in the text of a time: `14:02:11`.
fn clock(moment: &str) -> String {
    moment.chars().skip(11).take(8).collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::incident::{Plain, Utc};
    use crate::readiness::drill_times::{ProvenDrill, Signed};
    use crate::safe::{Nonce, SafeTxHash};

    fn at(seconds: u64) -> Utc {
        Utc::from_millis(1_795_680_000_000).later(Duration::from_secs(seconds))
    }

    #[test]
    fn the_times_are_listed_by_person_and_by_phase() {
        let signed = |seed, seconds| Signed { owner: Address::repeat_byte(seed), at: at(seconds) };
        let drill = Drill {
            hash: SafeTxHash::claimed(B256::ZERO),
            what: Plain::new("vault").unwrap(),
            chain_id: 1,
            safe: Address::ZERO,
            nonce: Nonce::from(42),
            began: at(0),
            is_announced: true,
            signed: vec![signed(1, 209), signed(2, 291)],
            proven: Some(ProvenDrill { at: at(362), keys: 2 }),
        };
        let response =
            Response { first_signature: Some(Duration::from_mins(3)), proof: Some(Duration::from_mins(30)) };
        let times = Times::new(&drill, &response, |owner| {
            if owner == Address::repeat_byte(1) { "bob" } else { "alice" }.into()
        });
        assert_eq!(
            times.rows(),
            [
                ["announced", "08:00:00", "", "", ""],
                ["signed by bob", "08:03:29", "3 min 29 s", "", ""],
                ["signed by alice", "08:04:51", "4 min 51 s", "", ""],
                ["first signature", "", "3 min 29 s", "3 min 0 s", "LATE"],
                ["enough signatures", "", "4 min 51 s", "", ""],
                ["proven", "", "6 min 2 s", "30 min 0 s", "in time"],
            ]
        );
        assert_eq!(times.trend_row(), ["2026-11-26", "vault", "3 min 29 s LATE", "4 min 51 s", "6 min 2 s"]);
        let open = Drill { proven: None, signed: Vec::new(), ..drill };
        let times = Times::new(&open, &Response::default(), |_| "bob".into());
        assert_eq!(times.trend_row()[2..], ["not known", "not known", "not known"]);
    }
}
