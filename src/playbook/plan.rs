//! From a playbook and arguments to a [`Plan`], in rounds: what must be known from the chain is asked for, all that can
//! be asked at once, until nothing is missing. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::dyn_abi::DynSolValue;
use alloy::json_abi::Error;
use alloy::primitives::{Address, U256};

use super::check::{CallCheck, Check, Ending};
use super::claim::{Step, encode};
use super::language::expression::{Stop, Values};
use super::language::template::Template;
use super::param::{Param, unit_names};
use super::provenance::{Decided, Provenance};
use super::{Change, DeclaredChange, Playbook, Read};
use crate::evm::AddressBook;
use crate::evm::{Query, Readings};
use crate::evm::{called, render};
use crate::near::hint;
use crate::safe::Call;

/// What a plan is made from besides the playbook.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Name → text as a person gave it.
    pub args: &'a BTreeMap<String, String>,
    /// The reader's own names.
    pub names: &'a AddressBook,
    pub safe: Address,
    pub chain_id: u64,
}

/// A plan, or what must be asked of the chain before there can be one.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made a few times in a run, and taken apart at once")]
pub enum Derivation {
    Needs(Vec<Query>),
    Ready(Plan),
}

/// What a playbook comes to with these arguments at this state.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub args: Vec<ShownArg>,
    pub reads: Vec<ShownRead>,
    /// In order; at least one.
    pub calls: Vec<PlannedCall>,
    pub skipped: Vec<Skipped>,
    pub before: Vec<Check>,
    pub after: Vec<Check>,
    /// What may change beyond the storage of the contracts called.
    pub changes: Vec<Change>,
    /// What the contracts revert with, beside the errors that everybody knows.
    pub errors: Vec<Error>,
    /// What of the transaction the chain decides, step by step.
    pub decided: Vec<Decided>,
    /// The answers that the plan rests on: with them and the same arguments it is derived again.
    pub rests_on: Readings,
}

/// An argument as given and as understood.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownArg {
    pub name: String,
    /// As given, or the playbook's default.
    pub text: String,
    pub value: DynSolValue,
    /// `0.5 % (50)`
    pub shown: String,
    /// The reader's name for an address; that the value is a default.
    pub note: Option<String>,
}

/// A value read from the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownRead {
    pub name: String,
    /// `guardian getOwners()`
    pub source: String,
    pub value: DynSolValue,
    pub shown: String,
}

/// A call that the Safe is to make.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedCall {
    pub call: Call,
    /// `setFee(uint256)`
    pub signature: String,
    /// Name of the argument, or its type where it has none, and its value for a person.
    pub arguments: Vec<(String, String)>,
    /// The reader's own name for the contract.
    pub to_name: Option<String>,
    /// The step of the playbook, from 0.
    pub step: usize,
}

/// A step that is left out because what it does is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub step: usize,
    pub signature: String,
    /// `vault paused() is true`
    pub reason: String,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlanError {
    #[error("{playbook} needs {}: give {}", listed(.asks), .names.iter().map(|n| format!("--set {n}=…")).collect::<Vec<_>>().join(" "))]
    Missing { playbook: String, names: Vec<String>, asks: Vec<String> },
    #[error("{playbook} has no argument {name:?}; {hint}")]
    Unknown { playbook: String, name: String, hint: String },
    #[error("{name}={text}: {why}")]
    Argument { name: String, text: String, why: String },
    #[error("the read {name}: {why}")]
    Read { name: String, why: String },
    /// `place` is such as `step 2` or `check 1 before the steps`.
    #[error("{place}: {why}")]
    Place { place: String, why: String },
    #[error("nothing to do: {}", .0.iter().map(|s| s.reason.as_str()).collect::<Vec<_>>().join("; "))]
    NothingToDo(Vec<Skipped>),
}

fn listed(asks: &[String]) -> String {
    asks.join(" and ")
}

/// Derives the plan, or says what must be asked first. Call again with the answers added until it is ready.
///
/// # Errors
/// An argument that is missing, unknown, not of its type or out of bounds; a read that reverted; a value that a step
/// or check cannot be made from; every step done already.
pub fn derive(playbook: &Playbook, inputs: &Inputs, readings: &Readings) -> Result<Derivation, PlanError> {
    let texts = texts(playbook, inputs)?;
    let mut work = Work::new(inputs, readings);
    for name in &playbook.order {
        if let Some(param) = playbook.params.iter().find(|p| p.name == *name) {
            work.settle_param(param, &texts)?;
        } else if let Some(read) = playbook.reads.iter().find(|r| r.name == *name) {
            work.settle_read(read)?;
        }
    }
    for param in &playbook.params {
        work.check_bounds(param, &texts)?;
    }
    let skips = playbook
        .steps
        .iter()
        .enumerate()
        .map(|(i, step)| work.skip(i, step))
        .collect::<Result<Vec<_>, _>>()?;
    if !work.needs.is_empty() {
        return Ok(Derivation::Needs(work.needs.into_iter().collect()));
    }
    work.finish(playbook, &texts, skips).map(Derivation::Ready)
}

/// Parameter → its text and whether it is the default. Every fault of the names at once, before anything is asked.
type Texts<'a> = BTreeMap<&'a str, (&'a str, bool)>;

fn texts<'a>(playbook: &'a Playbook, inputs: &'a Inputs) -> Result<Texts<'a>, PlanError> {
    let id = playbook.id.to_string();
    let known: Vec<&str> = playbook.params.iter().map(|p| p.name.as_str()).collect();
    if let Some(name) = inputs.args.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(PlanError::Unknown { playbook: id, name: name.clone(), hint: hint(name, known) });
    }
    let mut texts = Texts::new();
    let mut missing = Vec::new();
    for param in &playbook.params {
        match (inputs.args.get(&param.name), &param.default) {
            (Some(text), _) => drop(texts.insert(&param.name, (text, false))),
            (None, Some(text)) => drop(texts.insert(&param.name, (text, true))),
            (None, None) => missing.push(param),
        }
    }
    if missing.is_empty() {
        return Ok(texts);
    }
    let names = missing.iter().map(|p| p.name.clone()).collect();
    Err(PlanError::Missing { playbook: id, names, asks: missing.iter().map(|p| p.ask()).collect() })
}

struct Work<'a> {
    safe: Address,
    values: Values<'a>,
    readings: &'a Readings,
    reads: BTreeMap<String, ShownRead>,
    needs: BTreeSet<Query>,
    rests_on: Readings,
    provenance: Provenance,
}

impl<'a> Work<'a> {
    fn new(inputs: &Inputs<'a>, readings: &'a Readings) -> Self {
        let chain_id = DynSolValue::Uint(U256::from(inputs.chain_id), 256);
        let map =
            [("safe".to_string(), DynSolValue::Address(inputs.safe)), ("chain_id".into(), chain_id)].into();
        let values = Values { map, names: inputs.names };
        Self {
            safe: inputs.safe,
            values,
            readings,
            reads: BTreeMap::new(),
            needs: BTreeSet::new(),
            rests_on: Readings::default(),
            provenance: Provenance::default(),
        }
    }

    /// Whether the answer is there; if not, it is asked for.
    fn asked(&mut self, query: &Query) -> bool {
        match self.readings.get(query) {
            Some(answer) => self.rests_on.insert(query.clone(), answer.clone()),
            None => drop(self.needs.insert(query.clone())),
        }
        self.readings.get(query).is_some()
    }

    fn settle_param(&mut self, param: &Param, texts: &Texts) -> Result<(), PlanError> {
        let text = text_of(param, texts);
        let value = param.unit(&self.values).and_then(|unit| param.read(text, unit, &self.values));
        if let Some(value) = known(value).map_err(|why| wrong_argument(param, text, why))? {
            self.values.map.insert(param.name.clone(), value);
            self.provenance.name(&param.name, &unit_names(param), None);
        }
        Ok(())
    }

    fn check_bounds(&mut self, param: &Param, texts: &Texts) -> Result<(), PlanError> {
        let text = text_of(param, texts);
        let Some(value) = self.values.map.get(&param.name) else { return Ok(()) };
        let checked = param.check(value, text, &self.values);
        known(checked).map(|_| ()).map_err(|why| wrong_argument(param, text, why))
    }

    fn settle_read(&mut self, read: &Read) -> Result<(), PlanError> {
        let wrong = |why| PlanError::Read { name: read.name.clone(), why };
        let resolved = read.source.resolve(&self.values);
        let Some(subject) = known(resolved).map_err(wrong)? else { return Ok(()) };
        if !self.asked(&subject.query) {
            return Ok(());
        }
        let value = subject.value(self.readings.get(&subject.query));
        let value = value.map_err(|why| wrong(format!("{} {why}", subject.label)))?;
        let shown = render(&value, Some(self.values.names));
        let mut names = BTreeSet::new();
        read.source.names(&mut names);
        let sentence = format!("{} is {shown}", subject.label);
        self.provenance.name(&read.name, &names, Some((&subject.query, sentence)));
        let shown = ShownRead { name: read.name.clone(), source: subject.label, value: value.clone(), shown };
        self.reads.insert(read.name.clone(), shown);
        self.values.map.insert(read.name.clone(), value);
        Ok(())
    }

    /// Why a step is left out, if it is. A condition that cannot be read does not hold: the step stays.
    fn skip(&mut self, index: usize, step: &Step) -> Result<Option<Skipped>, PlanError> {
        let (mut done, mut reasons) = (!step.skip_if.is_empty(), Vec::new());
        for condition in &step.skip_if {
            let resolved = condition.resolve(&self.values);
            let place = |why| PlanError::Place { place: format!("skip_if of step {}", index + 1), why };
            let Some(check) = known(resolved).map_err(place)? else { return Ok(None) };
            for query in check.queries() {
                done &= self.asked(&query);
            }
            let verdict = check.judge(self.readings, &[]);
            done &= verdict.holds;
            let mut names = BTreeSet::new();
            condition.names(&mut names);
            self.provenance.condition(index, &names, check.queries(), &verdict.sentence);
            reasons.push(verdict.sentence);
        }
        let reason = reasons.join(" and ");
        Ok(done.then(|| Skipped { step: index, signature: step.function.signature(), reason }))
    }

    fn finish(
        self,
        playbook: &Playbook,
        texts: &Texts,
        skips: Vec<Option<Skipped>>,
    ) -> Result<Plan, PlanError> {
        let mut calls = Vec::new();
        let mut args = Vec::new();
        for param in &playbook.params {
            args.push(self.shown(param, texts)?);
        }
        for (index, step) in playbook.steps.iter().enumerate().filter(|(i, _)| skips[*i].is_none()) {
            let call = self.call(index, step, &args);
            calls.push(call.map_err(|stop| placed(format!("step {}", index + 1), stop))?);
        }
        let is_left_out = |index: usize| skips.get(index).is_some_and(Option::is_some);
        let decided = self.provenance.decided(&playbook.steps, is_left_out, self.readings);
        let skipped: Vec<Skipped> = skips.into_iter().flatten().collect();
        if calls.is_empty() {
            return Err(PlanError::NothingToDo(skipped));
        }
        let checks = |claims: &[super::Claim], when: &str| {
            let check = |(i, claim): (usize, &super::Claim)| {
                claim
                    .resolve(&self.values)
                    .map_err(|stop| placed(format!("check {} {when} the steps", i + 1), stop))
            };
            claims.iter().enumerate().map(check).collect::<Result<Vec<_>, _>>()
        };
        let change = |declared: &DeclaredChange| match declared {
            DeclaredChange::Safe(change) => Ok(*change),
            DeclaredChange::Contract(template) => {
                let address =
                    template.address(&self.values).map_err(|stop| placed("changes".into(), stop))?;
                Ok(Change::Contract(address))
            }
        };
        let tried = calls.iter().filter(|c| playbook.steps.get(c.step).is_some_and(|step| step.tried));
        let tried: Vec<Check> = tried.map(|call| self.trial(call)).collect();
        Ok(Plan {
            before: [checks(&playbook.before, "before")?, tried].concat(),
            after: checks(&playbook.after, "after")?,
            errors: playbook.errors.clone(),
            changes: playbook.changes.iter().map(change).collect::<Result<_, PlanError>>()?,
            reads: playbook.reads.iter().filter_map(|r| self.reads.get(&r.name).cloned()).collect(),
            args,
            calls,
            skipped,
            decided,
            rests_on: self.rests_on,
        })
    }

    /// The call as the Safe would make it, alone: whether the Safe has the role and nothing else stands in the way.
    fn trial(&self, planned: &PlannedCall) -> Check {
        let Call { to, data, .. } = planned.call.clone();
        let name = planned.signature.split('(').next().unwrap_or_default();
        let args = planned.arguments.iter().map(|(_, shown)| shown.as_str()).collect::<Vec<_>>().join(", ");
        let label = format!("{} {name}({args}) from the Safe", called(to, self.values.names));
        let query = Query::Call { from: Some(self.safe), to, data };
        Check::Call(CallCheck { label, query, ending: Ending::Succeeds })
    }

    fn shown(&self, param: &Param, texts: &Texts) -> Result<ShownArg, PlanError> {
        let text = text_of(param, texts);
        let value = self.values.map.get(&param.name).cloned();
        let value = value.ok_or_else(|| wrong_argument(param, text, "it is not known".into()))?;
        let shown =
            param.show(&value, text, &self.values).map_err(|stop| wrong_argument(param, text, why(stop)))?;
        let is_default = texts.get(param.name.as_str()).is_some_and(|(_, default)| *default);
        let name = value.as_address().and_then(|a| self.values.names.name(a)).map(str::to_string);
        let note = if is_default { Some("the playbook's default".into()) } else { name };
        Ok(ShownArg { name: param.name.clone(), text: text.into(), value, shown, note })
    }

    fn call(&self, index: usize, step: &Step, args: &[ShownArg]) -> Result<PlannedCall, Stop> {
        let to = step.to.address(&self.values)?;
        let (data, values) = encode(&step.function, &step.args, &self.values)?;
        let value = match step.value.as_ref().map(|v| v.eval(&self.values)).transpose()? {
            Some(DynSolValue::Uint(wei, _)) => wei,
            _ => U256::ZERO,
        };
        let shown = |(i, value): (usize, &DynSolValue)| {
            let input = step.function.inputs.get(i);
            let name = input.map_or("", |p| if p.name.is_empty() { &p.ty } else { &p.name });
            (name.to_string(), self.argument(step.args.get(i), value, args))
        };
        Ok(PlannedCall {
            call: Call { to, value, data },
            signature: step.function.signature(),
            arguments: values.iter().enumerate().map(shown).collect(),
            to_name: self.values.names.name(to).map(str::to_string),
            step: index,
        })
    }

    /// An argument of a call; one that is a parameter is shown in the parameter's unit.
    fn argument(&self, template: Option<&Template>, value: &DynSolValue, args: &[ShownArg]) -> String {
        let name = template.and_then(Template::sole_name);
        let arg = args.iter().find(|a| Some(a.name.as_str()) == name);
        match arg {
            Some(arg) if matches!(value, DynSolValue::Uint(..) | DynSolValue::Int(..)) => arg.shown.clone(),
            _ => render(value, Some(self.values.names)),
        }
    }
}

/// The value, or nothing while an answer is missing.
fn known<T>(value: Result<T, Stop>) -> Result<Option<T>, String> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Wrong(why)) => Err(why),
        Err(Stop::Missing) => Ok(None),
    }
}

fn text_of<'a>(param: &Param, texts: &Texts<'a>) -> &'a str {
    texts.get(param.name.as_str()).map_or("", |(text, _)| *text)
}

fn wrong_argument(param: &Param, text: &str, why: String) -> PlanError {
    PlanError::Argument { name: param.name.clone(), text: text.into(), why }
}

fn placed(place: String, stop: Stop) -> PlanError {
    PlanError::Place { place, why: why(stop) }
}

fn why(stop: Stop) -> String {
    match stop {
        Stop::Missing => "a value is missing".into(),
        Stop::Wrong(why) => why,
    }
}
