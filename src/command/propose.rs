//! `pause`, `param`, `rotate`: a lever becomes a proposal file.

use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::derive::Order;
use crate::ceremony::judged::Judged;
use crate::ceremony::obey::{accepted, obey};
use crate::command::Session;
use crate::command::args::{ARGUMENTS, Accept, Derive, Proofs};
use crate::command::complete;
use crate::command::home;
use crate::error::{Error, Exit};
use crate::playbook::Kind;
use crate::shell::quoted;
use crate::ui::Text;
use crate::view::{effects, review};

const EXAMPLES: &str = "\
Examples:
  breakglass pause vault
  breakglass pause vault --undo
  breakglass param cap --set amount=\"0 USDC\"
  breakglass rotate --playbook rotate/safe-threshold --safe guardian --set …";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// A lever of the council file; without one, they are listed
    #[arg(help_heading = ARGUMENTS, conflicts_with = "playbook", add = ArgValueCompleter::new(complete::levers))]
    lever: Option<String>,

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
    /// The lever to take back, by its counter-playbook
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    lever: String,

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
    let lever = session.lever(&args.lever)?;
    let kind = Order::lever(session, &lever.name, true, &derive.given().arguments()?)?.entry.playbook.kind;
    let (lever, accept, proofs) = (Some(lever.name.clone()), args.accept.clone(), args.proofs);
    run(session, kind, &Args { lever, playbook: None, safe: None, derive, accept, proofs })
}

pub fn run(session: &Session, kind: Kind, args: &Args) -> Result<Exit, Error> {
    let set = args.derive.given().arguments()?;
    let order = match (&args.lever, &args.playbook, &args.safe) {
        (Some(lever), _, _) => Order::lever(session, lever, args.derive.undo, &set)?,
        (None, Some(playbook), Some(safe)) => {
            Order::new(session, None, args.derive.undo, playbook, safe, set)?
        }
        _ => return home::of_kind(session, kind),
    };
    let found = order.entry.playbook.kind;
    if found != kind {
        let what = args.lever.as_deref().unwrap_or(order.entry.playbook.id.as_str()).to_string();
        let error = Error::new(Exit::Usage, format!("{what} is a {found} playbook, not {kind}"));
        return Err(error.hint(format!("breakglass {found} {what}")));
    }
    if args.derive.undo && args.lever.is_none() {
        return Err(
            Error::new(Exit::Usage, "--undo needs a lever").hint("name the counter-playbook with --playbook")
        );
    }
    let rests = match &args.lever {
        Some(lever) => session.rests_of(lever, args.derive.undo)?,
        None => session.rests_on(order.entry.playbook.id.as_str(), &order.safe.name, false)?,
    };
    session.require_accepted(&[rests], &args.accept.accept)?;
    let rehearsed = session.propose(order, &args.derive.given())?;
    let mut judged = rehearsed.prove(session.ui, args.proofs.proofs)?.judge(false);
    review::review(session.ui, session, &judged);
    obey(&judged.findings, &args.accept.accept)?;
    let accepted = accepted(&judged.findings, &args.accept.accept);
    judged.derived.proposal = judged.derived.proposal.accepting(&accepted);
    finish(session, &judged)
}

fn finish(session: &Session, judged: &Judged) -> Result<Exit, Error> {
    let path = judged.derived.keep(session)?;
    let ui = session.ui;
    let what = judged.proposal().binding().command(&session.council);
    let what = what.unwrap_or_else(|| quoted(&path.display().to_string()));
    ui.say(&Text::default().good("proposed ").add(&path.display().to_string()));
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
        "decided_by_the_chain": review::decided_object(judged),
        "rehearsal": effects::object(judged),
        "rounds": judged.seen.as_ref().map(|seen| seen.link.rounds()),
    }));
    Ok(Exit::Done)
}
