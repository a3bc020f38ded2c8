//! `broadcast`: at threshold, rehearse, ask, send, wait, and prove the effect on chain.

use std::time::{Duration, Instant};

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, TxKind, U256};
use serde_json::json;

use crate::chain::{Ask, BlockTag, Fees, Prepared, Receipt, Sending, TxHash};
use crate::cli;
use crate::command::session::Session;
use crate::command::subject::{Online, Purpose, Subject, obey};
use crate::command::{key, outcome, show};
use crate::device::Device;
use crate::error::{Error, Exit};
use crate::playbook::Answer;
use crate::proposal::{NotReady, OwnerSignature, Proposal, Ready, assemble};
use crate::ui::{Spinner, Text};

const POLL: Duration = Duration::from_millis(1000);
const GWEI: u128 = 1_000_000_000;

pub fn run(session: &Session, args: &cli::Broadcast) -> Result<Exit, Error> {
    let mut device = if args.calldata { None } else { Some(key::unlock(session.ui, &args.key)?) };
    let from = device.as_mut().map(|d| d.address()).transpose()?;
    let subject = session.subject(&args.what, &args.derive, Purpose::Finish, |proposal, signatures| {
        from.and_then(|from| early_sending(from, proposal, signatures))
    })?;
    let _lock = session.incidents.lock(&subject.proposal.hash().to_string())?;
    if let Some(exit) = already(session, &subject, args)? {
        return Ok(exit);
    }
    let now = &online(&subject)?.snapshot.state;
    let ready = match assemble(&subject.proposal, &subject.signatures, &subject.on_chain(), now) {
        Ok(ready) => ready,
        Err(not_ready) => {
            obey(&subject.findings(false), &args.accept.accept)?;
            return Err(not_ready.into());
        }
    };
    let findings = subject.findings(false);
    show::review(session.ui, &subject, &findings);
    obey(&findings, &args.accept.accept)?;
    match (device, from) {
        (Some(mut device), Some(from)) => {
            let prepared = prepare(session, &subject, &ready, from)?;
            let tx = transaction(&subject, &ready, from, &prepared, args.max_fee)?;
            confirm(session, &subject, args)?;
            let hash = send(session, &subject, device.as_mut(), &tx)?;
            let receipt = wait(session, &subject, hash, Duration::from_secs(args.wait))?;
            conclude(session, &subject, receipt, "Sent, and executed")
        }
        _ => print_call(session, &ready),
    }
}

fn online<'s>(subject: &'s Subject) -> Result<&'s Online, Error> {
    subject.online.as_ref().ok_or_else(|| Error::new(Exit::Network, "nothing was asked of the network"))
}

/// The call as it will be sent if the Safe is still as proposed: so that its simulation shares the first round.
fn early_sending(from: Address, proposal: &Proposal, signatures: &[OwnerSignature]) -> Option<Sending> {
    let mut then = proposal.snapshot().clone();
    then.nonce = proposal.nonce();
    let ready = assemble(proposal, signatures, &[], &then).ok()?;
    Some(sending(from, &ready))
}

fn sending(from: Address, ready: &Ready) -> Sending {
    Sending { from, to: ready.safe().address, data: ready.calldata().clone() }
}

/// A transaction that is mined already, by us or by somebody else, is proven and not sent again.
fn already(session: &Session, subject: &Subject, args: &cli::Broadcast) -> Result<Option<Exit>, Error> {
    let now = &online(subject)?.snapshot.state;
    let used = assemble(&subject.proposal, &subject.signatures, &subject.on_chain(), now);
    let sent = sent_before(session, subject)?;
    if let Err(NotReady::NonceUsed { .. }) = used {
        let Some(executed) = outcome::executed(session, subject)? else {
            return Err(used
                .err()
                .map_or_else(|| Error::new(Exit::Drift, "the nonce was used"), Error::from));
        };
        let receipt = receipt_of(session, subject, executed.tx)?;
        let by = if sent.contains(&executed.tx) {
            "Nothing sent: already executed by the transaction sent from here".to_string()
        } else {
            format!("Nothing sent: already executed by somebody else, {}", receipt.from)
        };
        let outcome = outcome::prove(session, subject, receipt)?;
        return outcome::report(session, subject, &outcome, &by).map(Some);
    }
    // Sent by a run that was cut off before it could see the receipt: wait for that one first.
    let link = &online(subject)?.link;
    for hash in sent {
        if session.ui.wait("looking for the transaction sent before", || link.has(hash))? {
            session.ui.say(&Text::new(&format!("Nothing sent: {hash} was sent before and is on its way")));
            let receipt = wait(session, subject, hash, Duration::from_secs(args.wait))?;
            return conclude(session, subject, receipt, "Sent before, and executed").map(Some);
        }
    }
    Ok(None)
}

/// Proves what was mined: ours or, where somebody else's came first and ours was reverted for it, theirs.
fn conclude(session: &Session, subject: &Subject, ours: Receipt, by: &str) -> Result<Exit, Error> {
    let other = if outcome::is_in(subject, &ours) { None } else { outcome::executed(session, subject)? };
    let (receipt, by) = match other {
        None => (ours, by.to_string()),
        Some(other) => {
            let receipt = receipt_of(session, subject, other.tx)?;
            let by = format!("Sent too late: already executed by somebody else, {}", receipt.from);
            (receipt, by)
        }
    };
    let outcome = outcome::prove(session, subject, receipt)?;
    outcome::report(session, subject, &outcome, &by)
}

fn receipt_of(session: &Session, subject: &Subject, tx: TxHash) -> Result<Receipt, Error> {
    let link = &online(subject)?.link;
    session.ui.wait("reading its receipt", || link.receipt(tx))?.ok_or_else(|| lost(tx))
}

/// The transactions that were sent from this folder for this proposal.
fn sent_before(session: &Session, subject: &Subject) -> Result<Vec<TxHash>, Error> {
    let records = session.incidents.sent(&subject.proposal.hash().to_string())?;
    let hash = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        value.get("transaction")?.as_str()?.parse().ok().map(TxHash::claimed)
    };
    Ok(records.iter().filter_map(|(_, text)| hash(text)).collect())
}

fn lost(tx: TxHash) -> Error {
    Error::new(Exit::Network, format!("the receipt of {tx} cannot be read")).hint("try again in a minute")
}

/// What the exact call does on the chain now, and what it costs.
fn prepare(session: &Session, subject: &Subject, ready: &Ready, from: Address) -> Result<Prepared, Error> {
    let online = online(subject)?;
    let early = early_sending(from, &subject.proposal, &subject.signatures);
    let sending = sending(from, ready);
    let prepared = match &online.snapshot.prepared {
        Some(prepared) if early.as_ref() == Some(&sending) => prepared.clone(),
        _ => {
            let ask = Ask { safe: subject.safe.address, sending: Some(&sending), ..Ask::default() };
            let again =
                session.ui.wait("trying the transaction", || online.link.snapshot(&ask, BlockTag::Latest))?;
            again
                .prepared
                .ok_or_else(|| Error::new(Exit::Network, "the chain did not say what it would do"))?
        }
    };
    if let Answer::Reverted(data) = &prepared.outcome {
        let message = format!("the transaction would fail: {}", crate::safe::revert_reason(data));
        return Err(Error::new(Exit::Failed, message)
            .hint("nothing was sent; breakglass status shows what changed since it was signed"));
    }
    Ok(prepared)
}

fn transaction(
    subject: &Subject,
    ready: &Ready,
    from: Address,
    prepared: &Prepared,
    max_fee_gwei: u64,
) -> Result<TxEip1559, Error> {
    let Fees::Dynamic { max_fee, priority_fee } = prepared.fees else {
        let message = format!("chain {} has no EIP-1559 fees", subject.chain.name);
        return Err(Error::new(Exit::Failed, message)
            .hint("breakglass broadcast --calldata prints the call for another wallet"));
    };
    let cap = u128::from(max_fee_gwei) * GWEI;
    let base_fee = u128::from(online(subject)?.snapshot.header.base_fee.unwrap_or_default());
    if base_fee + priority_fee > cap {
        let now = show::gwei(base_fee + priority_fee);
        let message = format!("gas costs {now} gwei now, more than --max-fee {max_fee_gwei}");
        return Err(Error::new(Exit::Failed, message).hint("nothing was sent; raise --max-fee, or wait"));
    }
    let gas = prepared.gas.ok_or_else(|| {
        Error::new(Exit::Network, "no RPC could estimate the gas").hint("try again, or use --calldata")
    })?;
    // A fifth more than estimated: state may move a little before it is mined.
    let gas_limit = gas + gas / 5;
    let max_fee = max_fee.min(cap);
    let most = U256::from(gas_limit) * U256::from(max_fee);
    if prepared.balance < most {
        let message = format!(
            "{from} has {} and the transaction may cost {}",
            show::ether(prepared.balance),
            show::ether(most)
        );
        return Err(Error::new(Exit::Failed, message)
            .hint("nothing was sent; fund that account, lower --max-fee, or use another --keystore"));
    }
    Ok(TxEip1559 {
        chain_id: ready.safe().chain_id,
        nonce: prepared.nonce,
        gas_limit,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: priority_fee.min(max_fee),
        to: TxKind::Call(ready.safe().address),
        value: U256::ZERO,
        access_list: Default::default(),
        input: ready.calldata().clone(),
    })
}

fn confirm(session: &Session, subject: &Subject, args: &cli::Broadcast) -> Result<(), Error> {
    let name = &subject.safe.name;
    let yes = match &args.confirm {
        Some(given) => given == name,
        None => {
            let question = format!("Send it now? Type the Safe's name, {name}");
            session.ui.typed(&question, name, &format!("--confirm {name}"))?
        }
    };
    if yes {
        return Ok(());
    }
    Err(Error::new(Exit::Refused, format!("not sent: the Safe's name is {name}"))
        .hint("nothing was sent; run it again and type that name, or leave it"))
}

/// Records the transaction, then sends it: whatever happens after, the next run finds it.
fn send(
    session: &Session,
    subject: &Subject,
    device: &mut dyn Device,
    tx: &TxEip1559,
) -> Result<TxHash, Error> {
    let raw = device.sign_transaction(tx)?;
    let hash = TxHash::of(&raw);
    let record = json!({ "transaction": hash.to_string(), "nonce": tx.nonce, "chain_id": tx.chain_id });
    let proposal = subject.proposal.hash().to_string();
    session.incidents.keep_sent(&proposal, &hash.to_string(), &format!("{record:#}\n"))?;
    let link = &online(subject)?.link;
    session.ui.wait("sending", || link.send_raw(&raw))?;
    session.ui.say(&Text::default().good("Sent ").add(&hash.to_string()));
    Ok(hash)
}

fn wait(session: &Session, subject: &Subject, hash: TxHash, most: Duration) -> Result<Receipt, Error> {
    let link = &online(subject)?.link;
    let spinner = Spinner::start(&format!("waiting for {} to mine {hash}", subject.chain.name));
    let start = Instant::now();
    let fault = loop {
        // It was sent: one bad answer is no reason to stop looking.
        let fault = match link.receipt(hash) {
            Ok(Some(receipt)) => return Ok(receipt),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if start.elapsed() >= most {
            break fault;
        }
        std::thread::sleep(POLL.min(most));
    };
    drop(spinner);
    let what = session.path.display();
    let error =
        Error::new(Exit::Network, format!("{hash} was sent and is not mined after {} s", most.as_secs()));
    let error =
        error.hint(format!("run the same command again: it waits for it and sends nothing new ({what})"));
    Err(match fault {
        Some(fault) => error.hint(format!("the last answer was: {fault}")),
        None => error,
    })
}

fn print_call(session: &Session, ready: &Ready) -> Result<Exit, Error> {
    let ui = session.ui;
    let safe = ready.safe();
    ui.say(&Text::new("Nothing sent. Anybody can send this call, with no ether:"));
    ui.say(&Text::new(&format!("to {} on chain {}", safe.address, safe.chain_id)));
    ui.data(&ready.calldata().to_string());
    ui.object(&json!({
        "safe_tx_hash": ready.hash().to_string(),
        "chain_id": safe.chain_id,
        "to": safe.address.to_string(),
        "value": "0",
        "data": ready.calldata().to_string(),
    }));
    Ok(Exit::Done)
}
