//! `init`: a first council file, from a Safe as the chain has it. Overwrites nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use serde_json::json;

use crate::ceremony::desk::resolve;
use crate::chain::{Ask, Chain, Options, Snapshot};
use crate::council::{Council, FILE_NAME, RpcAddress, RpcAddressError};
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::evm::Query;
use crate::excerpt::hide_urls;
use crate::proposal::{BatchContract, BatchSource};
use crate::safe::{SafeState, SafeVersion, parse_address};
use crate::store;
use crate::ui::{Text, Ui};

const EXAMPLES: &str = "\
Examples:
  breakglass init --safe 0x… --rpc '${MAINNET_RPC}'";

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

    /// What to call the protocol
    #[arg(long, value_name = "NAME", default_value = "My protocol")]
    name: String,

    /// What to call the chain [default: its usual name]
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,

    /// What to call the Safe
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
    let text = council_file(args, &chain, chain_id, &snapshot);
    // What was written must be what will be read.
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
    ui.say(&Text::new("next: compare the owners with your own records, name them, and bind a lever:"));
    ui.say(&Text::new("  breakglass playbook list"));
    ui.object(&json!({ "council": path.display().to_string(), "chain_id": chain_id }));
    Ok(Exit::Done)
}

/// Asks the first endpoint for its chain id, then all of them for the Safe.
fn read(ui: &Ui, args: &Args) -> Result<(u64, Snapshot), Error> {
    if args.rpc.is_empty() {
        return Err(Error::new(Exit::Usage, "no RPC address is named").hint("--rpc '${MAINNET_RPC}'"));
    }
    let mut urls = Vec::new();
    for text in &args.rpc {
        let usage = |e: RpcAddressError| {
            Error::new(Exit::Usage, e.to_string())
                .hint("--rpc https://…, or --rpc '${MAINNET_RPC}' in single quotes")
        };
        let address = RpcAddress::parse(text).map_err(usage)?;
        // A literal address goes into the file as it is, so it must not hold a key.
        if !address.is_variable() && hide_urls(text) != text.trim_end_matches('/') {
            let message =
                format!("the RPC address {} may hold a key, and would be written to a file", hide_urls(text));
            return Err(Error::new(Exit::Usage, message).hint(
                "put it into an environment variable, and write --rpc '${MAINNET_RPC}' in single quotes",
            ));
        }
        urls.push(resolve(ui, &address).map_err(usage)?);
    }
    let quorum = urls.len().clamp(1, 2);
    let id = Chain::stated_id(urls.clone(), Options::default())?;
    let link = Chain::new("the chain", id, urls, quorum, 100, Options::default())?;
    let versions = SafeVersion::ALL.into_iter();
    let queries: Vec<Query> =
        versions.flat_map(|version| BatchContract::of(id, version, None).all().queries()).collect();
    let ask = Ask { safe: args.safe, queries: &queries, ..Ask::default() };
    let snapshot = ui.wait("reading the Safe", || link.snapshot(&ask, BlockTag::Latest))?;
    Ok((id, snapshot))
}

/// The batch contract of the Safe's version whose code is on the chain: the one that is published for it, if it is there.
fn batch_contract(chain_id: u64, snapshot: &Snapshot) -> Option<Address> {
    let (source, batch) = (
        BatchSource::Chain(&snapshot.readings),
        BatchContract::of(chain_id, snapshot.state.id.version, None),
    );
    batch.address(source).or_else(|_| batch.all().address(source)).ok()
}

/// Returns lines for the contracts that may act for the Safe, stop it or answer for it, as it is now.
fn attached(state: &SafeState) -> String {
    let modules: Vec<String> = state.modules.iter().map(|module| format!("\"{module}\"")).collect();
    let mut text = format!("modules = [{}]\n", modules.join(", "));
    let single = [
        ("guard", state.guard),
        ("module_guard", state.module_guard),
        ("fallback_handler", state.fallback_handler),
    ];
    for (key, address) in single {
        let pin = if address.is_zero() { "none".to_string() } else { address.to_string() };
        let _ = writeln!(text, "{key} = \"{pin}\"");
    }
    text
}

fn usual_name(chain_id: u64) -> String {
    match chain_id {
        1 => "mainnet".into(),
        10 => "optimism".into(),
        56 => "bsc".into(),
        100 => "gnosis".into(),
        137 => "polygon".into(),
        8453 => "base".into(),
        42161 => "arbitrum".into(),
        43114 => "avalanche".into(),
        59144 => "linea".into(),
        11_155_111 => "sepolia".into(),
        id => format!("chain-{id}"),
    }
}

fn council_file(args: &Args, chain: &str, chain_id: u64, snapshot: &Snapshot) -> String {
    let state = &snapshot.state;
    let batch = batch_contract(chain_id, snapshot);
    let batch = batch.map_or(String::new(), |address| format!("batch = \"{address}\"\n"));
    let quoted = |text: &str| toml::Value::String(text.into()).to_string();
    let list = |items: &[String]| items.iter().map(|i| quoted(i)).collect::<Vec<_>>().join(", ");
    let names: Vec<String> = (1..=state.owners.list().len()).map(|n| format!("owner-{n}")).collect();
    let mut text = format!(
        "# The council file: read it aloud together, and keep it in your protocol's repository.\n\
         # Owners, modules and all else are what the RPC said at block {}: compare them with your own records.\n\
         schema = 1\nname = {}\n\n\
         [chains.{chain}]\nid = {chain_id}\nrpc = [{}]\n\n\
         [safes.{}]\nchain = {}\naddress = \"{}\"\nversion = \"{}\"\nowners = [{}]\nthreshold = {}\n{}{batch}",
        snapshot.header.number,
        quoted(&args.name),
        list(&args.rpc),
        args.safe_name,
        quoted(chain),
        state.id.address,
        state.id.version,
        list(&names),
        state.owners.threshold(),
        attached(state),
    );
    for (name, owner) in names.iter().zip(state.owners.list()) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n[signers.{name}]\naddress = \"{owner}\"\n");
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
