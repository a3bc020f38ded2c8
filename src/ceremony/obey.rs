//! What is refused stops a command, unless it was accepted by its name.

use crate::check::{Finding, Sort, standing};
use crate::error::{Error, Exit};

/// How a changed text is accepted on the command line: by the first sixteen digits of its digest.
pub const CHANGED: &str = "changed:";

/// The most refusals whose ids are written out.
const MOST_IDS: usize = 20;

/// Of the accepted ids, those that a finding refused: only they are recorded, an id that refused nothing says nothing.
/// With what was chosen by a flag of its own.
pub fn accepted(findings: &[Finding], ids: &[String]) -> Vec<String> {
    let refused = standing(findings, &[]);
    let named = ids.iter().filter(|id| refused.iter().any(|f| f.id == **id)).cloned();
    named.chain(findings.iter().filter(|f| f.problem().is_chosen()).map(|f| f.id.clone())).collect()
}

/// Stops at the first refusal that nobody accepted.
pub fn obey(findings: &[Finding], accepted: &[String]) -> Result<(), Error> {
    let refused = standing(findings, accepted);
    let Some(first) = refused.iter().find(|f| f.sort == Sort::Danger).or_else(|| refused.first()) else {
        return Ok(());
    };
    let exit = match first.sort {
        Sort::Danger => Exit::Refused,
        Sort::Drift => Exit::Drift,
    };
    let first_ids = refused.iter().take(MOST_IDS).map(|f| format!("--accept {}", f.id));
    let ids = first_ids.collect::<Vec<_>>().join(" ");
    let ids = match refused.len().saturating_sub(MOST_IDS) {
        0 => ids,
        more => format!("{ids} and {more} more, which breakglass check --json lists"),
    };
    let error =
        Error::new(exit, format!("refused ({}): {}", first.id, first.sentence)).hint(first.fix.clone());
    let error = error.hint(format!("if you know better, and only then: {ids}"));
    let idle =
        accepted.iter().filter(|id| !id.starts_with(CHANGED) && !findings.iter().any(|f| f.id == **id));
    let idle: Vec<&str> = idle.map(String::as_str).collect();
    if idle.is_empty() {
        return Err(error);
    }
    Err(error.hint(format!("--accept {} accepts nothing here: no check has that name", idle.join(" "))))
}
