//! `pause`, `param`, `rotate`: a lever becomes a proposal file.

use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::enforce::{accepted, enforce};
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::Order;
use crate::ceremony::together::advise;
use crate::cli::args::{ARGUMENTS, Accept, Derive, Proofs};
use crate::cli::complete;
use crate::command::home;
use crate::error::{Error, Exit};
use crate::incident::JournalAct;
use crate::playbook::PlaybookKind;
use crate::session::Session;
use crate::session::each_part::each;
use crate::store;
use crate::ui::Text;
use crate::view::{what_changes, what_it_does};

const EXAMPLES: &str = "\
Examples:
  breakglass pause vault
  breakglass pause vault --undo
  breakglass param cap --set amount=\"0 USDC\"
  breakglass rotate --playbook rotate/safe-threshold --safe guardian \\
    --set threshold=3";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers of the council file, pulled together; without one, they are listed
    #[arg(help_heading = ARGUMENTS, conflicts_with = "playbook", add = ArgValueCompleter::new(complete::levers))]
    lever: Vec<String>,

    /// Without a lever: the playbook's id
    #[arg(long, value_name = "ID", requires = "safe", add = ArgValueCompleter::new(complete::playbooks))]
    playbook: Option<String>,

    /// Without a lever: the Safe's name
    #[arg(long, value_name = "NAME", requires = "playbook", add = ArgValueCompleter::new(complete::safes))]
    safe: Option<String>,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,

    #[command(flatten)]
    proofs: Proofs,
}

const UNDO_EXAMPLES: &str = "\
Examples:
  breakglass undo vault
  breakglass sign vault --undo           next, each owner";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = UNDO_EXAMPLES)]
pub struct UndoArgs {
    /// The levers to take back, by their counter-playbooks
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    lever: Vec<String>,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,

    #[command(flatten)]
    proofs: Proofs,
}

/// `undo LEVER` is the lever's own verb with `--undo`.
pub fn undo(session: &Session, args: &UndoArgs) -> Result<Exit, Error> {
    let derive = Derive { undo: true, ..args.derive.clone() };
    let orders = Order::parts(session, &args.lever, &derive.given())?;
    let kind = orders.iter().flat_map(Order::playbooks).map(|playbook| playbook.kind).next();
    let (lever, accept, proofs) = (args.lever.clone(), args.accept.clone(), args.proofs);
    let args = Args { lever, playbook: None, safe: None, derive, accept, proofs };
    run(session, kind.unwrap_or(PlaybookKind::Pause), &args)
}

pub fn run(session: &Session, kind: PlaybookKind, args: &Args) -> Result<Exit, Error> {
    let (given, accept) = (args.derive.given(), &args.accept.accept);
    if let (Some(playbook), Some(safe)) = (&args.playbook, &args.safe) {
        if given.undo {
            return Err(Error::new(Exit::Usage, "--undo needs a lever")
                .hint("name the counter-playbook with --playbook"));
        }
        if !given.approve_as.is_empty() {
            return Err(Error::new(Exit::Usage, "--approve-as needs a lever, or the file of a proposal")
                .hint("propose it, then: breakglass sign FILE --approve-as SAFE"));
        }
        let order = Order::playbook(session, false, playbook, safe, given.arguments()?)?;
        right_kind(kind, std::slice::from_ref(&order), playbook)?;
        session.require_accepted(&[session.rests_on(playbook, safe, false)?], accept)?;
        let rehearsed = session.propose(order, &given)?;
        return one(session, args, rehearsed.prove(session.ui, args.proofs.proofs)?.judge(false));
    }
    if args.lever.is_empty() {
        return Ok(home::of_kind(session, kind));
    }
    right_kind(kind, &Order::parts(session, &args.lever, &given)?, &args.lever.join(" "))?;
    session.require_accepted(&session.rests_of(&args.lever, &given)?, accept)?;
    let parts = session.look(&args.lever, &given, CommandPurpose::Propose)?;
    each(session, parts, args.proofs.proofs, false, |judged| one(session, args, judged))
}

/// Levers that are pulled together may be of several kinds: one of them must be of this one.
fn right_kind(kind: PlaybookKind, orders: &[Order], what: &str) -> Result<(), Error> {
    let kinds: Vec<PlaybookKind> =
        orders.iter().flat_map(Order::playbooks).map(|playbook| playbook.kind).collect();
    match kinds.first() {
        Some(found) if !kinds.contains(&kind) => {
            let error = Error::new(Exit::Usage, format!("{what} is a {found} playbook, not {kind}"));
            Err(error.hint(format!("breakglass {found} {what}")))
        }
        _ => Ok(()),
    }
}

fn one(session: &Session, args: &Args, mut judged: Judged) -> Result<Exit, Error> {
    let summary = session.review(&judged, &args.accept.accept);
    session.ui.object(&json!({ "summary": summary }));
    enforce(&judged.findings, &args.accept.accept).map_err(|error| advise(session, &judged, error))?;
    let accepted = accepted(&judged.findings, &args.accept.accept);
    judged.derived.proposal = judged.derived.proposal.accepting(&accepted);
    finish(session, &judged, &accepted)
}

fn finish(session: &Session, judged: &Judged, accepted: &[String]) -> Result<Exit, Error> {
    let path = judged.derived.keep(session)?;
    session.note(JournalAct::Proposed {}, judged.proposal());
    session.note_accepted(accepted, Some(judged.proposal()));
    let ui = session.ui;
    let what = session.words_of(judged.proposal(), &[path.display().to_string()]);
    ui.say(&Text::default().good("proposed ").add(&store::from_here(&path).display().to_string()));
    ui.say(
        &Text::new("next: each owner runs ")
            .bold(&format!("breakglass sign {what} --ledger"))
            .add(" (or --keystore FILE)"),
    );
    ui.data(&judged.proposal().hash().to_string());
    ui.object(&json!({
        "proposal": path.display().to_string(),
        "safe_tx_hash": judged.proposal().hash().to_string(),
        "domain_hash": judged.proposal().hashes().domain.to_string(),
        "message_hash": judged.proposal().hashes().message.to_string(),
        "nonce": judged.proposal().nonce().to_string(),
        "safe": judged.derived.safe.address.to_string(),
        "chain_id": judged.derived.chain.id,
        "decided_by_the_chain": what_it_does::decided_object(judged),
        "rehearsal": what_changes::object(judged),
        "rounds": judged.seen.as_ref().map(|seen| seen.link.rounds()),
    }));
    Ok(Exit::Done)
}
