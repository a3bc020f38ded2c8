//! Lines by which people say that they are awake, and the time at which a transaction began: to decide whom to call
//! next.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use super::entry::{Entry, JournalAct};
use super::journal::Journal;
use super::plain::Plain;
use super::time::Utc;
use super::timeline::open_incident;
use crate::proposal::Truncated;
use crate::safe::SafeTxHash;

/// The first word of a line.
const HEAD: &str = "bgawake1";
/// An awake line counts for so long without an open incident.
const LASTS: Duration = Duration::from_hours(12);
/// The clocks of two machines may differ by so much.
const SKEW: Duration = Duration::from_mins(10);

/// A line that says "I am awake", to be pasted. It is not signed, so that it only decides whom to call.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{HEAD} {name} {at}")]
pub struct Awake {
    pub name: Plain,
    pub at: Utc,
}

/// The lines that were found in a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FoundAwake {
    /// The last line of each name, by the name.
    pub awake: BTreeMap<String, Awake>,
    pub refused: Truncated<BadAwake>,
}

/// The reason that a line does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadAwake {
    Form(String),
    /// Nobody is called so.
    Nobody(String),
    /// It is too old, or from the future.
    NotNow(Utc),
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

/// Returns the current lines in a text such as a chat: the last of each known name, however many lines stand before it.
pub fn find_awake(text: &str, now: Utc, is_known: impl Fn(&str) -> bool) -> FoundAwake {
    let words: Vec<&str> = text.split_whitespace().collect();
    let heads = words.iter().enumerate().filter(|(_, word)| **word == HEAD);
    let mut found = FoundAwake::default();
    for (at, _) in heads {
        match words[at..words.len().min(at + 3)].join(" ").parse::<Awake>() {
            Err(why) => found.refused.push(|| BadAwake::Form(why)),
            Ok(line) if !is_known(&line.name.to_string()) => {
                found.refused.push(|| BadAwake::Nobody(line.name.to_string()));
            }
            Ok(line) if !line.is_of_now(now) => found.refused.push(|| BadAwake::NotNow(line.at)),
            Ok(line) => {
                let last = found.awake.entry(line.name.to_string()).or_insert_with(|| line.clone());
                last.at = last.at.max(line.at);
            }
        }
    }
    found
}

/// Returns the names of those who are awake: by lines since the open incident began, or else of the last hours.
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
pub fn first_seen<'e>(entries: impl Iterator<Item = &'e Entry>, hash: SafeTxHash) -> Option<Utc> {
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
        let found = find_awake(&format!("bob 09:00\n{line} hi\nbgawake1 eve soon"), at(0), |_| true);
        assert!(found.awake.values().eq([&line]));
        assert_eq!(found.refused.count(), 1);
        assert!(line.is_of_now(at(0)) && line.is_of_now(at(12)));
        assert!(!line.is_of_now(at(13)), "it is of another day");
        let early = Awake { at: at(1), ..line };
        assert!(!early.is_of_now(at(0)), "it is from the future");
    }

    /// A stranger who posts thousands of lines hides nobody's, and a line that is quoted a thousand times is one.
    #[test]
    fn a_flood_of_lines_hides_none_and_repeats_none() {
        let of = |name: &str, hour: u64| Awake { name: Plain::new(name).unwrap(), at: at(hour) };
        let junk = "bgawake1 eve soon\n".repeat(2_000);
        let quoted = format!("{}\n", of("bob", 1)).repeat(2_000);
        let old = format!("{}\n", of("carol", 0));
        let others = [of("bob", 0), of("carol", 14), of("dave", 13)].map(|line| line.to_string()).join("\n");
        let chat = format!("{junk}{quoted}{old}{others}");
        let found = find_awake(&chat, at(13), |name| name != "dave");
        let awake: Vec<Awake> = found.awake.into_values().collect();
        assert_eq!(awake, [of("bob", 1)]);
        assert_eq!((found.refused.count(), found.refused.first().len()), (2_000 + 4, 5));
    }
}
