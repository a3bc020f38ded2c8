//! Levers that are pulled together: from the names that were typed to one list of levers for each transaction. The same
//! for everybody who means the same set, whatever the order of the words.

use std::collections::{BTreeMap, BTreeSet};

use super::{Combined, Council, Lever, Pull};
use crate::near::hint;

/// A pull and the transactions that it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// The pull in its one form: names in the council file's order, none that another name pulls already.
    pub pull: Pull,
    /// At least one, each with at least one lever. Those of one Safe stand in the order of their nonces.
    pub parts: Vec<Part>,
}

/// The levers of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub safe: String,
    /// Simple levers in the order of the council file: the order of the calls.
    pub levers: Vec<String>,
    /// The number of parts of the same Safe that come before: it is added to its next nonce.
    pub after: usize,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PullError {
    #[error("no lever is named")]
    NoName,
    #[error("no lever is called {name:?}; {hint}")]
    Unknown { name: String, hint: String },
    #[error("--without {name}: {pulled} does not pull it; {hint}")]
    NotPulled { name: String, pulled: String, hint: String },
    #[error("lever {0} is named and left out; name it or leave it out")]
    NamedAndLeftOut(String),
    #[error("nothing is left of {0}: every lever of it is left out")]
    NothingLeft(String),
}

/// Expands the names that were typed, without those that are left out. Both may name simple levers and combined ones.
/// Fails for a name that no lever has; one that is left out and was not pulled, or was named itself; nothing left.
pub fn expand(
    council: &Council,
    names: &[String],
    without: &[String],
    undo: bool,
) -> Result<Expansion, PullError> {
    let typed: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let left_out: BTreeSet<&str> = without.iter().map(String::as_str).collect();
    if typed.is_empty() {
        return Err(PullError::NoName);
    }
    if let Some(name) = typed.iter().chain(&left_out).find(|name| council.place(name).is_none()) {
        let all = council.levers.keys().chain(council.combined.keys()).map(String::as_str);
        let hint = hint(name, all.collect::<Vec<_>>());
        return Err(PullError::Unknown { name: (*name).into(), hint });
    }
    if let Some(name) = typed.intersection(&left_out).next() {
        return Err(PullError::NamedAndLeftOut((*name).into()));
    }
    // A name that another one pulls says nothing more.
    let mut chosen = typed.clone();
    chosen.retain(|name| {
        !typed.iter().any(|other| other != name && reached(&council.combined, [*other]).contains(name))
    });
    let all = reached(&council.combined, chosen.iter().copied());
    let out = simple_levers(&council.combined, left_out.iter().copied());
    let mut pull = Pull {
        names: council.in_order(chosen.iter().copied()),
        without: council.in_order(out.iter().copied()),
        undo,
        approve_as: Vec::new(),
    };
    if let Some(name) = left_out.iter().find(|name| !all.contains(*name)) {
        let hint = hint(name, all.iter().copied().filter(|name| council.levers.contains_key(*name)));
        return Err(PullError::NotPulled { name: (*name).into(), pulled: pull.names.join(" + "), hint });
    }
    if let Some(name) = chosen.iter().find(|name| out.contains(*name)) {
        return Err(PullError::NamedAndLeftOut((*name).into()));
    }
    let alone: BTreeSet<&str> = (all.iter())
        .filter_map(|name| council.combined.get(*name))
        .flat_map(|combined| combined.alone.iter().map(String::as_str))
        .collect();
    let mut levers: Vec<&Lever> = all.iter().filter_map(|name| council.levers.get(*name)).collect();
    levers.retain(|lever| !out.contains(lever.name.as_str()));
    levers.sort_by_key(|lever| lever.place);
    if levers.is_empty() {
        pull.without.clear();
        return Err(PullError::NothingLeft(pull.names.join(" + ")));
    }
    Ok(Expansion { parts: parts(&levers, &alone), pull })
}

/// One part for each Safe, and behind it one for each of its levers that stand alone.
fn parts(levers: &[&Lever], alone: &BTreeSet<&str>) -> Vec<Part> {
    let mut safes: Vec<&str> = Vec::new();
    for lever in levers {
        if !safes.contains(&lever.safe.as_str()) {
            safes.push(&lever.safe);
        }
    }
    let of_safe = |safe: &str| {
        let of_safe = levers.iter().filter(|lever| lever.safe == safe).map(|lever| lever.name.clone());
        let (own, together): (Vec<String>, Vec<String>) =
            of_safe.partition(|name| alone.contains(name.as_str()));
        let together = (!together.is_empty()).then_some(together);
        let lists = together.into_iter().chain(own.into_iter().map(|name| vec![name]));
        let part = |(after, levers)| Part { safe: safe.into(), levers, after };
        lists.enumerate().map(part).collect::<Vec<_>>()
    };
    safes.into_iter().flat_map(of_safe).collect()
}

impl Expansion {
    /// Returns the pull with more left out: what everybody is told to type when a lever is done already or cannot be pulled. A
    /// simple lever that was named itself is not named any more.
    /// Fails if nothing is left.
    pub fn leaving_out(&self, council: &Council, levers: &[&str]) -> Result<Self, PullError> {
        let stays = |name: &&String| !levers.contains(&name.as_str());
        let names: Vec<String> = self.pull.names.iter().filter(stays).cloned().collect();
        if names.is_empty() {
            return Err(PullError::NothingLeft(self.pull.names.join(" + ")));
        }
        let pulled = reached(&council.combined, names.iter().map(String::as_str));
        let more = levers.iter().copied().filter(|name| pulled.contains(name));
        let before = self.pull.without.iter().map(String::as_str);
        let without: BTreeSet<&str> = before.filter(|name| pulled.contains(name)).chain(more).collect();
        let without: Vec<String> = without.into_iter().map(String::from).collect();
        expand(council, &names, &without, self.pull.undo)
    }

    /// Every simple lever, in the order of the parts.
    pub fn levers(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|part| part.levers.iter().map(String::as_str))
    }
}

impl Council {
    /// The place of a lever, simple or combined, among the levers of the file.
    fn place(&self, name: &str) -> Option<usize> {
        let simple = self.levers.get(name).map(|lever| lever.place);
        simple.or_else(|| self.combined.get(name).map(|combined| combined.place))
    }

    fn in_order<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<String> {
        let mut names: Vec<&str> = names.collect();
        names.sort_by_key(|name| self.place(name));
        names.into_iter().map(String::from).collect()
    }
}

/// All that is pulled by these names, themselves among it: each name once, however many ways lead to it.
fn reached<'c>(
    combined: &'c BTreeMap<String, Combined>,
    names: impl IntoIterator<Item = &'c str>,
) -> BTreeSet<&'c str> {
    let (mut found, mut open) = (BTreeSet::new(), names.into_iter().collect::<Vec<_>>());
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(combined.get(name).into_iter().flat_map(|c| c.pull.iter().map(String::as_str)));
        }
    }
    found
}

/// The simple levers among what these names pull.
pub(super) fn simple_levers<'c>(
    combined: &'c BTreeMap<String, Combined>,
    names: impl IntoIterator<Item = &'c str>,
) -> BTreeSet<&'c str> {
    let mut found = reached(combined, names);
    found.retain(|name| !combined.contains_key(*name));
    found
}

/// The way from a combined lever back to itself, with its name at both ends; `None` if there is none.
pub(super) fn cycle<'c>(combined: &'c BTreeMap<String, Combined>, name: &'c str) -> Option<Vec<&'c str>> {
    // From where each lever was first reached: the way is read off it backwards.
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = vec![name];
    while let Some(at) = open.pop() {
        for next in combined.get(at).into_iter().flat_map(|c| c.pull.iter().map(String::as_str)) {
            if next == name {
                let mut way = vec![name];
                let mut back = at;
                while back != name {
                    way.push(back);
                    back = from.get(back)?;
                }
                way.push(name);
                way.reverse();
                return Some(way);
            }
            from.entry(next).or_insert_with(|| {
                open.push(next);
                at
            });
        }
    }
    None
}
