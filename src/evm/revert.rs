//! The reason of a reverted call, in words. Pure; a contract's own text is quoted, escaped and cut short.

use std::fmt;

use alloy::dyn_abi::ErrorExt;
use alloy::json_abi;
use alloy::primitives::{Bytes, U256};
use alloy::sol_types::{Revert as ErrorString, SolError};

use super::render::render;

alloy::sol! {
    /// Raised by the compiler's own checks.
    error Panic(uint256 code);
}

/// A decoded reason. `Display` says it in words; text that a contract chose is quoted and escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `Error(string)`: `require` with a text.
    Text(String),
    /// `Panic(uint256)`.
    Panic(U256),
    /// A custom error: its name and its arguments.
    Custom(String, Vec<String>),
    /// Data that no known error explains.
    Unknown(Bytes),
    /// A revert without any data.
    Silent,
    /// The EVM stopped the call.
    Halted(String),
}

/// Errors that many contracts share. Sources: OpenZeppelin Contracts 5.7.0, ERC-6093.
const COMMON: [&str; 19] = [
    "EnforcedPause()",
    "ExpectedPause()",
    "OwnableUnauthorizedAccount(address account)",
    "OwnableInvalidOwner(address owner)",
    "AccessControlUnauthorizedAccount(address account, bytes32 neededRole)",
    "AccessManagedUnauthorized(address caller)",
    "InvalidInitialization()",
    "NotInitializing()",
    "ReentrancyGuardReentrantCall()",
    "FailedCall()",
    "AddressEmptyCode(address target)",
    "ERC1967InvalidImplementation(address implementation)",
    "SafeERC20FailedOperation(address token)",
    "ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
    "ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
    "ERC20InvalidReceiver(address receiver)",
    "ERC20InvalidSender(address sender)",
    "ERC20InvalidApprover(address approver)",
    "ERC20InvalidSpender(address spender)",
];

/// Characters of a reason that are shown.
const LONGEST_REASON: usize = 400;

pub fn decode_revert(data: &[u8], errors: &[json_abi::Error]) -> Reason {
    if data.is_empty() {
        return Reason::Silent;
    }
    if let Ok(text) = ErrorString::abi_decode(data) {
        return Reason::Text(text.reason);
    }
    if let Ok(panic) = Panic::abi_decode(data) {
        return Reason::Panic(panic.code);
    }
    let selector = data.get(..4).unwrap_or_default();
    let common = COMMON.iter().filter_map(|text| json_abi::Error::parse(text).ok());
    let known = errors.iter().cloned().chain(common).filter(|e| e.selector() == selector);
    known
        .filter_map(|e| e.decode_error(data).ok().map(|d| (e.name, d.body)))
        .map(|(name, body)| Reason::Custom(name, body.iter().map(|value| render(value, None)).collect()))
        .next()
        .unwrap_or_else(|| Reason::Unknown(Bytes::copy_from_slice(data)))
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => match explain_safe(text) {
                Some(meaning) => write!(f, "{text}: {meaning}"),
                None => f.write_str(&cut(&format!("{text:?}"))),
            },
            Self::Panic(code) => match explain_panic(*code) {
                Some(meaning) => write!(f, "panic 0x{code:02x}: {meaning}"),
                None => write!(f, "panic 0x{code:02x}"),
            },
            Self::Custom(name, arguments) => f.write_str(&cut(&format!("{name}({})", arguments.join(", ")))),
            Self::Unknown(data) => f.write_str(&cut(&format!("unknown error {data}"))),
            Self::Silent => f.write_str("no reason given"),
            Self::Halted(halt) => f.write_str(explain_halt(halt)),
        }
    }
}

/// A contract may revert with a megabyte.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text.into(),
    }
}

/// Source: Solidity, "Panic via assert and Error via require".
fn explain_panic(code: U256) -> Option<&'static str> {
    Some(match u8::try_from(code).ok()? {
        0x01 => "an assertion failed",
        0x11 => "arithmetic overflow or underflow",
        0x12 => "division by zero",
        0x21 => "a value is none of its enum",
        0x22 => "a stored byte array is malformed",
        0x31 => "pop on an empty array",
        0x32 => "index out of bounds",
        0x41 => "too much memory",
        0x51 => "call of an empty function pointer",
        _ => return None,
    })
}

/// Source: Safe contracts, docs/error_codes.md.
fn explain_safe(code: &str) -> Option<&'static str> {
    Some(match code {
        "GS001" => "the Safe has no threshold: it was never set up",
        "GS010" => "not enough gas to execute the Safe transaction",
        "GS011" => "the Safe could not pay the gas refund in ether",
        "GS012" => "the Safe could not pay the gas refund in a token",
        "GS013" => "the inner transaction failed",
        "GS020" => "fewer signatures than the threshold",
        "GS021" | "GS022" | "GS023" => "a contract signature is malformed",
        "GS024" => "a contract owner refused its signature",
        "GS025" => "an owner has not approved this hash on chain",
        "GS026" => {
            "a signer is not an owner, or the signatures are not in order: also what a wrong nonce looks like"
        }
        "GS027" => "the data given is not the preimage of the hash",
        "GS030" => "only owners can approve a hash",
        "GS031" => "only the Safe itself may call this",
        "GS101" => "the module's address cannot be one",
        "GS102" => "the module is already enabled",
        "GS103" => "the module given as the previous one is not",
        "GS104" => "the caller is not an enabled module",
        "GS200" => "the owners have already been set up",
        "GS201" => "the threshold would exceed the number of owners",
        "GS202" => "the threshold would be zero",
        "GS203" => "the address cannot be an owner",
        "GS204" => "the address is already an owner",
        "GS205" => "the owner given as the previous one is not",
        "GS300" => "the contract given as guard does not say that it is a guard",
        "GS301" => "the contract given as module guard does not say that it is a module guard",
        "GS400" => "the Safe cannot be its own fallback handler",
        _ => return None,
    })
}

fn explain_halt(halt: &str) -> &str {
    match halt {
        "OutOfGas" | "MemoryOOG" | "MemoryLimitOOG" | "PrecompileOOG" | "InvalidOperandOOG" => "out of gas",
        "OutOfFunds" => "not enough ether for the call",
        "OpcodeNotFound" | "InvalidFEOpcode" | "NotActivated" => "invalid instruction",
        "CallTooDeep" => "too many calls within calls",
        "CreateCollision" => "the new contract's address is taken",
        "StateChangeDuringStaticCall" | "CallNotAllowedInsideStatic" => "a write inside a static call",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::keccak256;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn says_texts_panics_and_custom_errors() {
        let say = |data: Vec<u8>, errors: &[json_abi::Error]| decode_revert(&data, errors).to_string();
        let text = |t: &str| ErrorString::from(t.to_string()).abi_encode();
        assert_eq!(say(text("no\u{202e}!"), &[]), "\"no\\u{202e}!\"");
        assert!(say(text("GS013"), &[]).starts_with("GS013: the inner"));
        assert_eq!(
            say(Panic { code: U256::from(0x11) }.abi_encode(), &[]),
            "panic 0x11: arithmetic overflow or underflow"
        );
        assert_eq!(say(keccak256("EnforcedPause()")[..4].to_vec(), &[]), "EnforcedPause()");
        let own = json_abi::Error::parse("TooMuch(uint256 a, string[] b)").unwrap();
        let body = alloy::sol_types::SolValue::abi_encode_params(&(U256::from(7), vec!["x".to_string()]));
        let data = [own.selector().as_slice(), &body].concat();
        assert_eq!(say(data.clone(), &[own]), "TooMuch(7, [\"x\"])");
        assert!(say(data, &[]).starts_with("unknown error 0x"));
        assert_eq!(say(vec![], &[]), "no reason given");
        assert!(say(text(&"é".repeat(1 << 20)), &[]).ends_with("… (1048578 characters)"));
        assert!(say(vec![1; 1 << 20], &[]).chars().count() < 500);
    }

    proptest! {
        #[test]
        fn no_data_panics(data in proptest::collection::vec(any::<u8>(), 0..200), s in 0usize..COMMON.len()) {
            let _ = decode_revert(&data, &[]).to_string();
            let data = [&keccak256(json_abi::Error::parse(COMMON[s]).unwrap().signature())[..4], &data].concat();
            let _ = decode_revert(&data, &[]).to_string();
        }
    }
}
