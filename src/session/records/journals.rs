//! This machine's journal, and those of others.

use std::path::PathBuf;

use crate::error::Error;
use crate::incident::Journal;
use crate::session::Session;
use crate::store::read_log;

/// Journals, this machine's first, and the file of each.
pub struct Journals {
    pub names: Vec<String>,
    pub all: Vec<Journal>,
}

impl Session<'_> {
    /// Reads this machine's journal, and those in `files`.
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
