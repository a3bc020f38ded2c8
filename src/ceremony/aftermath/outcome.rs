//! The outcome of a proposal: was it executed, and is the contract in the promised state, by the chain at the receipt's
//! block.

use alloy::primitives::Log;
use serde_json::{Value, json};

use crate::ceremony::aftermath::mined::{self, AsRehearsed};
use crate::ceremony::aftermath::since;
use crate::ceremony::chain_view::{ChainView, proven_at};
use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ceremony::prefetch::after_queries;
use crate::chain::{Ask, Chain, ChainError, Events, ExecutedTx, Receipt, Snapshot};
use crate::check::Match;
use crate::error::{Error, Exit};
use crate::evm::{BlockRef, BlockTag, Keys, Query, Readings};
use crate::fork::Expected;
use crate::playbook::{Check, Verdict};
use crate::progress::Tone;
use crate::safe::{Execution, Nonce, find_execution};
use crate::store::Stored;

/// The most outcomes recorded for one proposal.
const MOST_OUTCOMES: usize = 20;

/// The outcome of a proposal's transaction.
#[must_use]
#[derive(Debug)]
pub struct Outcome {
    pub receipt: Receipt,
    pub execution: Execution,
    pub verdicts: Vec<Verdict>,
    /// The block whose state the verdicts are about: the receipt's, or a newer one if no RPC keeps that any more.
    pub judged_at: BlockRef,
    pub as_rehearsed: AsRehearsed,
    /// The code that the called contracts ran at that block.
    code: Readings,
}

impl Outcome {
    /// Returns `true` if the Safe's own event says that it succeeded, the reader's own playbook gives it, and all of
    /// its `after` checks hold. Without a check there is no proof.
    pub fn is_proven(&self, judged: &Judged) -> bool {
        proves(self.execution, &judged.derived.matching, &self.verdicts, &self.as_rehearsed)
    }
}

fn proves(execution: Execution, matching: &Match, verdicts: &[Verdict], as_rehearsed: &AsRehearsed) -> bool {
    let checked = !verdicts.is_empty() && verdicts.iter().all(|v| v.holds);
    let otherwise = matches!(as_rehearsed, AsRehearsed::No(_));
    execution == Execution::Succeeded && is_own(matching) && checked && !otherwise
}

/// Returns `true` if it is what the reader's own files give, now or for other values of the chain.
const fn is_own(matching: &Match) -> bool {
    !matches!(matching, Match::Differs(_) | Match::Unbound(_))
}

/// Returns why its effects are not compared with the rehearsal; `None` if they can be.
fn not_compared(
    execution: Execution,
    matching: &Match,
    mined: BlockRef,
    judged_at: BlockRef,
) -> Option<String> {
    if !is_own(matching) {
        return Some("it is not your playbook's".into());
    }
    if execution == Execution::Failed {
        return Some("it failed".into());
    }
    (judged_at != mined).then(|| format!("no RPC keeps the state of block {} any more", mined.number))
}

/// Returns the transaction in which the Safe executed this proposal, whoever sent it.
fn executed(desk: &Desk, judged: &Judged) -> Result<Option<ExecutedTx>, Error> {
    let ChainView { link, snapshot, .. } = judged.seen()?;
    let claimed = judged.proposal().block().map(|block| block.number);
    let from = first_searched(claimed, snapshot.header.number);
    let find = || link.executions(judged.proposal().safe(), &judged.proposal().hash(), from);
    Ok(desk.progress.wait("looking for its execution", find)?)
}

/// Returns the block from which on an execution is searched. A proposal's block is a claim: one from the future must
/// not hide an execution.
pub(in crate::ceremony) fn first_searched(claimed: Option<u64>, newest: u64) -> u64 {
    claimed.filter(|number| *number <= newest).unwrap_or(0)
}

/// Reads the outcome of a mined transaction; `None` if it did not execute this proposal. The Safe's own event with our
/// safeTxHash proves that, not the receipt's status.
pub fn read(desk: &Desk, judged: &Judged, receipt: Receipt) -> Result<Option<Outcome>, Error> {
    read_with(desk, judged, receipt, None)
}

/// Returns the questions about the state that a transaction leaves.
pub fn queries(judged: &Judged) -> Vec<Query> {
    let mut queries = judged.plan().map(after_queries).unwrap_or_default();
    queries.extend(since::queries(judged));
    queries.extend(mined::expected(judged).iter().flat_map(Expected::queries));
    queries
}

/// [`read`], with the answers to [`queries`] at the receipt's block if they came with it.
pub fn read_with(
    desk: &Desk,
    judged: &Judged,
    receipt: Receipt,
    answered: Option<Readings>,
) -> Result<Option<Outcome>, Error> {
    let safe = judged.proposal().safe();
    let found = find_execution(&receipt.logs, safe.address, safe.version, &judged.proposal().hash());
    let Some(execution) = found else { return Ok(None) };
    let link = &judged.seen()?.link;
    let expected = mined::expected(judged);
    let what = format!("proving it at block {}", receipt.block.number);
    let (found, judged_at) = match answered {
        Some(found) => (found, receipt.block),
        None => desk.progress.wait(&what, || answers(link, &queries(judged), receipt.block))?,
    };
    let verdicts = judge(judged, &found, &receipt.logs);
    let as_rehearsed = match not_compared(execution, &judged.derived.matching, receipt.block, judged_at) {
        Some(why) => AsRehearsed::Unknown(why),
        None => mined::compare(desk, judged, link, &receipt, expected.as_ref(), &found),
    };
    Ok(Some(Outcome { receipt, execution, verdicts, judged_at, as_rehearsed, code: found }))
}

/// Returns the answers at a block or, if no RPC keeps its state any more, at the newest.
pub(in crate::ceremony) fn answers(
    link: &Chain,
    queries: &[Query],
    block: BlockRef,
) -> Result<(Readings, BlockRef), ChainError> {
    match link.answers(queries, &block) {
        Err(error) if error.is_pruned() => {
            let newest = link.watch(&[], &[])?.header.block();
            link.answers(queries, &newest).map(|found| (found, newest))
        }
        result => result.map(|found| (found, block)),
    }
}

/// Judges the playbook's `after` checks.
fn judge(judged: &Judged, found: &Readings, logs: &[Log]) -> Vec<Verdict> {
    let checks = judged.plan().map_or(&[][..], |plan| &plan.after);
    checks.iter().map(|check| check.judge(found, logs)).collect()
}

/// Returns the outcome of a proposal whose nonce is used; `None` if the Safe did not execute it.
pub fn of_executed(desk: &Desk, judged: &Judged) -> Result<Option<Outcome>, Error> {
    let Some(executed) = executed(desk, judged)? else { return Ok(None) };
    let link = &judged.seen()?.link;
    let receipt = desk.progress.wait("reading its receipt", || link.receipt(executed.tx))?;
    let lost = || Error::new(Exit::Network, format!("the receipt of {} cannot be read", executed.tx));
    read(desk, judged, receipt.ok_or_else(|| lost().hint("try again in a minute"))?)
}

/// A proven outcome, compared with the chain as it is now.
pub struct Now {
    pub block: BlockRef,
    /// Checks that no longer hold, and contracts that run other code now.
    pub undone: Vec<String>,
}

/// Compares a proven outcome with the newest block; `None` if that is not newer. It may have been undone since, or
/// other code may give the answers.
pub fn now(desk: &Desk, judged: &Judged, outcome: &Outcome) -> Result<Option<Now>, Error> {
    let ChainView { link, snapshot, .. } = judged.seen()?;
    let (then, block) = (outcome.judged_at, snapshot.header.block());
    let what = format!("looking at block {}", block.number);
    if then != outcome.receipt.block {
        // The verdicts are about the newest block already.
        let undone =
            desk.progress.wait(&what, || since::changed(judged, link, None, &outcome.code, &then))?;
        return Ok(Some(Now { block: then, undone }));
    }
    if block.number <= then.number {
        return Ok(None);
    }
    let mut queries = judged.plan().map(after_queries).unwrap_or_default();
    queries.extend(since::queries(judged));
    let (found, changed) = desk.progress.wait(&what, || {
        let found = link.answers(&queries, &block)?;
        let changed = since::changed(judged, link, Some(&outcome.code), &found, &block)?;
        Ok::<_, ChainError>((found, changed))
    })?;
    let verdicts = judge(judged, &found, &outcome.receipt.logs).into_iter();
    let undone = verdicts.filter(|v| !v.holds).map(|v| v.sentence).chain(changed).collect();
    Ok(Some(Now { block, undone }))
}

/// The parts of the outcome that `--proofs` proves.
pub struct OutcomeProof {
    /// The root that the state was proven against.
    pub state: String,
    pub events: Events,
    pub mined: BlockRef,
    /// A check of the playbook rests on an event.
    pub needs_events: bool,
}

/// Proves the outcome if every value was to be proven; `None` otherwise. In the state of the newest block the Safe's
/// nonce must be used, and the `after` checks of the state must hold, whatever a receipt says.
pub fn prove(desk: &Desk, judged: &Judged, receipt: &Receipt) -> Result<Option<OutcomeProof>, Error> {
    let mined = receipt.block;
    let online = judged.seen()?;
    if online.proven.is_none() {
        return Ok(None);
    }
    let checks: Vec<&Check> = judged.plan().map(|plan| plan.after.iter().collect()).unwrap_or_default();
    let queries: Vec<_> = checks.iter().flat_map(|check| check.queries()).collect();
    let ask = Ask { safe: judged.derived.safe.address, queries: &queries, ..Ask::default() };
    let proof = desk.progress.wait("proving the outcome", || {
        let mut seen = online.link.snapshot(&ask, BlockTag::Latest)?;
        if seen.header.number < mined.number {
            seen = online.link.snapshot(&ask, BlockTag::Pinned(mined))?;
        }
        let root = online.link.prove(&mut seen, &Keys::default(), Keys::default())?;
        let events = online.link.prove_events(receipt)?;
        Ok::<_, ChainError>((root, seen, events))
    });
    // The transaction was sent, whether it can be proven or not.
    let (root, seen, events) = proof.map_err(|error| {
        Error::new(
            Exit::Network,
            format!("the RPC says that it was executed, and the outcome is not proven: {error}"),
        )
        .hint("nothing has to be sent again: breakglass status --proofs tries once more")
        .hint("without --proofs, the RPCs are believed")
    })?;
    require_done(&seen, judged.proposal().nonce(), &checks)?;
    let needs_events = checks.iter().any(|check| rests_on_events(check));
    Ok(Some(OutcomeProof { state: proven_at(root, &seen.header.block()), events, mined, needs_events }))
}

/// Checks that in a proven state the nonce is used and the promise holds.
///
/// # Errors If not: then the receipt, or the RPC that gave it, lies.
pub(in crate::ceremony) fn require_done(
    seen: &Snapshot,
    nonce: Nonce,
    checks: &[&Check],
) -> Result<(), Error> {
    let lies = |what: String| {
        let message = format!("{what} in block {}, against whose state it was proven", seen.header.number);
        Error::new(Exit::Network, message).hint("the receipt of the RPC says something else: ask another RPC")
    };
    if seen.state.nonce <= nonce {
        return Err(lies(format!("the Safe's nonce is still {}", seen.state.nonce)));
    }
    let asked = checks.iter().filter(|check| !rests_on_events(check));
    match asked.map(|check| check.judge(&seen.readings, &[])).find(|verdict| !verdict.holds) {
        Some(failed) => Err(lies(failed.sentence)),
        None => Ok(()),
    }
}

/// Returns `true` if a check asks only for events.
pub(in crate::ceremony) fn rests_on_events(check: &Check) -> bool {
    check.queries().is_empty()
}

/// Keeps a proven outcome beside the proposal. After a reorganisation the next file supersedes the last, and none is
/// overwritten.
pub fn keep(desk: &Desk, judged: &Judged, object: &Value) -> Result<(), Error> {
    let kept = desk.outcomes(judged.proposal())?;
    let mut object = object.clone();
    if let Some((name, last)) = last_kept(&kept) {
        let same = |field: &str| last.get(field).is_none_or(|value| object.get(field) == Some(value));
        if ["transaction", "block", "block_hash"].into_iter().all(same) || kept.len() >= MOST_OUTCOMES {
            return Ok(());
        }
        let text = format!("{name} names another block: the chain was reorganised since");
        desk.progress.tell(Tone::Warn, "note: ", &text);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("supersedes".into(), json!(name));
        }
    }
    desk.keep_outcome(judged.proposal(), kept.len() + 1, &format!("{object:#}\n"))
}

/// Returns the last recorded outcome with its file's name. A file that names no transaction does not count.
fn last_kept(kept: &[Stored]) -> Option<(String, Value)> {
    let read = |stored: &Stored| {
        let name = stored.path.file_name()?.to_str()?.to_string();
        let object: Value = serde_json::from_str(stored.text.as_ref().ok()?).ok()?;
        object.get("transaction").is_some_and(Value::is_string).then_some((name, object))
    };
    kept.iter().rev().find_map(read)
}

/// Reports an outcome that was recorded here and that the chain no longer has. The nonce is not used.
pub fn report_lost_outcome(desk: &Desk, judged: &Judged) -> Result<(), Error> {
    let kept = desk.outcomes(judged.proposal())?;
    if let Some((name, _)) = last_kept(&kept) {
        let text = format!(
            "{name} says that it was executed, and nonce {} of the Safe is not used: the chain was reorganised, or \
             that file is false; send it",
            judged.proposal().nonce()
        );
        desk.progress.tell(Tone::Warn, "note: ", &text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::evm::BlockHash;
    use crate::proposal::FieldDifference;

    fn verdict(holds: bool) -> Verdict {
        let text = String::new;
        Verdict { holds, sentence: text(), expected: text(), found: text() }
    }

    fn rows() -> Vec<FieldDifference> {
        vec![FieldDifference { field: "to", file: "a".into(), own: "b".into() }]
    }

    #[test]
    fn one_fault_makes_an_outcome_unproven() {
        let (done, failed) = (Execution::Succeeded, Execution::Failed);
        let (holds, broken) = (vec![verdict(true)], vec![verdict(true), verdict(false)]);
        let (yes, no) = (AsRehearsed::Yes, AsRehearsed::No(vec!["an owner was added".into()]));
        let unknown = AsRehearsed::Unknown("pruned".into());
        let (same, moved) = (Match::Same, Match::Moved(rows()));
        let cases = [
            (done, &same, &holds, &yes, true),
            (done, &moved, &holds, &yes, true),
            (done, &Match::SameOffline, &holds, &yes, true),
            (done, &same, &holds, &unknown, true),
            (failed, &same, &holds, &yes, false),
            (done, &Match::Differs(rows()), &holds, &yes, false),
            (done, &Match::Unbound("no lever".into()), &holds, &yes, false),
            (done, &same, &broken, &yes, false),
            (done, &same, &Vec::new(), &yes, false),
            (done, &same, &holds, &no, false),
        ];
        for (at, (execution, matching, verdicts, as_rehearsed, expected)) in cases.into_iter().enumerate() {
            assert_eq!(proves(execution, matching, verdicts, as_rehearsed), expected, "case {at}");
        }
    }

    #[test]
    fn only_an_own_successful_transaction_is_compared_at_its_own_block() {
        let block = |number: u64| {
            let hash = BlockHash::claimed(B256::with_last_byte(number.to_le_bytes()[0]));
            BlockRef { number, hash, timestamp: 0 }
        };
        let why = |execution, matching: &Match, judged_at| {
            not_compared(execution, matching, block(7), block(judged_at)).unwrap_or_default()
        };
        let (done, failed) = (Execution::Succeeded, Execution::Failed);
        assert_eq!(why(done, &Match::Same, 7), "");
        assert_eq!(why(done, &Match::Moved(rows()), 7), "");
        assert_eq!(why(done, &Match::Differs(rows()), 7), "it is not your playbook's");
        assert_eq!(why(done, &Match::Unbound("no lever".into()), 7), "it is not your playbook's");
        assert_eq!(why(failed, &Match::Same, 7), "it failed");
        assert_eq!(why(done, &Match::Same, 8), "no RPC keeps the state of block 7 any more");
    }
    #[test]
    fn an_outcome_is_proven_by_the_readers_own_checks() {
        use crate::ceremony::tests::on_chain::{answering, judged, receipt, word};
        use crate::ceremony::tests::{Home, at, proposed};
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let of = judged(&desk, &vault, 5, Readings::default());
        let proven = |value: u64, execution: Execution| {
            let code = answering(&desk, &["vault"], &word(value));
            let receipt = receipt(40, true);
            let (judged_at, as_rehearsed) = (receipt.block, AsRehearsed::Yes);
            let verdicts = judge(&of, &code, &receipt.logs);
            assert_eq!(verdicts.len(), 1);
            Outcome { receipt, execution, verdicts, judged_at, as_rehearsed, code }.is_proven(&of)
        };
        assert!(proven(1, Execution::Succeeded));
        assert!(!proven(0, Execution::Succeeded) && !proven(1, Execution::Failed));
    }
}
