//! The answer that a lever is done already: since when, by which transaction, and by whom.

use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::aftermath::done_by::{Deed, DoneBy};
use crate::ceremony::judged::Judged;
use crate::evm::abbreviated;
use crate::incident::Utc;
use crate::ui::Text;

/// The promise that holds already, and who brought it about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// `vault paused() is true`
    pub promised: String,
    #[serde(flatten)]
    pub by: Option<ExecutedBy>,
    /// The reason why it is not known who did it.
    pub unknown: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExecutedBy {
    pub block: u64,
    /// `2026-11-26T22:39:31.000Z`
    pub time: Option<String>,
    pub seconds_ago: Option<u64>,
    pub transaction: String,
    pub safe: String,
    pub safe_tx_hash: String,
    pub nonce: String,
    pub this_lever: bool,
    #[serde(flatten)]
    pub people: People,
}

/// The signers and the sender of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct People {
    /// Recovered from the call's data; empty if it was another call.
    pub signers: Vec<PersonAddress>,
    pub sender: PersonAddress,
}

impl People {
    pub fn of(judged: &Judged, signers: &[Address], sender: Address) -> Self {
        // In the order in which the Safe lists its owners; former owners last.
        let mut signers = signers.to_vec();
        let owners = judged.state().owners.list();
        signers.sort_by_key(|signer| owners.iter().position(|owner| owner == signer).unwrap_or(owners.len()));
        let signers = signers.iter().map(|signer| PersonAddress::of(judged, *signer)).collect();
        Self { signers, sender: PersonAddress::of(judged, sender) }
    }

    fn words(&self) -> Text {
        let signers: Vec<String> = self.signers.iter().map(PersonAddress::short).collect();
        let signers = if signers.is_empty() { "not known".into() } else { signers.join(", ") };
        Text::default().bold(&signers).add(&format!("   sent by {}", self.sender.short()))
    }

    /// Returns a line of its own.
    pub fn line(&self) -> Text {
        Text::default().dim("signed by ").then(self.words())
    }
}

/// An address, with the reader's own name for it if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonAddress {
    pub name: Option<String>,
    pub address: String,
}

impl PersonAddress {
    pub fn of(judged: &Judged, address: Address) -> Self {
        let name = judged.derived.names.name(address).map(str::to_string);
        Self { name, address: address.to_string() }
    }

    /// Returns the name, or the address in short.
    pub fn short(&self) -> String {
        self.name.clone().unwrap_or_else(|| abbreviated(&self.address))
    }
}

impl ExecutedBy {
    /// Returns the time of day if it was within a day, else the date.
    fn at(&self) -> String {
        let Some((date, time)) = self.time.as_deref().and_then(|time| time.split_once('T')) else {
            return String::new();
        };
        match self.seconds_ago {
            Some(0..86_400) => format!(", {} UTC", time.get(..8).unwrap_or(time)),
            _ => format!(", {date}"),
        }
    }
}

impl Done {
    /// Returns the promise without who did it.
    pub fn promised(promised: &str) -> Self {
        Self { promised: promised.into(), by: None, unknown: None }
    }

    pub fn of(judged: &Judged, promised: &str, by: DoneBy) -> Self {
        let promised = promised.to_string();
        match by {
            DoneBy::Known(deed) => Self { promised, by: Some(executed_by(judged, &deed)), unknown: None },
            DoneBy::Unknown(why) => Self { promised, by: None, unknown: Some(why) },
        }
    }

    /// Returns the lines below the promise, each with its label.
    pub fn lines(&self) -> Vec<(&'static str, Text)> {
        let Some(by) = &self.by else {
            let why = self.unknown.as_deref().unwrap_or("not looked up");
            return vec![("since", Text::new("not known: ").add(why))];
        };
        let ago = by.seconds_ago.map(|seconds| format!(", {} ago", length(seconds))).unwrap_or_default();
        let since = format!("block {}{}{ago}", by.block, by.at());
        let lever = if by.this_lever { "this lever" } else { "by other levers" };
        vec![
            ("since", Text::new(&since)),
            ("by", Text::default().bold(&by.safe).add(&format!("   nonce {}, {lever}", by.nonce))),
            ("tx", Text::new(&by.transaction)),
            ("signed", by.people.words()),
        ]
    }
}

fn executed_by(judged: &Judged, deed: &Deed) -> ExecutedBy {
    ExecutedBy {
        block: deed.block,
        time: deed.time.map(|(time, _)| Utc::from_millis(time.saturating_mul(1_000)).to_string()),
        seconds_ago: deed.time.map(|(_, ago)| ago),
        transaction: deed.tx.to_string(),
        safe: judged.derived.safe.name.clone(),
        safe_tx_hash: deed.hash.to_string(),
        nonce: deed.nonce.to_string(),
        this_lever: deed.is_this_lever,
        people: People::of(judged, &deed.signers, deed.sender),
    }
}

/// Returns a length of time in its largest full unit: `40 s`, `4 min`, `3 h`, `5 days`.
pub fn length(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_in_its_largest_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(length(seconds), text);
        }
    }

    #[test]
    fn an_unknown_date_and_signer_are_shown_as_not_known() {
        let done = |unknown: Option<&str>| Done {
            promised: "vault paused() is true".into(),
            by: None,
            unknown: unknown.map(str::to_string),
        };
        let [(label, text)] = &done(Some("none of the last transactions of guardian")).lines()[..] else {
            panic!("one line")
        };
        assert_eq!(*label, "since");
        assert_eq!(text.plain(), "not known: none of the last transactions of guardian");
    }
}
