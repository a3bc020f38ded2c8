//! A proposal with everything that is known about it, judged: what a signer is shown and what is acted on.

use std::collections::BTreeMap;

use alloy::primitives::Address;

use crate::ceremony::chain_view::{ChainView, proven_at};
use crate::ceremony::derived::{Derived, OwnDerivation};
use crate::ceremony::online::Online;
use crate::ceremony::rehearsal_result::RehearsalResult;
use crate::ceremony::rehearse::Rehearsed;
use crate::chain::EndpointReport;
use crate::check::{self, Facts, Finding, Level, Past};
use crate::error::{Error, Exit};
use crate::evm::{AccountKind, Readings};
use crate::fork::Rehearsal;
use crate::playbook::{Decided, LibraryEntry, Plan, Verdict};
use crate::proposal::{Approvals, OwnerSignature, Proposal, Shortfall, Way, count};
use crate::safe::{SafeState, SafeTree};

/// Values that the checks need and no step of the ceremony holds.
#[derive(Default)]
struct CheckInputs<'a> {
    before: Vec<Verdict>,
    endpoints: Vec<EndpointReport>,
    decided: Vec<Decided>,
    entries: Vec<LibraryEntry<'a>>,
    changes: Vec<Address>,
    owner_safes: Vec<Address>,
}

impl<'a> CheckInputs<'a> {
    fn of(own: Option<&OwnDerivation<'a>>) -> Self {
        let Some(OwnDerivation { order, plan, .. }) = own else { return Self::default() };
        Self {
            decided: order.decided(plan),
            entries: order.acts().iter().map(|act| act.entry.clone()).collect(),
            changes: order.changes(),
            ..Self::default()
        }
    }
}

/// The verdict on a proposal, and what it rests on.
#[must_use]
pub struct Judged<'a> {
    pub derived: Derived<'a>,
    /// The chain; `None` offline.
    pub seen: Option<ChainView>,
    pub rehearsal: RehearsalResult,
    /// In the order in which a signer should doubt; first those of what it approves.
    pub findings: Vec<Finding>,
    /// The transaction of another Safe that it approves on chain.
    pub approved: Option<Box<Self>>,
}

impl<'a> Derived<'a> {
    /// Judges it without the chain. `signing` where a signature is about to be made.
    pub fn judge(mut self, signing: bool) -> Judged<'a> {
        let approved = self.approved.take().map(|approved| Box::new(approved.judge(signing)));
        Judged::new(self, None, (RehearsalResult::NotWanted, approved), signing)
    }
}

impl<'a> Rehearsed<'a> {
    /// Judges it. `signing` where a signature is about to be made.
    pub fn judge(self, signing: bool) -> Judged<'a> {
        let approved = self.approved.map(|approved| Box::new(approved.judge(signing)));
        Judged::new(self.online.derived, Some(self.online.seen), (self.rehearsal, approved), signing)
    }
}

impl<'a> Judged<'a> {
    /// Judges what one key does alone, with what the chain says of its `module`, where one makes the call.
    pub fn of_deputy(
        derived: Derived<'a>,
        seen: ChainView,
        rehearsal: RehearsalResult,
        module: Option<&check::Module>,
    ) -> Self {
        let mut judged = Self { derived, seen: Some(seen), rehearsal, findings: Vec::new(), approved: None };
        let mut gathered = CheckInputs {
            before: judged.before(),
            endpoints: judged.endpoints(),
            ..CheckInputs::of(judged.derived.own.as_ref())
        };
        // The module remembers which messages were used.
        gathered.changes.extend(module.map(|module| module.address));
        judged.findings = check::of_deputy(&judged.facts(&gathered, true), module);
        judged
    }

    fn new(
        derived: Derived<'a>,
        seen: Option<ChainView>,
        (rehearsal, approved): (RehearsalResult, Option<Box<Self>>),
        signing: bool,
    ) -> Self {
        let mut judged = Self { derived, seen, rehearsal, findings: Vec::new(), approved };
        judged.findings = judged.judge(signing);
        judged
    }

    fn judge(&self, signing: bool) -> Vec<Finding> {
        let gathered = CheckInputs {
            before: self.before(),
            endpoints: self.endpoints(),
            owner_safes: self.derived.owners.children().iter().map(|safe| safe.id.address).collect(),
            ..CheckInputs::of(self.derived.own.as_ref())
        };
        let own = check::findings(&self.facts(&gathered, signing));
        let approved = self.approved.as_ref().map(|approved| (approved.proposal(), &approved.findings[..]));
        check::with_approved(self.proposal(), approved, own)
    }

    pub fn proposal(&self) -> &Proposal {
        &self.derived.proposal
    }

    /// The chain that it was held against.
    /// Fails where nothing was asked of the network.
    pub fn seen(&self) -> Result<&ChainView, Error> {
        self.seen.as_ref().ok_or_else(not_asked)
    }

    /// Returns it as it was before it was judged.
    /// Fails where nothing was asked of the network.
    pub fn rehearsed(self) -> Result<Rehearsed<'a>, Error> {
        let seen = self.seen.ok_or_else(not_asked)?;
        let approved = self.approved.map(|approved| approved.rehearsed()).transpose()?.map(Box::new);
        Ok(Rehearsed { online: Online { derived: self.derived, seen }, rehearsal: self.rehearsal, approved })
    }

    pub fn now(&self) -> Option<&SafeState> {
        self.seen.as_ref().map(ChainView::now)
    }

    /// The Safe as it is now or, offline, as the proposal found it.
    pub fn state(&self) -> &SafeState {
        self.now().unwrap_or_else(|| self.proposal().snapshot())
    }

    pub fn readings(&self) -> Option<&Readings> {
        self.seen.as_ref().map(|seen| &seen.snapshot.readings)
    }

    pub fn plan(&self) -> Option<&Plan> {
        self.derived.plan()
    }

    /// The RPCs that were asked; none offline.
    pub fn endpoints(&self) -> Vec<EndpointReport> {
        self.seen.as_ref().map(|seen| seen.link.endpoints()).unwrap_or_default()
    }

    /// Against what everything that was read is proven, where that was asked for.
    pub fn proven(&self) -> Option<String> {
        let seen = self.seen.as_ref()?;
        Some(proven_at(seen.proven?, &seen.snapshot.header.block()))
    }

    /// All approvals that were gathered, and the chain's word on them.
    pub fn approvals(&self) -> Approvals<'_> {
        self.derived.approvals(self.seen.as_ref())
    }

    /// The Safe with the Safes among its owners, as they are now or, offline, as the proposal and the council file have them.
    pub fn tree(&self) -> SafeTree {
        match &self.seen {
            Some(seen) => seen.snapshot.tree(),
            None => SafeTree::new(self.state().clone(), &self.derived.safes),
        }
    }

    /// Returns the owners who have approved, against the Safe as it is now (offline: as the proposal found it).
    pub fn tally(&self) -> Shortfall {
        count(self.proposal(), &self.approvals(), &self.tree())
    }

    /// Returns the owners who have approved once this signature is counted too.
    pub fn tally_with(&self, signature: &OwnerSignature) -> Shortfall {
        let signatures = [&self.derived.signatures[..], std::slice::from_ref(signature)].concat();
        count(self.proposal(), &Approvals { signatures: &signatures, ..self.approvals() }, &self.tree())
    }

    /// The owners of a Safe that can approve it, as they are now or, offline, as the council file pins them.
    pub fn owners_on(&self, way: &Way) -> Vec<Address> {
        let tree = self.tree();
        let below = way.through.iter().try_fold(&tree, |tree, safe| tree.child(*safe));
        below.map_or_else(|| way.owners.list().to_vec(), |safe| safe.owners.list().to_vec())
    }

    /// An address by the reader's own name for it.
    pub fn name(&self, address: Address) -> &str {
        self.derived.names.name(address).unwrap_or("-")
    }

    /// Returns the refusals that do not merely come with its execution.
    pub fn refused(&self) -> Vec<Finding> {
        let is_shown = |f: &&Finding| f.level == Level::Refuse && !f.problem().comes_with_execution();
        self.findings.iter().filter(is_shown).cloned().collect()
    }

    /// The `before` checks as the chain answers them now.
    fn before(&self) -> Vec<Verdict> {
        match (self.readings(), self.plan()) {
            (Some(readings), Some(plan)) => plan.before.iter().map(|c| c.judge(readings, &[])).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the findings about what a mined transaction did to the Safe as it was before it.
    pub fn effects_of(&self, mined: &Rehearsal, before: &SafeState) -> Vec<Finding> {
        let code_then = self.proposal().record().map_or(&[][..], |record| &record.code);
        let gathered = CheckInputs::of(self.derived.own.as_ref());
        let facts = self.facts(&gathered, false);
        check::of_effects(&Facts {
            now: Some(before),
            rehearsal: Some(mined),
            after: &[],
            rehearsed_otherwise: &[],
            not_rehearsed: None,
            code_then,
            ..facts
        })
    }

    /// Returns `true` if what its own pull puts before it accounts for its nonce.
    fn is_in_turn(&self) -> bool {
        let after = self.derived.own.as_ref().map_or(0, |own| own.order.after);
        self.now().is_some_and(|now| self.proposal().nonce() <= now.nonce.plus(after))
    }

    fn facts<'s>(&'s self, gathered: &'s CheckInputs<'s>, signing: bool) -> Facts<'s> {
        const NOT_ASKED: &Past = &Past::NotAsked;
        const NO_ACCOUNTS: &BTreeMap<Address, AccountKind> = &BTreeMap::new();
        let (derived, seen) = (&self.derived, self.seen.as_ref());
        let done = self.rehearsal.done();
        Facts {
            proposal: &derived.proposal,
            matching: &derived.matching,
            plan: self.plan(),
            council_safe: derived.safe,
            now: self.now(),
            answers: self.readings(),
            before: &gathered.before,
            foreign: &derived.foreign,
            past: seen.map_or(NOT_ASKED, |seen| &seen.past),
            is_from_file: derived.is_from_file,
            signing,
            announced: derived.announced,
            nonce_named: derived.nonce_named || self.is_in_turn(),
            endpoints: &gathered.endpoints,
            block_age: self.block_age(),
            quorum: seen.map_or(derived.chain.quorum, |seen| seen.link.quorum()),
            council_quorum: derived.chain.quorum,
            others: &derived.others,
            keeper: derived.keeper.as_ref(),
            signers: self.tally().approved.len(),
            after_now: done.map_or(&[], |done| &done.after_now),
            rehearsal: done.map(|done| &done.rehearsal),
            after: done.map_or(&[], |done| &done.after),
            rehearsed_otherwise: done.map_or(&[], |done| &done.differs),
            not_rehearsed: self.rehearsal.failure(),
            code_then: done.map_or(&[], |done| &done.code_then),
            proxy_code: seen.map(|seen| seen.snapshot.code_hash),
            accounts: seen.map_or(NO_ACCOUNTS, |seen| &seen.snapshot.accounts),
            owner_safes: &gathered.owner_safes,
            pins: &derived.pins,
            decided: &gathered.decided,
            entries: &gathered.entries,
            changes: &gathered.changes,
        }
    }
}

fn not_asked() -> Error {
    Error::new(Exit::Network, "nothing was asked of the network")
}
