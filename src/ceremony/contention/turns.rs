//! Two levers that want one nonce of a Safe: the one that keeps it, and the nonce of the other.

use std::collections::BTreeSet;

use alloy::primitives::Address;

use crate::ceremony::desk::Desk;
use crate::ceremony::online::propose;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::rehearse::Rehearsed;
use crate::council::{self, expand};
use crate::error::Error;
use crate::proposal::{BoundLever, Contender, OwnerSignature, Proposal, SafeOwners, nonce_keeper};
use crate::safe::Nonce;

/// The most nonces that are tried for a free one.
const MOST_NONCES: usize = 20;

impl<'a> Desk<'a> {
    /// Returns the number of owners who have signed a proposal that is kept here.
    pub fn signers(&self, proposal: &Proposal, owners: &SafeOwners) -> Result<usize, Error> {
        let mut signers: Vec<_> =
            self.signatures(proposal, owners)?.iter().map(OwnerSignature::owner).collect();
        signers.sort();
        signers.dedup();
        Ok(signers.len())
    }

    /// Returns the other lever that keeps the nonce of a proposal; `None` if the proposal may have it.
    pub fn keeper(
        &self,
        proposal: &Proposal,
        safe: &council::Safe,
        owners: &SafeOwners,
    ) -> Result<Option<Contender>, Error> {
        // A drill uses no nonce.
        if proposal.is_drill() {
            return Ok(None);
        }
        self.keeper_at(proposal, proposal.nonce(), safe, owners)
    }

    /// Returns the other lever that keeps the nonce of an open proposal, or an earlier one from `next` on: the proposal
    /// must move, or has moved, to a later one.
    pub fn keeper_since(
        &self,
        proposal: &Proposal,
        next: Nonce,
        safe: &council::Safe,
        owners: &SafeOwners,
    ) -> Result<Option<Contender>, Error> {
        let mut nonce = next;
        for _ in 0..MOST_NONCES {
            if nonce > proposal.nonce() {
                break;
            }
            if let Some(keeper) = self.keeper_at(proposal, nonce, safe, owners)? {
                return Ok(Some(keeper));
            }
            nonce = nonce.next();
        }
        Ok(None)
    }

    fn keeper_at(
        &self,
        proposal: &Proposal,
        nonce: Nonce,
        safe: &council::Safe,
        owners: &SafeOwners,
    ) -> Result<Option<Contender>, Error> {
        let pulled = proposal.binding().pulled();
        let mut own = self.contender(proposal, nonce);
        let mut others: Vec<Contender> = Vec::new();
        for kept in self.kept(|p| p.nonce() == nonce && self.is_of(p, safe))? {
            let signers = self.signers(&kept, owners)?;
            let one = Contender { signers, ..self.contender(&kept, nonce) };
            if kept.binding().pulled() == pulled {
                own.signers = own.signers.max(signers);
            } else {
                others.push(one);
            }
        }
        Ok(nonce_keeper(&own, &others).cloned())
    }

    /// Returns a sentence for each other signed proposal of the same nonce with some of the same levers: its signatures
    /// do not count for this one, and its owners must sign this one instead.
    pub fn lost(
        &self,
        proposal: &Proposal,
        safe: &council::Safe,
        owners: &SafeOwners,
    ) -> Result<Vec<String>, Error> {
        if proposal.is_drill() {
            return Ok(Vec::new());
        }
        let nonce = proposal.nonce();
        let (pulled, own) = (proposal.binding().pulled(), self.contender(proposal, nonce));
        let signed = |p: &Proposal| -> Result<BTreeSet<Address>, Error> {
            Ok(self.signatures(p, owners)?.iter().map(OwnerSignature::owner).collect())
        };
        let counted = signed(proposal)?;
        let instead = proposal.binding().command(&self.council).unwrap_or_else(|| own.title.clone());
        let mut lost = Vec::new();
        for kept in self.kept(|p| p.nonce() == nonce && self.is_of(p, safe))? {
            let other = self.contender(&kept, nonce);
            if kept.binding().pulled() == pulled || !other.shares_a_lever(&own) {
                continue;
            }
            let names: Vec<String> =
                signed(&kept)?.difference(&counted).map(|owner| self.name_of(*owner)).collect();
            if !names.is_empty() {
                let (names, title) = (names.join(", "), &other.title);
                lost.push(format!(
                    "{names} signed {title} for nonce {nonce}, which does not count here: breakglass sign {instead}"
                ));
            }
        }
        Ok(lost)
    }

    fn contender(&self, proposal: &Proposal, nonce: Nonce) -> Contender {
        let bound = proposal.binding().levers();
        let place = |name: &String| self.council.levers.get(name).map(|lever| lever.place);
        let entry = |bound: &BoundLever| self.catalogue.get(bound.playbook.as_str()).ok();
        Contender {
            title: proposal.binding().pull().words().unwrap_or_else(|| proposal.binding().title()),
            levers: bound.iter().filter_map(|bound| bound.lever.clone()).collect(),
            nonce,
            signers: 0,
            severity: bound.iter().filter_map(entry).map(|entry| entry.playbook.severity).min(),
            place: bound
                .iter()
                .filter_map(|bound| bound.lever.as_ref())
                .filter_map(place)
                .min()
                .unwrap_or(usize::MAX),
        }
    }

    /// Moves a new proposal to the next free nonce if another lever keeps its nonce.
    pub fn make_room(
        &'a self,
        new: Rehearsed<'a>,
        order: Order<'a>,
        given: &Given,
    ) -> Result<Rehearsed<'a>, Error> {
        let derived = &new.online.derived;
        let Some(first) = derived.keeper.clone() else { return Ok(new) };
        let pull = &order.pull;
        let parts = expand(&self.council, &pull.names, &pull.without, pull.undo).map(|all| all.parts);
        let of_safe = parts.unwrap_or_default().iter().filter(|part| part.safe == order.safe.name).count();
        // Transactions that follow each other stay together.
        if given.nonce.is_some() || of_safe != 1 {
            return Ok(new);
        }
        let mut nonce = derived.proposal.nonce();
        for _ in 0..MOST_NONCES {
            nonce = nonce.next();
            if self.keeper_at(&derived.proposal, nonce, derived.safe, &derived.owners)?.is_none() {
                break;
            }
        }
        let given = Given { nonce: Some(nonce), ..given.clone() };
        let view = self.read_point(order.safe)?;
        let mut online = propose(self, order, view, &given, None, true)?;
        online.derived.keeper = Some(first);
        Ok(online.rehearse(self.progress, None, None).approving(new.approved))
    }
}
