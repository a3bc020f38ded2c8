//! A Safe as the chain has it, for an entry of the council file.

use alloy::primitives::Address;
use toml::Value;

use crate::ceremony::desk::{Desk, resolve};
use crate::chain::{Ask, Chain, Options, Snapshot};
use crate::council::{self, RpcAddress};
use crate::error::{Error, Exit};
use crate::evm::{BlockTag, Query};
use crate::progress::Progress;
use crate::proposal::{BatchContract, BatchSource};
use crate::safe::{SafeState, SafeVersion};

/// Reads a Safe that no council file names: asks the first RPC for its chain id, then all of them for the Safe and the
/// kinds of its owners.
/// Fails if no RPC is named, an address may hold a key, or a quorum does not agree.
pub fn read_first(progress: &dyn Progress, safe: Address, rpc: &[String]) -> Result<(u64, Snapshot), Error> {
    if rpc.is_empty() {
        return Err(Error::new(Exit::Usage, "no RPC address is named").hint("--rpc '${MAINNET_RPC}'"));
    }
    let mut urls = Vec::new();
    for text in rpc {
        urls.push(resolve(progress, &RpcAddress::without_key(text)?)?);
    }
    let quorum = urls.len().clamp(1, 2);
    let id = Chain::stated_id(urls.clone(), Options::default())?;
    let link = Chain::new("the chain", id, urls, quorum, 100, Options::default())?;
    let queries = batch_queries(id);
    let ask = Ask { safe, queries: &queries, ..Ask::default() };
    let snapshot = progress.wait("reading the Safe", || link.snapshot(&ask, BlockTag::Latest))?;
    let owners = snapshot.state.owners.list().to_vec();
    let ask = Ask { accounts: &owners, ..ask };
    let snapshot = progress.wait("reading its owners", || link.snapshot(&ask, BlockTag::Latest))?;
    Ok((id, snapshot))
}

impl Desk<'_> {
    /// Reads a Safe from its chain and returns the fields of a new entry, with the council file's names of the owners.
    pub fn fields_of_safe(
        &self,
        chain: &council::CouncilChain,
        address: Address,
    ) -> Result<Vec<(String, Value)>, Error> {
        let link = self.connect_to(chain)?;
        let queries = batch_queries(chain.id);
        let ask = Ask { safe: address, queries: &queries, ..Ask::default() };
        let snapshot = self.progress.wait("reading the Safe", || link.snapshot(&ask, BlockTag::Latest))?;
        let named = |owner: &Address| self.council.signer_name(*owner);
        let owners = snapshot.state.owners.list().iter().map(named).collect();
        Ok(safe_fields(&chain.name, chain.id, &snapshot, owners))
    }
}

/// Returns the questions for the published batch contracts.
fn batch_queries(chain_id: u64) -> Vec<Query> {
    let versions = SafeVersion::ALL.into_iter();
    versions.flat_map(|version| BatchContract::of(chain_id, version, None).all().queries()).collect()
}

/// Returns the fields of a Safe's table with all that can be pinned. `owners` are their names or addresses, in the
/// Safe's order.
pub fn safe_fields(
    chain: &str,
    chain_id: u64,
    snapshot: &Snapshot,
    owners: Vec<String>,
) -> Vec<(String, Value)> {
    let SafeState { id, owners: there, modules, guard, module_guard, fallback_handler, .. } = &snapshot.state;
    let list = |items: Vec<String>| Value::Array(items.into_iter().map(Value::String).collect());
    let pin = |address: &Address| {
        Value::String(if address.is_zero() { "none".into() } else { address.to_string() })
    };
    let threshold = i64::try_from(there.threshold().get()).unwrap_or(i64::MAX);
    let mut fields = vec![
        ("chain", Value::String(chain.into())),
        ("address", Value::String(id.address.to_string())),
        ("version", Value::String(id.version.to_string())),
        ("owners", list(owners)),
        ("threshold", Value::Integer(threshold)),
        ("modules", list(modules.iter().map(Address::to_string).collect())),
        ("guard", pin(guard)),
        ("module_guard", pin(module_guard)),
        ("fallback_handler", pin(fallback_handler)),
    ];
    if let Some(batch) = batch_contract(chain_id, snapshot) {
        fields.push(("batch", Value::String(batch.to_string())));
    }
    fields.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
}

/// Returns the batch contract of the Safe's version whose code is on the chain: the one published for it, if it is
/// there.
fn batch_contract(chain_id: u64, snapshot: &Snapshot) -> Option<Address> {
    let (source, batch) = (
        BatchSource::Chain(&snapshot.readings),
        BatchContract::of(chain_id, snapshot.state.id.version, None),
    );
    batch.address(source).or_else(|_| batch.all().address(source)).ok()
}

/// Returns the usual name of a chain.
pub fn usual_name(chain_id: u64) -> String {
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
