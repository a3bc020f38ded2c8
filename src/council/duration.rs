//! A length of time as a council file writes it: `"25 seconds"`.

use std::time::Duration;

/// Reads a whole number and its unit.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a time: write it as \"25 seconds\" or \"2 minutes\"");
    let (number, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let seconds = match unit.trim() {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_whole_number_and_a_unit() {
        for (text, seconds) in [("25 seconds", 25), ("1 minute", 60), ("2 hours", 7200), ("0 seconds", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "25", "25s", "-1 seconds", "1.5 minutes", "9999999999 hours", "2 blocks"] {
            assert!(parse(text).unwrap_err().contains("is not a time"), "{text}");
        }
    }
}
