//! Whose signatures count for one Safe, and what each of them signs.

use std::collections::HashSet;

use alloy::primitives::Address;

use super::{Proposal, approval_query};
use crate::evm::Query;
use crate::safe::{
    Answering, DEEPEST, Domain, MOST_SAFES, Owners, Question, SafeId, SafeMessage, SafeState, SafeTxHash,
};

/// The owners of one Safe: as the reader's own council file pins them, as the chain has them, or both. Never as a
/// proposal's file says, and nobody who only owns another Safe.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeOwners {
    chain_id: u64,
    safe: Address,
    list: Vec<Address>,
    set: HashSet<Address>,
    /// The Safes among them.
    children: Vec<OwnerSafe>,
}

/// A Safe that owns a Safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerSafe {
    pub id: SafeId,
    /// `None` if it cannot answer by a signature.
    pub by: Option<Answering>,
    pub owners: SafeOwners,
}

/// A Safe whose owners can sign for a proposal: the proposal's own, or one that owns it, by whatever way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way<'o> {
    /// The Safes from the proposal's own down to this one, without the first; empty for the proposal's own.
    pub through: Vec<Address>,
    /// In which domain its owners sign.
    pub domain: Domain,
    /// The hash that its owners sign: the proposal's, or that of the message.
    pub signs: SafeTxHash,
    /// `None` for the proposal's own Safe, whose owners sign the transaction.
    pub message: Option<SafeMessage>,
    pub owners: &'o SafeOwners,
}

impl SafeOwners {
    /// `None` if neither the council file nor the chain says.
    pub fn new(
        (chain_id, safe): (u64, Address),
        pinned: Option<&Owners>,
        now: Option<&Owners>,
    ) -> Option<Self> {
        let present = now.or(pinned)?.list();
        // A former owner is recognised too, and set aside by name when approvals are counted.
        let pinned = pinned.map(Owners::list).unwrap_or_default();
        let mut set = HashSet::new();
        let list = present.iter().chain(pinned).copied().filter(|owner| set.insert(*owner)).collect();
        Some(Self { chain_id, safe, list, set, children: Vec::new() })
    }

    /// Returns the owners of a Safe as the chain has it, and nobody else: neither former ones nor the owners of the Safes among
    /// them.
    pub fn of(safe: &SafeState) -> Self {
        let list = safe.owners.list().to_vec();
        let set = list.iter().copied().collect();
        Self { chain_id: safe.id.chain_id, safe: safe.id.address, list, set, children: Vec::new() }
    }

    /// Returns them with the Safes among them; others are left out.
    pub fn with_safes(self, safes: Vec<OwnerSafe>) -> Self {
        let mut children = safes;
        children.retain(|safe| self.contains(safe.id.address));
        Self { children, ..self }
    }

    /// Returns one of them alone.
    pub fn restricted_to(&self, owner: Address) -> Self {
        let list: Vec<Address> = self.contains(owner).then_some(owner).into_iter().collect();
        Self { set: list.iter().copied().collect(), list, children: Vec::new(), ..*self }
    }

    /// Returns `true` if they are the owners of this Safe on its chain.
    pub fn are_of(&self, safe: &SafeId) -> bool {
        (safe.chain_id, safe.address) == (self.chain_id, self.safe)
    }

    /// Returns `true` if this address is an owner of the Safe itself.
    pub fn contains(&self, address: Address) -> bool {
        self.set.contains(&address)
    }

    /// Returns the owners of the Safe itself.
    pub fn list(&self) -> &[Address] {
        &self.list
    }

    /// The Safe among them with this address.
    pub fn child(&self, address: Address) -> Option<&OwnerSafe> {
        self.children.iter().find(|child| child.id.address == address)
    }

    /// Returns those of its owners that are known to be Safes, with their own owners.
    pub fn children(&self) -> &[OwnerSafe] {
        &self.children
    }

    /// Asks of each owner, here and below, if they have approved on chain what they would sign; of each Safe at most so many.
    pub fn approval_queries(&self, proposal: &Proposal, most: usize) -> Vec<Query> {
        let ways = self.ways(proposal);
        let of = |way: &Way| {
            let ask = |owner: &Address| approval_query(way.domain.safe().address, &way.signs, *owner);
            way.owners.list.iter().take(most).map(ask).collect::<Vec<_>>()
        };
        ways.iter().flat_map(of).collect()
    }

    /// Returns every Safe whose owners can sign for a proposal, the nearest first: the proposal's own, those that own it, and
    /// so on.
    pub fn ways(&self, proposal: &Proposal) -> Vec<Way<'_>> {
        let own = Way {
            through: Vec::new(),
            domain: *proposal.domain(),
            signs: proposal.hash(),
            message: None,
            owners: self,
        };
        let mut ways = vec![(own, Some(Question::about(proposal.safe().version, proposal.hashes())))];
        let mut at = 0;
        while let Some((way, asks)) = ways.get(at).cloned() {
            at += 1;
            let Some(asks) = asks.filter(|_| way.through.len() < DEEPEST) else { continue };
            for child in &way.owners.children {
                // One that can take no part in a drill is not a way in it.
                let Ok(domain) = Domain::of(child.id, proposal.purpose()) else { continue };
                let message = child.by.and_then(|by| SafeMessage::answering(&domain, by, &asks));
                let Some(message) = message.filter(|_| ways.len() <= MOST_SAFES) else { continue };
                let through = [&way.through[..], &[child.id.address]].concat();
                let (signs, asks) = (message.hashes.safe_tx, message.asks.clone());
                let owners = &child.owners;
                ways.push((Way { through, domain, signs, message: Some(message), owners }, asks));
            }
        }
        ways.into_iter().map(|(way, _)| way).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_councils_and_the_chains_and_of_one_safe() {
        let [a, b, c] = [1, 2, 3].map(Address::repeat_byte);
        let owners = |list: &[Address]| Owners::new(list.to_vec(), 1).unwrap();
        let of = |pinned: Option<&Owners>, now: Option<&Owners>| {
            SafeOwners::new((1, a), pinned, now).map(|owners| owners.list)
        };
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(&owners(&[a, b])), None), Some(vec![a, b]));
        assert_eq!(of(None, Some(&owners(&[b]))), Some(vec![b]));
        assert_eq!(of(Some(&owners(&[a, b])), Some(&owners(&[b, c]))), Some(vec![b, c, a]));
    }
}
