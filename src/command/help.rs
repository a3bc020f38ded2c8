//! `help`: the page of a command, or a longer text about something that several commands share.

use clap::CommandFactory;

use crate::cli::args::ARGUMENTS;
use crate::cli::topics;
use crate::command::Cli;
use crate::error::{Error, Exit};
use crate::ui::Ui;

const EXAMPLES: &str = "\
Topics: alarms, deputies, drill, exit-codes, files, ledger, offline, playbooks,
        readiness, refusals, settings

Examples:
  breakglass help offline
  breakglass help playbook test";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// A topic, or a command
    #[arg(help_heading = ARGUMENTS, value_name = "TOPIC")]
    what: Vec<String>,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, Error> {
    let page = topics::page(Cli::command(), &args.what)?;
    if !ui.is_json() {
        ui.script(&page.text);
    }
    ui.object(&page);
    Ok(Exit::Done)
}
