//! Why a call failed, in words.

use alloy::primitives::hex;
use alloy::sol_types::{Panic, Revert, SolError};

/// The reason in a revert's data: the text of `Error(string)`, the code of `Panic(uint256)`, or the bytes themselves.
#[must_use]
pub fn revert_reason(data: &[u8]) -> String {
    if data.is_empty() {
        return "it reverted without a reason".into();
    }
    if let Ok(revert) = Revert::abi_decode(data) {
        return match gs_meaning(&revert.reason) {
            Some(meaning) => format!("{} ({meaning})", revert.reason),
            None => format!("{:?}", revert.reason),
        };
    }
    if let Ok(panic) = Panic::abi_decode(data) {
        return format!("panic {:#x}", panic.code);
    }
    let shown = &data[..data.len().min(36)];
    format!("custom error {}{}", hex::encode_prefixed(shown), if shown.len() < data.len() { "…" } else { "" })
}

/// The Safe's own error codes that a signer may meet. Source: safe-smart-account, docs/error_codes.md.
#[must_use]
pub fn gs_meaning(code: &str) -> Option<&'static str> {
    Some(match code {
        "GS010" => "not enough gas to execute the Safe transaction",
        "GS013" => "the call that the Safe makes fails",
        "GS020" => "signatures data too short",
        "GS024" => "invalid contract signature",
        "GS025" => "hash has not been approved",
        "GS026" => "invalid owner provided: a signature is not by an owner, or for another transaction",
        "GS031" => "method can only be called from this contract",
        "GS202" => "threshold cannot exceed owner count",
        "GS203" => "invalid owner address provided",
        "GS204" => "address is already an owner",
        "GS205" => "invalid previous owner, owner pair provided",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        assert_eq!(revert_reason(&[]), "it reverted without a reason");
        let gs = Revert::from("GS013").abi_encode();
        assert_eq!(revert_reason(&gs), "GS013 (the call that the Safe makes fails)");
        assert_eq!(revert_reason(&Revert::from("no").abi_encode()), "\"no\"");
        assert_eq!(revert_reason(&[1, 2, 3, 4]), "custom error 0x01020304");
        assert_eq!(revert_reason(&Panic::from(0x11).abi_encode()), "panic 0x11");
    }
}
