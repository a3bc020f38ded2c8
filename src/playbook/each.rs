//! A part of a playbook that is repeated over lists: `for = { pool = "{pools}" }`. Pure.
//!
//! Several lists go side by side: the first items together, then the second, and so on. They are equally long, or there
//! is not a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use alloy::dyn_abi::DynSolValue;

use super::language::expression::{EvalStop, Values};
use super::language::template::Template;
use crate::evm::render;

/// The longest list that a part is repeated over.
pub(super) const MOST_ITEMS: usize = 1000;

/// The values of one turn, by name.
pub(super) type Item = BTreeMap<String, DynSolValue>;

/// The lists that a step, read or check is repeated over, and the name of an item of each. At least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Each(pub(super) BTreeMap<String, Template>);

impl fmt::Display for Each {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = self.0.iter().map(|(name, list)| format!("{name} of {list}"));
        write!(f, "for each {}", lists.collect::<Vec<_>>().join(" and "))
    }
}

impl Each {
    pub(super) fn lists(&self) -> impl Iterator<Item = &Template> {
        self.0.values()
    }

    /// The names that the lists depend on.
    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        self.lists().for_each(|list| list.names(into));
    }

    /// Adds what the items rest on that are among the names.
    pub(super) fn widen(&self, names: &mut BTreeSet<String>) {
        let lists: Vec<&Template> =
            self.0.iter().filter(|(name, _)| names.contains(*name)).map(|(_, list)| list).collect();
        for list in lists {
            list.names(names);
        }
    }

    /// Returns the values of each turn, in the order of the lists. While some lists are not known, the turns are those
    /// of the others, so that what they need can be asked for at once.
    fn items(&self, values: &Values) -> Result<Vec<Item>, EvalStop> {
        let mut lists = Vec::new();
        for (name, list) in &self.0 {
            match list.eval(values) {
                Ok(DynSolValue::Array(items) | DynSolValue::FixedArray(items)) => {
                    lists.push((name, list, items));
                }
                Ok(_) => return Err(format!("{list} is not a list").into()),
                Err(EvalStop::Missing) => {}
                Err(wrong) => return Err(wrong),
            }
        }
        let (_, first, items) = lists.first().ok_or(EvalStop::Missing)?;
        let turns = items.len();
        if let Some((_, other, items)) = lists.iter().find(|(.., items)| items.len() != turns) {
            let (a, b) = (turns, items.len());
            return Err(
                format!("{first} has {a} items and {other} has {b}: they must be equally long").into()
            );
        }
        if turns > MOST_ITEMS {
            return Err(format!("{first} has {turns} items, and at most {MOST_ITEMS} are taken").into());
        }
        let turn = |at: usize| {
            let own =
                lists.iter().filter_map(|(name, _, items)| Some(((*name).clone(), items.get(at)?.clone())));
            own.collect()
        };
        Ok((0..turns).map(turn).collect())
    }
}

/// Returns the turns of a part: those of its lists, or one without values of its own if it is not repeated.
pub(super) fn turns(each: Option<&Each>, values: &Values) -> Result<Vec<Item>, EvalStop> {
    each.map_or_else(|| Ok(vec![Item::new()]), |each| each.items(values))
}

/// Returns an error if a call stands twice: a mistake in the list.
pub(super) fn once_each(items: &[Item]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for item in items {
        let text = item.values().map(|value| render(value, None)).collect::<Vec<_>>().join(", ");
        if !seen.insert(text.clone()) {
            return Err(format!("{text} is in the list twice"));
        }
    }
    Ok(())
}
