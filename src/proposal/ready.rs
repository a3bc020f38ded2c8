//! Is it enough? A proposal, its signatures and the Safe as it is now give a [`Ready`], or say what is missing.

use std::collections::HashSet;

use alloy::primitives::{Address, Bytes};

use super::{OwnerSignature, Proposal};
use crate::evm::Fresh;
use crate::safe::{
    Approval, Drift, EcdsaSignature, Nonce, SafeId, SafeState, SafeTxHash, Threshold, decode_exec,
    encode_approvals,
};

/// r ‖ s ‖ v of one owner.
const APPROVAL_BYTES: usize = 65;

/// A transaction that the Safe will accept: the only thing that can be sent. [`assemble`] and [`reassemble`] alone make one,
/// from the Safe as the chain room has just read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    safe: SafeId,
    hash: SafeTxHash,
    signatures: Bytes,
    calldata: Bytes,
}

impl Ready {
    #[must_use]
    pub const fn safe(&self) -> &SafeId {
        &self.safe
    }

    #[must_use]
    pub const fn hash(&self) -> SafeTxHash {
        self.hash
    }

    /// The whole `execTransaction` call, to be sent to the Safe with no ether.
    #[must_use]
    pub const fn calldata(&self) -> &Bytes {
        &self.calldata
    }

    /// The approvals in the calldata, as the Safe reads them.
    #[must_use]
    pub const fn signatures(&self) -> &Bytes {
        &self.signatures
    }
}

/// How far along a proposal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    pub approved: Vec<Approval>,
    pub threshold: Threshold,
    /// Current owners who have not approved.
    pub missing: Vec<Address>,
    /// Former owners: their signatures were valid when they were made and do not count now.
    pub former: Vec<Address>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReady {
    Shortfall(Shortfall),
    /// The Safe has used this nonce: this proposal was executed, or another took its place.
    NonceUsed {
        proposal: Nonce,
        safe: Nonce,
    },
    /// Transactions with lower nonces must run first.
    NonceAhead {
        proposal: Nonce,
        safe: Nonce,
    },
    /// The Safe is not the one that was signed for: its chain, address, version or singleton is another.
    Moved(Vec<Drift>),
}

/// Who has approved, counted against the Safe as it is now.
///
/// Each owner counts once, former owners and signatures of another proposal do not, and order does not matter. `on_chain` are the owners whose
/// `approvedHashes` entry for this proposal is set.
#[must_use]
pub fn count(
    proposal: &Proposal,
    signatures: &[OwnerSignature],
    on_chain: &[Address],
    now: &SafeState,
) -> Shortfall {
    tally(&approvals(proposal, signatures, on_chain), now)
}

fn approvals(proposal: &Proposal, signatures: &[OwnerSignature], on_chain: &[Address]) -> Vec<Approval> {
    let ours = signatures.iter().filter(|s| s.hash() == proposal.hash());
    let signed = ours.map(OwnerSignature::approval);
    signed.chain(on_chain.iter().copied().map(Approval::OnChain)).collect()
}

fn tally(approvals: &[Approval], now: &SafeState) -> Shortfall {
    let owners: HashSet<Address> = now.owners.list().iter().copied().collect();
    let mut counted: HashSet<Address> = HashSet::new();
    let mut approved: Vec<Approval> = Vec::new();
    let mut former = Vec::new();
    for approval in approvals {
        let owner = approval.owner();
        if !counted.insert(owner) {
            continue;
        }
        if owners.contains(&owner) {
            approved.push(*approval);
        } else {
            former.push(owner);
        }
    }
    approved.sort_by_key(Approval::owner);
    let missing = now.owners.list().iter().copied().filter(|owner| !counted.contains(owner)).collect();
    Shortfall { approved, threshold: now.owners.threshold(), missing, former }
}

/// Verifies everything the Safe will verify, against its state now.
///
/// # Errors
/// If signatures are missing or the Safe has moved, see [`NotReady`].
pub fn assemble(
    proposal: &Proposal,
    signatures: &[OwnerSignature],
    on_chain: &[Address],
    now: &Fresh<SafeState>,
) -> Result<Ready, NotReady> {
    ready(proposal, &approvals(proposal, signatures, on_chain), now)
}

/// Makes a call that was signed before ready again: its own approvals, verified against the Safe as it is now. `None` if the Safe
/// would not take this very call.
#[must_use]
pub fn reassemble(
    proposal: &Proposal,
    calldata: &[u8],
    on_chain: &[Address],
    now: &Fresh<SafeState>,
) -> Option<Ready> {
    let (_, signatures) = decode_exec(calldata, proposal.nonce())?;
    let (hash, version) = (proposal.hash(), proposal.safe().version);
    let read = |part: &[u8]| match part {
        [owner @ .., 1] if part.len() == APPROVAL_BYTES => {
            let owner = Address::from_slice(owner.get(12..32)?);
            on_chain.contains(&owner).then_some(Approval::OnChain(owner))
        }
        _ => EcdsaSignature::from_safe_bytes(part, &hash, version).ok().map(Approval::Signed),
    };
    let approvals: Vec<Approval> = signatures.chunks(APPROVAL_BYTES).map(read).collect::<Option<_>>()?;
    ready(proposal, &approvals, now).ok().filter(|ready| *ready.calldata == *calldata)
}

/// The approvals as the Safe would read them if it were this proposal's turn: for a rehearsal. Nothing can be sent from them.
/// `None` if there are too few, or if it is another Safe than the one that was signed for.
#[must_use]
pub fn likely_approvals(
    proposal: &Proposal,
    signatures: &[OwnerSignature],
    on_chain: &[Address],
    now: &SafeState,
) -> Option<Bytes> {
    let tally = tally(&approvals(proposal, signatures, on_chain), now);
    chosen(&tally).filter(|_| moved(proposal, now).is_empty()).map(encode_approvals)
}

/// Returns what makes it another Safe than the one that was signed for.
fn moved(proposal: &Proposal, now: &SafeState) -> Vec<Drift> {
    let mut drift = proposal.snapshot().drift(now);
    drift.retain(|d| d.what.is_identity());
    drift
}

/// The Safe reads only the first `threshold`, so only they go in: the lowest addresses, whoever signed besides. `None` if
/// there are too few.
fn chosen(tally: &Shortfall) -> Option<&[Approval]> {
    tally.approved.get(..tally.threshold.get())
}

fn ready(proposal: &Proposal, approvals: &[Approval], now: &Fresh<SafeState>) -> Result<Ready, NotReady> {
    let moved = moved(proposal, now);
    if !moved.is_empty() {
        return Err(NotReady::Moved(moved));
    }
    let nonces = (proposal.nonce(), now.nonce);
    if nonces.0 < nonces.1 {
        return Err(NotReady::NonceUsed { proposal: nonces.0, safe: nonces.1 });
    }
    if nonces.0 > nonces.1 {
        return Err(NotReady::NonceAhead { proposal: nonces.0, safe: nonces.1 });
    }
    let tally = tally(approvals, now);
    let Some(chosen) = chosen(&tally) else { return Err(NotReady::Shortfall(tally)) };
    let signatures = encode_approvals(chosen);
    Ok(Ready {
        safe: *proposal.safe(),
        hash: proposal.hash(),
        calldata: proposal.tx().exec_calldata(signatures.clone()),
        signatures,
    })
}
