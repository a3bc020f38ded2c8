//! `pause`, `param`, `rotate` and `drill`: a lever becomes a proposal file, which is judged, shown, kept and announced.

use crate::ceremony::contention::together::advise;
use crate::ceremony::enforce::{accepted, enforce};
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::verb::require_verb;
use crate::error::{Error, Exit};
use crate::incident::JournalAct;
use crate::playbook::PlaybookKind;
use crate::proposal::DrillName;
use crate::session::each_part::each;
use crate::session::signing::one_person_drill::{self, Keystores};
use crate::session::{Session, signing::drill_ending};
use crate::view::proposed::WrittenProposal;

/// The flags of a proposal.
pub struct ProposeTerms<'w> {
    /// Levers, pulled together.
    pub levers: &'w [String],
    pub given: &'w Given,
    pub accept: &'w [String],
    pub proofs: bool,
}

/// Proposes levers, at least one of this kind. Fails if a lever is of another kind, or a check refuses it.
pub fn propose(session: &Session, kind: PlaybookKind, terms: &ProposeTerms) -> Result<Exit, Error> {
    let ProposeTerms { levers, given, accept, proofs } = terms;
    require_verb(kind, &Order::parts(session, levers, given)?, &levers.join(" "))?;
    session.require_accepted(&session.rests_of(levers, given)?, accept)?;
    let parts = session.evaluate(levers, given, CommandPurpose::Propose)?;
    each(session, parts, *proofs, false, |judged| Ok(announce(session, &review(session, terms, judged)?.1)))
}

/// Proposes a playbook without a lever.
/// Fails if a flag is for levers alone, the playbook is of another kind, or a check refuses it.
pub fn propose_playbook(
    session: &Session,
    kind: PlaybookKind,
    (playbook, safe): (&str, &str),
    terms: &ProposeTerms,
) -> Result<Exit, Error> {
    let given = terms.given;
    if given.undo {
        return Err(
            Error::new(Exit::Usage, "--undo needs a lever").hint("name the counter-playbook with --playbook")
        );
    }
    if !given.approve_as.is_empty() {
        return Err(Error::new(Exit::Usage, "--approve-as needs a lever, or the file of a proposal")
            .hint("propose it, then: breakglass sign FILE --approve-as SAFE"));
    }
    let order = Order::playbook(session, false, playbook, safe, given.arguments()?)?;
    require_verb(kind, std::slice::from_ref(&order), playbook)?;
    session.require_accepted(&[session.rests_on(playbook, safe, false)?], terms.accept)?;
    let rehearsed = session.propose(order, given)?.prove(session.ui, terms.proofs)?;
    Ok(announce(session, &review(session, terms, rehearsed.judge(false))?.1))
}

/// Announces levers as drills; with keystores, this machine also signs and proves them. Fails if a check refuses one,
/// or it is not proven.
pub fn drill(session: &Session, terms: &ProposeTerms, solo: Option<&Keystores>) -> Result<Exit, Error> {
    let ProposeTerms { levers, given, accept, proofs } = terms;
    let orders = session.drills_of(levers, given)?;
    session.require_accepted(&session.rests_of(levers, given)?, accept)?;
    let parts = session.evaluate_drills(orders, given);
    each(session, parts, *proofs, false, |judged| {
        let (judged, proposed) = review(session, terms, judged)?;
        let Some(keys) = solo else { return Ok(announce(session, &proposed)) };
        one_person_drill::sign(session, &judged, keys)?;
        let Some(name) = DrillName::of(judged.proposal()) else { return Ok(Exit::Done) };
        let given = session.given_of(judged.proposal());
        drill_ending::broadcast(session, &[name.to_string()], &given, accept, *proofs)
    })
}

/// Shows the review and keeps the proposal with what was accepted. Fails if a check refuses it.
fn review<'a>(
    session: &Session,
    terms: &ProposeTerms,
    mut judged: Judged<'a>,
) -> Result<(Judged<'a>, WrittenProposal), Error> {
    let summary = session.review(&judged, terms.accept);
    session.ui.field("summary", &summary);
    enforce(&judged.findings, terms.accept).map_err(|error| advise(session, &judged, error))?;
    let accepted = accepted(&judged.findings, terms.accept);
    judged.derived.proposal = judged.derived.proposal.accepting(&accepted);
    let path = judged.derived.keep(session)?;
    session.note(JournalAct::Proposed {}, judged.proposal());
    session.note_accepted(&accepted, Some(judged.proposal()));
    let proposed = WrittenProposal::new(session, &judged, &path);
    Ok((judged, proposed))
}

fn announce(session: &Session, proposed: &WrittenProposal) -> Exit {
    let ui = session.ui;
    ui.show(&proposed.lines());
    ui.data(proposed.data());
    ui.show(&proposed.after());
    ui.object(proposed);
    Exit::Done
}
