//! Proposals that a council is asked to sign, the signatures of its owners, and whether they are enough.
//!
//! Values only: no effects of any kind. A [`Proposal`] is named by its safeTxHash, which is always computed here and
//! never read; an [`OwnerSignature`] exists only once its signer has been recovered; a [`Ready`] only once enough
//! current owners have signed for the Safe as it is now.
//!
//! # What a proposal file may decide
//!
//! Its reader derives the transaction again from their own council file and playbooks. Of the file's contents only these
//! can reach what is signed:
//!
//! - *Which levers* (or playbook and Safe) and whether it is their undo: the reader's own levers of those names are derived.
//! - *The nonce*: shown, compared with the chain online, and to be named with `--nonce` when it is not the next one.
//! - *Arguments that the lever leaves open*: refused for signing until the reader says them with `--set`.
//! - *Answers of the chain* that the playbook reads: online only what the chain says now counts. Offline they decide calls
//!   and arguments, so each kind of them (call, slot, balance, code, time) is refused until accepted by an id that is a
//!   digest of these very values.
//! - *The Safe's version*, offline and only if the council file does not pin it: it decides the hashes' form.
//!
//! Never: the chain, the Safe's address, its owners, the batch contract ([`BatchContract`]), the playbook's text. The Safe's
//! state, the block and the rehearsal that a file records are compared and shown as its word; nothing signed rests on them.

mod approval_queries;
mod approvals;
mod bearer;
mod binding;
mod build;
mod claims;
mod contender;
mod drill_name;
mod explain;
mod finder;
mod foreign_forms;
mod gather;
mod line;
mod made_ahead;
mod near_miss;
mod owner_signature;
mod printed_card;
mod proposal_error;
mod ready;
mod recorded;
mod safe_owners;
mod set_file;
mod stated_ahead;
mod tally;
#[cfg(test)]
mod tests;
mod truncated;
mod unpack;
mod wallet_signature;
mod wire;
mod wire_levers;
mod wire_reading;

pub use approval_queries::{approval_query, approving_answer, contract_query};
pub use approvals::{Approvals, Child, Shortfall, contract_queries};
pub use bearer::{BadBearer, Bearer, MOST_BEARER};
pub use binding::{
    Binding, BindingError, BoundLever, FieldDifference, OpenArgument, Pulled, command, differences,
};
pub use build::{BatchContract, BatchSource, BuildError, build_tx, calls_of};
pub use claims::{Claims, ShortDigest};
pub use contender::{Contender, nonce_keeper};
pub use drill_name::{BadDrillName, DrillName};
pub use explain::{Candidate, ExplainContext, Explanation, SignedFor, explain};
pub use finder::{Damaged, Finds, find_signatures};
pub use gather::{GatherResult, ProposalAndOwners, RefusedSignature, gather};
pub use made_ahead::{GatheredAhead, SignedAhead, base_entry, gather_ahead, keep_at_most};
pub use near_miss::{NearMiss, near_miss};
pub use owner_signature::{OwnerSignature, Stated, VerifyError};
pub use printed_card::{Card, PrintedCard, Stale};
pub use proposal_error::ProposalError;
pub use ready::Outgoing;
pub use ready::{NotReady, Ready, assemble, count, likely_approvals, reassemble};
pub use recorded::{RecordedBalance, RecordedCode, RehearsalRecord};
pub use safe_owners::{OwnerSafe, SafeOwners, Way};
pub use set_file::{Set, SetError};
pub use stated_ahead::StatedAhead;
pub use tally::Tally;
pub use truncated::Truncated;
pub use wallet_signature::{StatedContract, WalletSignature};

use crate::evm::{Assumed, Block, Readings};
use crate::safe::{
    Domain, Drift, Hashes, NoDrill, Nonce, Purpose, SafeField, SafeId, SafeState, SafeTx, SafeTxHash,
};

/// A Safe transaction together with everything it was derived from.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    tx: SafeTx,
    snapshot: SafeState,
    /// `None` if the state of the Safe is assumed.
    block: Option<Block>,
    binding: Binding,
    readings: Readings,
    accepted: Vec<String>,
    record: Option<RehearsalRecord>,
    /// That in which its owners sign; its Safe is that of the snapshot.
    domain: Domain,
    hashes: Hashes,
    /// The transaction of another Safe that it approves on chain, in place of pulling the levers itself.
    approves: Option<Box<Self>>,
}

impl Proposal {
    /// `snapshot` and `readings` were read at `block`. It is real: see [`Proposal::for_drill`].
    pub fn new(tx: SafeTx, snapshot: SafeState, block: Block, binding: Binding, readings: Readings) -> Self {
        Self::of(tx, snapshot, Some(block), binding, readings)
    }

    /// A transaction that rests on nothing read from the chain, for a Safe whose state nobody read.
    pub fn assuming(tx: SafeTx, state: Assumed<SafeState>, binding: Binding) -> Self {
        Self::of(tx, state.into_value(), None, binding, Readings::new())
    }

    /// The hashes are computed from `tx` and the Safe's identity.
    fn of(
        tx: SafeTx,
        snapshot: SafeState,
        block: Option<Block>,
        binding: Binding,
        readings: Readings,
    ) -> Self {
        let domain = Domain::real(snapshot.id);
        let hashes = domain.hashes(&tx);
        Self {
            tx,
            snapshot,
            block,
            binding,
            readings,
            accepted: Vec::new(),
            record: None,
            domain,
            hashes,
            approves: None,
        }
    }

    /// Returns it as one that approves a transaction of another Safe.
    pub fn approving(self, other: Option<Self>) -> Self {
        Self { approves: other.map(Box::new), ..self }
    }

    /// Returns the same transaction as a drill: its signatures are good on no chain, and it can never be ready to be sent.
    /// Fails for a Safe before 1.3.0: its owners sign no chain id.
    pub fn for_drill(self) -> Result<Self, NoDrill> {
        let domain = Domain::drill(self.snapshot.id)?;
        Ok(Self { hashes: domain.hashes(&self.tx), domain, ..self })
    }

    /// Returns it with the refusals that whoever proposes it accepts.
    pub fn accepting(mut self, ids: &[String]) -> Self {
        self.accepted = ids.to_vec();
        self
    }

    pub fn recording(mut self, record: Option<RehearsalRecord>) -> Self {
        self.record = record;
        self
    }

    /// Returns the same transaction, where its file was wrong about the Safe: with the Safe as it was, and nothing recorded. Itself if
    /// it would be another transaction for that Safe.
    pub fn restated(self, snapshot: SafeState) -> Self {
        match Domain::of(snapshot.id, self.purpose()) {
            Ok(domain) if domain.hashes(&self.tx) == self.hashes => {
                Self { snapshot, domain, record: None, ..self }
            }
            _ => self,
        }
    }

    /// Reads a proposal file and recomputes every hash in it.
    /// Fails if the file is not of this form, or states a hash that is not the one computed.
    pub fn parse(text: &str) -> Result<Self, ProposalError> {
        wire::parse(text)
    }

    /// The proposal as a file.
    pub fn to_json(&self) -> String {
        wire::to_json(self)
    }

    pub const fn tx(&self) -> &SafeTx {
        &self.tx
    }

    /// The Safe when the proposal was made, read or assumed.
    pub const fn snapshot(&self) -> &SafeState {
        &self.snapshot
    }

    pub const fn safe(&self) -> &SafeId {
        &self.snapshot.id
    }

    /// The domain in which its owners sign.
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Returns the use of its signatures.
    pub const fn purpose(&self) -> Purpose {
        self.domain.purpose()
    }

    pub fn is_drill(&self) -> bool {
        self.purpose() == Purpose::Drill
    }

    /// Returns the block at which the Safe and the values were read; `None` if its state is assumed.
    pub const fn block(&self) -> Option<Block> {
        self.block
    }

    /// Returns the changes of the Safe since the proposal was made. Of an assumed state only what the hashes rest on counts.
    pub fn drift(&self, now: &SafeState) -> Vec<Drift> {
        let mut drift = self.snapshot.drift(now);
        if self.block.is_none() {
            drift.retain(|d| matches!(d.what, SafeField::Chain | SafeField::Address | SafeField::Version));
        }
        drift
    }

    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// The values read from the chain that the transaction rests on.
    pub const fn readings(&self) -> &Readings {
        &self.readings
    }

    /// The transaction of another Safe that it approves on chain; `None` if it pulls the levers itself.
    pub fn approves(&self) -> Option<&Self> {
        self.approves.as_deref()
    }

    /// The transaction that pulls the levers: this one, or that which is approved by it, at whatever depth.
    pub fn innermost(&self) -> &Self {
        self.approves().map_or(self, Self::innermost)
    }

    /// Refusals that whoever proposed chose to accept, by the finding's id.
    pub fn accepted(&self) -> &[String] {
        &self.accepted
    }

    /// Returns the rehearsal's result, as whoever wrote the file says.
    pub const fn record(&self) -> Option<&RehearsalRecord> {
        self.record.as_ref()
    }

    pub const fn hashes(&self) -> &Hashes {
        &self.hashes
    }

    /// The proposal's name.
    pub const fn hash(&self) -> SafeTxHash {
        self.hashes.safe_tx
    }

    pub const fn nonce(&self) -> Nonce {
        self.tx.nonce
    }

    /// Returns the same transaction at another nonce: a proposal of its own.
    pub fn with_nonce(&self, nonce: Nonce) -> Self {
        let tx = SafeTx { nonce, ..self.tx.clone() };
        Self { hashes: self.domain.hashes(&tx), tx, ..self.clone() }
    }

    /// The name that it would have with another nonce.
    pub fn at_nonce(&self, nonce: Nonce) -> SafeTxHash {
        self.domain.hashes(&SafeTx { nonce, ..self.tx.clone() }).safe_tx
    }
}
