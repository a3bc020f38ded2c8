//! The parts of a playbook's file that ask the chain: reads, checks and conditions.

use alloy::dyn_abi::{DynSolType, Specifier};
use toml::Spanned;

use super::playbook_toml::{Text, WireAsk};
use super::source::Source;
use crate::excerpt::Fault;
use crate::near::hint;
use crate::playbook::claim::{Claim, Fact, StaticCall, ValueSource, slot_number};
use crate::playbook::language::signature_text::{parse_event, parse_function};
use crate::playbook::language::syntax::Flaw;
use crate::playbook::language::template::Template;
use crate::playbook::language::value::{is_number, param_types, parse_type};
use crate::playbook::postcheck::{Ending, Relation};

/// The place of an ask in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub(in crate::playbook) enum AskPlace {
    #[display("a read")]
    Read,
    #[display("skip_if")]
    SkipIf,
    #[display("a check before the steps")]
    Before,
    #[display("a check")]
    After,
}

/// The type of a read's value, before the names in it are known: a list where it is repeated.
pub(in crate::playbook) fn read_type(source: &Source, ask: &Spanned<WireAsk>) -> Result<DynSolType, Fault> {
    let ty = read_ask_type(source, ask, AskPlace::Read)?;
    Ok(if ask.get_ref().each.is_some() { DynSolType::Array(Box::new(ty)) } else { ty })
}

fn read_ask_type(source: &Source, ask: &Spanned<WireAsk>, place: AskPlace) -> Result<DynSolType, Fault> {
    let wire = ask.get_ref();
    if let Some(view) = &wire.view {
        let function = parse_function(view.get_ref()).map_err(|why| source.fault(view.span(), why))?;
        let mut types = param_types(&function.outputs);
        if types.is_empty() {
            let message = format!("{place} needs what the view returns: {}(type)", view.get_ref());
            return Err(source.fault(view.span(), message));
        }
        return Ok(if types.len() == 1 { types.remove(0) } else { DynSolType::Tuple(types) });
    }
    if wire.slot.is_some() {
        return wire.ty.as_ref().map_or(Ok(DynSolType::FixedBytes(32)), |ty| slot_type(source, ty));
    }
    if wire.code.is_some() {
        return Ok(DynSolType::FixedBytes(32));
    }
    Ok(DynSolType::Uint(256))
}

fn slot_type(source: &Source, text: &Text) -> Result<DynSolType, Fault> {
    let ty = parse_type(text.get_ref()).map_err(|why| source.fault(text.span(), why))?;
    if matches!(
        ty,
        DynSolType::Bool
            | DynSolType::Uint(_)
            | DynSolType::Int(_)
            | DynSolType::Address
            | DynSolType::FixedBytes(_)
    ) {
        return Ok(ty);
    }
    Err(source.fault(text.span(), format!("a slot is one word, and {ty} is not")))
}

/// The fields that an ask uses, to refuse those that say nothing there.
fn only(source: &Source, ask: &Spanned<WireAsk>, place: AskPlace, allowed: &[&str]) -> Result<(), Fault> {
    let w = ask.get_ref();
    let texts = [
        ("name", &w.name),
        ("view", &w.view),
        ("slot", &w.slot),
        ("balance", &w.balance),
        ("code", &w.code),
        ("time", &w.time),
        ("event", &w.event),
        ("reverts", &w.reverts),
        ("succeeds", &w.succeeds),
        ("on", &w.on),
        ("from", &w.from),
        ("type", &w.ty),
        ("token", &w.token),
        ("expect_not", &w.expect_not),
        ("at_least", &w.at_least),
        ("at_most", &w.at_most),
        ("contains", &w.contains),
        ("lacks", &w.lacks),
        ("same_items", &w.same_items),
    ];
    let spans = texts.iter().filter_map(|(name, text)| Some((*name, text.as_ref()?.span())));
    let args = w.args.as_ref().map(|a| ("args", a.span()));
    let expect = w.expect.as_ref().map(|e| ("expect", e.span()));
    match spans.chain(args).chain(expect).find(|(name, _)| !allowed.contains(name)) {
        None => Ok(()),
        Some((name, span)) => Err(source.fault(span, format!("{name} says nothing in {place}"))),
    }
}

const RELATIONS: [&str; 7] =
    ["expect", "expect_not", "at_least", "at_most", "contains", "lacks", "same_items"];

/// Reads a view, slot or balance.
pub(in crate::playbook) fn read_source(
    source: &Source,
    ask: &Spanned<WireAsk>,
    place: AskPlace,
) -> Result<ValueSource, Fault> {
    let wire = ask.get_ref();
    let is_read = place == AskPlace::Read;
    let allowed = |own: &[&'static str]| {
        let shared: &[&str] = if is_read { &["name"] } else { &RELATIONS };
        [own, shared].concat()
    };
    match (&wire.view, &wire.slot, &wire.balance, &wire.code, &wire.time) {
        (Some(view), None, None, None, None) => {
            only(source, ask, place, &allowed(&["view", "on", "args", "from"]))?;
            read_call(source, ask, view).map(ValueSource::View)
        }
        (None, Some(slot), None, None, None) => {
            only(source, ask, place, &allowed(&["slot", "on", "type"]))?;
            let ty = read_ask_type(source, ask, place)?;
            let slot = match slot_number(slot.get_ref()) {
                Some(word) => Template::known(slot.get_ref(), word),
                None => source.template(slot, &DynSolType::FixedBytes(32))?,
            };
            Ok(ValueSource::Slot { on: target(source, ask)?, slot, ty })
        }
        (None, None, Some(of), None, None) => {
            only(source, ask, place, &allowed(&["balance", "token"]))?;
            let token = wire.token.as_ref().map(|t| source.address(t)).transpose()?;
            Ok(ValueSource::Balance { of: source.address(of)?, token })
        }
        (None, None, None, Some(of), None) => {
            only(source, ask, place, &allowed(&["code"]))?;
            Ok(ValueSource::Code { of: source.address(of)? })
        }
        (None, None, None, None, Some(word)) => {
            only(source, ask, place, &allowed(&["time"]))?;
            read_time(source, word, place)
        }
        _ => {
            let kinds = if matches!(place, AskPlace::Read | AskPlace::SkipIf) {
                "view, slot, balance and code"
            } else {
                "view, slot, balance, code, time, event, reverts and succeeds"
            };
            Err(source.fault(ask.span(), format!("{place} has exactly one of {kinds}")))
        }
    }
}

/// Only checks may ask for the time: what a plan is made from must be the same for every signer.
fn read_time(source: &Source, word: &Text, place: AskPlace) -> Result<ValueSource, Fault> {
    if matches!(place, AskPlace::Read | AskPlace::SkipIf) {
        let message = format!("{place} cannot ask for the time: every block would give another transaction");
        return Err(source.fault(word.span(), message));
    }
    match word.get_ref().as_str() {
        "block" => Ok(ValueSource::Time),
        other => Err(source.fault(word.span(), format!("{other:?} is not a time; write time = \"block\""))),
    }
}

fn target(source: &Source, ask: &Spanned<WireAsk>) -> Result<Template, Fault> {
    let on = ask.get_ref().on.as_ref();
    source.address(on.ok_or_else(|| source.fault(ask.span(), "on is missing: which contract?"))?)
}

fn read_call(source: &Source, ask: &Spanned<WireAsk>, signature: &Text) -> Result<StaticCall, Fault> {
    let wire = ask.get_ref();
    let function = source.function(signature)?;
    let args = source.args(signature, wire.args.as_ref(), &param_types(&function.inputs))?;
    let from = wire.from.as_ref().map(|f| source.address(f)).transpose()?;
    Ok(StaticCall { on: target(source, ask)?, function, args, from })
}

/// Reads a check. Events belong only after the steps.
pub(in crate::playbook) fn read_check(
    source: &Source,
    ask: &Spanned<WireAsk>,
    place: AskPlace,
) -> Result<Claim, Fault> {
    let (each, inner) = source.each(ask.get_ref().each.as_ref())?;
    let kept = ask.get_ref().kept.as_ref();
    if let (Some(kept), false) = (kept, place == AskPlace::After) {
        return Err(source.fault(kept.span(), format!("kept says nothing in {place}")));
    }
    let kept =
        kept.map(|text| source.filled(text, "kept is empty: say why it may hold before").map(str::to_string));
    Ok(Claim { each, kept: kept.transpose()?, fact: read_fact(&inner, ask, place)? })
}

fn read_fact(source: &Source, ask: &Spanned<WireAsk>, place: AskPlace) -> Result<Fact, Fault> {
    let wire = ask.get_ref();
    if let (Some(event), AskPlace::After) = (&wire.event, place) {
        only(source, ask, place, &["event", "on", "args"])?;
        return read_event(source, ask, event);
    }
    if let Some(event) = &wire.event {
        let message = format!("{place} cannot look for an event: there is no transaction yet");
        return Err(source.fault(event.span(), message));
    }
    if let (Some(signature), false) = (&wire.reverts, place == AskPlace::SkipIf) {
        only(source, ask, place, &["reverts", "on", "args", "from"])?;
        return Ok(Fact::Call { call: read_call(source, ask, signature)?, ending: Ending::Reverts });
    }
    if let (Some(signature), false) = (&wire.succeeds, place == AskPlace::SkipIf) {
        only(source, ask, place, &["succeeds", "on", "args", "from"])?;
        return Ok(Fact::Call { call: read_call(source, ask, signature)?, ending: Ending::Succeeds });
    }
    let asked = read_source(source, ask, place)?;
    let texts = [
        (&wire.expect_not, Relation::IsNot),
        (&wire.at_least, Relation::AtLeast),
        (&wire.at_most, Relation::AtMost),
        (&wire.contains, Relation::Contains),
        (&wire.lacks, Relation::Lacks),
        (&wire.same_items, Relation::SameItems),
    ];
    let given: Vec<_> =
        texts.iter().filter_map(|(text, relation)| Some((text.as_ref()?, *relation))).collect();
    let (relation, expected) = match (&wire.expect, &given[..]) {
        (None, [(text, relation)]) => (*relation, read_expected(source, &asked.ty(), text, *relation)?),
        (Some(expect), []) => (Relation::Is, read_expect(source, &asked, expect)?),
        (expect, given) => {
            let message = format!("{place} has exactly one of {}", RELATIONS.join(", "));
            let second = given.get(usize::from(expect.is_none()));
            return Err(source.fault(second.map_or_else(|| ask.span(), |(t, _)| t.span()), message));
        }
    };
    Ok(Fact::Value { source: asked, relation, expected })
}

/// A value in a text, or the fields of a tuple by their names.
fn read_expect(source: &Source, asked: &ValueSource, wire: &Spanned<toml::Value>) -> Result<Template, Fault> {
    let texts = match wire.get_ref() {
        toml::Value::String(text) => {
            let text = Spanned::new(wire.span(), text.clone());
            return read_expected(source, &asked.ty(), &text, Relation::Is);
        }
        toml::Value::Table(fields) => fields,
        _ => {
            let message = "expect is a text in quotes, or fields by name such as { frozen = \"true\" }";
            return Err(source.fault(wire.span(), message));
        }
    };
    let known = asked.fields();
    if known.iter().all(|(name, _)| name.is_empty()) {
        let message = "the view does not name what it returns: view = \"name()(uint256 ltv,bool frozen)\"";
        return Err(source.fault(wire.span(), message));
    }
    let mut fields = Vec::new();
    for (name, value) in texts {
        let Some((at, (_, ty))) = known.iter().enumerate().find(|(_, (known, _))| known == name) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!("the view returns no {name:?}; {}", hint(name, names));
            return Err(source.fault(wire.span(), message));
        };
        let Some(text) = value.as_str() else {
            return Err(source.fault(wire.span(), format!("{name}: write the value as text in quotes")));
        };
        let text = Spanned::new(wire.span(), text.to_string());
        fields.push((name.clone(), at, source.pattern(&text, ty)?));
    }
    if fields.is_empty() {
        return Err(source.fault(wire.span(), "no field is named: nothing would be checked"));
    }
    Ok(Template::fields(fields, known.len()))
}

fn read_expected(
    source: &Source,
    ty: &DynSolType,
    text: &Text,
    relation: Relation,
) -> Result<Template, Fault> {
    let refuse = |needed: &str| {
        Err(source.fault(text.span(), format!("this compares {needed}, and the value is {ty}")))
    };
    match (relation, ty) {
        (Relation::Is | Relation::IsNot, DynSolType::Tuple(types)) if types.is_empty() => match text
            .get_ref()
            .trim()
        {
            "_" => source.pattern(text, ty),
            _ => Err(source
                .fault(text.span(), "what the view returns is not written: write view = \"name()(type)\"")),
        },
        (Relation::IsNot, _) if text.get_ref().trim() == "_" => {
            Err(source.fault(text.span(), "_ matches every value, so this never holds"))
        }
        (Relation::Is | Relation::IsNot, _) => source.pattern(text, ty),
        (Relation::AtLeast | Relation::AtMost, _) if is_number(ty) => source.template(text, ty),
        (Relation::AtLeast | Relation::AtMost, _) => refuse("numbers"),
        (
            Relation::Contains | Relation::Lacks,
            DynSolType::Array(element) | DynSolType::FixedArray(element, _),
        ) => source.pattern(text, element),
        (Relation::SameItems, DynSolType::Array(_) | DynSolType::FixedArray(..)) => source.template(text, ty),
        (Relation::Contains | Relation::Lacks | Relation::SameItems, _) => refuse("lists"),
    }
}

fn read_event(source: &Source, ask: &Spanned<WireAsk>, text: &Text) -> Result<Fact, Fault> {
    let event = parse_event(text.get_ref()).map_err(|why| source.fault(text.span(), why))?;
    let on = target(source, ask)?;
    let Some(given) = &ask.get_ref().args else { return Ok(Fact::Event { on, event, args: Vec::new() }) };
    if given.get_ref().len() != event.inputs.len() {
        let message = format!(
            "{} has {} values, and {} are given",
            event.name,
            event.inputs.len(),
            given.get_ref().len()
        );
        return Err(source.fault(given.span(), message));
    }
    let args = given.get_ref().iter().zip(&event.inputs).map(|(text, input)| {
        let ty = input.resolve().map_err(|e| source.flaw(text, Flaw::new(0..1, e.to_string())))?;
        let pattern = source.pattern(text, &ty)?;
        let hashed = ty.is_dynamic() || matches!(ty, DynSolType::Tuple(_) | DynSolType::FixedArray(..));
        if input.indexed && hashed && !pattern.is_any() {
            let message = format!("an indexed {ty} is only a hash in the event: write \"_\"");
            return Err(source.fault(text.span(), message));
        }
        Ok(pattern)
    });
    let args = args.collect::<Result<_, Fault>>()?;
    Ok(Fact::Event { on, event, args })
}
