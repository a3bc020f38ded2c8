//! Which of the signatures that were found are owners' signatures of a proposal. Each is recovered once; the work that
//! strangers can cause is bounded, and what is over the bound is counted.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use alloy::primitives::Address;

use super::truncated::Truncated;
use super::unpack::SignatureParts;
use super::{
    Finds, OwnerSignature, Proposal, SafeOwners, Stated, StatedContract, VerifyError, WalletSignature,
};
use crate::safe::{Purpose, SafeTxHash};

/// Signatures recovered of those that state their hash: more than fit into one text of the largest size, so that
/// nothing in front of a good one keeps it out.
const MOST_STATED: usize = 60_000;
/// Signatures recovered of those that are bare, each once for every proposal that it may be for.
const MOST_BARE: usize = 20_000;

/// The most contracts' signatures that are taken apart.
const MOST_APART: usize = 1_000;
/// The most times that one of them is held against a proposal that it may be for.
const MOST_HELD: usize = 20_000;
/// The most contracts' signatures of one text that are asked about.
const MOST_CONTRACTS: usize = 100;
const NO_PROPOSAL: &str = "there is no proposal here that it could be for";

/// A proposal whose signatures are wanted.
#[derive(Clone, Debug)]
pub struct ProposalAndOwners<'a> {
    pub proposal: &'a Proposal,
    /// Whose signatures count.
    pub owners: SafeOwners,
}

/// A signature that is not an owner's signature of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSignature {
    /// The place of the text in which it was found.
    pub text: usize,
    pub stated: Stated,
    pub why: String,
}

/// The result for all that was found.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatherResult {
    /// At most one an owner and proposal: more are not needed.
    pub new: Vec<OwnerSignature>,
    /// Those that were found again.
    pub known: Vec<OwnerSignature>,
    /// The signatures of contracts that are owners, to be verified by asking them. At most [`MOST_CONTRACTS`].
    pub contracts: Vec<WalletSignature>,
    /// The number of further good signatures by an owner who has signed the proposal already.
    pub spare: BTreeMap<(SafeTxHash, Address), usize>,
    pub refused: Truncated<RefusedSignature>,
    /// The number that was not read, because the bound was reached.
    pub unread: usize,
    /// The number of signatures that were recovered: the work.
    pub recovered: usize,
}

/// Returns the signatures found in several texts, by what they are worth. All bare ones are tried on the first
/// proposal, then on the second: other files that somebody put there cannot use up the work for the one that was named.
///
/// The first of every text are read before the second of any: a text with many signatures does not displace the others.
pub fn gather(found: &[Finds], wanted: &[ProposalAndOwners]) -> GatherResult {
    let mut gathering = Gathering::default();
    let by_hash: HashMap<SafeTxHash, &ProposalAndOwners> =
        wanted.iter().map(|w| (w.proposal.hash(), w)).collect();
    let stated = interleaved(found, |finds| &finds.stated);
    let (ours, others): (Vec<_>, Vec<_>) =
        stated.into_iter().partition(|(_, s)| s.hash.is_some_and(|hash| by_hash.contains_key(&hash)));
    for (text, stated) in ours {
        let target = stated.hash.and_then(|hash| by_hash.get(&hash));
        gathering.take(text, &stated, target.copied(), MOST_STATED);
    }
    let before = gathering.gathered.recovered;
    let mut bare = interleaved(found, |finds| &finds.bare);
    bare.extend(gathering.take_contracts(found, wanted));
    gathering.take_bare(bare, wanted, before + MOST_BARE);
    for (text, stated) in others {
        let why = of_none(stated.hash, stated.purpose, wanted);
        gathering.gathered.refused.push(|| RefusedSignature { text, stated, why });
    }
    gathering.gathered
}

/// Returns the reason why a signature is refused that is for none of these proposals, by what it states.
fn of_none(hash: Option<SafeTxHash>, purpose: Option<Purpose>, wanted: &[ProposalAndOwners]) -> String {
    let (Some(first), Some(hash)) = (wanted.first(), hash) else { return NO_PROPOSAL.into() };
    let other = purpose.filter(|claimed| *claimed != first.proposal.purpose());
    other.map_or(VerifyError::OtherHash(hash), VerifyError::OtherPurpose).to_string()
}

/// Every different signature with the place of its text: the first of each text, then the second of each, and so on.
/// Puts each signature once. What is stated as accepted beside it is unsigned: of several such lists all is taken.
fn interleaved<'f>(found: &'f [Finds], list: impl Fn(&'f Finds) -> &'f Vec<Stated>) -> Vec<(usize, Stated)> {
    let texts = found.iter().enumerate();
    let mut all: Vec<(usize, usize, &Stated)> = texts
        .flat_map(|(text, finds)| list(finds).iter().enumerate().map(move |(rank, s)| (rank, text, s)))
        .collect();
    all.sort_by_key(|(rank, text, _)| (*rank, *text));
    let mut places = HashMap::new();
    let mut different: Vec<(usize, Stated)> = Vec::new();
    for (_, text, stated) in all {
        match places.entry((stated.hash, stated.bytes)) {
            Entry::Vacant(place) => {
                place.insert(different.len());
                different.push((text, stated.clone()));
            }
            Entry::Occupied(place) => different[*place.get()].1.add_accepted(&stated.accepted),
        }
    }
    different
}

impl GatherResult {
    /// Returns it with these signatures as known, because they are kept already.
    pub fn merge_known(mut self, kept: &[OwnerSignature]) -> Self {
        for signature in std::mem::take(&mut self.new) {
            let theirs = |k: &&OwnerSignature| k.is_in_place_of(&signature);
            let mut theirs = kept.iter().filter(theirs).peekable();
            if theirs.peek().is_none() {
                self.new.push(signature);
            } else if let Some(same) = theirs.find(|k| k.ecdsa() == signature.ecdsa()) {
                // An earlier sender of it does not decide what is shown beside it.
                let mut all = same.clone();
                let list =
                    if all.add_accepted(signature.accepted()) { &mut self.new } else { &mut self.known };
                list.push(all);
            } else {
                *self.spare.entry((signature.hash(), signature.owner())).or_default() += 1;
            }
        }
        self
    }
}

#[derive(Default)]
struct Gathering {
    gathered: GatherResult,
    held: HashMap<(SafeTxHash, Vec<Address>, Address), OwnerSignature>,
}

impl Gathering {
    /// Tries a signature on the proposal that it states, until `bound` signatures have been recovered in all.
    fn take(&mut self, text: usize, stated: &Stated, target: Option<&ProposalAndOwners>, bound: usize) {
        let Some(target) = target else { return };
        match self.recover(stated, target, bound) {
            None => self.gathered.unread += 1,
            Some(Ok(signature)) => self.hold(signature),
            Some(Err(error)) => {
                let refusal = || RefusedSignature { text, why: error.to_string(), stated: stated.clone() };
                self.gathered.refused.push(refusal);
            }
        }
    }

    /// Takes contracts' signatures apart. Those in one of a Safe are owners' signatures, and are returned as bare ones; those of
    /// other owners are to be asked about.
    fn take_contracts(&mut self, found: &[Finds], wanted: &[ProposalAndOwners]) -> Vec<(usize, Stated)> {
        let mut bare = Vec::new();
        let mut all: Vec<(usize, usize, &StatedContract)> = Vec::new();
        for (text, finds) in found.iter().enumerate() {
            all.extend(finds.contracts.iter().enumerate().map(|(rank, stated)| (rank, text, stated)));
        }
        all.sort_by_key(|(rank, text, _)| (*rank, *text));
        self.gathered.unread += all.len().saturating_sub(MOST_APART);
        all.truncate(MOST_APART);
        let mut all_parts: Vec<SignatureParts> = all.iter().map(|_| SignatureParts::default()).collect();
        let mut held = 0;
        // All are held against the first proposal, then against the second: what else is kept keeps none from it.
        for target in wanted {
            let ways = target.owners.ways(target.proposal);
            for ((_, _, stated), parts) in all.iter().zip(&mut all_parts) {
                if stated.hash.is_some_and(|hash| hash != target.proposal.hash()) {
                    continue;
                }
                if held >= MOST_HELD {
                    parts.is_cut = true;
                    continue;
                }
                held += 1;
                parts.take(target.proposal, &ways, &stated.through, stated.signature.clone());
            }
        }
        for ((_, text, stated), parts) in all.into_iter().zip(all_parts) {
            bare.extend(parts.bare.into_iter().map(|bytes| (text, Stated::bare(bytes))));
            let room = MOST_CONTRACTS.saturating_sub(self.gathered.contracts.len());
            self.gathered.unread += parts.contracts.len().saturating_sub(room);
            self.gathered.contracts.extend(parts.contracts.into_iter().take(room));
            if !parts.is_taken && parts.is_cut {
                self.gathered.unread += 1;
            } else if !parts.is_taken {
                let (hash, purpose) = (stated.hash, stated.purpose);
                let why = parts.refused.unwrap_or_else(|| of_none(hash, purpose, wanted));
                let stated = Stated { hash, purpose, ..Stated::bare([0; 65]) };
                self.gathered.refused.push(|| RefusedSignature { text, stated, why });
            }
        }
        bare
    }

    fn take_bare(&mut self, mut open: Vec<(usize, Stated)>, wanted: &[ProposalAndOwners], bound: usize) {
        let mut reasons: HashMap<[u8; 65], VerifyError> = HashMap::new();
        let mut over = HashSet::new();
        for target in wanted {
            open.retain(|(_, stated)| match self.recover(stated, target, bound) {
                None => {
                    over.insert(stated.bytes);
                    true
                }
                Some(Ok(signature)) => {
                    self.hold(signature);
                    false
                }
                Some(Err(error)) => {
                    reasons.entry(stated.bytes).or_insert(error);
                    true
                }
            });
        }
        for (text, stated) in open {
            if over.contains(&stated.bytes) {
                self.gathered.unread += 1;
            } else {
                let why = reasons.get(&stated.bytes).map_or_else(|| NO_PROPOSAL.into(), ToString::to_string);
                self.gathered.refused.push(|| RefusedSignature { text, stated, why });
            }
        }
    }

    /// `None` if `bound` signatures have been recovered already.
    fn recover(
        &mut self,
        stated: &Stated,
        target: &ProposalAndOwners,
        bound: usize,
    ) -> Option<Result<OwnerSignature, VerifyError>> {
        if self.gathered.recovered >= bound {
            return None;
        }
        self.gathered.recovered += 1;
        Some(OwnerSignature::verify(stated, target.proposal, &target.owners))
    }

    fn hold(&mut self, signature: OwnerSignature) {
        let key = (signature.hash(), signature.through().to_vec(), signature.owner());
        match self.held.get(&key) {
            None => {
                self.held.insert(key, signature.clone());
                self.gathered.new.push(signature);
            }
            Some(there) if there.ecdsa() != signature.ecdsa() => {
                *self.gathered.spare.entry((key.0, key.2)).or_default() += 1;
            }
            Some(_) => {}
        }
    }
}
