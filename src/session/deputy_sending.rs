//! The transaction of one key alone is sent, waited for and proven: a private relay first, as for every transaction.

use alloy::primitives::{Address, U256};
use serde_json::{Value, json};

use crate::ceremony::deputy_act::Act;
use crate::ceremony::deputy_mined::{Effect, read};
use crate::ceremony::offer::{Offer, prepared};
use crate::ceremony::outbox::Outbox;
use crate::ceremony::sent::Sent;
use crate::ceremony::waiting::alone;
use crate::chain::ChainError;
use crate::clock;
use crate::error::{Error, Exit};
use crate::incident::TxStep;
use crate::playbook::Verdict;
use crate::session::deputy_terms::{DeputyRun, DeputyTerms};
use crate::session::earlier::not_reserved;
use crate::session::keys::KeyHolder;
use crate::session::sendable::nothing_sent;
use crate::ui::Text;

/// Returns the transaction at its price. Until the deputy has signed, another signature stands in the call.
pub fn price(act: &Act, terms: &DeputyTerms, from: Address) -> Result<Offer, Error> {
    let call = act.outgoing()?;
    let (judged, gas) = (&act.judged, act.gas_limit(terms.gas)?);
    let place = (judged.derived.chain.name.as_str(), judged.seen()?.snapshot.header.base_fee);
    let prepared = prepared(judged, terms.priority_fee)?;
    Offer::new(place, &call, from, &prepared, gas, terms.max_fee, None)
}

/// Signs the transaction, sends it, waits for it and proves it.
pub fn send(
    sitting: &DeputyRun,
    act: &Act,
    shown: &Offer,
    signer: &mut KeyHolder,
    from: Address,
) -> Result<Exit, Error> {
    let (session, terms, judged) = (sitting.session, sitting.terms, &act.judged);
    let offer = price(act, terms, from)?;
    if offer.most() > shown.most().saturating_mul(U256::from(2)) {
        let message = "it costs more than twice as much now as when you were asked";
        return Err(Error::new(Exit::Drift, message)
            .hint("nothing was sent; run the same command again and read the price"));
    }
    let call = act.outgoing()?;
    let chain = judged.derived.chain;
    let lock = session.incidents.lock_payer(&from.to_string(), chain.id).map_err(nothing_sent)?;
    not_reserved(session, judged, from, offer.tx.nonce)?;
    let raw = signer.sign_transaction(session.ui, &offer.tx, from);
    let raw = raw.map_err(|error| error.hint("nothing was sent"))?;
    let now = clock::seconds();
    let sent = Sent::new(raw, Some(now))
        .ok_or_else(|| Error::new(Exit::Failed, "the key signed something else: nothing was sent"))?;
    let outbox = Outbox::open(session.ui, chain, Some(now), now, call)?;
    let link = &judged.seen()?.link;
    match outbox.give(session.ui, link, &sent) {
        // Mined in this very moment, or its nonce is: the receipt will tell.
        Err(error @ ChainError::NotSent { .. }) if link.receipt(sent.hash)?.is_none() => {
            return Err(error.into());
        }
        Err(ChainError::NotSent { .. }) | Ok(()) => {}
        Err(error) => return Err(error.into()),
    }
    sitting.note(act, TxStep::Sent { tx: sent.hash, payer: from });
    drop(lock);
    let seen = alone(session, judged, &sent, &outbox, terms.wait)?;
    report(sitting, act, &read(session, act, *seen)?)
}

/// Says whether it is proven, and who has to confirm it.
fn report(sitting: &DeputyRun, act: &Act, effect: &Effect) -> Result<Exit, Error> {
    let ui = sitting.session.ui;
    let (tx, block) = (effect.receipt.tx, effect.receipt.block.number);
    ui.say(&Text::new(&format!("Sent, and mined in block {block}")));
    ui.say(&Text::default().dim("transaction ").add(&tx.to_string()));
    if effect.judged_at != effect.receipt.block {
        let text = format!(
            "no RPC keeps the state of block {block} any more: judged at block {}",
            effect.judged_at.number
        );
        ui.say(&Text::default().warn("note: ").add(&text));
    }
    for verdict in &effect.verdicts {
        let mark = if verdict.holds { Text::default().good("  ✓ ") } else { Text::default().bad("  ✗ ") };
        ui.say(&mark.add(&verdict.sentence));
    }
    let object = object(sitting, act, effect);
    if !effect.is_proven() {
        sitting.note(act, TxStep::Unproven { tx, block });
        return Err(unproven(effect).having_done(object));
    }
    sitting.note(act, TxStep::Proven { tx, block });
    ui.say(&Text::default().good("done and proven"));
    let (deputy, safe, lever) = (act.deputy.0, &act.safe.name, &sitting.lever.name);
    let text = format!("{deputy} acted alone: {safe} has to confirm it, or to take it back:");
    ui.say(&Text::default().warn("next: ").add(&text));
    ui.say(&Text::new("  breakglass undo ").add(lever));
    ui.object(&object);
    ui.data(&tx.to_string());
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

fn object(sitting: &DeputyRun, act: &Act, effect: &Effect) -> Value {
    let verdict = |verdict: &Verdict| json!({ "holds": verdict.holds, "sentence": verdict.sentence });
    json!({
        "lever": sitting.lever.name,
        "deputy": act.deputy.0,
        "address": act.deputy.1.to_string(),
        "chain_id": act.judged.derived.chain.id,
        "transaction": effect.receipt.tx.to_string(),
        "block": effect.receipt.block.number,
        "paid_by": effect.receipt.from.to_string(),
        "after": effect.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "proven": effect.is_proven(),
        "to_be_confirmed_by": act.safe.name,
    })
}
