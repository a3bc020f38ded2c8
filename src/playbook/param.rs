//! Parameters: what a person gives, in the unit they think in, checked against the playbook's own bounds.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use alloy::dyn_abi::{DynSolType, DynSolValue};
use alloy::primitives::{U256, U512};

use super::language::expression::{EvalStop, Values};
use super::language::flags::{self, Flags};
use super::language::literal::number_of;
use super::language::syntax::Flaw;
use super::language::template::{Allowed, Template};
use super::language::typing::Scope;
use super::language::unit::{Decimal, MAX_DECIMALS, Unit};
use super::language::value::{compare, is_number};
use crate::evm::{AddressBook, render};

/// One parameter of a playbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: String,
    pub title: String,
    pub ty: DynSolType,
    pub unit: Option<ParamUnit>,
    /// The names of its bits or, for a choice, of its values.
    pub flags: Flags,
    pub(super) min: Option<Amount>,
    pub(super) max: Option<Amount>,
    pub(super) max_change: Option<MaxChange>,
    pub zero: Zero,
    pub default: Option<String>,
    /// Only the undo needs it: the act neither asks for it nor uses it.
    pub for_undo: bool,
    /// The value in force before the act: only the undo needs it, and takes it from what was read then.
    pub(super) was: Option<Template>,
}

/// A unit whose decimals may have to be read from the chain.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamUnit {
    Fixed(Unit),
    /// A token whose decimals are this value.
    Token(Template),
}

/// The meaning of zero to the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zero {
    /// Zero means nothing special.
    Number,
    Refuse,
    /// It must be written as this word. Bounds do not apply to it: the word says that it is not a quantity.
    Word(String),
}

/// A bound: a number in the parameter's unit, or an expression in the contract's.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Amount {
    Text(String),
    Expr(Template),
}

/// The greatest distance of the value from the one in force.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MaxChange {
    pub limit: Limit,
    pub current: Template,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Limit {
    Percent(String, Decimal),
    Absolute(Amount),
}

impl Param {
    /// Returns the parameter for a message: `fee (uint256 in bps)`.
    pub fn ask(&self) -> String {
        let unit = match &self.unit {
            None => String::new(),
            Some(ParamUnit::Fixed(unit)) => format!(" in {}", unit.word()),
            Some(ParamUnit::Token(_)) => " in token".into(),
        };
        let zero = match &self.zero {
            Zero::Word(word) => format!(", or the word {word}"),
            _ => String::new(),
        };
        let flags = match self.flags.names().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => none,
            names if self.flags.is_choice() => format!(", one of {names}"),
            names => format!(", any of {names}"),
        };
        format!("{} ({}{unit}{zero}{flags})", self.name, self.ty)
    }

    /// Returns `true` if it says what was in force before the act.
    pub const fn is_former(&self) -> bool {
        self.was.is_some()
    }

    /// Returns the unit, if its decimals need not be read.
    pub(super) const fn fixed_unit(&self) -> Option<Unit> {
        match self.unit {
            Some(ParamUnit::Fixed(unit)) => Some(unit),
            _ => None,
        }
    }

    /// Adds the names that its bounds and its unit depend on.
    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        let limit = self.max_change.as_ref().and_then(|change| match &change.limit {
            Limit::Absolute(amount) => Some(amount),
            Limit::Percent(..) => None,
        });
        for amount in self.min.iter().chain(&self.max).chain(limit) {
            if let Amount::Expr(template) = amount {
                template.names(into);
            }
        }
        if let Some(change) = &self.max_change {
            change.current.names(into);
        }
        into.extend(unit_names(self));
    }

    /// The unit, when its decimals are known.
    pub(super) fn unit(&self, values: &Values) -> Result<Option<Unit>, EvalStop> {
        match &self.unit {
            None => Ok(None),
            Some(ParamUnit::Fixed(unit)) => Ok(Some(*unit)),
            Some(ParamUnit::Token(decimals)) => {
                let value = decimals.eval(values)?;
                let decimals = value.as_uint().and_then(|(n, _)| u8::try_from(n).ok());
                let decimals = decimals.filter(|n| *n <= MAX_DECIMALS);
                let wrong = || format!("{} is not a token's decimals", render(&value, None));
                Ok(Some(Unit::Token { decimals: decimals.ok_or_else(wrong)? }))
            }
        }
    }

    /// Returns `true` if two texts are one value: 0.4 % and 40 bps. The decimals of a token need not be known for that.
    pub fn is_same(&self, one: &str, other: &str, names: &AddressBook) -> bool {
        let unit = match &self.unit {
            None => None,
            Some(ParamUnit::Fixed(unit)) => Some(*unit),
            Some(ParamUnit::Token(_)) => {
                let number = |text: &str| Decimal::parse(text.trim());
                return one == other || number(one).is_some_and(|one| number(other) == Some(one));
            }
        };
        let values = Values::new(BTreeMap::new(), names);
        let value = |text| self.read(text, unit, &values).ok();
        one == other || value(one).is_some_and(|one| value(other) == Some(one))
    }

    /// The value of a text, before its bounds are checked.
    pub(super) fn read(
        &self,
        text: &str,
        unit: Option<Unit>,
        values: &Values,
    ) -> Result<DynSolValue, EvalStop> {
        let is_zero = |v: &DynSolValue| {
            v.as_uint().is_some_and(|(n, _)| n.is_zero()) || v.as_int().is_some_and(|(n, _)| n.is_zero())
        };
        match &self.zero {
            Zero::Word(word) if text.trim() == word => {
                let zero = number_of(&self.ty, false, U256::ZERO);
                zero.ok_or_else(|| format!("{} has no zero", self.ty).into())
            }
            Zero::Number => self.amount(text, unit, values),
            Zero::Word(word) => match self.amount(text, unit, values)? {
                zero if is_zero(&zero) => {
                    let message =
                        format!("zero means {word} here: write {}={word} if you mean that", self.name);
                    Err(message.into())
                }
                value => Ok(value),
            },
            Zero::Refuse => match self.amount(text, unit, values)? {
                zero if is_zero(&zero) => Err("zero is refused by the playbook".to_string().into()),
                value => Ok(value),
            },
        }
    }

    fn amount(&self, text: &str, unit: Option<Unit>, values: &Values) -> Result<DynSolValue, EvalStop> {
        if !self.flags.is_empty() {
            return self.named(&self.ty, text);
        }
        let Some(unit) = unit else {
            let template = Template::parse(text, &self.ty, Allowed::Literals);
            return template.map_err(|flaw| flaw.message)?.eval(values);
        };
        let (negative, digits) = text.trim().strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let value = number_of(&self.ty, negative, unit.parse(digits)?);
        value.ok_or_else(|| format!("{text} does not fit in {}", self.ty).into())
    }

    /// The value of a text that names it, or a list of such.
    fn named(&self, ty: &DynSolType, text: &str) -> Result<DynSolValue, EvalStop> {
        if let DynSolType::Array(item) = ty {
            let items = flags::items(text)?.into_iter().map(|word| self.named(item, word));
            return items.collect::<Result<_, _>>().map(DynSolValue::Array);
        }
        let value = number_of(ty, false, self.flags.parse(text)?);
        value.ok_or_else(|| format!("{text} does not fit in {ty}").into())
    }

    /// Returns `true` if one bound is above another, as far as that is known without the chain.
    pub(super) fn is_above(&self, low: &Amount, high: &Amount) -> bool {
        let names = AddressBook::default();
        let values = Values::new(BTreeMap::new(), &names);
        let read = |amount| self.bound(amount, self.unit(&values).ok()?, &values).ok();
        let order = read(low).zip(read(high)).and_then(|(low, high)| compare(&low, &high));
        order.is_some_and(Ordering::is_gt)
    }

    fn bound(&self, amount: &Amount, unit: Option<Unit>, values: &Values) -> Result<DynSolValue, EvalStop> {
        match amount {
            Amount::Text(text) => self.amount(text, unit, values),
            Amount::Expr(template) => template.eval(values),
        }
    }

    /// Checks a value against minimum, maximum and greatest change.
    pub(super) fn check(&self, value: &DynSolValue, text: &str, values: &Values) -> Result<(), EvalStop> {
        if matches!(&self.zero, Zero::Word(word) if text.trim() == word) {
            return Ok(());
        }
        let unit = self.unit(values)?;
        let shown = |v: &DynSolValue| show(v, unit, values);
        if let Some(min) = &self.min {
            let min = self.bound(min, unit, values)?;
            if compare(value, &min).is_none_or(Ordering::is_lt) {
                return Err(format!("{} is below the minimum, {}", shown(value), shown(&min)).into());
            }
        }
        if let Some(max) = &self.max {
            let max = self.bound(max, unit, values)?;
            if compare(value, &max).is_none_or(Ordering::is_gt) {
                return Err(format!("{} is above the maximum, {}", shown(value), shown(&max)).into());
            }
        }
        let Some(change) = &self.max_change else { return Ok(()) };
        let current = change.current.eval(values)?;
        let step = distance(&current, value).ok_or_else(|| format!("{} is not a number", shown(&current)))?;
        let (allowed, limit) = match &change.limit {
            Limit::Percent(text, limit) => (within(step, &current, *limit), text.clone()),
            Limit::Absolute(amount) => {
                let limit = self.bound(amount, unit, values)?;
                (
                    limit.as_uint().is_some_and(|(n, _)| step <= U512::from(n)) || within_int(step, &limit),
                    shown(&limit),
                )
            }
        };
        if allowed {
            return Ok(());
        }
        let message =
            format!("from {} to {} is more than may change at once, {limit}", shown(&current), shown(value));
        Err(message.into())
    }

    /// The value for a person, in the parameter's unit.
    pub(super) fn show(&self, value: &DynSolValue, text: &str, values: &Values) -> Result<String, EvalStop> {
        match &self.zero {
            Zero::Word(word) if text.trim() == word => Ok(format!("{word} (0)")),
            _ if !self.flags.is_empty() => Ok(self.show_named(value)),
            // A role as it was named, and its hash.
            _ if matches!(value, DynSolValue::FixedBytes(..)) && !text.trim().starts_with("0x") => {
                Ok(format!("{} ({})", text.trim(), render(value, None)))
            }
            _ => Ok(show(value, self.unit(values)?, values)),
        }
    }

    /// A value, or each of a list, by its names.
    pub(super) fn show_named(&self, value: &DynSolValue) -> String {
        match (value.as_uint(), value.as_array()) {
            (Some((n, _)), _) => self.flags.show(n),
            (None, Some(items)) => {
                format!("[{}]", items.iter().map(|item| self.show_named(item)).collect::<Vec<_>>().join(", "))
            }
            (None, None) => String::new(),
        }
    }
}

fn show(value: &DynSolValue, unit: Option<Unit>, values: &Values) -> String {
    match (value, unit) {
        (DynSolValue::Uint(n, _), Some(unit)) => unit.show(*n),
        // The sign belongs to both numbers: -5.5 (-5500000).
        (DynSolValue::Int(n, _), Some(unit)) if n.is_negative() => {
            format!("-{}", unit.show(n.unsigned_abs()).replacen(" (", " (-", 1))
        }
        (DynSolValue::Int(n, _), Some(unit)) => unit.show(n.unsigned_abs()),
        // The name of an address is a note beside it.
        (DynSolValue::Address(address), _) => address.to_string(),
        _ => render(value, Some(values.names)),
    }
}

fn magnitude(value: &DynSolValue) -> Option<(bool, U512)> {
    match value {
        DynSolValue::Uint(n, _) => Some((false, U512::from(*n))),
        DynSolValue::Int(n, _) => Some((n.is_negative(), U512::from(n.unsigned_abs()))),
        _ => None,
    }
}

fn distance(a: &DynSolValue, b: &DynSolValue) -> Option<U512> {
    let ((a_negative, a), (b_negative, b)) = (magnitude(a)?, magnitude(b)?);
    Some(if a_negative == b_negative { a.max(b) - a.min(b) } else { a + b })
}

/// `step ≤ |current| × percent / 100`, without rounding.
fn within(step: U512, current: &DynSolValue, percent: Decimal) -> bool {
    let hundred = U512::from(100_u64) * U512::from(10_u64).pow(U512::from(percent.decimals));
    let Some((_, current)) = magnitude(current) else { return false };
    match (step.checked_mul(hundred), current.checked_mul(U512::from(percent.mantissa))) {
        (Some(step), Some(limit)) => step <= limit,
        _ => false,
    }
}

fn within_int(step: U512, limit: &DynSolValue) -> bool {
    limit.as_int().is_some_and(|(n, _)| !n.is_negative() && step <= U512::from(n.unsigned_abs()))
}

/// Reads an argument as a lever gives it, where nothing is known of it but its type.
/// The error says what is wrong with the text, or which name of an address is not known.
pub fn argument(ty: &DynSolType, text: &str, names: &AddressBook) -> Result<DynSolValue, String> {
    let template = Template::parse(text, ty, Allowed::Literals).map_err(|flaw| flaw.message)?;
    template.eval(&Values::new(BTreeMap::new(), names)).map_err(|stop| match stop {
        EvalStop::Missing => "a value is missing".into(),
        EvalStop::Wrong(why) => why,
    })
}

/// Reads a bound of a parameter; one without an expression is tried at once where its unit is known.
pub(super) fn amount(param: &Param, text: &str, scope: &Scope) -> Result<Amount, Flaw> {
    let whole = 0..text.len().max(1);
    if !is_number(&param.ty) {
        return Err(Flaw::new(
            whole,
            format!("{} is {}, and only numbers have bounds", param.name, param.ty),
        ));
    }
    if text.trim_start().starts_with('{') {
        return Template::parse(text, &param.ty, Allowed::Expressions(scope)).map(Amount::Expr);
    }
    try_literal(param, text).map_err(|why| Flaw::new(whole, why))?;
    Ok(Amount::Text(text.into()))
}

/// Checks that a literal can be a value of this parameter, as far as that is known without the chain.
pub(super) fn try_literal(param: &Param, text: &str) -> Result<(), String> {
    let names = AddressBook::default();
    let values = Values::new(BTreeMap::new(), &names);
    let unit = match &param.unit {
        Some(ParamUnit::Token(_)) => return Ok(()),
        Some(ParamUnit::Fixed(unit)) => Some(*unit),
        // The names of addresses are the reader's own.
        None if !is_number(&param.ty) => {
            return Template::parse(text, &param.ty, Allowed::Literals).map(|_| ()).map_err(|f| f.message);
        }
        None => None,
    };
    match param.amount(text, unit, &values) {
        Err(EvalStop::Wrong(why)) => Err(why),
        _ => Ok(()),
    }
}

/// Reads `20 %` or a number in the parameter's unit.
pub(super) fn max_change(param: &Param, text: &str, scope: &Scope) -> Result<Limit, Flaw> {
    if let Some(number) = text.trim().strip_suffix('%') {
        let percent = Decimal::parse(number.trim()).filter(|d| d.decimals <= 6);
        let flaw = || Flaw::new(0..text.len(), format!("{text:?} is not a percentage such as \"20 %\""));
        return percent.map(|percent| Limit::Percent(text.trim().into(), percent)).ok_or_else(flaw);
    }
    amount(param, text, scope).map(Limit::Absolute)
}

/// The names that the decimals of a parameter's unit depend on.
pub(super) fn unit_names(param: &Param) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some(ParamUnit::Token(template)) = &param.unit {
        template.names(&mut names);
    }
    names
}
