//! A moment in UTC, as people and other programs write it: `2026-11-26T05:18:32.250Z`.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// A time in milliseconds since 1970, up to the end of the calendar, so that acts of one second have an order.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    derive_more::Display,
    SerializeDisplay,
    DeserializeFromStr,
)]
#[display("{}", _0.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))]
pub struct Utc(Timestamp);

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a time like 2026-11-26T05:18:32.250Z")]
pub struct BadTime(String);

impl Utc {
    /// Returns a time; one after the end of the calendar is its last.
    pub fn from_millis(millis: u64) -> Self {
        let moment = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
        Self(moment.unwrap_or(Timestamp::MAX))
    }

    /// Returns the milliseconds since 1970.
    pub fn millis(self) -> u64 {
        self.0.as_millisecond().unsigned_abs()
    }

    /// Returns the time that is so much later.
    pub fn later(self, by: Duration) -> Self {
        Self::from_millis(self.millis().saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Returns the time since an earlier moment; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.millis().saturating_sub(earlier.millis()))
    }

    /// Returns the full seconds since 1970.
    pub fn as_seconds(self) -> u64 {
        self.millis() / 1_000
    }
}

impl FromStr for Utc {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = text.parse().ok().filter(|moment| *moment >= Timestamp::UNIX_EPOCH).map(Self);
        // Each time has one form only.
        moment
            .filter(|moment| moment.to_string() == text)
            .ok_or_else(|| BadTime(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// In the year 9999.
    const LATE: u64 = 253_370_764_800_000;

    #[test]
    fn known_moments_are_known_dates() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_732_575_571_042, "2024-11-25T22:59:31.042Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            let moment = Utc::from_millis(millis);
            assert_eq!(moment.to_string(), text);
            assert_eq!(text.parse(), Ok(moment));
            assert_eq!(moment.millis(), millis);
        }
        assert_eq!(Utc::from_millis(u64::MAX), Utc(Timestamp::MAX));
    }

    #[test]
    fn a_text_that_is_not_a_time_is_refused() {
        for text in [
            "",
            "2026",
            "2026-11-26",
            "2026-11-26 05:18:32.000Z",
            "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-00-10T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
            "2026-11-26T24:00:00.000Z",
            "2026-11-26T05:60:00.000Z",
            "2026-11-26T05:18:60.000Z",
            "2026-11-26T05:18:32.000",
            "2026-11-26T05:18:32Z",
            "2026-11-26T05:18:32.0Z",
            "2026-11-26T05:18:32.000Z ",
            "1969-12-31T23:59:59.000Z",
            "+026-11-26T05:18:32.000Z",
            "2026-11-26T05:18:3é.000Z",
        ] {
            assert!(text.parse::<Utc>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_read_back_and_later_ones_sort_later(a in 0..LATE, b in 0..LATE) {
            let (earlier, later) = (Utc::from_millis(a), Utc::from_millis(b));
            prop_assert_eq!(earlier.to_string().parse(), Ok(earlier));
            prop_assert_eq!(a.cmp(&b), earlier.to_string().cmp(&later.to_string()));
        }
    }
}
