//! Is it enough? A proposal, its signatures and the Safe as it is now give a [`Ready`], or say what is missing. Only what is
//! ready, and what one deputy may do alone, can be sent: [`Outgoing`].

use alloy::primitives::{Address, Bytes};

use super::approvals::ApprovalNode;
use super::{Approvals, Proposal, Shortfall};
use crate::evm::Fresh;
use crate::safe::{
    Approval, Call, Drift, Nonce, Pause, PauseSignature, SafeId, SafeState, SafeTree, SafeTxHash,
    SignatureKind, decode_exec, encode_approvals,
};

/// A transaction that the Safe will accept: the only thing that can be sent, and never a drill. [`assemble`] and [`reassemble`] alone make one,
/// from the Safe as the chain room has just read it.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    safe: SafeId,
    hash: SafeTxHash,
    /// The owner who counts because they send it.
    only_from: Option<Address>,
    signatures: Bytes,
    calldata: Bytes,
}

impl Ready {
    /// Returns the Safe that executes it.
    pub const fn safe(&self) -> &SafeId {
        &self.safe
    }

    /// Returns the hash that the owners approved.
    pub const fn hash(&self) -> SafeTxHash {
        self.hash
    }

    /// The whole `execTransaction` call, to be sent to the Safe with no ether.
    pub const fn calldata(&self) -> &Bytes {
        &self.calldata
    }

    /// Returns the only account that can send it: an owner who counts because they do. `None` if anybody can.
    pub const fn only_from(&self) -> Option<Address> {
        self.only_from
    }

    /// The approvals in the calldata, as the Safe reads them.
    pub const fn signatures(&self) -> &Bytes {
        &self.signatures
    }
}

/// The reason that a proposal cannot be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// Too few owners have approved.
    Shortfall(Shortfall),
    /// The Safe has used this nonce: this proposal was executed, or another took its place.
    NonceUsed { proposal: Nonce, safe: Nonce },
    /// Transactions with lower nonces must run first.
    NonceAhead { proposal: Nonce, safe: Nonce },
    /// Enough have signed, and it is a drill: its signatures are good on no chain, and nothing is sent.
    Drill,
    /// The Safe is not the one that was signed for: its chain, address, version or singleton is another.
    Moved(Vec<Drift>),
}

/// The owners who have approved, counted against the Safe as it is now.
///
/// Each owner counts once; former owners and signatures of another proposal do not, and order does not matter.
pub fn count(proposal: &Proposal, given: &Approvals, now: &SafeTree) -> Shortfall {
    ApprovalNode::root(proposal, now).tally(given)
}

/// Verifies everything the Safe will verify, against its state now.
/// Fails if approvals are missing or the Safe has moved, see [`NotReady`].
pub fn assemble(proposal: &Proposal, given: &Approvals, now: &Fresh<SafeTree>) -> Result<Ready, NotReady> {
    ready(proposal, count(proposal, given, now), now)
}

/// Makes a call that was signed before ready again: its own approvals, verified against the Safe as it is now. `None` if the Safe
/// would not take this very call.
pub fn reassemble(
    proposal: &Proposal,
    calldata: &[u8],
    given: &Approvals,
    now: &Fresh<SafeTree>,
) -> Option<Ready> {
    let (_, signatures) = decode_exec(calldata, proposal.nonce())?;
    let tally = ApprovalNode::root(proposal, now).read(&signatures, given)?;
    ready(proposal, tally, now).ok().filter(|ready| *ready.calldata == *calldata)
}

/// The approvals as the Safe would read them if it were this proposal's turn: for a rehearsal. Nothing can be sent from them.
/// `None` if there are too few, or if it is another Safe than the one that was signed for.
pub fn likely_approvals(proposal: &Proposal, given: &Approvals, now: &SafeTree) -> Option<Bytes> {
    let chosen = count(proposal, given, now).chosen()?;
    identity_changes(proposal, now).is_empty().then(|| encode_approvals(&chosen))
}

/// Returns what makes it another Safe than the one that was signed for.
fn identity_changes(proposal: &Proposal, now: &SafeState) -> Vec<Drift> {
    let mut drift = proposal.drift(now);
    drift.retain(|d| d.what.is_identity());
    drift
}

fn ready(proposal: &Proposal, tally: Shortfall, now: &Fresh<SafeTree>) -> Result<Ready, NotReady> {
    let moved = identity_changes(proposal, now);
    if !moved.is_empty() {
        return Err(NotReady::Moved(moved));
    }
    let nonces = (proposal.nonce(), now.nonce);
    if nonces.0 < nonces.1 {
        return Err(NotReady::NonceUsed { proposal: nonces.0, safe: nonces.1 });
    }
    // A drill uses no nonce: any that is not used will do.
    if nonces.0 > nonces.1 && !proposal.is_drill() {
        return Err(NotReady::NonceAhead { proposal: nonces.0, safe: nonces.1 });
    }
    let Some(chosen) = tally.chosen() else { return Err(NotReady::Shortfall(tally)) };
    if proposal.is_drill() {
        return Err(NotReady::Drill);
    }
    let sender = chosen.iter().find(|approval| approval.kind() == SignatureKind::Sender);
    let signatures = encode_approvals(&chosen);
    Ok(Ready {
        safe: *proposal.safe(),
        hash: proposal.hash(),
        only_from: sender.map(Approval::owner),
        calldata: proposal.tx().exec_calldata(signatures.clone()),
        signatures,
    })
}

/// The call of a transaction that anybody, or one account, may send, with no ether.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    chain_id: u64,
    only_from: Option<Address>,
    to: Address,
    data: Bytes,
}

impl From<&Ready> for Outgoing {
    fn from(ready: &Ready) -> Self {
        Self {
            chain_id: ready.safe().chain_id,
            only_from: ready.only_from(),
            to: ready.safe().address,
            data: ready.calldata().clone(),
        }
    }
}

impl Outgoing {
    /// Returns a call that a deputy makes with their own key, and nobody else can make. `None` if it carries ether.
    pub fn of_key(chain_id: u64, deputy: Address, call: &Call) -> Option<Self> {
        let (to, data) = (call.to, call.data.clone());
        call.value.is_zero().then_some(Self { chain_id, only_from: Some(deputy), to, data })
    }

    /// Returns the call that gives a deputy's signature to their module. Anybody can send it.
    pub fn of_module(pause: &Pause, signature: &PauseSignature) -> Self {
        let data = pause.calldata(signature);
        Self { chain_id: pause.chain_id, only_from: None, to: pause.module, data }
    }

    /// Returns the id of the chain that it is sent to.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The only account that can send it; `None` if anybody can.
    pub const fn only_from(&self) -> Option<Address> {
        self.only_from
    }

    /// Returns the contract that it calls.
    pub const fn to(&self) -> Address {
        self.to
    }

    /// Returns the call's data.
    pub const fn data(&self) -> &Bytes {
        &self.data
    }
}
