//! A pattern: a value with parts that may be anything, which an answer of the chain is compared with.

use alloy::dyn_abi::DynSolValue;

use super::expression::EvalStop;
use crate::evm::{AddressBook, render};

/// Some fields of a tuple: name, place and what is there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fields<T> {
    pub named: Vec<(String, usize, T)>,
    /// The number of fields in the tuple.
    pub of: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    List,
    FixedList,
    Tuple,
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
pub struct Pattern(pub(super) Inner);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Inner {
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

    /// Returns `true` if it is such a value, or a tuple with a field that is.
    pub(in crate::playbook) fn has_field(&self, is_it: &impl Fn(&DynSolValue) -> bool) -> bool {
        match &self.0 {
            Inner::Value(DynSolValue::Tuple(items)) => items.iter().any(is_it),
            Inner::Value(own) => is_it(own),
            Inner::Parts(Shape::Tuple, parts) => parts.iter().any(|part| part.has_field(is_it)),
            Inner::Fields(fields) => fields.named.iter().any(|(_, _, part)| part.has_field(is_it)),
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

    /// Returns a found value as it is shown beside this pattern: if the pattern names fields of a tuple, only those
    /// fields.
    pub(in crate::playbook) fn render_found(&self, found: &DynSolValue) -> String {
        match (&self.0, found) {
            (Inner::Fields(fields), DynSolValue::Tuple(items)) => {
                fields.list(|at, _| items.get(at).map_or_else(String::new, |item| render(item, None)))
            }
            _ => render(found, None),
        }
    }
}
