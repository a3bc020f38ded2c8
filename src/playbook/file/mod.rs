//! From TOML text to a [`Playbook`]: everything that can be wrong without the chain is found here, with its place.

pub(super) mod example;
pub(super) mod params;
pub(super) mod parts;
pub(super) mod playbook_toml;
pub(super) mod source;

use std::collections::{BTreeMap, BTreeSet};

use alloy::dyn_abi::DynSolType;
use serde::Deserialize;

use super::claim::Step;
use super::file::example::read_example;
use super::file::params::read_param;
use super::file::parts::{AskPlace, read_check, read_source, read_type};
use super::file::playbook_toml::{Text, Wire, WireParam, WireStep, WireUndo};
use super::file::source::Source;
use super::language::signature_text::parse_error;
use super::language::template::Template;
use super::language::typing::Scope;
use super::language::value::{param_types, parse_type};
use super::param::{Param, unit_names};
use super::{
    Change, DeclaredChange, Playbook, PlaybookId, PlaybookKind, Read, Undo, bounds, former, spelled,
};
use crate::excerpt::Fault;
use crate::near::hint;

pub(in crate::playbook) fn parse(origin: &str, text: &str) -> Result<Playbook, Fault> {
    bounds::check_text(origin, text)?;
    let wire: Wire = toml::from_str(text).map_err(|e| Fault::toml(origin, text, &e))?;
    let mut source = Source { origin, text, scope: Scope::default() };
    if *wire.schema.get_ref() != 1 {
        let message =
            format!("schema {} is not one that this program reads, which is 1", wire.schema.get_ref());
        return Err(source.fault(wire.schema.span(), message));
    }
    bounds::check_lists(&source, &wire)?;
    read_scope(&mut source, &wire)?;
    let source = source;
    let kind: PlaybookKind = word(&source, &wire.kind, "kind")?;
    let id = read_id(&source, &wire.id, kind)?;
    let params = wire.param.iter().map(|p| read_param(&source, p)).collect::<Result<Vec<_>, _>>()?;
    let reads = wire.read.iter().map(|r| {
        let name = r.get_ref().name.as_ref().map(|n| n.get_ref().clone()).unwrap_or_default();
        let (each, inner) = source.each(r.get_ref().each.as_ref())?;
        Ok(Read { name, each, source: read_source(&inner, r, AskPlace::Read)? })
    });
    let reads = reads.collect::<Result<Vec<_>, Fault>>()?;
    let order = read_order(&source, &wire, &params, &reads)?;
    let before = wire.before.iter().map(|c| read_check(&source, c, AskPlace::Before));
    let after = wire.after.iter().map(|c| read_check(&source, c, AskPlace::After));
    let (before, after) = (before.collect::<Result<Vec<_>, _>>()?, after.collect::<Result<Vec<_>, _>>()?);
    if wire.step.is_empty() {
        return Err(Fault::whole(origin, "there is no [[step]]: a playbook does at least one thing"));
    }
    if after.is_empty() {
        return Err(Fault::whole(origin, "there is no [[after]]: a playbook proves what it did"));
    }
    let changes = wire.changes.iter().map(|c| read_change(&source, c)).collect::<Result<Vec<_>, _>>()?;
    let error = |text: &Text| parse_error(text.get_ref()).map_err(|why| source.fault(text.span(), why));
    let errors = wire.errors.iter().map(error).collect::<Result<Vec<_>, _>>()?;
    if let (Some(text), false) = (&wire.no_errors, errors.is_empty()) {
        return Err(source.fault(text.span(), "errors are named: leave no_errors out"));
    }
    let steps = wire.step.iter().map(|s| read_step(&source, s, &changes)).collect::<Result<Vec<_>, _>>()?;
    let sentence = |t: &Text, field: &str| {
        source.filled(t, &format!("{field} is empty: say it in a sentence")).map(str::to_string)
    };
    let example = wire.example.as_ref().map(|e| read_example(&source, e, &params, &reads, &steps));
    let mut needed = BTreeSet::new();
    for step in &steps {
        step.names(&mut needed);
    }
    for claim in before.iter().chain(&after) {
        claim.names(&mut needed);
    }
    for change in &changes {
        change.names(&mut needed);
    }
    for param in &params {
        param.names(&mut needed);
    }
    let delay = wire.delay.as_ref().map(|t| read_delay(&source, t)).transpose()?;
    needed.extend(delay.iter().flat_map(|text| super::braced(text)).map(str::to_string));
    let for_former_only = former::for_former_only(&params, &reads, needed);
    Ok(Playbook {
        id,
        kind,
        family: wire.family.as_ref().map(|f| sentence(f, "family")).transpose()?,
        example: example.transpose()?,
        title: sentence(&wire.title, "title")?,
        summary: wire.summary.trim().into(),
        severity: word(&source, &wire.severity, "severity")?,
        does_not_stop: sentence(&wire.does_not_stop, "does_not_stop")?,
        cost: sentence(&wire.cost, "cost")?,
        undo: read_undo(&source, &wire.undo, &params)?,
        source: sentence(&wire.source, "source")?,
        role: wire.role,
        anyone: wire.anyone,
        delay,
        repeatable: wire.repeatable.as_ref().map(|t| sentence(t, "repeatable")).transpose()?,
        params,
        reads,
        steps,
        before,
        after,
        changes,
        errors,
        no_errors: wire.no_errors.as_ref().map(|t| sentence(t, "no_errors")).transpose()?,
        order,
        for_former_only,
        text: text.into(),
    })
}

/// A sentence, in which params and reads may stand in braces.
fn read_delay(source: &Source, text: &Text) -> Result<String, Fault> {
    let sentence = source.filled(text, "delay is empty: say it in a sentence, or leave it out")?;
    for name in super::braced(sentence) {
        let known = &source.scope.0;
        if !known.contains_key(name) {
            let near = hint(name, known.keys().map(String::as_str));
            let message = format!("{name:?} is neither a param nor a read; {near}");
            return Err(source.fault(text.span(), message));
        }
    }
    Ok(sentence.to_string())
}

fn word<T: super::Word>(source: &Source, text: &Text, what: &str) -> Result<T, Fault> {
    let found = T::ALL.iter().find(|(word, _)| word == text.get_ref()).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words = T::ALL.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        source.fault(text.span(), format!("{what} {:?} is not one of {}", text.get_ref(), words.join(", ")))
    })
}

fn read_id(source: &Source, text: &Text, kind: PlaybookKind) -> Result<PlaybookId, Fault> {
    let id = PlaybookId::new(text.get_ref()).ok_or_else(|| {
        let message = format!(
            "{:?} is not an id such as \"pause/my-vault\": small letters, digits and -",
            text.get_ref()
        );
        source.fault(text.span(), message)
    })?;
    if id.as_str().split('/').next() == Some(spelled(kind)) {
        return Ok(id);
    }
    let message = format!("the id of a {kind} playbook begins with {kind}/");
    Err(source.fault(text.span(), message))
}

/// The types of all params and reads, and what is always known.
fn read_scope(source: &mut Source, wire: &Wire) -> Result<(), Fault> {
    source.scope.0 =
        [("safe".to_string(), DynSolType::Address), ("chain_id".into(), DynSolType::Uint(256))].into();
    for WireParam { name, ty, .. } in &wire.param {
        let known = parse_type(ty.get_ref()).map_err(|why| source.fault(ty.span(), why))?;
        source.define(name, known)?;
    }
    for read in &wire.read {
        let name = read.get_ref().name.as_ref();
        let name = name.ok_or_else(|| source.fault(read.span(), "a read needs a name"))?;
        let ty = read_type(source, read)?;
        source.define(name, ty)?;
    }
    // The act does not check what only its undo needs.
    for param in wire.param.iter().filter(|param| param.for_undo || param.was.is_some()) {
        source.scope.0.remove(param.name.get_ref());
    }
    Ok(())
}

/// The order in which params and reads can be known; a read that needs itself is a fault.
fn read_order(source: &Source, wire: &Wire, params: &[Param], reads: &[Read]) -> Result<Vec<String>, Fault> {
    let mut needs: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for param in params {
        needs.insert(&param.name, unit_names(param));
    }
    for read in reads {
        let mut names = BTreeSet::new();
        read.names(&mut names);
        needs.insert(&read.name, names);
    }
    // Name → how many of its needs are not known yet, and name → who needs it.
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut needed_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, on) in &needs {
        let on: Vec<&str> = on.iter().map(String::as_str).filter(|on| needs.contains_key(on)).collect();
        open.insert(name, on.len());
        for on in on {
            needed_by.entry(on).or_default().push(name);
        }
    }
    let mut next_up: BTreeSet<&str> =
        open.iter().filter(|(_, left)| **left == 0).map(|(name, _)| *name).collect();
    let mut order: Vec<String> = Vec::new();
    while let Some(name) = next_up.pop_first() {
        order.push(name.to_string());
        open.remove(name);
        for next in needed_by.get(name).into_iter().flatten() {
            if let Some(left) = open.get_mut(next) {
                *left -= 1;
                if *left == 0 {
                    next_up.insert(next);
                }
            }
        }
    }
    if open.is_empty() {
        return Ok(order);
    }
    let names = wire.read.iter().filter_map(|r| r.get_ref().name.as_ref());
    let stuck = names.into_iter().find(|n| open.contains_key(n.get_ref().as_str()));
    let names = open.into_keys().collect::<Vec<_>>().join(", ");
    let message = format!("these need each other, so none of them can be read: {names}");
    Err(stuck.map_or_else(|| Fault::whole(source.origin, &message), |n| source.fault(n.span(), &message)))
}

/// The functions by which a Safe changes itself, and the word that declares it.
/// Source: Safe contracts 1.5.0, OwnerManager, ModuleManager, GuardManager, FallbackManager.
const SETTERS: [(&str, Change); 9] = [
    ("swapOwner", Change::SafeOwners),
    ("addOwnerWithThreshold", Change::SafeOwners),
    ("removeOwner", Change::SafeOwners),
    ("changeThreshold", Change::SafeThreshold),
    ("enableModule", Change::SafeModules),
    ("disableModule", Change::SafeModules),
    ("setGuard", Change::SafeGuard),
    ("setModuleGuard", Change::SafeModuleGuard),
    ("setFallbackHandler", Change::SafeFallbackHandler),
];

fn read_change(source: &Source, text: &Text) -> Result<DeclaredChange, Fault> {
    let word = text.get_ref();
    if let Some((_, change)) = Change::WORDS.iter().find(|(known, _)| known == word) {
        return Ok(DeclaredChange::Safe(*change));
    }
    if word.starts_with("safe.") {
        let known = Change::WORDS.map(|(known, _)| known);
        return Err(
            source.fault(text.span(), format!("{word:?} is not part of a Safe; {}", hint(word, known)))
        );
    }
    match Template::list(word, &source.scope) {
        Ok((list, DynSolType::Address)) => Ok(DeclaredChange::Contracts(list)),
        _ => source.address(text).map(DeclaredChange::Contract),
    }
}

fn read_step(source: &Source, wire: &WireStep, changes: &[DeclaredChange]) -> Result<Step, Fault> {
    let (each, inner) = source.each(wire.each.as_ref())?;
    let source = &inner;
    let to = source.address(&wire.to)?;
    let function = source.function(&wire.call)?;
    if !function.outputs.is_empty() {
        return Err(source.fault(wire.call.span(), "a step is sent, so leave out what the function returns"));
    }
    let setter = SETTERS.iter().find(|(name, _)| *name == function.name && to.sole_name() == Some("safe"));
    if let Some((name, change)) = setter
        && !changes.contains(&DeclaredChange::Safe(*change))
    {
        let message = format!("{name} changes the Safe itself: declare changes = [\"{change}\"]");
        return Err(source.fault(wire.call.span(), message));
    }
    let args = source.args(&wire.call, wire.args.as_ref(), &param_types(&function.inputs))?;
    let value = wire.value.as_ref().map(|v| read_wei(source, v)).transpose()?;
    let conditions = wire.skip_if.iter().chain(&wire.skip_if_all);
    let skip_if =
        conditions.map(|ask| read_check(source, ask, AskPlace::SkipIf)).collect::<Result<_, _>>()?;
    let tried = wire.tried.as_ref().is_some_and(|tried| *tried.get_ref());
    if let (true, Some(at), Some(_)) = (tried, &wire.tried, &wire.value) {
        return Err(
            source.fault(at.span(), "a call that carries ETH cannot be tried: only the rehearsal can")
        );
    }
    let append = wire.append.as_ref().map(|text| source.address(text)).transpose()?;
    Ok(Step { each, to, function, args, value, append, tried, skip_if })
}

/// An amount of ETH: `0.1 ether`, `1 gwei`, a number of wei or an expression.
fn read_wei(source: &Source, text: &Text) -> Result<Template, Fault> {
    let uint = DynSolType::Uint(256);
    if text.get_ref().trim_start().starts_with('{') {
        return source.template(text, &uint);
    }
    let wei = super::Unit::Wei.parse(text.get_ref()).map_err(|why| source.fault(text.span(), why))?;
    Ok(Template::known(text.get_ref(), alloy::dyn_abi::DynSolValue::Uint(wei, 256)))
}

fn read_undo(source: &Source, wire: &toml::Spanned<toml::Value>, params: &[Param]) -> Result<Undo, Fault> {
    let fault = |message: String| source.fault(wire.span(), message);
    let id =
        |text: &str| PlaybookId::new(text).ok_or_else(|| fault(format!("{text:?} is not a playbook's id")));
    if let toml::Value::String(text) = wire.get_ref() {
        return Ok(Undo::Playbook { id: id(text)?, set: None });
    }
    let form = "undo is the id of a playbook, { playbook = \"…\", set = { … } } or { none = \"why\" }";
    let undo = WireUndo::deserialize(wire.get_ref().clone()).map_err(|_| fault(form.into()))?;
    match undo {
        WireUndo { none: Some(why), playbook: None, set: None } if !why.trim().is_empty() => {
            Ok(Undo::None { why })
        }
        WireUndo { playbook: Some(text), set, none: None } => {
            for given in set.iter().flat_map(BTreeMap::values).filter(|v| v.contains(['{', '}'])) {
                let name = given.strip_prefix('{').and_then(|v| v.strip_suffix('}')).unwrap_or(given);
                if !params.iter().any(|p| p.name == name) {
                    let known: Vec<&str> = params.iter().map(|p| p.name.as_str()).collect();
                    return Err(fault(format!("{given:?} is not a param in braces; {}", hint(name, known))));
                }
            }
            Ok(Undo::Playbook { id: id(&text)?, set })
        }
        _ => Err(fault(form.into())),
    }
}
