//! `playbook test`: a lever, its undo, and somebody without the role, on a fork in this process. Nothing is sent.

use alloy::primitives::{Address, address};
use serde_json::{Value, json};

use crate::ceremony::derive::{MAX_TURNS, before_queries};
use crate::ceremony::order::{Order, Turn};
use crate::ceremony::prefetch::after_queries;
use crate::ceremony::rehearsal;
use crate::chain::{Ask, Chain, Forked};
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::evm::{Answer, Query, Readings, decode_revert};
use crate::fork::ExecTransaction;
use crate::playbook::{Plan, PlanError, PlannedCall};
use crate::proposal::{BatchSource, build_tx};
use crate::safe::{Call, SafeId, SafeVersion};

/// An account that holds no role and no token anywhere: "nobody" in ASCII.
const NOBODY: Address = address!("6e6f626f64790000000000000000000000000000");

/// What came of one part.
enum Ended {
    /// It succeeds, and every `after` check holds.
    Proven { gas: u64, proofs: Vec<String> },
    /// Before anybody signs, and why.
    Refused(String),
    /// In the rehearsal, and why.
    Failed(String),
}

impl Ended {
    fn object(&self) -> Value {
        match self {
            Self::Proven { gas, proofs } => json!({ "ended": "proven", "gas": gas, "proofs": proofs }),
            Self::Refused(why) => json!({ "ended": "refused", "why": why }),
            Self::Failed(why) => json!({ "ended": "failed", "why": why }),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Proven { gas, proofs } => format!("would succeed, {gas} gas: {}", proofs.join("; ")),
            Self::Refused(why) => format!("refused before anybody signs: {why}"),
            Self::Failed(why) => format!("fails: {why}"),
        }
    }
}

/// What is said of the parts, in their order.
#[derive(Default)]
pub struct Report {
    pub rows: Vec<Vec<String>>,
    pub parts: serde_json::Map<String, Value>,
    /// The first part that did not end as it must, and how the program ends for it.
    pub wrong: Option<Error>,
}

impl Report {
    fn part(&mut self, key: &str, name: &str, text: String, object: Value) {
        self.rows.push(vec![name.into(), text]);
        self.parts.insert(key.into(), object);
    }

    fn wrong(&mut self, exit: Exit, message: String, hint: &str) {
        self.wrong.get_or_insert_with(|| Error::new(exit, message).hint(hint));
    }

    /// Notes a part that must be proven, and answers whether it is.
    fn must_prove(&mut self, key: &str, name: &str, ended: &Ended, hint: &str) -> bool {
        self.part(key, name, ended.text(), ended.object());
        let exit = match ended {
            Ended::Proven { .. } => return true,
            Ended::Refused(_) => Exit::Refused,
            Ended::Failed(_) => Exit::Failed,
        };
        self.wrong(exit, format!("{name}: {}", ended.text()), hint);
        false
    }
}

/// Nobody, the lever, the lever again, and the undo: each on what the one before left.
pub fn tried(
    order: &Order,
    undo: Result<&Order, &String>,
    link: &Chain,
    fork: &mut Forked,
    id: SafeId,
) -> Result<Report, Error> {
    let mut report = Report::default();
    without_role(order, fork, "without_role", "without the role", &mut report)?;
    let lever = pull(order, fork, id)?;
    if !report.must_prove("lever", "the lever", &lever, "fix the playbook, or give the Safe its role") {
        return Ok(report);
    }
    let again = refusal(&planned(order, fork, id.version)?);
    let text = again.clone().map_or("may be pulled again".into(), |why| Ended::Refused(why).text());
    report.part("again", "once more", text, json!({ "refused": again }));
    let undo = match undo {
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
    let id = if undo.safe.address == id.address {
        id
    } else {
        let ask = Ask { safe: undo.safe.address, ..Ask::default() };
        link.snapshot(&ask, BlockTag::Pinned(fork.began_at()))?.state.id
    };
    let taken_back = pull(undo, fork, id)?;
    report.must_prove("undo", &name, &taken_back, "where another Safe takes it back: --undo-safe NAME");
    Ok(report)
}

/// A plan on the state as it stands.
struct Planned {
    plan: Plan,
    readings: Readings,
    /// The `before` checks that do not hold.
    refused: Option<String>,
}

/// The plan, or why there is none.
fn planned(order: &Order, fork: &mut Forked, version: SafeVersion) -> Result<Result<Planned, String>, Error> {
    let mut readings = fork.answers(&order.batch(version).queries())?;
    for _ in 0..MAX_TURNS {
        match order.turn(&readings) {
            Err(error @ (PlanError::Missing { .. } | PlanError::Unknown { .. })) => return Err(error.into()),
            Err(error) => return Ok(Err(error.to_string())),
            Ok(Turn::Needs(queries)) => readings.extend(fork.answers(&queries)?),
            Ok(Turn::Ready(plans)) => {
                let plan = plans.merged();
                readings.extend(fork.answers(&before_queries(&plan))?);
                let verdicts = plan.before.iter().map(|check| check.judge(&readings, &[]));
                let failed: Vec<String> = verdicts.filter(|v| !v.holds).map(|v| v.sentence).collect();
                let refused = (!failed.is_empty()).then(|| failed.join("; "));
                return Ok(Ok(Planned { plan, readings, refused }));
            }
        }
    }
    Ok(Err(format!("{} keeps asking for more values", order.acts()[0].entry.playbook.id)))
}

/// Why it is refused before anything is signed, if it is.
fn refusal(planned: &Result<Planned, String>) -> Option<String> {
    match planned {
        Ok(planned) => planned.refused.clone(),
        Err(why) => Some(why.clone()),
    }
}

/// Runs it as the Safe, which its owners have approved, and goes on from there.
fn pull(order: &Order, fork: &mut Forked, id: SafeId) -> Result<Ended, Error> {
    let planned = planned(order, fork, id.version)?;
    let (plan, readings) = match (refusal(&planned), planned) {
        (None, Ok(Planned { plan, readings, .. })) => (plan, readings),
        (why, _) => return Ok(Ended::Refused(why.unwrap_or_default())),
    };
    let earlier = fork.answers(&after_queries(&plan))?;
    let calls: Vec<Call> = plan.calls.iter().map(|planned| planned.call.clone()).collect();
    let (owners, nonce) = fork.safe(id.address)?;
    let tx = build_tx(id.version, &calls, nonce, order.batch(id.version), BatchSource::Chain(&readings))?;
    let sender = owners.list().first().copied().unwrap_or_default();
    let exec = ExecTransaction { safe: &id, owners: &owners, tx: &tx, signatures: None, sender, gas: None };
    let rehearsal = fork.run(&exec, &after_queries(&plan))?;
    if let Err(why) = rehearsal::outcome(&rehearsal, Some(&plan), &order.names) {
        return Ok(Ended::Failed(why));
    }
    let verdicts = plan.after.iter().map(|check| check.judge(&rehearsal.answers, &rehearsal.events));
    let (held, failed): (Vec<_>, Vec<_>) = verdicts.partition(|verdict| verdict.holds);
    let said = |verdicts: Vec<crate::playbook::Verdict>| {
        verdicts.into_iter().map(|v| v.sentence).collect::<Vec<_>>()
    };
    // What held before proves nothing, whatever was called.
    if failed.is_empty() && plan.after.iter().all(|check| check.judge(&earlier, &[]).holds) {
        return Ok(Ended::Failed(format!("nothing is proven: it held before: {}", said(held).join("; "))));
    }
    Ok(if failed.is_empty() {
        Ended::Proven { gas: rehearsal.gas_used, proofs: said(held) }
    } else {
        Ended::Failed(format!("it would not do its work: {}", said(failed).join("; ")))
    })
}

/// The same from an account that holds nothing: its checks must refuse it, or the contracts its calls.
fn without_role(
    order: &Order,
    fork: &mut Forked,
    key: &str,
    name: &str,
    report: &mut Report,
) -> Result<(), Error> {
    let role = order.acts()[0].entry.playbook.role.as_deref().unwrap_or_default();
    if role.starts_with("anybody") {
        report.part(key, name, format!("not tried: {role} may"), json!({ "not_tried": role }));
        return Ok(());
    }
    let nobody = council::Safe { address: NOBODY, owners: None, version: None, ..order.safe.clone() };
    let theirs = order.by(&nobody);
    // Nothing is batched for nobody: any version serves.
    let planned = planned(&theirs, fork, SafeVersion::V1_4_1)?;
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
        let mut object = Ended::Refused(why.clone()).object();
        object["does_not_revert"] = json!(open);
        report.part(key, name, format!("{}{doubt}", Ended::Refused(why).text()), object);
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
    let hint = "check the role; where anybody may do it, let `role` begin with the word anybody";
    report.part(key, name, "NOT DENIED: anybody may do it".into(), json!({ "ended": "not denied" }));
    report.wrong(Exit::Failed, message, hint);
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
