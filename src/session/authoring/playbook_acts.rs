//! `playbook show`, `check`, `test` and `schema`.

use std::path::{Path, PathBuf};

use crate::ceremony::desk::{Desk, find_council};
use crate::error::{Error, Exit};
use crate::playbook::{self, Catalogue, check_files};
use crate::session::Session;
use crate::store;
use crate::ui::Ui;
use crate::view::playbook_texts::playbook_text::{self, Whole, explained, lever};
use crate::view::playbook_texts::tried::Tried;

/// The most files that are checked together.
const MOST_CHECKED: usize = 10_000;

/// The flags of `playbook test`.
pub struct Trying<'t> {
    /// Its id, or its file.
    pub what: &'t str,
    /// The Safe that pulls it, and the one that undoes it.
    pub safe: Option<&'t str>,
    pub undo_safe: Option<&'t str>,
    pub set: &'t [(String, String)],
    /// The one RPC that is asked.
    pub fork_url: Option<&'t str>,
}

/// Returns the council's catalogue if there is a council file, or else the built-in library.
pub fn catalogue(ui: &Ui, council: Option<&Path>) -> Result<Catalogue, Error> {
    if council.is_none() && find_council(ui)?.is_none() {
        return Ok(Catalogue::new(Vec::new()));
    }
    Ok(Desk::load(ui, council)?.catalogue)
}

pub fn show(ui: &Ui, council: Option<&Path>, id: &str) -> Result<Exit, Error> {
    let catalogue = catalogue(ui, council)?;
    let entry = catalogue.get(id)?;
    let playbook = entry.playbook;
    ui.data(&format!("{}   {} · {}", playbook.id, playbook.kind, playbook.severity));
    ui.data(&playbook.title);
    ui.data("");
    ui.table(&["", ""], &explained(playbook, &entry.origin));
    ui.data("");
    ui.data_block(&lever(playbook));
    ui.data("");
    ui.data_block(playbook.text());
    ui.object(&Whole::from(&entry));
    Ok(Exit::Done)
}

/// Prints the JSON Schema of a playbook's file.
pub fn schema(ui: &Ui) -> Exit {
    let schema = playbook::schema();
    ui.data_block(&format!("{schema:#}"));
    ui.object(&schema);
    Exit::Done
}

/// Returns every `.toml` in a folder: all of them, or an error.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let files = store::files_below(folder, "toml", MOST_CHECKED)?;
    if files.left > 0 {
        let message = format!("{} holds more than {MOST_CHECKED} .toml files, or too deep", folder.display());
        return Err(Error::new(Exit::Failed, message).hint("name the folder of the playbooks that you mean"));
    }
    Ok(files.paths)
}

/// Reads one file, or every `.toml` in a folder; the first fault of each file is shown with line and caret.
pub fn check(ui: &Ui, path: &Path) -> Result<Exit, Error> {
    let files = if store::is_folder(path) { files_in(path)? } else { vec![path.to_path_buf()] };
    if files.is_empty() {
        return Err(Error::new(Exit::Failed, format!("{} holds no .toml file", path.display())));
    }
    let read = |file: &PathBuf| {
        let text = store::read_text_up_to(playbook::MOST_BYTES, file);
        (file.display().to_string(), text.map_err(|error| error.to_string()))
    };
    let checked = check_files(&files.iter().map(read).collect::<Vec<_>>());
    for one in &checked {
        ui.show(&playbook_text::checked(one));
    }
    let faulty = checked.iter().filter(|one| !one.faults.is_empty()).map(|one| one.file.as_str());
    let faulty: Vec<&str> = faulty.collect();
    if faulty.is_empty() {
        ui.field("playbooks", &checked);
        return Ok(Exit::Done);
    }
    Err(Error::new(Exit::Failed, format!("{} of {} playbooks have faults", faulty.len(), files.len()))
        .hint(format!("fix {}", faulty.join(", "))))
}

/// Tries a playbook on a fork; nothing is sent. Fails if it does not keep its promise, cannot be undone, or works for a
/// stranger.
pub fn test(mut session: Session, trying: &Trying) -> Result<Exit, Error> {
    let path = Path::new(trying.what);
    let playbook = if path.extension().is_some_and(|e| e == "toml") {
        let text = store::read_text_up_to(playbook::MOST_BYTES, path)?;
        session.desk.catalogue.put(trying.what, &text)?.to_string()
    } else {
        trying.what.to_string()
    };
    let (ui, desk) = (session.ui, &session.desk);
    let safe = desk.only_safe(trying.safe)?;
    let link = desk.connect_or_fork(safe, trying.fork_url)?;
    let tried = desk.try_playbook(&playbook, safe, trying.undo_safe, trying.set, &link)?;
    let shown = Tried::new(&playbook, safe, &tried, link.rounds());
    ui.data(&shown.headline());
    ui.table(&["", ""], &tried.report.rows);
    ui.object(&tried.report.parts);
    ui.object(&shown);
    tried.report.wrong.map_or(Ok(Exit::Done), |(_, error)| Err(error))
}
