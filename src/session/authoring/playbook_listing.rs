//! `playbook list`: the playbooks by protocol, by a text, or for a contract.

use crate::ceremony::discovery::contract::selectors_of;
use crate::error::{Error, Exit};
use crate::playbook::{Catalogue, Dictionary, Filter, Fit, LibraryEntry, Origin, PlaybookSummary};
use crate::session::Session;
use crate::ui::{Text, Ui};
use crate::view::playbook_texts::playbook_list::{
    FITTING, FittingObject, binding_command, fitting, overview, rows, shelves,
};
use crate::view::playbook_texts::playbook_text::Brief;

/// Lists the playbooks of a catalogue that a filter admits.
pub fn list(ui: &Ui, catalogue: &Catalogue, filter: &Filter) -> Exit {
    // Files without a readable id were named when the council's playbooks were read.
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

/// Lists the playbooks that fit the code of a contract, on the named chain or the only one that it can be on.
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
