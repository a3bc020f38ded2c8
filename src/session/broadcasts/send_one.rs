//! Sends and proves one transaction, or one nonce after the other.

use std::cell::RefCell;

use alloy::consensus::TxEip1559;
use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::sending::offer::Besides;
use crate::error::{Error, Exit};
use crate::proposal::Ready;
use crate::safe::Nonces;
use crate::session::Session;
use crate::session::broadcasts::sendable::{JudgedSend, SendStatus, SendTerms};
use crate::session::broadcasts::submit::{Handed, Payer, SendCandidate, nonce_passed};
use crate::session::machine::keys::KeyHolder;
use crate::ui::Text;

/// Sends one nonce after the other. The first that is not proven ends it, because the later ones cannot be executed
/// before it. The error is that of the first, with the nonces that were not used.
pub fn send_in_order(
    session: &Session,
    terms: &SendTerms,
    nonces: Nonces,
    payer: Option<Address>,
    mut open: impl FnMut() -> Result<(KeyHolder, Address), Error>,
) -> Result<Exit, Error> {
    let mut known = None;
    for (at, nonce) in (1..).zip(nonces.iter()) {
        let mut terms = terms.clone();
        terms.given.nonce = Some(nonce);
        session.ui.blank();
        session.ui.say(&Text::default().bold(&format!("nonce {nonce}, {at} of {}", nonces.count())));
        let mut found = session.parts(&terms.what, &terms.given)?;
        let (Some(only), true) = (found.pop(), found.is_empty()) else {
            return Err(Error::new(Exit::Usage, "--nonces is for one transaction, and several are named")
                .hint("name the levers of one Safe"));
        };
        let sent = JudgedSend::first(session, &terms, only, payer)
            .and_then(|judged_send| one(judged_send, payer, Some(&mut open), &mut known))
            .map_err(|error| error.hint(format!("{nonce} to {} are not used by this run", nonces.last())))?;
        if sent != Exit::Done {
            return Ok(sent);
        }
    }
    Ok(Exit::Done)
}

/// Sends one transaction, and proves it. `payer` is the account for which it was read; the key is opened if it is not
/// `known`.
pub fn one(
    mut judged_send: JudgedSend,
    payer: Option<Address>,
    open: Option<impl FnMut() -> Result<(KeyHolder, Address), Error>>,
    known: &mut Option<(KeyHolder, Address)>,
) -> Result<Exit, Error> {
    let mut ready = match judged_send.begin(false)? {
        SendStatus::Ready(ready) => ready,
        SendStatus::Executed(outcome, by) => return Handed::Executed(judged_send, outcome, by).finish(),
        SendStatus::Done => return Ok(Exit::Done),
        SendStatus::Behind => return Err(nonce_passed()),
    };
    let Some(mut open) = open else {
        print_call(judged_send.session, &ready);
        return Ok(Exit::Done);
    };
    let (signer, from) = match known {
        Some(known) => known,
        None => known.insert(open()?),
    };
    let from = *from;
    if payer != Some(from) {
        judged_send = judged_send.refreshed(from)?;
        ready = match judged_send.status(false)? {
            SendStatus::Ready(ready) => ready,
            SendStatus::Executed(outcome, by) => return Handed::Executed(judged_send, outcome, by).finish(),
            SendStatus::Done => return Ok(Exit::Done),
            SendStatus::Behind => return Err(nonce_passed()),
        };
    }
    let mut none = Besides::default();
    let mut sending = SendCandidate::new(judged_send, ready, from, &none)?;
    while sending.ask(signer)? && sending.judged_send.is_stale() {
        sending = sending.refreshed(from, &none)?;
    }
    let ui = sending.judged_send.session.ui;
    let signer = RefCell::new(signer);
    let sign = |tx: &TxEip1559| signer.borrow_mut().sign_transaction(ui, tx, from);
    sending.submit(&Payer { from, sign: &sign }, &mut none)?.finish()
}

/// The call of a transaction that is ready.
#[derive(Serialize)]
struct PrintedCall {
    safe_tx_hash: String,
    chain_id: u64,
    to: String,
    value: &'static str,
    data: String,
}

pub fn print_call(session: &Session, ready: &Ready) {
    let ui = session.ui;
    let safe = ready.safe();
    let call = PrintedCall {
        safe_tx_hash: ready.hash().to_string(),
        chain_id: safe.chain_id,
        to: safe.address.to_string(),
        value: "0",
        data: ready.calldata().to_string(),
    };
    ui.say(&Text::new("Nothing sent. Anybody can send this call, with no ether:"));
    ui.say(&Text::new(&format!("to {} on chain {}", call.to, call.chain_id)));
    ui.data(&call.data);
    ui.object(&call);
}
