//! A transaction that is to be sent, as the chain is now: executed already, ready to be sent, at which price.

use std::time::Instant;

use alloy::primitives::Address;

use crate::ceremony::aftermath::outcome::{self, Outcome};
use crate::ceremony::enforce::enforce;
use crate::ceremony::find::{CommandPurpose, Found};
use crate::ceremony::judged::Judged;
use crate::ceremony::order::Given;
use crate::ceremony::rehearsal_result;
use crate::ceremony::rehearse::Rehearsed;
use crate::ceremony::sending::depth::RequiredDepth;
use crate::ceremony::sending::gas;
use crate::ceremony::sending::offer::{Besides, Offer, prepared};
use crate::ceremony::sending::sent::Sent;
use crate::cli::args::FeeArgs;
use crate::clock;
use crate::error::{Error, Exit};
use crate::proposal::{NotReady, Outgoing, Proposal, Ready, Shortfall, assemble};
use crate::session::Session;
use crate::session::broadcasts::earlier::{EarlierSending, sent_before};
use crate::store::{Lock, StoreError};

/// The most people to call who are listed.
const MOST_CALLS: usize = 10;

/// The flags of the sending.
#[derive(Clone)]
pub struct SendTerms {
    pub what: Vec<String>,
    pub given: Given,
    pub accept: Vec<String>,
    pub proofs: bool,
    /// Names of Safes that were confirmed by a flag, so that nobody is asked.
    pub confirm: Vec<String>,
    /// The call is printed and not sent.
    pub only_call: bool,
    pub fees: FeeArgs,
    pub wanted: RequiredDepth,
}

/// A proposal that is to be sent, judged at one block.
#[must_use]
pub struct JudgedSend<'a> {
    pub session: &'a Session<'a>,
    pub terms: &'a SendTerms,
    pub judged: Judged<'a>,
    /// The lock by which only one run here sends this proposal. An error counts only when the lock is needed.
    lock: Result<Option<Lock>, StoreError>,
    /// The time at which the chain was read.
    since: Instant,
}

/// The state of a proposal that is to be sent.
pub enum SendStatus {
    /// The Safe has executed it already, with the text of the report.
    Executed(Box<Outcome>, String),
    Ready(Ready),
    /// It is done already, and that has been shown.
    Done,
    /// It has enough signatures, and another one must be sent before it.
    Behind,
}

/// The next step of a transaction that is ready.
pub enum SendStep {
    /// One that was sent before is mined and executed it, with the text of the report.
    Executed(Box<Outcome>, String),
    /// One that was sent before waits, and its fees suffice.
    Waits(Box<Sent>, Ready),
    Send(Box<Priced>),
}

/// A transaction that can be sent, at its price.
pub struct Priced {
    pub ready: Ready,
    pub offer: Offer,
    /// One that was sent before, and whose fees do not suffice.
    pub replaces: Option<Sent>,
}

impl<'a> JudgedSend<'a> {
    /// Finds the proposal of what was named, and judges it by its chain as it is now.
    pub fn first(
        session: &'a Session<'a>,
        terms: &'a SendTerms,
        found: Found<'a>,
        payer: Option<Address>,
    ) -> Result<Self, Error> {
        let order = match &found {
            Found::Lever { order, .. } => Some((**order).clone()),
            Found::Proposal(_) => None,
        };
        let found = session.for_purpose(found, &terms.given, CommandPurpose::Finish)?;
        let since = clock::moment();
        // The lock is taken before the chain is asked, so that another run changes nothing meanwhile. To print the
        // call, no lock is needed: the folder may be read-only.
        let lock = |proposal: &Proposal| (!terms.only_call).then(|| session.lock(proposal)).transpose();
        let early = found.proposal().map(lock);
        let view = session.read_point(found.safe())?;
        let rehearsed = session.evaluate_found(found, view, &terms.given, true, payer)?;
        if let Some(order) = order {
            session.require_no_rival(&rehearsed.online.derived, &order, &terms.given)?;
        }
        let lock = early.unwrap_or_else(|| lock(&rehearsed.online.derived.proposal));
        let first = Self { session, terms, judged: judge(session, terms, rehearsed)?, lock, since };
        match payer.filter(|_| first.is_unpriced()) {
            Some(payer) => first.refreshed(payer),
            None => Ok(first),
        }
    }

    /// Returns `true` if it was derived just now and can perhaps be sent: its cost could not be asked before its
    /// transaction was known.
    fn is_unpriced(&self) -> bool {
        let is_priced = |judged: &Judged| judged.seen().is_ok_and(|seen| seen.snapshot.prepared.is_some());
        !self.judged.derived.is_from_file
            && !self.judged.derived.signatures.is_empty()
            && !is_priced(&self.judged)
    }

    /// Judges the same proposal by the chain as it is now.
    pub fn refreshed(self, from: Address) -> Result<Self, Error> {
        let Self { session, terms, judged, lock, .. } = self;
        let since = clock::moment();
        let rehearsed = session.refresh(judged, &terms.given, Some(from))?;
        Ok(Self { session, terms, judged: judge(session, terms, rehearsed)?, lock, since })
    }

    /// Judges it again after a question. Fails if it does not do any more what was shown.
    pub fn unchanged(self, from: Address) -> Result<(Self, SendStatus), Error> {
        let record = |judged: &Judged| judged.rehearsal.done().map(|done| done.record(judged.proposal()));
        let before = record(&self.judged);
        let judged_send = self.refreshed(from)?;
        let status = judged_send.status(false)?;
        if let (SendStatus::Ready(_), Some(before), Some(now)) =
            (&status, before, record(&judged_send.judged))
            && let Some(difference) = now.differences(&before).first()
        {
            let message = format!("its effects are not the same now as when you were asked: {difference}");
            return Err(Error::new(Exit::Drift, message)
                .hint("nothing was sent; run the same command again and read the review"));
        }
        Ok((judged_send, status))
    }

    /// Returns `true` once there may be a newer block.
    pub fn is_stale(&self) -> bool {
        self.judged.seen().is_ok_and(|seen| self.since.elapsed() > seen.link.between_blocks())
    }

    /// Returns `true` if it is of the same Safe as another one and has a lower nonce.
    pub fn is_before(&self, other: &Self) -> bool {
        let (own, other) = (self.judged.proposal(), other.judged.proposal());
        own.safe() == other.safe() && own.nonce() < other.nonce()
    }

    /// Shows the review. Fails if a check refuses it, if approvals are missing or if it would fail. With `is_behind`,
    /// one of a lower nonce is sent before it.
    pub fn begin(&mut self, is_behind: bool) -> Result<SendStatus, Error> {
        if is_behind {
            return self.behind();
        }
        let status = self.status(true)?;
        if let SendStatus::Ready(_) = status {
            self.require_lock()?;
        }
        Ok(status)
    }

    /// Fails if the lock could not be taken. Only sending needs it: an executed one can be proven in a read-only
    /// folder.
    fn require_lock(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.lock, Ok(None)) {
            Ok(lock) => self.lock = Ok(lock),
            Err(error) => return Err(folder_error(error)),
        }
        Ok(())
    }

    fn behind(&mut self) -> Result<SendStatus, Error> {
        let tally = self.judged.tally();
        if tally.approved.len() < tally.threshold.get() {
            return Err(self.not_ready(NotReady::Shortfall(tally)));
        }
        self.session.review_to_send(&self.judged, &self.terms.accept);
        enforce(&self.judged.findings, &self.terms.accept)?;
        require_success(&self.judged)?;
        self.require_lock()?;
        Ok(SendStatus::Behind)
    }

    /// Returns whether it is executed, done or ready. Fails if approvals are missing, a check refuses it, or it would
    /// fail.
    pub fn status(&self, is_shown: bool) -> Result<SendStatus, Error> {
        let (session, accept, judged) = (self.session, &self.terms.accept, &self.judged);
        let now = judged.seen()?.fresh()?;
        let ready = match assemble(judged.proposal(), &judged.approvals(), now) {
            Err(used @ NotReady::NonceUsed { .. }) => {
                return self.executed(used);
            }
            ready => ready,
        };
        outcome::report_lost_outcome(session, judged)?;
        let ready = match ready {
            Ok(ready) => ready,
            Err(_) if session.says_done(judged, accept) => return Ok(SendStatus::Done),
            Err(not_ready) => {
                enforce(&judged.findings, accept)?;
                return Err(self.not_ready(not_ready));
            }
        };
        if is_shown {
            session.review_to_send(judged, accept);
        }
        enforce(&judged.findings, accept)?;
        require_success(judged)?;
        Ok(SendStatus::Ready(ready))
    }

    /// Returns the outcome of a proposal that the Safe has executed, sent by us or by somebody else.
    fn executed(&self, used: NotReady) -> Result<SendStatus, Error> {
        let (session, judged) = (self.session, &self.judged);
        judged.enforce_fresh(&self.terms.accept)?;
        let Some(outcome) = outcome::of_executed(session, judged)? else {
            return if session.says_done(judged, &self.terms.accept) {
                Ok(SendStatus::Done)
            } else {
                Err(used.into())
            };
        };
        let ours = session.sent(judged.proposal())?.iter().any(|sent| sent.hash == outcome.receipt.tx);
        let by = if ours {
            "Nothing sent: already executed by the transaction sent from here".to_string()
        } else {
            format!("Nothing sent: already executed by somebody else, {}", outcome.receipt.from)
        };
        Ok(SendStatus::Executed(Box::new(outcome), by))
    }

    /// Returns why it cannot be sent, with the missing owners by name.
    fn not_ready(&self, why: NotReady) -> Error {
        not_ready(self.session, &self.judged, &self.terms.what, why)
    }

    /// Searches for what was sent before; otherwise returns the price of sending it now, beside others of the same run.
    pub fn price(&self, ready: Ready, from: Address, besides: &Besides) -> Result<SendStep, Error> {
        let (judged, terms) = (&self.judged, self.terms);
        let replaces = match sent_before(self.session, judged, from, terms.fees.priority_fee)? {
            EarlierSending::Mined(outcome, by) => return Ok(SendStep::Executed(outcome, by)),
            EarlierSending::Waits(sent, ready) => return Ok(SendStep::Waits(Box::new(sent), ready)),
            EarlierSending::Stuck(sent) => Some(sent),
            EarlierSending::Nothing => None,
        };
        let prepared = besides.leave(&prepared(judged, terms.fees.priority_fee)?);
        let limit = gas::limit(self.session, judged, &ready, from, prepared.gas, terms.fees.gas)?;
        let header = judged.seen.as_ref().map(|online| &online.snapshot.header);
        let place = (judged.derived.chain.name.as_str(), header.and_then(|header| header.base_fee));
        let call = Outgoing::from(&ready);
        let offer = Offer::new(place, &call, from, &prepared, limit, terms.fees.max_fee, replaces.as_ref())?;
        Ok(SendStep::Send(Box::new(Priced { ready, offer, replaces })))
    }
}

/// Returns why a proposal cannot be sent, with the missing owners by name.
pub fn not_ready(session: &Session, judged: &Judged, what: &[String], why: NotReady) -> Error {
    let missing = match &why {
        NotReady::Shortfall(Shortfall { missing, .. }) => missing.clone(),
        _ => Vec::new(),
    };
    let mut error = Error::from(why);
    if !missing.is_empty() {
        let named = missing.iter().map(|owner| format!("{} {owner}", judged.name(*owner)));
        let what = session.words_of(judged.proposal(), what);
        error.hints = vec![
            format!("still to sign: {}", named.collect::<Vec<_>>().join(", ")),
            format!("breakglass import {what} reads their lines, or the whole chat"),
        ];
        let calls = session.council.calls_for(&missing, clock::seconds());
        error.hints.extend(calls.iter().take(MOST_CALLS).map(|call| format!("call {call}")));
    }
    error
}

/// Proves the values if asked to, and judges them.
fn judge<'a>(session: &Session, terms: &SendTerms, rehearsed: Rehearsed<'a>) -> Result<Judged<'a>, Error> {
    Ok(rehearsed.prove(session.ui, terms.proofs)?.judge(false))
}

/// Fails if the rehearsal with the owners' own signatures fails; that runs in this process alone.
fn require_success(judged: &Judged) -> Result<(), Error> {
    let Some(done) = judged.rehearsal.done().filter(|done| done.is_signed) else { return Ok(()) };
    rehearsal_result::check_success(&done.rehearsal, judged.plan(), &judged.derived.names).map_err(|why| {
        Error::new(Exit::Failed, format!("the transaction would fail: {why}"))
            .hint("nothing was sent; breakglass status shows what changed since it was signed")
    })
}

/// Returns the error for a folder that cannot be written before a transaction is sent.
pub fn folder_error(error: StoreError) -> Error {
    if matches!(error, StoreError::Locked { .. }) {
        return Error::from(error).hint("nothing was sent");
    }
    not_kept(error.into())
}

pub fn not_kept(error: Error) -> Error {
    error.hint("nothing was sent").hint("--calldata prints the call, which any wallet can send")
}
