//! `playbook test`: a lever, its undo, and an account without the role, on a fork in this process. Nothing is sent.

use serde_json::json;

use crate::ceremony::desk::{Desk, fork};
use crate::ceremony::order::{Order, named_once};
use crate::ceremony::prefetch::after_queries;
use crate::ceremony::trials::pulled::{TrialResult, planned, pull, refusal};
use crate::ceremony::trials::stranger::without_role;
use crate::ceremony::trials::trial_report::{TrialPart, TrialReport, left_over};
use crate::chain::{Ask, Chain, Forked};
use crate::error::{Error, Exit};
use crate::evm::{BlockRef, BlockTag, Write};
use crate::playbook::{Plan, PlanError, PlaybookDigest, Undo};
use crate::safe::SafeState;
use crate::{check, clock, council};

/// Tries the lever from an account without the role, from its Safe, and once more; then its undo. Each is run on the state
/// that the one before left.
pub fn try_lever(
    order: &Order,
    undo: Result<&Order, &String>,
    link: &Chain,
    fork: &mut Forked,
    state: &SafeState,
) -> Result<TrialReport, Error> {
    let mut report = TrialReport::default();
    without_role(order, fork, "without_role", "without the role", &mut report)?;
    match planned(order, fork, state.id.version)? {
        Ok(planned) => {
            report.calls = planned.plan.calls.iter().map(|planned| planned.call.clone()).collect();
            report.is_done = planned.refused.is_some() && holds_after(&planned.plan, fork)?;
        }
        Err(why) => report.is_done = matches!(why, PlanError::NothingToDo(_)),
    }
    let was = order.former_values(|queries| fork.answers(queries))?;
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
    let text =
        again.clone().map_or("may be pulled again".into(), |why| TrialResult::Refused { why }.to_string());
    report.part("again", "once more", text, json!({ "refused": again }));
    match &undo {
        Ok(undo) => try_undo(order, (undo, done), link, fork, state, &mut report)?,
        Err(why) => report.part("undo", "its undo", format!("none: {why}"), json!({ "none": why })),
    }
    Ok(report)
}

/// The undo, after the lever, whose `writes` it has to bring back: from an account without the role, then from its Safe.
fn try_undo(
    order: &Order,
    (undo, writes): (&Order, Vec<Write>),
    link: &Chain,
    fork: &mut Forked,
    state: &SafeState,
    report: &mut TrialReport,
) -> Result<(), Error> {
    if undo.chain.id != order.chain.id {
        let message =
            format!("{} is on {} and the lever on {}", undo.safe.name, undo.chain.name, order.chain.name);
        return Err(Error::new(Exit::Usage, message).hint("name a Safe of the same chain with --undo-safe"));
    }
    let name = format!("its undo, {}", undo.acts()[0].entry.playbook.id);
    without_role(undo, fork, "undo_without_role", "the undo without the role", report)?;
    let undone_by = if undo.safe.address == state.id.address {
        state.clone()
    } else {
        let ask = Ask { safe: undo.safe.address, ..Ask::default() };
        link.snapshot(&ask, BlockTag::Pinned(fork.began_at()))?.state
    };
    // The council file describes the Safe as it was before the lever: only what the undo does is looked at.
    let (taken_back, undone) = pull(undo, fork, &undone_by, check::of_effects)?;
    if let TrialResult::Proven { read, .. } = &taken_back {
        report.undo_read.clone_from(read);
    }
    if report.must_prove(
        TrialPart::Undo,
        &name,
        &taken_back,
        "where another Safe takes it back: --undo-safe NAME",
    ) {
        let left = left_over(&[writes, undone].concat(), &[state.id.address, undone_by.id.address]);
        report.left_over(order, &left);
    }
    Ok(())
}

/// Returns `true` if all that a plan promises holds already.
fn holds_after(plan: &Plan, fork: &mut Forked) -> Result<bool, Error> {
    let answers = fork.answers(&after_queries(plan))?;
    Ok(!plan.after.is_empty() && plan.after.iter().all(|check| check.judge(&answers, &[]).holds))
}

/// Pulls a lever alone. Returns why it cannot be pulled; `None` if it can.
pub fn refused_by(order: &Order, fork: &mut Forked, state: &SafeState) -> Result<Option<String>, Error> {
    Ok(match pull(order, fork, state, check::findings)?.0 {
        TrialResult::Proven { .. } => None,
        ended => Some(ended.to_string()),
    })
}

/// The report of a trial, and where it began.
pub struct TrialRun<'a> {
    pub report: TrialReport,
    pub chain: &'a council::CouncilChain,
    pub block: BlockRef,
    pub digest: PlaybookDigest,
}

impl Desk<'_> {
    /// Connects to a Safe's chain, or to the one RPC that was named instead.
    pub fn connect_or_fork(&self, safe: &council::Safe, url: Option<&str>) -> Result<Chain, Error> {
        match url {
            Some(url) => fork(self.progress, self.chain_of(safe)?, url),
            None => self.connect(safe),
        }
    }

    /// Tries a playbook with these arguments, its undo after it. It sends nothing.
    /// Fails if an argument is wrong, or the chain cannot be asked. A part that did not end as it must is in the
    /// report.
    pub fn try_playbook(
        &self,
        playbook: &str,
        safe: &council::Safe,
        undo_safe: Option<&str>,
        set: &[(String, String)],
        link: &Chain,
    ) -> Result<TrialRun<'_>, Error> {
        let set = named_once(set)?;
        let order = Order::playbook(self, false, playbook, &safe.name, set.clone())?;
        let tried = order.acts()[0].entry.playbook;
        let undo = match &tried.undo {
            Undo::None { why } => Err(why.clone()),
            Undo::Playbook { .. } => {
                Ok(Order::playbook(self, true, playbook, undo_safe.unwrap_or(&safe.name), set)?)
            }
        };
        let reading = format!("reading {} on {}", safe.name, order.chain.name);
        let ask = Ask { safe: safe.address, ..Ask::default() };
        let seen = self.progress.wait(&reading, || link.snapshot(&ask, BlockTag::Latest))?;
        let mut fork = link.forked(&seen, clock::seconds());
        let run = || try_lever(&order, undo.as_ref(), link, &mut fork, &seen.state);
        let report = self.progress.wait("rehearsing", run)?;
        Ok(TrialRun { report, chain: order.chain, block: fork.began_at(), digest: tried.digest() })
    }
}
