//! What a person named, followed as far as it is wanted: offline, on the chain, rehearsed, and once more.

use alloy::primitives::Address;

use crate::ceremony::derive::{Given, Order};
use crate::ceremony::derived::Derived;
use crate::ceremony::desk::Desk;
use crate::ceremony::find::{Found, Purpose};
use crate::ceremony::judged::Judged;
use crate::ceremony::online::{View, propose};
use crate::ceremony::rehearse::Rehearsed;
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::BlockTag;

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
