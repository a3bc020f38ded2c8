//! Was it executed, and is the contract in the promised state? Read from the chain, at the receipt's block.

use alloy::primitives::Log;
use serde_json::{Value, json};

use crate::chain::fork::Keys;
use crate::chain::{Ask, BlockRef, BlockTag, ChainError, Executed, Receipt};
use crate::check::Match;
use crate::command::effects::proven_at;
use crate::command::session::Session;
use crate::command::subject::{Online, Subject};
use crate::error::{Error, Exit};
use crate::playbook::{Check, Plan, Verdict};
use crate::safe::{Execution, find_execution};
use crate::ui::Text;

/// How a proposal's transaction ended.
#[derive(Debug)]
pub struct Outcome {
    pub receipt: Receipt,
    pub execution: Execution,
    pub verdicts: Vec<Verdict>,
}

impl Outcome {
    /// Succeeded by the Safe's own word, it is what the reader's own playbook gives, and every one of its `after`
    /// checks holds. Without a check to hold there is no proof.
    fn is_proven(&self, subject: &Subject) -> bool {
        let own = !matches!(subject.matching, Match::Differs(_) | Match::Unbound(_));
        let checked = !self.verdicts.is_empty() && self.verdicts.iter().all(|v| v.holds);
        self.execution == Execution::Succeeded && own && checked
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
    let safe = subject.proposal.safe();
    let found = find_execution(&receipt.logs, safe.address, safe.version, &subject.proposal.hash());
    let Some(execution) = found else { return Ok(None) };
    let verdicts = match subject.plan() {
        Some(plan) => judge(session, subject, plan, &receipt.block, &receipt.logs)?,
        None => Vec::new(),
    };
    Ok(Some(Outcome { receipt, execution, verdicts }))
}

/// The playbook's `after` checks at a block.
fn judge(
    session: &Session,
    subject: &Subject,
    plan: &Plan,
    block: &BlockRef,
    logs: &[Log],
) -> Result<Vec<Verdict>, Error> {
    let queries: Vec<_> = plan.after.iter().flat_map(Check::queries).collect();
    let link = &online(subject)?.link;
    let what = format!("proving it at block {}", block.number);
    let readings = session.ui.wait(&what, || link.answers(&queries, block))?;
    Ok(plan.after.iter().map(|check| check.judge(&readings, logs)).collect())
}

/// The outcome of a proposal whose nonce is used; nothing when the Safe never executed it.
pub fn of_executed(session: &Session, subject: &Subject) -> Result<Option<Outcome>, Error> {
    let Some(executed) = executed(session, subject)? else { return Ok(None) };
    let link = &online(subject)?.link;
    let receipt = session.ui.wait("reading its receipt", || link.receipt(executed.tx))?;
    let lost = || Error::new(Exit::Network, format!("the receipt of {} cannot be read", executed.tx));
    read(session, subject, receipt.ok_or_else(|| lost().hint("try again in a minute"))?)
}

/// The `after` checks that no longer hold at the newest block: what was done may have been undone since.
fn undone(session: &Session, subject: &Subject, outcome: &Outcome) -> Result<Vec<Verdict>, Error> {
    let now = online(subject)?.snapshot.header.block();
    match subject.plan() {
        Some(plan) if now.number > outcome.receipt.block.number => {
            let verdicts = judge(session, subject, plan, &now, &outcome.receipt.logs)?;
            Ok(verdicts.into_iter().filter(|v| !v.holds).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// Where every value is to be proven, the outcome is too, whatever a receipt says: in the state of the newest block the
/// Safe's nonce is used, and the `after` checks that ask the state hold.
fn prove(session: &Session, subject: &Subject, mined: BlockRef) -> Result<Option<String>, Error> {
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
        Ok::<_, ChainError>((root, seen))
    });
    // What was sent stays sent, whatever can be proven of it.
    let (root, seen) = proof.map_err(|error| {
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
    Ok(Some(proven_at(root, &block)))
}

/// Shows the outcome, records a proven one, and gives the exit code.
pub fn report(session: &Session, subject: &Subject, outcome: &Outcome, by: &str) -> Result<Exit, Error> {
    let ui = session.ui;
    let receipt = &outcome.receipt;
    ui.say(&Text::default().add(by).add(&format!(" in block {}", receipt.block.number)));
    ui.say(&Text::default().dim("transaction ").add(&receipt.tx.to_string()));
    for verdict in &outcome.verdicts {
        let mark = if verdict.holds { Text::default().good("  ✓ ") } else { Text::default().bad("  ✗ ") };
        ui.say(&mark.add(&verdict.sentence));
    }
    let object = object(subject, outcome);
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
    if !outcome.is_proven(subject) {
        let why: Vec<&str> =
            outcome.verdicts.iter().filter(|v| !v.holds).map(|v| v.sentence.as_str()).collect();
        let message = format!("executed, but not proven: {}", why.join("; "));
        return Err(failed(Exit::Failed, message).hint("look at the contract before you rely on it"));
    }
    let undone = undone(session, subject, outcome)?;
    if !undone.is_empty() {
        let why: Vec<&str> = undone.iter().map(|v| v.sentence.as_str()).collect();
        let message = format!("it was executed and proven then, and no longer holds: {}", why.join("; "));
        return Err(failed(Exit::Drift, message).hint("to do it again, sign it anew: its nonce is used"));
    }
    let proven = prove(session, subject, receipt.block)?;
    ui.object(&object);
    session.incidents.keep_outcome(&subject.proposal.hash().to_string(), &format!("{object:#}\n"))?;
    let against = proven.map(|against| format!(" ({against})")).unwrap_or_default();
    ui.say(&Text::default().good("done and proven").add(&against));
    ui.data(&receipt.tx.to_string());
    Ok(Exit::Done)
}

fn object(subject: &Subject, outcome: &Outcome) -> Value {
    let receipt = &outcome.receipt;
    let checks: Vec<Value> =
        outcome.verdicts.iter().map(|v| json!({ "holds": v.holds, "sentence": v.sentence })).collect();
    json!({
        "safe_tx_hash": subject.proposal.hash().to_string(),
        "transaction": receipt.tx.to_string(),
        "block": receipt.block.number,
        "gas_used": receipt.gas_used,
        "execution": match outcome.execution { Execution::Succeeded => "success", Execution::Failed => "failure" },
        "after": checks,
        "proven": outcome.is_proven(subject),
    })
}
