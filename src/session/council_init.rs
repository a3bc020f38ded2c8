//! `init`: writes a first council file from a Safe as the chain has it, and overwrites nothing.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;

use crate::ceremony::discovery::first_council::{FirstCouncil, owner_names};
use crate::ceremony::discovery::new_safe::{read_first, usual_name};
use crate::ceremony::trials::council_check::check_levers;
use crate::council::{Council, Edited, EntryKind, FILE_NAME, NewEntry, TextDigest, add_entry};
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::store;
use crate::ui::{Text, Ui};
use crate::view::council_report::Added;

/// The commands that are suggested after the first council file.
const NEXT: [&str; 3] = [
    "breakglass council add target vault 0xYourContract",
    "breakglass playbook list --for vault",
    "breakglass council add lever vault pause/oz-pausable target=vault",
];

/// The flags of `init`: the Safe, and names for all that the file names.
pub struct InitTerms<'w> {
    pub safe: Address,
    pub rpc: &'w [String],
    pub owners: &'w [(String, Address)],
    pub name: &'w str,
    pub chain: Option<&'w str>,
    pub safe_name: &'w str,
}

/// Writes the file.
pub fn run(ui: &Ui, council: Option<&Path>, terms: &InitTerms) -> Result<Exit, Error> {
    let path = council.map_or_else(|| PathBuf::from(FILE_NAME), Path::to_path_buf);
    if store::is_taken(&path) {
        let message = format!("{} already exists, and nothing is overwritten", path.display());
        return Err(Error::new(Exit::Failed, message).hint("name another file with --council FILE"));
    }
    let (chain_id, snapshot) = read_first(ui, terms.safe, terms.rpc)?;
    let chain = terms.chain.map_or_else(|| usual_name(chain_id), String::from);
    let first = FirstCouncil {
        name: terms.name,
        chain: &chain,
        chain_id,
        rpc: terms.rpc,
        safe_name: terms.safe_name,
        owners: owner_names(terms.owners, snapshot.state.owners.list())?,
        snapshot: &snapshot,
    };
    let text = first.text();
    // The text must be readable before it is written.
    Council::parse(&path.display().to_string(), &text)?;
    store::create_new(&path, &text)?;
    ui.say(&Text::default().good("wrote ").add(&path.display().to_string()));
    ui.say(&Text::new(&first.headline()));
    for warning in first.warnings() {
        ui.say(&Text::default().warn("! ").add(&warning));
    }
    ui.say(&Text::new("next: compare the owners with your own records, and name them in the file."));
    ui.say(&Text::new("Then bind a lever:"));
    for command in NEXT {
        ui.say(&Text::new("  ").add(command));
    }
    ui.field("council", &path.display().to_string());
    ui.field("chain_id", &chain_id);
    Ok(Exit::Done)
}

/// Adds the entry. One that is there already is left as it is.
/// Fails if another entry has its name, or the file would not be good with it.
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
