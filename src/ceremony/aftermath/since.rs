//! Changes of code since a transaction was mined, after which its answers may come from other code.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};

use crate::ceremony::judged::Judged;
use crate::chain::{Chain, ChainError};
use crate::evm::{Answer, BlockRef, Query, Readings};
use crate::fork::PROXY_SLOTS;
use crate::proposal::calls_of;

/// Returns the contracts that the transaction calls.
fn targets(judged: &Judged) -> BTreeSet<Address> {
    calls_of(judged.proposal().tx()).unwrap_or_default().into_iter().map(|call| call.to).collect()
}

fn implementations(target: Address) -> impl Iterator<Item = Query> {
    PROXY_SLOTS.into_iter().map(move |proxy| Query::Storage { address: target, slot: proxy.slot })
}

/// Returns the questions for the code that the called contracts run.
pub fn queries(judged: &Judged) -> Vec<Query> {
    let of = |target| std::iter::once(Query::CodeHash { address: target }).chain(implementations(target));
    targets(judged).into_iter().flat_map(of).collect()
}

fn word(readings: &Readings, query: &Query) -> Option<B256> {
    match readings.get(query) {
        Some(Answer::Value(word)) => B256::try_from(word.as_ref()).ok(),
        _ => None,
    }
}

/// Returns the addresses of the code that a contract runs, by its own slots.
fn places(readings: &Readings, target: Address) -> impl Iterator<Item = Address> {
    let at = implementations(target).filter_map(|query| word(readings, &query));
    // The slots of administrator and beacon hold no code that it runs.
    at.zip(PROXY_SLOTS)
        .filter(|(_, proxy)| proxy.is_implementation)
        .map(|(word, _)| word)
        .filter(|word| !word.is_zero())
        .map(Address::from_word)
}

/// Returns the called contracts that run other code `now` than `then`, than the proposal recorded if `then` is not
/// known, or than the council file pins.
pub fn changed(
    judged: &Judged,
    link: &Chain,
    then: Option<&Readings>,
    now: &Readings,
    block: &BlockRef,
) -> Result<Vec<String>, ChainError> {
    let mut all = Vec::new();
    for target in targets(judged) {
        let name = judged
            .derived
            .names
            .name(target)
            .map_or_else(|| target.to_string(), |name| format!("{name} {target}"));
        match then {
            Some(then) => {
                let other = |query: &Query| word(then, query) != word(now, query);
                let code = Query::CodeHash { address: target };
                all.extend(other(&code).then(|| format!("{name} has other code")));
                let slots = implementations(target).zip(PROXY_SLOTS).filter(|(query, _)| other(query));
                all.extend(slots.map(|(_, proxy)| format!("{name} has another {}", proxy.name)));
            }
            None => all.extend(code_change_text(judged, target, now).map(|what| format!("{name} {what}"))),
        }
        if let Some(hash) = unpinned(judged, link, target, now, block)? {
            all.push(format!("{name} runs code {hash}, which your council file does not pin"));
        }
    }
    Ok(all)
}

fn code_change_text(judged: &Judged, target: Address, now: &Readings) -> Option<&'static str> {
    let record = judged.proposal().record()?;
    let ran: Vec<_> = record.code.iter().filter(|code| code.called == target).collect();
    let own = word(now, &Query::CodeHash { address: target });
    let known = |at: Address| ran.iter().any(|code| code.at == at);
    if ran.iter().any(|code| code.at == target && Some(code.hash) != own) {
        return Some("has other code than when this was proposed");
    }
    let moved = !ran.is_empty() && places(now, target).any(|at| !known(at));
    moved.then_some("has another implementation than when this was proposed")
}

/// Returns the hash of code that a pinned contract runs and that is not pinned.
fn unpinned(
    judged: &Judged,
    link: &Chain,
    target: Address,
    now: &Readings,
    block: &BlockRef,
) -> Result<Option<B256>, ChainError> {
    let Some(pinned) = judged.derived.pins.get(&target) else { return Ok(None) };
    let queries: Vec<Query> = std::iter::once(target)
        .chain(places(now, target))
        .map(|address| Query::CodeHash { address })
        .collect();
    let found = link.answers(&queries, block)?;
    Ok(queries.iter().filter_map(|query| word(&found, query)).find(|hash| !pinned.contains(hash)))
}
