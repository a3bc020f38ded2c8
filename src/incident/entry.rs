//! One entry of the journal: a line of JSON, in one canonical form.

use std::fmt;

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::plain::Plain;
use super::text_values::{as_optional_text, as_text, as_word};
use super::time::Utc;
use crate::council::TextDigest;
use crate::evm::TxHash;
use crate::excerpt::json_fault;
use crate::playbook::Severity;
use crate::safe::{Nonce, Nonces, SafeTxHash};

const VERSION: u8 = 1;
/// The longest line, in bytes, with its end.
pub const LONGEST_LINE: usize = 64 << 10;
/// The most values of one list in an entry; more become entries of their own.
pub const MOST_LISTED: usize = 20;

/// The SHA-256 of a line with its line feed: `sed -n 7p journal.jsonl | sha256sum` prints it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineDigest(B256);

impl LineDigest {
    /// The digest in the first entry, which has no line before it.
    pub const NONE: Self = Self(B256::ZERO);

    /// Returns the digest of a line, given without its end.
    pub fn of(line: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(line);
        hasher.update(b"\n");
        Self(B256::from_slice(&hasher.finalize()))
    }
}

impl fmt::Display for LineDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The act that an entry records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum JournalAct {
    /// An incident was opened. Its roles are names of people.
    Opened {
        title: Plain,
        #[serde(with = "as_word")]
        severity: Severity,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leads: Option<Plain>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        speaks: Option<Plain>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        writes: Option<Plain>,
    },
    Note {
        text: Plain,
    },
    Closed {},
    /// An alarm of the council file fired, or another monitor reported it.
    Alarm {
        name: Plain,
        /// `watch`, or the monitor that reported it.
        by: Plain,
        /// The id by which a message that comes twice is recognised.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Plain>,
        text: Plain,
    },
    /// An owner proved that they can sign: the whole line of the roll call.
    RollCall {
        owner: Address,
        line: Plain,
    },
    /// A person says that they are awake, and since when.
    Awake {
        name: Plain,
        #[serde(with = "as_text")]
        at: Utc,
    },
    Proposed {},
    Signed {
        owner: Address,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Plain>,
    },
    Imported {
        owners: Vec<Address>,
    },
    /// Signed ahead, at each of these nonces.
    SignedAhead {
        owner: Address,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Plain>,
        nonces: Plain,
    },
    /// Signatures made ahead were kept.
    ImportedAhead {
        owners: Vec<Address>,
        nonces: Plain,
    },
    /// Refusals and changed texts that were accepted, by the words of `--accept`.
    Accepted {
        ids: Vec<Plain>,
    },
    /// A card was printed, for each of these nonces; the entry is about the first.
    Card {
        #[serde(with = "as_text")]
        nonces: Nonces,
    },
    Sent {
        #[serde(with = "as_text")]
        tx: TxHash,
        payer: Address,
    },
    /// It is in a block; `succeeded` by the Safe's own event.
    Mined {
        #[serde(with = "as_text")]
        tx: TxHash,
        block: u64,
        succeeded: bool,
    },
    Proven {
        #[serde(with = "as_text")]
        tx: TxHash,
        block: u64,
    },
    /// A step of a drill, none of which is on a chain.
    Drill {
        step: DrillStep,
    },
    /// One key acted alone: the council confirms or undoes it.
    Deputy(DeputyStep),
}

/// A step of what a deputy does by a lever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeputyStep {
    pub lever: Plain,
    pub deputy: Address,
    /// The module that takes the deputy's signature; `None` if the key makes the call itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<Address>,
    /// The Safe's name in the council file.
    pub safe: Plain,
    pub chain_id: u64,
    pub step: TxStep,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case", deny_unknown_fields)]
pub enum TxStep {
    /// The signature is in a file, and can be used by whoever has it.
    Signed {},
    Sent {
        #[serde(with = "as_text")]
        tx: TxHash,
        payer: Address,
    },
    /// It is in a block, and does not do what the playbook promises.
    Unproven {
        #[serde(with = "as_text")]
        tx: TxHash,
        block: u64,
    },
    Proven {
        #[serde(with = "as_text")]
        tx: TxHash,
        block: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case", deny_unknown_fields)]
pub enum DrillStep {
    /// Its name was printed for the chat.
    Announced {},
    Signed {
        owner: Address,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Plain>,
    },
    /// A signature was taken in; its line claims when it was made.
    Imported {
        owner: Address,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "as_optional_text")]
        made: Option<Utc>,
    },
    Accepted {
        ids: Vec<Plain>,
    },
    /// The real Safe code accepted its signatures on a fork, and the act did there what was promised.
    Proven {
        block: u64,
        /// The number of keys whose signatures it took.
        keys: u32,
    },
}

/// The Safe transaction that an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionRef {
    /// The levers, or the playbook where none was named.
    pub what: Plain,
    /// The Safe's name in the council file.
    pub safe: Plain,
    pub address: Address,
    pub chain_id: u64,
    #[serde(with = "as_text")]
    pub nonce: Nonce,
    #[serde(with = "as_text")]
    pub safe_tx_hash: SafeTxHash,
}

impl TransactionRef {
    /// Returns `true` if it undoes its levers: `what` has the words of a command.
    pub fn is_undo(&self) -> bool {
        self.what.words().any(|word| word == "--undo")
    }
}

/// An entry without its place in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnnumberedEntry {
    pub time: Utc,
    /// The person's name by their own settings.
    pub who: Option<Plain>,
    /// Version and build of the program.
    pub program: Plain,
    pub council: TextDigest,
    pub act: JournalAct,
    pub about: Option<TransactionRef>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From 1 on.
    pub number: u64,
    pub draft: UnnumberedEntry,
    pub previous: LineDigest,
}

/// A line as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEntry {
    v: u8,
    number: u64,
    #[serde(with = "as_text")]
    time: Utc,
    #[serde(default)]
    who: Option<Plain>,
    program: Plain,
    #[serde(with = "as_text")]
    council: TextDigest,
    act: JournalAct,
    #[serde(default)]
    about: Option<TransactionRef>,
    previous: LineDigest,
}

/// A line as it is written. It borrows, because every line that is read is written again to compare.
#[derive(Serialize)]
struct WrittenEntry<'e> {
    v: u8,
    number: u64,
    #[serde(with = "as_text")]
    time: Utc,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<&'e Plain>,
    program: &'e Plain,
    #[serde(with = "as_text")]
    council: TextDigest,
    act: &'e JournalAct,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'e TransactionRef>,
    previous: LineDigest,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadEntry {
    #[error("it is longer than {LONGEST_LINE} bytes")]
    Long,
    #[error("it is not an entry of this version: {0}")]
    Unreadable(String),
    #[error("it is not written as this program writes it")]
    Rewritten,
}

impl Entry {
    /// Reads a line, given without its end.
    /// Fails if it is too long, not an entry, or the same entry written in another way.
    pub fn parse(line: &[u8]) -> Result<Self, BadEntry> {
        if line.len() >= LONGEST_LINE {
            return Err(BadEntry::Long);
        }
        let unreadable = |why: String| BadEntry::Unreadable(Plain::cut(&why).to_string());
        let wire: WireEntry = serde_json::from_slice(line).map_err(|e| unreadable(json_fault(&e)))?;
        if wire.v != VERSION {
            return Err(unreadable(format!("version {}; this program reads version {VERSION}", wire.v)));
        }
        let WireEntry { number, time, who, program, council, act, about, previous, .. } = wire;
        let entry =
            Self { number, draft: UnnumberedEntry { time, who, program, council, act, about }, previous };
        if entry.line().as_bytes() == line { Ok(entry) } else { Err(BadEntry::Rewritten) }
    }

    /// Returns the transaction whose effect it records as proven; `None` for any other entry.
    pub fn proven(&self) -> Option<SafeTxHash> {
        let about = self.draft.about.as_ref()?;
        matches!(self.draft.act, JournalAct::Proven { .. }).then_some(about.safe_tx_hash)
    }

    /// Returns its line, without its end.
    pub fn line(&self) -> String {
        let UnnumberedEntry { time, who, program, council, act, about } = &self.draft;
        let written = WrittenEntry {
            v: VERSION,
            number: self.number,
            time: *time,
            who: who.as_ref(),
            program,
            council: *council,
            act,
            about: about.as_ref(),
            previous: self.previous,
        };
        serde_json::to_string(&written).unwrap_or_default()
    }
}
