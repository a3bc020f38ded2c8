//! ABI types and values as this room uses them: types read with limits, values rendered, compared,
//! fitted into a narrower number and decoded strictly.

use std::cmp::Ordering;

use alloy::dyn_abi::{DynSolType, DynSolValue, Specifier};
use alloy::json_abi::Param;
use alloy::primitives::{I256, U256};

use crate::evm::{render, shortened};

/// Longer texts and deeper or larger types are refused before they are read: nothing on chain needs them.
const MAX_TEXT: usize = 1000;
const MAX_DEPTH: usize = 16;
const MAX_WORDS: usize = 4096;

/// A Solidity type such as `uint16`, `address[]` or `(address,uint256)[]`.
pub(in crate::playbook) fn parse_type(text: &str) -> Result<DynSolType, String> {
    let wrong = || format!("{text:?} is not a Solidity type such as uint256, address or bytes32[]");
    if !is_moderate(text) || text.contains(char::is_whitespace) {
        return Err(wrong());
    }
    DynSolType::parse(text).ok().filter(is_supported).ok_or_else(wrong)
}

/// The type of one argument or return value of a parsed signature.
pub(in crate::playbook) fn param_type(param: &Param) -> Result<DynSolType, String> {
    let wrong = || format!("{:?} is not a type this program reads", param.ty);
    param.resolve().ok().filter(is_supported).ok_or_else(wrong)
}

pub(in crate::playbook) fn param_types(params: &[Param]) -> Vec<DynSolType> {
    params.iter().filter_map(|p| param_type(p).ok()).collect()
}

pub(super) fn is_moderate(text: &str) -> bool {
    let depth = |(now, most): (usize, usize), c: char| match c {
        '(' => (now + 1, most.max(now + 1)),
        ')' => (now.saturating_sub(1), most),
        _ => (now, most),
    };
    text.len() <= MAX_TEXT
        && text.matches('[').count() <= MAX_DEPTH
        && text.chars().fold((0, 0), depth).1 <= MAX_DEPTH
}

pub(super) fn is_supported(ty: &DynSolType) -> bool {
    word_count(ty).is_some_and(|n| n <= MAX_WORDS)
}

/// The words in the head of a value; nothing for a type without size, an overflow or a `function`.
fn word_count(ty: &DynSolType) -> Option<usize> {
    match ty {
        DynSolType::Function => None,
        DynSolType::Array(inner) => word_count(inner).map(|_| 1),
        DynSolType::FixedArray(inner, n) => word_count(inner)?.checked_mul(*n).filter(|n| *n > 0),
        DynSolType::Tuple(inner) => {
            let sum = inner.iter().try_fold(0_usize, |sum, ty| sum.checked_add(word_count(ty)?));
            sum.filter(|n| *n > 0)
        }
        _ => Some(1),
    }
}

pub(in crate::playbook) const fn is_number(ty: &DynSolType) -> bool {
    matches!(ty, DynSolType::Uint(_) | DynSolType::Int(_))
}

/// The order of two numbers of one sort; nothing for anything else.
pub(in crate::playbook) fn compare(a: &DynSolValue, b: &DynSolValue) -> Option<Ordering> {
    match (a, b) {
        (DynSolValue::Uint(a, _), DynSolValue::Uint(b, _)) => Some(a.cmp(b)),
        (DynSolValue::Int(a, _), DynSolValue::Int(b, _)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Returns `true` if a value of type `from` may stand where `to` is needed: the same type, or a number that is checked to fit.
pub(in crate::playbook) fn may_fit(from: &DynSolType, to: &DynSolType) -> bool {
    let signs = matches!(
        (from, to),
        (DynSolType::Uint(_), DynSolType::Uint(_) | DynSolType::Int(_))
            | (DynSolType::Int(_), DynSolType::Int(_))
    );
    from == to || signs
}

/// The value as `ty`, if it fits.
pub(in crate::playbook) fn fit(value: DynSolValue, ty: &DynSolType) -> Result<DynSolValue, String> {
    let fitted = match (&value, ty) {
        (DynSolValue::Uint(n, _), DynSolType::Uint(bits)) => uint(*n, *bits),
        (DynSolValue::Uint(n, _), DynSolType::Int(bits)) => signed(false, *n).and_then(|n| int(n, *bits)),
        (DynSolValue::Int(n, _), DynSolType::Int(bits)) => int(*n, *bits),
        _ if ty.matches(&value) => return Ok(value),
        _ => return Err(format!("{} is not of type {ty}", render(&value, None))),
    };
    fitted.ok_or_else(|| format!("{} does not fit in {ty}", render(&value, None)))
}

/// A number of this many bits, if it fits.
pub(in crate::playbook) fn uint(n: U256, bits: usize) -> Option<DynSolValue> {
    (n.bit_len() <= bits).then_some(DynSolValue::Uint(n, bits))
}

/// A signed number of this many bits, if it fits.
pub(in crate::playbook) fn int(n: I256, bits: usize) -> Option<DynSolValue> {
    (usize::try_from(n.bits()).is_ok_and(|b| b <= bits)).then_some(DynSolValue::Int(n, bits))
}

pub(in crate::playbook) fn signed(negative: bool, magnitude: U256) -> Option<I256> {
    use alloy::primitives::Sign;
    I256::checked_from_sign_and_abs(if negative { Sign::Negative } else { Sign::Positive }, magnitude)
}

/// Decodes returned data. Words with bits outside their type are refused, data after the last value is not.
pub(in crate::playbook) fn decode(types: &[DynSolType], data: &[u8]) -> Result<DynSolValue, String> {
    if types.is_empty() {
        return Ok(DynSolValue::Tuple(Vec::new()));
    }
    let tuple = DynSolType::Tuple(types.to_vec());
    let wrong = || {
        let names = types.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        match data {
            [] => format!("nothing was returned where ({names}) was expected; is it a contract?"),
            _ => format!("the returned {} is not ({names})", shortened(data)),
        }
    };
    let value = tuple.abi_decode_sequence(data).map_err(|_| wrong())?;
    let exact =
        tuple.is_dynamic() || value.abi_encode_sequence().is_some_and(|again| data.starts_with(&again));
    let DynSolValue::Tuple(mut values) = value else { return Err(wrong()) };
    if !exact || !values.iter().all(is_in_range) {
        return Err(wrong());
    }
    Ok(if values.len() == 1 { values.remove(0) } else { DynSolValue::Tuple(values) })
}

fn is_in_range(value: &DynSolValue) -> bool {
    match value {
        DynSolValue::Uint(n, bits) => uint(*n, *bits).is_some(),
        DynSolValue::Int(n, bits) => int(*n, *bits).is_some(),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) | DynSolValue::Tuple(items) => {
            items.iter().all(is_in_range)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_type_panics(text in "[a-z]{0,4}[()\\[\\],a-z0-9 ]{0,30}") {
            let _ = parse_type(&text);
        }

        #[test]
        fn no_returned_data_panics(words in prop::collection::vec((0_u8..5, any::<u8>()), 0..8), cut in 0_usize..32) {
            let mut data: Vec<u8> = words.iter().flat_map(|(n, b)| {
                let mut word = [0; 32];
                (word[0], word[31]) = (if *n == 0 { *b } else { 0 }, if *n == 1 { *b } else { n * 32 });
                word
            }).collect();
            data.truncate(data.len().saturating_sub(cut));
            for ty in ["uint8", "address[]", "(bool,bytes)[]", "string", "(uint256,(address,string[]))", "bytes32[2]"] {
                let _ = decode(&[parse_type(ty).unwrap(), DynSolType::Bool], &data).map(|v| render(&v, None));
            }
        }
    }

    #[test]
    fn types_that_no_contract_needs_are_refused() {
        for good in ["uint", "uint16", "address[]", "(address,uint256)[]", "bytes32[3]", "string"] {
            assert!(parse_type(good).is_ok(), "{good}");
        }
        let deep = format!("{}uint256{}", "(".repeat(40), ")".repeat(40));
        for bad in
            ["", "uin", "uint7", "function", "uint256[0]", "uint256[99999999]", "()", "uint 256", &deep]
        {
            assert!(parse_type(bad).is_err(), "{bad}");
        }
        assert!(parse_type("uint8[4000][4000][4000][4000][4000][4000]").is_err());
    }

    #[test]
    fn dirty_words_are_not_values() {
        let mut word = [0_u8; 32];
        word[31] = 2;
        assert!(decode(&[DynSolType::Bool], &word).is_err());
        assert!(decode(&[DynSolType::Uint(1)], &word).is_err());
        assert_eq!(decode(&[DynSolType::Uint(8)], &word), Ok(DynSolValue::Uint(U256::from(2), 8)));
        word[0] = 1;
        assert!(decode(&[DynSolType::Address], &word).is_err());
        assert!(decode(&[DynSolType::Uint(256)], &[]).unwrap_err().contains("is it a contract?"));
        assert!(decode(&[DynSolType::Uint(256)], &word[..31]).is_err());
    }

    #[test]
    fn numbers_fit_or_say_why_not() {
        let n = |n: u64| DynSolValue::Uint(U256::from(n), 256);
        assert_eq!(fit(n(255), &DynSolType::Uint(8)), Ok(DynSolValue::Uint(U256::from(255), 8)));
        assert_eq!(fit(n(256), &DynSolType::Uint(8)), Err("256 does not fit in uint8".into()));
        assert_eq!(fit(n(128), &DynSolType::Int(8)), Err("128 does not fit in int8".into()));
        assert_eq!(
            fit(DynSolValue::Bool(true), &DynSolType::Uint(8)),
            Err("true is not of type uint8".into())
        );
    }
}
