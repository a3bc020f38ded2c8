//! Sets that were signed ahead, kept apart from the proposals in files that only their owner can read. A signature of a
//! set counts like any other if it fits the transaction that the reader's own lever gives.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use alloy::primitives::Address;

use crate::ceremony::desk::Desk;
use crate::ceremony::find::{CommandPurpose, Found};
use crate::ceremony::folder::filed::{KeptSet, lock};
use crate::ceremony::folder::filing::{date, plain};
use crate::ceremony::order::{Given, Order};
use crate::ceremony::rehearse::Rehearsed;
use crate::clock;
use crate::error::{Error, Exit};
use crate::proposal::{
    Finds, OwnerSignature, Proposal, ProposalAndOwners, SafeOwners, Set, SignedAhead, Stated, Truncated,
    gather_ahead, keep_at_most,
};
use crate::safe::{Nonce, SafeTxHash};
use crate::store::Stored;

/// The most signatures of one transaction that are recovered from all sets, and those of another lever from one set.
const MOST_RECOVERED: usize = 20_000;
const MOST_RIVAL: usize = 200;

/// The result of an import of signatures made ahead.
#[derive(Default)]
pub struct AheadImport {
    pub kept: Vec<KeptAhead>,
    /// The number of the text in which it was found, and why it was refused.
    pub refused: Truncated<(usize, String)>,
    pub unread: usize,
}

/// One transaction with imported signatures.
pub struct KeptAhead {
    /// The transaction at the first nonce with a signature.
    pub proposal: Proposal,
    /// Its name: `vault · guardian on mainnet`.
    pub title: String,
    /// The words of a command for it: `vault`.
    pub words: String,
    /// `None` if nothing of it is kept.
    pub path: Option<PathBuf>,
    pub signed: Vec<SignedAhead>,
    /// The number left out at each nonce, because the last signature is made when it is needed.
    pub left_out: BTreeMap<Nonce, usize>,
    /// The nonces that the Safe has used already.
    pub used: Vec<Nonce>,
    /// The number that was known already.
    pub known: usize,
    pub threshold: usize,
}

impl<'a> Desk<'a> {
    /// Returns the kept sets. A file that is not one is reported and ignored.
    pub fn sets(&self) -> Result<Vec<Arc<KeptSet>>, Error> {
        let mut read = lock(&self.filed.sets);
        if let Some(sets) = &*read {
            return Ok(sets.clone());
        }
        let stored = self.incidents.sets()?;
        let (mut sets, mut left_out) = (Vec::new(), Truncated::default());
        for Stored { path, text, .. } in stored.files {
            let set = text
                .map_err(|error| error.to_string())
                .and_then(|text| Set::parse(&text).map_err(|error| error.to_string()));
            match set {
                Ok(set) => sets.push(Arc::new(KeptSet { path, set })),
                Err(why) => left_out.push(|| (path, why)),
            }
        }
        self.say_left_out("set", &left_out, stored.left);
        Ok(read.insert(sets).clone())
    }

    /// Returns the sets that a lever may mean, at any nonce.
    pub fn sets_of(&self, order: &Order, given: &Given) -> Result<Vec<Arc<KeptSet>>, Error> {
        let mut sets = self.sets()?;
        if !sets.is_empty() {
            let at_any = Given { nonce: None, ..given.clone() };
            let meant = self.filter_for(order, &at_any)?;
            sets.retain(|kept| meant(kept.set.proposal()));
        }
        Ok(sets)
    }

    /// Returns the nonces for which a lever is signed ahead, by the files alone.
    pub(in crate::ceremony) fn nonces_ahead(
        &self,
        order: &Order,
        given: &Given,
    ) -> Result<Vec<Nonce>, Error> {
        Ok(self.sets_of(order, given)?.iter().flat_map(|kept| kept.set.nonces()).collect())
    }

    /// Returns the signatures of a proposal that are kept in sets.
    pub(in crate::ceremony) fn signatures_ahead(
        &self,
        proposal: &Proposal,
        owners: &SafeOwners,
    ) -> Result<Vec<OwnerSignature>, Error> {
        let sets = self.sets()?;
        let mut all: Vec<(usize, Stated)> =
            sets.iter().flat_map(|kept| kept.set.stated_for(proposal).enumerate()).collect();
        // The first of every set come before the second of any, so that one large set does not displace the others.
        all.sort_by_key(|(rank, _)| *rank);
        all.truncate(MOST_RECOVERED);
        let verify = |(_, stated): &(usize, Stated)| self.filed.recover_once(stated, proposal, owners).ok();
        Ok(all.iter().filter_map(verify).collect())
    }

    /// Returns the other transactions that are signed ahead for this nonce of a proposal's Safe: the title and the
    /// signers of each.
    pub fn rivals_ahead(
        &self,
        proposal: &Proposal,
        owners: &SafeOwners,
    ) -> Result<Vec<(String, Vec<Address>)>, Error> {
        // A drill uses no nonce.
        if proposal.is_drill() {
            return Ok(Vec::new());
        }
        let mut rivals: BTreeMap<SafeTxHash, (String, Vec<Address>)> = BTreeMap::new();
        for kept in self.sets()? {
            let other = kept.set.proposal().with_nonce(proposal.nonce());
            if other.safe() != proposal.safe() || other.hash() == proposal.hash() {
                continue;
            }
            let stated: Vec<Stated> = kept.set.stated_for(&other).take(MOST_RIVAL).collect();
            let verify = |stated: &Stated| self.filed.recover_once(stated, &other, owners).ok();
            for signature in stated.iter().filter_map(verify) {
                let (_, signed) =
                    rivals.entry(other.hash()).or_insert_with(|| (self.title_of(&other), Vec::new()));
                if !signed.contains(&signature.owner()) {
                    signed.push(signature.owner());
                }
            }
        }
        Ok(rivals.into_values().collect())
    }

    /// Returns the levers of a proposal, or its hash if the reader's own files do not give it, because then only its
    /// file states the levers.
    pub(in crate::ceremony) fn title_of(&self, proposal: &Proposal) -> String {
        match self.derives(proposal) {
            Ok(()) => proposal.binding().pull().words().unwrap_or_else(|| proposal.binding().title()),
            Err(_) => format!("a transaction that your own files do not give, {}", proposal.hash()),
        }
    }

    /// Keeps the signatures made ahead that are an owner's of the named transactions, as the chain is now. At each
    /// nonce one signature fewer than the threshold is kept, unless the set shall be `complete`.
    pub fn import_ahead(
        &'a self,
        what: &[String],
        given: &Given,
        found: &[Finds],
        complete: bool,
    ) -> Result<AheadImport, Error> {
        let named = self.find(what, given, CommandPurpose::Propose)?;
        for proposal in named.iter().filter_map(Found::proposal) {
            self.derives(proposal).map_err(|why| Error::new(Exit::Refused, why))?;
        }
        let derive = |(title, Rehearsed { online, .. }): (String, Rehearsed<'a>)| {
            let now = online.seen.now().clone();
            // Only signatures that count take one of the places of a nonce.
            (title, online.derived.proposal, SafeOwners::of(&now), now)
        };
        let derived: Vec<_> =
            self.evaluate_or_leave_out(named, given, false)?.into_iter().map(derive).collect();
        let wanted: Vec<ProposalAndOwners> = derived
            .iter()
            .map(|(_, proposal, owners, _)| ProposalAndOwners { proposal, owners: owners.clone() })
            .collect();
        let gathered = gather_ahead(found, &wanted);
        let mut taken = AheadImport { kept: Vec::new(), refused: gathered.refused, unread: gathered.unread };
        for (at, (title, proposal, owners, now)) in derived.iter().enumerate() {
            let of_it = gathered.new.iter().filter(|signed| signed.target == at).cloned();
            let (used, open): (Vec<_>, Vec<_>) = of_it.partition(|signed| signed.nonce < now.nonce);
            if used.is_empty() && open.is_empty() {
                continue;
            }
            let threshold = now.owners.threshold().get();
            let most = if complete { usize::MAX } else { threshold - 1 };
            let kept = self.known_of(proposal, owners, &open)?;
            let is_known =
                |signed: &&SignedAhead| kept.contains(&(signed.signature.hash(), signed.signature.owner()));
            let known = open.iter().filter(is_known).count();
            let first = open.iter().chain(&used).map(|signed| signed.nonce).min();
            let (signed, left_out) = keep_at_most(most, open, &kept);
            let path = self.keep_set(proposal, &signed)?;
            taken.kept.push(KeptAhead {
                proposal: proposal.with_nonce(first.unwrap_or(proposal.nonce())),
                title: title.clone(),
                words: self.words_of(proposal, what),
                path,
                signed,
                left_out,
                used: used.iter().map(|signed| signed.nonce).collect(),
                known,
                threshold,
            });
        }
        Ok(taken)
    }

    /// Returns the owners who have already signed the transactions of these signatures, in a set or beside a proposal.
    fn known_of(
        &self,
        proposal: &Proposal,
        owners: &SafeOwners,
        open: &[SignedAhead],
    ) -> Result<Vec<(SafeTxHash, Address)>, Error> {
        let mut nonces: Vec<Nonce> = open.iter().map(|signed| signed.nonce).collect();
        nonces.sort();
        nonces.dedup();
        let mut known = Vec::new();
        for nonce in nonces {
            let signatures = self.signatures(&proposal.with_nonce(nonce), owners)?;
            known.extend(signatures.iter().map(|signature| (signature.hash(), signature.owner())));
        }
        Ok(known)
    }

    /// Keeps a set in a file of its own; `None` if there is nothing to keep.
    fn keep_set(&self, proposal: &Proposal, signed: &[SignedAhead]) -> Result<Option<PathBuf>, Error> {
        let now = clock::seconds();
        let Some(set) = Set::new(proposal, now, signed) else { return Ok(None) };
        let nonces = set.nonces();
        let (first, last) = (nonces.first(), nonces.last());
        let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
        let name = format!("{}-{}-n{first}-{last}", date(now), plain(&proposal.binding().title()));
        let path = self.incidents.keep_set(&name, &set.to_json())?;
        if let Some(sets) = &mut *lock(&self.filed.sets) {
            sets.push(Arc::new(KeptSet { path: path.clone(), set }));
        }
        Ok(Some(path))
    }
}
