//! `init`: writes a first council file from a Safe as the chain has it, and overwrites nothing.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;

use crate::ceremony::discovery::first_council::{FirstCouncil, owner_names};
use crate::ceremony::discovery::new_safe::{read_first, usual_name};
use crate::council::{Council, FILE_NAME};
use crate::error::{Error, Exit};
use crate::store;
use crate::ui::{Text, Ui};

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
