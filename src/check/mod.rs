//! Problems of a proposal, by the Safe as it is now and the reader's own council file: each attack of record one small
//! function.
//!
//! Pure: values in, problems out. A refusal stops `sign` and `broadcast` until it is accepted by its id.

mod allowed_effects;
mod announced;
mod approved;
mod code;
mod contracts;
mod control;
mod deputy_power;
mod description;
mod endpoints;
mod facts;
mod falsehoods;
mod outflow;
mod own_playbook;
mod owner_accounts;
mod past_statements;
mod powers;
mod problem;
mod rehearsal_checks;
mod safe_pins;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;

use crate::chain::{Age, EndpointReport};
use crate::proposal::Proposal;

pub use deputy_power::Module;
pub use description::{Level, Sort};
pub use facts::{Facts, Match};
pub use owner_accounts::{OwnerKind, owner_kinds};
pub use past_statements::{Past, PastSubject, Untrue};
pub use problem::{Finding, Problem, Readable, readable};

/// The name of a check, by which a test pins the list, and the check.
type Check = (&'static str, fn(&Facts) -> Vec<Problem>);

/// Every check, in the order in which a signer should doubt.
const CHECKS: [&[Check]; 12] = [
    &announced::CHECKS,
    &endpoints::FIRST,
    &own_playbook::CHECKS,
    &transaction::CHECKS,
    &safe_pins::CHECKS,
    &contracts::CHECKS,
    &powers::CHECKS,
    &owner_accounts::CHECKS,
    &code::CHECKS,
    &rehearsal_checks::CHECKS,
    &control::CHECKS,
    &endpoints::CHECKS,
];

/// Runs every check.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    found(CHECKS.into_iter().flatten(), facts)
}

/// Runs the checks of what a transaction does and no others: for one that was mined.
pub fn of_effects(facts: &Facts) -> Vec<Finding> {
    found(code::CHECKS.iter().chain(&rehearsal_checks::CHECKS).chain(&control::CHECKS), facts)
}

/// Returns the findings about a transaction with those about the one that it approves, if it does: those first, by ids of
/// their own. The same RPCs are not told of twice, unless they are refused.
pub fn with_approved(
    proposal: &Proposal,
    approved: Option<(&Proposal, &[Finding])>,
    own: Vec<Finding>,
) -> Vec<Finding> {
    let Some(of) = proposal.approves() else { return own };
    let hash = of.hash();
    let (problem, theirs) = match approved {
        Some((judged, findings)) if judged.hash() == hash => {
            (approved::ApprovedProblem::Judged { hash }, findings)
        }
        _ => (approved::ApprovedProblem::NotJudged { hash }, &[][..]),
    };
    let is_new =
        |finding: &&Finding| finding.level == Level::Refuse || !matches!(finding.problem(), Problem::Rpc(_));
    let theirs = theirs.iter().filter(is_new).map(Finding::of_approved);
    let own_finding = Finding::from(Problem::from(problem));
    theirs.chain([own_finding]).chain(own).collect()
}

/// Runs the checks of an act of one key, alone or through a module of the Safe: all but those of the owners' approvals.
/// In `facts` the deputy's account stands for the Safe.
pub fn of_deputy(facts: &Facts, module: Option<&Module>) -> Vec<Finding> {
    let first = endpoints::FIRST.iter().chain(&own_playbook::CHECKS);
    let safe = safe_pins::CHECKS.iter().chain(&contracts::CHECKS).chain(&powers::CHECKS);
    let effects = code::CHECKS.iter().chain(&rehearsal_checks::CHECKS).chain(&control::CHECKS);
    let mut all = found(first, facts);
    if let Some(module) = module {
        all.extend(
            deputy_power::module(facts, module).into_iter().map(|problem| Problem::from(problem).into()),
        );
        all.extend(found(safe, facts));
    }
    all.extend(found(effects.chain(&endpoints::CHECKS), facts));
    all
}

/// Checks the age of the block that everything was read at. `None` offline.
pub fn block_age(age: Option<Age>, endpoints: &[EndpointReport]) -> Option<Finding> {
    endpoints::block_age(age, endpoints).map(|problem| Problem::from(problem).into())
}

/// Checks that most RPCs agree. With a quorum that was `lowered` for this run, a minority is only a warning.
pub fn most_agree(endpoints: &[EndpointReport], lowered: bool) -> Option<Finding> {
    endpoints::most_agree(endpoints, lowered).map(|problem| Problem::from(problem).into())
}

fn found<'c>(checks: impl Iterator<Item = &'c Check>, facts: &Facts) -> Vec<Finding> {
    checks.flat_map(|(_, check)| check(facts)).map(Finding::from).collect()
}

/// Converts the problems of one check.
fn all<P: Into<Problem>>(problems: impl IntoIterator<Item = P>) -> Vec<Problem> {
    problems.into_iter().map(Into::into).collect()
}

/// Returns the findings that stop `sign` and `broadcast`, and that nobody accepted by id.
pub fn unaccepted<'a>(findings: &'a [Finding], accepted: &[String]) -> Vec<&'a Finding> {
    findings.iter().filter(|f| f.level.blocks() && !accepted.contains(&f.id)).collect()
}

/// Returns the refusal that is reported first, among those that nobody accepted by id: a danger before a drift. `None`
/// if the act is already done.
pub fn first_refusal<'a>(findings: &'a [Finding], accepted: &[String]) -> Option<&'a Finding> {
    if already_done(findings, accepted).is_some() {
        return None;
    }
    let mut refused = unaccepted(findings, accepted);
    refused.retain(|finding| finding.level == Level::Refuse);
    refused.iter().find(|f| f.sort == Sort::Danger).or_else(|| refused.first()).copied()
}

/// Returns what the playbook promises, if it is so already and no check refuses the act except for a used nonce. A used
/// nonce of an approved transaction is not ignored if only its approval is done.
pub fn already_done<'a>(findings: &'a [Finding], accepted: &[String]) -> Option<&'a str> {
    let unaccepted = unaccepted(findings, accepted);
    let done = || unaccepted.iter().filter(|finding| finding.problem().already_done().is_some());
    let deepest = done().map(|finding| finding.depth()).max()?;
    let is_passed_over = |finding: &Finding| finding.problem().is_used_nonce() && finding.depth() <= deepest;
    if unaccepted.iter().any(|finding| finding.level == Level::Refuse && !is_passed_over(finding)) {
        return None;
    }
    done().find_map(|finding| finding.problem().already_done())
}
