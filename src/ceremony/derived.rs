//! A proposal compared with the reader's own files. Offline, it is judged without a chain.

use std::collections::BTreeMap;
use std::path::PathBuf;

use alloy::primitives::{Address, B256};

use crate::ceremony::chain_view::ChainView;
use crate::ceremony::desk::Desk;
use crate::ceremony::order::{Given, Order};
use crate::check::Match;
use crate::council;
use crate::error::Error;
use crate::evm::{AddressBook, Readings};
use crate::playbook::{Check, CombinedPlan, Plan, Repeat};
use crate::proposal::{Approvals, Contender, OwnerSignature, Proposal, SafeOwners, WalletSignature};
use crate::safe::{Nonce, SafeState};

/// The reader's own lever, and its plans.
pub struct OwnDerivation<'a> {
    pub order: Order<'a>,
    /// Lever by lever.
    pub plans: CombinedPlan,
    /// All of them merged.
    pub plan: Plan,
    /// The `after` checks by the chain's values now, if those have changed since.
    pub now: Option<Vec<Check>>,
}

impl<'a> OwnDerivation<'a> {
    pub fn new(order: Order<'a>, plans: CombinedPlan) -> Self {
        Self { order, plan: plans.merged(), plans, now: None }
    }

    /// Returns it with the `after` checks of the plans that the chain's values give now.
    pub fn with_now(self, plans: Option<&CombinedPlan>) -> Self {
        Self { now: plans.map(|plans| plans.merged().after), ..self }
    }

    /// Returns each call as it would be made once more, if several levers are pulled together.
    pub fn repeats(&self) -> Vec<Repeat> {
        if self.order.acts().len() < 2 { Vec::new() } else { self.plans.repeats(self.order.safe.address) }
    }
}

/// One proposal, compared with the reader's own files.
#[must_use]
pub struct Derived<'a> {
    pub proposal: Proposal,
    /// `None` if the reader's files do not have what the proposal names.
    pub own: Option<OwnDerivation<'a>>,
    pub matching: Match,
    pub safe: &'a council::Safe,
    pub chain: &'a council::CouncilChain,
    pub names: AddressBook,
    /// The owners whose signatures count.
    pub owners: SafeOwners,
    pub signatures: Vec<OwnerSignature>,
    /// Signatures of contracts that are owners and not Safes of the council file.
    pub wallets: Vec<WalletSignature>,
    /// The Safes that may own it, as the council file pins them.
    pub safes: Vec<SafeState>,
    /// The owner who sends it, if they count without a signature.
    pub sender: Option<Address>,
    /// Arguments that come from the proposal's file alone: neither the lever nor the reader's command line has them.
    pub foreign: Vec<(String, String)>,
    pub is_from_file: bool,
    /// The nonce was named on the command line.
    pub nonce_named: bool,
    /// It is a drill, and this machine's journal has its announcement.
    pub announced: bool,
    /// The code that the council file pins.
    pub pins: BTreeMap<Address, Vec<B256>>,
    /// Nonces and hashes of the proposals kept for the same Safe.
    pub others: Vec<(Nonce, String)>,
    /// Another lever that keeps the nonce that this one would have, or has.
    pub keeper: Option<Contender>,
    /// Offline, the transaction of another Safe that it approves on chain, compared with the reader's files as well.
    pub approved: Option<Box<Self>>,
}

/// The approvals that are kept for a proposal, and the owners whose signatures count.
pub struct StoredApprovals {
    pub owners: SafeOwners,
    pub signatures: Vec<OwnerSignature>,
    pub wallets: Vec<WalletSignature>,
    /// Another lever that keeps the nonce that this one would have, or has.
    pub keeper: Option<Contender>,
}

impl<'a> Derived<'a> {
    /// Returns a proposal with everything that the reader's own files have about it.
    pub fn new(
        desk: &'a Desk,
        (safe, chain): (&'a council::Safe, &'a council::CouncilChain),
        proposal: Proposal,
        (matching, own): (Match, Option<OwnDerivation<'a>>),
        kept: StoredApprovals,
        given: &Given,
    ) -> Result<Self, Error> {
        let StoredApprovals { owners, signatures, wallets, keeper } = kept;
        Ok(Self {
            own,
            matching,
            safe,
            chain,
            names: desk.council.names_on(&safe.chain),
            owners,
            signatures,
            wallets,
            safes: desk.pinned_safes(safe),
            sender: given.sender,
            foreign: Vec::new(),
            is_from_file: false,
            nonce_named: given.nonce.is_some(),
            announced: proposal.is_drill() && desk.is_announced(&proposal)?,
            pins: desk.council.pins_on(&safe.chain),
            others: if proposal.is_drill() { Vec::new() } else { desk.others(safe, proposal.nonce())? },
            keeper,
            approved: None,
            proposal,
        })
    }

    /// Returns it as a file's proposal, with the arguments that come from the file alone.
    pub fn with_foreign_arguments(self, foreign: Vec<(String, String)>) -> Self {
        Self { foreign, is_from_file: true, ..self }
    }

    /// Returns all approvals, and the chain's answers about them; offline there are none.
    pub fn approvals<'s>(&'s self, seen: Option<&'s ChainView>) -> Approvals<'s> {
        static NONE: Readings = Readings::new();
        let said = seen.map_or(&NONE, |seen| &seen.snapshot.readings);
        Approvals {
            failed: seen.map_or(&[], |seen| &seen.failed),
            sender: self.sender,
            ..Approvals::new(&self.signatures, &self.wallets, said)
        }
    }

    pub fn plan(&self) -> Option<&Plan> {
        self.own.as_ref().map(|own| &own.plan)
    }

    /// Keeps the proposal beside the council file, unless a file of it with the same Safe and code is kept already.
    /// Returns the file.
    pub fn keep(&self, desk: &Desk) -> Result<PathBuf, Error> {
        let hash = self.proposal.hash();
        let code = |proposal: &Proposal| proposal.record().map(|record| record.code.clone());
        let own = code(&self.proposal);
        let says_the_same = |there: &Proposal| {
            let is_as_good = there.block().is_some() || self.proposal.block().is_none();
            is_as_good
                && there.drift(self.proposal.snapshot()).is_empty()
                && (own.is_none() || code(there) == own)
        };
        let kept = desk.files_of(hash)?;
        let kept = kept.into_iter().find(|(_, there)| says_the_same(there));
        if let Some((path, _)) = kept {
            return Ok(path);
        }
        desk.keep_proposal(&self.proposal)
    }
}
