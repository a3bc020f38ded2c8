//! `playbook list`, `show`, `check`, `new`, `test` and `schema`.

use std::path::{Path, PathBuf};

use crate::ceremony::desk::{Desk, find_council};
use crate::ceremony::discovery::contract::selectors_of;
use crate::ceremony::order::named_once;
use crate::error::{Error, Exit};
use crate::playbook::{
    self, Catalogue, Dictionary, DraftError, Filter, Fit, LibraryEntry, Origin, PlaybookSummary,
    ScaffoldInput, Signatures, check_files, draft,
};
use crate::session::Session;
use crate::store;
use crate::ui::{Text, Ui};
use crate::view::playbook_texts::playbook_draft;
use crate::view::playbook_texts::playbook_list::{
    FITTING, FittingObject, binding_command, fitting, overview, rows, shelves,
};
use crate::view::playbook_texts::playbook_text::{self, Brief, Whole, explained, lever};
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
    ui.data_block(playbook::SCHEMA.trim_end());
    ui.object(&serde_json::from_str::<serde_json::Value>(playbook::SCHEMA).unwrap_or_default());
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

/// A person's wishes.
pub struct DraftTerms<'w> {
    pub id: &'w str,
    pub call: &'w str,
    pub view: Option<&'w str>,
    pub abi: Option<&'w Path>,
    /// Arguments of the call.
    pub set: &'w [(String, String)],
}

/// The contract on chain, where one is looked at.
pub struct ContractOnChain<'o> {
    pub session: Session<'o>,
    pub contract: &'o str,
    pub chain: Option<&'o str>,
    /// The Safe that calls it in the rehearsal.
    pub safe: Option<&'o str>,
}

/// Prints a first playbook.
pub fn new(ui: &Ui, terms: &DraftTerms, on_chain: Option<&ContractOnChain>) -> Result<Exit, Error> {
    let given = named_once(terms.set)?;
    let abi = terms.abi.map(store::read_text).transpose()?;
    let abi = abi.map(|text| Signatures::abi(&text).map_err(|error| usage(&error))).transpose()?;
    let (from, seen) = match on_chain {
        None => (abi.unwrap_or_else(Signatures::written), Vec::new()),
        Some(ContractOnChain { session, contract, chain, safe }) => {
            let desk = &session.desk;
            let place = desk.place(contract, *chain)?;
            let from = match abi {
                Some(abi) => abi,
                None => desk.signatures_at(place)?,
            };
            let function = from.function(terms.call).map_err(|error| usage(&error))?;
            let (views, nameless) = from.bare_views();
            let seen = desk.observed_changes(place, desk.only_safe(*safe)?, &function, &given, &views)?;
            ui.show(&playbook_draft::changes(&seen, nameless));
            (from, seen.changes)
        }
    };
    let input =
        ScaffoldInput { id: terms.id, call: terms.call, view: terms.view, given: &given, seen: &seen };
    let text = draft(&from, &input).map_err(|error| usage(&error))?;
    ui.data_block(&text);
    ui.object(&playbook_draft::object(terms.id, &text, &seen));
    ui.say(&Text::new(&format!(
        "save it as playbooks/{}.toml beside the council file, say what is left to say, then: breakglass playbook \
         check playbooks",
        terms.id
    )));
    Ok(Exit::Done)
}

fn usage(error: &DraftError) -> Error {
    Error::new(Exit::Usage, error.to_string())
}

/// Lists the playbooks of a catalogue that a filter admits.
pub fn list(ui: &Ui, catalogue: &Catalogue, filter: &Filter) -> Exit {
    // Those of which not even the id can be told were named when the council's playbooks were read.
    for fault in catalogue.faults().iter().skip(catalogue.unnamed().len()) {
        ui.say(&Text::default().warn("left out: ").add(&fault.headline()));
    }
    let mut entries = catalogue.summaries();
    entries.retain(|(summary, ..)| filter.admits(catalogue, summary));
    let listed: Vec<(PlaybookSummary, Origin)> =
        entries.iter().map(|(summary, origin, _)| (summary.clone(), origin.clone())).collect();
    let shelves = shelves(&listed);
    if listed.is_empty() {
        ui.say(&Text::new("no playbook is about that, of that kind, family and severity"));
        ui.say(&Text::new("see all: ").bold("breakglass playbook list"));
    } else if filter.is_set() {
        ui.table(&["playbook", "what it does", "undo", "severity"], &rows(&shelves));
    } else {
        for line in overview(&shelves, ui.width()) {
            ui.data(&line);
        }
        ui.say(&Text::new("see their ids and what they do: ").bold("breakglass playbook list TEXT"));
    }
    if ui.is_json() {
        let all: Vec<Brief> =
            entries.iter().map(|(summary, origin, text)| Brief::new(summary, origin, text)).collect();
        ui.field("playbooks", &all);
    }
    Exit::Done
}

/// Lists the playbooks that fit the code of a contract, on the only chain that it can be or on the one that is named.
pub fn for_contract(
    session: &Session,
    (contract, chain): (&str, Option<&str>),
    filter: &Filter,
) -> Result<Exit, Error> {
    let (ui, desk) = (session.ui, &session.desk);
    let place = desk.place(contract, chain)?;
    let has = selectors_of(&desk.code_at(place)?);
    let found = desk.playbooks_for(place, &has);
    let admitted = |(entry, _): &(LibraryEntry<'_>, Fit<'_>)| {
        filter.admits(&desk.catalogue, &PlaybookSummary::from(entry.playbook))
    };
    let found: Vec<(LibraryEntry<'_>, Fit<'_>)> = found.into_iter().filter(admitted).collect();
    let named = desk.council.names_on(&place.chain.name).name(place.address).map(|name| format!(" ({name})"));
    let who = format!("{}{} on {}", place.address, named.unwrap_or_default(), place.chain.name);
    ui.say(&Text::default().bold(&who).add(&format!(": {} functions found in its code", has.len())));
    let rows = fitting(&found);
    if rows.is_empty() {
        ui.say(&Text::new("no playbook fits: write one with ").bold("breakglass playbook new"));
    } else {
        ui.table(&FITTING, &rows);
        let try_it = "a name does not say what a function does: try a playbook on a fork with ";
        ui.say(&Text::new(try_it).bold("breakglass playbook test"));
        if let Some(command) = binding_command(&rows, contract) {
            ui.say(&Text::new("bind one: ").bold(&command));
        }
    }
    let words = Dictionary::new(desk.catalogue.all().iter().map(|entry| entry.playbook));
    ui.object(&FittingObject::new(place, &has, &words, &found));
    Ok(Exit::Done)
}
