//! People: whom to call for an owner, and what time it is where they are. Pure: the time is given.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use alloy::primitives::Address;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::Council;
use crate::near::near;

/// A person of the council, by the signer's name where they sign. `[contacts]` of older files are people too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub role: String,
    /// Their address, as people write it: "Signal +49 …, phone …". On one line.
    pub reach: String,
    pub zone: Option<Zone>,
    /// Another person, who is called while this one is away.
    pub backup: Option<String>,
    pub away: Vec<Days>,
}

/// A time zone of the IANA database that is built into the program.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{name}")]
pub struct Zone {
    /// As the database writes it: `Europe/Berlin`.
    name: String,
    rules: TimeZone,
}

/// Days in a row, first and last included, by the person's own calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    first: Date,
    last: Date,
}

/// A time of day somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{hour:02}:{minute:02}")]
pub struct LocalTime {
    /// From 0 to 23.
    pub hour: u8,
    pub minute: u8,
}

/// Whom to call for an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonToCall<'c> {
    pub person: &'c Person,
    /// The person who is away, where `person` stands in.
    pub instead_of: Option<&'c str>,
    /// `true` if this one is away too, and nobody stands in.
    pub is_away: bool,
    /// `None` if the file names no zone.
    pub local: Option<LocalTime>,
}

impl Council {
    /// Returns whom to call for `name` at a second since 1970: that person, or the first of their backups who is not away.
    /// If all of them are away, that is the person themselves. `None` if no person is called so.
    pub fn whom_to_call(&self, name: &str, now: u64) -> Option<PersonToCall<'_>> {
        let first = self.people.get(name)?;
        let (mut asked, mut person) = (BTreeSet::new(), first);
        while person.is_away(now) && asked.insert(&person.name) {
            let Some(backup) = person.backup.as_ref().and_then(|name| self.people.get(name)) else { break };
            person = backup;
        }
        let is_away = person.is_away(now);
        let person = if is_away { first } else { person };
        let instead_of = (person.name != first.name).then_some(first.name.as_str());
        Some(PersonToCall {
            person,
            instead_of,
            is_away,
            local: person.zone.as_ref().map(|zone| zone.local(now)),
        })
    }

    /// Returns whom to call for these owners, each person once: first those for whom it is day, last those who are away.
    /// Owners whose signer is not a person of the file are left out.
    pub fn calls_for(&self, owners: &[Address], now: u64) -> Vec<PersonToCall<'_>> {
        let signers = owners.iter().filter_map(|owner| self.signer_at(*owner));
        let mut calls: Vec<PersonToCall> =
            signers.filter_map(|signer| self.whom_to_call(&signer.name, now)).collect();
        calls.sort_by_key(|call| (call.is_away, call.local.is_some_and(LocalTime::is_night)));
        let mut called = BTreeSet::new();
        calls.retain(|call| called.insert(&call.person.name));
        calls
    }
}

impl LocalTime {
    /// Returns `true` from 23:00 to 07:00, when people sleep.
    pub const fn is_night(self) -> bool {
        self.hour >= 23 || self.hour < 7
    }
}

impl Person {
    /// Returns `true` on a day of their own calendar that they have named; UTC's calendar without a zone.
    pub fn is_away(&self, now: u64) -> bool {
        let utc = TimeZone::UTC;
        let today = self.zone.as_ref().map_or(&utc, |zone| &zone.rules).to_datetime(at(now)).date();
        self.away.iter().any(|days| (days.first..=days.last).contains(&today))
    }
}

impl Zone {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the time of day there at a second since 1970.
    pub fn local(&self, now: u64) -> LocalTime {
        let there = self.rules.to_datetime(at(now));
        LocalTime { hour: there.hour().unsigned_abs(), minute: there.minute().unsigned_abs() }
    }
}

/// A moment too late for a calendar is its last one.
fn at(seconds: u64) -> Timestamp {
    i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok()).unwrap_or(Timestamp::MAX)
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = TimeZoneDatabase::bundled();
        let found = all.get(text).ok().filter(|rules| rules.iana_name().is_some());
        if let Some(rules) = found {
            let name = rules.iana_name().unwrap_or(text).to_string();
            return Ok(Self { name, rules });
        }
        let names: Vec<String> = all.available().map(|name| name.to_string()).collect();
        let hint = near(text, names.iter().map(String::as_str)).map_or_else(
            || "write one like \"Europe/Berlin\"".to_string(),
            |name| format!("did you mean {name:?}?"),
        );
        Err(format!("{text:?} is not a time zone; {hint}"))
    }
}

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} are not days: write \"2026-12-20..2027-01-02\"");
        let (first, last) = text.split_once("..").ok_or_else(wrong)?;
        let day =
            |text: &str| text.parse::<Date>().ok().filter(|day| day.to_string() == text).ok_or_else(wrong);
        let (first, last) = (day(first)?, day(last)?);
        if first > last {
            return Err(format!("{text:?}: the last day is before the first"));
        }
        Ok(Self { first, last })
    }
}

/// `frank (for bob, who is away): phone +49 …, 04:12 there`.
impl fmt::Display for PersonToCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.person.name)?;
        match self.instead_of {
            Some(away) => write!(f, " (for {away}, who is away)")?,
            None if self.is_away => f.write_str(" (away)")?,
            None => {}
        }
        write!(f, ": {}", self.person.reach)?;
        self.local.map_or(Ok(()), |local| write!(f, ", {local} there"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: &str = r#"
schema = 1
name = "Example"
[people.alice]
role = "signer"
reach = "phone 1"
zone = "Europe/Berlin"
backup = "frank"
away = ["2026-12-20..2027-01-02"]
[people.frank]
reach = "phone 2"
zone = "America/New_York"
backup = "grace"
away = ["2026-12-24..2026-12-24"]
[people.grace]
reach = "phone 3"
backup = "alice"
away = ["2026-12-24..2026-12-24"]
[contacts.security]
role = "hotline"
reach = "phone 4"
"#;

    fn second(text: &str) -> u64 {
        u64::try_from(text.parse::<Timestamp>().unwrap().as_second()).unwrap()
    }

    fn call(name: &str, when: &str) -> Option<String> {
        let council = Council::parse("breakglass.toml", PEOPLE).unwrap();
        council.whom_to_call(name, second(when)).map(|call| call.to_string())
    }

    #[test]
    fn the_first_who_is_not_away_is_called_and_their_hour_is_told() {
        for (name, when, expected) in [
            ("alice", "2026-12-19T22:30:00Z", "alice: phone 1, 23:30 there"),
            // Already the 20th in Berlin.
            ("alice", "2026-12-19T23:30:00Z", "frank (for alice, who is away): phone 2, 18:30 there"),
            ("alice", "2026-12-24T12:00:00Z", "alice (away): phone 1, 13:00 there"),
            // Still the 24th in New York, and not any more in UTC.
            ("alice", "2026-12-25T04:00:00Z", "grace (for alice, who is away): phone 3"),
            ("alice", "2027-01-02T22:59:59Z", "frank (for alice, who is away): phone 2, 17:59 there"),
            ("alice", "2027-01-02T23:00:00Z", "alice: phone 1, 00:00 there"),
            // Summer time.
            ("alice", "2026-07-01T22:30:00Z", "alice: phone 1, 00:30 there"),
            ("security", "2026-07-01T22:30:00Z", "security: phone 4"),
        ] {
            assert_eq!(call(name, when).as_deref(), Some(expected), "{name} at {when}");
        }
        assert_eq!(call("bob", "2026-07-01T22:30:00Z"), None);
        let council = Council::parse("breakglass.toml", PEOPLE).unwrap();
        assert!(council.whom_to_call("alice", u64::MAX).is_some(), "no time is too late");
    }

    #[test]
    fn those_for_whom_it_is_day_are_called_first_and_nobody_twice() {
        let owner = |n: u8| Address::repeat_byte(n);
        let signers = ["alice", "frank", "grace", "ivan"].iter().zip(1..);
        let signers = signers.map(|(name, n)| format!("[signers.{name}]\naddress = \"{}\"\n", owner(n)));
        let text = format!("{PEOPLE}{}", signers.collect::<String>());
        let council = Council::parse("breakglass.toml", &text).unwrap();
        let calls = |when: &str| {
            let calls = council.calls_for(&[owner(1), owner(2), owner(3), owner(4), owner(9)], second(when));
            calls.iter().map(|call| call.person.name.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(calls("2026-07-01T03:30:00Z"), "grace alice frank", "05:30 in Berlin, 23:30 in New York");
        assert_eq!(calls("2026-07-01T22:30:00Z"), "frank grace alice", "00:30 in Berlin");
        assert_eq!(calls("2026-12-21T15:00:00Z"), "frank grace", "frank for alice and for himself, once");
    }

    #[test]
    fn days_are_two_dates_in_their_order() {
        for text in ["", "2026-12-20", "2026-12-20..", "20261220..20261221", "2026-02-30..2026-03-01", "a..b"]
        {
            assert!(text.parse::<Days>().unwrap_err().contains("are not days"), "{text}");
        }
        let backwards = "2026-12-21..2026-12-20".parse::<Days>().unwrap_err();
        assert!(backwards.contains("the last day is before the first"), "{backwards}");
        assert!("2026-12-20..2026-12-20".parse::<Days>().is_ok());
    }
}
