//! Is it enough? A proposal, its signatures and the Safe as it is now give a [`Ready`], or say what is missing.

use std::collections::HashSet;

use alloy::primitives::{Address, Bytes};

use super::{OwnerSignature, Proposal};
use crate::safe::{Approval, Drift, Nonce, SafeId, SafeState, SafeTxHash, Threshold, encode_approvals};

/// A transaction that the Safe will accept: the only thing that can be broadcast. [`assemble`] alone makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    safe: SafeId,
    hash: SafeTxHash,
    signatures: Bytes,
    calldata: Bytes,
    signers: Vec<Address>,
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

    /// The owners whose approvals are in the calldata.
    #[must_use]
    pub fn signers(&self) -> &[Address] {
        &self.signers
    }
}

/// How far along a proposal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    pub approved: Vec<Approval>,
    pub threshold: Threshold,
    /// Current owners who have not approved.
    pub missing: Vec<Address>,
    /// Signatures that do not count now, with the reason.
    pub set_aside: Vec<SetAside>,
}

/// A signature that was valid when it was made and does not count now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub owner: Address,
    pub why: &'static str,
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
    let owners: HashSet<Address> = now.owners.list().iter().copied().collect();
    let mut counted: HashSet<Address> = HashSet::new();
    let mut approved: Vec<Approval> = Vec::new();
    let mut set_aside = Vec::new();
    let ours = signatures.iter().filter(|s| s.hash() == proposal.hash());
    let signed = ours.map(OwnerSignature::approval);
    for approval in signed.chain(on_chain.iter().copied().map(Approval::OnChain)) {
        let owner = approval.owner();
        if !counted.insert(owner) {
            continue;
        }
        if owners.contains(&owner) {
            approved.push(approval);
        } else {
            set_aside.push(SetAside { owner, why: "no longer an owner" });
        }
    }
    approved.sort_by_key(Approval::owner);
    let missing = now.owners.list().iter().copied().filter(|owner| !counted.contains(owner)).collect();
    Shortfall { approved, threshold: now.owners.threshold(), missing, set_aside }
}

/// Verifies everything the Safe will verify, against its state now.
///
/// # Errors
/// What is missing or has moved, see [`NotReady`].
pub fn assemble(
    proposal: &Proposal,
    signatures: &[OwnerSignature],
    on_chain: &[Address],
    now: &SafeState,
) -> Result<Ready, NotReady> {
    let moved: Vec<Drift> = proposal
        .snapshot()
        .drift(now)
        .into_iter()
        .filter(|d| matches!(d.what, "chain" | "Safe" | "version" | "singleton"))
        .collect();
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
    let tally = count(proposal, signatures, on_chain, now);
    let needed = tally.threshold.get();
    if tally.approved.len() < needed {
        return Err(NotReady::Shortfall(tally));
    }
    // The Safe reads only the first `threshold`, so only they go in: the lowest addresses, whoever signed besides.
    let chosen = &tally.approved[..needed];
    let signatures = encode_approvals(chosen);
    Ok(Ready {
        safe: *proposal.safe(),
        hash: proposal.hash(),
        calldata: proposal.tx().exec_calldata(signatures.clone()),
        signatures,
        signers: chosen.iter().map(Approval::owner).collect(),
    })
}
