//! Plain values written as text: `50`, `true`, `0xA32b…`, `vault`, `[alice, bob]`.

use alloy::dyn_abi::{DynSolType, DynSolValue};
use alloy::primitives::{B256, U256, hex};

use super::value;
use crate::safe::{parse_address, parse_uint};

/// A literal: known at once, or the name of an address that only a council file can resolve.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::playbook) enum Literal {
    Value(DynSolValue),
    Name(String),
}

/// Reads a text as a value of a type that has no parts; lists and tuples are read by `template`.
pub(in crate::playbook) fn scalar(ty: &DynSolType, text: &str) -> Result<Literal, String> {
    let wrong = || format!("{text:?} is not of type {ty}");
    let value = match ty {
        DynSolType::Bool => text.parse().ok().map(DynSolValue::Bool).ok_or_else(wrong)?,
        DynSolType::Uint(_) | DynSolType::Int(_) => number(ty, text)?,
        DynSolType::Address if text.starts_with("0x") => {
            DynSolValue::Address(parse_address(text).map_err(|e| e.to_string())?)
        }
        DynSolType::Address if is_name(text) => return Ok(Literal::Name(text.into())),
        DynSolType::Address => {
            return Err(format!("{text:?} is neither an address, 0x and 40 digits, nor a name"));
        }
        DynSolType::FixedBytes(n) => fixed_bytes(text, *n)?,
        DynSolType::Bytes => DynSolValue::Bytes(bytes(text).ok_or_else(wrong)?),
        DynSolType::String => DynSolValue::String(unquoted(text).into()),
        _ => return Err(wrong()),
    };
    Ok(Literal::Value(value))
}

/// A whole number without a unit, decimal or `0x`; `_` may stand between digits.
fn number(ty: &DynSolType, text: &str) -> Result<DynSolValue, String> {
    let wrong = || format!("{text:?} is not a whole number of type {ty}");
    let large = || format!("{text} does not fit in {ty}");
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let magnitude = parse_uint(&without_separators(digits).ok_or_else(wrong)?).ok_or_else(|| {
        if digits.chars().all(|c| c.is_ascii_digit()) && !digits.is_empty() { large() } else { wrong() }
    })?;
    number_of(ty, negative, magnitude).ok_or_else(large)
}

/// A number of this type from its sign and magnitude, if it fits.
pub(in crate::playbook) fn number_of(
    ty: &DynSolType,
    negative: bool,
    magnitude: U256,
) -> Option<DynSolValue> {
    match ty {
        DynSolType::Uint(bits) if !negative || magnitude.is_zero() => value::uint(magnitude, *bits),
        DynSolType::Int(bits) => value::int(value::signed(negative, magnitude)?, *bits),
        _ => None,
    }
}

/// `1_000_000` → `1000000`; nothing where an underscore is not between two digits.
pub(in crate::playbook) fn without_separators(digits: &str) -> Option<String> {
    let lone = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    (!lone && !digits.contains("_.") && !digits.contains("._")).then(|| digits.replace('_', ""))
}

fn fixed_bytes(text: &str, n: usize) -> Result<DynSolValue, String> {
    let bytes = bytes(text).filter(|b| b.len() == n && n <= 32);
    let bytes = bytes.ok_or_else(|| {
        let role = if n == 32 { ", or keccak('PAUSER_ROLE') for the hash of a word" } else { "" };
        format!("{text:?} is not bytes{n}: expected 0x and {} digits{role}", 2 * n)
    })?;
    Ok(DynSolValue::FixedBytes(B256::right_padding_from(&bytes), n))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("0x").filter(|t| !t.starts_with("0x"))?).ok()
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text)
}

/// Returns `true` if a text can be the name of an address in a council file.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &str, text: &str) -> Result<String, String> {
        let ty = DynSolType::parse(ty).unwrap();
        scalar(&ty, text).map(|literal| match literal {
            Literal::Value(v) => crate::evm::render(&v, None),
            Literal::Name(name) => format!("name {name}"),
        })
    }

    #[test]
    fn reads_what_people_write() {
        for (ty, text, read_as) in [
            ("bool", "true", "true"),
            ("uint256", "1_000", "1000"),
            ("uint8", "0xff", "255"),
            ("int8", "-128", "-128"),
            ("address", "vault", "name vault"),
            (
                "address",
                "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
                "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            ),
            ("bytes4", "0x8456cb59", "0x8456cb59"),
            ("bytes", "0x", "0x"),
            ("string", "two words", "\"two words\""),
        ] {
            assert_eq!(read(ty, text), Ok(read_as.into()), "{text}");
        }
    }

    #[test]
    fn names_the_value_that_is_wrong() {
        for (ty, text, message) in [
            ("bool", "yes", "\"yes\" is not of type bool"),
            ("uint8", "256", "256 does not fit in uint8"),
            ("uint256", "-1", "-1 does not fit in uint256"),
            ("uint256", "1e18", "\"1e18\" is not a whole number of type uint256"),
            ("uint256", "1_", "\"1_\" is not a whole number of type uint256"),
            ("int8", "128", "128 does not fit in int8"),
            ("bytes4", "0x8456", "\"0x8456\" is not bytes4: expected 0x and 8 digits"),
            (
                "bytes32",
                "PAUSER_ROLE",
                "\"PAUSER_ROLE\" is not bytes32: expected 0x and 64 digits, or keccak('PAUSER_ROLE') for the hash of a word",
            ),
            ("address", "0x12", "\"0x12\" is not an address: expected 0x and 40 hexadecimal digits"),
            (
                "address",
                "0xF39fd6e51aad88f6f4ce6ab8827279cfffb92266",
                "the checksum of 0xF39fd6e51aad88f6f4ce6ab8827279cfffb92266 is wrong: one of its digits was mistyped",
            ),
        ] {
            assert_eq!(read(ty, text), Err(message.into()), "{text}");
        }
    }
}
