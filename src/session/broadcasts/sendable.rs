//! A look at a transaction that is to be sent: is it executed already, can it be sent now, and what does it cost?

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

/// People to call who are listed.
const MOST_CALLS: usize = 10;

/// A person's wishes for the sending.
#[derive(Clone)]
pub struct SendTerms {
    pub what: Vec<String>,
    pub given: Given,
    pub accept: Vec<String>,
    pub proofs: bool,
    /// Names of Safes for which nobody is asked.
    pub confirm: Vec<String>,
    /// The call is only printed.
    pub only_call: bool,
    pub fees: FeeArgs,
    pub wanted: RequiredDepth,
}

/// A look at the chain.
#[must_use]
pub struct JudgedSend<'a> {
    pub session: &'a Session<'a>,
    pub terms: &'a SendTerms,
    pub judged: Judged<'a>,
    /// Nobody else here sends this proposal. An error until it is needed.
    lock: Result<Option<Lock>, StoreError>,
    /// Its beginning.
    since: Instant,
}

/// The result of a look.
pub enum SendStatus {
    /// The Safe has executed it already, with how to say so.
    Executed(Box<Outcome>, String),
    Ready(Ready),
    /// It is done already, and that has been shown.
    Done,
    /// Signed, and behind another that is sent before it.
    Behind,
}

/// The next step of a transaction that is ready.
pub enum SendStep {
    /// One that was sent before is mined and executed it, with how to say so.
    Executed(Box<Outcome>, String),
    /// One that was sent before waits, and its fees will do.
    Waits(Box<Sent>, Ready),
    Send(Box<Priced>),
}

/// A transaction that can be sent, at its price.
pub struct Priced {
    pub ready: Ready,
    pub offer: Offer,
    /// One that was sent before, and whose fees will not do.
    pub replaces: Option<Sent>,
}

impl<'a> JudgedSend<'a> {
    /// Finds the proposal of what was named, and holds it against its chain as it is now.
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
        // Taken before the chain is asked: what another run does meanwhile would not be seen. Whoever only prints the call
        // may have a folder that cannot be written.
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

    /// Returns `true` if it was derived just now and can perhaps be sent: what that costs could not be asked before its
    /// transaction was known.
    fn is_unpriced(&self) -> bool {
        let is_priced = |judged: &Judged| judged.seen().is_ok_and(|seen| seen.snapshot.prepared.is_some());
        !self.judged.derived.is_from_file
            && !self.judged.derived.signatures.is_empty()
            && !is_priced(&self.judged)
    }

    /// Looks at the same proposal on the chain as it is now.
    pub fn refreshed(self, from: Address) -> Result<Self, Error> {
        let Self { session, terms, judged, lock, .. } = self;
        let since = clock::moment();
        let rehearsed = session.refresh(judged, &terms.given, Some(from))?;
        Ok(Self { session, terms, judged: judge(session, terms, rehearsed)?, lock, since })
    }

    /// Looks again after somebody was asked: it must do what they were shown.
    pub fn unchanged(self, from: Address) -> Result<(Self, SendStatus), Error> {
        let record = |judged: &Judged| judged.rehearsal.done().map(|done| done.record(judged.proposal()));
        let before = record(&self.judged);
        let look = self.refreshed(from)?;
        let standing = look.status(false)?;
        if let (SendStatus::Ready(_), Some(before), Some(now)) = (&standing, before, record(&look.judged))
            && let Some(difference) = now.differences(&before).first()
        {
            let message = format!("its effects are not the same now as when you were asked: {difference}");
            return Err(Error::new(Exit::Drift, message)
                .hint("nothing was sent; run the same command again and read the review"));
        }
        Ok((look, standing))
    }

    /// Returns `true` once there may be a block that it has not seen.
    pub fn is_stale(&self) -> bool {
        self.judged.seen().is_ok_and(|seen| self.since.elapsed() > seen.link.between_blocks())
    }

    /// Returns `true` if it comes before another one of the same Safe.
    pub fn is_before(&self, other: &Self) -> bool {
        let (own, other) = (self.judged.proposal(), other.judged.proposal());
        own.safe() == other.safe() && own.nonce() < other.nonce()
    }

    /// Shows the review, and stops where a check refuses it, where approvals are missing and where it would fail. With
    /// `is_behind`, one of a lower nonce is sent before it.
    pub fn begin(&mut self, is_behind: bool) -> Result<SendStatus, Error> {
        if is_behind {
            return self.behind();
        }
        let standing = self.status(true)?;
        if let SendStatus::Ready(_) = standing {
            self.require_lock()?;
        }
        Ok(standing)
    }

    /// One that was executed is proven in a folder that cannot be written, too: the lock is needed to send.
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

    /// Is it executed already, has it been approved, does any check refuse it, and will it succeed?
    pub fn status(&self, is_shown: bool) -> Result<SendStatus, Error> {
        let (session, accept, judged) = (self.session, &self.terms.accept, &self.judged);
        let now = judged.seen()?.fresh()?;
        let ready = match assemble(judged.proposal(), &judged.approvals(), now) {
            Err(used @ NotReady::NonceUsed { .. }) => {
                return self.executed(used);
            }
            ready => ready,
        };
        outcome::say_if_lost(session, judged)?;
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

    /// A proposal that the Safe has executed, sent by us or by somebody else, is proven and not sent again.
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

    /// Looks for what was sent before, and else says what it costs to send it now, beside others of the same run.
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

/// Before anything is said of the Safe: what a single RPC says of its nonce too.
fn judge<'a>(session: &Session, terms: &SendTerms, rehearsed: Rehearsed<'a>) -> Result<Judged<'a>, Error> {
    Ok(rehearsed.prove(session.ui, terms.proofs)?.judge(false))
}

/// Refuses what would fail: by the rehearsal with the owners' own signatures, which runs in this process alone.
fn require_success(judged: &Judged) -> Result<(), Error> {
    let Some(done) = judged.rehearsal.done().filter(|done| done.is_signed) else { return Ok(()) };
    rehearsal_result::check_success(&done.rehearsal, judged.plan(), &judged.derived.names).map_err(|why| {
        Error::new(Exit::Failed, format!("the transaction would fail: {why}"))
            .hint("nothing was sent; breakglass status shows what changed since it was signed")
    })
}

/// The folder does not take what has to be there before a transaction is sent.
pub fn folder_error(error: StoreError) -> Error {
    if matches!(error, StoreError::Locked { .. }) {
        return Error::from(error).hint("nothing was sent");
    }
    not_kept(error.into())
}

pub fn not_kept(error: Error) -> Error {
    error.hint("nothing was sent").hint("--calldata prints the call, which any wallet can send")
}
