//! Units: what a person writes (`0.5 %`, `2 hours`, `1.5 ether`) and the whole number that a contract takes. Exact:
//! no floating point, and a number with more decimals than the contract can hold is an error.

use alloy::primitives::U256;

use super::literal::without_separators;

/// The unit in which a bare number is read and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Ether,
    Gwei,
    Wei,
    /// Hundredths of a percent: a bare 50 is stored as 50.
    Bps,
    /// One percent is stored as ten to the power of `decimals`.
    Percent {
        decimals: u8,
    },
    Seconds,
    Minutes,
    Hours,
    Days,
    /// Whole tokens, stored with this many decimals.
    Token {
        decimals: u8,
    },
}

/// The most decimals a unit may have: 10^77 is the last power of ten in a word.
pub(in crate::playbook) const MAX_DECIMALS: u8 = 77;

const ETHER: [(&str, Unit); 3] = [("ether", Unit::Ether), ("gwei", Unit::Gwei), ("wei", Unit::Wei)];
const TIME: [(&str, Unit); 8] = [
    ("day", Unit::Days),
    ("days", Unit::Days),
    ("hour", Unit::Hours),
    ("hours", Unit::Hours),
    ("minute", Unit::Minutes),
    ("minutes", Unit::Minutes),
    ("second", Unit::Seconds),
    ("seconds", Unit::Seconds),
];

impl Unit {
    /// The unit's word in a playbook.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ether => "ether",
            Self::Gwei => "gwei",
            Self::Wei => "wei",
            Self::Bps => "bps",
            Self::Percent { .. } => "percent",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Token { .. } => "token",
        }
    }

    /// One of this unit as the contract stores it: a factor and a power of ten.
    const fn scale(self) -> (u64, u8) {
        match self {
            Self::Ether => (1, 18),
            Self::Gwei => (1, 9),
            Self::Wei | Self::Bps | Self::Seconds => (1, 0),
            Self::Percent { decimals } | Self::Token { decimals } => (1, decimals),
            Self::Minutes => (60, 0),
            Self::Hours => (3600, 0),
            Self::Days => (86_400, 0),
        }
    }

    /// Returns the value of one of the suffix: a factor and a power of ten, and by how many decimals it is then smaller.
    fn suffixed(self, suffix: &str) -> Result<((u64, u8), u8), String> {
        let (family, known): (&[(&str, Self)], &str) = match self {
            Self::Ether | Self::Gwei | Self::Wei => (&ETHER, "ether, gwei, wei"),
            Self::Seconds | Self::Minutes | Self::Hours | Self::Days => {
                (&TIME, "days, hours, minutes, seconds")
            }
            Self::Bps | Self::Percent { .. } => (&[], "% or bps"),
            Self::Token { .. } => (&[], "none, write the number alone"),
        };
        // One percent; a basis point is a hundredth of it.
        let percent = match self {
            Self::Percent { decimals } => Some((1, decimals)),
            Self::Bps => Some((1, 2)),
            _ => None,
        };
        match (suffix, percent) {
            ("", _) => Ok((self.scale(), 0)),
            ("%" | "percent", Some(percent)) => Ok((percent, 0)),
            ("bps", Some(percent)) => Ok((percent, 2)),
            _ => {
                let found = family.iter().find(|(word, _)| *word == suffix);
                let wrong = || format!("{suffix:?} is not a unit of {}; known: {known}", self.word());
                found.map(|(_, unit)| (unit.scale(), 0)).ok_or_else(wrong)
            }
        }
    }

    /// Reads `0.5`, `0.5 %`, `2 hours` … as the whole number that the contract takes.
    /// The error names the text: not a number, a suffix that measures something else, too many decimals, too large.
    pub fn parse(self, text: &str) -> Result<U256, String> {
        let text = text.trim();
        let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_'))).unwrap_or(text.len());
        let (digits, suffix) = text.split_at(end);
        let number =
            Decimal::parse(digits).ok_or_else(|| format!("{text:?} is not a number of {}", self.word()))?;
        let ((factor, power), fewer) =
            self.suffixed(suffix.trim()).map_err(|why| format!("{text:?}: {why}"))?;
        number.scaled(factor, power, fewer).ok_or_else(|| number.why_not(text))
    }

    /// The number for a person, followed by the number that the contract takes where it differs: `0.5 % (50)`.
    pub fn show(self, value: U256) -> String {
        let natural = self.natural(value);
        let bare = value.to_string();
        let same = natural.split_whitespace().next() == Some(bare.as_str());
        if same { natural } else { format!("{natural} ({bare})") }
    }

    /// The number with its unit, which [`Unit::parse`] reads back as the same value.
    pub fn natural(self, value: U256) -> String {
        match self {
            Self::Token { decimals } => with_decimals(value, decimals),
            Self::Bps => format!("{} %", with_decimals(value, 2)),
            Self::Percent { decimals } => format!("{} %", with_decimals(value, decimals)),
            Self::Ether | Self::Gwei | Self::Wei => {
                format!("{} {}", with_decimals(value, self.scale().1), self.word())
            }
            _ => duration(value),
        }
    }
}

/// A time in the largest unit that divides it.
fn duration(seconds: U256) -> String {
    for (size, one, many) in [(86_400_u64, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes")]
    {
        let size = U256::from(size);
        if !seconds.is_zero() && (seconds % size).is_zero() {
            let n = seconds / size;
            return format!("{n} {}", if n == U256::ONE { one } else { many });
        }
    }
    format!("{seconds} {}", if seconds == U256::ONE { "second" } else { "seconds" })
}

/// `50` with two decimals → `0.5`.
fn with_decimals(value: U256, decimals: u8) -> String {
    let digits = format!("{:0>width$}", value.to_string(), width = usize::from(decimals) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.into() } else { format!("{whole}.{fraction}") }
}

/// A decimal number as written: `mantissa / 10^decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::playbook) struct Decimal {
    pub mantissa: U256,
    pub decimals: u8,
}

impl Decimal {
    /// Digits, at most one point between them, `_` between digits.
    pub(in crate::playbook) fn parse(text: &str) -> Option<Self> {
        let text = without_separators(text)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let point = text.contains('.');
        let digits = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit());
        if !digits(whole) || point && !digits(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let decimals = u8::try_from(fraction.len()).ok().filter(|n| *n <= MAX_DECIMALS)?;
        let mantissa = U256::from_str_radix(&format!("{whole}{fraction}"), 10).ok()?;
        Some(Self { mantissa, decimals })
    }

    /// `self × factor × 10^(power - fewer)`, if that is a whole number of at most 256 bits.
    fn scaled(self, factor: u64, power: u8, fewer: u8) -> Option<U256> {
        let product = self.mantissa.checked_mul(U256::from(factor))?;
        let ten = |n: u8| U256::from(10_u64).checked_pow(U256::from(n));
        let down = self.decimals.checked_add(fewer)?;
        if power >= down {
            return product.checked_mul(ten(power - down)?);
        }
        let divisor = ten(down - power)?;
        (product % divisor).is_zero().then(|| product / divisor)
    }

    fn why_not(self, text: &str) -> String {
        if self.decimals > 0 || text.ends_with("bps") {
            format!("{text:?} has more decimals than the contract can hold, or is too large")
        } else {
            format!("{text:?} is too large")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Unit; 10] = [
        Unit::Ether,
        Unit::Gwei,
        Unit::Wei,
        Unit::Bps,
        Unit::Percent { decimals: 2 },
        Unit::Percent { decimals: 16 },
        Unit::Seconds,
        Unit::Hours,
        Unit::Token { decimals: 6 },
        Unit::Token { decimals: 0 },
    ];

    #[test]
    fn written_amounts_become_the_contracts_numbers() {
        for (unit, text, stored, shown) in [
            (Unit::Ether, "1.5", "1500000000000000000", "1.5 ether (1500000000000000000)"),
            (Unit::Ether, "2 gwei", "2000000000", "0.000000002 ether (2000000000)"),
            (Unit::Wei, "1 gwei", "1000000000", "1000000000 wei"),
            (Unit::Bps, "50", "50", "0.5 % (50)"),
            (Unit::Bps, "0.5 %", "50", "0.5 % (50)"),
            (Unit::Bps, "50 bps", "50", "0.5 % (50)"),
            (Unit::Percent { decimals: 2 }, "0.5", "50", "0.5 % (50)"),
            (Unit::Percent { decimals: 16 }, "1", "10000000000000000", "1 % (10000000000000000)"),
            (Unit::Percent { decimals: 16 }, "50 bps", "5000000000000000", "0.5 % (5000000000000000)"),
            (Unit::Seconds, "30 minutes", "1800", "30 minutes (1800)"),
            (Unit::Seconds, "1 day", "86400", "1 day (86400)"),
            (Unit::Hours, "1.5", "5400", "90 minutes (5400)"),
            (Unit::Days, "90 seconds", "90", "90 seconds"),
            (Unit::Token { decimals: 6 }, "1_000.25", "1000250000", "1000.25 (1000250000)"),
        ] {
            let value = unit.parse(text).unwrap();
            assert_eq!(value.to_string(), stored, "{text}");
            assert_eq!(unit.show(value), shown, "{text}");
        }
    }

    #[test]
    fn no_amount_is_rounded_and_no_unit_is_guessed() {
        let long = "9".repeat(78);
        for (unit, text, message) in [
            (Unit::Ether, "2 hours", "\"hours\" is not a unit of ether; known: ether, gwei, wei"),
            (Unit::Bps, "1 ether", "\"ether\" is not a unit of bps; known: % or bps"),
            (Unit::Seconds, "1 %", "\"%\" is not a unit of seconds; known: days, hours, minutes, seconds"),
            (
                Unit::Token { decimals: 6 },
                "5 USDC",
                "\"USDC\" is not a unit of token; known: none, write the number alone",
            ),
            (Unit::Bps, "0.5", "\"0.5\" has more decimals than the contract can hold"),
            (Unit::Percent { decimals: 0 }, "50 bps", "\"50 bps\" has more decimals than"),
            (Unit::Wei, "0.5 wei", "has more decimals"),
            (Unit::Token { decimals: 6 }, "0.0000001", "has more decimals"),
            (Unit::Seconds, "half", "\"half\" is not a number of seconds"),
            (Unit::Ether, "1,5", "\"1,5\": \",5\" is not a unit"),
            (Unit::Ether, "-1", "\"-1\" is not a number of ether"),
            (Unit::Ether, "1.", "is not a number"),
            (Unit::Ether, "", "\"\" is not a number"),
            (Unit::Wei, &long, "is not a number"),
            (Unit::Ether, "99999999999999999999999999999999999999999999999999999999999999", "is too large"),
        ] {
            let why = unit.parse(text).unwrap_err();
            assert!(why.contains(message), "{text}: {why}");
        }
    }

    proptest! {
        #[test]
        fn shown_is_read_back_as_the_same(words in any::<[u64; 4]>(), drop in 0_usize..256, unit in 0_usize..10) {
            let value = U256::from_limbs(words) >> drop;
            let unit = ALL[unit];
            prop_assert_eq!(unit.parse(&unit.natural(value)), Ok(value));
        }

        #[test]
        fn no_text_panics(text in "[0-9._% a-z-]{0,90}", unit in 0_usize..10) {
            let _ = ALL[unit].parse(&text);
        }
    }
}
