//! The proof of a drill: the real Safe code accepts its signatures on a fork with the drill's chain id, and the act
//! keeps its promise on a fork with the real one. Nothing is sent.

use crate::ceremony::judged::Judged;
use crate::ceremony::rehearsal_result;
use crate::error::{Error, Exit};
use crate::evm::BlockRef;
use crate::fork::ExecTransaction;
use crate::playbook::Verdict;
use crate::proposal::{Shortfall, likely_approvals};
use crate::safe::Approval;

/// A drill that is proven.
pub struct DrillProof {
    /// The block of the forks.
    pub block: BlockRef,
    /// The number of keys whose signatures it took.
    pub keys: usize,
    /// The checks after the act, on the fork with the real chain id.
    pub verdicts: Vec<Verdict>,
    pub gas_used: u64,
}

/// Proves a drill with enough signatures. Fails if the Safe's own code refuses the signatures, or if the act does not
/// do what its playbook promises.
pub fn prove(judged: &Judged) -> Result<DrillProof, Error> {
    let (drill, tree, seen) = (judged.proposal(), judged.tree(), judged.seen()?);
    let approvals = judged.approvals();
    let signatures = likely_approvals(drill, &approvals, &tree)
        .filter(|_| drill.is_drill())
        .ok_or_else(|| Error::new(Exit::Shortfall, "not enough owners have signed this drill"))?;
    let Some(done) = judged.rehearsal.done() else {
        let why = judged.rehearsal.failure().unwrap_or("it was not rehearsed");
        return Err(Error::new(Exit::Failed, format!("the drill is not proven: {why}")));
    };
    let names = &judged.derived.names;
    let failed = |what: &str, why: String| {
        Error::new(Exit::Failed, format!("the drill is not proven: {what}: {why}"))
            .hint("nothing was sent; breakglass status shows who has signed")
    };
    rehearsal_result::check_success(&done.rehearsal, judged.plan(), names)
        .map_err(|why| failed("the act would fail", why))?;
    if let Some(verdict) = done.after.iter().find(|verdict| !verdict.holds) {
        return Err(failed("the act would not do its work", verdict.sentence.clone()));
    }
    let owners = tree.owners.clone();
    let exec = ExecTransaction {
        domain: *drill.domain(),
        owners: &owners,
        tx: drill.tx(),
        signatures: Some(&signatures),
        sender: owners.list().first().copied().unwrap_or_default(),
        gas: None,
    };
    let ran = seen.link.rehearse_again(&seen.snapshot, &exec, done.rehearsal.timestamp)?;
    rehearsal_result::check_success(&ran, judged.plan(), names)
        .map_err(|why| failed("the Safe's own code refuses its signatures for the drill's chain", why))?;
    Ok(DrillProof {
        block: seen.snapshot.header.block(),
        keys: keys(&judged.tally()),
        verdicts: done.after.clone(),
        gas_used: ran.gas_used,
    })
}

/// Returns the number of keys whose signatures a Safe's approvals need; for an owner that is a Safe, those of its
/// owners.
pub(in crate::ceremony) fn keys(tally: &Shortfall) -> usize {
    let of_one = |approval: &Approval| {
        let below = tally.child(approval.owner()).and_then(|child| child.tally.as_ref());
        below.filter(|below| below.is_met()).map_or(1, keys)
    };
    let mut each: Vec<usize> = tally.approved.iter().map(of_one).collect();
    each.sort_unstable();
    each.iter().take(tally.threshold.get()).sum()
}
