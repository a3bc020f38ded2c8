//! One entry of the journal: a line of JSON, in one canonical form.

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sha2::{Digest, Sha256};

use super::plain::Plain;
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, derive_more::Display,
)]
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

/// The act that an entry records.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum JournalAct {
    /// An incident was opened.
    Opened(OpenedIncident),
    /// A sentence of a person.
    Note { text: Plain },
    /// The incident was closed.
    Closed {},
    /// A claim of the council file was false, `by` our own watch, or another monitor said so. By its `id` a message that comes
    /// twice is known.
    Alarm { name: Plain, by: Plain, id: Option<Plain>, text: Plain },
    /// Somebody proved that they can sign: the whole line of the roll call.
    RollCall { owner: Address, line: Plain },
    /// Somebody says that they are awake, since when.
    Awake { name: Plain, at: Utc },
    /// A proposal was written.
    Proposed {},
    /// An owner signed here.
    Signed { owner: Address, name: Option<Plain> },
    /// Signatures of others were kept.
    Imported { owners: Vec<Address> },
    /// Signed ahead, at each of these nonces.
    SignedAhead { owner: Address, name: Option<Plain>, nonces: Plain },
    /// Signatures made ahead were kept.
    ImportedAhead { owners: Vec<Address>, nonces: Plain },
    /// Refusals and changed texts that were accepted, by the words of `--accept`.
    Accepted { ids: Vec<Plain> },
    /// A card was printed, for each of these nonces; the entry is about the first.
    Card { nonces: Nonces },
    /// It was handed to its chain.
    Sent { tx: TxHash, payer: Address },
    /// It is in a block; `succeeded` by the Safe's own event.
    Mined { tx: TxHash, block: u64, succeeded: bool },
    /// Its effect was proven.
    Proven { tx: TxHash, block: u64 },
    /// A step of a drill, none of which is on a chain.
    Drill { step: DrillStep },
    /// One key acted alone: the council confirms or undoes it.
    Deputy(DeputyStep),
}

/// An incident that was opened. Its roles are names of people.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedIncident {
    pub title: Plain,
    pub severity: Severity,
    pub leads: Option<Plain>,
    pub speaks: Option<Plain>,
    pub writes: Option<Plain>,
}

/// A step of what a deputy does by a lever.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeputyStep {
    pub lever: Plain,
    pub deputy: Address,
    /// The module that takes the deputy's signature; `None` if the key makes the call itself.
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
    /// It was handed to its chain.
    Sent { tx: TxHash, payer: Address },
    /// It is in a block, and does not what the playbook promises.
    Unproven { tx: TxHash, block: u64 },
    /// Its effect was proven.
    Proven { tx: TxHash, block: u64 },
}

#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case", deny_unknown_fields)]
pub enum DrillStep {
    /// Its name was printed for the chat.
    Announced {},
    /// An owner signed here.
    Signed { owner: Address, name: Option<Plain> },
    /// A signature was taken in; its line claims when it was made.
    Imported { owner: Address, made: Option<Utc> },
    /// Refusals and changed texts that were accepted.
    Accepted { ids: Vec<Plain> },
    /// The real Safe code took the signatures of so many keys on a fork, and the act does there what was promised.
    Proven { block: u64, keys: u32 },
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
    pub nonce: Nonce,
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
    time: Utc,
    #[serde(default)]
    who: Option<Plain>,
    program: Plain,
    council: TextDigest,
    act: JournalAct,
    #[serde(default)]
    about: Option<TransactionRef>,
    previous: LineDigest,
}

/// A line as it is written. It borrows, because every line that is read is written again to compare.
#[skip_serializing_none]
#[derive(Serialize)]
struct WrittenEntry<'e> {
    v: u8,
    number: u64,
    time: Utc,
    who: Option<&'e Plain>,
    program: &'e Plain,
    council: TextDigest,
    act: &'e JournalAct,
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
