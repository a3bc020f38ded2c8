//! Lines by which people say that they are awake, and the time that a transaction has waited: to decide whom to call next.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::entry::{Entry, JournalAct};
use super::journal::Journal;
use super::plain::Plain;
use super::time::Utc;
use super::timeline::open_incident;
use crate::safe::SafeTxHash;

/// The first word of a line.
const HEAD: &str = "bgawake1";
/// Without an open incident, this is how long somebody stays awake.
const LASTS: Duration = Duration::from_hours(12);
/// The clocks of two machines may differ by this.
const SKEW: Duration = Duration::from_mins(10);
/// The most lines that are looked for in one text.
const MOST_LINES: usize = 1_000;

/// "I am awake": a line to paste. Nobody signs it, and it is believed for no more than whom to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awake {
    pub name: Plain,
    pub at: Utc,
}

impl fmt::Display for Awake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEAD} {} {}", self.name, self.at)
    }
}

impl FromStr for Awake {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let wrong =
            || format!("{:?} is not a line of breakglass ack", line.chars().take(60).collect::<String>());
        let words: Vec<&str> = line.split_whitespace().take(4).collect();
        let [HEAD, name, at] = words[..] else { return Err(wrong()) };
        let name = Plain::new(name).map_err(|_| wrong())?;
        Ok(Self { name, at: at.parse().map_err(|_| wrong())? })
    }
}

impl Awake {
    /// Returns `true` if the line is of these hours, by this machine's clock.
    pub fn is_of_now(&self, now: Utc) -> bool {
        self.at <= now.later(SKEW) && now <= self.at.later(LASTS)
    }
}

/// Finds the lines in a text, a chat for instance.
pub fn find_awake(text: &str) -> Vec<Result<Awake, String>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let heads = words.iter().enumerate().filter(|(_, word)| **word == HEAD).take(MOST_LINES);
    heads.map(|(at, _)| words[at..words.len().min(at + 3)].join(" ").parse()).collect()
}

/// Returns the names of those who are awake: since the incident was opened that is open, or else for some hours.
pub fn awake(journal: &Journal, now: Utc) -> BTreeSet<String> {
    let opened = open_incident(journal.iter()).map(|entry| entry.draft.time);
    let counts = |at: Utc| match opened {
        Some(opened) => opened <= at.later(SKEW),
        None => now <= at.later(LASTS),
    };
    let said = journal.iter().filter_map(|entry| match &entry.draft.act {
        JournalAct::Awake { name, at } => Some((name, *at)),
        _ => None,
    });
    said.filter(|(_, at)| counts(*at)).map(|(name, _)| name.to_string()).collect()
}

/// Returns when a transaction first appears in the journal.
pub fn began<'e>(entries: impl Iterator<Item = &'e Entry>, hash: SafeTxHash) -> Option<Utc> {
    let of = |entry: &&Entry| entry.draft.about.as_ref().is_some_and(|about| about.safe_tx_hash == hash);
    entries.filter(of).map(|entry| entry.draft.time).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u64) -> Utc {
        Utc::from_millis(1_795_680_000_000).later(Duration::from_hours(hour))
    }

    #[test]
    fn a_line_is_found_in_a_chat_and_counts_for_some_hours() {
        let line = Awake { name: Plain::new("bob").unwrap(), at: at(0) };
        assert_eq!(line.to_string(), "bgawake1 bob 2026-11-26T08:00:00.000Z");
        let found = find_awake(&format!("bob 09:00\n{line} hi\nbgawake1 eve soon"));
        assert_eq!(found[0], Ok(line.clone()));
        assert!(found[1].is_err() && found.len() == 2);
        assert!(line.is_of_now(at(0)) && line.is_of_now(at(12)));
        assert!(!line.is_of_now(at(13)), "it is of another day");
        let early = Awake { at: at(1), ..line };
        assert!(!early.is_of_now(at(0)), "it is from the future");
    }
}
