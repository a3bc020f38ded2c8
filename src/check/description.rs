//! The description of a problem: its id, level, sentence and fix.

use std::fmt::Display;

use alloy::primitives::{Keccak256, hex};
use serde::Serialize;

use crate::playbook::Verdict;

/// The fix for an effect that nothing explains.
pub(super) const ASK: &str = "do not sign before you know why; ask its proposer in person";

/// The weight of a problem: whether it stops `sign` and `broadcast`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Pass,
    Warn,
    /// The chain is in the promised state already, so that it cannot or need not be done again.
    AlreadyDone,
    Refuse,
}

impl Level {
    /// Returns `true` if nothing is signed or sent unless it is accepted by its id.
    pub const fn blocks(self) -> bool {
        matches!(self, Self::AlreadyDone | Self::Refuse)
    }
}

/// The kind of a refusal: it decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Something no one should sign.
    Danger,
    /// The chain is no longer as the proposal found it.
    Drift,
}

pub(super) struct Description {
    pub(super) id: Id,
    pub(super) level: Level,
    pub(super) sort: Sort,
    pub(super) sentence: String,
    pub(super) fix: String,
}

impl Description {
    pub(super) fn pass(id: impl Into<Id>, sentence: impl Into<String>) -> Self {
        let (level, sort) = (Level::Pass, Sort::Danger);
        Self { id: id.into(), level, sort, sentence: sentence.into(), fix: String::new() }
    }

    pub(super) fn warn(id: impl Into<Id>, sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Warn, fix: fix.into(), ..Self::pass(id, sentence) }
    }

    /// Returns that of a playbook's check, `before` or `after`. `fix` is for one that neither holds nor is done already.
    pub(super) fn of_verdict(
        when: &'static str,
        number: usize,
        verdict: &Verdict,
        already_done: Option<&str>,
        fix: &str,
    ) -> Self {
        let (id, sentence) = (Id::of(when, number), format!("{when}: {}", verdict.sentence));
        if verdict.holds {
            return Self::pass(id, sentence);
        }
        let id = id.digest([&verdict.sentence as &dyn Display, &verdict.expected, &verdict.found]);
        match already_done {
            Some(promised) => Self::already_done(id, sentence, promised),
            None => Self::refuse(id, sentence, fix),
        }
    }

    pub(super) fn already_done(id: impl Into<Id>, sentence: impl Into<String>, promised: &str) -> Self {
        let fix = format!("nothing to do: {promised}");
        Self { level: Level::AlreadyDone, ..Self::warn(id, sentence, fix) }
    }

    pub(super) fn refuse(id: impl Into<Id>, sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Refuse, ..Self::warn(id, sentence, fix) }
    }

    pub(super) fn drift(id: impl Into<Id>, sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { sort: Sort::Drift, ..Self::refuse(id, sentence, fix) }
    }

    /// A refusal, or only a warning if nothing is signed.
    pub(super) fn refuse_if(
        refuses: bool,
        id: impl Into<Id>,
        sentence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        if refuses { Self::refuse(id, sentence, fix) } else { Self::warn(id, sentence, fix) }
    }
}

/// `kind:part:part`
pub(super) struct Id {
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) about: Vec<String>,
}

impl From<&'static str> for Id {
    fn from(kind: &'static str) -> Self {
        Self { kind, text: kind.into(), about: Vec::new() }
    }
}

impl Id {
    /// Returns the id of a kind of problem about one thing.
    pub(super) fn of(kind: &'static str, about: impl Display) -> Self {
        Self::from(kind).and(about)
    }

    /// Adds one more thing that it is about.
    pub(super) fn and(self, about: impl Display) -> Self {
        let about = about.to_string();
        let text = format!("{}:{about}", self.text);
        Self { text, ..self.about(about) }
    }

    /// Adds what it is about to its data, and not to its text, which has only a digest of that.
    pub(super) fn about(mut self, about: impl Display) -> Self {
        self.about.push(about.to_string());
        self
    }

    /// Adds a digest of all that it is about.
    pub(super) fn digest<'a>(self, of: impl IntoIterator<Item = &'a dyn Display>) -> Self {
        let mut digest = Keccak256::new();
        for part in of {
            let text = part.to_string();
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        self.digested(hex::encode(&digest.finalize()[..8]))
    }

    /// Adds the [`Id::digest`] of a list of texts.
    pub(super) fn digest_all(self, of: &[String]) -> Self {
        self.digest(of.iter().map(|text| text as &dyn Display))
    }

    /// Adds a digest that was made elsewhere.
    pub(super) fn digested(self, digest: impl Display) -> Self {
        Self { text: format!("{}:{digest}", self.text), ..self }
    }
}

/// Returns the first items of a list, and how many more there are.
pub(super) fn listed(items: &[String]) -> String {
    const MOST: usize = 5;
    let more = items.len().saturating_sub(MOST);
    let first = items[..items.len() - more].join("; ");
    if more == 0 { first } else { format!("{first}; and {more} more") }
}
