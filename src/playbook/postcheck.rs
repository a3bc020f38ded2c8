//! Checks whose values are known: what they ask of the chain, and whether the answers fulfil them. Pure.
//!
//! A check holds only when its answer is there, can be read and is the expected one. An answer that is missing,
//! reverted or not of the expected type never holds, whatever the check expects.

use std::cmp::Ordering;

use alloy::dyn_abi::{DynSolType, DynSolValue, EventExt};
use alloy::json_abi::{Error, Event};
use alloy::primitives::{Address, B256, Log};

use super::language::pattern::Pattern;
use super::language::value::{compare, decode};
use crate::evm::{Answer, LogFilter, Query, Readings, Reason, decode_revert, render, shortened};

/// A value on chain that can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// `vault paused()`
    pub label: String,
    pub query: Query,
    pub(super) types: Vec<DynSolType>,
    /// The errors that it may revert with.
    pub(super) errors: Vec<Error>,
}

impl Subject {
    pub(super) const fn new(label: String, query: Query, types: Vec<DynSolType>) -> Self {
        Self { label, query, types, errors: Vec::new() }
    }

    pub(super) fn value(&self, answer: Option<&Answer>) -> Result<DynSolValue, String> {
        match answer {
            None => Err("was not asked".into()),
            Some(Answer::Reverted(data)) => Err(reverted(data, &self.errors)),
            Some(Answer::Value(data)) => decode(&self.types, data),
        }
    }
}

fn reverted(data: &[u8], errors: &[Error]) -> String {
    match decode_revert(data, errors) {
        Reason::Silent => "reverted".into(),
        Reason::Unknown(data) => format!("reverted with {}", shortened(&data)),
        known => format!("reverted: {known}"),
    }
}

/// The relation of a value to the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Is,
    IsNot,
    AtLeast,
    AtMost,
    Contains,
    Lacks,
    /// Equal items, each as often, in any order.
    SameItems,
}

impl Relation {
    pub(super) const fn phrase(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::AtLeast => "is at least",
            Self::AtMost => "is at most",
            Self::Contains => "contains",
            Self::Lacks => "lacks",
            Self::SameItems => "has exactly the items of",
        }
    }
}

/// The value that is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub relation: Relation,
    pub pattern: Pattern,
}

impl Expectation {
    fn text(&self) -> String {
        if self.pattern.is_any() {
            return "can be read".into();
        }
        format!("{} {}", self.relation.phrase(), self.pattern.render(None))
    }

    fn holds(&self, found: &DynSolValue) -> bool {
        let order = || self.pattern.clone().into_value().ok().and_then(|expected| compare(found, &expected));
        let any = |items: &[DynSolValue]| items.iter().any(|item| self.pattern.matches(item));
        let list = match found {
            DynSolValue::Array(items) | DynSolValue::FixedArray(items) => Some(items.as_slice()),
            _ => None,
        };
        match self.relation {
            Relation::Is => self.pattern.matches(found),
            Relation::IsNot => !self.pattern.matches(found),
            Relation::AtLeast => order().is_some_and(Ordering::is_ge),
            Relation::AtMost => order().is_some_and(Ordering::is_le),
            Relation::Contains => list.is_some_and(any),
            Relation::Lacks => list.is_some_and(|items| !any(items)),
            Relation::SameItems => list.is_some_and(|items| self.has_items(items)),
        }
    }

    fn has_items(&self, found: &[DynSolValue]) -> bool {
        let Ok(DynSolValue::Array(expected) | DynSolValue::FixedArray(expected)) =
            self.pattern.clone().into_value()
        else {
            return false;
        };
        let count =
            |items: &[DynSolValue], one: &DynSolValue| items.iter().filter(|item| *item == one).count();
        found.len() == expected.len() && expected.iter().all(|one| count(found, one) == count(&expected, one))
    }
}

/// An event among the logs of our own transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct EventCheck {
    pub label: String,
    pub address: Address,
    pub event: Event,
    /// One for each value of the event, or none for any.
    pub args: Vec<Pattern>,
}

/// The required end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum Ending {
    #[display("does not revert")]
    Succeeds,
    #[display("reverts")]
    Reverts,
}

/// A call that is tried and not sent.
#[derive(Clone, Debug, PartialEq)]
pub struct CallCheck {
    pub label: String,
    pub query: Query,
    pub ending: Ending,
    /// The errors that it may revert with.
    pub(super) errors: Vec<Error>,
}

/// Something that must be true before or after a playbook's calls.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    Value { subject: Subject, expectation: Expectation },
    Event(EventCheck),
    Call(CallCheck),
}

impl Check {
    /// Returns `true` if the check asks `contract` for an address, alone or as a field, and wants exactly this one.
    pub fn states(&self, contract: Address, address: Address) -> bool {
        self.wants(contract, &|value| *value == DynSolValue::Address(address))
    }

    /// Returns `true` if the check asks `contract` for a number, alone or as a field, and wants the one of this word.
    pub fn states_number(&self, contract: Address, word: &B256) -> bool {
        let is_number = |value: &DynSolValue| matches!(value, DynSolValue::Uint(..) | DynSolValue::Int(..));
        self.wants(contract, &|value| is_number(value) && value.as_word().as_ref() == Some(word))
    }

    fn wants(&self, contract: Address, is_it: &impl Fn(&DynSolValue) -> bool) -> bool {
        let Self::Value { expectation, .. } = self else { return false };
        let asks = |query: &Query| matches!(query, Query::Call { to, .. } if *to == contract);
        expectation.relation == Relation::Is
            && self.queries().iter().any(asks)
            && expectation.pattern.has_field(is_it)
    }
}

/// The result of a check, and how to say it.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub holds: bool,
    /// `vault paused() is true`
    pub sentence: String,
    pub expected: String,
    pub found: String,
}

impl Check {
    /// Returns the last second at which it holds, in seconds since 1970, if it is about the time alone.
    pub fn deadline(&self) -> Option<u64> {
        let Self::Value { subject, expectation } = self else { return None };
        let is_limit = subject.query == Query::Time && expectation.relation == Relation::AtMost;
        let (limit, _) = expectation.pattern.clone().into_value().ok().filter(|_| is_limit)?.as_uint()?;
        limit.try_into().ok()
    }

    /// Returns the questions of the check; none for an event.
    pub fn queries(&self) -> Vec<Query> {
        match self {
            Self::Value { subject, .. } => vec![subject.query.clone()],
            Self::Event(_) => Vec::new(),
            Self::Call(check) => vec![check.query.clone()],
        }
    }

    /// Returns the name of the value that is checked: `vault paused()`.
    pub fn label(&self) -> &str {
        match self {
            Self::Value { subject, .. } => &subject.label,
            Self::Event(check) => &check.label,
            Self::Call(check) => &check.label,
        }
    }

    /// Returns the value that is checked, for a person; `None` if it was not read, and for events and calls.
    pub fn value(&self, readings: &Readings) -> Option<String> {
        let Self::Value { subject, expectation } = self else { return None };
        let found = subject.value(readings.get(&subject.query)).ok()?;
        Some(expectation.pattern.render_found(&found))
    }

    /// Returns the claim as a sentence.
    pub fn describe(&self) -> String {
        match self {
            Self::Value { subject, expectation } => format!("{} {}", subject.label, expectation.text()),
            Self::Event(check) => format!("{} {}", check.label, check.expected()),
            Self::Call(check) => format!("{} {}", check.label, check.ending),
        }
    }

    /// Judges the answers, and for events the logs of the transaction.
    pub fn judge(&self, readings: &Readings, logs: &[Log]) -> Verdict {
        let (subject, expected, outcome) = match self {
            Self::Value { subject, expectation } => {
                return expectation.judge(&subject.label, subject.value(readings.get(&subject.query)));
            }
            Self::Event(check) => (&check.label, check.expected(), Ok(check.outcome(logs))),
            Self::Call(check) => {
                (&check.label, check.ending.to_string(), check.outcome(readings.get(&check.query)))
            }
        };
        let (holds, found) = outcome.unwrap_or_else(|why| (false, unread(&why)));
        Verdict::new(subject, holds, expected, found)
    }
}

fn unread(why: &str) -> String {
    format!("cannot be read: {why}")
}

impl Verdict {
    fn new(subject: &str, holds: bool, expected: String, found: String) -> Self {
        let sentence = if holds {
            format!("{subject} {expected}")
        } else {
            format!("{subject} {found}; expected: {expected}")
        };
        Self { holds, sentence, expected, found }
    }
}

impl Expectation {
    /// Judges a value, or why it cannot be read; `subject` names what has it.
    pub(super) fn judge(&self, subject: &str, value: Result<DynSolValue, String>) -> Verdict {
        let value = match value {
            Ok(value) => value,
            Err(why) => return Verdict::new(subject, false, self.text(), unread(&why)),
        };
        let found = format!("is {}", self.pattern.render_found(&value));
        let mut verdict = Verdict::new(subject, self.holds(&value), self.text(), found);
        if !verdict.holds && self.relation == Relation::Is {
            verdict.sentence = format!("{subject} {}, not {}", verdict.found, self.pattern.render(None));
        }
        verdict
    }
}

impl EventCheck {
    /// Returns the search for it in the last blocks: by the event, and by its indexed values that are given.
    pub(super) fn filter(&self, blocks: u64) -> LogFilter {
        let word = |at: usize| self.args.get(at)?.clone().into_value().ok()?.as_word();
        let indexed = self.event.inputs.iter().enumerate().filter(|(_, input)| input.indexed);
        let mut topics: Vec<Option<B256>> =
            std::iter::once(Some(self.event.selector())).chain(indexed.map(|(at, _)| word(at))).collect();
        while topics.last().is_some_and(Option::is_none) {
            topics.pop();
        }
        LogFilter { address: self.address, topics, blocks }
    }

    /// Returns the values of each log that is this event with these values, in the order of the signature.
    pub(super) fn matching_events(&self, logs: &[Log]) -> Vec<Vec<DynSolValue>> {
        self.named(logs).into_iter().filter(|values| self.fits(values)).collect()
    }

    fn named(&self, logs: &[Log]) -> Vec<Vec<DynSolValue>> {
        let topic = self.event.selector();
        logs.iter()
            .filter(|log| log.address == self.address && log.data.topics().first() == Some(&topic))
            .filter_map(|log| self.values(log))
            .collect()
    }

    fn fits(&self, values: &[DynSolValue]) -> bool {
        self.args.is_empty() || self.args.iter().zip(values).all(|(pattern, value)| pattern.matches(value))
    }

    fn expected(&self) -> String {
        format!("emits {}", self.signature())
    }

    pub(super) fn signature(&self) -> String {
        let args = self.args.iter().map(|a| a.render(None)).collect::<Vec<_>>().join(", ");
        if self.args.is_empty() { self.event.signature() } else { format!("{}({args})", self.event.name) }
    }

    fn outcome(&self, logs: &[Log]) -> (bool, String) {
        let named = self.named(logs);
        if named.iter().any(|values| self.fits(values)) {
            return (true, self.expected());
        }
        let found = named.iter().map(|values| {
            format!("emitted {}{}", self.event.name, render(&DynSolValue::Tuple(values.clone()), None))
        });
        let found = found.collect::<Vec<_>>().join(" and ");
        (false, if found.is_empty() { format!("emitted no {}", self.event.name) } else { found })
    }

    /// The values of a log in the order of the signature; nothing when it is not this event.
    fn values(&self, log: &Log) -> Option<Vec<DynSolValue>> {
        let decoded = self.event.decode_log_parts(log.data.topics().to_vec(), &log.data.data).ok()?;
        let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
        self.event.inputs.iter().map(|i| if i.indexed { indexed.next() } else { body.next() }).collect()
    }
}

impl CallCheck {
    fn outcome(&self, answer: Option<&Answer>) -> Result<(bool, String), String> {
        match answer {
            None => Err("was not asked".into()),
            Some(Answer::Value(_)) => Ok((self.ending == Ending::Succeeds, "does not revert".into())),
            Some(Answer::Reverted(data)) => {
                Ok((self.ending == Ending::Reverts, reverted(data, &self.errors)))
            }
        }
    }
}
