//! Stops a command at a refusal that was not accepted by its id. An act that is already done ends it too, and is not a
//! failure.

use std::collections::BTreeMap;

use crate::check::{Finding, Level, Sort, already_done, first_refusal, unaccepted};
use crate::error::{Error, Exit};

/// The prefix with which `--accept` names a changed text, before the first sixteen digits of its digest.
pub const CHANGED: &str = "changed:";

/// The most refusals whose ids are listed.
const MOST_IDS: usize = 20;

/// Returns the digits of a changed text in a value of `--accept`; `None` for the id of a finding.
pub fn changed_digits(id: &str) -> Option<&str> {
    id.strip_prefix(CHANGED)
}

/// Returns the flag that accepts a changed text.
pub fn accept_changed(digits: &str) -> String {
    format!("--accept {CHANGED}{digits}")
}

/// Returns the accepted ids of findings that refused, and of those that a flag of their own chose. Only they are
/// recorded.
pub fn accepted(findings: &[Finding], ids: &[String]) -> Vec<String> {
    let refused = unaccepted(findings, &[]);
    let named = ids.iter().filter(|id| refused.iter().any(|f| f.id == **id)).cloned();
    named.chain(findings.iter().filter(|f| f.problem().is_chosen()).map(|f| f.id.clone())).collect()
}

/// Fails with the first refusal that nobody accepted and its exit code, or with [`Exit::Done`] if there is nothing to
/// do. The error does not say how to accept a refusal; `check` does.
pub fn enforce(findings: &[Finding], accepted: &[String]) -> Result<(), Error> {
    const EXPLAINED: &str = "breakglass check explains every refusal";
    enforce_explained(findings, accepted, EXPLAINED)
}

/// [`enforce`] for an act of one key alone, which the command `check` does not show.
pub fn enforce_alone(findings: &[Finding], accepted: &[String]) -> Result<(), Error> {
    enforce_explained(findings, accepted, "the lines above say what is refused")
}

fn enforce_explained(findings: &[Finding], accepted: &[String], explained: &str) -> Result<(), Error> {
    let Some(first) = first_refusal(findings, accepted) else {
        return already_done(findings, accepted).map_or(Ok(()), nothing_to_do);
    };
    let mut refused = unaccepted(findings, accepted);
    refused.retain(|finding| finding.level == Level::Refuse);
    let exit = match first.sort {
        Sort::Danger => Exit::Refused,
        Sort::Drift => Exit::Drift,
    };
    let error =
        Error::new(exit, format!("refused ({}): {}", first.id, first.sentence)).hint(first.fix.clone());
    let others: Vec<&str> = refused.iter().filter(|f| f.id != first.id).map(|f| f.id.as_str()).collect();
    let error =
        if others.is_empty() { error } else { error.hint(format!("refused as well: {}", first_of(&others))) };
    let error = error
        .hint(format!("{explained}; breakglass help refusals says what can be done about one"))
        .having_done(&BTreeMap::from([("refused", &refused)]));
    let is_idle = |id: &&String| changed_digits(id).is_none() && !findings.iter().any(|f| f.id == **id);
    let idle: Vec<&str> = accepted.iter().filter(is_idle).map(String::as_str).collect();
    if idle.is_empty() {
        return Err(error);
    }
    Err(error.hint(format!("--accept {} accepts nothing here: no check has that name", idle.join(" "))))
}

fn nothing_to_do(promised: &str) -> Result<(), Error> {
    Err(Error::new(Exit::Done, format!("already done: {promised}"))
        .hint("nothing was signed or sent, and nothing needs to be"))
}

fn first_of(ids: &[&str]) -> String {
    let first = ids.get(..MOST_IDS).unwrap_or(ids).join(", ");
    match ids.len().saturating_sub(MOST_IDS) {
        0 => first,
        more => format!("{first} and {more} more, which breakglass check --json lists"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{EndpointFault, EndpointReport, EndpointStatus};
    use crate::check::most_agree;

    fn finding(id: &str, level: Level, sort: Sort) -> Finding {
        let report =
            |standing| EndpointReport { shown: "https://a".into(), standing, newest: None, batch: None };
        let silent = || report(EndpointStatus::Outvoted(EndpointFault::Slow));
        let mut finding = most_agree(&[report(EndpointStatus::Agrees), silent(), silent()], false).unwrap();
        (finding.id, finding.level, finding.sort) = (id.into(), level, sort);
        (finding.sentence, finding.fix) = (format!("{id} is wrong"), format!("fix {id}"));
        finding
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_danger_comes_before_a_drift_and_all_others_are_named() {
        let found = [
            finding("note", Level::Warn, Sort::Danger),
            finding("owners", Level::Refuse, Sort::Drift),
            finding("delegatecall", Level::Refuse, Sort::Danger),
            finding("before:1", Level::Refuse, Sort::Danger),
        ];
        let error = enforce(&found, &[]).unwrap_err();
        assert_eq!(
            (error.exit, error.message.as_str()),
            (Exit::Refused, "refused (delegatecall): delegatecall is wrong")
        );
        assert_eq!(error.hints[..2], ["fix delegatecall", "refused as well: owners, before:1"]);
        let object = error.done.unwrap();
        assert_eq!(object["refused"].as_array().unwrap().len(), 3);
        let error = enforce(&found, &ids(&["delegatecall", "before:1"])).unwrap_err();
        assert_eq!((error.exit, error.hints.len()), (Exit::Drift, 2));
        assert!(enforce(&found, &ids(&["delegatecall", "before:1", "owners"])).is_ok());
        assert!(enforce(&found[..1], &[]).is_ok(), "a warning stops nobody");
    }

    /// An acceptance is for its exact id: a similar one, a part of one or a typing error accepts nothing, and that is
    /// reported.
    #[test]
    fn an_acceptance_is_for_its_exact_id() {
        let found = [finding("before:1", Level::Refuse, Sort::Danger)];
        for wrong in ["before", "before:10", "BEFORE:1", ""] {
            let error = enforce(&found, &ids(&[wrong])).unwrap_err();
            let idle = format!("--accept {wrong} accepts nothing here: no check has that name");
            assert_eq!(error.hints.last(), Some(&idle));
        }
        let error = enforce(&found, &ids(&["changed:60157a0391cc20de"])).unwrap_err();
        assert!(error.hints.iter().all(|hint| !hint.contains("accepts nothing")), "{:?}", error.hints);
    }

    #[test]
    fn only_refused_findings_are_recorded_as_accepted() {
        let found =
            [finding("before:1", Level::Refuse, Sort::Danger), finding("note", Level::Pass, Sort::Danger)];
        assert_eq!(accepted(&found, &ids(&["before:1", "note", "before:2"])), ["before:1"]);
        assert!(accepted(&found, &[]).is_empty());
    }

    #[test]
    fn a_long_list_of_refusals_is_cut_and_counted() {
        let many: Vec<String> = (0..23).map(|n| format!("after:{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(first_of(&many[..2]), "after:0, after:1");
        assert!(first_of(&many[..20]).ends_with("after:19"));
        assert!(first_of(&many).ends_with("after:19 and 3 more, which breakglass check --json lists"));
    }

    #[test]
    fn a_changed_text_is_accepted_by_its_digits() {
        assert_eq!(changed_digits("changed:60157a03"), Some("60157a03"));
        assert_eq!(changed_digits("before:1"), None);
        assert_eq!(accept_changed("60157a03"), "--accept changed:60157a03");
    }
    #[test]
    fn an_act_of_one_key_is_refused_as_well() {
        let found = [finding("before:1", Level::Refuse, Sort::Danger)];
        assert_eq!(enforce_alone(&found, &[]).unwrap_err().exit, Exit::Refused);
        assert!(enforce_alone(&found, &ids(&["before:1"])).is_ok());
    }
}
