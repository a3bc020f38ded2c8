//! The way of a proposal from a lever or a file to a verdict: found, derived from the reader's own files, held against
//! the chain, rehearsed, judged; and after it was sent, its proof.
//!
//! May touch `chain` and `store`. No terminal and no command line: whoever runs it is told by [`crate::progress`].

pub mod barred;
pub mod by_chain;
pub mod cards;
pub mod conflict;
pub mod contract;
pub mod council_check;
pub mod council_online;
pub mod depth;
pub mod derivation;
pub mod derived;
pub mod desk;
pub mod done_by;
pub mod enforce;
pub mod entering;
pub mod filed;
pub mod filing;
pub mod find;
pub mod freshness;
pub mod gas;
pub mod importing;
pub mod judged;
pub mod kept;
pub mod look;
pub mod matching;
pub mod mined;
pub mod named;
pub mod new_safe;
pub mod offer;
pub mod online;
pub mod order;
pub mod outbox;
pub mod outcome;
pub mod overview;
pub mod own_settings;
pub mod owners;
pub mod past_block;
pub mod prefetch;
pub mod rehearsal;
pub mod rehearse;
pub mod rivals;
pub mod seen;
pub mod seen_changes;
pub mod sent;
pub mod since;
pub mod stage;
pub mod texts;
pub mod together;
pub mod trial;
pub mod turns;
pub mod undo_values;
pub mod waiting;
pub mod watching;
pub mod words;
