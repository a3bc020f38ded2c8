//! `log`: the journal as a table, and whether its chain of digests is whole.

use std::path::PathBuf;

use clap::ValueHint;
use serde_json::{Value, json};

use crate::cli::args::ARGUMENTS;
use crate::error::{Error, Exit};
use crate::incident::{Journal, merge};
use crate::session::Session;
use crate::store::read_log;
use crate::ui::Text;
use crate::view::journal_faults::{self, JournalObject};
use crate::view::journal_table;

/// The most entries in the table: the last ones.
const MOST_SHOWN: usize = 1_000;

const EXAMPLES: &str = "\
Examples:
  breakglass log
  breakglass log --verify
  breakglass log bob-journal.jsonl       both, in the order of time";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Journals of other machines, to be merged with this one's
    #[arg(help_heading = ARGUMENTS, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// List nothing: say whether the chain of digests is whole
    ///
    /// No other line vouches for the last one: compare the digest that is printed with a colleague's copy.
    #[arg(long, help_heading = "Checks")]
    verify: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let own = session.incidents.journal();
    let mut names = vec![own.path().display().to_string()];
    let mut journals = vec![Journal::read(&own.read()?)];
    for file in &args.files {
        journals.push(Journal::read(&read_log(file)?));
        names.push(file.display().to_string());
    }
    let merged = merge(&journals);
    for (name, journal) in names.iter().zip(&journals) {
        session.ui.show(&journal_faults::lines(name, journal));
        if args.verify
            && let Some(last) = journal.last.filter(|_| journal.breaks.is_empty())
        {
            let text = format!("{name}: {} entries, digest {last}", journal.entries.len());
            session.ui.say(&Text::default().good("whole: ").add(&text));
            session.ui.data(&last.to_string());
        }
    }
    for contradiction in &merged.contradictions {
        session.ui.say(&Text::default().bad("contradiction: ").add(&contradiction.to_string()));
    }
    let mut object = json!({
        "journals": names.iter().zip(&journals).map(|(name, j)| JournalObject::new(name, j)).collect::<Vec<_>>(),
        "contradictions": merged.contradictions.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    if args.verify {
        let is_whole = journals.iter().all(|journal| journal.breaks.is_empty());
        if is_whole && merged.contradictions.is_empty() {
            session.ui.object(&object);
            return Ok(Exit::Done);
        }
        let message =
            if is_whole { "the journals contradict each other" } else { "the journal's chain is broken" };
        return Err(Error::new(Exit::Failed, message)
            .hint("compare it with the copies of others, and with the chain: breakglass status")
            .having_done(object));
    }
    if session.ui.is_json() {
        object["entries"] = Value::Array(journal_table::objects(&merged));
    } else {
        let skipped = merged.entries.len().saturating_sub(MOST_SHOWN);
        session.ui.table(
            &journal_table::HEADER,
            &journal_table::rows(&session.council, &merged, journals.len() > 1, skipped),
        );
        if skipped > 0 {
            session.ui.say(&Text::new(&format!("{skipped} earlier entries: breakglass log --json has all")));
        }
        if merged.entries.is_empty() {
            session.ui.say(&Text::new("the journal is empty: commands that act write it"));
        }
    }
    session.ui.object(&object);
    Ok(Exit::Done)
}
