//! Types an expression as written: every name, literal and call has its type when the playbook is read.

use std::collections::BTreeMap;

use alloy::dyn_abi::{DynSolType, DynSolValue};
use alloy::primitives::{B256, keccak256};

use super::builtin::{self, Builtin};
use super::expression::Expr;
use super::literal::{self, Literal};
use super::signature_text::parse_function;
use super::syntax::{Flaw, NodeKind, SyntaxNode};
use super::value;
use crate::near::hint;

const ADDRESS: DynSolType = DynSolType::Address;
const UINT: DynSolType = DynSolType::Uint(256);
const INT: DynSolType = DynSolType::Int(256);

/// The types of the names that an expression may use.
#[derive(Clone, Debug, Default)]
pub(in crate::playbook) struct Scope(pub BTreeMap<String, DynSolType>);

type Typed = Result<(Expr, DynSolType), Flaw>;

/// Types an expression. With `expected`, the result is of that type or does not exist.
pub(in crate::playbook) fn check(
    node: &SyntaxNode,
    scope: &Scope,
    expected: Option<&DynSolType>,
) -> Result<(Expr, DynSolType), Flaw> {
    let (expr, ty) = match &node.kind {
        NodeKind::Name(name) if is_bool(name) && !scope.0.contains_key(name) => {
            (Expr::Value(DynSolValue::Bool(name == "true")), DynSolType::Bool)
        }
        NodeKind::Name(name) => {
            let ty = scope.0.get(name).ok_or_else(|| {
                let known: Vec<&str> = scope.0.keys().map(String::as_str).collect();
                node.flaw(format!("{name:?} is neither a param nor a read; {}", hint(name, known)))
            })?;
            (Expr::Name(name.clone()), ty.clone())
        }
        NodeKind::Number(text) => number(node, text, expected)?,
        NodeKind::Text(text) if expected == Some(&DynSolType::String) => {
            (Expr::Value(DynSolValue::String(text.clone())), DynSolType::String)
        }
        NodeKind::Text(_) => {
            return Err(node.flaw("a text stands only in keccak(…), encode(…) and calldata(…)"));
        }
        NodeKind::Call(name, args) => check_call(node, name, args, scope)?,
    };
    match expected {
        Some(expected) if *expected == ty => Ok((expr, ty)),
        Some(expected) if value::may_fit(&ty, expected) => {
            Ok((Expr::Fit(Box::new(expr), expected.clone()), expected.clone()))
        }
        Some(expected) => Err(node.flaw(format!("this is {ty}, and {expected} is needed here"))),
        None => Ok((expr, ty)),
    }
}

fn is_bool(name: &str) -> bool {
    matches!(name, "true" | "false")
}

fn number(node: &SyntaxNode, text: &str, expected: Option<&DynSolType>) -> Result<(Expr, DynSolType), Flaw> {
    let ty = match expected {
        Some(ty) => ty.clone(),
        None if text.starts_with("0x") && text.len() == 42 => DynSolType::Address,
        None if text.starts_with('-') => DynSolType::Int(256),
        None => DynSolType::Uint(256),
    };
    match literal::scalar(&ty, text).map_err(|why| node.flaw(why))? {
        Literal::Value(value) => Ok((Expr::Value(value), ty)),
        Literal::Name(_) => Err(node.flaw(format!("{text:?} is not of type {ty}"))),
    }
}

fn check_call(call: &SyntaxNode, name: &str, args: &[SyntaxNode], scope: &Scope) -> Typed {
    let Some((meanings, builtin)) = builtin::named(name) else {
        let known = builtin::known().collect::<Vec<_>>();
        return Err(call.flaw(format!("no function is called {name:?}; {}", hint(name, known))));
    };
    let is_open = matches!(builtin, Builtin::Encode | Builtin::Calldata);
    if is_open && args.is_empty() {
        return Err(call.flaw(format!("{name} needs at least one value")));
    }
    if args.len() != meanings.len() && !is_open {
        let values = if meanings.len() == 1 { "value" } else { "values" };
        let message = format!(
            "{name} takes {} {values}, {}, and is given {}",
            meanings.len(),
            listed(meanings),
            args.len()
        );
        return Err(call.flaw(message));
    }
    let typed = |node: &SyntaxNode, ty: &DynSolType| check(node, scope, Some(ty)).map(|(expr, _)| expr);
    let call = |args: Vec<Expr>, ty: DynSolType| Ok((Expr::Call(builtin, args), ty));
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
        (Builtin::Indices, [length]) => call(vec![unsigned(length, scope)?], array_of(UINT)),
        (Builtin::Item, [whole, position]) => check_item(whole, position, scope),
        (Builtin::Or | Builtin::AndNot, [a, b]) => {
            if check(a, scope, None)?.1 == DynSolType::Bool {
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
        (Builtin::Keccak, [value]) => keccak(value, scope),
        (Builtin::Encode, values) => {
            let values = values.iter().map(|value| encodable(value, scope)).collect::<Result<_, _>>()?;
            call(values, DynSolType::Bytes)
        }
        (Builtin::Calldata, [signature, values @ ..]) => {
            call(calldata(signature, values, scope)?, DynSolType::Bytes)
        }
        (_, [a, b]) => {
            let (args, ty) = numbers(a, b, scope)?;
            call(args, ty)
        }
        _ => Err(Flaw::new(0..1, format!("{name} cannot be used here"))),
    }
}

fn listed(words: &[&str]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn array_of(element: DynSolType) -> DynSolType {
    DynSolType::Array(Box::new(element))
}

fn check_list(node: &SyntaxNode, scope: &Scope, of: Option<&DynSolType>) -> Result<(Expr, DynSolType), Flaw> {
    match check(node, scope, None)? {
        (expr, DynSolType::Array(element)) if of.is_none_or(|of| *of == *element) => Ok((expr, *element)),
        (_, ty) => {
            let needed = of.map_or_else(|| "a list".into(), |of| format!("{of}[]"));
            Err(node.flaw(format!("this is {ty}, and {needed} is needed here")))
        }
    }
}

fn check_item(whole: &SyntaxNode, position: &SyntaxNode, scope: &Scope) -> Typed {
    let (expr, ty) = check(whole, scope, None)?;
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

fn unsigned(node: &SyntaxNode, scope: &Scope) -> Result<Expr, Flaw> {
    let (expr, ty) = untyped_number(node, scope)?;
    match ty {
        DynSolType::Uint(_) => Ok(expr),
        _ => Err(node.flaw(format!("this is {ty}, and an unsigned number is needed here"))),
    }
}

fn untyped_number(node: &SyntaxNode, scope: &Scope) -> Typed {
    let expected = matches!(&node.kind, NodeKind::Number(text) if !text.starts_with('-')).then_some(&UINT);
    let (expr, ty) = check(node, scope, expected)?;
    if value::is_number(&ty) {
        return Ok((expr, ty));
    }
    Err(node.flaw(format!("this is {ty}, and a number is needed here")))
}

/// Two numbers of one sort; a number that is written out takes the sort of the other.
fn numbers(a: &SyntaxNode, b: &SyntaxNode, scope: &Scope) -> Result<(Vec<Expr>, DynSolType), Flaw> {
    let written = |node: &SyntaxNode| matches!(node.kind, NodeKind::Number(_));
    let (first, first_ty) = untyped_number(a, scope)?;
    let (second, second_ty) = untyped_number(b, scope)?;
    let is_int = |ty: &DynSolType| matches!(ty, DynSolType::Int(_));
    if !is_int(&first_ty) && !is_int(&second_ty) {
        return Ok((vec![first, second], UINT));
    }
    let signed = |node: &SyntaxNode, expr: Expr, ty: &DynSolType| match ty {
        DynSolType::Int(_) => Ok(expr),
        _ if written(node) => Ok(check(node, scope, Some(&INT))?.0),
        _ => Err(node.flaw(format!("this is {ty}, beside a signed number"))),
    };
    Ok((vec![signed(a, first, &first_ty)?, signed(b, second, &second_ty)?], INT))
}

/// `keccak` takes a text, whose bytes are hashed, or bytes such as those of `encode(…)`.
fn keccak(node: &SyntaxNode, scope: &Scope) -> Typed {
    let hash = match &node.kind {
        NodeKind::Text(text) => Expr::Value(DynSolValue::FixedBytes(keccak256(text), 32)),
        _ => Expr::Call(Builtin::Keccak, vec![check(node, scope, Some(&DynSolType::Bytes))?.0]),
    };
    Ok((hash, DynSolType::FixedBytes(32)))
}

/// A value of `encode`, with the type that it has by itself; a text is a string.
fn encodable(node: &SyntaxNode, scope: &Scope) -> Result<Expr, Flaw> {
    let expected = matches!(node.kind, NodeKind::Text(_)).then_some(&DynSolType::String);
    check(node, scope, expected).map(|(expr, _)| expr)
}

/// The selector of a function and its arguments, each with the type that the signature gives it.
fn calldata(signature: &SyntaxNode, values: &[SyntaxNode], scope: &Scope) -> Result<Vec<Expr>, Flaw> {
    let NodeKind::Text(text) = &signature.kind else {
        return Err(signature.flaw("a signature in quotes is needed here, such as 'pause()'"));
    };
    let function = parse_function(text).map_err(|why| signature.flaw(why))?;
    let types = value::param_types(&function.inputs);
    if values.len() != types.len() {
        let message = format!("{text} takes {} arguments, and {} are given", types.len(), values.len());
        return Err(signature.flaw(message));
    }
    let selector = DynSolValue::FixedBytes(B256::right_padding_from(function.selector().as_slice()), 4);
    let values =
        values.iter().zip(&types).map(|(value, ty)| check(value, scope, Some(ty)).map(|(expr, _)| expr));
    std::iter::once(Ok(Expr::Value(selector))).chain(values).collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;
    use proptest::prelude::*;

    use super::super::expression::{EvalStop, Values};
    use super::super::syntax::parse;
    use super::*;
    use crate::evm::AddressBook;

    fn scope() -> Scope {
        let names = [
            ("owners", "address[]"),
            ("old", "address"),
            ("new", "address"),
            ("flags", "uint256"),
            ("small", "uint8"),
            ("price", "int256"),
        ];
        Scope(names.map(|(name, ty)| (name.into(), DynSolType::parse(ty).unwrap())).into())
    }

    fn typed(text: &str, ty: Option<&str>) -> Result<(Expr, DynSolType), Flaw> {
        let ty = ty.map(|t| DynSolType::parse(t).unwrap());
        check(&parse(text, 0)?, &scope(), ty.as_ref())
    }

    #[test]
    fn types_follow_from_the_names() {
        for (text, ty) in [
            ("old", "address"),
            ("prev_owner(owners, old)", "address"),
            ("replaced( owners , old, new )", "address[]"),
            ("or(flags, bit(3))", "uint256"),
            ("add(price, 0)", "int256"),
            ("keccak('PAUSER_ROLE')", "bytes32"),
            ("keccak(encode('CONFIG_KEEPER'))", "bytes32"),
            ("encode(old, small, price, -1, 7, true, owners)", "bytes"),
            ("calldata('pause(bool,uint8)', true, small)", "bytes"),
            ("calldata('pause()')", "bytes"),
            ("or(true, false)", "bool"),
            ("item(owners, 0)", "address"),
            ("len(owners)", "uint256"),
            ("indices(len(owners))", "uint256[]"),
        ] {
            assert_eq!(typed(text, None).unwrap().1.to_string(), ty, "{text}");
        }
    }

    #[test]
    fn flaws_name_the_word_and_its_place() {
        for (text, ty, at, message) in [
            ("owner", None, 0..5, "\"owner\" is neither a param nor a read; did you mean \"owners\"?"),
            ("prev(owners, old)", None, 0..17, "no function is called \"prev\"; known: "),
            ("min(flags, 1)", None, 0..13, "no function is called \"min\"; "),
            ("prev_ownr(owners, old)", None, 0..22, "did you mean \"prev_owner\"?"),
            ("prev_owner(owners)", None, 0..18, "prev_owner takes 2 values, list and item, and is given 1"),
            ("or(flags, old)", None, 10..13, "this is address, and a number is needed here"),
            ("or(price, 1)", None, 3..8, "this is int256, and an unsigned number is needed here"),
            ("add(price, flags)", None, 11..16, "this is uint256, beside a signed number"),
            ("with(owners, flags)", None, 13..18, "this is uint256, and address is needed here"),
            ("len(old)", None, 4..7, "this is address, and a list is needed here"),
            ("bit(256)", None, 4..7, "bit 256 does not exist: a word has bits 0 to 255"),
            ("flags", Some("address"), 0..5, "this is uint256, and address is needed here"),
            ("300", Some("uint8"), 0..3, "300 does not fit in uint8"),
            ("'text'", None, 0..6, "a text stands only in keccak(…), encode(…) and calldata(…)"),
            ("keccak(old)", None, 7..10, "this is address, and bytes is needed here"),
            ("encode()", None, 0..8, "encode needs at least one value"),
            ("calldata()", None, 0..10, "calldata needs at least one value"),
            ("calldata(old)", None, 9..12, "a signature in quotes is needed here, such as 'pause()'"),
            ("calldata('pause')", None, 9..16, "\"pause\" is not a function signature"),
            ("calldata('f(bool)')", None, 9..18, "f(bool) takes 1 arguments, and 0 are given"),
            ("calldata('f(bool)', old)", None, 20..23, "this is address, and bool is needed here"),
            ("or(flags, 1", None, 11..12, "a comma or a closing bracket of or(…) is missing here"),
            ("", None, 0..1, "a name, a number or a function is missing here"),
            ("old new", None, 4..5, "'n' is not expected after the end of the expression"),
            ("keccak('A", None, 7..9, "the text has no closing '"),
        ] {
            let flaw = typed(text, ty).unwrap_err();
            assert!(flaw.message.contains(message), "{text}: {}", flaw.message);
            assert_eq!(flaw.at, at, "{text}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_an_error_and_not_another_number() {
        let (expr, _) = typed("add(small, 200)", Some("uint8")).unwrap();
        let names = AddressBook::default();
        let map = [("small".into(), DynSolValue::Uint(U256::from(100), 8))].into();
        let stop = expr.eval(&Values::new(map, &names)).unwrap_err();
        assert_eq!(stop, EvalStop::Wrong("300 does not fit in uint8".into()));
    }

    #[test]
    fn depth_has_an_end() {
        let deep = format!("{}1{}", "len(".repeat(10_000), ")".repeat(10_000));
        assert!(typed(&deep, None).unwrap_err().message.contains("nested deeper"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = typed(&text, None);
        }

        #[test]
        fn no_likely_text_panics(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "or", "bit", "item", "with", "replaced", "keccak", "prev_owner", "div",
                    "owners", "flags", "price", "(", ")", ",", "0x", "-1", "7", "'", "\"", " ", "é", "_", "mul(",
                ]),
                0..14,
            )
        ) {
            let text = parts.concat();
            for ty in [None, Some("uint8"), Some("address"), Some("bytes32")] {
                let _ = typed(&text, ty);
            }
        }
    }
}
