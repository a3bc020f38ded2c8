//! Rehearses a proposal on what was read already, with as few further rounds as possible.

use alloy::primitives::Address;

use crate::ceremony::chain_view::ChainView;
use crate::ceremony::derived::{Derived, OwnDerivation};
use crate::ceremony::online::Online;
use crate::ceremony::rehearsal_result::{CompletedRehearsal, RehearsalResult};
use crate::ceremony::{past_block, prefetch};
use crate::chain::ChainError;
use crate::clock;
use crate::error::Error;
use crate::evm::Readings;
use crate::fork::{ExecTransaction, RunResult};
use crate::playbook::{Check, Conflict, Repeat};
use crate::progress::Progress;
use crate::proposal::{
    BatchSource, Proposal, RehearsalRecord, build_tx, contract_queries, count, likely_approvals,
};
use crate::safe::{Approval, Domain, Question, SignatureKind};

/// A proposal on the chain, with the effects that it would have there.
#[must_use]
pub struct Rehearsed<'a> {
    pub online: Online<'a>,
    pub rehearsal: RehearsalResult,
    /// The transaction of another Safe that it approves on chain, evaluated as well.
    pub approved: Option<Box<Self>>,
}

impl<'a> Online<'a> {
    /// Returns it without a rehearsal, to be shown.
    pub fn unrehearsed(mut self, progress: &dyn Progress) -> Rehearsed<'a> {
        let asked = self.ask_contracts(progress);
        let rehearsal = asked
            .map_or_else(|error| RehearsalResult::Failed(error.to_string()), |()| RehearsalResult::NotWanted);
        Rehearsed { online: self, rehearsal, approved: None }
    }

    /// Asks each owner that is a contract with enough signatures whether it accepts them: in this process, on the state
    /// that the quorum agreed on, so that no RPC sees a signature before the transaction itself is sent.
    fn ask_contracts(&mut self, progress: &dyn Progress) -> Result<(), ChainError> {
        let (proposal, tree) = (&self.derived.proposal, self.seen.snapshot.tree());
        let mut queries = contract_queries(proposal, &tree, &self.derived.approvals(Some(&self.seen)));
        queries.retain(|query| self.seen.snapshot.readings.get(query).is_none());
        if queries.is_empty() {
            return Ok(());
        }
        let purpose = proposal.purpose();
        let ChainView { link, snapshot, .. } = &mut self.seen;
        let ask = || link.ask_on_fork(snapshot, purpose, &queries, clock::seconds());
        progress.wait("asking the contracts that are owners", ask)
    }

    /// Rehearses on what the first round brought, and asks for what is missing. With enough signatures, it uses them;
    /// otherwise it assumes that the owners have approved. It is sent by `sender`, or else an owner. If the guess is
    /// this proposal, the rehearsal is compared with its record.
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
        let before = self.ask_contracts(progress).and_then(|()| self.conflict(progress));
        let mut rehearsal = match before {
            Ok(None) => self.perform(progress, sender, recorded.as_ref()),
            Ok(Some(conflict)) => RehearsalResult::Failed(conflict.to_string()),
            Err(error) => RehearsalResult::Failed(error.to_string()),
        };
        while let Some(owner) = self.failing_owner(&rehearsal) {
            self.seen.failed.push(owner);
            rehearsal = self.perform(progress, sender, recorded.as_ref());
        }
        if self.derived.is_from_file {
            drop_false_code(progress, &self.derived.proposal, &mut self.seen, &mut rehearsal);
        } else {
            let record = rehearsal.record(&self.derived.proposal);
            self.derived.proposal = self.derived.proposal.recording(record);
        }
        Rehearsed { online: self, rehearsal, approved: None }
    }

    /// Returns the first value by which its levers conflict; `None` if its nonce is used.
    pub(super) fn conflict(&self, progress: &dyn Progress) -> Result<Option<Conflict>, ChainError> {
        match &self.derived.own {
            Some(own)
                if own.order.acts().len() > 1 && self.derived.proposal.nonce() >= self.seen.now().nonce =>
            {
                progress.wait("looking what each lever leaves to the next", || conflict(own, &self.seen))
            }
            _ => Ok(None),
        }
    }

    /// Returns the owner that is a contract and refused its signature when the transaction itself asked it. Another
    /// owner's approval replaces it, if there is one.
    fn failing_owner(&self, rehearsal: &RehearsalResult) -> Option<Address> {
        let done = rehearsal.done().filter(|done| done.is_signed)?;
        if done.rehearsal.outcome != RunResult::Reverted {
            return None;
        }
        let given = self.derived.approvals(Some(&self.seen));
        let tally = count(&self.derived.proposal, &given, &self.seen.snapshot.tree());
        let contracts = tally.approved.iter().filter(|approval| approval.kind() == SignatureKind::Contract);
        let asks = Question::about(self.derived.proposal.safe().version, self.derived.proposal.hashes());
        let safe = self.derived.proposal.safe().address;
        let says_no = |owner: &Address| {
            let frames = done.rehearsal.trace.frames.iter();
            let mut asked = frames
                .filter(|frame| frame.from == safe && frame.to == *owner && asks.is_asked(&frame.input));
            asked.any(|frame| !frame.succeeded() || !asks.is_yes(&frame.output))
        };
        contracts.map(Approval::owner).find(says_no)
    }

    fn perform(
        &mut self,
        progress: &dyn Progress,
        sender: Option<Address>,
        recorded: Option<&RehearsalRecord>,
    ) -> RehearsalResult {
        let Derived { proposal, own, .. } = &self.derived;
        let now = self.seen.now();
        if proposal.nonce() < now.nonce {
            return RehearsalResult::NotWanted;
        }
        if now.id != *proposal.safe() {
            return RehearsalResult::Failed("the Safe is not the one that this was proposed for".into());
        }
        let ahead = proposal.nonce() > now.nonce;
        let given = self.derived.approvals(Some(&self.seen));
        // A drill is rehearsed as a real transaction that its owners have approved.
        let signatures =
            likely_approvals(proposal, &given, &self.seen.snapshot.tree()).filter(|_| !proposal.is_drill());
        let owners = now.owners.clone();
        let plan = own.as_ref().map(|own| &own.plan);
        let repeats = own.as_ref().map(OwnDerivation::repeats).unwrap_or_default();
        let mut queries = plan.map(prefetch::after_queries).unwrap_or_default();
        let now_after = own.as_ref().and_then(|own| own.now.as_deref()).unwrap_or_default();
        queries.extend(now_after.iter().flat_map(Check::queries));
        queries.extend(repeats.iter().map(|repeat| repeat.query.clone()));
        let exec = ExecTransaction {
            domain: Domain::real(*proposal.safe()),
            owners: &owners,
            tx: proposal.tx(),
            signatures: signatures.as_ref(),
            sender: sender.or(owners.list().first().copied()).unwrap_or_default(),
            gas: None,
        };
        let (link, snapshot) = (&self.seen.link, &mut self.seen.snapshot);
        let rehearse = || link.rehearse(snapshot, &exec, &queries, clock::seconds());
        let rehearsal = match progress.wait("rehearsing", rehearse) {
            Ok(rehearsal) => rehearsal,
            Err(error) => return RehearsalResult::Failed(error.to_string()),
        };
        let judge = |check: &Check| check.judge(&rehearsal.answers, &rehearsal.events);
        let mut done = CompletedRehearsal {
            after: plan.map(|plan| plan.after.iter().map(judge).collect()).unwrap_or_default(),
            after_now: now_after.iter().map(judge).collect(),
            block: self.seen.snapshot.header.number,
            differs: Vec::new(),
            code_then: Vec::new(),
            ahead,
            is_signed: signatures.is_some(),
            once: Repeat::reverting(&repeats, &rehearsal.answers).into_iter().cloned().collect(),
            rehearsal,
        };
        if let Some(recorded) = recorded {
            done.differs = done.record(proposal).differences(recorded);
            done.code_then.clone_from(&recorded.code);
        }
        RehearsalResult::Done(Box::new(done))
    }
}

/// Drops a file's record of code that was false at its block.
fn drop_false_code(
    progress: &dyn Progress,
    proposal: &Proposal,
    seen: &mut ChainView,
    rehearsal: &mut RehearsalResult,
) {
    let RehearsalResult::Done(done) = rehearsal else { return };
    let runs = |called| done.rehearsal.runs(called);
    let untrue = past_block::code_never_there(progress, seen, proposal, &done.code_then, runs);
    if !untrue.is_empty() {
        done.code_then.clear();
        seen.past = std::mem::take(&mut seen.past).and(untrue);
    }
}

impl<'a> Rehearsed<'a> {
    /// Returns it with the transaction that it approves.
    pub fn approving(self, approved: Option<Box<Rehearsed<'a>>>) -> Self {
        Self { approved, ..self }
    }

    /// Proves everything that it rests on, if that is wanted: the Safe's state, the answers to its checks and every
    /// value that the rehearsal read.
    pub fn prove(mut self, progress: &dyn Progress, wanted: bool) -> Result<Self, Error> {
        if wanted {
            let read = self.rehearsal.done().map(|done| done.rehearsal.read.clone()).unwrap_or_default();
            let hints = prefetch::hints(&self.online.derived.proposal);
            let ChainView { link, snapshot, proven, .. } = &mut self.online.seen;
            let prove = || link.prove(snapshot, &read, hints);
            *proven = Some(progress.wait("proving what was read", prove)?);
        }
        if let Some(approved) = self.approved.take() {
            self.approved = Some(Box::new(approved.prove(progress, wanted)?));
        }
        Ok(self)
    }
}

/// Returns the first value that a later lever rests on and an earlier one changes. `None` if each reads the same when it
/// runs as it read before, and where the earlier calls do not succeed: then the whole does not either, and its rehearsal
/// says why. The calls before a lever are run once, for all that it rests on.
pub fn conflict(own: &OwnDerivation, seen: &ChainView) -> Result<Option<Conflict>, ChainError> {
    let conflicts = own.plans.conflicts(own.order.safe.address);
    for of_one in conflicts.chunk_by(|one, next| one.at == next.at) {
        let Some(then) = state_before(own, seen, of_one)? else { return Ok(None) };
        let found = of_one.iter().find(|conflict| !conflict.is_settled(&seen.snapshot.readings, &then));
        if let Some(conflict) = found {
            return Ok(Some(conflict.clone()));
        }
    }
    Ok(None)
}

/// Returns what a lever reads once the calls before it have run; `None` if they do not succeed.
fn state_before(
    own: &OwnDerivation,
    seen: &ChainView,
    of_one: &[Conflict],
) -> Result<Option<Readings>, ChainError> {
    let Some(first) = of_one.first() else { return Ok(None) };
    let (order, state) = (&own.order, &seen.snapshot.state);
    let calls = own.plans.calls_before(first.at);
    let (version, source) = (state.id.version, BatchSource::Chain(&seen.snapshot.readings));
    let Ok(tx) = build_tx(version, &calls, state.nonce, order.batch(version), source) else {
        return Ok(None);
    };
    let exec = ExecTransaction::unsigned(state, &tx);
    let queries: Vec<_> = of_one.iter().map(|conflict| conflict.query.clone()).collect();
    let rehearsal = seen.link.forked(&seen.snapshot, clock::seconds()).run(&exec, &queries)?;
    Ok((rehearsal.outcome == RunResult::Succeeded).then_some(rehearsal.answers))
}
