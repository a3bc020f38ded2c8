//! One transaction on its way: asked about, signed by the payer's key, sent, waited for and proven.

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, U256};

use crate::ceremony::aftermath::outcome::Outcome;
use crate::ceremony::enforce::accepted;
use crate::ceremony::sending::offer::{Besides, Offer, prepared};
use crate::ceremony::sending::outbox::Outbox;
use crate::ceremony::sending::sent::{Sent, first_recorded, worth_asking};
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
    /// Signs a transaction; returns the raw signed one.
    pub sign: &'k dyn Fn(&TxEip1559) -> Result<Vec<u8>, Error>,
}

/// A transaction that may be sent.
pub struct SendCandidate<'a> {
    pub judged_send: JudgedSend<'a>,
    pub way: SendStep,
    /// The most wei that somebody agreed to pay.
    agreed: Option<U256>,
}

/// A transaction that was sent, or was executed already.
pub enum Handed<'a> {
    Executed(JudgedSend<'a>, Box<Outcome>, String),
    Done,
    OnItsWay {
        judged_send: JudgedSend<'a>,
        sent: Box<Sent>,
        all: Vec<Sent>,
        outbox: Box<Outbox>,
        by: &'static str,
    },
}

impl<'a> SendCandidate<'a> {
    /// Prices one that is ready, beside others of the same run.
    pub fn new(
        judged_send: JudgedSend<'a>,
        ready: Ready,
        from: Address,
        besides: &Besides,
    ) -> Result<Self, Error> {
        let way = judged_send.price(ready, from, besides)?;
        Ok(Self { judged_send, way, agreed: None })
    }

    /// Judges it again after a question, and prices it anew.
    pub fn refreshed(self, from: Address, besides: &Besides) -> Result<Self, Error> {
        let Self { judged_send, agreed, .. } = self;
        let (judged_send, status) = judged_send.unchanged(from)?;
        let way = match status {
            SendStatus::Ready(ready) => judged_send.price(ready, from, besides)?,
            SendStatus::Executed(outcome, by) => SendStep::Executed(outcome, by),
            SendStatus::Behind | SendStatus::Done => return Err(nonce_passed()),
        };
        Ok(Self { judged_send, way, agreed })
    }

    /// Returns the price to ask about; `None` if nothing is to be sent.
    pub fn offer(&self) -> Option<&Offer> {
        match &self.way {
            SendStep::Send(priced) => Some(&priced.offer),
            SendStep::Executed(..) | SendStep::Waits(..) => None,
        }
    }

    /// Asks whether to send it at its price, unless as much was agreed to before. Returns `true` if a question was
    /// asked. Fails if the answer is no.
    pub fn ask(&mut self, signer: &KeyHolder) -> Result<bool, Error> {
        let SendStep::Send(priced) = &self.way else { return Ok(false) };
        if self.agreed.is_some_and(|most| priced.offer.most() <= most) {
            return Ok(false);
        }
        let ui = self.judged_send.session.ui;
        if let Some(screen) = signer.screen() {
            let Offer { tx, from, .. } = &priced.offer;
            let preview = screen.preview(&DeviceRequest::Transaction(tx, *from));
            ui.show(&device_pages::lines(&preview, *from, "the transaction that pays for the gas"));
        }
        if self.agreed.is_some() {
            ui.say(&Text::new("  ").warn("it costs more now than when you were asked:"));
        }
        ui.show(&cost::lines(&priced.offer, &self.judged_send.judged.derived.names));
        ui.blank();
        confirm(&self.judged_send, priced.replaces.as_ref())?;
        self.judged_send.judged.require_late_agreement()?;
        self.agreed = Some(priced.offer.most());
        Ok(true)
    }

    /// Signs and sends it, unless one is on its way already. If it is older than a block by then, the chain is read
    /// again before anything is sent. `besides` are those that were sent before it.
    pub fn submit(self, payer: &Payer, besides: &mut Besides) -> Result<Handed<'a>, Error> {
        let Self { mut judged_send, way, .. } = self;
        let Priced { mut ready, mut offer, replaces } = match way {
            SendStep::Executed(outcome, by) => return Ok(Handed::Executed(judged_send, outcome, by)),
            SendStep::Waits(sent, ready) => return wait_for(judged_send, *sent, &ready),
            SendStep::Send(priced) => *priced,
        };
        let (session, from) = (judged_send.session, payer.from);
        if replaces.is_none() {
            offer.tx.nonce = besides.free(prepared(&judged_send.judged, None)?.nonce);
        }
        let chain_id = judged_send.judged.derived.chain.id;
        let lock = session.incidents.lock_payer(&from.to_string(), chain_id).map_err(folder_error)?;
        let own = session.folders(judged_send.judged.proposal().hash())?;
        not_reserved(session, &judged_send.judged, &own, (from, offer.tx.nonce))?;
        let raw = (payer.sign)(&offer.tx).map_err(|error| error.hint("nothing was sent"))?;
        if judged_send.is_stale() {
            let (now, status) = judged_send.unchanged(from)?;
            (judged_send, ready) = match status {
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
        judged_send.judged.require_late_agreement()?;
        let sent = Sent::new(raw, Some(clock::seconds())).ok_or_else(signed_otherwise)?;
        session.keep_sent(judged_send.judged.proposal(), &sent).map_err(not_kept)?;
        drop(lock);
        let handed = broadcast(judged_send, sent, &ready, true)?;
        besides.add(&offer);
        Ok(handed)
    }
}

impl Handed<'_> {
    /// Waits until it is mined, proves it, and reports.
    pub fn finish(&self) -> Result<Exit, Error> {
        let (judged_send, sent, all, outbox, by) = match self {
            Self::Executed(judged_send, outcome, by) => {
                return report(
                    judged_send.session,
                    &judged_send.judged,
                    outcome,
                    by,
                    Some(&judged_send.terms.wanted),
                );
            }
            Self::Done => return Ok(Exit::Done),
            Self::OnItsWay { judged_send, sent, all, outbox, by } => (judged_send, sent, all, outbox, by),
        };
        let (session, judged, terms) = (judged_send.session, &judged_send.judged, judged_send.terms);
        let (outcome, by) = finish(session, judged, (sent, all), outbox, terms.fees.wait(), by)?;
        let succeeded = outcome.execution == Execution::Succeeded;
        let Receipt { tx, block, .. } = &outcome.receipt;
        session.note(JournalAct::Mined { tx: *tx, block: block.number, succeeded }, judged.proposal());
        report(session, judged, &outcome, &by, terms.wanted.is_asked().then_some(&terms.wanted))
    }
}

/// Sends one again that was sent before, which is harmless.
fn wait_for<'a>(judged_send: JudgedSend<'a>, sent: Sent, ready: &Ready) -> Result<Handed<'a>, Error> {
    let (ui, max_fee) = (judged_send.session.ui, judged_send.terms.fees.max_fee);
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
    broadcast(judged_send, sent, ready, false)
}

fn broadcast<'a>(
    judged_send: JudgedSend<'a>,
    sent: Sent,
    ready: &Ready,
    is_new: bool,
) -> Result<Handed<'a>, Error> {
    let (session, judged) = (judged_send.session, &judged_send.judged);
    let all = worth_asking(session.sent(judged.proposal())?, Some(sent.from));
    let first = first_recorded(&all, sent.from);
    let outbox =
        Outbox::open(session.ui, judged.derived.chain, first, clock::seconds(), Outgoing::from(ready))?;
    let link = &judged.seen()?.link;
    outbox.send_unless_mined(session.ui, link, &sent)?;
    if is_new {
        session.note(JournalAct::Sent { tx: sent.hash, payer: sent.from }, judged.proposal());
        let accepted = accepted(&judged.findings, &judged_send.terms.accept);
        session.note_accepted(&accepted, Some(judged.proposal()));
    }
    let by = if is_new { "Sent, and executed" } else { "Sent before, and executed" };
    Ok(Handed::OnItsWay { judged_send, sent: Box::new(sent), all, outbox: Box::new(outbox), by })
}

/// Asks for the Safe's name, unless it was named on the command line. Fails if the answer is no.
pub fn confirm(judged_send: &JudgedSend, replaced: Option<&Sent>) -> Result<(), Error> {
    let name = &judged_send.judged.derived.safe.name;
    let yes = if judged_send.terms.confirm.is_empty() {
        let what = judged_send.session.words_of(judged_send.judged.proposal(), &judged_send.terms.what);
        let what = if replaced.is_some() { "Replace it".into() } else { format!("Send {what}") };
        let question = format!("{what} now? Type the Safe's name, {name}");
        judged_send.session.ui.typed(&question, name, &format!("--confirm {name}"))?
    } else {
        judged_send.terms.confirm.contains(name)
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

/// Returns the error for a transaction that was ready at the question, and whose nonce was used since.
pub fn nonce_passed() -> Error {
    Error::new(Exit::Drift, "do not send it: another transaction was faster")
        .hint("nothing was sent; run the same command again")
}
