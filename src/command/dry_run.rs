//! `dry-run`: rehearses now, and says whether it succeeds and leaves what the playbook promises.

use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::online::ReadPoint;
use crate::ceremony::rehearsal;
use crate::cli::args::{ARGUMENTS, Derive, Proofs};
use crate::cli::complete;
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::session::Session;
use crate::session::each_part::each;
use crate::view::decision::ReviewAnswer;
use crate::view::trace_lines::CallTree;
use crate::view::{what_changes, what_it_does};

const EXAMPLES: &str = "\
Examples:
  breakglass dry-run vault
  breakglass dry-run vault --at 21345678 --trace
  breakglass dry-run vault --fork-url http://127.0.0.1:8545";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; levers named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    derive: Derive,

    /// After this block instead of the latest
    #[arg(long, allow_negative_numbers = true, value_name = "BLOCK")]
    at: Option<u64>,

    /// On this RPC alone, a running anvil for instance
    ///
    /// '${NAME}', in single quotes, for one that an environment variable holds.
    #[arg(long, value_name = "URL")]
    fork_url: Option<String>,

    #[command(flatten)]
    proofs: Proofs,

    /// Show every call that it makes
    #[arg(long, help_heading = "Output")]
    trace: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = args.derive.given();
    session.note_changes(&session.rests_of(&args.what, &given)?)?;
    let parts = session.look_at_each(session.parts(&args.what, &given)?, |found| {
        let found = session.for_purpose(found, &given, CommandPurpose::Finish)?;
        let view = view(session, args, found.safe())?;
        session.look_at(found, view, &given, true, None)
    });
    each(session, parts, args.proofs.proofs, false, |judged| one(session, args, &judged))
}

/// The chain and the block that the command line names, or else the newest.
fn view(session: &Session, args: &Args, safe: &council::Safe) -> Result<ReadPoint, Error> {
    let link = session.connect_or_fork(safe, args.fork_url.as_deref())?;
    Ok(ReadPoint { link, at: args.at.map_or(BlockTag::Latest, BlockTag::Number) })
}

fn one(session: &Session, args: &Args, judged: &Judged) -> Result<Exit, Error> {
    let summary = session.review(judged, &[]);
    session.ui.object(&object(judged));
    if args.trace {
        let calls = CallTree::new(session, judged);
        if let Some(calls) = &calls {
            session.ui.show(&calls.lines());
        }
        session.ui.object(&json!({ "trace": calls }));
    }
    session.ui.object(&json!({ "summary": summary }));
    if let ReviewAnswer::NothingToDo(_) = summary.answer {
        return Ok(Exit::Done);
    }
    let Some(done) = judged.rehearsal.done() else {
        return Err(match judged.rehearsal.failure() {
            Some(why) => {
                Error::new(Exit::Network, why).hint("nothing is shown of a rehearsal that lacks a value")
            }
            None => Error::new(
                Exit::Drift,
                format!("nonce {} is used: there is nothing to rehearse", judged.proposal().nonce()),
            )
            .hint("breakglass status tells what became of it; --at BLOCK rehearses it in the past"),
        });
    };
    if let Err(why) = rehearsal::outcome(&done.rehearsal, judged.plan(), &judged.derived.names) {
        return Err(Error::new(Exit::Failed, format!("the rehearsal fails: {why}")));
    }
    if let Some(verdict) = done.after.iter().find(|verdict| !verdict.holds) {
        return Err(Error::new(Exit::Failed, format!("it would not do its work: {}", verdict.sentence)));
    }
    let gas = done.rehearsal.gas_used;
    session.ui.data(&format!("would succeed at block {}, {gas} gas", done.block));
    Ok(Exit::Done)
}

fn object(judged: &Judged) -> Value {
    let mut object = what_changes::object(judged);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("decided_by_the_chain".into(), what_it_does::decided_object(judged));
        fields.insert("safe_tx_hash".into(), json!(judged.proposal().hash().to_string()));
        if let Some(seen) = &judged.seen {
            fields.insert("rounds".into(), json!(seen.link.rounds()));
        }
    }
    object
}
