//! A proposal gets its rehearsal: in the rounds that were asked anyway, and as few more as it takes.

use std::time::{SystemTime, UNIX_EPOCH};

use alloy::primitives::Address;

use crate::ceremony::derive::{Given, Order};
use crate::ceremony::derived::Derived;
use crate::ceremony::desk::Desk;
use crate::ceremony::find::{Found, Purpose};
use crate::ceremony::judged::Judged;
use crate::ceremony::online::{Online, Seen, View, propose};
use crate::ceremony::rehearsal::{Performed, Rehearsing};
use crate::ceremony::{past, prefetch};
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::fork::ExecTransaction;
use crate::playbook::Check;
use crate::progress::Progress;
use crate::proposal::{Proposal, Record, likely_approvals};

/// A proposal on the chain, and what it would do there.
pub struct Rehearsed<'a> {
    pub online: Online<'a>,
    pub rehearsal: Rehearsing,
}

impl<'a> Desk<'a> {
    /// Finds what was named, on the chain as it is now, and rehearses it where the purpose is to act on it.
    pub fn look(&'a self, what: &str, given: &Given, purpose: Purpose) -> Result<Rehearsed<'a>, Error> {
        let found = self.find(what, given, purpose)?;
        let view = self.view(found.safe())?;
        self.look_at(found, view, given, purpose != Purpose::Look, None)
    }

    /// The chain of a Safe, as it is now.
    pub fn view(&self, safe: &council::Safe) -> Result<View, Error> {
        Ok(View { link: self.connect(safe)?, at: BlockTag::Latest })
    }

    /// Holds what was found against a view of the chain. With a payer, what sending costs them is asked along.
    pub fn look_at(
        &'a self,
        found: Found<'a>,
        view: View,
        given: &Given,
        rehearse: bool,
        payer: Option<Address>,
    ) -> Result<Rehearsed<'a>, Error> {
        let guess = match &found {
            Found::Lever { guess, .. } => guess.clone(),
            Found::Proposal(_) => None,
        };
        let online = found.online(self, view, given, rehearse, payer)?;
        Ok(if rehearse {
            online.rehearse(self.progress, payer, guess.as_deref())
        } else {
            online.unrehearsed()
        })
    }

    /// Derives a lever on the chain as it is now, and rehearses it.
    pub fn propose(&'a self, order: Order<'a>, given: &Given) -> Result<Rehearsed<'a>, Error> {
        let view = self.view(order.safe)?;
        Ok(propose(self, order, view, given, None, true)?.rehearse(self.progress, None, None))
    }

    /// Finds what was named with nothing asked of the network.
    ///
    /// # Errors
    /// For a lever of which no proposal is kept here: that brings the Safe's state and the values read from the chain.
    pub fn offline(&'a self, what: &str, given: &Given) -> Result<Derived<'a>, Error> {
        if let Some(proposal) = self.made_before(what, given, Purpose::Offline)? {
            return self.existing(proposal, given)?.offline(self, given);
        }
        let place = self.path.display();
        let message = format!("offline, lever {what} needs a proposal, and none is kept in {place}");
        Err(Error::new(Exit::Usage, message)
            .hint("pass the proposal file: it brings the Safe's state and the values read from the chain"))
    }

    /// Looks at the same proposal on the chain as it is now, over the same connection: one round where the first look
    /// recorded what its rehearsal read.
    pub fn look_again(
        &'a self,
        judged: Judged<'a>,
        given: &Given,
        payer: Option<Address>,
    ) -> Result<Rehearsed<'a>, Error> {
        let proposal = judged.derived.proposal;
        let record = match proposal.record() {
            Some(record) => Some(record.clone()),
            None => judged.rehearsal.record(&proposal),
        };
        let link = match judged.seen {
            Some(seen) => seen.link,
            None => self.connect(judged.derived.safe)?,
        };
        let view = View { link, at: BlockTag::Latest };
        let found = Found::Proposal(Box::new(self.existing(proposal.recording(record), given)?));
        self.look_at(found, view, given, true, payer)
    }
}

impl<'a> Online<'a> {
    /// Leaves it as it is: it is only looked at.
    pub fn unrehearsed(self) -> Rehearsed<'a> {
        Rehearsed { online: self, rehearsal: Rehearsing::Not }
    }

    /// Rehearses on what the first round brought, and asks for what it still lacks. With enough signatures they are
    /// used; without, the owners are taken to have approved. `sender` broadcasts, or else an owner. The guess is an
    /// earlier proposal of the same lever: where it is this one, the rehearsal is compared with its record.
    pub fn rehearse(
        mut self,
        progress: &dyn Progress,
        sender: Option<Address>,
        guess: Option<&Proposal>,
    ) -> Rehearsed<'a> {
        let proposal = &self.derived.proposal;
        let earlier = if self.derived.is_from_file { Some(proposal) } else { guess };
        let earlier = earlier.filter(|earlier| earlier.hash() == proposal.hash());
        let recorded = earlier.and_then(Proposal::record).cloned();
        let mut rehearsal = self.perform(progress, sender, recorded.as_ref());
        if self.derived.is_from_file {
            doubt_recorded_code(progress, &self.derived.proposal, &mut self.seen, &mut rehearsal);
        } else {
            let record = rehearsal.record(&self.derived.proposal);
            self.derived.proposal = self.derived.proposal.recording(record);
        }
        Rehearsed { online: self, rehearsal }
    }

    fn perform(
        &mut self,
        progress: &dyn Progress,
        sender: Option<Address>,
        recorded: Option<&Record>,
    ) -> Rehearsing {
        let Derived { proposal, signatures, own, .. } = &self.derived;
        let now = self.seen.now();
        if proposal.nonce() < now.nonce {
            return Rehearsing::Not;
        }
        if now.id != *proposal.safe() {
            return Rehearsing::Failed("the Safe is not the one that this was proposed for".into());
        }
        let ahead = proposal.nonce() > now.nonce;
        let approved = self.seen.approved(proposal);
        let signatures = likely_approvals(proposal, signatures, &approved, now);
        let owners = now.owners.clone();
        let plan = own.as_ref().map(|own| &own.plan);
        let queries = plan.map(prefetch::after_queries).unwrap_or_default();
        let exec = ExecTransaction {
            safe: proposal.safe(),
            owners: &owners,
            tx: proposal.tx(),
            signatures: signatures.as_ref(),
            sender: sender.or(owners.list().first().copied()).unwrap_or_default(),
            gas: None,
        };
        let (link, snapshot) = (&self.seen.link, &mut self.seen.snapshot);
        let rehearse = || link.rehearse(snapshot, &exec, &queries, now_in_seconds());
        let rehearsal = match progress.wait("rehearsing", rehearse) {
            Ok(rehearsal) => rehearsal,
            Err(error) => return Rehearsing::Failed(error.to_string()),
        };
        let judge = |check: &Check| check.judge(&rehearsal.answers, &rehearsal.events);
        let mut done = Performed {
            after: plan.map(|plan| plan.after.iter().map(judge).collect()).unwrap_or_default(),
            block: self.seen.snapshot.header.number,
            rehearsal,
            differs: Vec::new(),
            code_then: Vec::new(),
            ahead,
            is_signed: signatures.is_some(),
        };
        if let Some(recorded) = recorded {
            done.differs = done.record(proposal).differences(recorded);
            done.code_then.clone_from(&recorded.code);
        }
        Rehearsing::Done(Box::new(done))
    }
}

/// Leaves aside what a file records of code if it was never so.
fn doubt_recorded_code(
    progress: &dyn Progress,
    proposal: &Proposal,
    seen: &mut Seen,
    rehearsal: &mut Rehearsing,
) {
    let Rehearsing::Done(done) = rehearsal else { return };
    let runs = |called| done.rehearsal.runs(called);
    let untrue = past::code_never_there(progress, seen, proposal, &done.code_then, runs);
    if !untrue.is_empty() {
        done.code_then.clear();
        seen.past = std::mem::take(&mut seen.past).and(untrue);
    }
}

impl Rehearsed<'_> {
    /// Proves all that it rests on, where that is wanted: the Safe's state, the answers to its checks and every value
    /// that the rehearsal read.
    pub fn prove(mut self, progress: &dyn Progress, wanted: bool) -> Result<Self, Error> {
        if wanted {
            let read = self.rehearsal.done().map(|done| done.rehearsal.read.clone()).unwrap_or_default();
            let hints = prefetch::hints(&self.online.derived.proposal);
            let Seen { link, snapshot, proven, .. } = &mut self.online.seen;
            let prove = || link.prove(snapshot, &read, hints);
            *proven = Some(progress.wait("proving what was read", prove)?);
        }
        Ok(self)
    }
}

/// Seconds since 1970, by this machine's clock.
pub fn now_in_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
