//! What of a plan the chain decides: the parts that another answer would change. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::claim::Step;
use super::language::template::Template;
use crate::evm::{Answer, Query, Readings};

/// A part of a transaction that another answer of the chain would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The function of the step: `transfer(address,uint256)`.
    pub signature: String,
    pub part: Part,
    /// What decides it; at least one.
    pub by: Vec<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Target,
    /// By its name, or its type where it has none.
    Argument(String),
    Value,
    /// The call is made; with another answer it would be left out, and other calls would remain.
    Made,
    LeftOut,
}

/// An answer that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub query: Query,
    pub answer: Answer,
    /// `usdc decimals() is 6`
    pub sentence: String,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target => f.write_str("target"),
            Self::Argument(name) => write!(f, "argument {name}"),
            Self::Value => f.write_str("value"),
            Self::Made => f.write_str("made"),
            Self::LeftOut => f.write_str("left out"),
        }
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.by.iter().map(|source| source.sentence.as_str()).collect::<Vec<_>>().join(" and ");
        let call = &self.signature;
        match &self.part {
            Part::Target => write!(f, "which contract {call} goes to")?,
            Part::Argument(name) => write!(f, "{name} of {call}")?,
            Part::Value => write!(f, "how much ETH {call} sends")?,
            Part::Made => write!(f, "that {call} is called")?,
            Part::LeftOut => write!(f, "that {call} is left out")?,
        }
        write!(f, ", because {by}")
    }
}

/// Which answers every name of a playbook rests on.
#[derive(Default)]
pub(super) struct Provenance {
    names: BTreeMap<String, BTreeSet<Query>>,
    /// The answers to the conditions under which each step is left out.
    conditions: BTreeMap<usize, BTreeSet<Query>>,
    sentences: BTreeMap<Query, String>,
}

impl Provenance {
    /// A value, by the names that it is made from and the question that gave it, if one did.
    pub(super) fn name(&mut self, name: &str, from: &BTreeSet<String>, read: Option<(&Query, String)>) {
        let mut queries = self.of_names(from);
        if let Some((query, sentence)) = read {
            queries.insert(query.clone());
            self.sentences.entry(query.clone()).or_insert(sentence);
        }
        self.names.insert(name.into(), queries);
    }

    /// One condition of a step.
    pub(super) fn condition(
        &mut self,
        step: usize,
        from: &BTreeSet<String>,
        asked: Vec<Query>,
        sentence: &str,
    ) {
        let mut queries = self.of_names(from);
        for query in asked {
            self.sentences.entry(query.clone()).or_insert_with(|| sentence.into());
            queries.insert(query);
        }
        self.conditions.entry(step).or_default().extend(queries);
    }

    /// The parts of the transaction that the chain decides. `is_left_out` says so of each step.
    pub(super) fn decided(
        &self,
        steps: &[Step],
        is_left_out: impl Fn(usize) -> bool,
        readings: &Readings,
    ) -> Vec<Decided> {
        let mut found = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let mut note = |part, queries: &BTreeSet<Query>| {
                let by = self.sources(queries, readings);
                if !by.is_empty() {
                    found.push(Decided { signature: step.function.signature(), part, by });
                }
            };
            let conditions = self.conditions.get(&index).cloned().unwrap_or_default();
            if is_left_out(index) {
                note(Part::LeftOut, &conditions);
                continue;
            }
            // Of a single step, another answer leaves no transaction at all.
            if steps.len() > 1 {
                note(Part::Made, &conditions);
            }
            note(Part::Target, &self.of(&step.to));
            for (at, argument) in step.args.iter().enumerate() {
                let input = step.function.inputs.get(at);
                let name = input.map_or("", |p| if p.name.is_empty() { &p.ty } else { &p.name });
                note(Part::Argument(name.into()), &self.of(argument));
            }
            if let Some(value) = &step.value {
                note(Part::Value, &self.of(value));
            }
        }
        found
    }

    fn of(&self, template: &Template) -> BTreeSet<Query> {
        let mut names = BTreeSet::new();
        template.names(&mut names);
        self.of_names(&names)
    }

    fn of_names(&self, names: &BTreeSet<String>) -> BTreeSet<Query> {
        names.iter().filter_map(|name| self.names.get(name)).flatten().cloned().collect()
    }

    fn sources(&self, queries: &BTreeSet<Query>, readings: &Readings) -> Vec<Source> {
        let source = |query: &Query| {
            let sentence = self.sentences.get(query).cloned().unwrap_or_else(|| query.to_string());
            Some(Source { query: query.clone(), answer: readings.get(query)?.clone(), sentence })
        };
        queries.iter().filter_map(source).collect()
    }
}
