//! Stops a command at a refusal that was not accepted by its id. What is already done ends it, and is not a failure.

use crate::check::{Finding, Level, Sort, standing};
use crate::error::{Error, Exit};

/// How a changed text is accepted on the command line: by the first sixteen digits of its digest.
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

/// Stops at the first refusal that nobody accepted, or else if there is nothing to do.
///
/// # Errors
/// The refusal with its exit code, or what is already done with [`Exit::Done`].
pub fn enforce(findings: &[Finding], accepted: &[String]) -> Result<(), Error> {
    let (refused, done): (Vec<_>, Vec<_>) =
        standing(findings, accepted).into_iter().partition(|f| f.level == Level::Refuse);
    let Some(first) = refused.iter().find(|f| f.sort == Sort::Danger).or_else(|| refused.first()) else {
        return done.iter().find_map(|f| f.problem().already_done()).map_or(Ok(()), nothing_to_do);
    };
    let exit = match first.sort {
        Sort::Danger => Exit::Refused,
        Sort::Drift => Exit::Drift,
    };
    let error =
        Error::new(exit, format!("refused ({}): {}", first.id, first.sentence)).hint(first.fix.clone());
    let error = error.hint(format!("if you know better, and only then: {}", flags(&refused)));
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

fn flags(refused: &[&Finding]) -> String {
    let first = refused.iter().take(MOST_IDS).map(|f| format!("--accept {}", f.id));
    let first = first.collect::<Vec<_>>().join(" ");
    match refused.len().saturating_sub(MOST_IDS) {
        0 => first,
        more => format!("{first} and {more} more, which breakglass check --json lists"),
    }
}
