//! Gaps of the people: nobody can be reached, or too few are there or awake. Pure: the time is given.

use alloy::primitives::Address;

use super::told::{GapReport, not_ready, warning};
use crate::council::{Council, LocalTime, Person};
use crate::safe::SafeState;

const HOUR: u64 = 3_600;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleGap {
    /// The file names nobody.
    Nobody,
    /// Too few are there now.
    Away { safe: String, away: Vec<String>, there: usize, threshold: usize },
    /// Hours of UTC in which fewer are awake than must sign, as ranges.
    Asleep { safe: String, hours: String, threshold: usize },
}

impl PeopleGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::Nobody => warning(
                "people",
                "your file does not say how to reach anybody".into(),
                "breakglass council add person NAME --reach …, by the signer's name",
            ),
            Self::Away { safe, away, there, threshold } => not_ready(
                "people-away",
                format!(
                    "{safe}: {} are away: {there} owners are there, and {threshold} must sign",
                    away.join(", ")
                ),
                "agree on who comes back, or change the owners",
            ),
            Self::Asleep { safe, hours, threshold } => warning(
                "people-asleep",
                format!("{safe}: fewer than {threshold} owners are awake from {hours} UTC"),
                "have owners in other time zones, or agree on whom to wake",
            ),
        }
    }
}

/// Returns the gaps of the people of a Safe for a day from `now`, a second since 1970.
pub fn gaps(council: &Council, safe: &str, state: &SafeState, now: u64) -> Vec<PeopleGap> {
    let person = |owner: &Address| council.people.get(&council.signer_at(*owner)?.name);
    let owners: Vec<Option<&Person>> = state.owners.list().iter().map(person).collect();
    let threshold = state.owners.threshold().get();
    let mut gaps = Vec::new();
    let is_away = |person: &&Person| person.is_away(now);
    let away: Vec<String> =
        owners.iter().flatten().copied().filter(is_away).map(|person| person.name.clone()).collect();
    let there = owners.len() - away.len();
    if there < threshold {
        gaps.push(PeopleGap::Away { safe: safe.into(), away, there, threshold });
    }
    if owners.iter().flatten().any(|person| person.zone.is_some()) {
        let this_hour = now / HOUR;
        let mut asleep = [false; 24];
        for hour in this_hour..this_hour + 24 {
            let awake =
                owners.iter().filter(|person| person.is_none_or(|person| is_awake(person, hour * HOUR)));
            if let Some(place) = usize::try_from(hour % 24).ok().and_then(|at| asleep.get_mut(at)) {
                *place = awake.count() < threshold;
            }
        }
        let hours = ranges(&asleep);
        if !hours.is_empty() {
            gaps.push(PeopleGap::Asleep { safe: safe.into(), hours, threshold });
        }
    }
    gaps
}

/// Returns `true` if a person is awake; somebody without a time zone counts as awake.
fn is_awake(person: &Person, at: u64) -> bool {
    !person.is_away(at) && !person.zone.as_ref().is_some_and(|zone| LocalTime::is_night(zone.local(at)))
}

/// Returns ranges like `22:00 to 05:00`, also over midnight.
fn ranges(hours: &[bool; 24]) -> String {
    if hours.iter().all(|is_in| *is_in) {
        return "00:00 to 24:00".into();
    }
    let is_in = |hour: usize| hours.get(hour % 24).copied().unwrap_or_default();
    let begins = (0..24).filter(|hour| is_in(*hour) && !is_in(hour + 23));
    let range = |first: usize| {
        let length = (0..24).take_while(|n| is_in(first + n)).count();
        format!("{first:02}:00 to {:02}:00", (first + length) % 24)
    };
    begins.map(range).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_become_ranges_over_midnight_too() {
        let of = |list: &[usize]| {
            let mut hours = [false; 24];
            for hour in list {
                hours[*hour] = true;
            }
            ranges(&hours)
        };
        assert_eq!(of(&[]), "");
        assert_eq!(of(&[3]), "03:00 to 04:00");
        assert_eq!(of(&[22, 23, 0, 1, 12]), "12:00 to 13:00 and 22:00 to 02:00");
        assert_eq!(of(&(0..24).collect::<Vec<_>>()), "00:00 to 24:00");
    }
}
