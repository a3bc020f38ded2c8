//! A moment in UTC, as people and other programs write it: `2026-11-26T05:18:32.250Z`.

use std::fmt;
use std::str::FromStr;

const DAY: u64 = 86_400;
/// The last millisecond of the year 9999.
const LAST: u64 = 253_402_300_799_999;
/// Days from 0000-03-01 to 1970-01-01.
const TO_1970: u64 = 719_468;
/// Days of 400 years.
const ERA: u64 = 146_097;

/// A millisecond since 1970, up to the end of the year 9999: what one machine does in one second has an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(u64);

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a time like 2026-11-26T05:18:32.250Z")]
pub struct BadTime(String);

impl Utc {
    /// A later moment than the year 9999 has is taken for its last.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(if millis > LAST { LAST } else { millis })
    }

    /// Returns the full seconds since 1970.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// Returns year, month and day: the Gregorian calendar in years that begin with March, whose last day may be the 29th
    /// of February.
    const fn date(self) -> (u64, u64, u64) {
        let days = self.as_seconds() / DAY + TO_1970;
        let (era, day) = (days / ERA, days % ERA);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let of_month = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year + if month <= 2 { 1 } else { 0 };
        (year, month, of_month)
    }

    /// Returns the moment of a date and a time of day; `None` for a date before 1970.
    fn at(
        (year, month, day): (u64, u64, u64),
        (hour, minute, second, milli): (u64, u64, u64, u64),
    ) -> Option<Self> {
        let (year, from_march) =
            if month <= 2 { (year.checked_sub(1)?, month + 9) } else { (year, month - 3) };
        let of_year = (153 * from_march + 2) / 5 + day - 1;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
        let seconds = days.checked_sub(TO_1970)? * DAY + hour * 3_600 + minute * 60 + second;
        Some(Self(seconds * 1_000 + milli))
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((year, month, day), of_day) = (self.date(), self.as_seconds() % DAY);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        let milli = self.0 % 1_000;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

impl FromStr for Utc {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadTime(text.chars().take(40).collect());
        let number = |from: usize, to: usize| {
            let digits = text.get(from..to).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
            digits.parse::<u64>().ok()
        };
        let read = || {
            let date = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
            Self::at(date, (number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 23)?))
        };
        // Written back, it is the same: separators, ranges and length are checked at once.
        read().filter(|time| time.0 <= LAST && time.to_string() == text).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments_are_known_dates() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_732_575_571_042, "2024-11-25T22:59:31.042Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Utc(millis).to_string(), text);
            assert_eq!(text.parse(), Ok(Utc(millis)));
        }
        assert_eq!(Utc::from_millis(u64::MAX), Utc(LAST));
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
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
        fn every_moment_is_read_back_and_later_ones_sort_later(a in 0..=LAST, b in 0..=LAST) {
            prop_assert_eq!(Utc(a).to_string().parse(), Ok(Utc(a)));
            prop_assert_eq!(a.cmp(&b), Utc(a).to_string().cmp(&Utc(b).to_string()));
        }
    }
}
