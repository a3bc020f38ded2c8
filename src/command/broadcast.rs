//! `broadcast`: at threshold, rehearse, ask, send, wait, and prove the effect on chain.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, U256};
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::enforce::{accepted, enforce};
use crate::ceremony::find::{Found, Purpose};
use crate::ceremony::judged::Judged;
use crate::ceremony::offer::{Offer, affordable_tip, prepared};
use crate::ceremony::outbox::Outbox;
use crate::ceremony::own_settings;
use crate::ceremony::rehearsal;
use crate::ceremony::rehearse::Rehearsed;
use crate::ceremony::sent::Sent;
use crate::ceremony::waiting::finish;
use crate::ceremony::{gas, outcome};
use crate::chain::{ChainError, Receipt};
use crate::clock;
use crate::command::Session;
use crate::command::args::{ARGUMENTS, Accept, Depth, Derive, Key, Proofs};
use crate::command::complete;
use crate::command::earlier::{Before, not_reserved, sent_before};
use crate::command::report::report;
use crate::command::status;
use crate::device::{Status, transaction_pages};
use crate::error::{Error, Exit};
use crate::evm::amount;
use crate::incident::Act;
use crate::proposal::{NotReady, Proposal, Ready, assemble};
use crate::safe::Execution;
use crate::session::keys::{Named, Signer, Use};
use crate::session::{incoming, keys as key};
use crate::store::StoreError;
use crate::ui::Text;
use crate::view::cost;
use crate::view::ledger_pages;

const EXAMPLES: &str = "\
Examples:
  breakglass broadcast vault --keystore gas
  breakglass broadcast vault --ledger --finalized
  breakglass broadcast vault --calldata";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; levers named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    key: Key,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,

    #[command(flatten)]
    proofs: Proofs,

    /// Send without asking; NAME is the Safe's name
    #[arg(long, value_name = "NAME", help_heading = "Checks", add = ArgValueCompleter::new(complete::safes))]
    confirm: Vec<String>,

    /// Send nothing: print the call for somebody else
    #[arg(long, help_heading = "Output", conflicts_with_all = ["confirm", "keystore", "ledger"])]
    calldata: bool,

    /// The most to pay per unit of gas, in gwei
    #[arg(long, value_name = "GWEI", default_value_t = 500, help_heading = "Checks")]
    max_fee: u64,

    /// The tip per unit of gas, in gwei: 2 or 1.5
    ///
    /// In place of what the RPCs suggest; at most --max-fee.
    #[arg(long, value_name = "GWEI", value_parser = amount::parse_gwei, help_heading = "Checks")]
    priority_fee: Option<u128>,

    /// The gas to send it with, if no RPC can estimate it
    ///
    /// It is checked like an estimate.
    #[arg(long, value_name = "GAS", help_heading = "Checks")]
    gas: Option<u64>,

    /// Take in the signatures of a chat first: a file, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    chat: Option<PathBuf>,

    #[command(flatten)]
    depth: Depth,

    /// Seconds to wait until it is mined
    #[arg(long, help_heading = "Checks", value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    affordable_tip(args.priority_fee, args.max_fee)?;
    let given = args.derive.given();
    session.require_accepted(&session.rests_of(&args.what, &given)?, &args.accept.accept)?;
    // The address that a keystore states: its key is asked for only once there is something to send.
    let named = if args.calldata { None } else { Some(key::find(session.ui, &args.key, Use::Paying)?) };
    if let Some(chat) = &args.chat {
        let received = incoming::receive(session, &args.what, &given, std::slice::from_ref(chat))?;
        received.require_read(session).map_err(|error| error.hint("nothing was sent"))?;
    }
    let mut found = session.find(&args.what, &given, Purpose::Finish)?;
    let mut signer = None;
    if found.len() == 1
        && let Some(only) = found.pop()
    {
        return one(session, args, only, named.as_ref(), &mut signer);
    }
    let count = found.len();
    let (mut rows, mut whole) = (Vec::new(), Exit::Done);
    for (at, found) in found.into_iter().enumerate() {
        let title = found.title();
        session.ui.blank();
        session.ui.say(&Text::default().bold(&format!("{} of {count}: {title}", at + 1)));
        let exit = session.ui.part(|| one(session, args, found, named.as_ref(), &mut signer));
        rows.push(vec![title, exit.word().to_string()]);
        whole = whole.graver(exit);
    }
    session.ui.table(&["transaction", "result"], &rows);
    Ok(whole)
}

/// Sends one transaction, and proves it.
fn one<'a>(
    session: &'a Session<'a>,
    args: &'a Args,
    found: Found<'a>,
    named: Option<&Named>,
    signer: &mut Option<Signer>,
) -> Result<Exit, Error> {
    let stated = named.and_then(Named::stated);
    let (given, since) = (args.derive.given(), clock::moment());
    // Taken before the chain is asked: what another run does meanwhile would not be seen. Whoever only prints the call
    // may have a folder that cannot be written.
    let lock = |proposal: &Proposal| (!args.calldata).then(|| session.lock(proposal)).transpose();
    let early = found.proposal().map(lock);
    let view = session.view(found.safe())?;
    let rehearsed = session.look_at(found, view, &given, true, stated)?;
    let lock = early.unwrap_or_else(|| lock(&rehearsed.online.derived.proposal));
    let mut view = Look::new(session, args, rehearsed, since)?;
    let mut ready = match view.next(true)? {
        Next::Ended(exit) => return Ok(exit),
        Next::Ready(ready) => ready,
    };
    // Only now: what was executed is proven in a folder that cannot be written, too.
    let _lock = lock.map_err(nothing_sent)?;
    let Some(named) = named else {
        print_call(session, &ready);
        return Ok(Exit::Done);
    };
    let signer = match signer {
        Some(signer) => signer,
        None => signer.insert(key::open(session.ui, &args.key, named)?),
    };
    let from = signer.payer(&session.council)?;
    if stated != Some(from) {
        view = view.again(from)?;
        ready = match view.next(false)? {
            Next::Ended(exit) => return Ok(exit),
            Next::Ready(ready) => ready,
        };
    }
    view.send(ready, from, signer)
}

/// A look at the chain, and what was asked for.
struct Look<'a> {
    session: &'a Session<'a>,
    args: &'a Args,
    judged: Judged<'a>,
    /// When it began.
    since: Instant,
}

/// The result of a look.
enum Next {
    /// There is nothing to send.
    Ended(Exit),
    Ready(Ready),
}

impl<'a> Look<'a> {
    fn new(
        session: &'a Session<'a>,
        args: &'a Args,
        rehearsed: Rehearsed<'a>,
        since: Instant,
    ) -> Result<Self, Error> {
        // Before anything is said of the Safe: what a single RPC says of its nonce too.
        let judged = rehearsed.prove(session.ui, args.proofs.proofs)?.judge(false);
        Ok(Self { session, args, judged, since })
    }

    /// Looks at the same proposal on the chain as it is now.
    fn again(self, from: Address) -> Result<Self, Error> {
        let Self { session, args, judged, .. } = self;
        let since = clock::moment();
        let rehearsed = session.look_again(judged, &args.derive.given(), Some(from))?;
        Look::new(session, args, rehearsed, since)
    }

    /// Returns `true` once there may be a block that it has not seen.
    fn is_stale(&self) -> bool {
        self.judged.seen().is_ok_and(|seen| self.since.elapsed() > seen.link.between_blocks())
    }

    /// Is it executed already, has it been approved, does any check refuse it, and will it succeed?
    fn next(&self, first: bool) -> Result<Next, Error> {
        let (session, args) = (self.session, self.args);
        let judged = &self.judged;
        if let Some(exit) = already(session, judged, args)? {
            return Ok(Next::Ended(exit));
        }
        let now = judged.seen()?.fresh()?;
        let findings = &judged.findings;
        let ready = match assemble(judged.proposal(), &judged.derived.signatures, &judged.on_chain(), now) {
            Ok(ready) => ready,
            Err(_) if session.says_done(judged, &args.accept.accept) => return Ok(Next::Ended(Exit::Done)),
            Err(not_ready) => {
                enforce(findings, &args.accept.accept)?;
                return Err(self.not_ready(not_ready));
            }
        };
        if first {
            session.review(judged, &args.accept.accept);
        }
        enforce(findings, &args.accept.accept)?;
        rehearsed(judged)?;
        Ok(Next::Ready(ready))
    }

    /// Returns why it cannot be sent, with the missing owners by name.
    fn not_ready(&self, why: NotReady) -> Error {
        let missing = match &why {
            NotReady::Shortfall(shortfall) => shortfall.missing.clone(),
            _ => Vec::new(),
        };
        let mut error = Error::from(why);
        if !missing.is_empty() {
            let named = missing.iter().map(|owner| format!("{} {owner}", self.judged.name(*owner)));
            let what = self.session.words_of(self.judged.proposal(), &self.args.what);
            error.hints = vec![
                format!("still to sign: {}", named.collect::<Vec<_>>().join(", ")),
                format!("breakglass import {what} takes in their lines, or the whole chat"),
            ];
            let calls = self.session.council.calls_for(&missing, clock::seconds());
            error.hints.extend(calls.iter().take(status::MOST_CALLS).map(|call| format!("call {call}")));
        }
        error
    }

    /// Asks, signs, sends and waits. What is older than a block when an answer comes is read again before anything leaves.
    fn send(mut self, mut ready: Ready, from: Address, signer: &mut Signer) -> Result<Exit, Error> {
        let (session, args) = (self.session, self.args);
        let mut agreed: Option<U256> = None;
        let offer = loop {
            let stuck =
                match sent_before(session, &self.judged, from, (args.priority_fee, &args.depth.wanted()))? {
                    Before::Ended(exit) => return Ok(exit),
                    Before::Waits(sent, ready) => return self.wait_for(&sent, ready),
                    Before::Stuck(sent) => Some(sent),
                    Before::Nothing => None,
                };
            let offer = self.offer(&ready, from, stuck.as_ref())?;
            if agreed.is_some_and(|most| offer.most() <= most) {
                break offer;
            }
            if let Some(ledger) = signer.ledger() {
                // The call has data, which a Ledger signs only with it on.
                let status = Status { blind_signing: true, ..*ledger.status() };
                if let Some(text) = ledger_pages::to_turn_on(ledger.status(), &status) {
                    session.ui.say(&text);
                }
                let stated = own_settings::stated(session.ui)?;
                let pages =
                    stated.predict(&status, |settings| transaction_pages(&status, settings, from, &offer.tx));
                let title = "the transaction that pays for the gas";
                session.ui.show(&ledger_pages::lines(&status, from, title, &pages));
                if stated.debug_contracts.is_none() {
                    let text =
                        "with Debug contracts on, about 70 pages come before these, while it is being sent";
                    session.ui.say(&Text::new("    ").dim(text));
                }
            }
            if agreed.is_some() {
                session.ui.say(&Text::new("  ").warn("it costs more now than when you were asked:"));
            }
            session.ui.show(&cost::lines(&offer, &self.judged));
            session.ui.blank();
            confirm(session, &self.judged, args, stuck.as_ref())?;
            self.judged.still_agreed()?;
            agreed = Some(offer.most());
            if !self.is_stale() {
                break offer;
            }
            (self, ready) = match self.look_again(from)? {
                (_, Next::Ended(exit)) => return Ok(exit),
                (look, Next::Ready(ready)) => (look, ready),
            };
        };
        let payer = session.incidents.lock_payer(&from.to_string()).map_err(nothing_sent)?;
        not_reserved(session, &self.judged, from, offer.tx.nonce)?;
        let raw =
            signer.sign_transaction(session.ui, &offer.tx, from).map_err(|e| e.hint("nothing was sent"))?;
        if self.is_stale() {
            (self, ready) = match self.look_again(from)? {
                (_, Next::Ended(exit)) => return Ok(exit),
                (look, Next::Ready(ready)) => (look, ready),
            };
        }
        if offer.tx.input != *ready.calldata() {
            let message = "the approvals have changed since you were asked";
            return Err(Error::new(Exit::Drift, message).hint("nothing was sent; run it again"));
        }
        let sent = Sent::new(raw, Some(clock::seconds()))
            .ok_or_else(|| Error::new(Exit::Failed, "the key signed something else; nothing was sent"))?;
        session.keep_sent(self.judged.proposal(), &sent).map_err(not_kept)?;
        drop(payer);
        self.give_out(&sent, ready, true)
    }

    fn look_again(self, from: Address) -> Result<(Self, Next), Error> {
        let before = self.judged.rehearsal.done().map(|done| done.record(self.judged.proposal()));
        let look = self.again(from)?;
        let judged = look.next(false)?;
        let now = look.judged.rehearsal.done().map(|done| done.record(look.judged.proposal()));
        if let (Next::Ready(_), Some(before), Some(now)) = (&judged, before, now)
            && let Some(difference) = now.differences(&before).first()
        {
            let message = format!("it does something else now than when you were asked: {difference}");
            return Err(Error::new(Exit::Drift, message).hint("nothing was sent; run it again and look"));
        }
        Ok((look, judged))
    }

    fn offer(&self, ready: &Ready, from: Address, replaced: Option<&Sent>) -> Result<Offer, Error> {
        let prepared = prepared(&self.judged, self.args.priority_fee)?;
        let limit = gas::limit(self.session, &self.judged, ready, from, prepared.gas, self.args.gas)?;
        Offer::new(&self.judged, ready, from, &prepared, limit, self.args.max_fee, replaced)
    }

    /// One that was sent before is given out again, which is harmless, and waited for.
    fn wait_for(&self, sent: &Sent, ready: Ready) -> Result<Exit, Error> {
        let text = format!("Nothing new sent: {} was sent before and is on its way", sent.hash);
        self.session.ui.say(&Text::new(&text));
        let paid = sent.tx.max_fee_per_gas;
        if paid > u128::from(self.args.max_fee) * 1_000_000_000 {
            let text = format!(
                "it may pay {} gwei, more than --max-fee {}: what is sent cannot be made cheaper",
                amount::gwei(paid),
                self.args.max_fee
            );
            self.session.ui.say(&Text::default().warn("note: ").add(&text));
        } else {
            let text = format!(
                "it may pay {} gwei, which is enough now; it is replaced, up to --max-fee {}, when it is not",
                amount::gwei(paid),
                self.args.max_fee
            );
            self.session.ui.say(&Text::new(&text));
        }
        self.give_out(sent, ready, false)
    }

    fn give_out(&self, sent: &Sent, ready: Ready, is_new: bool) -> Result<Exit, Error> {
        let (session, judged) = (self.session, &self.judged);
        let all = session.sent(judged.proposal())?;
        let first = all.iter().filter_map(|sent| sent.recorded).min();
        let outbox = Outbox::open(session.ui, judged.derived.chain, first, clock::seconds(), ready)?;
        let link = &judged.seen()?.link;
        match outbox.give(session.ui, link, sent) {
            // Mined in this very moment, or its nonce is: the receipts will tell.
            Err(error @ ChainError::NotSent { .. }) if link.receipt(sent.hash)?.is_none() => {
                return Err(error.into());
            }
            Err(ChainError::NotSent { .. }) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
        if is_new {
            session.note(Act::Sent { tx: sent.hash, payer: sent.from }, judged.proposal());
            let accepted = accepted(&judged.findings, &self.args.accept.accept);
            session.note_accepted(&accepted, Some(judged.proposal()));
        }
        let by = if is_new { "Sent, and executed" } else { "Sent before, and executed" };
        let most = Duration::from_secs(self.args.wait);
        let (outcome, by) = finish(session, judged, (sent, &all), &outbox, most, by)?;
        let succeeded = outcome.execution == Execution::Succeeded;
        let Receipt { tx, block, .. } = &outcome.receipt;
        session.note(Act::Mined { tx: *tx, block: block.number, succeeded }, judged.proposal());
        let wanted = self.args.depth.wanted();
        report(session, judged, &outcome, &by, wanted.is_asked().then_some(&wanted))
    }
}

/// The folder does not take what has to be there before a transaction is sent.
fn nothing_sent(error: StoreError) -> Error {
    if matches!(error, StoreError::Locked { .. }) {
        return Error::from(error).hint("nothing was sent");
    }
    not_kept(error.into())
}

fn not_kept(error: Error) -> Error {
    error.hint("nothing was sent").hint("--calldata prints the call, which any wallet can send")
}

/// A proposal that the Safe has executed, sent by us or by somebody else, is proven and not sent again.
fn already(session: &Session, judged: &Judged, args: &Args) -> Result<Option<Exit>, Error> {
    let wanted = args.depth.wanted();
    let now = judged.seen()?.fresh()?;
    let state = assemble(judged.proposal(), &judged.derived.signatures, &judged.on_chain(), now);
    let Err(used @ NotReady::NonceUsed { .. }) = state else {
        outcome::say_if_lost(session, judged)?;
        return Ok(None);
    };
    judged.enforce_fresh(&args.accept.accept)?;
    let Some(outcome) = outcome::of_executed(session, judged)? else {
        return if session.says_done_elsewhere(judged) { Ok(Some(Exit::Done)) } else { Err(used.into()) };
    };
    let ours = session.sent(judged.proposal())?.iter().any(|sent| sent.hash == outcome.receipt.tx);
    let by = if ours {
        "Nothing sent: already executed by the transaction sent from here".to_string()
    } else {
        format!("Nothing sent: already executed by somebody else, {}", outcome.receipt.from)
    };
    report(session, judged, &outcome, &by, Some(&wanted)).map(Some)
}

/// Refuses what would fail: by the rehearsal with the owners' own signatures, which runs in this process alone.
fn rehearsed(judged: &Judged) -> Result<(), Error> {
    let Some(done) = judged.rehearsal.done().filter(|done| done.is_signed) else { return Ok(()) };
    rehearsal::outcome(&done.rehearsal, judged.plan(), &judged.derived.names).map_err(|why| {
        Error::new(Exit::Failed, format!("the transaction would fail: {why}"))
            .hint("nothing was sent; breakglass status shows what changed since it was signed")
    })
}

fn confirm(session: &Session, judged: &Judged, args: &Args, replaced: Option<&Sent>) -> Result<(), Error> {
    let name = &judged.derived.safe.name;
    let yes = if args.confirm.is_empty() {
        let what = if replaced.is_some() { "Replace it now?" } else { "Send it now?" };
        let question = format!("{what} Type the Safe's name, {name}");
        session.ui.typed(&question, name, &format!("--confirm {name}"))?
    } else {
        args.confirm.contains(name)
    };
    if yes {
        return Ok(());
    }
    Err(Error::new(Exit::Refused, format!("not sent: the Safe's name is {name}")).hint(match replaced {
        Some(sent) => format!("nothing new was sent; {} still waits", sent.hash),
        None => "nothing was sent; run it again and type that name, or leave it".into(),
    }))
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
