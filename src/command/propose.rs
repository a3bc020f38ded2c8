//! `pause`, `param`, `rotate`: a lever becomes a proposal file.

use clap_complete::ArgValueCompleter;

use crate::ceremony::order::{Given, Order};
use crate::ceremony::verb::verb;
use crate::cli::args::{ARGUMENTS, TransactionArgs};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::playbook::PlaybookKind;
use crate::session::proposing::{self, ProposeTerms};
use crate::session::{Session, levers_now};

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
    transaction: TransactionArgs,
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
    transaction: TransactionArgs,
}

/// `undo LEVER` is the lever's own verb with `--undo`.
pub fn undo(session: &Session, args: &UndoArgs) -> Result<Exit, Error> {
    let given = Given { undo: true, ..args.transaction.derive.given() };
    let kind = verb(&Order::parts(session, &args.lever, &given)?);
    proposing::propose(session, kind, &terms(&args.lever, &given, &args.transaction))
}

pub fn run(session: &Session, kind: PlaybookKind, args: &Args) -> Result<Exit, Error> {
    let given = args.transaction.derive.given();
    let terms = terms(&args.lever, &given, &args.transaction);
    match (&args.playbook, &args.safe) {
        (Some(playbook), Some(safe)) => proposing::propose_playbook(session, kind, (playbook, safe), &terms),
        _ if args.lever.is_empty() => Ok(levers_now::of_kind(session, kind)),
        _ => proposing::propose(session, kind, &terms),
    }
}

/// Returns a person's wishes, for a drill too.
pub fn terms<'w>(levers: &'w [String], given: &'w Given, args: &'w TransactionArgs) -> ProposeTerms<'w> {
    ProposeTerms { levers, given, accept: args.accepted(), proofs: args.proofs() }
}
