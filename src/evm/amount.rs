//! Amounts of ether as people read them.

use alloy::primitives::U256;
use alloy::primitives::utils::{format_ether, format_units, parse_units};

/// The digits of an amount that is only read.
const DIGITS: usize = 4;

pub fn ether(wei: U256) -> String {
    format!("{} ether", eth(wei))
}

/// Wei as ETH, as it is typed: `0`, `1.5`.
pub fn eth(wei: U256) -> String {
    format_ether(wei).trim_end_matches('0').trim_end_matches('.').into()
}

/// Wei per gas, exactly.
pub fn gwei(wei: u128) -> String {
    let text = format_units(wei, "gwei").unwrap_or_else(|_| wei.to_string());
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Returns the amount rounded up to four digits, as a person reads it.
pub fn rounded_up(wei: U256) -> U256 {
    let step = U256::from(10).pow(U256::from(wei.to_string().len().saturating_sub(DIGITS)));
    wei.div_ceil(step).saturating_mul(step)
}

/// Reads gwei, with up to nine digits behind the point, as wei.
pub fn parse_gwei(text: &str) -> Result<u128, String> {
    let is_plain = (1..=20).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let wei = Some(text).filter(|_| is_plain).and_then(|text| parse_units(text, "gwei").ok());
    let wei = wei.and_then(|wei| u128::try_from(wei.get_absolute()).ok());
    wei.ok_or_else(|| "write gwei as 2 or 1.5".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_rounded_up_and_never_down() {
        for (wei, shown) in [
            (112_551_328_423_818_u128, "0.0001126 ether"),
            (112_600_000_000_000, "0.0001126 ether"),
            (99_999_999_999_999_999, "0.1 ether"),
            (1_459, "0.000000000000001459 ether"),
            (0, "0 ether"),
        ] {
            assert_eq!(ether(rounded_up(U256::from(wei))), shown, "{wei}");
        }
        assert!(rounded_up(U256::MAX) >= U256::MAX - U256::from(1));
    }

    #[test]
    fn gwei_are_read_as_people_write_them() {
        for (text, wei) in [("2", 2_000_000_000), ("1.5", 1_500_000_000), ("0", 0), ("0.000000001", 1)] {
            assert_eq!(parse_gwei(text), Ok(wei), "{text}");
        }
        for text in ["", "-1", "1e9", "+1", "a", "1.2.3", "999999999999999999999", "0x1"] {
            assert!(parse_gwei(text).is_err(), "{text}");
        }
    }
}
