//! A lever pulled on a fork as if its owners had approved it: planned, run, and judged like a proposal.

use std::collections::BTreeMap;

use crate::ceremony::derivation::{MAX_TURNS, before_queries};
use crate::ceremony::order::{Order, Turn, TurnError};
use crate::ceremony::prefetch::after_queries;
use crate::ceremony::rehearsal_result;
use crate::chain::Forked;
use crate::check::{Facts, Finding, Match, Past};
use crate::error::Error;
use crate::evm::{Block, Keys, Readings, Write};
use crate::fork::{ExecTransaction, Rehearsal};
use crate::playbook::{Check, CombinedPlan, LibraryEntry, Plan, PlanError, Verdict};
use crate::proposal::BatchSource;
use crate::safe::{SafeState, SafeVersion};

/// The result of pulling a lever.
#[derive(derive_more::Display, serde::Serialize)]
#[serde(tag = "ended", rename_all = "lowercase")]
pub(in crate::ceremony) enum TrialResult {
    /// It succeeds, and every `after` check holds.
    #[display("would succeed, {gas} gas: {}", proofs.join("; "))]
    Proven {
        gas: u64,
        proofs: Vec<String>,
        #[serde(skip)]
        read: Keys,
    },
    /// Before anybody signs, and why.
    #[display("refused before anybody signs: {why}")]
    Refused { why: String },
    /// In the rehearsal, and why.
    #[display("fails: {why}")]
    Failed { why: String },
}

/// A plan on the state as it stands.
pub(in crate::ceremony) struct Planned {
    plans: CombinedPlan,
    pub plan: Plan,
    readings: Readings,
    /// The `before` checks that do not hold.
    pub refused: Option<String>,
}

/// Returns the plan, or why there is none.
pub(in crate::ceremony) fn planned(
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

/// Returns why it is refused before anything is signed; `None` if it is not.
pub(in crate::ceremony) fn refusal(planned: &Result<Planned, PlanError>) -> Option<String> {
    match planned {
        Ok(planned) => planned.refused.clone(),
        Err(why) => Some(why.to_string()),
    }
}

/// Runs a lever as the Safe, which its owners have approved, and goes on from there: every check of a proposal that
/// `look` runs, as for the person who proposes it. Returns beside its end what it wrote.
pub(in crate::ceremony) fn pull(
    order: &Order,
    fork: &mut Forked,
    state: &SafeState,
    look: fn(&Facts) -> Vec<Finding>,
) -> Result<(TrialResult, Vec<Write>), Error> {
    let planned = planned(order, fork, state.id.version)?;
    let planned = match (refusal(&planned), planned) {
        (None, Ok(planned)) => planned,
        (why, _) => return Ok((TrialResult::Refused { why: why.unwrap_or_default() }, Vec::new())),
    };
    let held_before = fork.answers(&after_queries(&planned.plan))?;
    let (owners, nonce) = fork.safe(state.id.address)?;
    let now = SafeState { owners, nonce, ..state.clone() };
    let began = fork.began_at();
    let block = Block { number: began.number, hash: began.hash };
    let batch = BatchSource::Chain(&planned.readings);
    let derived = order.build_proposal(planned.plans, now.clone(), Some(block), nonce, batch)?;
    let (plan, proposal, readings) = (&planned.plan, &derived.proposal, &planned.readings);
    let exec = ExecTransaction::unsigned(&now, proposal.tx());
    let ran = fork.run(&exec, &after_queries(plan))?;
    let judge = |check: &Check| check.judge(&ran.answers, &ran.events);
    let after: Vec<Verdict> = plan.after.iter().map(judge).collect();
    if let Some(why) = failure(order, plan, &ran, &after, &held_before) {
        return Ok((TrialResult::Failed { why }, ran.writes));
    }
    let before: Vec<Verdict> = plan.before.iter().map(|check| check.judge(readings, &[])).collect();
    let entries: Vec<LibraryEntry> = order.acts().iter().map(|act| act.entry.clone()).collect();
    let facts = Facts {
        proposal,
        matching: &Match::Same,
        plan: Some(plan),
        council_safe: order.safe,
        now: Some(&now),
        answers: Some(readings),
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
    let refused: Vec<String> = look(&facts)
        .iter()
        .filter(|finding| finding.level.blocks())
        .map(|finding| format!("{} ({})", finding.sentence, finding.id))
        .collect();
    if !refused.is_empty() {
        return Ok((TrialResult::Refused { why: refused.join("; ") }, ran.writes));
    }
    let proofs = after.into_iter().map(|verdict| verdict.sentence).collect();
    Ok((TrialResult::Proven { gas: ran.gas_used, proofs, read: ran.read }, ran.writes))
}

/// Returns why a run does not prove the lever: it fails, a check does not hold, or held before. `None` if it is proven.
fn failure(
    order: &Order,
    plan: &Plan,
    ran: &Rehearsal,
    after: &[Verdict],
    held_before: &Readings,
) -> Option<String> {
    if let Err(why) = rehearsal_result::check_success(ran, Some(plan), &order.names) {
        return Some(why);
    }
    let failed: Vec<&str> =
        after.iter().filter(|verdict| !verdict.holds).map(|verdict| verdict.sentence.as_str()).collect();
    if !failed.is_empty() {
        return Some(format!("it would not do its work: {}", failed.join("; ")));
    }
    unproven(plan, held_before)
}

/// Returns why it is not proven that the calls did anything: a check that held before proves nothing, unless the playbook
/// says why it is looked at.
fn unproven(plan: &Plan, earlier: &Readings) -> Option<String> {
    let held: Vec<bool> = plan.after.iter().map(|check| check.judge(earlier, &[]).holds).collect();
    if held.iter().all(|held| *held) {
        let all: Vec<String> = plan.after.iter().map(Check::describe).collect();
        return Some(format!("nothing is proven: it held before: {}", all.join("; ")));
    }
    let unsaid = plan.after.iter().zip(&held).zip(&plan.kept).find(|((_, held), kept)| **held && !**kept);
    let ((check, _), _) = unsaid?;
    let why = "it held before, and the playbook does not say why it is looked at (kept)";
    Some(format!("{}: {why}", check.describe()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::rehearsal_result::tests::performed;
    use crate::ceremony::tests::on_chain::{answering, word};
    use crate::ceremony::tests::{Home, at, order};
    use crate::fork::RunResult;

    fn plan(order: &Order) -> Plan {
        let Ok(Turn::Ready(plans)) = order.turn(&Readings::default()) else { panic!() };
        plans.merged()
    }

    #[test]
    fn an_end_is_told_in_a_sentence() {
        let proofs = vec!["it is paused".to_string(), "nothing else".into()];
        let proven = TrialResult::Proven { gas: 9, proofs, read: Keys::default() };
        assert_eq!(proven.to_string(), "would succeed, 9 gas: it is paused; nothing else");
        assert_eq!(TrialResult::Refused { why: "no".into() }.to_string(), "refused before anybody signs: no");
        assert_eq!(TrialResult::Failed { why: "no".into() }.to_string(), "fails: no");
    }

    #[test]
    fn a_plan_is_refused_by_its_checks_or_because_there_is_none() {
        let home = Home::new();
        let desk = home.desk();
        let order = order(&desk, &["vault"], &at(4));
        let Ok(Turn::Ready(plans)) = order.turn(&Readings::default()) else { panic!() };
        let plan = plan(&order);
        let mut planned = Planned { plans, plan, readings: Readings::default(), refused: None };
        planned.refused = Some("it is paused".into());
        assert_eq!(refusal(&Ok(planned)).as_deref(), Some("it is paused"));
        let none = PlanError::Place { place: "pause/x".into(), why: "no such step".into() };
        let why = none.to_string();
        assert_eq!(refusal(&Err(none)), Some(why));
    }

    #[test]
    fn a_lever_is_proven_if_it_succeeds_and_changes_what_it_promises() {
        let home = Home::new();
        let desk = home.desk();
        let order = order(&desk, &["vault"], &at(4));
        let plan = plan(&order);
        let answers = |value: u64| answering(&desk, &["vault"], &word(value));
        let of = |result: RunResult, after: u64, before: u64| {
            let ran = performed(result, &[]).rehearsal;
            let after: Vec<Verdict> =
                plan.after.iter().map(|check| check.judge(&answers(after), &[])).collect();
            failure(&order, &plan, &ran, &after, &answers(before)).unwrap_or_default()
        };
        assert_eq!(of(RunResult::Succeeded, 1, 0), "");
        assert!(of(RunResult::Unannounced, 1, 0).contains("does not announce"));
        assert!(of(RunResult::Succeeded, 0, 0).starts_with("it would not do its work: vault paused() "));
        assert!(of(RunResult::Succeeded, 1, 1).starts_with("nothing is proven: it held before: "));
    }

    #[test]
    fn a_check_that_held_before_proves_nothing_unless_the_playbook_says_why_it_is_there() {
        let home = Home::new();
        let desk = home.desk();
        let order = order(&desk, &["freeze"], &at(4));
        let plan = plan(&order);
        assert_eq!((plan.after.len(), plan.kept.clone()), (2, vec![false, false]));
        let answers = |values: [u64; 2]| -> Readings {
            let each = plan.after.iter().zip(values);
            each.flat_map(|(check, value)| check.queries().into_iter().map(move |query| (query, word(value))))
                .collect()
        };
        let of = |kept: [bool; 2], values: [u64; 2]| {
            let plan = Plan { kept: kept.to_vec(), ..plan.clone() };
            unproven(&plan, &answers(values))
        };
        assert_eq!(of([false, false], [0, 0]), None);
        let held = of([false, false], [1, 0]).unwrap();
        assert!(
            held.starts_with(&plan.after[0].describe()) && held.ends_with("why it is looked at (kept)"),
            "{held}"
        );
        assert!(of([false, false], [0, 1]).unwrap().starts_with(&plan.after[1].describe()));
        assert_eq!(of([true, false], [1, 0]), None, "the playbook says why");
        assert!(of([true, true], [1, 1]).unwrap().starts_with("nothing is proven: "));
    }
}
