//! Evaluates the named levers or files: found, read from their chains, rehearsed, and read again before an act. Several
//! transactions are evaluated side by side, in the rounds of one.

use alloy::primitives::Address;

use crate::ceremony::at_once::side_by_side;
use crate::ceremony::contention::rivals::digits;
use crate::ceremony::derived::Derived;
use crate::ceremony::desk::Desk;
use crate::ceremony::find::{CommandPurpose, Found};
use crate::ceremony::hints;
use crate::ceremony::judged::Judged;
use crate::ceremony::online::{ReadPoint, propose};
use crate::ceremony::order::{Given, Order};
use crate::ceremony::rehearse::Rehearsed;
use crate::check::Match;
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::progress::Tone;
use crate::proposal::Proposal;

/// One transaction of several, and its result. One that fails does not stop the others.
pub struct PartResult<'a> {
    /// `vault + bridge · guardian on mainnet`
    pub title: String,
    pub result: Result<Rehearsed<'a>, Error>,
}

impl<'a> Desk<'a> {
    /// Evaluates the named transactions on the chains as they are now, and rehearses them unless they are only shown.
    /// Fails for unknown names; an error about one transaction is in its result.
    pub fn evaluate(
        &'a self,
        what: &[String],
        given: &Given,
        purpose: CommandPurpose,
    ) -> Result<Vec<PartResult<'a>>, Error> {
        let found = self.parts(what, given)?;
        let titles: Vec<String> = found.iter().map(Found::title).collect();
        let evaluated = side_by_side(self.progress, found, |found| self.evaluate_for(found, given, purpose));
        let mut parts = Vec::new();
        for (title, evaluated) in titles.into_iter().zip(evaluated) {
            match evaluated {
                Ok(all) => parts.extend(all.into_iter().enumerate().map(|(at, rehearsed)| {
                    let hash = digits(&rehearsed.online.derived.proposal);
                    let title = if at == 0 { title.clone() } else { format!("{title}, another: {hash}") };
                    PartResult { title, result: Ok(rehearsed) }
                })),
                Err(error) => parts.push(PartResult { title, result: Err(error) }),
            }
        }
        Ok(parts)
    }

    /// Evaluates one transaction for a purpose. If it is only shown, every signed proposal of its nonce is evaluated.
    fn evaluate_for(
        &'a self,
        found: Found<'a>,
        given: &Given,
        purpose: CommandPurpose,
    ) -> Result<Vec<Rehearsed<'a>>, Error> {
        let order = match &found {
            Found::Lever { order, .. } => Some((**order).clone()),
            Found::Proposal(_) => None,
        };
        let found = self.for_purpose(found, given, purpose)?;
        let is_new = matches!(found, Found::Lever { .. });
        let view = self.read_point(found.safe())?;
        let evaluated = self.evaluate_found(found, view, given, purpose != CommandPurpose::Show, None)?;
        // A drill keeps the nonce that was announced.
        let Some(order) = order.filter(|order| !order.is_drill()) else { return Ok(vec![evaluated]) };
        // The order of an approval has its transaction by now; any other order stays as it was asked for.
        let approves = order.approved().is_some();
        let own = evaluated.online.derived.own.as_ref().filter(|_| approves);
        let order = own.map_or(order, |own| own.order.clone());
        match purpose {
            CommandPurpose::Propose if is_new => Ok(vec![self.make_room(evaluated, order, given)?]),
            CommandPurpose::Sign if is_new => {
                Ok(vec![self.prefer_signed(self.make_room(evaluated, order, given)?, given)?])
            }
            CommandPurpose::Show => {
                let mut all = vec![evaluated];
                for sibling in self.siblings(&all[0].online.derived, &order, given)? {
                    let found = Found::Proposal(Box::new(self.find_own_lever(sibling, given)?));
                    let view = self.read_point(found.safe())?;
                    all.push(self.evaluate_found(found, view, given, false, None)?);
                }
                Ok(all)
            }
            _ => Ok(vec![evaluated]),
        }
    }

    /// Evaluates each of several at once.
    pub fn evaluate_each(
        &self,
        found: Vec<Found<'a>>,
        evaluate: impl Fn(Found<'a>) -> Result<Rehearsed<'a>, Error> + Sync,
    ) -> Vec<PartResult<'a>> {
        let titles: Vec<String> = found.iter().map(Found::title).collect();
        let results = side_by_side(self.progress, found, evaluate);
        titles.into_iter().zip(results).map(|(title, result)| PartResult { title, result }).collect()
    }

    /// Evaluates each of several at once, with its title. One that fails is told and left out.
    /// Fails as the first of them if none is left; not so if `others` were found besides.
    pub(in crate::ceremony) fn evaluate_or_leave_out(
        &'a self,
        found: Vec<Found<'a>>,
        given: &Given,
        others: bool,
    ) -> Result<Vec<(String, Rehearsed<'a>)>, Error> {
        let look = |found: Found<'a>| {
            let view = self.read_point(found.safe())?;
            self.evaluate_found(found, view, given, true, None)
        };
        let (mut evaluated, mut failed) = (Vec::new(), Vec::new());
        for part in self.evaluate_each(found, look) {
            match part.result {
                Ok(rehearsed) => evaluated.push((part.title, rehearsed)),
                Err(error) => failed.push((part.title, error)),
            }
        }
        if evaluated.is_empty() && !others && !failed.is_empty() {
            return Err(failed.swap_remove(0).1);
        }
        for (title, error) in failed {
            self.progress.tell(Tone::Warn, "left out: ", &format!("{title}: {error}"));
        }
        Ok(evaluated)
    }

    /// Returns the chain of a Safe, at its newest block.
    pub fn read_point(&self, safe: &council::Safe) -> Result<ReadPoint, Error> {
        Ok(ReadPoint { link: self.connect(safe)?, at: BlockTag::Latest })
    }

    /// Evaluates a transaction that was found, at a point of its chain. With a payer, the cost of sending is read
    /// along.
    pub fn evaluate_found(
        &'a self,
        found: Found<'a>,
        view: ReadPoint,
        given: &Given,
        rehearse: bool,
        payer: Option<Address>,
    ) -> Result<Rehearsed<'a>, Error> {
        let (found, approved) = self.with_approved(found, given, rehearse)?;
        let guess = match &found {
            Found::Lever { guess, .. } => guess.clone(),
            Found::Proposal(_) => None,
        };
        let online = found.online(self, view, given, rehearse, payer)?;
        // If values have moved, the rehearsal shows whether it still works.
        let has_moved = matches!(online.derived.matching, Match::Moved(_));
        if !rehearse && !has_moved {
            return Ok(online.unrehearsed(self.progress).approving(approved));
        }
        let rehearsed = online.rehearse(self.progress, payer, guess.as_deref());
        if let (Some(own), Some(done)) = (&rehearsed.online.derived.own, rehearsed.rehearsal.done()) {
            hints::keep(self.cache.as_ref(), &own.order, &done.rehearsal.read);
        }
        Ok(rehearsed.approving(approved))
    }

    /// Evaluates first the transaction that it approves on chain, if any, because that decides what is signed.
    fn with_approved(
        &'a self,
        found: Found<'a>,
        given: &Given,
        rehearse: bool,
    ) -> Result<(Found<'a>, Option<Box<Rehearsed<'a>>>), Error> {
        let given = given.of_approved();
        let existing = |proposal: &Proposal| {
            Ok::<_, Error>(Found::Proposal(Box::new(self.find_own_lever(proposal.clone(), &given)?)))
        };
        match found {
            Found::Lever { order, guess, approvals } => {
                let Some(of) = order.approved() else {
                    return Ok((Found::Lever { order, guess, approvals }, None));
                };
                let of = match &of.proposal {
                    Some(proposal) => existing(proposal)?,
                    None => Found::Lever { order: Box::new(of.order.clone()), guess: None, approvals: false },
                };
                let evaluated = self.evaluate_for(of, &given, CommandPurpose::Sign)?.pop();
                let evaluated = evaluated.ok_or_else(|| Error::new(Exit::Failed, "nothing is approved"))?;
                let order = Box::new(order.approving(evaluated.online.derived.proposal.clone()));
                Ok((Found::Lever { order, guess, approvals }, Some(Box::new(evaluated))))
            }
            Found::Proposal(made) => {
                let Some(of) = made.proposal.approves() else { return Ok((Found::Proposal(made), None)) };
                let of = existing(of)?;
                let view = self.read_point(of.safe())?;
                let evaluated = self.evaluate_found(of, view, &given, rehearse, None)?;
                Ok((Found::Proposal(made), Some(Box::new(evaluated))))
            }
        }
    }

    /// Derives an order on the chain as it is now, and rehearses it.
    pub fn propose(&'a self, order: Order<'a>, given: &Given) -> Result<Rehearsed<'a>, Error> {
        let view = self.read_point(order.safe)?;
        Ok(propose(self, order, view, given, None, true)?.rehearse(self.progress, None, None))
    }

    /// Derives the named transactions without the network. A lever without a kept proposal is derived for the Safe as
    /// the council file has it. Fails if the lever or the Safe needs more than the reader's own files and command line.
    pub fn offline(&'a self, what: &[String], given: &Given) -> Result<Vec<Derived<'a>>, Error> {
        let found = self.find(what, given, CommandPurpose::Offline)?.into_iter();
        let derive = |found| match found {
            Found::Proposal(existing) => existing.offline(self, given),
            Found::Lever { order, .. } => self.assume(*order, given),
        };
        found.map(derive).collect()
    }

    /// Derives the named kept proposals without the network. Fails for a lever without a kept proposal.
    pub fn derive_kept(&'a self, what: &[String], given: &Given) -> Result<Vec<Derived<'a>>, Error> {
        let found = self.find(what, given, CommandPurpose::Offline)?.into_iter();
        let derive = |found| match found {
            Found::Proposal(existing) => existing.offline(self, given),
            Found::Lever { order, .. } => Err(self.nothing_to_show(&order)),
        };
        found.map(derive).collect()
    }

    /// Evaluates the same proposal again on the chain as it is now, over the same connection: one round if the first
    /// evaluation recorded what its rehearsal read.
    pub fn refresh(
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
        let view = ReadPoint { link, at: BlockTag::Latest };
        let found = Found::Proposal(Box::new(self.find_own_lever(proposal.recording(record), given)?));
        self.evaluate_found(found, view, given, true, payer)
    }
}
