//! A lever tried by an account without any role, which must be denied.

use alloy::primitives::{Address, address};
use serde_json::json;

use crate::ceremony::order::Order;
use crate::ceremony::trials::pulled::{TrialResult, planned, refusal};
use crate::ceremony::trials::trial_report::{TrialPart, TrialReport};
use crate::chain::Forked;
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::{Answer, Query, decode_revert};
use crate::playbook::{Plan, PlanError, PlannedCall};
use crate::safe::{Call, SafeVersion};

/// An account that holds no role and no token anywhere: "nobody" in ASCII.
pub const NOBODY: Address = address!("6e6f626f64790000000000000000000000000000");

/// Tries a lever from an account that holds nothing: its checks must refuse it, or the contracts its calls.
pub(in crate::ceremony) fn without_role(
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
        // That there is nothing to do for this account does not tell who may do it.
        let text = format!("not tried, because for {NOBODY} it is {why}");
        report.part(key, name, text, json!({ "not_tried": why.to_string() }));
        return Ok(());
    }
    let refused = refusal(&planned);
    let calls = match &planned {
        Ok(planned) => from_nobody(&planned.plan, fork)?,
        Err(_) => Vec::new(),
    };
    judge(&calls, refused, (key, name), report);
    Ok(())
}

/// Notes what stops the account: the checks before, the contracts, or nothing.
fn judge(
    calls: &[(String, Option<String>)],
    refused: Option<String>,
    (key, name): (&str, &str),
    report: &mut TrialReport,
) {
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
        let refused = TrialResult::Refused { why };
        let mut object = json!(refused);
        object["does_not_revert"] = json!(open);
        report.part(key, name, format!("{refused}{doubt}"), object);
    } else if denied.is_empty() {
        let message =
            format!("{name}: {} does not revert from {NOBODY}, which holds no role", open.join(", "));
        let hint = "check the role; where anybody may do it, say so: anyone = true";
        report.part(key, name, "NOT DENIED: anybody may do it".into(), json!({ "ended": "not denied" }));
        report.wrong(TrialPart::Stranger, Exit::Failed, message, hint);
    } else {
        let why = denied.join("; ");
        let text =
            format!("{why}{doubt}; told only by the rehearsal: `tried = true` on the step tells it before");
        report.part(key, name, text, json!({ "ended": "reverts", "why": why, "does_not_revert": open }));
    }
}

/// Returns the calls of a plan as this account would make them, each with why it reverts, if it does.
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

    fn judged(calls: &[(&str, Option<&str>)], refused: Option<&str>) -> TrialReport {
        let owned = |(call, why): &(&str, Option<&str>)| ((*call).to_string(), why.map(String::from));
        let calls: Vec<_> = calls.iter().map(owned).collect();
        let mut report = TrialReport::default();
        judge(&calls, refused.map(String::from), ("without_role", "without the role"), &mut report);
        report
    }

    fn text(report: &TrialReport) -> &str {
        &report.rows[0][1]
    }

    #[test]
    fn a_call_that_anybody_can_make_is_a_fault_unless_something_else_stops_it() {
        let open = judged(&[("pause()", None)], None);
        assert_eq!(
            (text(&open), open.parts["without_role"]["ended"].as_str()),
            ("NOT DENIED: anybody may do it", Some("not denied"))
        );
        let (part, error) = open.wrong.unwrap();
        assert_eq!((part, error.exit), (TrialPart::Stranger, Exit::Failed));
        assert!(
            error.message.starts_with("without the role: pause() does not revert from 0x6E6f"),
            "{}",
            error.message
        );
        // One call that is denied denies the whole, and the open one is told.
        let mixed = judged(&[("pause()", None), ("stop()", Some("no role")), ("halt()", None)], None);
        assert!(mixed.wrong.is_none());
        let told = text(&mixed);
        assert!(
            told.starts_with("stop() reverts: no role; but pause() and halt() does not revert from"),
            "{told}"
        );
        assert_eq!(mixed.parts["without_role"]["does_not_revert"], json!(["pause()", "halt()"]));
        let denied = judged(&[("stop()", Some("no role"))], None);
        assert!(text(&denied).starts_with("stop() reverts: no role; told only by the rehearsal"));
        assert_eq!(denied.parts["without_role"]["ended"], "reverts");
        // What the checks refuse is refused, also where no call reverts.
        for (calls, doubt) in [(&[("pause()", None)][..], true), (&[], false)] {
            let refused = judged(calls, Some("it holds no role"));
            assert!(refused.wrong.is_none());
            assert!(text(&refused).starts_with("refused before anybody signs: it holds no role"));
            assert_eq!(text(&refused).contains("does not revert from"), doubt);
            assert_eq!(
                refused.parts["without_role"]["does_not_revert"].as_array().unwrap().len(),
                calls.len()
            );
        }
    }
}
