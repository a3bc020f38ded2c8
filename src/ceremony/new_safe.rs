//! A Safe as the chain has it, as an entry of the council file. Pure.

use alloy::primitives::Address;
use toml::Value;

use crate::chain::Snapshot;
use crate::evm::Query;
use crate::proposal::{BatchContract, BatchSource};
use crate::safe::{SafeState, SafeVersion};

/// Returns what must be asked beside the Safe: which of the published batch contracts are there.
#[must_use]
pub fn batch_queries(chain_id: u64) -> Vec<Query> {
    let versions = SafeVersion::ALL.into_iter();
    versions.flat_map(|version| BatchContract::of(chain_id, version, None).all().queries()).collect()
}

/// Returns the fields of its table, all that can be pinned. `owners` are their names or addresses, in the Safe's order.
#[must_use]
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

/// The batch contract of the Safe's version whose code is on the chain: the one that is published for it, if it is there.
fn batch_contract(chain_id: u64, snapshot: &Snapshot) -> Option<Address> {
    let (source, batch) = (
        BatchSource::Chain(&snapshot.readings),
        BatchContract::of(chain_id, snapshot.state.id.version, None),
    );
    batch.address(source).or_else(|_| batch.all().address(source)).ok()
}

/// Returns the name that people use for a chain.
#[must_use]
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
