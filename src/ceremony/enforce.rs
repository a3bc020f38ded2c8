//! Stops a command at a refusal that was not accepted by its id. What is already done ends it, and is not a failure.

use serde_json::json;

use crate::check::{Finding, Level, Sort, already_done, first_refusal, standing};
use crate::error::{Error, Exit};

/// The prefix by which a changed text is accepted on the command line: then come the first sixteen digits of its digest.
pub const CHANGED: &str = "changed:";

/// The most refusals whose ids are written out.
const MOST_IDS: usize = 20;

/// The digits by which a value of `--accept` accepts a changed text; `None` for the id of a finding.
#[must_use]
pub fn changed_digits(id: &str) -> Option<&str> {
    id.strip_prefix(CHANGED)
}

/// The flag by which a changed text is accepted.
#[must_use]
pub fn accept_changed(digits: &str) -> String {
    format!("--accept {CHANGED}{digits}")
}

/// Returns the accepted ids that a finding refused: only they are recorded, an id that refused nothing says nothing.
/// With what was chosen by a flag of its own.
#[must_use]
pub fn accepted(findings: &[Finding], ids: &[String]) -> Vec<String> {
    let refused = standing(findings, &[]);
    let named = ids.iter().filter(|id| refused.iter().any(|f| f.id == **id)).cloned();
    named.chain(findings.iter().filter(|f| f.problem().is_chosen()).map(|f| f.id.clone())).collect()
}

/// Stops at the first refusal that nobody accepted, or else if there is nothing to do. How a refusal is accepted is told by
/// `check` and not here: nobody is handed the way past it.
///
/// # Errors
/// The refusal with its exit code, or what is already done with [`Exit::Done`].
pub fn enforce(findings: &[Finding], accepted: &[String]) -> Result<(), Error> {
    let Some(first) = first_refusal(findings, accepted) else {
        return already_done(findings, accepted).map_or(Ok(()), nothing_to_do);
    };
    let mut refused = standing(findings, accepted);
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
        .hint("breakglass check explains every refusal; breakglass help refusals says what can be done about one")
        .having_done(json!({ "refused": refused }));
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
