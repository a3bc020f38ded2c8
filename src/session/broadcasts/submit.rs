//! One transaction on its way: somebody is asked, the payer's key signs it, it is handed to its chain, waited for and proven.

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, U256};

use crate::ceremony::aftermath::outcome::Outcome;
use crate::ceremony::enforce::accepted;
use crate::ceremony::sending::offer::{Besides, Offer, prepared};
use crate::ceremony::sending::outbox::Outbox;
use crate::ceremony::sending::sent::{Sent, first_recorded, looked_for};
use crate::ceremony::sending::waiting::finish;
use crate::chain::Receipt;
use crate::clock;
use crate::device::DeviceRequest;
use crate::error::{Error, Exit};
use crate::evm::amount;
use crate::incident::JournalAct;
use crate::proposal::{Outgoing, Ready};
use crate::safe::Execution;
use crate::session::broadcasts::after_mining::report;
use crate::session::broadcasts::earlier::not_reserved;
use crate::session::broadcasts::sendable::{
    JudgedSend, Priced, SendStatus, SendStep, folder_error, not_kept,
};
use crate::session::machine::keys::KeyHolder;
use crate::ui::Text;
use crate::view::review_lines::cost;
use crate::view::review_lines::device_pages;

/// The account that pays for the gas.
pub struct Payer<'k> {
    pub from: Address,
    /// Signs a transaction: the raw signed one.
    pub sign: &'k dyn Fn(&TxEip1559) -> Result<Vec<u8>, Error>,
}

/// A transaction that may be sent.
pub struct SendCandidate<'a> {
    pub look: JudgedSend<'a>,
    pub way: SendStep,
    /// Wei that somebody agreed to pay at most.
    agreed: Option<U256>,
}

/// A transaction that has left, or was there already.
pub enum Handed<'a> {
    Executed(JudgedSend<'a>, Box<Outcome>, String),
    /// There was nothing to do any more, and that has been shown.
    Done,
    OnItsWay {
        look: JudgedSend<'a>,
        sent: Box<Sent>,
        all: Vec<Sent>,
        outbox: Box<Outbox>,
        by: &'static str,
    },
}

impl<'a> SendCandidate<'a> {
    /// Prices one that is ready, beside others of the same run.
    pub fn new(look: JudgedSend<'a>, ready: Ready, from: Address, besides: &Besides) -> Result<Self, Error> {
        let way = look.price(ready, from, besides)?;
        Ok(Self { look, way, agreed: None })
    }

    /// Looks at it again, after somebody was asked, and prices it anew.
    pub fn refreshed(self, from: Address, besides: &Besides) -> Result<Self, Error> {
        let Self { look, agreed, .. } = self;
        let (look, standing) = look.unchanged(from)?;
        let way = match standing {
            SendStatus::Ready(ready) => look.price(ready, from, besides)?,
            SendStatus::Executed(outcome, by) => SendStep::Executed(outcome, by),
            SendStatus::Behind | SendStatus::Done => return Err(nonce_passed()),
        };
        Ok(Self { look, way, agreed })
    }

    /// The price that is asked for; `None` where nothing is to be sent.
    pub fn offer(&self) -> Option<&Offer> {
        match &self.way {
            SendStep::Send(priced) => Some(&priced.offer),
            SendStep::Executed(..) | SendStep::Waits(..) => None,
        }
    }

    /// Asks whether it is sent at its price, unless as much was agreed to before. Returns `true` if somebody was asked.
    /// Fails if they say no.
    pub fn ask(&mut self, signer: &KeyHolder) -> Result<bool, Error> {
        let SendStep::Send(priced) = &self.way else { return Ok(false) };
        if self.agreed.is_some_and(|most| priced.offer.most() <= most) {
            return Ok(false);
        }
        let ui = self.look.session.ui;
        if let Some(screen) = signer.screen() {
            let Offer { tx, from, .. } = &priced.offer;
            let preview = screen.preview(&DeviceRequest::Transaction(tx, *from));
            ui.show(&device_pages::lines(&preview, *from, "the transaction that pays for the gas"));
        }
        if self.agreed.is_some() {
            ui.say(&Text::new("  ").warn("it costs more now than when you were asked:"));
        }
        ui.show(&cost::lines(&priced.offer, &self.look.judged.derived.names));
        ui.blank();
        confirm(&self.look, priced.replaces.as_ref())?;
        self.look.judged.require_late_agreement()?;
        self.agreed = Some(priced.offer.most());
        Ok(true)
    }

    /// Signs it and hands it to its chain, unless there is one already. What is older than a block by then is read again
    /// before anything leaves. `besides` are those that have left before it.
    pub fn submit(self, payer: &Payer, besides: &mut Besides) -> Result<Handed<'a>, Error> {
        let Self { mut look, way, .. } = self;
        let Priced { mut ready, mut offer, replaces } = match way {
            SendStep::Executed(outcome, by) => return Ok(Handed::Executed(look, outcome, by)),
            SendStep::Waits(sent, ready) => return wait_for(look, *sent, &ready),
            SendStep::Send(priced) => *priced,
        };
        let (session, from) = (look.session, payer.from);
        if replaces.is_none() {
            offer.tx.nonce = besides.free(prepared(&look.judged, None)?.nonce);
        }
        let chain_id = look.judged.derived.chain.id;
        let lock = session.incidents.lock_payer(&from.to_string(), chain_id).map_err(folder_error)?;
        let own = session.folders(look.judged.proposal().hash())?;
        not_reserved(session, &look.judged, &own, (from, offer.tx.nonce))?;
        let raw = (payer.sign)(&offer.tx).map_err(|error| error.hint("nothing was sent"))?;
        if look.is_stale() {
            let (now, standing) = look.unchanged(from)?;
            (look, ready) = match standing {
                SendStatus::Ready(ready) => (now, ready),
                SendStatus::Executed(outcome, by) => return Ok(Handed::Executed(now, outcome, by)),
                SendStatus::Done => return Ok(Handed::Done),
                SendStatus::Behind => return Err(nonce_passed()),
            };
        }
        if offer.tx.input != *ready.calldata() {
            let message = "the approvals have changed since you were asked";
            return Err(Error::new(Exit::Drift, message).hint("nothing was sent; run the same command again"));
        }
        // The payer's device may have taken nearly as long as a block.
        look.judged.require_late_agreement()?;
        let sent = Sent::new(raw, Some(clock::seconds())).ok_or_else(signed_otherwise)?;
        session.keep_sent(look.judged.proposal(), &sent).map_err(not_kept)?;
        drop(lock);
        let handed = broadcast(look, sent, &ready, true)?;
        besides.add(&offer);
        Ok(handed)
    }
}

impl Handed<'_> {
    /// Waits until it is mined, proves it, and reports.
    pub fn finish(&self) -> Result<Exit, Error> {
        let (look, sent, all, outbox, by) = match self {
            Self::Executed(look, outcome, by) => {
                return report(look.session, &look.judged, outcome, by, Some(&look.terms.wanted));
            }
            Self::Done => return Ok(Exit::Done),
            Self::OnItsWay { look, sent, all, outbox, by } => (look, sent, all, outbox, by),
        };
        let (session, judged, terms) = (look.session, &look.judged, look.terms);
        let (outcome, by) = finish(session, judged, (sent, all), outbox, terms.fees.wait(), by)?;
        let succeeded = outcome.execution == Execution::Succeeded;
        let Receipt { tx, block, .. } = &outcome.receipt;
        session.note(JournalAct::Mined { tx: *tx, block: block.number, succeeded }, judged.proposal());
        report(session, judged, &outcome, &by, terms.wanted.is_asked().then_some(&terms.wanted))
    }
}

/// One that was sent before is given out again, which is harmless.
fn wait_for<'a>(look: JudgedSend<'a>, sent: Sent, ready: &Ready) -> Result<Handed<'a>, Error> {
    let (ui, max_fee) = (look.session.ui, look.terms.fees.max_fee);
    ui.say(&Text::new(&format!("Nothing new sent: {} was sent before and is on its way", sent.hash)));
    let paid = sent.tx.max_fee_per_gas;
    let gwei = amount::gwei(paid);
    if paid > u128::from(max_fee) * 1_000_000_000 {
        let text = format!(
            "it may pay {gwei} gwei, more than --max-fee {max_fee}: what is sent cannot be made cheaper"
        );
        ui.say(&Text::default().warn("note: ").add(&text));
    } else {
        ui.say(&Text::new(&format!(
            "it may pay {gwei} gwei, which is enough now; it is replaced, up to --max-fee {max_fee}, when it is not"
        )));
    }
    broadcast(look, sent, ready, false)
}

fn broadcast<'a>(look: JudgedSend<'a>, sent: Sent, ready: &Ready, is_new: bool) -> Result<Handed<'a>, Error> {
    let (session, judged) = (look.session, &look.judged);
    let all = looked_for(session.sent(judged.proposal())?, Some(sent.from));
    let first = first_recorded(&all, sent.from);
    let outbox =
        Outbox::open(session.ui, judged.derived.chain, first, clock::seconds(), Outgoing::from(ready))?;
    let link = &judged.seen()?.link;
    outbox.give_unless_mined(session.ui, link, &sent)?;
    if is_new {
        session.note(JournalAct::Sent { tx: sent.hash, payer: sent.from }, judged.proposal());
        let accepted = accepted(&judged.findings, &look.terms.accept);
        session.note_accepted(&accepted, Some(judged.proposal()));
    }
    let by = if is_new { "Sent, and executed" } else { "Sent before, and executed" };
    Ok(Handed::OnItsWay { look, sent: Box::new(sent), all, outbox: Box::new(outbox), by })
}

/// Asks for the Safe's name, unless it was named on the command line.
/// Fails if they say no.
pub fn confirm(look: &JudgedSend, replaced: Option<&Sent>) -> Result<(), Error> {
    let name = &look.judged.derived.safe.name;
    let yes = if look.terms.confirm.is_empty() {
        let what = look.session.words_of(look.judged.proposal(), &look.terms.what);
        let what = if replaced.is_some() { "Replace it".into() } else { format!("Send {what}") };
        let question = format!("{what} now? Type the Safe's name, {name}");
        look.session.ui.typed(&question, name, &format!("--confirm {name}"))?
    } else {
        look.terms.confirm.contains(name)
    };
    if yes {
        return Ok(());
    }
    Err(Error::new(Exit::Refused, format!("not sent: the Safe's name is {name}")).hint(match replaced {
        Some(sent) => format!("nothing new was sent; {} still waits", sent.hash),
        None => "nothing was sent; run it again and type that name, or leave it".into(),
    }))
}

/// Returns the error for a key whose transaction is not the one that it was asked for.
pub fn signed_otherwise() -> Error {
    Error::new(Exit::Failed, "the key signed something else; nothing was sent")
        .hint("do not use this key again before you know why")
}

/// It was ready when somebody was asked.
pub fn nonce_passed() -> Error {
    Error::new(Exit::Drift, "do not send it: another transaction was faster")
        .hint("nothing was sent; run the same command again")
}
