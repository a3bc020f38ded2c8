//! `init`: a first council file, from a Safe as the chain has it. Overwrites nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use serde_json::json;

use crate::ceremony::desk::resolve;
use crate::ceremony::new_safe::{batch_queries, safe_fields, usual_name};
use crate::chain::{Ask, Chain, Options, Snapshot};
use crate::council::{Council, FILE_NAME, RpcAddress, RpcAddressError};
use crate::error::{Error, Exit};
use crate::evm::{AccountKind, BlockTag};
use crate::excerpt::hide_urls;
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

pub fn run(ui: &Ui, council: Option<&Path>, args: &Args) -> Result<Exit, Error> {
    let path = council.map_or_else(|| PathBuf::from(FILE_NAME), Path::to_path_buf);
    if store::is_taken(std::path::Path::new(&path)) {
        let message = format!("{} already exists, and nothing is overwritten", path.display());
        return Err(Error::new(Exit::Failed, message).hint("name another file with --council FILE"));
    }
    let (chain_id, snapshot) = read(ui, args)?;
    let chain = args.chain.clone().unwrap_or_else(|| usual_name(chain_id));
    let names = owner_names(&args.owner, snapshot.state.owners.list())?;
    let text = council_file(args, &chain, chain_id, &snapshot, &names);
    // The text must be readable before it is written.
    Council::parse(&path.display().to_string(), &text)?;
    store::create_new(&path, &text)?;
    let state = &snapshot.state;
    ui.say(&Text::default().good("wrote ").add(&path.display().to_string()));
    ui.say(&Text::new(&format!(
        "Safe {} {} on {chain} ({chain_id}), {} of {} owners",
        state.id.version,
        state.id.address,
        state.owners.threshold(),
        state.owners.list().len()
    )));
    for (name, owner) in names.iter().zip(state.owners.list()) {
        if let Some(note) = snapshot.accounts.get(owner).and_then(|kind| note(*kind)) {
            ui.say(&Text::default().warn("! ").add(&format!("{name} {owner}: {note}")));
        }
    }
    ui.say(&Text::new("next: compare the owners with your own records, name them, and bind a lever:"));
    ui.say(&Text::new("  breakglass playbook list"));
    ui.object(&json!({ "council": path.display().to_string(), "chain_id": chain_id }));
    Ok(Exit::Done)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn rpc_usage(error: RpcAddressError) -> Error {
    Error::new(Exit::Usage, error.to_string())
        .hint("--rpc https://…, or --rpc '${MAINNET_RPC}' in single quotes")
}

/// Reads an RPC address that goes into the council file as it is, so it must not hold a key.
pub fn rpc_without_key(text: &str) -> Result<RpcAddress, Error> {
    let address = RpcAddress::parse(text).map_err(rpc_usage)?;
    if !address.is_variable() && hide_urls(text) != text.trim_end_matches('/') {
        let message =
            format!("the RPC address {} may hold a key, and would be written to a file", hide_urls(text));
        let hint = "put it into an environment variable, and write --rpc '${MAINNET_RPC}' in single quotes";
        return Err(Error::new(Exit::Usage, message).hint(hint));
    }
    Ok(address)
}

fn parse_owner(text: &str) -> Result<(String, Address), String> {
    let (name, address) = text.split_once('=').ok_or("write it as NAME=ADDRESS")?;
    Ok((name.into(), parse_address(address).map_err(|e| e.to_string())?))
}

/// Returns the owners' names in their order: those that were given, and numbers for the others.
fn owner_names(given: &[(String, Address)], owners: &[Address]) -> Result<Vec<String>, Error> {
    for (at, (name, address)) in given.iter().enumerate() {
        let wrong = |why: String| Err(Error::new(Exit::Usage, format!("--owner {name}={address}: {why}")));
        if !owners.contains(address) {
            let all: Vec<String> = owners.iter().map(Address::to_string).collect();
            return wrong(format!("it is not an owner of the Safe; they are {}", all.join(", ")));
        }
        if given[..at].iter().any(|(other, theirs)| other == name || theirs == address) {
            return wrong("the name or the address is given twice".into());
        }
    }
    let named = |(n, owner): (usize, &Address)| {
        let name = given.iter().find(|(_, address)| address == owner).map(|(name, _)| name.clone());
        name.unwrap_or_else(|| format!("owner-{}", n + 1))
    };
    Ok(owners.iter().enumerate().map(named).collect())
}

/// Asks the first endpoint for its chain id, then all of them for the Safe.
fn read(ui: &Ui, args: &Args) -> Result<(u64, Snapshot), Error> {
    if args.rpc.is_empty() {
        return Err(Error::new(Exit::Usage, "no RPC address is named").hint("--rpc '${MAINNET_RPC}'"));
    }
    let mut urls = Vec::new();
    for text in &args.rpc {
        let address = rpc_without_key(text)?;
        urls.push(resolve(ui, &address).map_err(rpc_usage)?);
    }
    let quorum = urls.len().clamp(1, 2);
    let id = Chain::stated_id(urls.clone(), Options::default())?;
    let link = Chain::new("the chain", id, urls, quorum, 100, Options::default())?;
    let queries = batch_queries(id);
    let ask = Ask { safe: args.safe, queries: &queries, ..Ask::default() };
    let snapshot = ui.wait("reading the Safe", || link.snapshot(&ask, BlockTag::Latest))?;
    let owners = snapshot.state.owners.list().to_vec();
    let ask = Ask { accounts: &owners, ..ask };
    let snapshot = ui.wait("reading its owners", || link.snapshot(&ask, BlockTag::Latest))?;
    Ok((id, snapshot))
}

/// Returns what is to be said of an owner that is not a plain key: it is a contract, or has delegated.
fn note(kind: AccountKind) -> Option<String> {
    match kind {
        AccountKind::Key => None,
        AccountKind::Contract => Some(
            "A contract: this owner is a contract. If it is a Safe, describe it under [safes] and name it in owners."
                .into(),
        ),
        AccountKind::Delegated(to) => {
            Some(format!("This owner has delegated to the code at {to} (EIP-7702), which may act for it."))
        }
    }
}

fn council_file(args: &Args, chain: &str, chain_id: u64, snapshot: &Snapshot, names: &[String]) -> String {
    let state = &snapshot.state;
    let quoted = |text: &str| toml::Value::String(text.into()).to_string();
    let list = |items: &[String]| items.iter().map(|i| quoted(i)).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "# The council file: read it aloud together, and keep it in your protocol's repository.\n\
         # Owners, modules and all else are what the RPC said at block {}: compare them with your own records.\n\
         schema = 1\nname = {}\n\n\
         [chains.{chain}]\nid = {chain_id}\nrpc = [{}]\n\n\
         [safes.{}]\n",
        snapshot.header.number,
        quoted(&args.name),
        list(&args.rpc),
        args.safe_name,
    );
    for (key, value) in safe_fields(chain, chain_id, snapshot, names.to_vec()) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    }
    for (name, owner) in names.iter().zip(state.owners.list()) {
        let note = snapshot.accounts.get(owner).and_then(|kind| note(*kind));
        let note = note.map(|note| format!("# {note}\n")).unwrap_or_default();
        let _ = write!(text, "\n{note}[signers.{name}]\naddress = \"{owner}\"\n");
    }
    let _ = write!(
        text,
        "\n# Targets and levers, for example:\n\
         # [targets.vault]\n# {chain} = \"0x…\"\n#\n\
         # [levers.vault]\n# playbook = \"pause/oz-pausable\"\n# safe = {}\n# set = {{ target = \"vault\" }}\n",
        quoted(&args.safe_name),
    );
    text
}
