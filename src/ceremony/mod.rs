//! The way of a proposal from a lever or a file to its findings: found, derived from the reader's own files, read from
//! the chain, rehearsed, judged; and after it was sent, its proof.
//!
//! May touch `chain` and `store`, but no terminal and no command line: it reports by [`crate::progress`].

mod act;
pub mod aftermath;
mod approval;
pub mod assumed;
pub mod at_once;
pub mod barred;
pub mod chain_view;
pub mod contention;
pub mod deputy;
pub mod derivation;
pub mod derived;
pub mod desk;
pub mod discovery;
pub mod drills;
pub mod enforce;
pub mod evaluate;
pub mod find;
pub mod folder;
pub mod freshness;
pub mod hints;
pub mod judged;
pub mod matching;
pub mod named;
pub mod online;
pub mod order;
pub mod overviews;
pub mod past_block;
pub mod prefetch;
pub mod rehearsal_result;
pub mod rehearse;
pub mod sending;
pub mod signatures;
pub mod stage;
pub mod trials;
pub mod verb;
pub mod words;

#[cfg(test)]
mod tests;
