//! The error that ends a command, and the one table of exit codes.

use serde::Serialize;
use serde_json::Value;

/// The end of the program. The numbers are documented in the README and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, and proven where there is something to prove.
    Done = 0,
    Failed = 1,
    /// Wrong usage, or a prompt was needed and there is no terminal.
    Usage = 2,
    /// Fewer owners have signed than the Safe asks for.
    Shortfall = 3,
    /// A check refused, or a person said no.
    Refused = 4,
    /// The chain is no longer as the proposal found it.
    Drift = 5,
    /// Refused or not ready on the device.
    Device = 6,
    Network = 7,
    /// Something must be repaired before an incident: `doctor` found it.
    NotReady = 8,
    /// An alarm has fired (`watch --once`).
    Alarm = 9,
    /// Executed, and what it did is not what was rehearsed.
    MinedOtherwise = 10,
}

impl Exit {
    /// For a row of a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "wrong usage",
            Self::Shortfall => "signatures are missing",
            Self::Refused => "refused",
            Self::Drift => "the chain has moved",
            Self::Device => "not signed by the device",
            Self::Network => "no answer from the network",
            Self::NotReady => "not ready",
            Self::Alarm => "an alarm has fired",
            Self::MinedOtherwise => "mined, but not as rehearsed",
        }
    }

    /// Returns the one of both that a person must know of first.
    pub fn more_severe(self, other: Self) -> Self {
        const ORDER: [Exit; 11] = [
            Exit::MinedOtherwise,
            Exit::Alarm,
            Exit::Failed,
            Exit::Refused,
            Exit::Drift,
            Exit::Device,
            Exit::Network,
            Exit::NotReady,
            Exit::Usage,
            Exit::Shortfall,
            Exit::Done,
        ];
        ORDER.into_iter().find(|exit| *exit == self || *exit == other).unwrap_or(self)
    }
}

/// One sentence that names the value at fault, and what to do next.
#[must_use]
#[derive(Debug, derive_more::Display)]
#[display("{message}")]
pub struct Error {
    pub exit: Exit,
    pub message: String,
    /// `true` if the thing that it is about stands before the message.
    pub is_about: bool,
    /// Lines of a file, with the place at fault.
    pub excerpt: String,
    pub hints: Vec<String>,
    /// A person said no: at the question, or on the device.
    pub is_rejection: bool,
    /// The object of what was done before it failed: it stands beside the error under `--json`.
    pub done: Option<Value>,
}

impl Error {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            is_about: false,
            excerpt: String::new(),
            hints: Vec::new(),
            is_rejection: false,
            done: None,
        }
    }

    /// Returns the error of a person who said no: it refuses this one thing, and none of the others.
    pub fn rejection(message: impl Into<String>) -> Self {
        Self { is_rejection: true, ..Self::new(Exit::Refused, message) }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the error with the object that tells what was done all the same; fields are added to those that are there.
    pub fn having_done(mut self, object: &impl Serialize) -> Self {
        match (&mut self.done, serde_json::to_value(object).unwrap_or_default()) {
            (Some(Value::Object(there)), Value::Object(fields)) => there.extend(fields),
            (there, object) => *there = Some(object),
        }
        self
    }

    /// Returns the error with the thing that it is about before it, unless that stands there already: whoever is nearer to the
    /// error names it better.
    pub fn about(mut self, what: &str) -> Self {
        if !self.is_about {
            self.message = format!("{what}: {}", self.message);
            self.is_about = true;
        }
        self
    }
}

impl std::error::Error for Error {}
