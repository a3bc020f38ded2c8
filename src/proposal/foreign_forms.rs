//! Signatures of other software that are not 65 bytes in a row: r, s and v apart, and 64 bytes (EIP-2098).

use alloy::primitives::hex;
use serde::Deserialize;

/// The fields that wallets and libraries give, in their own names; others are passed over.
#[derive(Deserialize)]
struct Apart {
    r: String,
    s: Option<String>,
    v: Option<Number>,
    #[serde(rename = "yParity")]
    y_parity: Option<Number>,
    #[serde(rename = "yParityAndS")]
    y_parity_and_s: Option<String>,
}

/// A number, or the text of one: `28`, `"28"`, `"0x1c"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u64),
    Text(String),
}

impl Number {
    fn byte(&self) -> Option<u8> {
        let number = match self {
            Self::Number(number) => return u8::try_from(*number).ok(),
            Self::Text(text) => text,
        };
        match number.strip_prefix("0x") {
            Some(digits) => u8::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        }
    }
}

/// Reads one JSON object with r, s and v. `None` if the text is anything else.
pub(super) fn from_parts(text: &str) -> Option<[u8; 65]> {
    let apart: Apart = serde_json::from_str(text).ok()?;
    let r = word(&apart.r)?;
    if let Some(both) = &apart.y_parity_and_s {
        return Some(from_compact(&[r, word(both)?].concat().try_into().ok()?));
    }
    let v = apart.v.or(apart.y_parity)?.byte()?;
    let mut bytes = [v; 65];
    bytes[..32].copy_from_slice(&r);
    bytes[32..64].copy_from_slice(&word(&apart.s?)?);
    Some(bytes)
}

/// Reads 64 bytes: the parity of the point is the highest bit of s.
pub(super) fn from_compact(compact: &[u8; 64]) -> [u8; 65] {
    let mut bytes = [27 + (compact[32] >> 7); 65];
    bytes[..64].copy_from_slice(compact);
    bytes[32] &= 0x7f;
    bytes
}

/// 32 bytes; zeros before them may be left out.
fn word(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let padded = format!("{digits:0>64}");
    hex::decode(padded).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_64_bytes_are_the_65_bytes_that_they_stand_for() {
        let (r, s) = ("11".repeat(32), format!("0{}", "2".repeat(63)));
        let whole = |v: u8| hex::decode(format!("{r}{s}{v:02x}")).unwrap();
        for (text, v) in [
            (format!(r#"{{"r":"0x{r}","s":"0x{s}","v":"28","yParity":1}}"#), 28),
            (format!(r#"{{"r":"{r}","s":"{s}","v":"0x1b"}}"#), 27),
            (format!(r#"{{"r":"0x{r}","s":"0x{}","yParity":1}}"#, &s[1..]), 1),
            (format!(r#"{{"r":"0x{r}","yParityAndS":"0x8{}"}}"#, &s[1..]), 28),
        ] {
            assert_eq!(from_parts(&text).unwrap().to_vec(), whole(v), "{text}");
        }
        for bad in [
            format!(r#"{{"r":"0x{r}"}}"#),
            format!(r#"{{"r":"0x{r}","s":"0x{s}"}}"#),
            format!(r#"{{"r":"0x{r}","s":"0x{s}","v":300}}"#),
            format!(r#"{{"r":"0x{r}00","s":"0x{s}","v":27}}"#),
            format!(r#"{{"r":"wörd","s":"0x{s}","v":27}}"#),
            "[]".into(),
        ] {
            assert_eq!(from_parts(&bad), None, "{bad}");
        }
        let compact: [u8; 64] = whole(27)[..64].try_into().unwrap();
        assert_eq!(from_compact(&compact).to_vec(), whole(27));
    }
}
