//! Transactions that an earlier run sent: finds the one that is mined or waits, and reports it.

use alloy::primitives::Address;

use crate::ceremony::aftermath::outcome::{self, Outcome};
use crate::ceremony::judged::Judged;
use crate::ceremony::sending::offer::prepared;
use crate::ceremony::sending::sent::{Sent, must_be_replaced, waiting, worth_asking};
use crate::error::{Error, Exit};
use crate::evm::amount;
use crate::proposal::{Approvals, Ready, reassemble};
use crate::session::Session;
use crate::ui::Text;

/// The result of the search for transactions that were sent before.
pub enum EarlierSending {
    Nothing,
    /// One is mined and executed it, with the text of the report.
    Mined(Box<Outcome>, String),
    /// It waits, its fees suffice, and the Safe still accepts its approvals.
    Waits(Sent, Ready),
    /// It waits, and its fees do not suffice.
    Stuck(Sent),
}

/// Searches for each transaction that earlier runs sent. One that is mined and executed the proposal ends the run; one
/// that is mined and failed does not stop it from being sent anew.
pub fn sent_before(
    session: &Session,
    judged: &Judged,
    from: Address,
    tip: Option<u128>,
) -> Result<EarlierSending, Error> {
    let all = worth_asking(session.sent(judged.proposal())?, Some(from));
    if all.is_empty() {
        return Ok(EarlierSending::Nothing);
    }
    let Some(base_fee) = judged.seen()?.snapshot.header.base_fee else { return Ok(EarlierSending::Nothing) };
    let link = &judged.seen()?.link;
    let hashes: Vec<_> = all.iter().map(|sent| sent.hash).collect();
    let watch = || link.watch(&hashes, &[]);
    for receipt in session.ui.wait("looking for what was sent before", watch)?.receipts {
        let tx = receipt.tx;
        if let Some(outcome) = outcome::read(session, judged, receipt)? {
            let by = "Nothing sent: already executed by the transaction sent from here";
            return Ok(EarlierSending::Mined(Box::new(outcome), by.into()));
        }
        let text = format!("{tx} was sent before, and failed; sending anew");
        session.ui.say(&Text::default().warn("note: ").add(&text));
    }
    let prepared = prepared(judged, tip)?;
    if let Some(other) = all.iter().find(|sent| sent.from != from) {
        let text =
            format!("{} was sent before from {}: only one of both can execute it", other.hash, other.from);
        session.ui.say(&Text::default().warn("note: ").add(&text));
    }
    let Some(sent) = waiting(&all, from, prepared.nonce) else { return Ok(EarlierSending::Nothing) };
    let now = judged.seen()?.fresh()?;
    // An owner who approved by sending it still counts.
    let given = Approvals { sender: Some(sent.from), ..judged.approvals() };
    let Some(ready) = reassemble(judged.proposal(), &sent.tx.input, &given, now) else {
        let text =
            format!("{} was sent before, and the Safe does not take its approvals any more", sent.hash);
        session.ui.say(&Text::default().warn("stuck: ").add(&text));
        return Ok(EarlierSending::Stuck(sent.clone()));
    };
    if !must_be_replaced(&sent.tx, tip, base_fee.into(), prepared.fees) {
        return Ok(EarlierSending::Waits(sent.clone(), ready));
    }
    let text = format!(
        "{} was sent before and is not mined: it may pay {} gwei with a tip of {}, and the base fee is {} gwei now",
        sent.hash,
        amount::gwei(sent.tx.max_fee_per_gas),
        amount::gwei(sent.tx.max_priority_fee_per_gas),
        amount::gwei(base_fee.into()),
    );
    session.ui.say(&Text::default().warn("stuck: ").add(&text));
    Ok(EarlierSending::Stuck(sent.clone()))
}

/// Fails if the payer's nonce was used to sign something else that is not mined yet. `own` are the folders of what is
/// sent now.
pub fn not_reserved(
    session: &Session,
    judged: &Judged,
    own: &[String],
    (payer, nonce): (Address, u64),
) -> Result<(), Error> {
    let (safe, now) = (judged.proposal().safe(), judged.seen()?.snapshot.state.nonce);
    // A transaction that the Safe can no longer execute may be replaced.
    let is_over = |folder: &str| session.is_over(folder, safe, now).unwrap_or_default();
    for stored in session.incidents.all_sent()?.into_iter().filter(|stored| !own.contains(&stored.folder)) {
        let Some(sent) = stored.text.ok().and_then(|text| Sent::parse(&text)) else { continue };
        let is_its_place = sent.from == payer && sent.tx.chain_id == safe.chain_id && sent.tx.nonce == nonce;
        if is_its_place && !is_over(&stored.folder) {
            let message = format!(
                "transaction {nonce} of {payer} was signed for something else, {}, and is not mined",
                stored.folder
            );
            return Err(Error::new(Exit::Failed, message)
                .hint("nothing was sent; send that one again and let it end, or use another --keystore"));
        }
    }
    Ok(())
}
