//! A proposal with everything that is known about it and the findings: what a signer is shown, and what commands act
//! on.

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

/// Values that only the checks need.
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

/// The findings about a proposal, and what they rest on.
#[must_use]
pub struct Judged<'a> {
    pub derived: Derived<'a>,
    /// The chain; `None` offline.
    pub seen: Option<ChainView>,
    pub rehearsal: RehearsalResult,
    /// In the order in which a signer should doubt; first those of the transaction that it approves.
    pub findings: Vec<Finding>,
    /// The transaction of another Safe that it approves on chain.
    pub approved: Option<Box<Self>>,
}

impl<'a> Derived<'a> {
    /// Judges it without the chain; with `signing`, a signature is about to be made.
    pub fn judge(mut self, signing: bool) -> Judged<'a> {
        let approved = self.approved.take().map(|approved| Box::new(approved.judge(signing)));
        Judged::new(self, None, (RehearsalResult::NotWanted, approved), signing)
    }
}

impl<'a> Rehearsed<'a> {
    /// Judges it; with `signing`, a signature is about to be made.
    pub fn judge(self, signing: bool) -> Judged<'a> {
        let approved = self.approved.map(|approved| Box::new(approved.judge(signing)));
        Judged::new(self.online.derived, Some(self.online.seen), (self.rehearsal, approved), signing)
    }
}

impl<'a> Judged<'a> {
    /// Judges an act of one key alone, with the chain's answers about its `module`, if it has one.
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
        // The module writes which messages were used.
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

    /// Returns the view of the chain. Fails offline.
    pub fn seen(&self) -> Result<&ChainView, Error> {
        self.seen.as_ref().ok_or_else(not_asked)
    }

    /// Returns it without the findings. Fails offline.
    pub fn rehearsed(self) -> Result<Rehearsed<'a>, Error> {
        let seen = self.seen.ok_or_else(not_asked)?;
        let approved = self.approved.map(|approved| approved.rehearsed()).transpose()?.map(Box::new);
        Ok(Rehearsed { online: Online { derived: self.derived, seen }, rehearsal: self.rehearsal, approved })
    }

    pub fn now(&self) -> Option<&SafeState> {
        self.seen.as_ref().map(ChainView::now)
    }

    /// Returns the Safe as it is now or, offline, as the proposal found it.
    pub fn state(&self) -> &SafeState {
        self.now().unwrap_or_else(|| self.proposal().snapshot())
    }

    pub fn readings(&self) -> Option<&Readings> {
        self.seen.as_ref().map(|seen| &seen.snapshot.readings)
    }

    pub fn plan(&self) -> Option<&Plan> {
        self.derived.plan()
    }

    /// Returns the RPCs that were asked; empty offline.
    pub fn endpoints(&self) -> Vec<EndpointReport> {
        self.seen.as_ref().map(|seen| seen.link.endpoints()).unwrap_or_default()
    }

    /// Returns the root that everything was proven against, for a person; `None` if that was not asked for.
    pub fn proven(&self) -> Option<String> {
        let seen = self.seen.as_ref()?;
        Some(proven_at(seen.proven?, &seen.snapshot.header.block()))
    }

    /// Returns all approvals, and the chain's answers about them.
    pub fn approvals(&self) -> Approvals<'_> {
        self.derived.approvals(self.seen.as_ref())
    }

    /// Returns the Safe with the Safes among its owners, as they are now or, offline, as the proposal and the council
    /// file have them.
    pub fn tree(&self) -> SafeTree {
        match &self.seen {
            Some(seen) => seen.snapshot.tree(),
            None => SafeTree::new(self.state().clone(), &self.derived.safes),
        }
    }

    /// Returns the owners who have approved, by the Safe as it is now or, offline, as the proposal found it.
    pub fn tally(&self) -> Shortfall {
        count(self.proposal(), &self.approvals(), &self.tree())
    }

    /// Returns the owners who have approved once this signature is counted too.
    pub fn tally_with(&self, signature: &OwnerSignature) -> Shortfall {
        let signatures = [&self.derived.signatures[..], std::slice::from_ref(signature)].concat();
        count(self.proposal(), &Approvals { signatures: &signatures, ..self.approvals() }, &self.tree())
    }

    /// Returns the owners of a way's Safe, as they are now or, offline, as the council file pins them.
    pub fn owners_on(&self, way: &Way) -> Vec<Address> {
        let tree = self.tree();
        let below = way.through.iter().try_fold(&tree, |tree, safe| tree.child(*safe));
        below.map_or_else(|| way.owners.list().to_vec(), |safe| safe.owners.list().to_vec())
    }

    /// Returns the reader's own name of an address, or `-`.
    pub fn name(&self, address: Address) -> &str {
        self.derived.names.name(address).unwrap_or("-")
    }

    /// Returns the refusals that its own execution does not cause.
    pub fn refused(&self) -> Vec<Finding> {
        let is_shown = |f: &&Finding| f.level == Level::Refuse && !f.problem().comes_with_execution();
        self.findings.iter().filter(is_shown).cloned().collect()
    }

    /// Returns the verdicts of the `before` checks on the chain now.
    fn before(&self) -> Vec<Verdict> {
        match (self.readings(), self.plan()) {
            (Some(readings), Some(plan)) => plan.before.iter().map(|c| c.judge(readings, &[])).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the findings about the effects of a mined transaction on the Safe as it was before it.
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

    /// Returns `true` if its nonce is the next one after the other transactions of its pull.
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
