//! Was it executed, and is the contract in the promised state? Read from the chain, at the receipt's block.

use alloy::primitives::Log;
use serde_json::{Value, json};

use crate::chain::{Ask, Chain, ChainError, Events, Executed, Receipt, agreeing};
use crate::check::Match;
use crate::cli;
use crate::command::depth;
use crate::command::draft::after_queries;
use crate::command::effects::proven_at;
use crate::command::mined::{self, AsRehearsed};
use crate::command::online::Online;
use crate::command::session::Session;
use crate::command::since;
use crate::command::subject::Subject;
use crate::error::{Error, Exit};
use crate::evm::{BlockRef, BlockTag};
use crate::evm::{Query, Readings};
use crate::fork::{Expected, Keys};
use crate::playbook::{Check, Verdict};
use crate::safe::{Execution, find_execution};
use crate::store::{StoreError, Stored};
use crate::ui::{Text, Ui};

/// Differences beyond this number are counted and not listed.
const MOST_SHOWN: usize = 20;
/// Outcomes recorded for one proposal.
const MOST_OUTCOMES: usize = 20;

/// How a proposal's transaction ended.
#[derive(Debug)]
pub struct Outcome {
    pub receipt: Receipt,
    pub execution: Execution,
    pub verdicts: Vec<Verdict>,
    /// The block whose state the verdicts are about: the receipt's, or a newer one where no RPC keeps that any more.
    pub judged_at: BlockRef,
    pub as_rehearsed: AsRehearsed,
    /// Which code the called contracts ran at that block.
    code: Readings,
}

impl Outcome {
    /// Succeeded by the Safe's own word, it is what the reader's own playbook gives, and every one of its `after`
    /// checks holds. Without a check to hold there is no proof.
    fn is_proven(&self, subject: &Subject) -> bool {
        let own = !matches!(subject.matching, Match::Differs(_) | Match::Unbound(_));
        let checked = !self.verdicts.is_empty() && self.verdicts.iter().all(|v| v.holds);
        let otherwise = matches!(self.as_rehearsed, AsRehearsed::No(_));
        self.execution == Execution::Succeeded && own && checked && !otherwise
    }
}

fn online<'s>(subject: &'s Subject) -> Result<&'s Online, Error> {
    subject.online.as_ref().ok_or_else(|| Error::new(Exit::Network, "nothing was asked of the network"))
}

/// The transaction in which the Safe executed this proposal, whoever sent it.
fn executed(session: &Session, subject: &Subject) -> Result<Option<Executed>, Error> {
    let link = &online(subject)?.link;
    // A proposal's block is a claim; one from the future must not hide what was done since.
    let from = subject.proposal.block().number;
    let from = if from > online(subject)?.snapshot.header.number { 0 } else { from };
    let find = || link.executions(subject.proposal.safe(), &subject.proposal.hash(), from);
    Ok(session.ui.wait("looking for its execution", find)?)
}

/// Reads what a mined transaction did; nothing when it did not execute this proposal. A receipt's status proves
/// nothing: the Safe's own event with our safeTxHash does.
pub fn read(session: &Session, subject: &Subject, receipt: Receipt) -> Result<Option<Outcome>, Error> {
    read_with(session, subject, receipt, None)
}

/// What is asked of the state that a transaction leaves.
pub fn queries(subject: &Subject) -> Vec<Query> {
    let mut queries = subject.plan().map(after_queries).unwrap_or_default();
    queries.extend(since::queries(subject));
    queries.extend(mined::expected(subject).iter().flat_map(Expected::queries));
    queries
}

/// [`read`], with the answers to [`queries`] at the receipt's block where they came along with it.
pub fn read_with(
    session: &Session,
    subject: &Subject,
    receipt: Receipt,
    answered: Option<Readings>,
) -> Result<Option<Outcome>, Error> {
    let safe = subject.proposal.safe();
    let found = find_execution(&receipt.logs, safe.address, safe.version, &subject.proposal.hash());
    let Some(execution) = found else { return Ok(None) };
    let link = &online(subject)?.link;
    let expected = mined::expected(subject);
    let what = format!("proving it at block {}", receipt.block.number);
    let (found, judged_at) = match answered {
        Some(found) => (found, receipt.block),
        None => session.ui.wait(&what, || answers(link, &queries(subject), receipt.block))?,
    };
    let verdicts = judge(subject, &found, &receipt.logs);
    let as_rehearsed = match subject.matching {
        // What it did is not compared with anything that it could be.
        Match::Differs(_) | Match::Unbound(_) => AsRehearsed::Unknown("it is not your playbook's".into()),
        _ if execution == Execution::Failed => AsRehearsed::Unknown("it failed".into()),
        _ if judged_at != receipt.block => {
            let block = receipt.block.number;
            AsRehearsed::Unknown(format!("no RPC keeps the state of block {block} any more"))
        }
        _ => mined::compare(session, subject, link, &receipt, expected.as_ref(), &found),
    };
    Ok(Some(Outcome { receipt, execution, verdicts, judged_at, as_rehearsed, code: found }))
}

/// The answers at a block or, where no RPC keeps its state any more, at the newest.
fn answers(link: &Chain, queries: &[Query], block: BlockRef) -> Result<(Readings, BlockRef), ChainError> {
    match link.answers(queries, &block) {
        Err(error) if error.is_pruned() => {
            let newest = link.ask(&[], BlockTag::Latest)?.0.block();
            link.answers(queries, &newest).map(|found| (found, newest))
        }
        result => result.map(|found| (found, block)),
    }
}

/// The playbook's `after` checks.
fn judge(subject: &Subject, found: &Readings, logs: &[Log]) -> Vec<Verdict> {
    let checks = subject.plan().map_or(&[][..], |plan| &plan.after);
    checks.iter().map(|check| check.judge(found, logs)).collect()
}

/// The outcome of a proposal whose nonce is used; nothing when the Safe never executed it.
pub fn of_executed(session: &Session, subject: &Subject) -> Result<Option<Outcome>, Error> {
    let Some(executed) = executed(session, subject)? else { return Ok(None) };
    let link = &online(subject)?.link;
    let receipt = session.ui.wait("reading its receipt", || link.receipt(executed.tx))?;
    let lost = || Error::new(Exit::Network, format!("the receipt of {} cannot be read", executed.tx));
    read(session, subject, receipt.ok_or_else(|| lost().hint("try again in a minute"))?)
}

/// What holds now of what held then.
struct Now {
    block: BlockRef,
    /// What no longer holds, and what runs other code by now.
    undone: Vec<String>,
}

/// Looks at the newest block, if it is newer: what was done may have been undone since, or be the word of other code.
fn now(session: &Session, subject: &Subject, outcome: &Outcome) -> Result<Option<Now>, Error> {
    let Online { link, snapshot, .. } = online(subject)?;
    let (then, block) = (outcome.judged_at, snapshot.header.block());
    let what = format!("looking at block {}", block.number);
    if then != outcome.receipt.block {
        // The verdicts are of now already.
        let undone = session.ui.wait(&what, || since::changed(subject, link, None, &outcome.code, &then))?;
        return Ok(Some(Now { block: then, undone }));
    }
    if block.number <= then.number {
        return Ok(None);
    }
    let mut queries = subject.plan().map(after_queries).unwrap_or_default();
    queries.extend(since::queries(subject));
    let (found, changed) = session.ui.wait(&what, || {
        let found = link.answers(&queries, &block)?;
        let changed = since::changed(subject, link, Some(&outcome.code), &found, &block)?;
        Ok::<_, ChainError>((found, changed))
    })?;
    let verdicts = judge(subject, &found, &outcome.receipt.logs).into_iter();
    let undone = verdicts.filter(|v| !v.holds).map(|v| v.sentence).chain(changed).collect();
    Ok(Some(Now { block, undone }))
}

/// What `--proofs` proves of the outcome.
struct Proven {
    /// Against which root the state is.
    state: String,
    events: Events,
    mined: BlockRef,
    /// A check of the playbook rests on an event.
    needs_events: bool,
}

/// Where every value is to be proven, the outcome is too, whatever a receipt says: in the state of the newest block the
/// Safe's nonce is used, and the `after` checks that ask the state hold.
fn prove(session: &Session, subject: &Subject, receipt: &Receipt) -> Result<Option<Proven>, Error> {
    let mined = receipt.block;
    let online = online(subject)?;
    if online.proven.is_none() {
        return Ok(None);
    }
    let checks: Vec<&Check> = subject.plan().map(|plan| plan.after.iter().collect()).unwrap_or_default();
    let queries: Vec<_> = checks.iter().flat_map(|check| check.queries()).collect();
    let ask = Ask { safe: subject.safe.address, queries: &queries, ..Ask::default() };
    let proof = session.ui.wait("proving the outcome", || {
        let mut seen = online.link.snapshot(&ask, BlockTag::Latest)?;
        if seen.header.number < mined.number {
            seen = online.link.snapshot(&ask, BlockTag::Pinned(mined))?;
        }
        let root = online.link.prove(&mut seen, &Keys::default(), Keys::default())?;
        let events = online.link.prove_events(receipt)?;
        Ok::<_, ChainError>((root, seen, events))
    });
    // What was sent stays sent, whatever can be proven of it.
    let (root, seen, events) = proof.map_err(|error| {
        Error::new(
            Exit::Network,
            format!("the RPC says that it was executed, and the outcome is not proven: {error}"),
        )
        .hint("nothing need be sent again for that: breakglass status --proofs tries once more")
        .hint("without --proofs, the RPCs' own word is taken")
    })?;
    let block = seen.header.block();
    let lies = |what: String| {
        let message = format!("{what} in block {}, against whose state it was proven", block.number);
        Error::new(Exit::Network, message)
            .hint("the RPC said otherwise of the receipt: ask another one, and look")
    };
    if seen.state.nonce <= subject.proposal.nonce() {
        return Err(lies(format!("the Safe's nonce is still {}", seen.state.nonce)));
    }
    let asked = checks.iter().filter(|check| !check.queries().is_empty());
    if let Some(failed) = asked.map(|check| check.judge(&seen.readings, &[])).find(|verdict| !verdict.holds) {
        return Err(lies(failed.sentence));
    }
    let needs_events = checks.iter().any(|check| check.queries().is_empty());
    Ok(Some(Proven { state: proven_at(root, &block), events, mined, needs_events }))
}

/// Shows the outcome, records a proven one, and gives the exit code.
///
/// # Errors
/// Where it is not proven, or no longer what it was. `wanted` is how deep it must lie; `None` right after it was mined.
pub fn report(
    session: &Session,
    subject: &Subject,
    outcome: &Outcome,
    by: &str,
    wanted: Option<&cli::Depth>,
) -> Result<Exit, Error> {
    let ui = session.ui;
    let receipt = &outcome.receipt;
    ui.say(&Text::default().add(by).add(&format!(" in block {}", receipt.block.number)));
    ui.say(&Text::default().dim("transaction ").add(&receipt.tx.to_string()));
    if outcome.judged_at != receipt.block {
        let (then, now) = (receipt.block.number, outcome.judged_at.number);
        let text = format!("no RPC keeps the state of block {then} any more: judged at block {now}");
        ui.say(&Text::default().warn("note: ").add(&text));
    } else if let AsRehearsed::Unknown(why) = &outcome.as_rehearsed
        && outcome.is_proven(subject)
    {
        let text = format!("what it did was not compared with a rehearsal: {why}");
        ui.say(&Text::default().warn("note: ").add(&text));
    }
    for verdict in &outcome.verdicts {
        let mark = if verdict.holds { Text::default().good("  ✓ ") } else { Text::default().bad("  ✗ ") };
        ui.say(&mark.add(&verdict.sentence));
    }
    let mut object = object(subject, outcome);
    let failed = |exit, message: String| Error::new(exit, message).having_done(object.clone());
    if outcome.execution == Execution::Failed {
        let message = format!("the Safe reported ExecutionFailure for {}", subject.proposal.hash());
        return Err(failed(Exit::Failed, message)
            .hint("its nonce is used and nothing was done; find out why before anybody signs again"));
    }
    if let Match::Differs(_) | Match::Unbound(_) = subject.matching {
        let message = "executed, but it is not what your own playbook gives: nothing is proven";
        return Err(failed(Exit::Refused, message.into()).hint("find out who signed it, and what it did"));
    }
    if let AsRehearsed::No(differences) = &outcome.as_rehearsed {
        return Err(failed(Exit::MinedOtherwise, mined_otherwise(ui, differences))
            .hint("look at the contract now: what it is and who controls it may not be what was promised")
            .hint("another transaction of the same block may have done it; breakglass status looks again"));
    }
    if !outcome.is_proven(subject) {
        let why: Vec<&str> =
            outcome.verdicts.iter().filter(|v| !v.holds).map(|v| v.sentence.as_str()).collect();
        let message = format!("executed, but not proven: {}", why.join("; "));
        return Err(failed(Exit::Failed, message).hint("look at the contract before you rely on it"));
    }
    let now = now(session, subject, outcome)?;
    if let Some(Now { block, undone }) = now.as_ref().filter(|now| !now.undone.is_empty()) {
        let (then, now, why) = (receipt.block.number, block.number, undone.join("; "));
        let message = format!("it was done at block {then} and no longer holds at block {now}: {why}");
        return Err(failed(Exit::Drift, message).hint("to do it again, sign it anew: its nonce is used"));
    }
    if let Some(Now { block, .. }) = &now {
        ui.say(&Text::default().good("  ✓ ").add(&format!("now, at block {}, it still holds", block.number)));
    }
    let proven = prove(session, subject, receipt)?;
    note(session, subject, &object);
    let (level, by_whom) = level(&online(subject)?.link, proven.as_ref());
    ui.say(&Text::default().good("done and proven").add(&format!(" ({by_whom})")));
    if let Some(fields) = object.as_object_mut() {
        fields.insert("level".into(), json!(level));
    }
    if let Some(wanted) = wanted {
        let depth = depth::settle(session, &online(subject)?.link, receipt, wanted)
            .map_err(|error| error.having_done(object.clone()))?;
        if let Some(fields) = object.as_object_mut() {
            fields.insert("depth".into(), depth::object(&depth, receipt));
        }
    } else {
        let number = receipt.block.number;
        let text =
            format!("block {number}, just mined, not final yet: breakglass status tells how deep it lies");
        ui.say(&Text::default().dim(&text));
    }
    ui.object(&object);
    ui.data(&receipt.tx.to_string());
    Ok(Exit::Done)
}

/// Whose word it is, for a script and for a person: levels, not faults.
fn level(link: &Chain, proven: Option<&Proven>) -> (&'static str, String) {
    let (word, by) = match agreeing(&link.endpoints()) {
        (0 | 1, _) => ("one RPC", "by the word of one RPC".into()),
        (agree, of) => ("quorum", format!("{agree} of {of} RPCs")),
    };
    let Some(Proven { state, events, mined, needs_events }) = proven else { return (word, by) };
    match events {
        Events::Proven(_) => {
            let text = format!("{state}; its events against the receipts root of block {}", mined.number);
            ("roots", text)
        }
        Events::Unproven(why) => {
            let text = format!("{state}; its events {by}: {why}");
            (if *needs_events { word } else { "state root" }, text)
        }
    }
}

/// Keeps a proven outcome beside the proposal. Nothing is overwritten: after a reorganisation the next file supersedes
/// the last.
fn keep(session: &Session, subject: &Subject, object: &Value) -> Result<(), StoreError> {
    let proposal = subject.proposal.hash().to_string();
    let kept = session.incidents.outcomes(&proposal)?;
    let mut object = object.clone();
    if let Some((name, last)) = last_kept(&kept) {
        let same = |field: &str| last.get(field).is_none_or(|value| object.get(field) == Some(value));
        if ["transaction", "block", "block_hash"].into_iter().all(same) || kept.len() >= MOST_OUTCOMES {
            return Ok(());
        }
        let text = format!("{name} tells of another block: the chain was reorganised since");
        session.ui.say(&Text::default().warn("note: ").add(&text));
        if let Some(fields) = object.as_object_mut() {
            fields.insert("supersedes".into(), json!(name));
        }
    }
    session.incidents.keep_outcome(&proposal, kept.len() + 1, &format!("{object:#}\n"))
}

/// The last recorded outcome, by its file's name.
fn last_kept(kept: &[Stored]) -> Option<(String, Value)> {
    let last = kept.last()?;
    let name = last.path.file_name()?.to_str()?.to_string();
    Some((name, serde_json::from_str(last.text.as_ref().ok()?).unwrap_or(Value::Null)))
}

/// Says that an outcome was recorded here and that the chain has it no more. Its nonce is not used.
///
/// # Errors
/// When the folder cannot be read.
pub fn say_if_lost(session: &Session, subject: &Subject) -> Result<(), Error> {
    let kept = session.incidents.outcomes(&subject.proposal.hash().to_string())?;
    if let Some((name, _)) = last_kept(&kept) {
        let text = format!(
            "{name} says that it was executed, and nonce {} of the Safe is not used: the chain was reorganised, or \
             that file is false; send it",
            subject.proposal.nonce()
        );
        session.ui.say(&Text::default().warn("note: ").add(&text));
    }
    Ok(())
}

/// Lists what differs, and says it in a sentence.
fn mined_otherwise(ui: &Ui, differences: &[String]) -> String {
    for line in differences.iter().take(MOST_SHOWN) {
        ui.say(&Text::default().bad("  ✗ ").add(line));
    }
    let (first, more) = (differences.first().map_or("", String::as_str), differences.len().saturating_sub(1));
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    format!("mined, but not as rehearsed: {first}{more}")
}

/// Keeps the outcome as a note for people. Nothing depends on it: one that cannot be kept is only said.
fn note(session: &Session, subject: &Subject, object: &Value) {
    if let Err(error) = keep(session, subject, object) {
        let why = format!("the outcome is not kept: {error}");
        session.ui.say(&Text::default().warn("! ").add(&why));
        session.ui.object(&json!({ "warnings": [why] }));
    }
}

fn object(subject: &Subject, outcome: &Outcome) -> Value {
    let receipt = &outcome.receipt;
    let checks: Vec<Value> =
        outcome.verdicts.iter().map(|v| json!({ "holds": v.holds, "sentence": v.sentence })).collect();
    json!({
        "safe_tx_hash": subject.proposal.hash().to_string(),
        "transaction": receipt.tx.to_string(),
        "block": receipt.block.number,
        "block_hash": receipt.block.hash.to_string(),
        "gas_used": receipt.gas_used,
        "execution": match outcome.execution { Execution::Succeeded => "success", Execution::Failed => "failure" },
        "after": checks,
        "proven": outcome.is_proven(subject),
        "judged_at": outcome.judged_at.number,
        "not_as_rehearsed": match &outcome.as_rehearsed {
            AsRehearsed::No(differences) => differences.as_slice(),
            AsRehearsed::Yes | AsRehearsed::Unknown(_) => &[],
        },
        "not_compared": match &outcome.as_rehearsed {
            AsRehearsed::Unknown(why) => Some(why),
            AsRehearsed::Yes | AsRehearsed::No(_) => None,
        },
    })
}
