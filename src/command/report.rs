//! `report`: the record of an incident, and drafts of what is told about it.

use std::path::PathBuf;

use clap::ValueHint;

use crate::cli::args::ARGUMENTS;
use crate::error::{Error, Exit};
use crate::incident::Utc;
use crate::session::Session;
use crate::session::records::reporting::{self, ReportTerms};
use crate::view::record::{DoraStage, DraftAudience};

const EXAMPLES: &str = "\
Examples:
  breakglass report                       the last incident, as Markdown
  breakglass report --html incident.html --journal bob.jsonl
  breakglass report vault --draft users";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The entry that opened it, by its number, or a lever [default: the last]
    #[arg(help_heading = ARGUMENTS, value_name = "INCIDENT")]
    what: Option<String>,

    /// Everything since a moment, such as 2026-11-26T05:00:00.000Z
    #[arg(long, value_name = "TIME", conflicts_with = "what")]
    since: Option<Utc>,

    /// The journal of another machine, to be merged; may be given again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    journal: Vec<PathBuf>,

    /// Ask no network: what the journals state, and nothing of the chain
    #[arg(long, help_heading = "Checks")]
    offline: bool,

    /// Write one page of HTML to this new file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    html: Option<PathBuf>,

    /// A draft of a message, to be finished by a person
    ///
    /// A file drafts/NAME.md beside the council file replaces the program's own template.
    #[arg(long, value_enum, value_name = "FOR", help_heading = "Output")]
    draft: Option<DraftAudience>,

    /// Which report of the three a regulator gets
    #[arg(long, value_enum, value_name = "STAGE", default_value = "initial", help_heading = "Output")]
    stage: DoraStage,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let terms = ReportTerms {
        what: args.what.as_deref(),
        since: args.since,
        journals: &args.journal,
        offline: args.offline,
        html: args.html.as_deref(),
        draft: args.draft,
        stage: args.stage,
    };
    reporting::run(session, &terms)
}
