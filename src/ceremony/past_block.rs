//! Reads the block that a file names, in one round, if the file differs from the chain now.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};

use crate::ceremony::chain_view::ChainView;
use crate::chain::{Ask, ChainError};
use crate::check::{Match, Past, PastSubject, Untrue};
use crate::evm::{Answer, BlockRef, BlockTag, Query, Readings};
use crate::progress::Progress;
use crate::proposal::{Proposal, RecordedCode};
use crate::safe::SafeState;

/// Compares a file's statements with its block. Returns the Safe as it was there too, if the chain still has it.
pub fn compare(
    progress: &dyn Progress,
    seen: &ChainView,
    proposal: &Proposal,
    matching: &Match,
    rests_on: Option<&Readings>,
) -> (Past, Option<SafeState>) {
    let now = &seen.snapshot;
    let rests_on = rests_on.filter(|_| matches!(matching, Match::Moved(_)));
    if rests_on.is_none() && proposal.drift(&now.state).is_empty() {
        return (Past::NotAsked, None);
    }
    // A file with an assumed Safe makes no statement about a block.
    let Some(block) = proposal.block() else { return (Past::NotAsked, None) };
    if block.number > now.header.number {
        let chain = format!("not there yet: it is at block {}", now.header.number);
        return (Past::no_such_block(block.number, block.hash.to_string(), chain), Some(now.state.clone()));
    }
    let at = BlockRef { number: block.number, hash: block.hash, timestamp: 0 };
    let queries: Vec<Query> =
        rests_on.into_iter().flat_map(Readings::iter).map(|(query, _)| query.clone()).collect();
    let ask = Ask { safe: now.state.id.address, queries: &queries, ..Ask::default() };
    let then = progress
        .wait("looking at the block that the file names", || seen.link.snapshot(&ask, BlockTag::Pinned(at)));
    match then {
        Ok(then) => {
            let past = Past::compare((proposal.snapshot(), rests_on), (&then.state, &then.readings));
            (past, Some(then.state))
        }
        Err(ChainError::Reorganised { number, was, now: there, .. }) => {
            let past = Past::no_such_block(number, was.to_string(), there.to_string());
            (past, Some(now.state.clone()))
        }
        Err(error) => (Past::Unknown(error.to_string()), None),
    }
}

/// Returns the code that a file records and that was not there at its block. The chain is asked only if the code that
/// runs now differs.
pub fn code_never_there(
    progress: &dyn Progress,
    seen: &ChainView,
    proposal: &Proposal,
    recorded: &[RecordedCode],
    runs: impl Fn(Address) -> BTreeMap<Address, B256>,
) -> Vec<Untrue> {
    let moved = |then: &&RecordedCode| runs(then.called).get(&then.at) != Some(&then.hash);
    let moved: Vec<&RecordedCode> = recorded.iter().filter(moved).collect();
    if moved.is_empty() {
        return Vec::new();
    }
    let Some(block) = proposal.block() else { return Vec::new() };
    let block = BlockRef { number: block.number, hash: block.hash, timestamp: 0 };
    let query = |then: &&RecordedCode| Query::CodeHash { address: then.at };
    let queries: Vec<Query> = moved.iter().map(query).collect();
    let read = || seen.link.answers(&queries, &block);
    // If no RPC can tell, it counts as code that has moved.
    let Ok(answers) = progress.wait("looking at the block that the file names", read) else {
        return Vec::new();
    };
    let untrue = |then: &&RecordedCode| {
        let there = match answers.get(&query(then)) {
            Some(Answer::Value(word)) => word.to_string(),
            other => format!("{other:?}"),
        };
        let file = then.hash.to_string();
        (file != there).then(|| Untrue {
            about: PastSubject::Code,
            what: format!("code of {}", then.at),
            file,
            chain: there,
        })
    };
    moved.iter().filter_map(untrue).collect()
}
