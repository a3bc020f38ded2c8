//! `playbook list`: which playbooks there are, by protocol, by a text, or for a contract.

use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::catalogue;
use crate::ceremony::contract::selectors_of;
use crate::ceremony::desk::Desk;
use crate::cli::args::ARGUMENTS;
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::playbook::{
    Catalogue, Dictionary, Filter, Fit, LibraryEntry, Origin, PlaybookKind, PlaybookSummary, Severity, Word,
};
use crate::ui::{Text, Ui};
use crate::view::playbook_list::{FittingObject, fitting, overview, rows, shelves};
use crate::view::playbook_text::Brief;

const EXAMPLES: &str = "\
Examples:
  breakglass playbook list                         by protocol
  breakglass playbook list aave freeze
  breakglass playbook list 'setReservePause(address,bool)'
  breakglass playbook list --for vault             what fits this contract
  breakglass playbook list --family lido --severity P1";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Words of the id, title, protocol, or of a function
    ///
    /// All of them must be there. A function also by its selector, an event or error by its name.
    #[arg(help_heading = ARGUMENTS)]
    text: Vec<String>,

    /// Only this kind
    #[arg(long, value_name = "KIND", value_parser = word::<PlaybookKind>(), ignore_case = true)]
    kind: Option<PlaybookKind>,

    /// Only protocols whose name contains this
    #[arg(long, value_name = "TEXT")]
    family: Option<String>,

    /// Only this severity; P1 is the gravest
    #[arg(long, value_name = "P1", value_parser = word::<Severity>(), ignore_case = true)]
    severity: Option<Severity>,

    /// Only those that fit a contract: an address, or a target
    ///
    /// Its code is read from the chain, a proxy's implementation too. A playbook fits if the code has the functions that
    /// it calls and asks. It says nothing about what those functions do.
    #[arg(long = "for", value_name = "CONTRACT", add = ArgValueCompleter::new(complete::targets))]
    contract: Option<String>,

    /// The chain of --for [default: the only one it can be]
    #[arg(long, value_name = "NAME", requires = "contract", add = ArgValueCompleter::new(complete::chains))]
    chain: Option<String>,
}

/// Reads one of the words of an enumeration, in any case.
fn word<T: Word + Send + Sync>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::ALL.iter().map(|(name, _)| *name)).try_map(|given| {
        let same = |(name, _): &&(&str, T)| name.eq_ignore_ascii_case(&given);
        T::ALL.iter().find(same).map(|(_, value)| *value).ok_or("not one of the words")
    })
}

impl Args {
    fn filter(&self) -> Filter {
        let (family, text) = (self.family.clone(), self.text.join(" "));
        Filter { text, kind: self.kind, family, severity: self.severity }
    }
}

pub fn run(ui: &Ui, council: Option<&Path>, quorum: Option<u8>, args: &Args) -> Result<Exit, Error> {
    if let Some(contract) = &args.contract {
        let desk = Desk::load(ui, council)?.with_quorum(quorum);
        return for_contract(ui, &desk, args, contract);
    }
    list(ui, &catalogue(ui, council)?, &args.filter());
    Ok(Exit::Done)
}

fn list(ui: &Ui, catalogue: &Catalogue, filter: &Filter) {
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
        ui.object(&json!({ "playbooks": all }));
    }
}

/// The playbooks that fit the code of a contract.
fn for_contract(ui: &Ui, desk: &Desk<'_>, args: &Args, contract: &str) -> Result<Exit, Error> {
    let place = desk.place(contract, args.chain.as_deref())?;
    let has = selectors_of(&desk.code_at(place)?);
    let (found, filter) = (desk.playbooks_for(place, &has), args.filter());
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
        ui.table(&["playbook", "given as", "undo", "knows"], &rows);
        let try_it = "a name does not say what a function does: try a playbook on a fork with ";
        ui.say(&Text::new(try_it).bold("breakglass playbook test"));
    }
    let words = Dictionary::new(desk.catalogue.all().iter().map(|entry| entry.playbook));
    ui.object(&FittingObject::new(place, &has, &words, &found));
    Ok(Exit::Done)
}
