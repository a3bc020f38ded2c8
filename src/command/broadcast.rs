//! `broadcast`: at threshold, rehearse, ask, send, wait, and prove the effect on chain.

use std::time::{Duration, Instant};

use alloy::consensus::{TxEip1559, TxEnvelope};
use alloy::network::eip2718::Decodable2718;
use alloy::primitives::{Address, TxKind, U256, hex};
use alloy::rpc::types::AccessList;
use serde_json::json;

use crate::chain::{Fees, Prepared, Receipt, Sending, TxHash};
use crate::cli;
use crate::command::key::Signer;
use crate::command::obey::obey;
use crate::command::session::Session;
use crate::command::subject::{Online, Purpose, Subject};
use crate::command::{amount, effects, gas, key, outcome, pages, show};
use crate::device::transaction_screens;
use crate::error::{Error, Exit};
use crate::proposal::{NotReady, Proposal, Ready, assemble};
use crate::safe::{Approval, approved_hash_slot, encode_approvals};
use crate::store::{self, StoreError};
use crate::ui::{Spinner, Text};

const POLL: Duration = Duration::from_secs(1);
const GWEI: u128 = 1_000_000_000;

pub fn run(session: &Session, args: &cli::Broadcast) -> Result<Exit, Error> {
    session.require_accepted(&[session.rests_of(&args.what, args.derive.undo)?], &args.accept.accept)?;
    let mut signer = if args.calldata { None } else { Some(key::open(session.ui, &args.key)?) };
    let from = signer.as_mut().map(|s| s.choose(&session.council, &[])).transpose()?;
    // Taken before the chain is asked: what another run does meanwhile would not be seen. Whoever only prints the call
    // may have a folder that cannot be written.
    let take = |proposal: &Proposal| {
        (!args.calldata).then(|| session.incidents.lock(&proposal.hash().to_string())).transpose()
    };
    let mut lock = None;
    let mut subject = session.subject(&args.what, &args.derive, Purpose::Finish, |proposal, _| {
        lock = Some(take(proposal));
        from.map(|from| sending(from, proposal))
    })?;
    let lock = lock.unwrap_or_else(|| take(&subject.proposal));
    // Before anything is said of the Safe: what a single RPC says of its nonce too.
    subject.prove(session.ui, args.proofs)?;
    if let Some(exit) = already(session, &subject)? {
        return Ok(exit);
    }
    // Only now: what was executed is proven in a folder that cannot be written, too.
    let _lock = lock.map_err(nothing_sent)?;
    let now = &online(&subject)?.snapshot.state;
    let findings = subject.findings(false);
    let ready = match assemble(&subject.proposal, &subject.signatures, &subject.on_chain(), now) {
        Ok(ready) => ready,
        Err(not_ready) => {
            obey(&findings, &args.accept.accept)?;
            return Err(not_ready.into());
        }
    };
    show::review(session, &subject, &findings);
    obey(&findings, &args.accept.accept)?;
    rehearsed(&subject)?;
    let (Some(mut signer), Some(from)) = (signer, from) else {
        print_call(session, &ready);
        return Ok(Exit::Done);
    };
    if let Some(exit) = sent_before(session, &subject, from, args)? {
        return Ok(exit);
    }
    let prepared = prepare(&subject)?;
    let gas_limit = gas::limit(session, &subject, &ready, from, prepared.gas, args.gas)?;
    let tx = transaction(&subject, &ready, from, &prepared, gas_limit, args.max_fee)?;
    if let Some(ledger) = signer.ledger() {
        let screens = transaction_screens(ledger.status(), from, &tx);
        pages::show(session.ui, ledger.status(), from, "the transaction that pays for the gas", &screens);
        session.ui.blank();
    }
    confirm(session, &subject, args)?;
    let hash = send(session, &subject, &mut signer, &tx)?;
    finish(session, &subject, hash, args, "Sent, and executed")
}

/// The folder does not take what has to be there before a transaction is sent.
fn nothing_sent(error: StoreError) -> Error {
    let is_locked = matches!(error, StoreError::Locked { .. });
    let error = Error::from(error).hint("nothing was sent");
    if is_locked { error } else { error.hint("--calldata prints the call, which any wallet can send") }
}

fn online<'s>(subject: &'s Subject) -> Result<&'s Online, Error> {
    subject.online.as_ref().ok_or_else(|| Error::new(Exit::Network, "nothing was asked of the network"))
}

/// The call with approved hashes in place of signatures, for its estimate: no RPC sees an owner's signature before the
/// transaction itself is sent.
fn sending(from: Address, proposal: &Proposal) -> Sending {
    let (safe, owners) = (proposal.safe(), &proposal.snapshot().owners);
    let approving = owners.list().iter().take(owners.threshold().get());
    let approvals: Vec<Approval> = approving.clone().map(|owner| Approval::OnChain(*owner)).collect();
    Sending {
        from,
        to: safe.address,
        data: proposal.tx().exec_calldata(encode_approvals(&approvals)),
        approved: approving.map(|owner| approved_hash_slot(*owner, &proposal.hash())).collect(),
    }
}

/// A proposal that the Safe has executed, sent by us or by somebody else, is proven and not sent again.
fn already(session: &Session, subject: &Subject) -> Result<Option<Exit>, Error> {
    let now = &online(subject)?.snapshot.state;
    let state = assemble(&subject.proposal, &subject.signatures, &subject.on_chain(), now);
    let Err(used @ NotReady::NonceUsed { .. }) = state else { return Ok(None) };
    let Some(outcome) = outcome::of_executed(session, subject)? else { return Err(used.into()) };
    let ours = records(session, subject)?.iter().any(|r| r.hash == outcome.receipt.tx);
    let by = if ours {
        "Nothing sent: already executed by the transaction sent from here".to_string()
    } else {
        format!("Nothing sent: already executed by somebody else, {}", outcome.receipt.from)
    };
    outcome::report(session, subject, &outcome, &by).map(Some)
}

/// A transaction that a run before this one signed and recorded.
struct Sent {
    raw: Vec<u8>,
    hash: TxHash,
}

/// The recorded transactions. A record is only its folder's word: it must be a signed call of this Safe.
fn records(session: &Session, subject: &Subject) -> Result<Vec<Sent>, Error> {
    let read = |stored: store::Stored| {
        let value: serde_json::Value = serde_json::from_str(&stored.text.ok()?).ok()?;
        let raw = hex::decode(value.get("raw")?.as_str()?).ok()?;
        Some(Sent { hash: TxHash::of(&raw), raw })
    };
    let records = session.incidents.sent(&subject.proposal.hash().to_string())?;
    Ok(records.into_iter().filter_map(read).collect())
}

/// Sent by a run that was cut off before it could see the receipt: given out again, which is harmless, and waited for.
/// One that is mined and did not execute the proposal is finished, and no reason not to send anew.
fn sent_before(
    session: &Session,
    subject: &Subject,
    from: Address,
    args: &cli::Broadcast,
) -> Result<Option<Exit>, Error> {
    let link = &online(subject)?.link;
    for sent in records(session, subject)? {
        if !is_ours(&sent.raw, from, subject) {
            continue;
        }
        let look = || session.ui.wait("looking for the transaction sent before", || link.receipt(sent.hash));
        let mut mined = look()?;
        if mined.is_none() && session.ui.wait("sending it again", || link.send_raw(&sent.raw)).is_err() {
            // Mined in this very moment, or its place was taken by another transaction of the same account.
            mined = look()?;
            if mined.is_none() {
                continue;
            }
        }
        if let Some(receipt) = mined {
            if let Some(outcome) = outcome::read(session, subject, receipt)? {
                let by = "Nothing sent: already executed by the transaction sent from here";
                return outcome::report(session, subject, &outcome, by).map(Some);
            }
            let text = format!("{} was sent before, and failed; sending anew", sent.hash);
            session.ui.say(&Text::default().warn("note: ").add(&text));
            continue;
        }
        session
            .ui
            .say(&Text::new(&format!("Nothing new sent: {} was sent before and is on its way", sent.hash)));
        return finish(session, subject, sent.hash, args, "Sent before, and executed").map(Some);
    }
    Ok(None)
}

/// Whether this is a transaction that `from` signed, to this Safe on this chain.
fn is_ours(raw: &[u8], from: Address, subject: &Subject) -> bool {
    let Ok(TxEnvelope::Eip1559(signed)) = TxEnvelope::decode_2718_exact(raw) else { return false };
    let tx = signed.tx();
    tx.chain_id == subject.chain.id
        && tx.to == TxKind::Call(subject.safe.address)
        && signed.recover_signer().is_ok_and(|signer| signer == from)
}

/// Waits, and proves; where somebody else was faster, proves theirs.
fn finish(
    session: &Session,
    subject: &Subject,
    hash: TxHash,
    args: &cli::Broadcast,
    by: &str,
) -> Result<Exit, Error> {
    let receipt = wait(session, subject, hash, Duration::from_secs(args.wait))?;
    let (tx, block) = (receipt.tx, receipt.block.number);
    if let Some(outcome) = outcome::read(session, subject, receipt)? {
        return outcome::report(session, subject, &outcome, by);
    }
    if let Some(outcome) = outcome::of_executed(session, subject)? {
        let by = format!("Ours came too late: executed by somebody else, {}", outcome.receipt.from);
        return outcome::report(session, subject, &outcome, &by);
    }
    let hash = subject.proposal.hash();
    let message = format!("{tx} was mined in block {block}, and the Safe did not report safeTxHash {hash}");
    Err(Error::new(Exit::Failed, message).hint("breakglass status tells whether it can be sent again"))
}

/// Refuses what would fail: by the rehearsal with the owners' own signatures, which runs in this process alone.
fn rehearsed(subject: &Subject) -> Result<(), Error> {
    let Some(done) = subject.rehearsal.done().filter(|done| done.is_signed) else { return Ok(()) };
    effects::outcome(&done.rehearsal, subject.plan(), &subject.names).map_err(|why| {
        Error::new(Exit::Failed, format!("the transaction would fail: {why}"))
            .hint("nothing was sent; breakglass status shows what changed since it was signed")
    })
}

/// What the payer has and what gas costs now.
fn prepare(subject: &Subject) -> Result<Prepared, Error> {
    let prepared = online(subject)?.snapshot.prepared.clone();
    prepared.ok_or_else(|| Error::new(Exit::Network, "the chain did not say what gas costs"))
}

fn transaction(
    subject: &Subject,
    ready: &Ready,
    from: Address,
    prepared: &Prepared,
    gas_limit: u64,
    max_fee_gwei: u64,
) -> Result<TxEip1559, Error> {
    let Fees::Dynamic { max_fee, priority_fee } = prepared.fees else {
        let message = format!("chain {} has no EIP-1559 fees", subject.chain.name);
        return Err(Error::new(Exit::Failed, message)
            .hint("breakglass broadcast --calldata prints the call for another wallet"));
    };
    let cap = u128::from(max_fee_gwei) * GWEI;
    let base_fee = u128::from(online(subject)?.snapshot.header.base_fee.unwrap_or_default());
    if base_fee > cap {
        let now = amount::gwei(base_fee);
        let message = format!("gas costs {now} gwei now, more than --max-fee {max_fee_gwei}");
        return Err(Error::new(Exit::Failed, message).hint("nothing was sent; raise --max-fee, or wait"));
    }
    if prepared.pending_nonce > prepared.nonce {
        let waiting = prepared.pending_nonce - prepared.nonce;
        let message = format!(
            "{from} has {waiting} transaction(s) waiting; this one would wait behind or replace them"
        );
        return Err(Error::new(Exit::Failed, message)
            .hint("nothing was sent; use another --keystore, or wait for them"));
    }
    let max_fee = max_fee.min(cap);
    let most = U256::from(gas_limit) * U256::from(max_fee);
    if prepared.balance < most {
        let message = format!(
            "{from} has {} and the transaction may cost {}",
            amount::ether(prepared.balance),
            amount::ether(most)
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
        access_list: AccessList::default(),
        input: ready.calldata().clone(),
    })
}

fn confirm(session: &Session, subject: &Subject, args: &cli::Broadcast) -> Result<(), Error> {
    let name = &subject.safe.name;
    let yes = if let Some(given) = &args.confirm {
        given == name
    } else {
        let question = format!("Send it now? Type the Safe's name, {name}");
        session.ui.typed(&question, name, &format!("--confirm {name}"))?
    };
    if yes {
        return Ok(());
    }
    Err(Error::new(Exit::Refused, format!("not sent: the Safe's name is {name}"))
        .hint("nothing was sent; run it again and type that name, or leave it"))
}

/// Records the transaction, then sends it: whatever happens after, the next run finds it.
fn send(session: &Session, subject: &Subject, signer: &mut Signer, tx: &TxEip1559) -> Result<TxHash, Error> {
    let raw = signer.sign_transaction(tx).map_err(|e| Error::from(e).hint("nothing was sent"))?;
    let hash = TxHash::of(&raw);
    let record = json!({ "transaction": hash.to_string(), "raw": hex::encode_prefixed(&raw) });
    let proposal = subject.proposal.hash().to_string();
    session
        .incidents
        .keep_sent(&proposal, &hash.to_string(), &format!("{record:#}\n"))
        .map_err(nothing_sent)?;
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

fn print_call(session: &Session, ready: &Ready) {
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
}
