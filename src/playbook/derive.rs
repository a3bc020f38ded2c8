//! From a playbook and arguments to a [`Plan`], in rounds: what must be known from the chain is asked for, all that can
//! be asked at once, until nothing is missing. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::{Address, U256};

use super::argument_texts::{Texts, text_of, texts, wrong_argument, wrong_piece};
use super::claim::{Claim, Step};
use super::each::{Item, once_each, turns};
use super::language::expression::{EvalStop, Values};
use super::language::template::Template;
use super::param::{Param, unit_names};
use super::piece::{self, PIECE, Piece};
use super::plan::{Derivation, Inputs, Plan, PlanError, PlannedCall, ShownArg, ShownRead, Skipped};
use super::postcheck::{CallCheck, Check, Ending, Subject};
use super::provenance::{Provenance, StepCall};
use super::{Change, DeclaredChange, Playbook, Read};
use crate::evm::{Query, Readings, called, render};
use crate::safe::Call;

/// Derives the plan, or says what must be asked first. Call again with the answers added until it is ready.
/// Fails for an argument that is missing, unknown, not of its type or out of bounds; a read that reverted; a value that
/// a step or check cannot be made from; every step done already.
pub fn derive(playbook: &Playbook, inputs: &Inputs, readings: &Readings) -> Result<Derivation, PlanError> {
    let mut work = DerivationState::new(playbook, inputs, readings)?;
    let texts = work.settle(playbook, inputs, |read| !playbook.for_former_only.contains(&read.name))?;
    for param in &playbook.params {
        work.check_bounds(param, &texts)?;
    }
    let mut acts = Vec::new();
    for (index, step) in playbook.steps.iter().enumerate() {
        acts.extend(work.acts(index, step)?);
    }
    if !work.needs.is_empty() {
        return Ok(Derivation::Needs(work.needs.into_iter().collect()));
    }
    work.finish(playbook, &texts, &acts).map(Derivation::Ready)
}

pub(super) struct DerivationState<'a> {
    safe: Address,
    pub values: Values<'a>,
    readings: &'a Readings,
    reads: BTreeMap<String, ShownRead>,
    pub needs: BTreeSet<Query>,
    rests_on: Readings,
    provenance: Provenance,
    piece: Option<Piece>,
    /// The lists that a piece is taken of.
    cut: BTreeSet<String>,
}

impl<'a> DerivationState<'a> {
    pub fn new(
        playbook: &'a Playbook,
        inputs: &Inputs<'a>,
        readings: &'a Readings,
    ) -> Result<Self, PlanError> {
        let chain_id = DynSolValue::Uint(U256::from(inputs.chain_id), 256);
        let map =
            [("safe".to_string(), DynSolValue::Address(inputs.safe)), ("chain_id".into(), chain_id)].into();
        let cut = piece::lists(playbook);
        let piece = match (inputs.args.get(PIECE), &cut) {
            (None, cut) => cut.as_ref().map(|_| Piece::WHOLE),
            (Some(text), Some(_)) => Some(Piece::parse(text).map_err(|why| wrong_piece(text, why))?),
            (Some(text), None) => {
                let why = format!("{} repeats no step over a list, so it cannot be cut", playbook.id);
                return Err(wrong_piece(text, why));
            }
        };
        Ok(Self {
            safe: inputs.safe,
            values: Values::new(map, inputs.names).knowing(&playbook.errors),
            readings,
            reads: BTreeMap::new(),
            needs: BTreeSet::new(),
            rests_on: Readings::default(),
            provenance: Provenance::default(),
            piece,
            cut: cut.unwrap_or_default(),
        })
    }

    /// Returns `true` if the answer is there; if not, it is asked for.
    fn is_answered(&mut self, query: &Query) -> bool {
        match self.readings.get(query) {
            Some(answer) => self.rests_on.insert(query.clone(), answer.clone()),
            None => drop(self.needs.insert(query.clone())),
        }
        self.readings.get(query).is_some()
    }

    /// Finds the values of all names, as far as the readings go: of the params, and of the reads that are wanted.
    pub fn settle(
        &mut self,
        playbook: &'a Playbook,
        inputs: &Inputs<'a>,
        wanted: impl Fn(&Read) -> bool,
    ) -> Result<Texts<'a>, PlanError> {
        let texts = texts(playbook, inputs)?;
        for name in &playbook.order {
            if let Some(param) = playbook.params.iter().find(|p| p.name == *name) {
                self.settle_param(param, &texts)?;
            } else if let Some(read) = playbook.reads.iter().find(|r| r.name == *name && wanted(r)) {
                self.settle_read(read)?;
            }
        }
        Ok(texts)
    }

    /// The value, or the piece of it that this lever is about.
    fn piece_of(&self, name: &str, value: DynSolValue) -> Result<DynSolValue, PlanError> {
        match self.piece {
            Some(piece) if self.cut.contains(name) => {
                piece.of(value).map_err(|why| PlanError::Read { name: name.into(), why })
            }
            _ => Ok(value),
        }
    }

    fn settle_param(&mut self, param: &Param, texts: &Texts) -> Result<(), PlanError> {
        if !texts.contains_key(param.name.as_str()) {
            return Ok(());
        }
        let text = text_of(param, texts);
        let value = param.unit(&self.values).and_then(|unit| param.read(text, unit, &self.values));
        if let Some(value) = known(value).map_err(|why| wrong_argument(param, text, why))? {
            let value = self.piece_of(&param.name, value)?;
            self.values.map.insert(param.name.clone(), value);
            self.provenance.name(&param.name, &unit_names(param), Vec::new());
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
        let subjects = turns(read.each.as_ref(), &self.values).and_then(|items| {
            items.into_iter().map(|item| read.source.resolve(&self.values.with(item))).collect()
        });
        let Some(subjects): Option<Vec<Subject>> = known(subjects).map_err(wrong)? else { return Ok(()) };
        let missing = subjects.iter().filter(|subject| !self.is_answered(&subject.query)).count();
        if missing > 0 {
            return Ok(());
        }
        let mut answers = Vec::new();
        let mut items = Vec::new();
        for subject in &subjects {
            let value = subject.value(self.readings.get(&subject.query));
            let value = value.map_err(|why| wrong(format!("{} {why}", subject.label)))?;
            let sentence = format!("{} is {}", subject.label, render(&value, Some(self.values.names)));
            answers.push((&subject.query, sentence));
            items.push(value);
        }
        let mut names = BTreeSet::new();
        read.names(&mut names);
        self.provenance.name(&read.name, &names, answers);
        let (value, source) = match (&read.each, items.pop(), subjects.last()) {
            (None, Some(value), Some(subject)) => (value, subject.label.clone()),
            (_, last, _) => (DynSolValue::Array(items.into_iter().chain(last).collect()), written(read)),
        };
        let value = self.piece_of(&read.name, value)?;
        let names = Some(self.values.names);
        let shown = first_items(&value).map_or_else(
            || render(&value, names),
            |(first, more)| format!("{} {more}", render(&first, names)),
        );
        let read_as = ShownRead { name: read.name.clone(), source, value: value.clone(), shown };
        self.reads.insert(read.name.clone(), read_as);
        self.values.map.insert(read.name.clone(), value);
        Ok(())
    }

    /// The calls of a step, of which some may be left out. None while its list is not known.
    fn acts<'p>(&mut self, index: usize, step: &'p Step) -> Result<Vec<StepCall<'p>>, PlanError> {
        let place = |why| PlanError::Place { place: format!("step {}", index + 1), why };
        let items = known(turns(step.each.as_ref(), &self.values)).map_err(place)?;
        let Some(items) = items else { return Ok(Vec::new()) };
        once_each(&items).map_err(place)?;
        let act = |item: Item| {
            let (skipped, conditions) = self.skip(index, step, &item)?;
            Ok(StepCall { index, step, item, skipped, conditions })
        };
        items.into_iter().map(act).collect()
    }

    /// Why a call is left out, if it is, and what was asked for it. A condition that cannot be read does not hold: the
    /// call stays.
    fn skip(
        &mut self,
        index: usize,
        step: &Step,
        item: &Item,
    ) -> Result<(Option<String>, BTreeSet<Query>), PlanError> {
        let place = |why| PlanError::Place { place: format!("skip_if of step {}", index + 1), why };
        let mut rests_on = BTreeSet::new();
        let (mut done, mut reasons) = (!step.skip_if.is_empty(), Vec::new());
        for condition in &step.skip_if {
            let resolved = condition.resolve(&self.values.with(item.clone()));
            let Some(checks) = known(resolved).map_err(place)? else { return Ok((None, rests_on)) };
            let mut names = BTreeSet::new();
            condition.names(&mut names);
            if let Some(each) = &step.each {
                each.widen(&mut names);
            }
            for check in checks {
                for query in check.queries() {
                    done &= self.is_answered(&query);
                }
                let verdict = check.judge(self.readings, &[]);
                done &= verdict.holds;
                rests_on.extend(self.provenance.condition(&names, check.queries(), &verdict.sentence));
                reasons.push(verdict.sentence);
            }
        }
        Ok((done.then(|| reasons.join(" and ")), rests_on))
    }

    fn finish(self, playbook: &Playbook, texts: &Texts, acts: &[StepCall]) -> Result<Plan, PlanError> {
        let mut args = Vec::new();
        for param in playbook.params.iter().filter(|param| texts.contains_key(param.name.as_str())) {
            args.push(self.shown(param, texts)?);
        }
        args.extend(self.piece.filter(|piece| *piece != Piece::WHOLE).map(shown_piece));
        let (left_out, made): (Vec<&StepCall>, Vec<&StepCall>) =
            acts.iter().partition(|act| act.skipped.is_some());
        let skipped: Vec<Skipped> = left_out.into_iter().map(left_out_of).collect();
        if made.is_empty() && skipped.is_empty() {
            let why = "their lists are empty: nothing is called".into();
            return Err(PlanError::Place { place: "the steps".into(), why });
        }
        if made.is_empty() {
            return Err(PlanError::NothingToDo(skipped));
        }
        let call = |act: &&StepCall| {
            let placed = |stop| placed(format!("step {}", act.index + 1), stop);
            self.call(playbook, act, &args).map_err(placed)
        };
        let calls = made.iter().map(call).collect::<Result<Vec<_>, _>>()?;
        let tried = made.iter().zip(&calls).filter(|(act, _)| act.step.tried);
        let tried: Vec<Check> = tried.map(|(_, call)| self.single_call_check(call)).collect();
        let after = self.checks(&playbook.after, "after")?;
        let kept = |(claim, checks): (&Claim, &Vec<Check>)| vec![claim.kept.is_some(); checks.len()];
        Ok(Plan {
            before: [self.checks(&playbook.before, "before")?.concat(), tried].concat(),
            kept: playbook.after.iter().zip(&after).flat_map(kept).collect(),
            after: after.concat(),
            errors: playbook.errors.clone(),
            changes: self.changes(playbook)?,
            reads: playbook.reads.iter().filter_map(|r| self.reads.get(&r.name).cloned()).collect(),
            args,
            calls,
            skipped,
            piece: self.piece,
            decided: self.provenance.decided(acts, self.readings),
            rests_on: self.rests_on,
        })
    }

    fn changes(&self, playbook: &Playbook) -> Result<Vec<Change>, PlanError> {
        let placed = |stop| placed("changes".into(), stop);
        let mut changes = Vec::new();
        for declared in &playbook.changes {
            match declared {
                DeclaredChange::Safe(change) => changes.push(*change),
                DeclaredChange::Contract(template) => {
                    changes.push(Change::Contract(template.address(&self.values).map_err(placed)?));
                }
                DeclaredChange::Contracts(list) => {
                    let list = list.eval(&self.values).map_err(placed)?;
                    let items = list.as_array().or_else(|| list.as_fixed_array()).unwrap_or_default();
                    changes.extend(items.iter().filter_map(DynSolValue::as_address).map(Change::Contract));
                }
            }
        }
        Ok(changes)
    }

    fn checks(&self, claims: &[Claim], when: &str) -> Result<Vec<Vec<Check>>, PlanError> {
        let resolved = claims.iter().enumerate().map(|(i, claim)| {
            let placed = |stop| placed(format!("check {} {when} the steps", i + 1), stop);
            claim.resolve(&self.values).map_err(placed)
        });
        let checks = resolved.collect::<Result<Vec<_>, _>>()?;
        // Lists that are all empty would leave nothing to prove.
        if checks.iter().all(Vec::is_empty) && !claims.is_empty() {
            let why = "its lists are empty, so nothing is checked".into();
            return Err(PlanError::Place { place: format!("the checks {when} the steps"), why });
        }
        Ok(checks)
    }

    /// The call as the Safe would make it, alone: whether the Safe has the role and nothing else stands in the way.
    fn single_call_check(&self, planned: &PlannedCall) -> Check {
        let Call { to, data, .. } = planned.call.clone();
        let name = planned.signature.split('(').next().unwrap_or_default();
        let args = planned.arguments.iter().map(|(_, shown)| shown.as_str()).collect::<Vec<_>>().join(", ");
        let label = format!("{} {name}({args}) from the Safe", called(to, self.values.names));
        let query = Query::Call { from: Some(self.safe), to, data };
        let errors = self.values.errors.to_vec();
        Check::Call(CallCheck { label, query, ending: Ending::Succeeds, errors })
    }

    fn shown(&self, param: &Param, texts: &Texts) -> Result<ShownArg, PlanError> {
        let text = text_of(param, texts);
        let value = self.values.map.get(&param.name).cloned();
        let value = value.ok_or_else(|| wrong_argument(param, text, "it is not known".into()))?;
        let show = |value: &DynSolValue| param.show(value, text, &self.values);
        let shown = match first_items(&value) {
            Some((first, more)) => show(&first).map(|first| format!("{first} {more}")),
            None => show(&value),
        };
        let shown = shown.map_err(|stop| wrong_argument(param, text, why(stop)))?;
        let is_default = texts.get(param.name.as_str()).is_some_and(|(_, default)| *default);
        let name = value.as_address().and_then(|a| self.values.names.name(a)).map(str::to_string);
        let note = if is_default { Some("the playbook's default".into()) } else { name };
        Ok(ShownArg { name: param.name.clone(), text: text.into(), value, shown, note })
    }

    fn call(&self, playbook: &Playbook, act: &StepCall, args: &[ShownArg]) -> Result<PlannedCall, EvalStop> {
        let (step, known) = (act.step, self.values.with(act.item.clone()));
        let to = step.to.address(&known)?;
        let (data, values, appended) = step.calldata(&known)?;
        let value = match step.value.as_ref().map(|v| v.eval(&known)).transpose()? {
            Some(DynSolValue::Uint(wei, _)) => wei,
            _ => U256::ZERO,
        };
        let shown = |(i, value): (usize, &DynSolValue)| {
            let input = step.function.inputs.get(i);
            let name = input.map_or("", |p| if p.name.is_empty() { &p.ty } else { &p.name });
            (name.to_string(), self.argument(playbook, (step, step.args.get(i)), value, args))
        };
        let appended = appended.map(|address| {
            ("appended".to_string(), render(&DynSolValue::Address(address), Some(self.values.names)))
        });
        Ok(PlannedCall {
            call: Call { to, value, data },
            signature: step.function.signature(),
            arguments: values.iter().enumerate().map(shown).chain(appended).collect(),
            to_name: self.values.names.name(to).map(str::to_string),
            step: act.index,
        })
    }

    /// An argument of a call. One that is a parameter is shown in the parameter's unit, one that is made from flags
    /// by their names, and so is a choice.
    fn argument(
        &self,
        playbook: &Playbook,
        (step, template): (&Step, Option<&Template>),
        value: &DynSolValue,
        args: &[ShownArg],
    ) -> String {
        let mut names = BTreeSet::new();
        if let Some(template) = template {
            template.names(&mut names);
        }
        let sole = template.and_then(Template::sole_name);
        let list = step.each.as_ref().and_then(|each| each.0.get(sole?)?.sole_name());
        // What is computed from a choice is none of its names; an item of a list of choices is.
        let is_named = |p: &&Param| {
            if p.flags.is_choice() {
                list == Some(&*p.name)
            } else {
                !p.flags.is_empty() && names.contains(&p.name)
            }
        };
        let flags = playbook.params.iter().find(is_named);
        let arg = args.iter().find(|a| Some(a.name.as_str()) == sole);
        match (value, arg, flags) {
            (DynSolValue::Uint(..) | DynSolValue::Int(..) | DynSolValue::FixedBytes(..), Some(arg), _) => {
                arg.shown.clone()
            }
            (DynSolValue::Uint(bits, _), None, Some(param)) => param.flags.show(*bits),
            // Bytes say nothing to a person: how they are made does.
            (DynSolValue::Bytes(_) | DynSolValue::FixedBytes(..), ..) => {
                let bytes = render(value, None);
                let formula = template.and_then(Template::formula);
                formula.map_or_else(|| bytes.clone(), |formula| format!("{formula} ({bytes})"))
            }
            _ => render(value, Some(self.values.names)),
        }
    }
}

/// A repeated read as the playbook writes it.
fn written(read: &Read) -> String {
    let each = read.each.as_ref().map_or_else(String::new, |each| format!(" {each}"));
    format!("{}{each}", read.source)
}

fn left_out_of(act: &StepCall) -> Skipped {
    let reason = act.skipped.clone().unwrap_or_default();
    Skipped { step: act.index, signature: act.step.function.signature(), reason }
}

/// Returns the first few items of a long list, and how many there are; `None` for any other value.
fn first_items(value: &DynSolValue) -> Option<(DynSolValue, String)> {
    const SHOWN: usize = 4;
    let items = value.as_array().filter(|items| items.len() > 2 * SHOWN)?;
    let first = items.get(..SHOWN)?.to_vec();
    Some((DynSolValue::Array(first), format!("and {} more", items.len() - SHOWN)))
}

fn shown_piece(piece: Piece) -> ShownArg {
    let text = piece.to_string();
    let value = DynSolValue::String(text.clone());
    ShownArg { name: PIECE.into(), shown: text.clone(), text, value, note: None }
}

/// The value, or nothing while an answer is missing.
fn known<T>(value: Result<T, EvalStop>) -> Result<Option<T>, String> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(EvalStop::Wrong(why)) => Err(why),
        Err(EvalStop::Missing) => Ok(None),
    }
}

fn placed(place: String, stop: EvalStop) -> PlanError {
    PlanError::Place { place, why: why(stop) }
}

pub(super) fn why(stop: EvalStop) -> String {
    match stop {
        EvalStop::Missing => "a value is missing".into(),
        EvalStop::Wrong(why) => why,
    }
}
