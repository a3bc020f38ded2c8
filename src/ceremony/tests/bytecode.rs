//! Code for a chain in memory: what Safe published, and small contracts made of a few functions.

use alloy::primitives::{Bytes, keccak256};

use crate::safe::tests::artifacts::artifact;

/// The code that a published contract of Safe has, from Safe's package.
pub fn safe_code(contract: &str) -> Bytes {
    let package = "@safe-global/safe-contracts/build/artifacts/contracts";
    artifact(&format!("{package}/{contract}.json")).deployed
}

/// The body of a function of a [`contract`].
#[derive(Clone, Copy)]
pub enum Body {
    /// Returns this slot.
    Get(u8),
    /// Writes this value to this slot.
    Set(u8, u8),
    /// Writes 1 to this slot, and reverts if it is there already.
    Once(u8),
    /// Reverts with OpenZeppelin's error for a caller that is not the owner.
    Deny,
    /// Writes its argument to this slot.
    Put(u8),
    /// Reverts unless the caller is the address in the first slot; writes this value to the second.
    SetBy(u8, u8, u8),
}

/// Returns the code of a contract with these functions; any other reverts.
pub fn contract(functions: &[(&str, Body)]) -> Bytes {
    // The selector of the call.
    let mut code = vec![0x60, 0x00, 0x35, 0x60, 0xe0, 0x1c];
    let mut bodies = vec![0x5b, 0x60, 0x00, 0x80, 0xfd];
    let start = code.len() + 11 * functions.len();
    let end = u16::try_from(start).unwrap().to_be_bytes();
    for (signature, body) in functions {
        let [high, low] = u16::try_from(start + bodies.len()).unwrap().to_be_bytes();
        code.extend([0x80, 0x63]);
        code.extend(&keccak256(signature)[..4]);
        code.extend([0x14, 0x61, high, low, 0x57]);
        bodies.push(0x5b);
        bodies.extend(match *body {
            Body::Get(slot) => vec![0x60, slot, 0x54, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3],
            Body::Set(slot, value) => vec![0x60, value, 0x60, slot, 0x55, 0x00],
            // The revert at the end of the dispatch is taken if the slot is set.
            Body::Once(slot) => {
                vec![0x60, slot, 0x54, 0x61, end[0], end[1], 0x57, 0x60, 1, 0x60, slot, 0x55, 0x00]
            }
            Body::Deny => {
                let selector = &keccak256("OwnableUnauthorizedAccount(address)")[..4];
                let rest = [
                    0x60, 0xe0, 0x1b, 0x60, 0x00, 0x52, 0x33, 0x60, 0x04, 0x52, 0x60, 0x24, 0x60, 0x00, 0xfd,
                ];
                [&[0x63][..], selector, &rest].concat()
            }
            Body::Put(slot) => vec![0x60, 0x04, 0x35, 0x60, slot, 0x55, 0x00],
            Body::SetBy(by, slot, value) => {
                let [high, low] = u16::try_from(start + bodies.len() + 13).unwrap().to_be_bytes();
                let guard = [0x33, 0x60, by, 0x54, 0x14, 0x61, high, low, 0x57, 0x60, 0x00, 0x80, 0xfd];
                [&guard[..], &[0x5b, 0x60, value, 0x60, slot, 0x55, 0x00]].concat()
            }
        });
    }
    [code, bodies].concat().into()
}
