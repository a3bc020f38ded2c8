//! The transaction of one key alone is sent, noted, waited for and proven: a private relay first, as for every transaction.

use std::path::Path;

use alloy::primitives::{Address, B256, U256};

use crate::ceremony::deputy::deputy_act::{Act, How};
use crate::ceremony::deputy::deputy_mined::{Effect, read};
use crate::ceremony::deputy::deputy_sent::folder_of;
use crate::ceremony::sending::offer::{Offer, prepared};
use crate::ceremony::sending::outbox::Outbox;
use crate::ceremony::sending::sent::{Sent, first_recorded, in_its_place, must_be_replaced, waiting};
use crate::ceremony::sending::waiting::alone;
use crate::cli::args::{FeeArgs, KeyArgs};
use crate::clock;
use crate::council::{Arguments, Lever};
use crate::error::{Error, Exit};
use crate::incident::{self, DeputyStep, Plain, TxStep};
use crate::progress::Tone;
use crate::session::Session;
use crate::session::broadcasts::earlier::not_reserved;
use crate::session::broadcasts::sendable::folder_error;
use crate::session::broadcasts::submit::signed_otherwise;
use crate::session::machine::keys::KeyHolder;
use crate::ui::Text;
use crate::view::deputy_done::DeputyDone;

/// The next step of an act that is to be sent.
pub enum Next {
    /// It was sent before, and its fees will do.
    Waits(Box<Sent>),
    /// It is sent at this price, in the place of one that waits and whose fees will not do.
    Send(Box<Offer>),
}

/// Looks for what was sent before by the same lever, and else prices the transaction. Until the deputy has signed, another
/// signature stands in the call.
pub fn next(sitting: &DeputyRun, act: &Act, from: Address) -> Result<Next, Error> {
    let (session, terms, judged) = (sitting.session, sitting.terms, &act.judged);
    let call = act.outgoing()?;
    let prepared = prepared(judged, terms.fees.priority_fee)?;
    let base_fee = judged.seen()?.snapshot.header.base_fee;
    let sent = session.deputys_sent(&sitting.lever.name, act, from);
    let replaced = waiting(&sent, from, prepared.nonce);
    if let Some(sent) = replaced {
        let (tip, base_fee) = (terms.fees.priority_fee, base_fee.unwrap_or_default().into());
        if sent.tx.input == *call.data() && !must_be_replaced(&sent.tx, tip, base_fee, prepared.fees) {
            return Ok(Next::Waits(Box::new(sent.clone())));
        }
        let text = format!("{} was sent before and is not mined: this one takes its place", sent.hash);
        session.progress.tell_once(Tone::Warn, "stuck: ", &text);
    }
    let gas = act.gas_limit(terms.fees.gas, prepared.gas)?;
    let place = (judged.derived.chain.name.as_str(), base_fee);
    let offer = Offer::new(place, &call, from, &prepared, gas, terms.fees.max_fee, replaced)?;
    Ok(Next::Send(Box::new(offer)))
}

/// Signs the transaction, sends it, waits for it and proves it.
pub fn send(
    sitting: &DeputyRun,
    act: &Act,
    shown: &Offer,
    signer: &mut KeyHolder,
    from: Address,
) -> Result<Exit, Error> {
    let (session, judged) = (sitting.session, &act.judged);
    let lock = session.incidents.lock_payer(&from.to_string(), judged.derived.chain.id);
    let lock = lock.map_err(folder_error)?;
    let offer = match next(sitting, act, from)? {
        Next::Waits(sent) => return wait_for(sitting, act, &sent),
        Next::Send(offer) => offer,
    };
    if offer.most() > shown.most().saturating_mul(U256::from(2)) {
        let message = "it costs more than twice as much now as when you were asked";
        return Err(Error::new(Exit::Drift, message)
            .hint("nothing was sent; run the same command again and read the price"));
    }
    let lever = &sitting.lever.name;
    not_reserved(session, judged, &[folder_of(lever)], (from, offer.tx.nonce))?;
    let raw = signer.sign_transaction(session.ui, &offer.tx, from);
    let raw = raw.map_err(|error| error.hint("nothing was sent"))?;
    let sent = Sent::new(raw, Some(clock::seconds())).ok_or_else(signed_otherwise)?;
    // A pause leaves all the same.
    if let Err(error) = session.keep_deputys(lever, &sent) {
        let text = format!("not recorded, so that a second run cannot replace it: {error}");
        session.ui.say(&Text::default().warn("note: ").add(&text));
    }
    drop(lock);
    submit(sitting, act, &sent, true)
}

/// Gives out once more what was sent before, which is harmless, and proves it.
pub fn wait_for(sitting: &DeputyRun, act: &Act, sent: &Sent) -> Result<Exit, Error> {
    let text = format!("Nothing new sent: {} was sent before and is on its way", sent.hash);
    sitting.session.ui.say(&Text::new(&text));
    submit(sitting, act, sent, false)
}

fn submit(sitting: &DeputyRun, act: &Act, sent: &Sent, is_new: bool) -> Result<Exit, Error> {
    let (session, judged, from) = (sitting.session, &act.judged, sent.from);
    let all = in_its_place(session.deputys_sent(&sitting.lever.name, act, from), sent);
    let (first, now) = (first_recorded(&all, from), clock::seconds());
    let outbox = Outbox::open(session.ui, judged.derived.chain, first, now, act.outgoing()?)?;
    let link = &judged.seen()?.link;
    outbox.send_unless_mined(session.ui, link, sent)?;
    if is_new {
        sitting.note(act, TxStep::Sent { tx: sent.hash, payer: from });
    }
    let seen = alone(session, judged, (sent, &all), &outbox, sitting.terms.fees.wait())?;
    report(sitting, act, &read(session, act, *seen)?)
}

/// Says whether it is proven, and who has to confirm it.
fn report(sitting: &DeputyRun, act: &Act, effect: &Effect) -> Result<Exit, Error> {
    let ui = sitting.session.ui;
    let (tx, block) = (effect.receipt.tx, effect.receipt.block.number);
    let done = DeputyDone::new(&sitting.lever.name, act, effect);
    ui.show(&done.lines());
    if !effect.is_proven() {
        sitting.note(act, TxStep::Unproven { tx, block });
        return Err(unproven(effect).having_done(&done));
    }
    sitting.note(act, TxStep::Proven { tx, block });
    ui.show(&done.next());
    ui.object(&done);
    ui.data(&done.transaction);
    Ok(Exit::Done)
}

fn unproven(effect: &Effect) -> Error {
    if !effect.receipt.succeeded {
        return Error::new(Exit::Failed, "it was mined, and reverted: nothing was done")
            .hint("the chain changed between the review and the block; run the same command again");
    }
    if effect.is_otherwise {
        return Error::new(
            Exit::MinedOtherwise,
            "it was mined, and its events are not those of the rehearsal",
        )
        .hint("look at the contract now, before you rely on it");
    }
    let failed = effect.verdicts.iter().filter(|verdict| !verdict.holds);
    let why: Vec<&str> = failed.map(|verdict| verdict.sentence.as_str()).collect();
    Error::new(Exit::Failed, format!("mined, but not proven: {}", why.join("; ")))
        .hint("look at the contract before you rely on it")
}

/// A person's wishes.
pub struct DeputyTerms<'t> {
    pub lever: &'t str,
    pub set: &'t [(String, String)],
    pub accept: &'t [String],
    pub key: &'t KeyArgs,
    /// The file with the deputy's signature, which somebody else sends.
    pub relay: Option<&'t Path>,
    /// The file for the deputy's signature: nothing is sent.
    pub to: Option<&'t Path>,
    pub yes: bool,
    pub fees: FeeArgs,
}

/// One run: what was asked for, and by whose lever.
pub struct DeputyRun<'a> {
    pub session: &'a Session<'a>,
    pub terms: &'a DeputyTerms<'a>,
    pub lever: &'a Lever,
    pub set: Arguments,
    /// Names the message of this run, where no file brings one.
    pub nonce: B256,
}

impl DeputyRun<'_> {
    pub fn note(&self, act: &Act, step: TxStep) {
        let module = match &act.how {
            How::Key(_) => None,
            How::Module(pause, _) => Some(pause.module),
        };
        let deputed = DeputyStep {
            lever: Plain::cut(&self.lever.name),
            deputy: act.deputy.1,
            module,
            safe: Plain::cut(&act.safe.name),
            chain_id: act.judged.derived.chain.id,
            step,
        };
        self.session.note_act(incident::JournalAct::Deputy(deputed));
    }
}
