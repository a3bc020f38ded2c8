//! `playbook list`: which playbooks there are, by protocol, by a text, or for a contract.

use std::path::Path;

use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, parse_word};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::playbook::{Filter, PlaybookKind, Severity};
use crate::session::Session;
use crate::session::authoring::playbook_acts::{catalogue, for_contract, list};
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  breakglass playbook list                         by protocol
  breakglass playbook list aave freeze
  breakglass playbook list 'setReservePause(address,bool)'
  breakglass playbook list --for vault             what fits this contract
  breakglass playbook list --family lido --severity P1";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Words of the id, title, protocol, or of a function
    ///
    /// All of them must be there. A function also by its selector, an event or error by its name.
    #[arg(help_heading = ARGUMENTS)]
    text: Vec<String>,

    /// Only this kind
    #[arg(long, value_name = "KIND", value_parser = parse_word::<PlaybookKind>(), ignore_case = true)]
    kind: Option<PlaybookKind>,

    /// Only protocols whose name contains this
    #[arg(long, value_name = "TEXT")]
    family: Option<String>,

    /// Only this severity; P1 is the gravest
    #[arg(long, value_name = "P1", value_parser = parse_word::<Severity>(), ignore_case = true)]
    severity: Option<Severity>,

    /// Only those that fit a contract: an address, or a target
    ///
    /// Its code is read from the chain, a proxy's implementation too. A playbook fits if the code has the functions that
    /// it calls and asks. It says nothing about what those functions do.
    #[arg(long = "for", value_name = "CONTRACT", add = ArgValueCompleter::new(complete::targets))]
    contract: Option<String>,

    /// The chain of --for [default: the only one it can be]
    #[arg(long, value_name = "NAME", requires = "contract", add = ArgValueCompleter::new(complete::chains))]
    chain: Option<String>,
}

pub fn run<'a>(
    ui: &Ui,
    council: Option<&Path>,
    session: impl FnOnce() -> Result<Session<'a>, Error>,
    args: &Args,
) -> Result<Exit, Error> {
    let filter = Filter {
        text: args.text.join(" "),
        kind: args.kind,
        family: args.family.clone(),
        severity: args.severity,
    };
    match &args.contract {
        Some(contract) => for_contract(&session()?, (contract, args.chain.as_deref()), &filter),
        None => Ok(list(ui, &catalogue(ui, council)?, &filter)),
    }
}
