//! Playbooks: TOML text and arguments become a [`Plan`], the ordered calls, checks and declared effects.
//!
//! May touch values only: no network, clock, device or files; the built-in library is part of the program's text. What
//! has to be known from the chain is asked for as [`Query`](crate::evm::Query)s and comes back as
//! [`Readings`](crate::evm::Readings). The same playbook, arguments and readings give the same plan, always.

mod alarm_look;
mod argument_texts;
mod bounds;
mod claim;
mod combined_plan;
mod compare;
mod counted;
mod derive;
mod each;
mod file;
mod former;
mod given;
mod language;
mod library;
mod param;
mod piece;
mod plan;
mod postcheck;
mod provenance;
#[cfg(test)]
mod tests;
mod watched;
mod weak_proof;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use alloy::dyn_abi::DynSolType;
use alloy::json_abi::Error;
use alloy::primitives::{Address, keccak256};
use serde::{Deserialize, Serialize};

pub use alarm_look::{AlarmEvaluation, NeededReadings};
pub use bounds::MOST_BYTES;
pub use claim::{Claim, Fact, StaticCall, Step, ValueSource};
pub use combined_plan::{CombinedPlan, Conflict, LeverPlan, Repeat};
pub use derive::derive;
pub use each::Each;
pub use file::example::{Example, ExampleCall};
pub use former::{Formerly, former_values};
pub use given::argument_faults;
pub use language::flags::Flags;
pub use language::pattern::Pattern;
pub use language::template::Template;
pub use language::unit::Unit;
pub use library::checked_files::{CheckedFile, check_files};
pub use library::dictionary::Dictionary;
pub use library::fit::{Fit, fits};
pub use library::one_line::{Filter, PlaybookSummary};
pub use library::scaffold::{ObservedChange, ScaffoldInput, draft, params_of};
pub use library::signatures::{DraftError, Signatures};
pub use library::{Catalogue, LibraryEntry, LookupError, Origin};
pub use param::{Param, ParamUnit, Zero, argument};
pub use piece::{NEAR, PIECE, Piece};
pub use plan::{Derivation, Inputs, Plan, PlanError, PlannedCall, ShownArg, ShownRead, Skipped};
pub use postcheck::{CallCheck, Check, Ending, EventCheck, Expectation, Relation, Subject, Verdict};
pub use provenance::{CallPart, Decided, ReadingSource};
pub use watched::Watched;

use crate::council::TextDigest;
use crate::evm::AddressBook;
use crate::excerpt::Fault;
use crate::safe::hash_type;

/// The JSON Schema of a playbook's file, for editors. What it cannot say, the reader of the file says.
pub const SCHEMA: &str = include_str!("../../playbooks/schema.json");

/// A playbook's id, such as `pause/oz-pausable`: its kind and a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
pub struct PlaybookId(String);

impl PlaybookId {
    /// `None` for a text that is not an id.
    pub fn new(text: &str) -> Option<Self> {
        let part = |p: &str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !p.is_empty() && !p.starts_with('-') && p.chars().all(plain)
        };
        let (kind, name) = text.split_once('/')?;
        (part(kind) && part(name) && text.len() <= 100).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

hash_type!(
    /// keccak256 of a playbook's text, byte for byte.
    PlaybookDigest, "digest of a playbook"
);

impl PlaybookDigest {
    pub fn of(text: &str) -> Self {
        Self(keccak256(text))
    }

    /// Returns the first sixteen digits in four groups, for people to compare: `5c1e 09d4 77a0 1b2c`.
    pub fn short(&self) -> String {
        TextDigest::claimed(self.0).short()
    }
}

/// The closed words of an enumeration in a playbook's file.
pub(crate) trait Word: Copy + 'static {
    const ALL: &'static [(&'static str, Self)];
}

/// The purpose of a playbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}", spelled(*self))]
pub enum PlaybookKind {
    Pause,
    Param,
    Rotate,
}

impl Word for PlaybookKind {
    const ALL: &'static [(&'static str, Self)] =
        &[("pause", Self::Pause), ("param", Self::Param), ("rotate", Self::Rotate)];
}

/// From P1, the gravest, to P5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}", spelled(*self))]
#[derive(Serialize, Deserialize)]
pub enum Severity {
    P1,
    P2,
    P3,
    P4,
    P5,
}

impl Word for Severity {
    const ALL: &'static [(&'static str, Self)] =
        &[("P1", Self::P1), ("P2", Self::P2), ("P3", Self::P3), ("P4", Self::P4), ("P5", Self::P5)];
}

fn spelled<T: Word + PartialEq>(value: T) -> &'static str {
    T::ALL.iter().find(|(_, v)| *v == value).map_or("?", |(word, _)| *word)
}

/// The way to take a playbook back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// By this playbook; `set` gives its arguments from this one's, which it shares where `set` is absent.
    Playbook { id: PlaybookId, set: Option<BTreeMap<String, String>> },
    /// It cannot be taken back, and why.
    None { why: String },
}

/// An effect beyond the storage of the contracts that a playbook calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    SafeOwners,
    SafeThreshold,
    SafeModules,
    SafeGuard,
    SafeModuleGuard,
    SafeFallbackHandler,
    SafeSingleton,
    /// The storage of this contract.
    Contract(Address),
}

impl Change {
    const WORDS: [(&'static str, Self); 7] = [
        ("safe.owners", Self::SafeOwners),
        ("safe.threshold", Self::SafeThreshold),
        ("safe.modules", Self::SafeModules),
        ("safe.guard", Self::SafeGuard),
        ("safe.module_guard", Self::SafeModuleGuard),
        ("safe.fallback_handler", Self::SafeFallbackHandler),
        ("safe.singleton", Self::SafeSingleton),
    ];
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(address) => address.fmt(f),
            word => f.write_str(Self::WORDS.iter().find(|(_, c)| c == word).map_or("?", |(text, _)| *text)),
        }
    }
}

/// A change as a playbook declares it.
#[derive(Clone, Debug, PartialEq)]
pub enum DeclaredChange {
    Safe(Change),
    Contract(Template),
    /// Each of a list.
    Contracts(Template),
}

impl DeclaredChange {
    /// Adds the names that it depends on.
    fn names(&self, into: &mut BTreeSet<String>) {
        match self {
            Self::Safe(_) => {}
            Self::Contract(template) | Self::Contracts(template) => template.names(into),
        }
    }
}

/// A value read from the chain, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub name: String,
    /// The lists that it is read for; its value is then a list, with one item for each turn.
    pub each: Option<Each>,
    pub source: ValueSource,
}

impl Read {
    /// The type of its value: a list where it is repeated.
    fn ty(&self) -> DynSolType {
        let one = self.source.ty();
        if self.each.is_some() { DynSolType::Array(Box::new(one)) } else { one }
    }

    /// The names that it depends on, and those of its own items.
    fn names(&self, into: &mut BTreeSet<String>) {
        if let Some(each) = &self.each {
            each.names(into);
        }
        self.source.names(into);
    }
}

/// A playbook: well formed, typed, and with every name in it known.
#[derive(Clone, Debug, PartialEq)]
pub struct Playbook {
    pub id: PlaybookId,
    pub kind: PlaybookKind,
    /// The protocol that it is for.
    pub family: Option<String>,
    pub title: String,
    pub summary: String,
    pub severity: Severity,
    pub does_not_stop: String,
    /// The cost of using it.
    pub cost: String,
    pub undo: Undo,
    /// Where the functions and views were read.
    pub source: String,
    /// The role that the Safe must have in the contracts.
    pub role: Option<String>,
    /// Anybody may do it.
    pub anyone: bool,
    /// The delay before it takes effect, if any; params and reads stand in braces.
    pub delay: Option<String>,
    /// Why it is harmless to pull it again when it is done; `None` where it then says that it is done.
    pub repeatable: Option<String>,
    pub params: Vec<Param>,
    pub reads: Vec<Read>,
    pub steps: Vec<Step>,
    pub before: Vec<Claim>,
    pub after: Vec<Claim>,
    pub changes: Vec<DeclaredChange>,
    /// The errors of its contracts, beside those that everybody knows.
    pub errors: Vec<Error>,
    /// Why it names none.
    pub no_errors: Option<String>,
    pub example: Option<Example>,
    /// Params and reads, each after those that it needs.
    order: Vec<String>,
    /// The reads that only the values that an undo brings back need.
    for_former_only: BTreeSet<String>,
    text: String,
}

impl Playbook {
    /// Reads a playbook. `origin` is its name in faults.
    /// The error has the line and the word at fault.
    pub fn parse(origin: &str, text: &str) -> Result<Self, Fault> {
        file::parse(origin, text)
    }

    /// Worked out when it is asked for: whoever lists a whole library has no need of it.
    pub fn digest(&self) -> PlaybookDigest {
        PlaybookDigest::of(&self.text)
    }

    /// The text that [`Playbook::digest`] is the hash of.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns `true` if two texts of an argument are one value: 0.4 % and 40 bps.
    pub fn is_same_argument(&self, param: &str, one: &str, other: &str, names: &AddressBook) -> bool {
        let param = self.params.iter().find(|p| p.name == param);
        one == other || param.is_some_and(|param| param.is_same(one, other, names))
    }

    /// Returns `true` if a param says what was in force before the act: an undo takes it from no council file.
    pub fn is_former(&self, param: &str) -> bool {
        self.params.iter().any(|known| known.name == param && known.was.is_some())
    }

    /// The counter-playbook and its arguments, from the arguments of this one. An argument that is not given here is
    /// not given there either, and is then asked for. Nothing for a playbook that cannot be taken back.
    pub fn undo_args(
        &self,
        args: &BTreeMap<String, String>,
    ) -> Option<(PlaybookId, BTreeMap<String, String>)> {
        let Undo::Playbook { id, set } = &self.undo else { return None };
        let Some(set) = set else { return Some((id.clone(), args.clone())) };
        let given = |name: &str| {
            let default = || self.params.iter().find(|p| p.name == name)?.default.as_ref();
            args.get(name).or_else(default).cloned()
        };
        let fill = |(name, text): (&String, &String)| {
            let value = match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
                Some(param) => given(param)?,
                None => text.clone(),
            };
            Some((name.clone(), value))
        };
        let own = args.get(piece::PIECE).map(|text| (piece::PIECE.to_string(), text.clone()));
        Some((id.clone(), set.iter().filter_map(fill).chain(own).collect()))
    }

    /// Returns `true` if it may come to more than one call.
    pub fn may_batch(&self) -> bool {
        self.steps.len() > 1 || self.steps.iter().any(|step| step.each.is_some())
    }

    /// Returns `true` if the argument `piece` cuts it into several transactions.
    pub fn can_be_cut(&self) -> bool {
        piece::lists(self).is_some()
    }

    /// Returns when it takes effect, with the values of a plan; `None` if at once.
    pub fn takes_effect(&self, plan: &Plan) -> Option<String> {
        let mut sentence = self.delay.clone()?;
        let reads = plan.reads.iter().map(|read| (&read.name, &read.shown));
        for (name, shown) in plan.args.iter().map(|arg| (&arg.name, &arg.shown)).chain(reads) {
            sentence = sentence.replace(&format!("{{{name}}}"), shown);
        }
        Some(sentence)
    }
}

/// The names that stand in braces.
fn braced(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}
