//! The code of an account that may act for others: none, its own, or that of another by EIP-7702.

use alloy::primitives::Address;

/// The first bytes of an account that has delegated to another's code: EIP-7702.
const DELEGATED: [u8; 3] = [0xef, 0x01, 0x00];

/// The kind of an account: who acts for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// Its key alone.
    Key,
    /// Its key, and the code at this address: EIP-7702.
    Delegated(Address),
    /// Its code: it has no key.
    Contract,
}

impl AccountKind {
    pub fn of(code: &[u8]) -> Self {
        match (code, code.strip_prefix(&DELEGATED)) {
            ([], _) => Self::Key,
            (_, Some(to)) if to.len() == 20 => Self::Delegated(Address::from_slice(to)),
            _ => Self::Contract,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delegated_key_is_not_a_contract() {
        let to = Address::repeat_byte(7);
        let code = [&DELEGATED[..], to.as_slice()].concat();
        assert_eq!(AccountKind::of(&code), AccountKind::Delegated(to));
        assert_eq!(AccountKind::of(&[]), AccountKind::Key);
        for code in [&code[..22], &[&code[..], &[0]].concat(), &[0xef, 0x01, 0x01], &[0x60]] {
            assert_eq!(AccountKind::of(code), AccountKind::Contract);
        }
    }
}
