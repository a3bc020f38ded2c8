//! The params of a playbook's file.

use alloy::dyn_abi::DynSolType;
use toml::Spanned;

use super::playbook_toml::{Text, WireParam};
use super::source::Source;
use crate::excerpt::Fault;
use crate::playbook::language::flags::Flags;
use crate::playbook::language::template::Template;
use crate::playbook::language::unit::{MAX_DECIMALS, Unit};
use crate::playbook::language::value::{is_number, parse_type};
use crate::playbook::param::{self, MaxChange, Param, ParamUnit, Zero};

pub(in crate::playbook) fn read_param(source: &Source, wire: &WireParam) -> Result<Param, Fault> {
    let parsed = parse_type(wire.ty.get_ref()).map_err(|why| source.fault(wire.ty.span(), why))?;
    let mut param = Param {
        name: wire.name.get_ref().clone(),
        title: wire.title.trim().into(),
        unit: read_unit(source, wire, &parsed)?,
        flags: read_flags(source, wire, &parsed)?,
        ty: parsed.clone(),
        min: None,
        max: None,
        max_change: None,
        zero: Zero::Number,
        default: None,
        for_undo: wire.for_undo || wire.was.is_some(),
        was: wire.was.as_ref().map(|text| read_was(source, text, &wire.name, &parsed)).transpose()?,
    };
    let amount =
        |text: &Text| param::amount(&param, text.get_ref(), &source.scope).map_err(|f| source.flaw(text, f));
    let min = wire.min.as_ref().map(amount).transpose()?;
    let max = wire.max.as_ref().map(amount).transpose()?;
    if let (Some(low), Some(high), Some(text)) = (&min, &max, &wire.max)
        && param.is_above(low, high)
    {
        return Err(source.fault(text.span(), "max is below min"));
    }
    let max_change = read_max_change(source, wire, &param)?;
    let zero = read_zero(source, wire, &param)?;
    let word = |text: &Text| matches!(&zero, Zero::Word(word) if word == text.get_ref().trim());
    if let Some(text) = wire.default.as_ref().filter(|t| !word(t)) {
        param::try_literal(&param, text.get_ref()).map_err(|why| source.fault(text.span(), why))?;
    }
    let default = wire.default.as_ref().map(|d| d.get_ref().clone());
    (param.min, param.max, param.max_change) = (min, max, max_change);
    (param.zero, param.default) = (zero, default);
    Ok(param)
}

/// Reads the value in force before the act: an expression over reads.
fn read_was(source: &Source, text: &Text, name: &Text, ty: &DynSolType) -> Result<Template, Fault> {
    if text.get_ref().trim_start().starts_with('{') {
        return source.template(text, ty);
    }
    let message =
        format!("was is the value before the act, by a read in braces: {} = \"{{now}}\"", name.get_ref());
    Err(source.fault(text.span(), message))
}

fn read_unit(source: &Source, wire: &WireParam, ty: &DynSolType) -> Result<Option<ParamUnit>, Fault> {
    let Some(text) = &wire.unit else {
        return match &wire.decimals {
            Some(decimals) => Err(source.fault(decimals.span(), "decimals need a unit: percent or token")),
            None => Ok(None),
        };
    };
    if !is_number(ty) {
        let message = format!("a unit is for numbers, and {} is {ty}", wire.name.get_ref());
        return Err(source.fault(text.span(), message));
    }
    let unit = match text.get_ref().as_str() {
        "ether" => Unit::Ether,
        "gwei" => Unit::Gwei,
        "wei" => Unit::Wei,
        "bps" => Unit::Bps,
        "seconds" => Unit::Seconds,
        "minutes" => Unit::Minutes,
        "hours" => Unit::Hours,
        "days" => Unit::Days,
        "percent" => Unit::Percent { decimals: 2 },
        "token" => Unit::Token { decimals: 0 },
        other => {
            let known = "ether, gwei, wei, bps, percent, seconds, minutes, hours, days, token";
            return Err(source.fault(text.span(), format!("{other:?} is not a unit; known: {known}")));
        }
    };
    match (unit, &wire.decimals) {
        (Unit::Token { .. }, None) => {
            let message = "unit token needs decimals: a number, or a read in braces such as \"{decimals}\"";
            Err(source.fault(text.span(), message))
        }
        (Unit::Token { .. } | Unit::Percent { .. }, Some(decimals)) => {
            read_decimals(source, unit, decimals).map(Some)
        }
        (_, Some(decimals)) => {
            Err(source.fault(decimals.span(), format!("{} has no decimals to choose", unit.word())))
        }
        (_, None) => Ok(Some(ParamUnit::Fixed(unit))),
    }
}

fn read_flags(source: &Source, wire: &WireParam, ty: &DynSolType) -> Result<Flags, Fault> {
    let Some(given) = wire.choices.as_ref().or(wire.flags.as_ref()) else { return Ok(Flags::default()) };
    let refuse = |message: String| Err(source.fault(given.span(), message));
    let is_choice = wire.choices.is_some();
    if is_choice && wire.flags.is_some() {
        return refuse("flags are bits, and choices are whole values: a param has one of them".into());
    }
    let one = match ty {
        DynSolType::Array(item) if is_choice => item,
        ty => ty,
    };
    if !matches!(one, DynSolType::Uint(_)) {
        let what = if is_choice { "choices are values" } else { "flags are the bits" };
        return refuse(format!("{what} of an unsigned number, and {} is {ty}", wire.name.get_ref()));
    }
    let bounds = [&wire.unit, &wire.min, &wire.max, &wire.max_change];
    if let Some(text) = bounds.into_iter().flatten().next() {
        return Err(source.fault(text.span(), "a param with flags or choices has no unit and no bounds"));
    }
    Flags::new(given.get_ref(), is_choice).or_else(refuse)
}

fn read_decimals(source: &Source, unit: Unit, wire: &Spanned<toml::Value>) -> Result<ParamUnit, Fault> {
    match (unit, wire.get_ref()) {
        (_, toml::Value::Integer(n)) => {
            let decimals = u8::try_from(*n).ok().filter(|n| *n <= MAX_DECIMALS);
            let message = || format!("decimals {n} are not between 0 and {MAX_DECIMALS}");
            let decimals = decimals.ok_or_else(|| source.fault(wire.span(), message()))?;
            Ok(ParamUnit::Fixed(match unit {
                Unit::Percent { .. } => Unit::Percent { decimals },
                _ => Unit::Token { decimals },
            }))
        }
        (Unit::Token { .. }, toml::Value::String(text)) => {
            let text = Spanned::new(wire.span(), text.clone());
            source.template(&text, &DynSolType::Uint(256)).map(ParamUnit::Token)
        }
        _ => Err(source.fault(wire.span(), "decimals are a number")),
    }
}

fn read_max_change(source: &Source, wire: &WireParam, param: &Param) -> Result<Option<MaxChange>, Fault> {
    match (&wire.max_change, &wire.current) {
        (None, None) => Ok(None),
        (None, Some(current)) => {
            Err(source.fault(current.span(), "current is only needed beside max_change"))
        }
        (Some(text), None) => {
            let message =
                "max_change needs current: the read that gives the value in force, such as \"{fee}\"";
            Err(source.fault(text.span(), message))
        }
        (Some(text), Some(current)) => {
            let limit =
                param::max_change(param, text.get_ref(), &source.scope).map_err(|f| source.flaw(text, f))?;
            if !is_number(&param.ty) {
                let message = format!("max_change is for numbers, and {} is {}", param.name, param.ty);
                return Err(source.fault(text.span(), message));
            }
            Ok(Some(MaxChange { limit, current: source.template(current, &param.ty)? }))
        }
    }
}

fn read_zero(source: &Source, wire: &WireParam, param: &Param) -> Result<Zero, Fault> {
    let Some(text) = &wire.zero else { return Ok(Zero::Number) };
    if !is_number(&param.ty) {
        return Err(
            source.fault(text.span(), format!("zero is for numbers, and {} is {}", param.name, param.ty))
        );
    }
    match text.get_ref().trim() {
        "refuse" => Ok(Zero::Refuse),
        word if word.starts_with(|c: char| c.is_ascii_alphabetic())
            && !word.contains(char::is_whitespace) =>
        {
            Ok(Zero::Word(word.into()))
        }
        _ => Err(source
            .fault(text.span(), "zero is \"refuse\", or a word for what zero means, such as \"unlimited\"")),
    }
}
