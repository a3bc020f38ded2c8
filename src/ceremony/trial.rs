//! `playbook test`: a lever, its undo, and somebody without the role, on a fork in this process. Nothing is sent.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, address};
use serde_json::{Value, json};

use crate::ceremony::derivation::{MAX_TURNS, before_queries};
use crate::ceremony::order::{Arguments, Former, Order, Turn, TurnError};
use crate::ceremony::prefetch::after_queries;
use crate::ceremony::rehearsal;
use crate::chain::{Ask, Chain, Forked};
use crate::check::{self, Facts, Finding, Match, Past};
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::{Answer, Keys, Query, Readings, called, decode_revert};
use crate::evm::{Block, BlockTag, Write};
use crate::fork::ExecTransaction;
use crate::playbook::{self, CombinedPlan, LibraryEntry, Plan, PlanError, PlannedCall, Verdict};
use crate::proposal::BatchSource;
use crate::safe::{Call, Domain, SafeState, SafeVersion, slot, slot_word};

/// An account that holds no role and no token anywhere: "nobody" in ASCII.
const NOBODY: Address = address!("6e6f626f64790000000000000000000000000000");

/// The result of one part.
enum TrialResult {
    /// It succeeds, and every `after` check holds.
    Proven { gas: u64, proofs: Vec<String>, read: Keys },
    /// Before anybody signs, and why.
    Refused(String),
    /// In the rehearsal, and why.
    Failed(String),
}

impl TrialResult {
    fn object(&self) -> Value {
        match self {
            Self::Proven { gas, proofs, .. } => json!({ "ended": "proven", "gas": gas, "proofs": proofs }),
            Self::Refused(why) => json!({ "ended": "refused", "why": why }),
            Self::Failed(why) => json!({ "ended": "failed", "why": why }),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Proven { gas, proofs, .. } => format!("would succeed, {gas} gas: {}", proofs.join("; ")),
            Self::Refused(why) => format!("refused before anybody signs: {why}"),
            Self::Failed(why) => format!("fails: {why}"),
        }
    }
}

/// The results of the parts, in their order.
#[derive(Default)]
pub struct TrialReport {
    pub rows: Vec<Vec<String>>,
    pub parts: serde_json::Map<String, Value>,
    /// The first part that did not end as it must, and how the program ends for it.
    pub wrong: Option<(TrialPart, Error)>,
    /// The calls of the lever, as far as there is a plan.
    pub calls: Vec<Call>,
    /// The keys that the lever's transaction and its checks read.
    pub read: Keys,
    /// The gas of the lever's transaction.
    pub gas: Option<u64>,
    /// It is refused because it is done: all that it promises holds already.
    pub is_done: bool,
}

/// A part of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialPart {
    Lever,
    Undo,
    /// Somebody without the role, who must be denied.
    Stranger,
}

impl TrialReport {
    fn part(&mut self, key: &str, name: &str, text: String, object: Value) {
        self.rows.push(vec![name.into(), text]);
        self.parts.insert(key.into(), object);
    }

    fn wrong(&mut self, part: TrialPart, exit: Exit, message: String, hint: &str) {
        self.wrong.get_or_insert_with(|| (part, Error::new(exit, message).hint(hint)));
    }

    /// Notes what the undo did not bring back, slot by slot.
    fn left_over(&mut self, order: &Order, left: &[LeftOver]) {
        const SHOWN: usize = 8;
        let row = |one: &LeftOver| {
            let contract = called(one.address, &order.names);
            format!("{contract} slot {} was {} and is {}", one.slot, one.was, one.is)
        };
        let mut rows: Vec<String> = left.iter().take(SHOWN).map(row).collect();
        if left.len() > SHOWN {
            rows.push(format!("and {} more", left.len() - SHOWN));
        }
        let text = if rows.is_empty() { "nothing: every slot is as it was".into() } else { rows.join("; ") };
        let object = |one: &LeftOver| {
            json!({
                "address": one.address.to_string(), "slot": one.slot.to_string(),
                "was": one.was.to_string(), "is": one.is.to_string(),
            })
        };
        let objects = left.iter().map(object).collect();
        self.part("left_over", "left over after its undo", text, objects);
    }

    /// Notes a part that must be proven, and answers whether it is.
    fn must_prove(&mut self, part: TrialPart, name: &str, ended: &TrialResult, hint: &str) -> bool {
        let key = if part == TrialPart::Undo { "undo" } else { "lever" };
        self.part(key, name, ended.text(), ended.object());
        let exit = match ended {
            TrialResult::Proven { .. } => return true,
            TrialResult::Refused(_) => Exit::Refused,
            TrialResult::Failed(_) => Exit::Failed,
        };
        self.wrong(part, exit, format!("{name}: {}", ended.text()), hint);
        false
    }
}

/// Nobody, the lever, the lever again, and the undo: each on what the one before left.
pub fn try_lever(
    order: &Order,
    undo: Result<&Order, &String>,
    link: &Chain,
    fork: &mut Forked,
    state: &SafeState,
) -> Result<TrialReport, Error> {
    let mut report = TrialReport::default();
    without_role(order, fork, "without_role", "without the role", &mut report)?;
    if let Ok(planned) = planned(order, fork, state.id.version)? {
        report.calls = planned.plan.calls.iter().map(|planned| planned.call.clone()).collect();
        report.is_done = planned.refused.is_some() && holds_after(&planned.plan, fork)?;
    }
    let was = before(order, fork)?;
    let undo = undo.map(|undo| undo.restoring(&was));
    let (lever, done) = pull(order, fork, state, check::findings)?;
    if let TrialResult::Proven { gas, read, .. } = &lever {
        report.gas = Some(*gas);
        report.read.clone_from(read);
    }
    if !report.must_prove(
        TrialPart::Lever,
        "the lever",
        &lever,
        "fix the playbook, or give the Safe its role",
    ) {
        return Ok(report);
    }
    let again = refusal(&planned(order, fork, state.id.version)?);
    let text = again.clone().map_or("may be pulled again".into(), |why| TrialResult::Refused(why).text());
    report.part("again", "once more", text, json!({ "refused": again }));
    let undo = match &undo {
        Ok(undo) => undo,
        Err(why) => {
            report.part("undo", "its undo", format!("none: {why}"), json!({ "none": why }));
            return Ok(report);
        }
    };
    if undo.chain.id != order.chain.id {
        let message =
            format!("{} is on {} and the lever on {}", undo.safe.name, undo.chain.name, order.chain.name);
        return Err(Error::new(Exit::Usage, message).hint("name a Safe of the same chain with --undo-safe"));
    }
    let name = format!("its undo, {}", undo.acts()[0].entry.playbook.id);
    without_role(undo, fork, "undo_without_role", "the undo without the role", &mut report)?;
    let undone_by = if undo.safe.address == state.id.address {
        state.clone()
    } else {
        let ask = Ask { safe: undo.safe.address, ..Ask::default() };
        link.snapshot(&ask, BlockTag::Pinned(fork.began_at()))?.state
    };
    // The council file describes the Safe as it was before the lever: only what the undo does is looked at.
    let (taken_back, undone) = pull(undo, fork, &undone_by, check::of_effects)?;
    if report.must_prove(
        TrialPart::Undo,
        &name,
        &taken_back,
        "where another Safe takes it back: --undo-safe NAME",
    ) {
        let left = left_over(&[done, undone].concat(), &[state.id.address, undone_by.id.address]);
        report.left_over(order, &left);
    }
    Ok(report)
}

/// The values that the undo brings back, before the lever is pulled.
fn before(order: &Order, fork: &mut Forked) -> Result<Vec<Arguments>, Error> {
    let mut readings = Readings::default();
    for _ in 0..MAX_TURNS {
        match order.former(&readings)? {
            Former::Ready(values) => return Ok(values),
            Former::Needs(queries) => readings.extend(fork.answers(&queries)?),
        }
    }
    Err(Error::new(Exit::Failed, "the playbook keeps asking for more values"))
}

/// Returns `true` if all that a plan promises holds already.
fn holds_after(plan: &Plan, fork: &mut Forked) -> Result<bool, Error> {
    let answers = fork.answers(&after_queries(plan))?;
    Ok(!plan.after.is_empty() && plan.after.iter().all(|check| check.judge(&answers, &[]).holds))
}

/// Pulls a lever alone. Returns why it cannot be pulled; `None` if it can.
///
/// # Errors
/// If the chain cannot be asked.
pub fn refused_by(order: &Order, fork: &mut Forked, state: &SafeState) -> Result<Option<String>, Error> {
    Ok(match pull(order, fork, state, check::findings)?.0 {
        TrialResult::Proven { .. } => None,
        ended => Some(ended.text()),
    })
}

/// A plan on the state as it stands.
struct Planned {
    plans: CombinedPlan,
    plan: Plan,
    readings: Readings,
    /// The `before` checks that do not hold.
    refused: Option<String>,
}

/// The plan, or why there is none.
fn planned(
    order: &Order,
    fork: &mut Forked,
    version: SafeVersion,
) -> Result<Result<Planned, PlanError>, Error> {
    let mut readings = fork.answers(&order.batch(version).queries())?;
    for _ in 0..MAX_TURNS {
        match order.turn(&readings) {
            Err(TurnError {
                error: error @ (PlanError::Missing { .. } | PlanError::Unknown { .. }), ..
            }) => {
                return Err(error.into());
            }
            Err(TurnError { error, .. }) => return Ok(Err(error)),
            Ok(Turn::Needs(queries)) => readings.extend(fork.answers(&queries)?),
            Ok(Turn::Ready(plans)) => {
                let plan = plans.merged();
                readings.extend(fork.answers(&before_queries(&plan))?);
                let verdicts = plan.before.iter().map(|check| check.judge(&readings, &[]));
                let failed: Vec<String> = verdicts.filter(|v| !v.holds).map(|v| v.sentence).collect();
                let refused = (!failed.is_empty()).then(|| failed.join("; "));
                return Ok(Ok(Planned { plans, plan, readings, refused }));
            }
        }
    }
    let place = order.acts()[0].entry.playbook.id.to_string();
    Ok(Err(PlanError::Place { place, why: "it keeps asking for more values".into() }))
}

/// Why it is refused before anything is signed, if it is.
fn refusal(planned: &Result<Planned, PlanError>) -> Option<String> {
    match planned {
        Ok(planned) => planned.refused.clone(),
        Err(why) => Some(why.to_string()),
    }
}

/// Runs it as the Safe, which its owners have approved, and goes on from there: every check of a proposal that `look`
/// runs, as for whoever proposes it. Beside that, what it wrote.
fn pull(
    order: &Order,
    fork: &mut Forked,
    state: &SafeState,
    look: fn(&Facts) -> Vec<Finding>,
) -> Result<(TrialResult, Vec<Write>), Error> {
    let planned = planned(order, fork, state.id.version)?;
    let (plans, plan, readings) = match (refusal(&planned), planned) {
        (None, Ok(Planned { plans, plan, readings, .. })) => (plans, plan, readings),
        (why, _) => return Ok((TrialResult::Refused(why.unwrap_or_default()), Vec::new())),
    };
    let earlier = fork.answers(&after_queries(&plan))?;
    let (owners, nonce) = fork.safe(state.id.address)?;
    let now = SafeState { owners: owners.clone(), nonce, ..state.clone() };
    let began = fork.began_at();
    let block = Block { number: began.number, hash: began.hash };
    let derived = order.assemble(plans, now.clone(), Some(block), nonce, BatchSource::Chain(&readings))?;
    let (plan, proposal) = (&plan, &derived.proposal);
    let sender = owners.list().first().copied().unwrap_or_default();
    let exec = ExecTransaction {
        domain: Domain::real(state.id),
        owners: &owners,
        tx: proposal.tx(),
        signatures: None,
        sender,
        gas: None,
    };
    let ran = fork.run(&exec, &after_queries(plan))?;
    let writes = ran.writes.clone();
    if let Err(why) = rehearsal::outcome(&ran, Some(plan), &order.names) {
        return Ok((TrialResult::Failed(why), writes));
    }
    let judge = |check: &playbook::Check| check.judge(&ran.answers, &ran.events);
    let after: Vec<Verdict> = plan.after.iter().map(judge).collect();
    let said =
        |verdicts: &[&Verdict]| verdicts.iter().map(|verdict| verdict.sentence.clone()).collect::<Vec<_>>();
    let failed: Vec<&Verdict> = after.iter().filter(|verdict| !verdict.holds).collect();
    if !failed.is_empty() {
        return Ok((
            TrialResult::Failed(format!("it would not do its work: {}", said(&failed).join("; "))),
            writes,
        ));
    }
    if let Some(why) = unproven(plan, &earlier) {
        return Ok((TrialResult::Failed(why), writes));
    }
    let before: Vec<Verdict> = plan.before.iter().map(|check| check.judge(&readings, &[])).collect();
    let entries: Vec<LibraryEntry> = order.acts().iter().map(|act| act.entry.clone()).collect();
    let facts = Facts {
        proposal,
        matching: &Match::Same,
        plan: Some(plan),
        council_safe: order.safe,
        now: Some(&now),
        answers: Some(&readings),
        before: &before,
        foreign: &[],
        past: &Past::NotAsked,
        is_from_file: false,
        signing: false,
        announced: false,
        nonce_named: true,
        endpoints: &[],
        block_age: None,
        quorum: order.chain.quorum,
        council_quorum: order.chain.quorum,
        others: &[],
        keeper: None,
        signers: 0,
        after_now: &[],
        rehearsal: Some(&ran),
        after: &after,
        rehearsed_otherwise: &[],
        not_rehearsed: None,
        code_then: &[],
        proxy_code: None,
        accounts: &BTreeMap::new(),
        owner_safes: &[],
        pins: &BTreeMap::new(),
        decided: &[],
        entries: &entries,
        changes: &order.changes(),
    };
    let findings = look(&facts);
    let refused: Vec<String> = findings
        .iter()
        .filter(|finding| finding.level.blocks())
        .map(|finding| format!("{} ({})", finding.sentence, finding.id))
        .collect();
    if !refused.is_empty() {
        return Ok((TrialResult::Refused(refused.join("; ")), writes));
    }
    let proofs = said(&after.iter().collect::<Vec<_>>());
    Ok((TrialResult::Proven { gas: ran.gas_used, proofs, read: ran.read }, writes))
}

/// Why it is not proven that the calls did anything: what held before proves nothing, unless the playbook says why it is
/// looked at.
fn unproven(plan: &Plan, earlier: &Readings) -> Option<String> {
    let held: Vec<bool> = plan.after.iter().map(|check| check.judge(earlier, &[]).holds).collect();
    if held.iter().all(|held| *held) {
        let all: Vec<String> = plan.after.iter().map(playbook::Check::describe).collect();
        return Some(format!("nothing is proven: it held before: {}", all.join("; ")));
    }
    let unsaid = plan.after.iter().zip(&held).zip(&plan.kept).find(|((_, held), kept)| **held && !**kept);
    let ((check, _), _) = unsaid?;
    let why = "it held before, and the playbook does not say why it is looked at (kept)";
    Some(format!("{}: {why}", check.describe()))
}

/// A slot that is not what it was before the lever, after its undo.
#[derive(Debug, PartialEq, Eq)]
struct LeftOver {
    address: Address,
    slot: B256,
    was: B256,
    is: B256,
}

/// Returns the state that two transactions, one after the other, left otherwise than it was. The nonces of the Safes always are.
fn left_over(writes: &[Write], safes: &[Address]) -> Vec<LeftOver> {
    let mut slots: BTreeMap<(Address, B256), (B256, B256)> = BTreeMap::new();
    for write in writes {
        slots.entry((write.address, write.slot)).or_insert((write.old, write.new)).1 = write.new;
    }
    let nonce = slot_word(slot::NONCE);
    let is_nonce = |(address, slot): &(Address, B256)| *slot == nonce && safes.contains(address);
    slots
        .into_iter()
        .filter(|(at, (was, is))| was != is && !is_nonce(at))
        .map(|((address, slot), (was, is))| LeftOver { address, slot, was, is })
        .collect()
}

/// Tries it from an account that holds nothing: its checks must refuse it, or the contracts its calls.
fn without_role(
    order: &Order,
    fork: &mut Forked,
    key: &str,
    name: &str,
    report: &mut TrialReport,
) -> Result<(), Error> {
    if order.playbooks().all(|playbook| playbook.anyone) {
        report.part(key, name, "not tried: anybody may do it".into(), json!({ "not_tried": "anyone" }));
        return Ok(());
    }
    let nobody = council::Safe { address: NOBODY, owners: None, version: None, ..order.safe.clone() };
    let theirs = order.by(&nobody);
    // A caller without the role batches nothing: any version serves.
    let planned = planned(&theirs, fork, SafeVersion::V1_4_1)?;
    if let Err(why @ PlanError::NothingToDo(_)) = &planned {
        // That there is nothing to do for nobody says nothing of who may do it.
        let text = format!("not tried, because for {NOBODY} it is {why}");
        report.part(key, name, text, json!({ "not_tried": why.to_string() }));
        return Ok(());
    }
    let refused = refusal(&planned);
    let calls = match &planned {
        Ok(planned) => from_nobody(&planned.plan, fork)?,
        Err(_) => Vec::new(),
    };
    let open: Vec<&str> =
        calls.iter().filter(|(_, why)| why.is_none()).map(|(call, _)| call.as_str()).collect();
    let denied: Vec<String> =
        calls.iter().filter_map(|(call, why)| Some(format!("{call} reverts: {}", why.as_ref()?))).collect();
    let doubt = if open.is_empty() {
        String::new()
    } else {
        format!("; but {} does not revert from {NOBODY}", open.join(" and "))
    };
    if let Some(why) = refused {
        let mut object = TrialResult::Refused(why.clone()).object();
        object["does_not_revert"] = json!(open);
        report.part(key, name, format!("{}{doubt}", TrialResult::Refused(why).text()), object);
        return Ok(());
    }
    if !denied.is_empty() {
        let why = denied.join("; ");
        let text =
            format!("{why}{doubt}; told only by the rehearsal: `tried = true` on the step tells it before");
        report.part(key, name, text, json!({ "ended": "reverts", "why": why, "does_not_revert": open }));
        return Ok(());
    }
    let message = format!("{name}: {} does not revert from {NOBODY}, which holds no role", open.join(", "));
    let hint = "check the role; where anybody may do it, say so: anyone = true";
    report.part(key, name, "NOT DENIED: anybody may do it".into(), json!({ "ended": "not denied" }));
    report.wrong(TrialPart::Stranger, Exit::Failed, message, hint);
    Ok(())
}

/// The calls of a plan when nobody makes them, each with why it reverts, if it does.
fn from_nobody(plan: &Plan, fork: &mut Forked) -> Result<Vec<(String, Option<String>)>, Error> {
    let query = |planned: &PlannedCall| {
        let Call { to, data, .. } = planned.call.clone();
        Query::Call { from: Some(NOBODY), to, data }
    };
    let queries: Vec<Query> = plan.calls.iter().map(query).collect();
    let answers = fork.answers(&queries)?;
    let reason = |query| match answers.get(query) {
        Some(Answer::Reverted(data)) => Some(decode_revert(data, &plan.errors).to_string()),
        _ => None,
    };
    let calls = plan.calls.iter().zip(&queries);
    Ok(calls.map(|(planned, query)| (planned.signature.clone(), reason(query))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_over_is_what_the_second_did_not_bring_back() {
        let (safe, vault) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let word = |n: u8| B256::with_last_byte(n);
        let write = |address, slot, old, new| Write { address, slot, old: word(old), new: word(new) };
        let writes = [
            write(safe, slot_word(slot::NONCE), 0, 1),
            write(vault, word(7), 0, 1),
            write(vault, word(8), 5, 6),
            write(safe, slot_word(slot::NONCE), 1, 2),
            write(vault, word(7), 1, 0),
            write(vault, word(9), 3, 4),
        ];
        let left = left_over(&writes, &[safe]);
        let of = |slot, was, is| LeftOver { address: vault, slot: word(slot), was: word(was), is: word(is) };
        assert_eq!(left, [of(8, 5, 6), of(9, 3, 4)]);
    }
}
