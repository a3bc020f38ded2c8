//! The closed set of functions that an expression may use. Adding one is a change of the program, on purpose.

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::{Address, I256, U256, keccak256};

use crate::evm::render;
use crate::safe::previous_in_list;

/// A function of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::playbook) enum Builtin {
    PrevOwner,
    Replaced,
    Without,
    With,
    Len,
    Item,
    Indices,
    Or,
    AndNot,
    Bit,
    Add,
    Sub,
    Mul,
    Div,
    Keccak,
    Encode,
    Calldata,
}

/// The longest list whose items are read one by one.
const MOST_INDICES: u64 = 1000;

/// Name, meaning of each value, function.
const TABLE: [(&str, &[&str], Builtin); 17] = [
    ("prev_owner", &["list", "item"], Builtin::PrevOwner),
    ("replaced", &["list", "old", "new"], Builtin::Replaced),
    ("without", &["list", "item"], Builtin::Without),
    ("with", &["list", "item"], Builtin::With),
    ("len", &["list"], Builtin::Len),
    ("item", &["list or tuple", "position from 0"], Builtin::Item),
    ("indices", &["length"], Builtin::Indices),
    ("or", &["a", "b"], Builtin::Or),
    ("and_not", &["a", "b"], Builtin::AndNot),
    ("bit", &["n"], Builtin::Bit),
    ("add", &["a", "b"], Builtin::Add),
    ("sub", &["a", "b"], Builtin::Sub),
    ("mul", &["a", "b"], Builtin::Mul),
    ("div", &["a", "b"], Builtin::Div),
    ("keccak", &["text or bytes"], Builtin::Keccak),
    ("encode", &["the values"], Builtin::Encode),
    ("calldata", &["signature", "the values"], Builtin::Calldata),
];

/// The function of this name, and the meaning of each of its values.
pub(in crate::playbook) fn named(name: &str) -> Option<(&'static [&'static str], Builtin)> {
    TABLE.iter().find(|(known, ..)| *known == name).map(|(_, meanings, builtin)| (*meanings, *builtin))
}

/// The names of all functions.
pub(in crate::playbook) fn known() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, ..)| *name)
}

/// Returns `true` if a word is taken by a function and so cannot name a param or a read.
pub(in crate::playbook) fn is_reserved(name: &str) -> bool {
    TABLE.iter().any(|(known, ..)| *known == name)
}

impl Builtin {
    fn name(self) -> &'static str {
        TABLE.iter().find(|(_, _, builtin)| *builtin == self).map_or("?", |(name, ..)| name)
    }

    /// The value of a call whose values are of the types that the type check found.
    pub(in crate::playbook) fn apply(self, args: &[DynSolValue]) -> Result<DynSolValue, String> {
        let list = |items: Vec<DynSolValue>| Ok(DynSolValue::Array(items));
        match (self, args) {
            (Self::PrevOwner, [DynSolValue::Array(items), item]) => {
                let addresses: Vec<Address> = items.iter().filter_map(DynSolValue::as_address).collect();
                let previous = item.as_address().and_then(|item| previous_in_list(&addresses, item));
                previous.map(DynSolValue::Address).ok_or_else(|| absent(item, items))
            }
            (Self::Replaced, [DynSolValue::Array(items), old, new]) => {
                let at = position(items, old)?;
                let mut replaced = items.clone();
                replaced[at] = new.clone();
                list(replaced)
            }
            (Self::Without, [DynSolValue::Array(items), item]) => {
                let at = position(items, item)?;
                let mut rest = items.clone();
                rest.remove(at);
                list(rest)
            }
            // First, as a Safe puts a new owner or module before the others.
            (Self::With, [DynSolValue::Array(items), item]) if items.contains(item) => {
                Err(format!("{} is in the list already", render(item, None)))
            }
            (Self::With, [DynSolValue::Array(items), item]) => {
                list(std::iter::once(item).chain(items).cloned().collect())
            }
            (Self::Len, [DynSolValue::Array(items)]) => Ok(DynSolValue::Uint(U256::from(items.len()), 256)),
            (
                Self::Item,
                [DynSolValue::Array(items) | DynSolValue::Tuple(items), DynSolValue::Uint(at, _)],
            ) => {
                let item = usize::try_from(*at).ok().and_then(|at| items.get(at));
                item.cloned().ok_or_else(|| format!("there is no item {at} in a list of {}", items.len()))
            }
            (Self::Indices, [DynSolValue::Uint(n, _)]) => match u64::try_from(*n) {
                Ok(n) if n <= MOST_INDICES => {
                    list((0..n).map(|at| DynSolValue::Uint(U256::from(at), 256)).collect())
                }
                _ => Err(format!("a list of {n} items is longer than the {MOST_INDICES} that are read")),
            },
            (Self::Bit, [DynSolValue::Uint(n, _)]) => match usize::try_from(*n) {
                Ok(n) if n < 256 => Ok(DynSolValue::Uint(U256::ONE << n, 256)),
                _ => Err(format!("bit {n} does not exist: a word has bits 0 to 255")),
            },
            (Self::Keccak, [DynSolValue::Bytes(bytes)]) => Ok(DynSolValue::FixedBytes(keccak256(bytes), 32)),
            (Self::Encode, values) => Ok(DynSolValue::Bytes(abi_encode(values))),
            (Self::Calldata, [DynSolValue::FixedBytes(selector, 4), values @ ..]) => {
                Ok(DynSolValue::Bytes([&selector[..4], &abi_encode(values)].concat()))
            }
            (Self::Or, [DynSolValue::Bool(a), DynSolValue::Bool(b)]) => Ok(DynSolValue::Bool(*a || *b)),
            (Self::AndNot, [DynSolValue::Bool(a), DynSolValue::Bool(b)]) => Ok(DynSolValue::Bool(*a && !*b)),
            (_, [DynSolValue::Uint(a, _), DynSolValue::Uint(b, _)]) => self.unsigned(*a, *b),
            (_, [DynSolValue::Int(a, _), DynSolValue::Int(b, _)]) => self.signed(*a, *b),
            _ => Err(format!("{} cannot take these values", self.name())),
        }
    }

    fn unsigned(self, a: U256, b: U256) -> Result<DynSolValue, String> {
        let result = match self {
            Self::Or => Some(a | b),
            Self::AndNot => Some(a & !b),
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Mul => a.checked_mul(b),
            // Without the fraction, as Solidity divides.
            Self::Div => a.checked_div(b),
            _ => None,
        };
        let wrong = || format!("{}({a}, {b}) is not a number from 0 to 2^256 - 1", self.name());
        result.map(|n| DynSolValue::Uint(n, 256)).ok_or_else(wrong)
    }

    fn signed(self, a: I256, b: I256) -> Result<DynSolValue, String> {
        let result = match self {
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Mul => a.checked_mul(b),
            // Without the fraction, as Solidity divides.
            Self::Div => a.checked_div(b),
            _ => None,
        };
        let wrong = || format!("{}({a}, {b}) does not fit in int256", self.name());
        result.map(|n| DynSolValue::Int(n, 256)).ok_or_else(wrong)
    }
}

/// As Solidity's `abi.encode` writes them.
fn abi_encode(values: &[DynSolValue]) -> Vec<u8> {
    DynSolValue::Tuple(values.to_vec()).abi_encode_params()
}

fn position(items: &[DynSolValue], item: &DynSolValue) -> Result<usize, String> {
    items.iter().position(|i| i == item).ok_or_else(|| absent(item, items))
}

fn absent(item: &DynSolValue, items: &[DynSolValue]) -> String {
    format!("{} is not in {}", render(item, None), render(&DynSolValue::Array(items.to_vec()), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safe::SENTINEL;

    fn uint(n: u64) -> DynSolValue {
        DynSolValue::Uint(U256::from(n), 256)
    }

    fn address(n: u8) -> DynSolValue {
        DynSolValue::Address(Address::repeat_byte(n))
    }

    fn list(items: &[u8]) -> DynSolValue {
        DynSolValue::Array(items.iter().map(|n| address(*n)).collect())
    }

    #[test]
    fn lists_of_a_safe() {
        let owners = list(&[2, 3, 4]);
        let apply =
            |f: Builtin, rest: &[DynSolValue]| f.apply(&[std::slice::from_ref(&owners), rest].concat());
        assert_eq!(apply(Builtin::PrevOwner, &[address(2)]), Ok(DynSolValue::Address(SENTINEL)));
        assert_eq!(apply(Builtin::PrevOwner, &[address(4)]), Ok(address(3)));
        assert_eq!(apply(Builtin::Replaced, &[address(3), address(9)]), Ok(list(&[2, 9, 4])));
        assert_eq!(apply(Builtin::Without, &[address(3)]), Ok(list(&[2, 4])));
        assert_eq!(apply(Builtin::With, &[address(9)]), Ok(list(&[9, 2, 3, 4])));
        assert_eq!(apply(Builtin::Item, &[uint(1)]), Ok(address(3)));
        assert_eq!(apply(Builtin::Len, &[]), Ok(uint(3)));
        let absent = apply(Builtin::PrevOwner, &[address(9)]).unwrap_err();
        assert!(absent.starts_with("0x0909090909090909090909090909090909090909 is not in [0x02"), "{absent}");
        assert!(apply(Builtin::With, &[address(2)]).unwrap_err().ends_with("is in the list already"));
        assert_eq!(apply(Builtin::Item, &[uint(3)]), Err("there is no item 3 in a list of 3".into()));
    }

    /// As `abi.encode` and `abi.encodeCall` write them.
    #[test]
    fn values_become_the_bytes_of_solidity() {
        let words = |bytes: &DynSolValue| {
            bytes.as_bytes().unwrap().chunks(32).map(U256::from_be_slice).collect::<Vec<_>>()
        };
        let static_words = Builtin::Encode.apply(&[uint(7), address(2)]).unwrap();
        assert_eq!(
            words(&static_words),
            [U256::from(7), U256::from_be_slice(Address::repeat_byte(2).as_slice())]
        );
        let text = Builtin::Encode.apply(&[DynSolValue::String("A".into())]).unwrap();
        assert_eq!(words(&text), [U256::from(32), U256::ONE, U256::from(0x41) << 248]);
        // keccak256(abi.encode("CONFIG_KEEPER")), as GMX's Role.sol states it.
        let role = Builtin::Encode.apply(&[DynSolValue::String("CONFIG_KEEPER".into())]).unwrap();
        let role = render(&Builtin::Keccak.apply(&[role]).unwrap(), None);
        assert_eq!(role, "0x901fb3de937a1dcb6ecaf26886fda47a088e74f36232a0673eade97079dc225b");
        let selector = DynSolValue::FixedBytes(keccak256("pauseDeposits(bool)"), 4);
        let call = Builtin::Calldata.apply(&[selector, DynSolValue::Bool(true)]).unwrap();
        assert_eq!(call.as_bytes().unwrap()[..4], keccak256("pauseDeposits(bool)")[..4]);
        assert_eq!(U256::from_be_slice(&call.as_bytes().unwrap()[4..]), U256::ONE);
    }

    #[test]
    fn numbers_never_wrap() {
        let max = DynSolValue::Uint(U256::MAX, 256);
        assert_eq!(Builtin::Or.apply(&[uint(5), uint(2)]), Ok(uint(7)));
        assert_eq!(Builtin::AndNot.apply(&[uint(7), uint(2)]), Ok(uint(5)));
        assert_eq!(Builtin::Bit.apply(&[uint(3)]), Ok(uint(8)));
        assert_eq!(
            Builtin::Sub.apply(&[uint(1), uint(2)]),
            Err("sub(1, 2) is not a number from 0 to 2^256 - 1".into())
        );
        assert!(Builtin::Add.apply(&[max.clone(), uint(1)]).is_err());
        assert!(Builtin::Mul.apply(&[max.clone(), uint(2)]).is_err());
        assert_eq!(Builtin::Mul.apply(&[uint(6), uint(7)]), Ok(uint(42)));
        assert_eq!(Builtin::Div.apply(&[uint(7), uint(2)]), Ok(uint(3)));
        assert!(Builtin::Div.apply(&[uint(7), uint(0)]).is_err());
        assert!(Builtin::Bit.apply(&[max]).is_err());
        let min = DynSolValue::Int(I256::MIN, 256);
        let int = |n: I256| DynSolValue::Int(n, 256);
        assert!(Builtin::Div.apply(&[min.clone(), int(I256::MINUS_ONE)]).is_err());
        assert!(Builtin::Sub.apply(&[min, int(I256::ONE)]).is_err());
    }
}
