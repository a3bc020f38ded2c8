//! Sends a signed transaction: to a private relay first, if the council names one, then to every RPC.

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
    /// The newest transaction was sent to the RPCs.
    is_public: Cell<bool>,
    /// The time to send it again if nobody has confirmed it.
    again: Cell<Option<Instant>>,
    /// The time to send it again although somebody confirmed it: they may have dropped it, or not passed it on.
    repeat: Cell<Option<Instant>>,
}

/// The time between two tries to send a transaction that nobody has confirmed.
const AGAIN: Duration = Duration::from_secs(5);
/// The time until a transaction that was accepted, and is not mined, is sent again.
const REPEAT: Duration = Duration::from_secs(15);

impl Outbox {
    /// Returns an outbox for the transactions that make this call. `first` is the time of the first record of one of
    /// them, both in seconds since 1970.
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

    /// Sends a transaction to the relay or the RPCs, depending on the time. A lost answer is not an error, because it
    /// may have been sent; nor is a relay that refuses it, because the RPCs get it later.
    pub fn send(&self, progress: &dyn Progress, link: &Chain, sent: &Sent) -> Result<(), ChainError> {
        let left = self.private_left();
        let way = self.relay.as_ref().filter(|_| !left.is_zero());
        self.is_public.set(way.is_none());
        let given = progress.wait("sending", || way.unwrap_or(link).send(&self.call, &sent.raw));
        self.again.set(given.is_err().then(|| clock::moment() + AGAIN));
        self.repeat.set((given.is_ok() && way.is_none()).then(|| clock::moment() + REPEAT));
        let then = way.map(|_| public_text(left)).unwrap_or_default();
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

    /// Sends a transaction. A refusal is not an error if the transaction is mined. Fails if nobody accepted it, and it
    /// is not mined.
    pub fn send_unless_mined(&self, progress: &dyn Progress, link: &Chain, sent: &Sent) -> Result<(), Error> {
        match self.send(progress, link, sent) {
            Err(ChainError::NotSent { .. }) if link.receipt(sent.hash)?.is_some() => Ok(()),
            given => Ok(given?),
        }
    }

    /// Returns `true` if it should be sent again: nobody has confirmed it, it has waited for long, or its time with the
    /// relay alone is over.
    pub fn is_due(&self) -> bool {
        self.is_unconfirmed() || self.is_old() || (!self.is_public.get() && self.private_left().is_zero())
    }

    fn is_unconfirmed(&self) -> bool {
        self.again.get().is_some_and(|at| clock::moment() >= at)
    }

    fn is_old(&self) -> bool {
        self.repeat.get().is_some_and(|at| clock::moment() >= at)
    }

    /// Sends it again.
    pub fn resend(&self, progress: &dyn Progress, link: &Chain, sent: &Sent) -> Result<(), ChainError> {
        if self.is_old() {
            self.repeat.set(Some(clock::moment() + REPEAT));
            // An RPC that has it refuses it, and so does one that has mined it: neither is reported.
            return link.send(&self.call, &sent.raw).map(|_| ()).or(Ok(()));
        }
        if !self.is_public.get() && self.private_left().is_zero() {
            progress.tell(Tone::Plain, "", "not mined by way of the private relay: it goes to the RPCs now");
        }
        self.send(progress, link, sent)
    }
}

/// Returns the text of when the RPCs get it; a second that has begun counts.
fn public_text(left: Duration) -> String {
    format!("; it goes to the RPCs in {} s", left.as_secs() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::desk::Desk;
    use crate::ceremony::tests::Home;
    use crate::ceremony::tests::executed::{PAYER, own_call, sent};
    use crate::ceremony::tests::live::{chain, home};
    use crate::ceremony::tests::memory::Memory;

    const HOUR: Duration = Duration::from_hours(1);

    /// One for this call, with a relay that is private until then; nothing was given out yet.
    fn outbox(relay: Option<Chain>, public_from: Instant) -> Outbox {
        let (again, repeat) = (Cell::new(None), Cell::new(None));
        Outbox { call: own_call(), relay, public_from, is_public: Cell::new(false), again, repeat }
    }

    fn link(desk: &Desk) -> Chain {
        desk.connect_to(&desk.council.chains["mainnet"]).unwrap()
    }

    fn later() -> Instant {
        clock::moment() + HOUR
    }

    #[test]
    fn a_relay_comes_first_for_its_time_from_the_first_record_on() {
        let relay = "id = 1\nsend = [\"http://127.0.0.1:9\"]\nprivate_for = \"25 seconds\"\n";
        let home = Home::new().with("id = 1\n", relay);
        let desk = home.desk();
        let open = |desk: &Desk, first: Option<u64>, now: u64| {
            Outbox::open(desk.progress, &desk.council.chains["mainnet"], first, now, own_call()).unwrap()
        };
        let fresh = open(&desk, Some(100), 110);
        assert!(fresh.relay.is_some() && !fresh.private_left().is_zero());
        assert!(fresh.private_left() <= Duration::from_secs(15));
        for (first, now) in [(Some(100), 125), (None, 100)] {
            let public = open(&desk, first, now);
            assert!(public.relay.is_none() && public.private_left().is_zero(), "{first:?} {now}");
        }
        let plain = Home::new();
        assert!(open(&plain.desk(), Some(100), 100).relay.is_none(), "no relay is named");
        assert_eq!(public_text(Duration::from_millis(24_300)), "; it goes to the RPCs in 25 s");
    }

    #[test]
    fn without_a_relay_nothing_is_private() {
        assert!(outbox(None, later()).private_left().is_zero());
        let home = home(&Memory::new(1));
        let relay = link(&home.desk());
        assert!(!outbox(Some(relay), later()).private_left().is_zero());
    }

    #[test]
    fn the_relay_alone_sees_it_first_and_then_every_rpc() {
        let (rpc, relay) = (chain(), Memory::new(1));
        let (home, relays) = (home(&rpc), home(&relay));
        let (desk, relays) = (home.desk(), relays.desk());
        let (of, link) = (link, link(&desk));
        let sent = sent(&own_call(), 0, 9);
        let private = outbox(Some(of(&relays)), later());
        private.send(desk.progress, &link, &sent).unwrap();
        assert_eq!((relay.taken().len(), rpc.taken().len()), (1, 0));
        assert!(!private.is_public.get() && private.again.get().is_none() && private.repeat.get().is_none());
        let heard = home.heard();
        let told = format!("Sent {} to the private relay; it goes to the RPCs in ", sent.hash);
        assert!(heard[0].starts_with(&told), "{heard:?}");
        // Its time is over.
        let public = outbox(Some(of(&relays)), clock::moment());
        assert!(public.is_due());
        public.resend(desk.progress, &link, &sent).unwrap();
        assert_eq!((relay.taken().len(), rpc.taken().len()), (1, 1));
        assert!(public.is_public.get() && public.again.get().is_none() && public.repeat.get().is_some());
        assert!(!public.is_due());
        let told = "not mined by way of the private relay: it goes to the RPCs now".to_string();
        assert_eq!(home.heard(), [told, format!("Sent {}", sent.hash)]);
    }

    #[test]
    fn what_a_relay_refuses_goes_to_the_rpcs_later_and_what_they_refuse_is_an_error() {
        let (rpc, relay) = (chain(), Memory::new(1));
        for node in [&rpc, &relay] {
            node.refuse("eth_sendRawTransaction");
        }
        let (home, relays) = (home(&rpc), home(&relay));
        let (desk, relays) = (home.desk(), relays.desk());
        let (of, link) = (link, link(&desk));
        let sent = sent(&own_call(), 0, 9);
        let private = outbox(Some(of(&relays)), later());
        private.send(desk.progress, &link, &sent).unwrap();
        assert!(private.again.get().is_some() && private.repeat.get().is_none());
        let heard = home.heard();
        assert!(heard[0].starts_with("not confirmed: ") && heard[0].contains("; it goes to the RPCs in "));
        let public = outbox(None, later());
        let error = public.send(desk.progress, &link, &sent).unwrap_err();
        assert!(matches!(error, ChainError::NotSent { unsure: false, .. }), "{error}");
        // It is refused because it is mined: the receipt tells.
        assert!(public.send_unless_mined(desk.progress, &link, &sent).is_err());
        let mined = rpc.mine_call(PAYER, PAYER, &alloy::primitives::Bytes::new(), true);
        rpc.rename(mined, sent.hash);
        assert!(public.send_unless_mined(desk.progress, &link, &sent).is_ok());
        rpc.allow("eth_sendRawTransaction");
        assert!(public.send_unless_mined(desk.progress, &link, &sent).is_ok());
        assert_eq!(rpc.taken().len(), 1);
    }

    #[test]
    fn what_may_have_left_is_not_an_error() {
        let home = Home::new();
        let desk = home.desk();
        let public = outbox(None, later());
        public.send(desk.progress, &link(&desk), &sent(&own_call(), 0, 9)).unwrap();
        assert!(public.again.get().is_some_and(|at| at > clock::moment()));
        assert!(home.heard()[0].starts_with("not confirmed: "));
    }

    #[test]
    fn it_is_given_out_again_once_its_time_has_come() {
        let home = home(&Memory::new(1));
        let desk = home.desk();
        let given = |again: Option<Instant>, repeat: Option<Instant>| {
            let outbox = outbox(Some(link(&desk)), later());
            outbox.again.set(again);
            outbox.repeat.set(repeat);
            outbox
        };
        let (now, later) = (clock::moment(), later());
        assert!(!given(None, None).is_due() && !given(Some(later), Some(later)).is_due());
        let unconfirmed = given(Some(now), Some(later));
        assert!(unconfirmed.is_unconfirmed() && unconfirmed.is_due() && !unconfirmed.is_old());
        let old = given(Some(later), Some(now));
        assert!(old.is_old() && old.is_due() && !old.is_unconfirmed());
        let public = outbox(None, later);
        assert!(public.is_due(), "no RPC has it");
        public.is_public.set(true);
        assert!(!public.is_due());
    }

    /// An RPC may have dropped what it took: it is told once more, and says nothing new by refusing it.
    #[test]
    fn what_waits_for_long_is_sent_again_without_a_word() {
        let rpc = chain();
        let home = home(&rpc);
        let desk = home.desk();
        let link = link(&desk);
        let old = outbox(None, later());
        old.is_public.set(true);
        let sent = sent(&own_call(), 0, 9);
        for refused in [false, true] {
            if refused {
                rpc.refuse("eth_sendRawTransaction");
            }
            old.repeat.set(Some(clock::moment()));
            old.resend(desk.progress, &link, &sent).unwrap();
            assert!(!old.is_old(), "it waits once more");
        }
        assert_eq!((rpc.taken().len(), home.heard()), (1, Vec::new()));
        // One that nobody confirmed is sent aloud.
        rpc.allow("eth_sendRawTransaction");
        let unconfirmed = outbox(None, later());
        unconfirmed.is_public.set(true);
        unconfirmed.again.set(Some(clock::moment()));
        unconfirmed.resend(desk.progress, &link, &sent).unwrap();
        assert_eq!((rpc.taken().len(), home.heard()), (2, vec![format!("Sent {}", sent.hash)]));
    }
}
