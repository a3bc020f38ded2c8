//! `dry-run`: shows a rehearsal, and whether it succeeds and keeps the playbook's promise.

use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::online::ReadPoint;
use crate::ceremony::order::Given;
use crate::ceremony::rehearsal_result::{CompletedRehearsal, check_success};
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::session::Session;
use crate::session::each_part::each;
use crate::view::review_lines::checked::DryRun;
use crate::view::review_lines::trace_lines::CallTree;

/// The flags of `dry-run`.
pub struct DryRunTerms<'w> {
    pub what: &'w [String],
    pub given: &'w Given,
    /// The block after which it is rehearsed, instead of the latest.
    pub at: Option<u64>,
    /// The one RPC that is asked.
    pub fork_url: Option<&'w str>,
    pub proofs: bool,
    pub trace: bool,
}

/// Rehearses what was named.
pub fn run(session: &Session, terms: &DryRunTerms) -> Result<Exit, Error> {
    let given = terms.given;
    session.note_changes(&session.rests_of(terms.what, given)?)?;
    let parts = session.evaluate_each(session.parts(terms.what, given)?, |found| {
        let found = session.for_purpose(found, given, CommandPurpose::Finish)?;
        let link = session.connect_or_fork(found.safe(), terms.fork_url)?;
        let view = ReadPoint { link, at: terms.at.map_or(BlockTag::Latest, BlockTag::Number) };
        session.evaluate_found(found, view, given, true, None)
    });
    each(session, parts, terms.proofs, false, |judged| one(session, terms, &judged))
}

fn one(session: &Session, terms: &DryRunTerms, judged: &Judged) -> Result<Exit, Error> {
    let ui = session.ui;
    let shown = DryRun::new(judged, session.review(judged, &[]));
    ui.object(&shown);
    if terms.trace {
        let calls = CallTree::new(session, judged);
        if let Some(calls) = &calls {
            ui.show(&calls.lines());
        }
        ui.field("trace", &calls);
    }
    if shown.is_done() {
        return Ok(Exit::Done);
    }
    let done = judged.rehearsal.done().ok_or_else(|| not_rehearsed(judged))?;
    succeeds(judged, done)?;
    ui.data(&format!("would succeed at block {}, {} gas", done.block, done.rehearsal.gas_used));
    Ok(Exit::Done)
}

fn not_rehearsed(judged: &Judged) -> Error {
    if let Some(why) = judged.rehearsal.failure() {
        return Error::new(Exit::Network, why)
            .hint("a value is missing, so no result is shown; try again, or name another RPC");
    }
    let nonce = judged.proposal().nonce();
    Error::new(Exit::Drift, format!("nonce {nonce} is used: there is nothing to rehearse"))
        .hint("breakglass status tells what became of it; --at BLOCK rehearses it in the past")
}

/// Checks that it succeeds and keeps the playbook's promise.
fn succeeds(judged: &Judged, done: &CompletedRehearsal) -> Result<(), Error> {
    let failed = |why: String| Error::new(Exit::Failed, why);
    check_success(&done.rehearsal, judged.plan(), &judged.derived.names)
        .map_err(|why| failed(format!("the rehearsal fails: {why}")))?;
    match done.after.iter().find(|verdict| !verdict.holds) {
        Some(verdict) => Err(failed(format!("it would not do its work: {}", verdict.sentence))),
        None => Ok(()),
    }
}
