//! The journal of a council: who did what, when, and about which transaction.
//!
//! May touch values only. A journal is lines of JSON, each with the digest of the line before it: one that was altered,
//! moved or taken out shows where the chain of digests breaks. Whoever can write the file can also write a new chain, so
//! a journal proves nothing about the chain of blocks; other people's journals and the chain itself are compared with it.

mod alone;
mod asked;
mod awake;
mod drill_step;
mod entry;
mod journal;
mod merge;
mod message;
mod plain;
mod record;
mod streak;
mod time;
mod timeline;

pub use alone::{DeputyAct, Receipts};
pub use awake::{Awake, BadAwake, FoundAwake, awake, find_awake, first_seen};
pub use drill_step::{is_announced, is_over, open_drills};
pub use entry::{
    BadEntry, DeputyStep, DrillStep, Entry, JournalAct, LONGEST_LINE, MOST_LISTED, OpenedIncident,
    TransactionRef, TxStep, UnnumberedEntry,
};
pub use journal::{Journal, next};
pub use merge::{Merged, merge};
pub use message::{AlertState, Message};
pub use plain::Plain;
pub use record::{
    ExecutionFacts, Happened, Lane, Measure, Moment, Record, RecordScope, TimedPhase, Transaction, TxFacts,
    UsedPlaybook, ValueChange, count_transactions, record, select, transactions,
};
pub use streak::Streak;
pub use time::Utc;
pub use timeline::{Belongs, belonging, open_incident};

#[cfg(test)]
mod tests;
