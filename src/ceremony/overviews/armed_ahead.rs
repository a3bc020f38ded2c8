//! Transactions that are signed ahead and can still be used, for the overview: without the nonces that their Safe has
//! used.

use alloy::primitives::{Address, U256};

use crate::ceremony::desk::Desk;
use crate::ceremony::folder::armed_sets::Group;
use crate::evm::{Answer, Query, Readings};
use crate::safe::{Nonce, slot, slot_word};

/// A transaction that is signed ahead.
#[derive(Debug)]
pub struct ArmedAhead {
    /// The words of a command for it, or that no lever of the reader's gives it.
    pub words: String,
    pub safe: String,
    /// The nonces that are not used, as far as the chain was read; in order.
    pub nonces: Vec<Nonce>,
}

/// Returns the question for the next nonce of a Safe.
pub fn nonce_query(safe: Address) -> Query {
    Query::Storage { address: safe, slot: slot_word(slot::NONCE) }
}

/// Returns a transaction that is signed ahead, without the nonces that the Safe has used or that no owner has signed; `None`
/// if none remains. So many signatures are `left` to be recovered.
pub fn unused(
    desk: &Desk,
    group: &Group,
    readings: Option<&Readings>,
    left: &mut usize,
) -> Option<ArmedAhead> {
    let next = readings.and_then(|readings| match readings.get(&nonce_query(group.safe()?.address))? {
        Answer::Value(word) => Some(Nonce(U256::try_from_be_slice(word)?)),
        Answer::Reverted(_) => None,
    });
    let mut nonces = desk.nonces_of_group(group, left);
    nonces.retain(|nonce| next.is_none_or(|next| *nonce >= next));
    let (words, safe) = desk.name_of_group(group);
    (!nonces.is_empty()).then_some(ArmedAhead { words, safe, nonces })
}
