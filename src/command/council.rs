//! `council check`: what is wrong with the council file, lever by lever. `council add` is a file of its own.

use clap::Subcommand;

use crate::command::council_add;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::view::council_report;

const EXAMPLES: &str = "\
Examples:
  breakglass council check
  breakglass council check --offline
  breakglass council add lever vault pause/oz-pausable target=vault";

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true, after_help = EXAMPLES)]
pub enum Args {
    /// Say what is wrong with each lever; exit code 1 if one is bad
    ///
    /// Every lever's playbook, arguments and targets; on the chain, that each target is a contract, and that the levers
    /// of a combined one can be pulled together. Run it whenever the file has changed.
    Check(CouncilCheckArgs),
    /// Add an entry to the council file; comments stay
    ///
    /// The whole file is checked before it is written, and nothing that is there is changed.
    #[command(subcommand)]
    Add(council_add::Args),
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Checks", after_help = EXAMPLES)]
pub struct CouncilCheckArgs {
    /// Ask no network: the chains are not looked at
    #[arg(long)]
    offline: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let CouncilCheckArgs { offline } = match args {
        Args::Check(args) => args,
        Args::Add(args) => return council_add::run(session, args),
    };
    let report = session.check_council(*offline);
    session.ui.show(&council_report::lines(&report));
    session.ui.object(&council_report::object(&session.council.name, &report));
    report.verdict(&session.path)
}
