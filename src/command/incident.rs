//! `incident open`, `note`, `close`: what belongs together in the journal.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::cli::args::ARGUMENTS;
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::incident::{Journal, JournalAct, Plain, open_incident};
use crate::playbook::{Severity, Word};
use crate::session::Session;
use crate::ui::Text;
use crate::view::journal_table::describe;

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
    #[arg(long, value_name = "P1", value_parser = PossibleValuesParser::new(Severity::ALL.iter().map(|(word, _)| *word)), ignore_case = true)]
    severity: String,

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
    // A note is added whatever is open: a long journal is not read for it.
    let journal = match args {
        Args::Note(_) => Journal::default(),
        Args::Open(_) | Args::Close => Journal::read(&session.incidents.journal().read()?),
    };
    let open = open_incident(journal.iter());
    let act = match args {
        Args::Open(args) => {
            if let Some(open) = open {
                let message = format!("an incident is open: {}", describe(&session.council, &open.draft.act));
                return Err(Error::new(Exit::Usage, message)
                    .hint("what is done now belongs to it: breakglass incident note \"…\"")
                    .hint("or end it first: breakglass incident close"));
            }
            opened(session, args)?
        }
        Args::Note(args) => JournalAct::Note { text: plain("the note", &args.text)? },
        Args::Close if open.is_none() => {
            return Err(
                Error::new(Exit::Usage, "no incident is open").hint("breakglass log shows the last ones")
            );
        }
        Args::Close => JournalAct::Closed {},
    };
    let text = describe(&session.council, &act);
    session.write(act)?;
    session.ui.say(&Text::default().good("written: ").add(&text));
    session.ui.object(&json!({
        "written": text, "journal": session.incidents.journal().path().display().to_string(),
    }));
    Ok(Exit::Done)
}

fn opened(session: &Session, args: &OpenArgs) -> Result<JournalAct, Error> {
    let severity = Severity::ALL.iter().find(|(word, _)| word.eq_ignore_ascii_case(&args.severity));
    let severity = severity.map_or(Severity::P1, |(_, severity)| *severity);
    let person = |name: &Option<String>| name.as_ref().map(|name| session.known_name(name)).transpose();
    Ok(JournalAct::Opened {
        title: plain("the title", &args.title)?,
        severity,
        leads: person(&args.leads)?,
        speaks: person(&args.speaks)?,
        writes: person(&args.writes)?,
    })
}

fn plain(what: &str, text: &str) -> Result<Plain, Error> {
    Plain::new(text).map_err(|why| {
        Error::new(Exit::Usage, format!("{what} cannot be written: {why}")).hint("write one short sentence")
    })
}
