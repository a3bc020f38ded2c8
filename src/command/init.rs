//! `init`: a first council file, from a Safe as the chain has it. Overwrites nothing.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use serde_json::json;

use crate::ceremony::first_council::{FirstCouncil, owner_names};
use crate::ceremony::new_safe::{read_first, usual_name};
use crate::council::{Council, FILE_NAME};
use crate::error::{Error, Exit};
use crate::safe::parse_address;
use crate::store;
use crate::ui::{Text, Ui};

const EXAMPLES: &str = "\
Examples:
  breakglass init --safe 0x… --rpc '${MAINNET_RPC}'
  breakglass init --safe 0x… --rpc '${MAINNET_RPC}' --owner alice=0x…";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The Safe's address
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    safe: Address,

    /// An RPC address; may be given again
    ///
    /// '${NAME}', in single quotes, for one that an environment variable holds, as one with a key should be.
    #[arg(long, value_name = "URL")]
    rpc: Vec<String>,

    /// A name for an owner, as NAME=ADDRESS; may be given again
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = parse_owner)]
    owner: Vec<(String, Address)>,

    /// A name for the protocol
    #[arg(long, value_name = "NAME", default_value = "My protocol")]
    name: String,

    /// A name for the chain [default: its usual name]
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,

    /// A name for the Safe
    #[arg(long, value_name = "NAME", default_value = "guardian")]
    safe_name: String,
}

/// The commands after the first council file.
const NEXT: [&str; 3] = [
    "breakglass council add target vault 0xYourContract",
    "breakglass playbook list --for vault",
    "breakglass council add lever vault pause/oz-pausable target=vault",
];

pub fn run(ui: &Ui, council: Option<&Path>, args: &Args) -> Result<Exit, Error> {
    let path = council.map_or_else(|| PathBuf::from(FILE_NAME), Path::to_path_buf);
    if store::is_taken(&path) {
        let message = format!("{} already exists, and nothing is overwritten", path.display());
        return Err(Error::new(Exit::Failed, message).hint("name another file with --council FILE"));
    }
    let (chain_id, snapshot) = read_first(ui, args.safe, &args.rpc)?;
    let chain = args.chain.clone().unwrap_or_else(|| usual_name(chain_id));
    let first = FirstCouncil {
        name: &args.name,
        chain: &chain,
        chain_id,
        rpc: &args.rpc,
        safe_name: &args.safe_name,
        owners: owner_names(&args.owner, snapshot.state.owners.list())?,
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
    ui.object(&json!({ "council": path.display().to_string(), "chain_id": chain_id }));
    Ok(Exit::Done)
}

fn parse_owner(text: &str) -> Result<(String, Address), String> {
    let (name, address) = text.split_once('=').ok_or("write it as NAME=ADDRESS")?;
    Ok((name.into(), parse_address(address).map_err(|e| e.to_string())?))
}
