//! The files in `incidents/`, which others may have written. A proposal counts only if the reader's own council file
//! and playbooks give it, a signature only if an owner of that very Safe made it. Everything else is reported once and
//! ignored.

use std::collections::BTreeMap;

use crate::ceremony::derivation::First;
use crate::ceremony::desk::Desk;
use crate::ceremony::matching::underived;
use crate::ceremony::order::{Given, Order};
use crate::council;
use crate::error::{Error, Exit};
use crate::proposal::{
    OwnerSignature, Proposal, SafeOwners, Stated, StatedContract, Truncated, WalletSignature,
};
use crate::safe::Nonce;

impl Desk<'_> {
    /// Checks that the reader's own files give this proposal, from the values and the open arguments that it brings.
    /// The error has the difference.
    pub fn derives(&self, proposal: &Proposal) -> Result<(), String> {
        let safe = self.safe_of(proposal).map_err(|error| error.message)?;
        match underived(proposal, self.own_order(proposal, safe, &BTreeMap::new())) {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }

    /// Returns nonces and hashes of the proposals kept for one Safe at a nonce.
    pub fn others(&self, safe: &council::Safe, nonce: Nonce) -> Result<Vec<(Nonce, String)>, Error> {
        let rivals = self.kept(|p| p.nonce() == nonce && self.is_of(p, safe))?;
        Ok(rivals.iter().map(|p| (p.nonce(), p.hash().to_string())).collect())
    }

    pub(in crate::ceremony) fn is_of(&self, proposal: &Proposal, safe: &council::Safe) -> bool {
        self.safe_of(proposal).is_ok_and(|own| own.name == safe.name)
    }

    /// Returns the verified signatures kept for a proposal. A file that is not one is reported and ignored.
    pub fn signatures(&self, proposal: &Proposal, owners: &SafeOwners) -> Result<Vec<OwnerSignature>, Error> {
        Ok(self.kept_signatures(proposal, owners)?.0)
    }

    /// Returns [`Desk::signatures`], and those of contracts, which only their contracts can verify.
    pub fn kept_signatures(
        &self,
        proposal: &Proposal,
        owners: &SafeOwners,
    ) -> Result<(Vec<OwnerSignature>, Vec<WalletSignature>), Error> {
        let mut signatures: Vec<OwnerSignature> = Vec::new();
        let mut wallets: Vec<WalletSignature> = Vec::new();
        let mut left_out = Truncated::default();
        let ways = owners.ways(proposal);
        let mut names: Vec<String> =
            ways.iter().flat_map(|way| way.owners.list()).map(ToString::to_string).collect();
        names.sort_unstable();
        names.dedup();
        let stored = self.incidents.signatures(&self.folders(proposal.hash())?, &names)?;
        let unread = stored.left;
        for stored in stored.files {
            let text = match stored.text {
                Ok(text) => text,
                Err(error) => {
                    left_out.push(|| (stored.path, error.to_string()));
                    continue;
                }
            };
            if let Some(stated) = StatedContract::from_json(&text) {
                match WalletSignature::stated(&stated, proposal, owners) {
                    Ok(wallet) if !wallets.contains(&wallet) => wallets.push(wallet),
                    Ok(_) => {}
                    Err(why) => left_out.push(|| (stored.path, why)),
                }
                continue;
            }
            let verified = Stated::from_json(&text).ok_or_else(|| "it is not a signature file".to_string());
            let verified = verified.and_then(|stated| {
                self.filed.recover_once(&stated, proposal, owners).map_err(|e| e.to_string())
            });
            match verified {
                Ok(signature) => {
                    match signatures.iter_mut().find(|there| there.ecdsa() == signature.ecdsa()) {
                        Some(there) => _ = there.add_accepted(signature.accepted()),
                        None => signatures.push(signature),
                    }
                }
                Err(why) => left_out.push(|| (stored.path, why)),
            }
        }
        self.say_left_out("signature", &left_out, unread);
        for signature in self.signatures_ahead(proposal, owners)? {
            if signatures.iter().all(|there| there.ecdsa() != signature.ecdsa()) {
                signatures.push(signature);
            }
        }
        Ok((signatures, wallets))
    }

    /// Returns a filter for the proposals that an order may mean, before it is derived.
    pub fn filter_for(&self, order: &Order, given: &Given) -> Result<impl Fn(&Proposal) -> bool, Error> {
        let (safe, binding) = (order.safe, order.binding()?);
        let (purpose, nonce) = (order.purpose, order.nonce(given));
        Ok(move |p: &Proposal| {
            p.purpose() == purpose
                && p.binding().is_of(&binding, |bound, param, texts| order.is_same(bound, param, texts))
                && nonce.is_none_or(|n| n == p.nonce())
                && self.is_of(p, safe)
        })
    }

    /// Returns the nonces of the proposals that are wanted, derived or not, and `true` if all of one are closed.
    fn nonces(
        &self,
        wanted: impl Fn(&Proposal) -> bool,
        online: bool,
    ) -> Result<BTreeMap<Nonce, bool>, Error> {
        let mut nonces = BTreeMap::new();
        for (nonce, is_closed) in self.places(wanted, online)? {
            *nonces.entry(nonce).or_insert(true) &= is_closed;
        }
        Ok(nonces)
    }

    /// Returns the proposal kept for a lever with the nonce asked for. If there are several: the one at the Safe's
    /// nonce now, or the next after it, or else the last used one. Among several for one nonce: the one that the lever
    /// gives from the chain's values now, else the one that most owners have signed.
    pub fn stored_for(&self, order: &Order, given: &Given, online: bool) -> Result<Option<Proposal>, Error> {
        if order.is_drill() {
            return self.kept_drill(order, given);
        }
        let (set, safe) = (given.arguments()?, order.safe);
        let is_wanted = self.filter_for(order, given)?;
        let at = |nonce: Nonce| self.kept(|p| p.nonce() == nonce && is_wanted(p));
        let all = self.nonces(&is_wanted, online)?;
        let nonces = not_closed(&all);
        if !online {
            let mut found = Vec::new();
            for nonce in nonces {
                let kept = at(nonce)?;
                if !kept.is_empty() {
                    found.push((nonce, kept));
                }
                if found.len() > Truncated::<()>::SHOWN {
                    break;
                }
            }
            if found.len() > 1 {
                let nonces: Vec<String> = found.iter().map(|(nonce, _)| nonce.to_string()).collect();
                let message = format!(
                    "several proposals are kept for lever {}, with nonces {}",
                    order.binding()?.title(),
                    nonces.join(", ")
                );
                return Err(Error::new(Exit::Usage, message).hint("offline, say which with --nonce"));
            }
            let kept = found.pop().map(|(_, kept)| kept).unwrap_or_default();
            return Ok(self.most_signed(kept, &set, self.owners(safe, None).as_ref()));
        }
        let ahead = self.nonces_ahead(order, given)?;
        if let ([only], true) = (&nonces[..], ahead.is_empty()) {
            let mut kept = at(*only)?;
            // An outcome file and an unsigned proposal of another nonce may be anybody's.
            let pinned = self.owners(safe, None);
            let is_sole =
                all.len() == 1 || kept.iter().any(|proposal| self.signed_by(proposal, pinned.as_ref()) > 0);
            if kept.len() < 2 && is_sole {
                return Ok(kept.pop());
            }
        } else if nonces.is_empty() {
            return Ok(None);
        }
        let link = self.connect(safe)?;
        let nonce = given.nonce.map(|nonce| nonce.plus(order.after));
        let safes = self.likely_safes(safe);
        let first = First { nonce, safes: &safes, ..First::LATEST };
        let (seen, live) = self.progress.wait("reading the Safe's nonce", || order.live(&link, first))?;
        let (passed, open): (Vec<Nonce>, Vec<Nonce>) = all.into_keys().partition(|n| *n < seen.state.nonce);
        let turn = nonce.unwrap_or(seen.state.nonce);
        let owners = self.owners(safe, Some(&seen.tree()));
        let is_signed = |p: &Proposal| self.signed_by(p, owners.as_ref()) > 0;
        if ahead.contains(&turn) && !at(turn)?.iter().any(|p| is_signed(p) || given.names(p.hash())) {
            // It is derived as the chain is now: the set's signatures fit that, or they cannot be used.
            return Ok(None);
        }
        let mut kept = Vec::new();
        for nonce in open.into_iter().chain(passed.into_iter().rev()) {
            kept = at(nonce)?;
            if !kept.is_empty() {
                break;
            }
        }
        if let Some(at) = kept.iter().position(|p| given.names(p.hash())) {
            return Ok(Some(kept.swap_remove(at)));
        }
        // Proposals that somebody has signed come first.
        if kept.iter().any(is_signed) {
            kept.retain(is_signed);
        }
        if let Ok(live) = live
            && let Some(at) = kept.iter().position(|p| live.proposal.at_nonce(p.nonce()) == p.hash())
        {
            return Ok(Some(kept.swap_remove(at)));
        }
        Ok(self.most_signed(kept, &set, owners.as_ref()))
    }

    /// Returns the kept proposal of an order that is probably the next, as a guess at what will be read.
    pub fn likely_next(&self, order: &Order, given: &Given) -> Option<Proposal> {
        let is_wanted = self.filter_for(order, given).ok()?;
        let last = not_closed(&self.nonces(&is_wanted, true).ok()?).pop()?;
        self.kept(|p| p.nonce() == last && is_wanted(p)).ok()?.pop()
    }

    /// Returns the one that most owners have signed; those without foreign arguments first.
    fn most_signed(
        &self,
        mut kept: Vec<Proposal>,
        set: &BTreeMap<String, String>,
        owners: Option<&SafeOwners>,
    ) -> Option<Proposal> {
        kept.sort_by_cached_key(|p| (self.foreign(p, set).is_empty(), self.signed_by(p, owners)));
        kept.pop()
    }

    fn signed_by(&self, proposal: &Proposal, owners: Option<&SafeOwners>) -> usize {
        owners.and_then(|owners| self.signers(proposal, owners).ok()).unwrap_or_default()
    }
}

/// Returns the nonces that are not closed, or all if every one is closed.
fn not_closed(nonces: &BTreeMap<Nonce, bool>) -> Vec<Nonce> {
    let has_open = nonces.values().any(|is_closed| !is_closed);
    let counts = |(_, is_closed): &(&Nonce, &bool)| !(has_open && **is_closed);
    nonces.iter().filter(counts).map(|(nonce, _)| *nonce).collect()
}
