//! A value as a playbook writes it: a literal, an expression in braces, or a list or tuple of such. In what a check
//! expects, `_` stands for any value.

use std::collections::BTreeSet;
use std::fmt;

use alloy::dyn_abi::{DynSolType, DynSolValue};

use super::expression::{EvalStop, Expr, Values};
use super::literal::{self, Literal};
use super::syntax::{self, Flaw};
use super::typing::{self, Scope};
use crate::evm::{AddressBook, render};

/// A typed value that is not known yet. Displayed as the playbook writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    text: String,
    tree: Tree,
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Any,
    Value(DynSolValue),
    /// The name of an address in the reader's council file.
    Named(String),
    Expr(Expr),
    Parts(Shape, Vec<Tree>),
    Fields(Fields<Tree>),
}

/// Some fields of a tuple: name, place and what is there.
#[derive(Clone, Debug, PartialEq)]
struct Fields<T> {
    named: Vec<(String, usize, T)>,
    /// The number of fields in the tuple.
    of: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    List,
    FixedList,
    Tuple,
}

/// The names that a template may hold besides literals.
#[derive(Clone, Copy)]
pub(in crate::playbook) enum Allowed<'a> {
    /// The text of an argument, which has none.
    Literals,
    Expressions(&'a Scope),
    /// Expressions and `_`.
    Patterns(&'a Scope),
}

impl Template {
    pub(in crate::playbook) fn parse(text: &str, ty: &DynSolType, allowed: Allowed) -> Result<Self, Flaw> {
        Ok(Self { text: text.into(), tree: tree(text, 0, ty, allowed)? })
    }

    /// Reads a list in braces, such as `{pools}`; beside it, the type of an item.
    pub(in crate::playbook) fn list(text: &str, scope: &Scope) -> Result<(Self, DynSolType), Flaw> {
        let whole = 0..text.len().max(1);
        let inner = text.trim().strip_prefix('{').and_then(|t| t.strip_suffix('}'));
        let start = text.len() - text.trim_start().len() + 1;
        let inner =
            inner.ok_or_else(|| Flaw::new(whole.clone(), "write a list in braces, such as {pools}"))?;
        let node = syntax::parse(inner, start)?;
        match typing::check(&node, scope, None)? {
            (expr, DynSolType::Array(item) | DynSolType::FixedArray(item, _)) => {
                Ok((Self { text: text.into(), tree: Tree::Expr(expr) }, *item))
            }
            (_, ty) => Err(Flaw::new(whole, format!("this is {ty}, and a list is needed here"))),
        }
    }

    /// A value that is known already.
    pub(in crate::playbook) fn known(text: &str, value: DynSolValue) -> Self {
        Self { text: text.into(), tree: Tree::Value(value) }
    }

    /// Some fields of a tuple of this many, by name and place. The others may be anything.
    pub(in crate::playbook) fn fields(fields: Vec<(String, usize, Self)>, of: usize) -> Self {
        let text = fields.iter().map(|(name, _, value)| format!("{name} {value}")).collect::<Vec<_>>();
        let named = fields.into_iter().map(|(name, at, value)| (name, at, value.tree)).collect();
        Self { text: text.join(", "), tree: Tree::Fields(Fields { named, of }) }
    }

    /// The value, when every name in it is known.
    pub(in crate::playbook) fn eval(&self, values: &Values) -> Result<DynSolValue, EvalStop> {
        self.tree.pattern(values)?.into_value()
    }

    pub(in crate::playbook) fn address(
        &self,
        values: &Values,
    ) -> Result<alloy::primitives::Address, EvalStop> {
        let value = self.eval(values)?;
        value.as_address().ok_or_else(|| format!("{} is not an address", render(&value, None)).into())
    }

    pub(in crate::playbook) fn pattern(&self, values: &Values) -> Result<Pattern, EvalStop> {
        self.tree.pattern(values)
    }

    /// The names that the value depends on.
    pub(in crate::playbook) fn names(&self, into: &mut BTreeSet<String>) {
        self.tree.names(into);
    }

    /// The name, where the template is nothing but one name in braces.
    pub(in crate::playbook) fn sole_name(&self) -> Option<&str> {
        match &self.tree {
            Tree::Expr(Expr::Name(name)) => Some(name),
            Tree::Expr(Expr::Fit(inner, _)) => match &**inner {
                Expr::Name(name) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    pub(in crate::playbook) const fn is_any(&self) -> bool {
        matches!(self.tree, Tree::Any)
    }

    /// Returns `true` if an item of a list in it may be anything.
    pub(in crate::playbook) fn leaves_items_open(&self) -> bool {
        self.tree.leaves_items_open()
    }
}

impl Tree {
    fn pattern(&self, values: &Values) -> Result<Pattern, EvalStop> {
        Ok(match self {
            Self::Any => Pattern(Inner::Any),
            Self::Value(value) => Pattern(Inner::Value(value.clone())),
            Self::Named(name) => Pattern(Inner::Value(values.address(name)?)),
            Self::Expr(expr) => Pattern(Inner::Value(expr.eval(values)?)),
            Self::Parts(shape, parts) => {
                let parts = parts.iter().map(|p| p.pattern(values)).collect::<Result<_, _>>()?;
                Pattern(Inner::Parts(*shape, parts))
            }
            Self::Fields(Fields { named, of }) => {
                let field =
                    |(name, at, tree): &(String, usize, Self)| Ok((name.clone(), *at, tree.pattern(values)?));
                let named = named.iter().map(field).collect::<Result<_, EvalStop>>()?;
                Pattern(Inner::Fields(Fields { named, of: *of }))
            }
        })
    }

    fn leaves_items_open(&self) -> bool {
        match self {
            Self::Parts(Shape::Tuple, parts) => parts.iter().any(Self::leaves_items_open),
            Self::Parts(Shape::List | Shape::FixedList, parts) => {
                parts.iter().any(|part| matches!(part, Self::Any) || part.leaves_items_open())
            }
            Self::Fields(fields) => fields.named.iter().any(|(_, _, tree)| tree.leaves_items_open()),
            Self::Any | Self::Value(_) | Self::Named(_) | Self::Expr(_) => false,
        }
    }

    fn names(&self, into: &mut BTreeSet<String>) {
        match self {
            Self::Expr(expr) => expr.names(into),
            Self::Parts(_, parts) => parts.iter().for_each(|p| p.names(into)),
            Self::Fields(fields) => fields.named.iter().for_each(|(_, _, tree)| tree.names(into)),
            Self::Any | Self::Value(_) | Self::Named(_) => {}
        }
    }
}

fn tree(text: &str, base: usize, ty: &DynSolType, allowed: Allowed) -> Result<Tree, Flaw> {
    let base = base + (text.len() - text.trim_start().len());
    let text = text.trim();
    let at = base..base + text.len().max(1);
    let flaw = |message: String| Flaw::new(at.clone(), message);
    if let (Some(inner), Allowed::Expressions(scope) | Allowed::Patterns(scope)) =
        (text.strip_prefix('{'), allowed)
    {
        let inner = inner.strip_suffix('}').ok_or_else(|| flaw("the brace is never closed".into()))?;
        let node = syntax::parse(inner, base + 1)?;
        return Ok(Tree::Expr(typing::check(&node, scope, Some(ty))?.0));
    }
    if text == "_" && matches!(allowed, Allowed::Patterns(_)) {
        return Ok(Tree::Any);
    }
    let (shape, open, close) = match ty {
        DynSolType::Array(_) => (Shape::List, '[', ']'),
        DynSolType::FixedArray(..) => (Shape::FixedList, '[', ']'),
        DynSolType::Tuple(_) => (Shape::Tuple, '(', ')'),
        _ => {
            return match literal::scalar(ty, text).map_err(flaw)? {
                Literal::Value(value) => Ok(Tree::Value(value)),
                Literal::Name(name) => Ok(Tree::Named(name)),
            };
        }
    };
    let inner = text
        .strip_prefix(open)
        .and_then(|t| t.strip_suffix(close))
        .ok_or_else(|| flaw(format!("{text:?} is not of type {ty}: write {open}first, second, …{close}")))?;
    let parts = split(inner);
    let element = |i: usize| match ty {
        DynSolType::Array(element) => Some(&**element),
        DynSolType::FixedArray(element, n) if i < *n => Some(&**element),
        DynSolType::Tuple(elements) => elements.get(i),
        _ => None,
    };
    let wanted = match ty {
        DynSolType::FixedArray(_, n) => *n,
        DynSolType::Tuple(elements) => elements.len(),
        _ => parts.len(),
    };
    if parts.len() != wanted {
        return Err(flaw(format!("{ty} has {wanted} parts, and {} are given", parts.len())));
    }
    let read = |(i, (offset, part)): (usize, &(usize, &str))| {
        let ty = element(i).ok_or_else(|| flaw(format!("{ty} has no part {i}")))?;
        tree(part, base + 1 + offset, ty, allowed)
    };
    Ok(Tree::Parts(shape, parts.iter().enumerate().map(read).collect::<Result<_, _>>()?))
}

/// The parts between commas that are in no bracket and no quotes, each with its place.
fn split(text: &str) -> Vec<(usize, &str)> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (i, c) in text.char_indices() {
        match (c, quote) {
            (_, Some(open)) => quote = Some(open).filter(|open| *open != c),
            ('"' | '\'', None) => quote = Some(c),
            ('(' | '[' | '{', None) => depth += 1,
            (')' | ']' | '}', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                parts.push((start, &text[start..i]));
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push((start, &text[start..]));
    parts
}

impl<T> Fields<T> {
    /// `ltv 0, frozen true`
    fn list(&self, value: impl Fn(usize, &T) -> String) -> String {
        let field = |(name, at, own): &(String, usize, T)| format!("{name} {}", value(*at, own));
        self.named.iter().map(field).collect::<Vec<_>>().join(", ")
    }
}

/// A pattern that a value is compared with: a value, or parts of which some may be anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Inner);

#[derive(Clone, Debug, PartialEq)]
enum Inner {
    Any,
    Value(DynSolValue),
    Parts(Shape, Vec<Pattern>),
    Fields(Fields<Pattern>),
}

impl Pattern {
    pub(in crate::playbook) const fn is_any(&self) -> bool {
        matches!(self.0, Inner::Any)
    }

    pub(in crate::playbook) fn matches(&self, value: &DynSolValue) -> bool {
        let all = |parts: &[Self], items: &[DynSolValue]| {
            parts.len() == items.len() && parts.iter().zip(items).all(|(p, v)| p.matches(v))
        };
        match (&self.0, value) {
            (Inner::Any, _) => true,
            (Inner::Value(expected), found) => expected == found,
            (Inner::Parts(Shape::List, parts), DynSolValue::Array(items))
            | (Inner::Parts(Shape::FixedList, parts), DynSolValue::FixedArray(items))
            | (Inner::Parts(Shape::Tuple, parts), DynSolValue::Tuple(items)) => all(parts, items),
            (Inner::Fields(fields), DynSolValue::Tuple(items)) => {
                let fits = |(_, at, pattern): &(String, usize, Self)| {
                    items.get(*at).is_some_and(|item| pattern.matches(item))
                };
                items.len() == fields.of && fields.named.iter().all(fits)
            }
            _ => false,
        }
    }

    /// Returns `true` if it is this value, or a tuple with a field that is.
    pub(in crate::playbook) fn has_field(&self, value: &DynSolValue) -> bool {
        match &self.0 {
            Inner::Value(DynSolValue::Tuple(items)) => items.contains(value),
            Inner::Value(own) => own == value,
            Inner::Parts(Shape::Tuple, parts) => parts.iter().any(|part| part.has_field(value)),
            Inner::Fields(fields) => fields.named.iter().any(|(_, _, part)| part.has_field(value)),
            Inner::Any | Inner::Parts(..) => false,
        }
    }

    /// The value, if no part of it is left open.
    pub(in crate::playbook) fn into_value(self) -> Result<DynSolValue, EvalStop> {
        match self.0 {
            Inner::Any | Inner::Fields(_) => Err(EvalStop::Wrong("_ stands for no value here".into())),
            Inner::Value(value) => Ok(value),
            Inner::Parts(shape, parts) => {
                let items = parts.into_iter().map(Self::into_value).collect::<Result<_, _>>()?;
                Ok(match shape {
                    Shape::List => DynSolValue::Array(items),
                    Shape::FixedList => DynSolValue::FixedArray(items),
                    Shape::Tuple => DynSolValue::Tuple(items),
                })
            }
        }
    }

    pub(in crate::playbook) fn render(&self, names: Option<&AddressBook>) -> String {
        match &self.0 {
            Inner::Any => "_".into(),
            Inner::Value(value) => render(value, names),
            Inner::Parts(shape, parts) => {
                let parts = parts.iter().map(|p| p.render(names)).collect::<Vec<_>>().join(", ");
                if *shape == Shape::Tuple { format!("({parts})") } else { format!("[{parts}]") }
            }
            Inner::Fields(fields) => fields.list(|_, pattern| pattern.render(names)),
        }
    }

    /// A value as it is told beside this: of a tuple the fields that are looked at, or all of it.
    pub(in crate::playbook) fn render_found(&self, found: &DynSolValue) -> String {
        match (&self.0, found) {
            (Inner::Fields(fields), DynSolValue::Tuple(items)) => {
                fields.list(|at, _| items.get(at).map_or_else(String::new, |item| render(item, None)))
            }
            _ => render(found, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, U256};
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str, ty: &str) -> Result<Template, Flaw> {
        let names = [("flags".to_string(), DynSolType::Uint(256)), ("who".into(), DynSolType::Address)];
        let scope = Scope(names.into());
        Template::parse(text, &DynSolType::parse(ty).unwrap(), Allowed::Patterns(&scope))
    }

    fn shown(text: &str, ty: &str) -> Result<String, EvalStop> {
        let names = [("vault".to_string(), Address::repeat_byte(7))].into_iter().collect();
        let map = [
            ("flags".to_string(), DynSolValue::Uint(U256::from(5), 256)),
            ("who".into(), DynSolValue::Address(Address::repeat_byte(1))),
        ];
        let values = Values::new(map.into(), &names);
        Ok(parse(text, ty).unwrap().pattern(&values)?.render(Some(&names)))
    }

    #[test]
    fn parts_may_be_literals_names_and_expressions() {
        for (text, ty, expected) in [
            (
                "[vault, {who}]",
                "address[]",
                "[0x0707070707070707070707070707070707070707 (vault), 0x0101010101010101010101010101010101010101]",
            ),
            ("({or(flags, 2)}, true)", "(uint256,bool)", "(7, true)"),
            ("[(1, 2), (3,4)]", "(uint8,uint8)[]", "[(1, 2), (3, 4)]"),
            ("[]", "bytes32[]", "[]"),
            ("(_, true)", "(address,bool)", "(_, true)"),
            ("[\"a, b\", c]", "string[]", "[\"a, b\", \"c\"]"),
        ] {
            assert_eq!(shown(text, ty), Ok(expected.into()), "{text}");
        }
        assert_eq!(
            shown("vualt", "address"),
            Err(EvalStop::Wrong("no address is called \"vualt\"; did you mean \"vault\"?".into()))
        );
    }

    #[test]
    fn flaws_have_their_place() {
        for (text, ty, at, message) in [
            ("[1, 300]", "uint8[]", 4..7, "300 does not fit in uint8"),
            (
                " (1, {flag})",
                "(uint8,uint8)",
                6..10,
                "\"flag\" is neither a param nor a read; did you mean \"flags\"?",
            ),
            ("1, 2", "uint8[]", 0..4, "\"1, 2\" is not of type uint8[]: write [first, second, …]"),
            ("(1)", "(uint8,uint8)", 0..3, "(uint8,uint8) has 2 parts, and 1 are given"),
            ("{flags", "uint8", 0..6, "the brace is never closed"),
        ] {
            assert_eq!(parse(text, ty), Err(Flaw::new(at, message)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(parts in prop::collection::vec(
            prop::sample::select(vec!["{", "}", "(", ")", "[", "]", ",", "_", "\"", "flags", "who", "é", "0x", "7", " ", "-", "or("]),
            0..12,
        )) {
            for ty in ["uint8", "int256", "address[]", "(bool,string)[2]", "bytes4", "bytes", "string", "address"] {
                let _ = parse(&parts.concat(), ty);
            }
        }
    }

    #[test]
    fn an_argument_is_never_an_expression() {
        let ty = DynSolType::Uint(256);
        assert!(Template::parse("{flags}", &ty, Allowed::Literals).is_err());
        assert!(Template::parse("_", &ty, Allowed::Literals).is_err());
    }
}
