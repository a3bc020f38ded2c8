//! `incident open`, `note`, `close`: what belongs together in the journal.

use clap::Subcommand;
use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, parse_word};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::playbook::Severity;
use crate::session::Session;
use crate::session::records::incident_acts::{self, Opening};

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true, after_help = EXAMPLES)]
pub enum Args {
    /// Open an incident: what is done until it is closed belongs to it
    Open(OpenArgs),
    /// Write a note into the journal
    Note(NoteArgs),
    /// Close the incident that is open
    #[command(after_help = "Examples:\n  breakglass incident close")]
    Close,
}

const EXAMPLES: &str = "\
Examples:
  breakglass incident open \"vault is drained\" --severity P1 --leads alice
  breakglass incident note \"frontend taken down by the operator\"
  breakglass incident close";

const OPEN_EXAMPLES: &str = "\
Examples:
  breakglass incident open \"vault is drained\" --severity P1
  breakglass incident open \"oracle is stale\" --severity P2 --leads alice";

const NOTE_EXAMPLES: &str = "\
Examples:
  breakglass incident note \"frontend taken down by the operator\"";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = OPEN_EXAMPLES)]
pub struct OpenArgs {
    /// A title: a few words on what is going on
    #[arg(help_heading = ARGUMENTS)]
    title: String,

    /// The severity; P1 is the gravest
    #[arg(long, value_name = "P1", value_parser = parse_word::<Severity>(), ignore_case = true)]
    severity: Severity,

    /// The person who leads
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::signers))]
    leads: Option<String>,

    /// The person who speaks to the public and to partners
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::signers))]
    speaks: Option<String>,

    /// The person who writes down what happens
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::signers))]
    writes: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = NOTE_EXAMPLES)]
pub struct NoteArgs {
    /// A sentence on what happened
    #[arg(help_heading = ARGUMENTS)]
    text: String,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    match args {
        Args::Open(args) => {
            let opening = Opening {
                title: &args.title,
                severity: args.severity,
                leads: args.leads.as_deref(),
                speaks: args.speaks.as_deref(),
                writes: args.writes.as_deref(),
            };
            incident_acts::open(session, &opening)
        }
        Args::Note(args) => incident_acts::note(session, &args.text),
        Args::Close => incident_acts::close(session),
    }
}
