//! `init`: a first council file, from a Safe as the chain has it. Overwrites nothing.

use std::path::Path;

use alloy::primitives::Address;

use crate::error::{Error, Exit};
use crate::safe::parse_address;
use crate::session::council_init::{self, InitTerms};
use crate::ui::Ui;

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

pub fn run(ui: &Ui, council: Option<&Path>, args: &Args) -> Result<Exit, Error> {
    let terms = InitTerms {
        safe: args.safe,
        rpc: &args.rpc,
        owners: &args.owner,
        name: &args.name,
        chain: args.chain.as_deref(),
        safe_name: &args.safe_name,
    };
    council_init::run(ui, council, &terms)
}

fn parse_owner(text: &str) -> Result<(String, Address), String> {
    let (name, address) = text.split_once('=').ok_or("write it as NAME=ADDRESS")?;
    Ok((name.into(), parse_address(address).map_err(|e| e.to_string())?))
}
