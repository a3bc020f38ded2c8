//! An address as people write it: the one reader for the whole program.

use alloy::primitives::Address;

/// A text that is not an address, or one with a digit mistyped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    #[error("{0:?} is not an address: expected 0x and 40 hexadecimal digits")]
    Form(String),
    #[error("the checksum of {0} is wrong: one of its digits was mistyped")]
    Checksum(String),
}

/// Reads `0x` and 40 hexadecimal digits; where they mix upper and lower case, the checksum (ERC-55) must be right.
pub fn parse_address(text: &str) -> Result<Address, BadAddress> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40);
    let address: Address = digits
        .and_then(|d| d.parse().ok())
        .ok_or_else(|| BadAddress::Form(text.chars().take(100).collect()))?;
    let has = |case: fn(&char) -> bool| digits.is_some_and(|d| d.chars().any(|c| case(&c)));
    if has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && address.to_string() != text {
        return Err(BadAddress::Checksum(text.into()));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_digit_is_found_and_one_case_alone_has_no_checksum() {
        let right = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        for text in [right.to_string(), right.to_lowercase(), right.to_uppercase().replacen('X', "x", 1)] {
            assert_eq!(parse_address(&text).unwrap().to_string(), right, "{text}");
        }
        for text in [right.replace("39F", "39f"), right.replace("266", "267")] {
            assert_eq!(parse_address(&text), Err(BadAddress::Checksum(text)));
        }
        for text in ["", "0x", "0x12", &right[2..], &format!("{right}0"), &right.replace("0x", "0x0x"), "0xé"]
        {
            assert_eq!(parse_address(text), Err(BadAddress::Form(text.to_string())));
        }
    }
}
