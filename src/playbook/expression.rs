//! What stands between braces in a playbook: a name, a literal or one of a closed set of functions. Parsed and typed
//! when the playbook is read, evaluated when a plan is derived. No loops, no conditions, no scripting.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use alloy::dyn_abi::{DynSolType, DynSolValue};

use super::builtin::{self, Builtin};
use super::literal::{self, Literal};
use super::near::hint;
use super::value;
use crate::council::AddressBook;

const MAX_DEPTH: usize = 16;

/// A fault at a place in a template, in bytes from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub at: Range<usize>,
    pub message: String,
}

impl Flaw {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// Why a value is not there: an answer is still missing, or something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Missing,
    Wrong(String),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

/// The types of the names that an expression may use.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope(pub BTreeMap<String, DynSolType>);

/// The values of those names, as far as they are known.
pub(super) struct Values<'a> {
    pub map: BTreeMap<String, DynSolValue>,
    pub names: &'a AddressBook,
}

impl Values<'_> {
    pub(super) fn address(&self, name: &str) -> Result<DynSolValue, Stop> {
        let wrong = || {
            format!("no address is called {name:?}; {}", hint(name, self.names.names().collect::<Vec<_>>()))
        };
        self.names.address(name).map(DynSolValue::Address).ok_or_else(|| wrong().into())
    }
}

/// A typed expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Name(String),
    Value(DynSolValue),
    Call(Builtin, Vec<Expr>),
    /// A number that must fit this type.
    Fit(Box<Expr>, DynSolType),
}

impl Expr {
    pub(super) fn eval(&self, values: &Values) -> Result<DynSolValue, Stop> {
        match self {
            Self::Name(name) => values.map.get(name).cloned().ok_or(Stop::Missing),
            Self::Value(value) => Ok(value.clone()),
            Self::Fit(inner, ty) => Ok(value::fit(inner.eval(values)?, ty)?),
            Self::Call(builtin, args) => {
                let args = args.iter().map(|a| a.eval(values)).collect::<Result<Vec<_>, _>>()?;
                Ok(builtin.apply(&args)?)
            }
        }
    }

    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        match self {
            Self::Name(name) => {
                into.insert(name.clone());
            }
            Self::Value(_) => {}
            Self::Fit(inner, _) => inner.names(into),
            Self::Call(_, args) => args.iter().for_each(|a| a.names(into)),
        }
    }
}

/// An expression as written.
pub(super) struct Node {
    pub at: Range<usize>,
    pub kind: NodeKind,
}

pub(super) enum NodeKind {
    Name(String),
    Number(String),
    Text(String),
    Call(String, Vec<Node>),
}

impl Node {
    pub(super) fn flaw(&self, message: impl Into<String>) -> Flaw {
        Flaw::new(self.at.clone(), message)
    }
}

/// Reads the text between braces; `base` is where it begins in the template.
pub(super) fn parse(text: &str, base: usize) -> Result<Node, Flaw> {
    let mut reader = Reader { text, at: 0, base };
    let node = reader.node(0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(node),
        Some(c) => Err(reader.flaw(format!("{c:?} is not expected after the end of the expression"))),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    base: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        self.take(char::is_whitespace);
    }

    fn take(&mut self, accept: impl Fn(char) -> bool) -> String {
        let rest = &self.text[self.at..];
        let taken = &rest[..rest.find(|c| !accept(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken.into()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn flaw(&self, message: impl Into<String>) -> Flaw {
        let end = self.at + self.peek().map_or(1, char::len_utf8);
        Flaw::new(self.base + self.at..self.base + end, message)
    }

    fn node(&mut self, depth: usize) -> Result<Node, Flaw> {
        self.skip_space();
        if depth > MAX_DEPTH {
            return Err(self.flaw(format!("functions are nested deeper than {MAX_DEPTH}")));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(quote @ ('"' | '\'')) => NodeKind::Text(self.quoted(quote)?),
            Some(c) if c.is_ascii_digit() || c == '-' => {
                NodeKind::Number(self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.word(depth)?,
            Some(c) => {
                return Err(self.flaw(format!("{c:?} where a name, a number or a function is expected")));
            }
            None => return Err(self.flaw("a name, a number or a function is missing here")),
        };
        Ok(Node { at: self.base + start..self.base + self.at, kind })
    }

    fn quoted(&mut self, quote: char) -> Result<String, Flaw> {
        let start = self.at;
        self.eat(quote);
        let text = self.take(|c| c != quote);
        if self.eat(quote) {
            return Ok(text);
        }
        Err(Flaw::new(self.base + start..self.base + self.at, format!("the text has no closing {quote}")))
    }

    fn word(&mut self, depth: usize) -> Result<NodeKind, Flaw> {
        let name = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        self.skip_space();
        if !self.eat('(') {
            return Ok(NodeKind::Name(name));
        }
        let mut args = Vec::new();
        self.skip_space();
        if self.eat(')') {
            return Ok(NodeKind::Call(name, args));
        }
        loop {
            args.push(self.node(depth + 1)?);
            self.skip_space();
            if self.eat(')') {
                return Ok(NodeKind::Call(name, args));
            }
            if !self.eat(',') {
                return Err(self.flaw(format!("a comma or a closing bracket of {name}(…) is missing here")));
            }
        }
    }
}

/// Types an expression. With `expected`, the result is of that type or does not exist.
pub(super) fn check(
    node: &Node,
    scope: &Scope,
    expected: Option<&DynSolType>,
) -> Result<(Expr, DynSolType), Flaw> {
    let (expr, ty) = match &node.kind {
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
        NodeKind::Text(_) => return Err(node.flaw("a text stands only in keccak(…) or selector(…)")),
        NodeKind::Call(name, args) => builtin::check(node, name, args, scope)?,
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

fn number(node: &Node, text: &str, expected: Option<&DynSolType>) -> Result<(Expr, DynSolType), Flaw> {
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

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;
    use proptest::prelude::*;

    use super::*;

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
            ("max(price, 0)", "int256"),
            ("keccak('PAUSER_ROLE')", "bytes32"),
            ("selector(\"pause()\")", "bytes4"),
            ("bytes32(old)", "bytes32"),
            ("item(owners, 0)", "address"),
            ("len(owners)", "uint256"),
        ] {
            assert_eq!(typed(text, None).unwrap().1.to_string(), ty, "{text}");
        }
    }

    #[test]
    fn flaws_name_the_word_and_its_place() {
        for (text, ty, at, message) in [
            ("owner", None, 0..5, "\"owner\" is neither a param nor a read; did you mean \"owners\"?"),
            ("prev(owners, old)", None, 0..17, "no function is called \"prev\"; known: "),
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
            ("'text'", None, 0..6, "a text stands only in keccak(…) or selector(…)"),
            ("or(flags, 1", None, 11..12, "a comma or a closing bracket of or(…) is missing here"),
            ("", None, 0..1, "a name, a number or a function is missing here"),
            ("old new", None, 4..5, "'n' is not expected after the end of the expression"),
            ("keccak('A", None, 7..9, "the text has no closing '"),
            ("selector('pause')", None, 9..16, "\"pause\" is not a function signature"),
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
        let stop = expr.eval(&Values { map, names: &names }).unwrap_err();
        assert_eq!(stop, Stop::Wrong("300 does not fit in uint8".into()));
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
                    "or", "bit", "item", "with", "replaced", "keccak", "selector", "bytes32", "prev_owner", "min",
                    "owners", "flags", "price", "(", ")", ",", "0x", "-1", "7", "'", "\"", " ", "é", "_", "max(",
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
