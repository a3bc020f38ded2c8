//! A typed expression and its value, once the values of its names are known.

use std::collections::{BTreeMap, BTreeSet};

use alloy::dyn_abi::{DynSolType, DynSolValue};
use alloy::json_abi::Error;

use super::builtin::Builtin;
use super::value;
use crate::evm::AddressBook;
use crate::near::hint;

/// Why a value is not there: an answer is still missing, or something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::playbook) enum EvalStop {
    Missing,
    Wrong(String),
}

impl From<String> for EvalStop {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

/// The values of those names, as far as they are known.
pub(in crate::playbook) struct Values<'a> {
    pub map: BTreeMap<String, DynSolValue>,
    pub names: &'a AddressBook,
    /// The errors of the contracts that are asked.
    pub errors: &'a [Error],
    /// The names that are known outside of one turn of a repeated part.
    around: Option<&'a Self>,
}

impl<'a> Values<'a> {
    pub(in crate::playbook) const fn new(map: BTreeMap<String, DynSolValue>, names: &'a AddressBook) -> Self {
        Self { map, names, errors: &[], around: None }
    }

    /// These values, and the errors that the contracts revert with.
    pub(in crate::playbook) fn knowing(self, errors: &'a [Error]) -> Self {
        Self { errors, ..self }
    }

    /// These values and those of one turn.
    pub(in crate::playbook) const fn with<'b>(&'b self, turn: BTreeMap<String, DynSolValue>) -> Values<'b>
    where
        'a: 'b,
    {
        Values { map: turn, names: self.names, errors: self.errors, around: Some(self) }
    }

    fn get(&self, name: &str) -> Option<&DynSolValue> {
        self.map.get(name).or_else(|| self.around?.get(name))
    }

    pub(in crate::playbook) fn address(&self, name: &str) -> Result<DynSolValue, EvalStop> {
        let wrong = || {
            format!("no address is called {name:?}; {}", hint(name, self.names.names().collect::<Vec<_>>()))
        };
        self.names.address(name).map(DynSolValue::Address).ok_or_else(|| wrong().into())
    }
}

/// A typed expression.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::playbook) enum Expr {
    Name(String),
    Value(DynSolValue),
    Call(Builtin, Vec<Expr>),
    /// A number that must fit this type.
    Fit(Box<Expr>, DynSolType),
}

impl Expr {
    pub(in crate::playbook) fn eval(&self, values: &Values) -> Result<DynSolValue, EvalStop> {
        match self {
            Self::Name(name) => values.get(name).cloned().ok_or(EvalStop::Missing),
            Self::Value(value) => Ok(value.clone()),
            Self::Fit(inner, ty) => Ok(value::fit(inner.eval(values)?, ty)?),
            Self::Call(builtin, args) => {
                let args = args.iter().map(|a| a.eval(values)).collect::<Result<Vec<_>, _>>()?;
                Ok(builtin.apply(&args)?)
            }
        }
    }

    pub(in crate::playbook) fn names(&self, into: &mut BTreeSet<String>) {
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
