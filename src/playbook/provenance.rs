//! The parts of a plan that the chain decides: another answer would change them. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::claim::Step;
use super::each::Item;
use super::language::template::Template;
use crate::evm::{Answer, Query, Readings};

/// The most answers that are told in one sentence.
const SHOWN_SOURCES: usize = 4;

/// A part of a transaction that another answer of the chain would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The function of the step: `transfer(address,uint256)`.
    pub signature: String,
    pub part: CallPart,
    /// The answers that decide it; at least one.
    pub by: Vec<ReadingSource>,
}

#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub enum CallPart {
    #[display("target")]
    Target,
    /// By its name, or its type where it has none.
    #[display("argument {_0}")]
    Argument(String),
    #[display("value")]
    Value,
    /// The call is made; with another answer it would be left out, and other calls would remain.
    #[display("made")]
    Made,
    #[display("left out")]
    LeftOut,
}

/// An answer that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingSource {
    pub query: Query,
    pub answer: Answer,
    /// `usdc decimals() is 6`
    pub sentence: String,
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by: Vec<&str> = self.by.iter().map(|source| source.sentence.as_str()).collect();
        let more = by.len().saturating_sub(SHOWN_SOURCES);
        by.truncate(SHOWN_SOURCES);
        let by = by.join(" and ");
        let call = &self.signature;
        match &self.part {
            CallPart::Target => write!(f, "which contract {call} goes to")?,
            CallPart::Argument(name) => write!(f, "{name} of {call}")?,
            CallPart::Value => write!(f, "how much ETH {call} sends")?,
            CallPart::Made => write!(f, "that {call} is called")?,
            CallPart::LeftOut => write!(f, "that {call} is left out")?,
        }
        write!(f, ", because {by}")?;
        if more > 0 { write!(f, " and {more} more values") } else { Ok(()) }
    }
}

/// One call of a step, made or left out.
pub(super) struct StepCall<'p> {
    /// Which step, from 0.
    pub index: usize,
    pub step: &'p Step,
    /// The values of its turn.
    pub item: Item,
    /// Why it is left out, if it is.
    pub skipped: Option<String>,
    /// The answers that decide whether it is.
    pub conditions: BTreeSet<Query>,
}

/// Which answers every name of a playbook rests on.
#[derive(Default)]
pub(super) struct Provenance {
    names: BTreeMap<String, BTreeSet<Query>>,
    sentences: BTreeMap<Query, String>,
}

impl Provenance {
    /// A value, by the names that it is made from and the questions that gave it, each with its answer in a sentence.
    pub(super) fn name(&mut self, name: &str, from: &BTreeSet<String>, read: Vec<(&Query, String)>) {
        let mut queries = self.of_names(from);
        for (query, sentence) in read {
            queries.insert(query.clone());
            self.sentences.entry(query.clone()).or_insert(sentence);
        }
        self.names.insert(name.into(), queries);
    }

    /// Returns all that a condition rests on.
    pub(super) fn condition(
        &mut self,
        from: &BTreeSet<String>,
        asked: Vec<Query>,
        sentence: &str,
    ) -> BTreeSet<Query> {
        let mut queries = self.of_names(from);
        for query in asked {
            self.sentences.entry(query.clone()).or_insert_with(|| sentence.into());
            queries.insert(query);
        }
        queries
    }

    /// The parts of the transaction that the chain decides, step by step.
    pub(super) fn decided(&self, acts: &[StepCall], readings: &Readings) -> Vec<Decided> {
        let mut found = Vec::new();
        for of_step in acts.chunk_by(|a, b| a.index == b.index) {
            let Some(StepCall { step, .. }) = of_step.first() else { continue };
            let mut note = |part, queries: &BTreeSet<Query>| {
                let by = self.sources(queries, readings);
                if !by.is_empty() {
                    found.push(Decided { signature: step.function.signature(), part, by });
                }
            };
            let (left_out, made): (Vec<&StepCall>, Vec<&StepCall>) =
                of_step.iter().partition(|act| act.skipped.is_some());
            let conditions =
                |acts: &[&StepCall]| acts.iter().flat_map(|act| act.conditions.clone()).collect();
            note(CallPart::LeftOut, &conditions(&left_out));
            if made.is_empty() {
                continue;
            }
            // A single call that another answer leaves out leaves no transaction at all.
            if acts.len() > 1 {
                note(CallPart::Made, &conditions(&made));
            }
            note(CallPart::Target, &self.of(step, &step.to));
            for (at, argument) in step.args.iter().enumerate() {
                let input = step.function.inputs.get(at);
                let name = input.map_or("", |p| if p.name.is_empty() { &p.ty } else { &p.name });
                note(CallPart::Argument(name.into()), &self.of(step, argument));
            }
            if let Some(value) = &step.value {
                note(CallPart::Value, &self.of(step, value));
            }
        }
        found
    }

    /// Returns the questions that a part of a step rests on; an item of a list rests on what the list does.
    fn of(&self, step: &Step, template: &Template) -> BTreeSet<Query> {
        let mut names = BTreeSet::new();
        template.names(&mut names);
        if let Some(each) = &step.each {
            each.widen(&mut names);
        }
        self.of_names(&names)
    }

    fn of_names(&self, names: &BTreeSet<String>) -> BTreeSet<Query> {
        names.iter().filter_map(|name| self.names.get(name)).flatten().cloned().collect()
    }

    fn sources(&self, queries: &BTreeSet<Query>, readings: &Readings) -> Vec<ReadingSource> {
        let source = |query: &Query| {
            let sentence = self.sentences.get(query).cloned().unwrap_or_else(|| query.to_string());
            Some(ReadingSource { query: query.clone(), answer: readings.get(query)?.clone(), sentence })
        };
        queries.iter().filter_map(source).collect()
    }
}
