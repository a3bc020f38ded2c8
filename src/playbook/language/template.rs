//! A value as a playbook writes it: a literal, an expression in braces, or a list or tuple of such. In what a check
//! expects, `_` stands for any value.

use std::collections::BTreeSet;

use alloy::dyn_abi::{DynSolType, DynSolValue};

use super::expression::{EvalStop, Expr, Values};
use super::literal::{self, Literal};
use super::pattern::{Fields, Inner, Pattern, Shape};
use super::syntax::{self, Flaw};
use super::typing::{self, Scope};
use crate::evm::render;

/// A typed value that is not known yet. Displayed as the playbook writes it.
#[derive(Clone, Debug, PartialEq, derive_more::Display)]
#[display("{text}")]
pub struct Template {
    text: String,
    tree: Tree,
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

    /// How bytes are made, where a person could not tell it from them: `calldata('pause()')`, `keccak(encode(a, b))`.
    pub(in crate::playbook) fn formula(&self) -> Option<&str> {
        let text = self.text.trim().trim_start_matches('{').trim_end_matches('}').trim();
        ["keccak(", "encode(", "calldata("].iter().any(|name| text.starts_with(name)).then_some(text)
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
    // Known as it stands: a role is written by its name.
    if text.starts_with("keccak(") && *ty == DynSolType::FixedBytes(32) {
        let node = syntax::parse(text, base)?;
        return Ok(Tree::Expr(typing::check(&node, &Scope::default(), Some(ty))?.0));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy::primitives::{Address, U256};
    use proptest::prelude::*;

    use super::*;
    use crate::evm::AddressBook;

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

    /// The hash of a word is known without anything else, and nobody has to compute it elsewhere.
    #[test]
    fn a_role_may_be_written_by_its_name() {
        let value = |text: &str, ty| {
            let ty = DynSolType::parse(ty).unwrap();
            let template = Template::parse(text, &ty, Allowed::Literals).map_err(|flaw| flaw.message)?;
            Ok::<_, String>(render(
                &template.eval(&Values::new(BTreeMap::new(), &AddressBook::default())).unwrap(),
                None,
            ))
        };
        let keeper = "0x901fb3de937a1dcb6ecaf26886fda47a088e74f36232a0673eade97079dc225b";
        let pauser = "0x65d7a28e3265b37a6474929f336521b332c1681b933f6cb9f3376673440d862a";
        assert_eq!(value("keccak('PAUSER_ROLE')", "bytes32").unwrap(), pauser);
        assert_eq!(value("keccak(encode('CONFIG_KEEPER'))", "bytes32").unwrap(), keeper);
        assert_eq!(value("[keccak('PAUSER_ROLE')]", "bytes32[]").unwrap(), format!("[{pauser}]"));
        assert!(
            value("keccak(flags)", "bytes32")
                .unwrap_err()
                .contains("\"flags\" is neither a param nor a read")
        );
        assert!(value("keccak('PAUSER_ROLE')", "bytes4").is_err());
    }
}
