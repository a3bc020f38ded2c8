//! `council add`: adds an entry to the council file, which is checked as a whole before it is written.

use crate::ceremony::trials::council_check::check_levers;
use crate::council::{Council, Edited, EntryKind, NewEntry, TextDigest, add_entry};
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::store;
use crate::view::council_report::Added;

/// Adds the entry. An equal one that exists is left as it is. Fails if another entry has its name, or the file would be
/// invalid with it.
pub fn add(session: &Session, entry: &NewEntry) -> Result<Exit, Error> {
    let (ui, path) = (session.ui, session.path.display().to_string());
    let usage = |message: String| Error::new(Exit::Usage, message);
    let edited =
        add_entry(&session.text, entry).map_err(|e| usage(e.to_string()).hint(format!("edit {path}")))?;
    let mut added = Added::new(&path, format!("{} {}", entry.kind, entry.name));
    if let Edited::Text(text) = edited {
        let council = Council::parse(&path, &text)?;
        if entry.kind == EntryKind::Lever {
            let reports = check_levers(&council, &session.catalogue);
            let report = reports.into_iter().find(|report| report.lever == entry.name);
            if let Some(report) = report.filter(|report| !report.faults.is_empty()) {
                return Err(
                    usage(report.faults.join("; ")).hint("breakglass playbook show explains a playbook")
                );
            }
        }
        store::replace(&session.path, &session.text, &text)?;
        added = added.written(TextDigest::of(&text).short());
    }
    ui.show(&added.lines());
    ui.object(&added);
    Ok(Exit::Done)
}
