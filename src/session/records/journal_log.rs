//! `log`: shows the journal as a table, and verifies its chain of digests.

use std::path::PathBuf;

use crate::error::{Error, Exit};
use crate::incident::{Journal, merge};
use crate::session::Session;
use crate::store::read_log;
use crate::ui::Text;
use crate::view::journal_faults::JournalsObject;
use crate::view::journal_table::{self, EntryObject};

/// The number of last entries in the table.
const MOST_SHOWN: usize = 1_000;

pub fn list(session: &Session, files: &[PathBuf]) -> Result<Exit, Error> {
    let (ui, Journals { names, all }) = (session.ui, session.journals(files)?);
    let merged = merge(&all);
    let object = JournalsObject::new(&names, &all, &merged);
    ui.show(&object.faults());
    ui.object(&object);
    if ui.is_json() {
        ui.field("entries", &EntryObject::all(&merged));
        return Ok(Exit::Done);
    }
    let skipped = merged.entries.len().saturating_sub(MOST_SHOWN);
    let (header, rows) = journal_table::table(&session.council, &merged, all.len() > 1, skipped);
    ui.table(&header, &rows);
    if skipped > 0 {
        ui.say(&Text::new(&format!("{skipped} earlier entries: breakglass log --json has all")));
    }
    if merged.entries.is_empty() {
        ui.say(&Text::new("the journal is empty: commands that act write it"));
    }
    Ok(Exit::Done)
}

/// Verifies the chain of each journal, and prints its last digest.
pub fn verify(session: &Session, files: &[PathBuf]) -> Result<Exit, Error> {
    let (ui, Journals { names, all }) = (session.ui, session.journals(files)?);
    let object = JournalsObject::new(&names, &all, &merge(&all));
    ui.show(&object.faults());
    ui.show(&object.whole());
    object.digests().for_each(|digest| ui.data(digest));
    if let Some(message) = object.fault() {
        return Err(Error::new(Exit::Failed, message)
            .hint("compare it with the copies of others, and with the chain: breakglass status")
            .having_done(&object));
    }
    ui.object(&object);
    Ok(Exit::Done)
}

/// Journals, this machine's first, and where each was read.
pub struct Journals {
    pub names: Vec<String>,
    pub all: Vec<Journal>,
}

impl Session<'_> {
    /// Reads this machine's journal, and those in the files.
    pub fn journals(&self, files: &[PathBuf]) -> Result<Journals, Error> {
        let own = self.incidents.journal();
        let mut journals = Journals {
            names: vec![own.path().display().to_string()],
            all: vec![Journal::read(&own.read()?)],
        };
        for file in files {
            journals.all.push(Journal::read(&read_log(file)?));
            journals.names.push(file.display().to_string());
        }
        Ok(journals)
    }
}
