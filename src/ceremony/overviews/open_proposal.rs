//! A proposal that is open, with its signatures by the kept files and by the Safe as it is now.

use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall;

use crate::ceremony::desk::Desk;
use crate::ceremony::overviews::armed_ahead::nonce_query;
use crate::chain::Sighting;
use crate::council;
use crate::error::Error;
use crate::evm::{Answer, Query, Readings};
use crate::incident::{Entry, Journal, Utc};
use crate::proposal::{Approvals, Contender, Proposal, Shortfall, count};
use crate::safe::{ISafe, Nonce, Owners, SafeState, SafeTree, slot, slot_word};

/// The most owners of a Safe whose approvals on chain are asked for.
const MOST_OWNERS_ASKED: usize = 20;

/// A proposal that was not executed yet.
#[derive(Debug)]
pub struct OpenProposal {
    pub proposal: Proposal,
    pub safe: String,
    pub chain: String,
    /// `None` if the chain was not read.
    pub next: Option<Nonce>,
    pub tally: Shortfall,
    /// Another lever that keeps its nonce, or one before it that it would have.
    pub keeper: Option<Contender>,
    /// The time of this machine's first journal entry about it.
    pub since: Option<Utc>,
    /// The words of a command for it.
    pub words: String,
}

/// Returns the questions for the Safe's nonce, owners and threshold, and for approvals on chain of the pinned owners.
pub(super) fn queries(desk: &Desk, proposal: &Proposal) -> Vec<Query> {
    let pinned = desk.safe_of(proposal).ok().and_then(|safe| desk.owners(safe, None));
    let approvals = pinned.map(|owners| owners.approval_queries(proposal, MOST_OWNERS_ASKED));
    safe_queries(proposal.safe().address).into_iter().chain(approvals.unwrap_or_default()).collect()
}

fn safe_queries(address: Address) -> [Query; 3] {
    let storage = |number| Query::Storage { address, slot: slot_word(number) };
    let owners = ISafe::getOwnersCall {}.abi_encode().into();
    [nonce_query(address), storage(slot::THRESHOLD), Query::Call { from: None, to: address, data: owners }]
}

/// Returns the proposal, unless its nonce is used.
pub(super) fn open(
    desk: &Desk,
    chain: &council::CouncilChain,
    proposal: &Proposal,
    seen: Option<&Sighting>,
    journal: &Journal,
) -> Result<Option<OpenProposal>, Error> {
    let safe = desk.safe_of(proposal)?;
    let readings = seen.map(|seen| &seen.readings);
    let now = readings.and_then(|readings| safe_now(proposal, readings));
    let next = now.as_ref().map(|now| now.nonce);
    if next.is_some_and(|next| proposal.nonce() < next) {
        return Ok(None);
    }
    let tree = SafeTree::new(now.unwrap_or_else(|| proposal.snapshot().clone()), &desk.pinned_safes(safe));
    let (mut signatures, mut wallets, mut keeper) = (Vec::new(), Vec::new(), None);
    if let Some(owners) = desk.owners(safe, Some(&tree)) {
        (signatures, wallets) = desk.kept_signatures(proposal, &owners)?;
        if !proposal.is_drill() {
            keeper = desk.keeper_since(proposal, next.unwrap_or(proposal.nonce()), safe, &owners)?;
        }
    }
    let none = Readings::default();
    let approvals = Approvals::new(&signatures, &wallets, readings.unwrap_or(&none));
    Ok(Some(OpenProposal {
        safe: safe.name.clone(),
        chain: chain.name.clone(),
        next,
        tally: count(proposal, &approvals, &tree),
        keeper,
        since: first_entered(journal, proposal),
        words: desk.words_of(proposal, &[proposal.hash().to_string()]),
        proposal: proposal.clone(),
    }))
}

/// Returns the Safe as it is now, as far as it is asked here; `None` if it does not answer like a Safe.
fn safe_now(proposal: &Proposal, readings: &Readings) -> Option<SafeState> {
    let [nonce, threshold, owners] = safe_queries(proposal.safe().address);
    let value = |query: &Query| match readings.get(query)? {
        Answer::Value(data) => Some(data.clone()),
        Answer::Reverted(_) => None,
    };
    let number = |query: &Query| U256::try_from_be_slice(&value(query)?);
    let list = ISafe::getOwnersCall::abi_decode_returns_validate(&value(&owners)?).ok()?;
    let owners = Owners::new(list, number(&threshold)?.saturating_to()).ok()?;
    Some(SafeState { nonce: Nonce(number(&nonce)?), owners, ..proposal.snapshot().clone() })
}

fn first_entered(journal: &Journal, proposal: &Proposal) -> Option<Utc> {
    let about = |entry: &&Entry| {
        entry.draft.about.as_ref().is_some_and(|about| about.safe_tx_hash == proposal.hash())
    };
    journal.entries.iter().map(|(_, entry)| entry).find(about).map(|entry| entry.draft.time)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, Bytes};
    use alloy::sol_types::SolValue;

    use super::*;
    use crate::ceremony::tests::{Home, at, proposed};

    fn word(value: u64) -> Answer {
        Answer::Value(B256::from(U256::from(value)).into())
    }

    #[test]
    fn a_safe_that_does_not_answer_like_one_is_unknown() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let [nonce, threshold, owners] = safe_queries(vault.safe().address);
        let said = |count: u64, list: Answer| -> Option<SafeState> {
            let all = [(nonce.clone(), word(9)), (threshold.clone(), word(count)), (owners.clone(), list)];
            safe_now(&vault, &all.into_iter().collect())
        };
        let list = vec![Address::repeat_byte(1), Address::repeat_byte(2)];
        let answer = || Answer::Value(list.abi_encode().into());
        let now = said(2, answer()).unwrap();
        assert_eq!((now.nonce, now.owners.threshold().get()), (Nonce::from(9), 2));
        assert!(said(3, answer()).is_none(), "no Safe has this threshold");
        assert!(said(2, Answer::Reverted(Bytes::new())).is_none() && said(2, word(1)).is_none());
    }
}
