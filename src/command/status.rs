//! `status`: who has signed, what is missing, what has drifted.

use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::depth::RequiredDepth;
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::stage::ProposalStage;
use crate::ceremony::{outcome, waiting};
use crate::check::{Finding, Level};
use crate::cli::args::{ARGUMENTS, Derive, Proofs};
use crate::cli::complete;
use crate::command::home;
use crate::error::{Error, Exit};
use crate::proposal::{NotReady, Shortfall, assemble};
use crate::session::Session;
use crate::session::after_mining::report;
use crate::session::each_part::{each, each_offline};
use crate::ui::Text;
use crate::view::who_signed::{self, Rival, WhoSigned};

const EXAMPLES: &str = "\
Examples:
  breakglass status                      all that is open, and every lever
  breakglass status vault
  breakglass status vault --undo";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; without one, all that is open
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    proofs: Proofs,

    /// Ask nothing of the network
    #[arg(long, conflicts_with = "proofs", help_heading = "Checks")]
    offline: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = args.derive.given();
    if args.what.is_empty() {
        return home::now(session, args.offline);
    }
    session.note_changes(&session.rests_of(&args.what, &given)?)?;
    if args.offline {
        let kept = session.kept_offline(&args.what, &given)?;
        return each_offline(session, kept, false, |judged| Ok(one_offline(session, args, &judged)));
    }
    let parts = session.look(&args.what, &given, CommandPurpose::Look)?;
    each(session, parts, args.proofs.proofs, false, |judged| one(session, args, &judged))
}

/// The refusals that do not merely come with its execution.
fn refused(judged: &Judged) -> Vec<Finding> {
    let is_shown = |f: &&Finding| f.level == Level::Refuse && !f.problem().comes_with_execution();
    judged.findings.iter().filter(is_shown).cloned().collect()
}

/// By what is kept here alone: whether its nonce is the next, nobody was asked.
fn one_offline(session: &Session, args: &Args, judged: &Judged) -> Exit {
    let (tally, refused) = (judged.tally(), refused(judged));
    let who = show(session, judged, &tally, &refused);
    session.ui.say(
        &Text::default().warn("offline: ").add("by what is kept here; nothing was asked of the network"),
    );
    let stage = ProposalStage::offline(&refused, &tally);
    session.ui.show(&who_signed::stage(stage, &session.words_of(judged.proposal(), &args.what)));
    session.ui.object(&who);
    session.ui.object(&json!({ "status": stage.to_string() }));
    stage.exit()
}

fn one(session: &Session, args: &Args, judged: &Judged) -> Result<Exit, Error> {
    let (tally, refused) = (judged.tally(), refused(judged));
    let ready = assemble(judged.proposal(), &judged.approvals(), judged.seen()?.fresh()?);
    let used = matches!(&ready, Err(NotReady::NonceUsed { .. }));
    if !used && session.says_done(judged, &[]) {
        return Ok(Exit::Done);
    }
    let who = show(session, judged, &tally, &refused);
    if used {
        return executed(session, judged);
    }
    outcome::say_if_lost(session, judged)?;
    let lost = session.lost(judged.proposal(), judged.derived.safe, &judged.derived.owners)?;
    let ahead = session.rivals_ahead(judged.proposal(), &judged.derived.owners)?;
    let rivals: Vec<Rival> = ahead.into_iter().map(|(what, by)| Rival::new(judged, what, &by)).collect();
    session.ui.show(&who_signed::rivals(judged.proposal().nonce(), &lost, &rivals));
    let sent = waiting::show(session, judged)?;
    let stage = ProposalStage::of(&refused, ready.as_ref(), !sent.is_empty());
    session.ui.show(&who_signed::stage(stage, &session.words_of(judged.proposal(), &args.what)));
    session.ui.object(&who);
    session.ui.object(&json!({
        "status": stage.to_string(), "sent": sent, "lost": lost, "armed": rivals,
    }));
    if stage == ProposalStage::Signing {
        let waking = session.waking(judged.proposal(), &tally)?;
        session.ui.show(&who_signed::calls(&waking));
        session.ui.object(&who_signed::calls_object(&waking));
    }
    Ok(stage.exit())
}

/// Reports on a proposal whose nonce is used: by itself, or by another transaction.
fn executed(session: &Session, judged: &Judged) -> Result<Exit, Error> {
    judged.enforce_fresh(&[])?;
    match outcome::of_executed(session, judged)? {
        Some(outcome) => report(session, judged, &outcome, "Executed", Some(&RequiredDepth::default())),
        None if session.says_done_elsewhere(judged) => Ok(Exit::Done),
        None => Err(Error::from(NotReady::NonceUsed {
            proposal: judged.proposal().nonce(),
            safe: judged.state().nonce,
        })),
    }
}

fn show(session: &Session, judged: &Judged, tally: &Shortfall, refused: &[Finding]) -> WhoSigned {
    let who = WhoSigned::new(judged, tally, refused);
    session.ui.show(&who.head());
    session.ui.table(&who_signed::HEADER, &who.rows());
    session.ui.show(&who_signed::faults(tally, refused));
    who
}
