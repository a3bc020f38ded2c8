//! Signatures made ahead of time: one owner's, of one transaction at each nonce of a range.
//!
//! A set of them is a bearer instrument: whoever has as many of one nonce as the threshold asks for can use them without
//! asking anybody.

use std::collections::{BTreeMap, HashSet};

use alloy::primitives::{Address, hex};

use super::truncated::Truncated;
use super::{Finds, OwnerSignature, ProposalAndOwners, StatedAhead, VerifyError};
use crate::safe::{EcdsaSignature, Nonce, SafeTxHash};

/// The most signatures of sets that are recovered in one run, including those that are tried at other nonces.
const MOST_RECOVERED: usize = 20_000;
/// The distance from its stated nonce within which a signature is tried at other nonces, to say which one it is for.
const WINDOW: u64 = 3;

/// An owner's signature of a transaction at a nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAhead {
    /// The place of its transaction among those that were wanted.
    pub target: usize,
    pub nonce: Nonce,
    pub signature: OwnerSignature,
    /// The time at which it was made, by its line's own word: seconds since 1970.
    pub made: Option<u64>,
}

/// The result for all signatures made ahead that were found.
#[derive(Clone, Debug, Default)]
pub struct GatheredAhead {
    /// At most one of an owner for a nonce.
    pub new: Vec<SignedAhead>,
    /// The place of the text in which it was found, and why it was refused.
    pub refused: Truncated<(usize, String)>,
    pub unread: usize,
}

/// Sorts out the signatures made ahead that were found: each is verified over the wanted transactions at the very nonce
/// that it names, and over no other.
pub fn gather_ahead(found: &[Finds], wanted: &[ProposalAndOwners]) -> GatheredAhead {
    gather_ahead_within(MOST_RECOVERED, found, wanted)
}

/// The same, with so many recoveries at most.
pub(super) fn gather_ahead_within(
    mut left: usize,
    found: &[Finds],
    wanted: &[ProposalAndOwners],
) -> GatheredAhead {
    let mut gathered = GatheredAhead::default();
    let mut seen: HashSet<(SafeTxHash, Address)> = HashSet::new();
    let all = found.iter().enumerate().flat_map(|(text, finds)| finds.ahead.iter().map(move |a| (text, a)));
    for (text, ahead) in all {
        if left < wanted.len() {
            gathered.unread += 1;
            continue;
        }
        left -= wanted.len();
        let signed = wanted.iter().enumerate().find_map(|(at, one)| verify(at, ahead, one).ok());
        match signed {
            Some(signed) => {
                if seen.insert((signed.signature.hash(), signed.signature.owner())) {
                    gathered.new.push(signed);
                }
            }
            None => gathered.refused.push(|| (text, refusal_reason(ahead, wanted))),
        }
    }
    gathered
}

fn verify(
    target: usize,
    ahead: &StatedAhead,
    wanted: &ProposalAndOwners,
) -> Result<SignedAhead, VerifyError> {
    let proposal = wanted.proposal.with_nonce(ahead.nonce);
    let signature = OwnerSignature::verify(&ahead.stated, &proposal, &wanted.owners)?;
    let made = ahead.stated.claims.as_ref().and_then(|claims| claims.made);
    Ok(SignedAhead { target, nonce: ahead.nonce, signature, made })
}

/// Says what a signature that is refused is: of another nonce, or of another transaction.
fn refusal_reason(ahead: &StatedAhead, wanted: &[ProposalAndOwners]) -> String {
    let named = u64::try_from(ahead.nonce.0).unwrap_or(u64::MAX);
    for nonce in (named.saturating_sub(WINDOW)..=named.saturating_add(WINDOW)).map(Nonce::from) {
        let other = StatedAhead { nonce, ..ahead.clone() };
        if let Some(signed) = wanted.iter().find_map(|one| verify(0, &other, one).ok()) {
            let owner = signed.signature.owner();
            return format!("{owner} signed nonce {nonce}, and it is given for nonce {}", ahead.nonce);
        }
    }
    let claims = ahead.stated.claims.as_ref();
    let safe = claims.and_then(|claims| Some((claims.chain_id?, claims.safe?)));
    let is_here = |(chain, safe): &(u64, Address)| {
        wanted
            .iter()
            .any(|one| (one.proposal.safe().chain_id, one.proposal.safe().address) == (*chain, *safe))
    };
    if let Some((chain, safe)) = safe.filter(|safe| !is_here(safe)) {
        return format!("it says that it is for Safe {safe} on chain {chain}, which is not the one named");
    }
    let nonce = ahead.nonce;
    let first = wanted.first().map(|one| verify(0, ahead, one));
    match first {
        Some(Err(VerifyError::NotAnOwner(signer))) => format!(
            "at nonce {nonce} it was made by {signer}, which is not an owner of this Safe, or it signs another \
             transaction"
        ),
        Some(Err(error)) => format!("at nonce {nonce}: {error}"),
        Some(Ok(_)) | None => "there is no transaction here that it could be for".into(),
    }
}

/// Keeps at most so many signatures of each nonce and transaction, those that are kept already counted. Returns what is
/// to be kept, and how many were left out of each nonce.
pub fn keep_at_most(
    most: usize,
    new: Vec<SignedAhead>,
    kept: &[(SafeTxHash, Address)],
) -> (Vec<SignedAhead>, BTreeMap<Nonce, usize>) {
    let mut of_hash: BTreeMap<SafeTxHash, HashSet<Address>> = BTreeMap::new();
    for (hash, owner) in kept {
        of_hash.entry(*hash).or_default().insert(*owner);
    }
    let (mut keep, mut left_out) = (Vec::new(), BTreeMap::new());
    for signed in new {
        let owners = of_hash.entry(signed.signature.hash()).or_default();
        if owners.contains(&signed.signature.owner()) {
            continue;
        }
        if owners.len() < most {
            owners.insert(signed.signature.owner());
            keep.push(signed);
        } else {
            *left_out.entry(signed.nonce).or_default() += 1;
        }
    }
    (keep, left_out)
}

/// Returns a signature as Base keeps them: `signer:nonce:signature,`, without `0x` before the signature.
///
/// Source: base/contract-deployments, Makefile of 2026-06-02-pause-superchain-config.
pub fn base_entry(nonce: Nonce, signature: &EcdsaSignature) -> String {
    format!("{}:{nonce}:{},", signature.signer(), hex::encode(signature.bytes()))
}
