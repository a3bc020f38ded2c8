//! `card`: what a signer keeps on paper, a second source that needs no second person.

use clap_complete::ArgValueCompleter;

use crate::ceremony::order::Given;
use crate::cli::args::{ARGUMENTS, Accept, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::safe::Nonces;
use crate::session::{Session, card_printing};

const EXAMPLES: &str = "\
Examples:
  breakglass card vault --nonces 42..46 | lpr
  breakglass card vault bridge --nonces 42..46
  breakglass card vault                   the next five nonces";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers; those named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    levers: Vec<String>,

    /// The Safe's nonces, both included [default: the next five]
    ///
    /// With them no network is needed, if the council file has the Safe's version and the lever reads nothing. A lever
    /// that stands alone in a combined one gets the nonces after them.
    #[arg(long, value_name = "A..B")]
    nonces: Option<Nonces>,

    /// An argument that the lever leaves open; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_set, add = ArgValueCompleter::new(complete::arguments))]
    set: Vec<(String, String)>,

    /// Leave out a lever that a combined one pulls; may be given again
    #[arg(long, value_name = "LEVER", add = ArgValueCompleter::new(complete::levers))]
    without: Vec<String>,

    /// The card of its counter-playbook
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    accept: Accept,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given =
        Given { set: args.set.clone(), without: args.without.clone(), undo: args.undo, ..Given::default() };
    // A card is trusted later: it must rest on texts that their reader has accepted.
    session.require_accepted(&session.rests_of(&args.levers, &given)?, &args.accept.accept)?;
    card_printing::print(session, &session.cards(&args.levers, &given, args.nonces)?)
}
