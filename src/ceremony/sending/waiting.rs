//! The wait for a sent transaction, until it is mined and proven, or somebody else's transaction took its nonce.

use std::time::Duration;

use alloy::primitives::U256;

use crate::ceremony::aftermath::outcome::{self, Outcome};
use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ceremony::sending::outbox::Outbox;
use crate::ceremony::sending::sent::{Sent, is_underpriced, worth_asking};
use crate::chain::{Fees, Sighting};
use crate::clock;
use crate::error::{Error, Exit};
use crate::evm::{Answer, BlockRef, Query, Readings, TxHash, amount};
use crate::progress::{Stop, Tone};
use crate::safe::{slot, slot_word};

/// The end of a wait.
pub(in crate::ceremony) enum WaitResult {
    /// It is mined, with the answers of the newest block.
    Mined(Box<Sighting>),
    /// The Safe's nonce is used, and not by one of ours.
    Elsewhere,
}

/// Waits for `last` and every other transaction of `all`, and returns the outcome of the one that is mined, or of
/// somebody else's that was faster, with the text of the report.
pub fn finish(
    desk: &Desk,
    judged: &Judged,
    (last, all): (&Sent, &[Sent]),
    outbox: &Outbox,
    most: Duration,
    by: &str,
) -> Result<(Outcome, String), Error> {
    let interrupt = desk.progress.stop();
    let nonce = Query::Storage { address: judged.derived.safe.address, slot: slot_word(slot::NONCE) };
    let wanted = AwaitedTxs { last, all, nonce: Some(&nonce), most };
    let (mined, newest) = match wait(desk, judged, &wanted, outbox, &*interrupt)? {
        WaitResult::Mined(seen) => (seen.receipts, Some((seen.header.block(), seen.readings))),
        WaitResult::Elsewhere => (Vec::new(), None),
    };
    let asked = outcome::queries(judged);
    drop(interrupt);
    let ours = mined.first().map(|receipt| (receipt.tx, receipt.block.number));
    for receipt in mined {
        let by = if receipt.tx == last.hash {
            by.to_string()
        } else {
            format!("{} was mined first, and executed", receipt.tx)
        };
        let answered = answered(newest.as_ref(), receipt.block, &asked).cloned();
        if let Some(outcome) = outcome::read_with(desk, judged, receipt, answered)? {
            return Ok((outcome, by));
        }
    }
    if let Some(outcome) = outcome::of_executed(desk, judged)? {
        if ours.is_none() {
            let text = format!("{} may still be mined: it would fail, and cost gas", last.hash);
            desk.progress.tell(Tone::Warn, "note: ", &text);
        }
        let by = format!("Ours came too late: executed by somebody else, {}", outcome.receipt.from);
        return Ok((outcome, by));
    }
    let hash = judged.proposal().hash();
    let message = match ours {
        Some((tx, block)) => {
            format!("{tx} was mined in block {block}, and the Safe did not report safeTxHash {hash}")
        }
        None => {
            format!("nonce {} is used, and the Safe never reported {hash}", judged.proposal().nonce())
        }
    };
    Err(Error::new(Exit::Failed, message).hint("breakglass status tells whether it can be sent again"))
}

/// Returns the newest block's answers, if it is this block and answered all questions.
pub(in crate::ceremony) fn answered<'s>(
    newest: Option<&'s (BlockRef, Readings)>,
    block: BlockRef,
    asked: &[Query],
) -> Option<&'s Readings> {
    let (_, answers) = newest.filter(|(at, _)| *at == block)?;
    asked.iter().all(|query| answers.get(query).is_some()).then_some(answers)
}

/// Shows what each sent and unmined transaction pays, beside the base fee now. Returns their hashes.
pub fn show(desk: &Desk, judged: &Judged) -> Result<Vec<String>, Error> {
    let mut all = worth_asking(desk.sent(judged.proposal())?, None);
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let online = judged.seen()?;
    let hashes: Vec<TxHash> = all.iter().map(|sent| sent.hash).collect();
    let seen = desk.progress.wait("looking for what was sent", || online.link.watch(&hashes, &[]))?;
    all.retain(|sent| seen.receipts.iter().all(|receipt| receipt.tx != sent.hash));
    let base_fee = u128::from(seen.header.base_fee.unwrap_or_default());
    for Sent { hash, from, tx, .. } in &all {
        let [most, tip, base] = [tx.max_fee_per_gas, tx.max_priority_fee_per_gas, base_fee].map(amount::gwei);
        let text = format!(
            "sent {hash} by {from}, and not mined: it may pay {most} gwei with a tip of {tip}, and the base fee is \
             {base} gwei now"
        );
        desk.progress.tell(Tone::Warn, "", &text);
    }
    if let Some(sent) = all.iter().max_by_key(|sent| sent.tx.max_fee_per_gas) {
        let text = if is_underpriced(&sent.tx, base_fee, Fees::Dynamic { max_fee: 0, priority_fee: 0 }) {
            "it may never be mined: breakglass broadcast replaces it with one that pays more"
        } else {
            "breakglass broadcast waits for it and proves it"
        };
        desk.progress.tell(Tone::Dim, "  → ", text);
    }
    Ok(all.iter().map(|sent| sent.hash.to_string()).collect())
}

/// Waits for a transaction that does not use a Safe's nonce. Fails if it is not mined in time, or the person stops
/// waiting.
pub fn alone(
    desk: &Desk,
    judged: &Judged,
    (last, all): (&Sent, &[Sent]),
    outbox: &Outbox,
    most: Duration,
) -> Result<Box<Sighting>, Error> {
    let interrupt = desk.progress.stop();
    let wanted = AwaitedTxs { last, all, nonce: None, most };
    match wait(desk, judged, &wanted, outbox, &*interrupt)? {
        WaitResult::Mined(seen) => Ok(seen),
        WaitResult::Elsewhere => Err(Error::new(Exit::Failed, "another transaction took its place")),
    }
}

/// The transactions that are waited for.
pub(in crate::ceremony) struct AwaitedTxs<'w> {
    pub last: &'w Sent,
    pub all: &'w [Sent],
    /// The question for the Safe's nonce: once it is used, the wait ends.
    pub nonce: Option<&'w Query>,
    pub most: Duration,
}

pub(in crate::ceremony) fn wait(
    desk: &Desk,
    judged: &Judged,
    AwaitedTxs { last, all, nonce, most }: &AwaitedTxs,
    outbox: &Outbox,
    stop: &dyn Stop,
) -> Result<WaitResult, Error> {
    let (last, nonce, most) = (*last, *nonce, *most);
    let link = &judged.seen()?.link;
    let hashes: Vec<TxHash> = all.iter().map(|sent| sent.hash).collect();
    let text = format!(
        "waiting for {} to mine {}; Ctrl-C stops only the waiting",
        judged.derived.chain.name, last.hash
    );
    let mut along = outcome::queries(judged);
    along.extend(nonce.cloned());
    let mut shown = desk.progress.begin(&text);
    let start = clock::moment();
    let fault = loop {
        // One bad answer is not a reason to stop waiting.
        let fault = match link.watch(&hashes, &along) {
            Ok(seen) if !seen.receipts.is_empty() => return Ok(WaitResult::Mined(Box::new(seen))),
            Ok(seen) => {
                let used = match nonce.and_then(|nonce| seen.readings.get(nonce)) {
                    Some(Answer::Value(word)) => U256::try_from_be_slice(word).unwrap_or_default(),
                    _ => U256::ZERO,
                };
                if used > judged.proposal().nonce().0 {
                    return Ok(WaitResult::Elsewhere);
                }
                None
            }
            Err(error) => {
                // An unanswered question must not hide the receipt.
                along = nonce.into_iter().cloned().collect();
                Some(error)
            }
        };
        if stop.is_requested() || start.elapsed() >= most {
            break fault;
        }
        stop.pause(link.poll_interval().min(most));
        if outbox.is_due() {
            drop(shown);
            // The RPCs refuse a transaction that is mined.
            if let Err(error) = outbox.resend(desk.progress, link, last) {
                desk.progress.tell(Tone::Warn, "note: ", &error.to_string());
            }
            shown = desk.progress.begin(&text);
        }
    };
    drop(shown);
    let seen = link.endpoints_with_receipt(last.hash);
    let stopped = if stop.is_requested() {
        "you stopped waiting for it".to_string()
    } else {
        format!("is not mined after {} s", most.as_secs())
    };
    let error = Error::new(Exit::Network, format!("{} was sent and {stopped}", last.hash))
        .hint("it may be mined at any time; breakglass status tells whether it is")
        .hint("run the same command again: it waits for it, and replaces it when its fees are too low");
    let error = match seen {
        Some(seen) => error.hint(format!("{seen}: it is not proven before a quorum knows it")),
        None => error,
    };
    Err(match fault {
        Some(fault) => error.hint(format!("the last answer was: {fault}")),
        None => error,
    })
}
