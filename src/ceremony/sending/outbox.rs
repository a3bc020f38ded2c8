//! The way of a signed transaction to the chain: a private relay first, where the council names one, then every RPC.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::ceremony::desk;
use crate::ceremony::sending::sent::{Sent, private_left};
use crate::chain::{Chain, ChainError};
use crate::clock;
use crate::council;
use crate::error::Error;
use crate::progress::{Progress, Tone};
use crate::proposal::Outgoing;

pub struct Outbox {
    call: Outgoing,
    relay: Option<Chain>,
    public_from: Instant,
    /// The RPCs have been given the newest transaction.
    is_public: Cell<bool>,
    /// The moment to give it out again if nobody has confirmed it.
    again: Cell<Option<Instant>>,
    /// The moment to give it out again although somebody confirmed it: they may have dropped it, or not passed it on.
    repeat: Cell<Option<Instant>>,
}

/// Between two tries to give out a transaction that nobody has confirmed.
const AGAIN: Duration = Duration::from_secs(5);
/// The time until a transaction that somebody took, and that is not mined, is given out again.
const REPEAT: Duration = Duration::from_secs(15);

impl Outbox {
    /// For the transactions that make this call. `first` is when one of them was first recorded, `now` what the clock says, both in seconds since 1970.
    pub fn open(
        progress: &dyn Progress,
        chain: &council::CouncilChain,
        first: Option<u64>,
        now: u64,
        call: Outgoing,
    ) -> Result<Self, Error> {
        let left = private_left(chain.private_for.as_secs(), first, now);
        let relay = if left == 0 { None } else { desk::relay(progress, chain)? };
        Ok(Self {
            call,
            relay,
            public_from: clock::moment() + Duration::from_secs(left),
            is_public: Cell::new(false),
            again: Cell::new(None),
            repeat: Cell::new(None),
        })
    }

    /// Returns the time for which no RPC may see it yet.
    fn private_left(&self) -> Duration {
        match self.relay {
            Some(_) => self.public_from.saturating_duration_since(clock::moment()),
            None => Duration::ZERO,
        }
    }

    /// Sends a transaction to whoever may see it now. An answer that is lost is not an error: it may have left. Nor is a
    /// relay that does not take it: the RPCs get it later.
    pub fn give(&self, progress: &dyn Progress, link: &Chain, sent: &Sent) -> Result<(), ChainError> {
        let left = self.private_left();
        let way = self.relay.as_ref().filter(|_| !left.is_zero());
        self.is_public.set(way.is_none());
        let given = progress.wait("sending", || way.unwrap_or(link).send(&self.call, &sent.raw));
        self.again.set(given.is_err().then(|| clock::moment() + AGAIN));
        self.repeat.set((given.is_ok() && way.is_none()).then(|| clock::moment() + REPEAT));
        let then = way.map(|_| format!("; it goes to the RPCs in {} s", left.as_secs() + 1));
        let then = then.unwrap_or_default();
        match given {
            Ok(_) if way.is_some() => {
                let text = format!("{} to the private relay{then}", sent.hash);
                progress.tell(Tone::Good, "Sent ", &text);
            }
            Ok(_) => progress.tell(Tone::Good, "Sent ", &sent.hash.to_string()),
            Err(error @ ChainError::NotSent { unsure, .. }) if unsure || way.is_some() => {
                progress.tell(Tone::Warn, "not confirmed: ", &format!("{error}{then}"));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Sends a transaction. One that is refused because it, or its nonce, is mined in this very moment is not an error: the
    /// receipt will tell.
    /// Fails if nobody took it, and it is not mined.
    pub fn give_unless_mined(&self, progress: &dyn Progress, link: &Chain, sent: &Sent) -> Result<(), Error> {
        match self.give(progress, link, sent) {
            Err(ChainError::NotSent { .. }) if link.receipt(sent.hash)?.is_some() => Ok(()),
            given => Ok(given?),
        }
    }

    /// Returns `true` when it should be given out once more: nobody has confirmed that they took it, it has waited for
    /// long, or the RPCs may see now what only the relay has seen.
    pub fn is_due(&self) -> bool {
        self.is_unconfirmed() || self.is_old() || (!self.is_public.get() && self.private_left().is_zero())
    }

    fn is_unconfirmed(&self) -> bool {
        self.again.get().is_some_and(|at| clock::moment() >= at)
    }

    fn is_old(&self) -> bool {
        self.repeat.get().is_some_and(|at| clock::moment() >= at)
    }

    /// Gives it out once more.
    pub fn again(&self, progress: &dyn Progress, link: &Chain, sent: &Sent) -> Result<(), ChainError> {
        if self.is_old() {
            self.repeat.set(Some(clock::moment() + REPEAT));
            // An RPC that has it says so, and one that is mined by now is refused: neither is news.
            return link.send(&self.call, &sent.raw).map(|_| ()).or(Ok(()));
        }
        if !self.is_public.get() && self.private_left().is_zero() {
            progress.tell(Tone::Plain, "", "not mined by way of the private relay: it goes to the RPCs now");
        }
        self.give(progress, link, sent)
    }
}
