//! The closed set of functions that an expression may use. Adding one is a change of the program, on purpose.

use alloy::dyn_abi::{DynSolType, DynSolValue};
use alloy::primitives::{Address, B256, I256, U256, keccak256};

use super::expression::{Expr, Flaw, Node, NodeKind, Scope, check as check_node};
use super::near::hint;
use super::value::{self, render};
use crate::safe::previous_in_list;

/// A function of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    PrevOwner,
    Replaced,
    Without,
    With,
    Len,
    Item,
    Or,
    And,
    AndNot,
    Bit,
    Add,
    Sub,
    Min,
    Max,
    Keccak,
    Selector,
    Bytes32,
}

/// Name, meaning of each value, function.
const TABLE: [(&str, &[&str], Builtin); 17] = [
    ("prev_owner", &["list", "item"], Builtin::PrevOwner),
    ("replaced", &["list", "old", "new"], Builtin::Replaced),
    ("without", &["list", "item"], Builtin::Without),
    ("with", &["list", "item"], Builtin::With),
    ("len", &["list"], Builtin::Len),
    ("item", &["list or tuple", "position from 0"], Builtin::Item),
    ("or", &["a", "b"], Builtin::Or),
    ("and", &["a", "b"], Builtin::And),
    ("and_not", &["a", "b"], Builtin::AndNot),
    ("bit", &["n"], Builtin::Bit),
    ("add", &["a", "b"], Builtin::Add),
    ("sub", &["a", "b"], Builtin::Sub),
    ("min", &["a", "b"], Builtin::Min),
    ("max", &["a", "b"], Builtin::Max),
    ("keccak", &["text"], Builtin::Keccak),
    ("selector", &["signature"], Builtin::Selector),
    ("bytes32", &["value"], Builtin::Bytes32),
];

/// Whether a word is taken by a function and so cannot name a param or a read.
pub(super) fn is_reserved(name: &str) -> bool {
    TABLE.iter().any(|(known, ..)| *known == name)
}

const ADDRESS: DynSolType = DynSolType::Address;
const UINT: DynSolType = DynSolType::Uint(256);
const INT: DynSolType = DynSolType::Int(256);

type Typed = Result<(Expr, DynSolType), Flaw>;

/// Types a call.
pub(super) fn check(call: &Node, name: &str, args: &[Node], scope: &Scope) -> Typed {
    let Some((_, meanings, builtin)) = TABLE.iter().find(|(known, ..)| *known == name) else {
        let known = TABLE.map(|(known, ..)| known);
        return Err(call.flaw(format!("no function is called {name:?}; {}", hint(name, known))));
    };
    if args.len() != meanings.len() {
        let values = if meanings.len() == 1 { "value" } else { "values" };
        let message = format!(
            "{name} takes {} {values}, {}, and is given {}",
            meanings.len(),
            spoken(meanings),
            args.len()
        );
        return Err(call.flaw(message));
    }
    let typed = |node: &Node, ty: &DynSolType| check_node(node, scope, Some(ty)).map(|(expr, _)| expr);
    let call = |args: Vec<Expr>, ty: DynSolType| Ok((Expr::Call(*builtin, args), ty));
    match (builtin, args) {
        (Builtin::PrevOwner, [list, item]) => {
            let (list, element) = check_list(list, scope, Some(&ADDRESS))?;
            call(vec![list, typed(item, &element)?], ADDRESS)
        }
        (Builtin::Replaced, [list, old, new]) => {
            let (list, element) = check_list(list, scope, None)?;
            call(vec![list, typed(old, &element)?, typed(new, &element)?], array_of(element))
        }
        (Builtin::With | Builtin::Without, [list, item]) => {
            let (list, element) = check_list(list, scope, None)?;
            call(vec![list, typed(item, &element)?], array_of(element))
        }
        (Builtin::Len, [list]) => call(vec![check_list(list, scope, None)?.0], UINT),
        (Builtin::Item, [whole, position]) => check_item(whole, position, scope),
        (Builtin::Or | Builtin::And | Builtin::AndNot, [a, b]) => {
            if check_node(a, scope, None)?.1 == DynSolType::Bool {
                return call(
                    vec![typed(a, &DynSolType::Bool)?, typed(b, &DynSolType::Bool)?],
                    DynSolType::Bool,
                );
            }
            call(vec![unsigned(a, scope)?, unsigned(b, scope)?], UINT)
        }
        (Builtin::Bit, [n]) => {
            let position = unsigned(n, scope)?;
            if let Expr::Value(value) = &position {
                Builtin::Bit.apply(std::slice::from_ref(value)).map_err(|why| n.flaw(why))?;
            }
            call(vec![position], UINT)
        }
        (Builtin::Keccak | Builtin::Selector, [text]) => constant(*builtin, text),
        (Builtin::Bytes32, [value]) => {
            let (expr, ty) = check_node(value, scope, None)?;
            if !matches!(ty, DynSolType::Uint(_) | DynSolType::Address | DynSolType::FixedBytes(_)) {
                return Err(value.flaw(format!("this is {ty}, which is not one word of bytes")));
            }
            call(vec![expr], DynSolType::FixedBytes(32))
        }
        (_, [a, b]) => {
            let (args, ty) = numbers(a, b, scope)?;
            call(args, ty)
        }
        _ => Err(Flaw::new(0..1, format!("{name} cannot be used here"))),
    }
}

fn spoken(words: &[&str]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn array_of(element: DynSolType) -> DynSolType {
    DynSolType::Array(Box::new(element))
}

fn check_list(node: &Node, scope: &Scope, of: Option<&DynSolType>) -> Result<(Expr, DynSolType), Flaw> {
    match check_node(node, scope, None)? {
        (expr, DynSolType::Array(element)) if of.is_none_or(|of| *of == *element) => Ok((expr, *element)),
        (_, ty) => {
            let needed = of.map_or_else(|| "a list".into(), |of| format!("{of}[]"));
            Err(node.flaw(format!("this is {ty}, and {needed} is needed here")))
        }
    }
}

fn check_item(whole: &Node, position: &Node, scope: &Scope) -> Typed {
    let (expr, ty) = check_node(whole, scope, None)?;
    let at = unsigned(position, scope)?;
    let element = match &ty {
        DynSolType::Array(element) => (**element).clone(),
        DynSolType::Tuple(elements) => {
            let number = match &at {
                Expr::Value(DynSolValue::Uint(n, _)) => usize::try_from(*n).ok(),
                _ => None,
            };
            let element = number.and_then(|n| elements.get(n));
            let message = || {
                format!("the position in a tuple is a number from 0 to {}", elements.len().saturating_sub(1))
            };
            element.ok_or_else(|| position.flaw(message()))?.clone()
        }
        _ => return Err(whole.flaw(format!("this is {ty}, and a list or a tuple is needed here"))),
    };
    Ok((Expr::Call(Builtin::Item, vec![expr, at]), element))
}

fn unsigned(node: &Node, scope: &Scope) -> Result<Expr, Flaw> {
    let (expr, ty) = untyped_number(node, scope)?;
    match ty {
        DynSolType::Uint(_) => Ok(expr),
        _ => Err(node.flaw(format!("this is {ty}, and an unsigned number is needed here"))),
    }
}

fn untyped_number(node: &Node, scope: &Scope) -> Typed {
    let expected = matches!(&node.kind, NodeKind::Number(text) if !text.starts_with('-')).then_some(&UINT);
    let (expr, ty) = check_node(node, scope, expected)?;
    if value::is_number(&ty) {
        return Ok((expr, ty));
    }
    Err(node.flaw(format!("this is {ty}, and a number is needed here")))
}

/// Two numbers of one sort; a number that is written out takes the sort of the other.
fn numbers(a: &Node, b: &Node, scope: &Scope) -> Result<(Vec<Expr>, DynSolType), Flaw> {
    let written = |node: &Node| matches!(node.kind, NodeKind::Number(_));
    let (first, first_ty) = untyped_number(a, scope)?;
    let (second, second_ty) = untyped_number(b, scope)?;
    let is_int = |ty: &DynSolType| matches!(ty, DynSolType::Int(_));
    if !is_int(&first_ty) && !is_int(&second_ty) {
        return Ok((vec![first, second], UINT));
    }
    let signed = |node: &Node, expr: Expr, ty: &DynSolType| match ty {
        DynSolType::Int(_) => Ok(expr),
        _ if written(node) => Ok(check_node(node, scope, Some(&INT))?.0),
        _ => Err(node.flaw(format!("this is {ty}, beside a signed number"))),
    };
    Ok((vec![signed(a, first, &first_ty)?, signed(b, second, &second_ty)?], INT))
}

/// `keccak` and `selector` take a text, so that their value is known when the playbook is read.
fn constant(builtin: Builtin, node: &Node) -> Typed {
    let NodeKind::Text(text) = &node.kind else {
        return Err(node.flaw("a text in quotes is needed here"));
    };
    if builtin == Builtin::Keccak {
        return Ok((Expr::Value(DynSolValue::FixedBytes(keccak256(text), 32)), DynSolType::FixedBytes(32)));
    }
    let function = value::parse_function(text).map_err(|why| node.flaw(why))?;
    let word = B256::right_padding_from(function.selector().as_slice());
    Ok((Expr::Value(DynSolValue::FixedBytes(word, 4)), DynSolType::FixedBytes(4)))
}

impl Builtin {
    fn name(self) -> &'static str {
        TABLE.iter().find(|(_, _, builtin)| *builtin == self).map_or("?", |(name, ..)| name)
    }

    /// The value of a call whose values are of the types that [`check`] found.
    pub(super) fn apply(self, args: &[DynSolValue]) -> Result<DynSolValue, String> {
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
            (Self::Bit, [DynSolValue::Uint(n, _)]) => match usize::try_from(*n) {
                Ok(n) if n < 256 => Ok(DynSolValue::Uint(U256::ONE << n, 256)),
                _ => Err(format!("bit {n} does not exist: a word has bits 0 to 255")),
            },
            (Self::Bytes32, [value]) => {
                let word = value.as_word().map(|word| DynSolValue::FixedBytes(word, 32));
                word.ok_or_else(|| format!("{} is not one word", render(value, None)))
            }
            (Self::Or, [DynSolValue::Bool(a), DynSolValue::Bool(b)]) => Ok(DynSolValue::Bool(*a || *b)),
            (Self::And, [DynSolValue::Bool(a), DynSolValue::Bool(b)]) => Ok(DynSolValue::Bool(*a && *b)),
            (Self::AndNot, [DynSolValue::Bool(a), DynSolValue::Bool(b)]) => Ok(DynSolValue::Bool(*a && !*b)),
            (_, [DynSolValue::Uint(a, _), DynSolValue::Uint(b, _)]) => self.unsigned(*a, *b),
            (_, [DynSolValue::Int(a, _), DynSolValue::Int(b, _)]) => self.signed(*a, *b),
            _ => Err(format!("{} cannot take these values", self.name())),
        }
    }

    fn unsigned(self, a: U256, b: U256) -> Result<DynSolValue, String> {
        let result = match self {
            Self::Or => Some(a | b),
            Self::And => Some(a & b),
            Self::AndNot => Some(a & !b),
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Min => Some(a.min(b)),
            Self::Max => Some(a.max(b)),
            _ => None,
        };
        let wrong = || format!("{}({a}, {b}) is not a number from 0 to 2^256 - 1", self.name());
        result.map(|n| DynSolValue::Uint(n, 256)).ok_or_else(wrong)
    }

    fn signed(self, a: I256, b: I256) -> Result<DynSolValue, String> {
        let result = match self {
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Min => Some(a.min(b)),
            Self::Max => Some(a.max(b)),
            _ => None,
        };
        let wrong = || format!("{}({a}, {b}) does not fit in int256", self.name());
        result.map(|n| DynSolValue::Int(n, 256)).ok_or_else(wrong)
    }
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
        assert!(Builtin::Bit.apply(&[max]).is_err());
        let min = DynSolValue::Int(I256::MIN, 256);
        assert!(Builtin::Sub.apply(&[min, DynSolValue::Int(I256::ONE, 256)]).is_err());
    }
}
