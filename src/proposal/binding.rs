//! The levers that a proposal says it came from, and how a reader's own derivation differs from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::council::{Council, Pull};
use crate::playbook::{PlaybookDigest, PlaybookId};
use crate::safe::{SafeId, SafeTx};
use crate::shell::quoted;

/// Which levers, playbooks and arguments a proposal was derived from. A claim until the reader derives it again.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pull: Pull,
    levers: Vec<BoundLever>,
}

/// One lever of a proposal: a playbook with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundLever {
    /// The lever's name in the council file; `None` when playbook, Safe and arguments were given one by one.
    pub lever: Option<String>,
    pub playbook: PlaybookId,
    pub digest: PlaybookDigest,
    /// The playbook's text, so that a reader without it can see what was meant.
    pub text: Arc<str>,
    /// The arguments as text, before names and units were resolved.
    pub args: BTreeMap<String, String>,
}

#[cfg(test)]
impl BoundLever {
    /// The lever of a playbook with this text.
    pub(crate) fn of(lever: Option<&str>, playbook: &str, text: &str, args: &[(&str, &str)]) -> Self {
        Self {
            lever: lever.map(str::to_string),
            playbook: PlaybookId::new(playbook).unwrap(),
            digest: PlaybookDigest::of(text),
            text: text.into(),
            args: args.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        }
    }
}

/// The levers of a command as a value, to be compared: what two proposals have in common that differ in nonce, arguments and the
/// chain's values alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    pub pull: Pull,
    /// The playbooks where no lever was named; else empty.
    pub playbooks: Vec<PlaybookId>,
}

impl Pulled {
    /// Returns what it is called: `vault`, `freeze without bridge`, or the playbook where no lever was named.
    pub fn title(&self) -> String {
        let ids = || self.playbooks.iter().map(PlaybookId::as_str).collect::<Vec<_>>().join(", ");
        self.pull.title().unwrap_or_else(|| self.pull.approved(&ids()))
    }
}

/// The reason that a proposal's levers, playbooks and arguments contradict each other.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BindingError {
    #[error("it names no lever and no playbook")]
    Empty,
    #[error("it has several playbooks, and not each has a lever's name")]
    Unnamed,
    #[error("it has one lever twice")]
    Twice,
}

/// An argument that the reader's council file leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenArgument {
    pub lever: Option<String>,
    pub param: String,
    pub value: String,
    /// Its name in `--set`: `fee`, or `bridge.fee` where more than that lever is pulled.
    pub key: String,
}

impl Binding {
    /// One lever, or one playbook without a lever.
    pub fn one(lever: BoundLever, undo: bool) -> Self {
        let names = lever.lever.iter().cloned().collect();
        Self { pull: Pull { names, undo, ..Pull::default() }, levers: vec![lever] }
    }

    /// The levers of one transaction in their order, out of what was pulled.
    /// Fails without a lever, with several that are not all named, or with one twice.
    pub fn new(pull: Pull, levers: Vec<BoundLever>) -> Result<Self, BindingError> {
        let names: BTreeSet<&Option<String>> = levers.iter().map(|lever| &lever.lever).collect();
        if levers.is_empty() {
            return Err(BindingError::Empty);
        }
        if names.contains(&None) && (levers.len() > 1 || !pull.names.is_empty()) {
            return Err(BindingError::Unnamed);
        }
        if names.len() != levers.len() {
            return Err(BindingError::Twice);
        }
        Ok(Self { pull, levers })
    }

    /// Returns the binding of another Safe's transaction that approves a proposal of this one on chain.
    pub fn approved_by(&self, safe: &str) -> Self {
        let mut approval = self.clone();
        approval.pull.approve_as.push(safe.into());
        approval
    }

    /// Returns the pull; this proposal may be one part of it.
    pub const fn pull(&self) -> &Pull {
        &self.pull
    }

    /// Returns what was pulled, as a value.
    pub fn pulled(&self) -> Pulled {
        let unnamed = self.playbooks().into_iter().filter(|_| self.pull.names.is_empty());
        Pulled { pull: self.pull.clone(), playbooks: unnamed.map(|(id, _)| id.clone()).collect() }
    }

    /// The levers of this proposal, in the order of their calls; at least one.
    pub fn levers(&self) -> &[BoundLever] {
        &self.levers
    }

    /// Returns `true` if it pulls the same levers in the same direction, with the arguments that another one has for them.
    /// Arguments that only this one has are those that the other leaves open; `is_same` compares two texts of one.
    pub fn is_of(&self, other: &Self, is_same: impl Fn(&BoundLever, &str, (&str, &str)) -> bool) -> bool {
        let has = |(own, other): (&BoundLever, &BoundLever)| {
            own.lever == other.lever
                && (own.lever.is_some() || own.playbook == other.playbook)
                && other.args.iter().all(|(key, value)| {
                    let there = own.args.get(key);
                    there.is_some_and(|there| there == value || is_same(own, key, (there, value)))
                })
        };
        (self.undo(), &self.pull.approve_as) == (other.undo(), &other.pull.approve_as)
            && self.levers.len() == other.levers.len()
            && self.levers.iter().zip(&other.levers).all(has)
    }

    /// Returns `true` if the counter-playbooks were asked for.
    pub const fn undo(&self) -> bool {
        self.pull.undo
    }

    /// Returns `true` if every transaction of this binding comes from a lever of the council file.
    pub fn is_of_levers(&self) -> bool {
        self.levers.iter().all(|bound| bound.lever.is_some())
    }

    /// Returns what it is called: `vault`, `freeze without bridge`, or the playbook where no lever was named.
    pub fn title(&self) -> String {
        self.pulled().title()
    }

    /// The playbooks with the digests of their texts, each once.
    pub fn playbooks(&self) -> Vec<(&PlaybookId, PlaybookDigest)> {
        let mut seen = BTreeSet::new();
        let each = self.levers.iter().map(|bound| (&bound.playbook, bound.digest));
        each.filter(|playbook| seen.insert(*playbook)).collect()
    }

    /// The arguments that are not fixed by the reader's own levers.
    pub fn open(&self, council: &Council) -> Vec<OpenArgument> {
        let open_of = |bound: &BoundLever| {
            let fixed =
                bound.lever.as_ref().and_then(|name| council.levers.get(name)).map(|lever| &lever.set);
            let open =
                bound.args.iter().filter(|(param, _)| !fixed.is_some_and(|set| set.contains_key(*param)));
            open.map(|(param, value)| OpenArgument {
                lever: bound.lever.clone(),
                param: param.clone(),
                value: value.clone(),
                key: self.key(bound, param),
            })
            .collect::<Vec<_>>()
        };
        self.levers.iter().flat_map(open_of).collect()
    }

    fn key(&self, bound: &BoundLever, param: &str) -> String {
        match &bound.lever {
            Some(name) if self.pull.names != [name.clone()] => format!("{name}.{param}"),
            _ => param.into(),
        }
    }

    /// Returns the words that name it in a command, for everybody: `freeze --without bridge --set vault.fee=0.5%`. `None`
    /// if no lever was named: only its file can.
    pub fn command(&self, council: &Council) -> Option<String> {
        command([self], council)
    }

    /// In what this differs from the reader's own. `is_same` compares two texts of one argument of a lever.
    pub fn differences(
        &self,
        own: &Self,
        is_same: impl Fn(&BoundLever, &str, (&str, &str)) -> bool,
    ) -> Vec<FieldDifference> {
        let mut found = Vec::new();
        let names = |binding: &Self| {
            binding
                .levers
                .iter()
                .map(|bound| bound.lever.as_deref().unwrap_or("-"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let pulled =
            |binding: &Self| binding.pull.words().unwrap_or_else(|| binding.pull.approved("no lever"));
        let mut row = |field, file: String, own: String| {
            if file != own {
                found.push(FieldDifference { field, file, own });
            }
        };
        row("pulled", pulled(self), pulled(own));
        row("levers", names(self), names(own));
        let several = self.levers.len() + own.levers.len() > 2;
        for own in &own.levers {
            let Some(file) = self.levers.iter().find(|file| file.lever == own.lever) else { continue };
            let of = match &own.lever {
                Some(name) if several => format!("{name}: "),
                _ => String::new(),
            };
            row("playbook", format!("{of}{}", file.playbook), format!("{of}{}", own.playbook));
            row("playbook text", format!("{of}{}", file.digest), format!("{of}{}", own.digest));
            let params: BTreeSet<&String> = file.args.keys().chain(own.args.keys()).collect();
            for param in params {
                let (given, expected) = (file.args.get(param), own.args.get(param));
                if let (Some(given), Some(expected)) = (given, expected)
                    && (given == expected || is_same(own, param, (given, expected)))
                {
                    continue;
                }
                let say = |value: Option<&String>| {
                    value.map_or("missing".to_string(), |value| format!("{of}{param} = {value}"))
                };
                row("argument", say(given), say(expected));
            }
        }
        found
    }
}

/// Returns the words that name all parts of one pull, with every open argument; `None` if no lever was named.
pub fn command<'b>(parts: impl IntoIterator<Item = &'b Binding>, council: &Council) -> Option<String> {
    let parts: Vec<&Binding> = parts.into_iter().collect();
    let mut words = parts.first()?.pull.words()?;
    let mut sets: Vec<String> = Vec::new();
    for open in parts.iter().flat_map(|part| part.open(council)) {
        let set = format!(" --set {}", quoted(&format!("{}={}", open.key, open.value)));
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    words.extend(sets);
    Some(words)
}

/// A field in which a file differs from what its reader derives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDifference {
    pub field: &'static str,
    pub file: String,
    pub own: String,
}
/// Compares a stated transaction with the reader's own, field by field.
pub fn differences(file: (&SafeId, &SafeTx), own: (&SafeId, &SafeTx)) -> Vec<FieldDifference> {
    let rows = |(safe, tx): (&SafeId, &SafeTx)| {
        [
            ("chain id", safe.chain_id.to_string()),
            ("Safe", safe.address.to_string()),
            ("Safe version", safe.version.to_string()),
            ("to", tx.to.to_string()),
            ("value", tx.value.to_string()),
            ("data", tx.data.to_string()),
            ("operation", tx.operation.to_string()),
            ("safeTxGas", tx.safe_tx_gas.to_string()),
            ("baseGas", tx.base_gas.to_string()),
            ("gasPrice", tx.gas_price.to_string()),
            ("gasToken", tx.gas_token.to_string()),
            ("refundReceiver", tx.refund_receiver.to_string()),
            ("nonce", tx.nonce.to_string()),
        ]
    };
    rows(file)
        .into_iter()
        .zip(rows(own))
        .filter(|((_, file), (_, own))| file != own)
        .map(|((field, file), (_, own))| FieldDifference { field, file, own })
        .collect()
}
