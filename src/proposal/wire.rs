//! The proposal file: versioned JSON, and its way into [`Proposal`]. Every number is text, so that nothing rounds it.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::signature::bounded;
use super::{Binding, Proposal, Record};
use crate::evm::{Answer, Query};
use crate::evm::{Block, BlockHash};
use crate::playbook::{PlaybookDigest, PlaybookId};
use crate::safe::{
    MOST_MODULES, MOST_OWNERS, Nonce, Operation, Owners, SafeId, SafeState, SafeTx, parse_uint,
};

const VERSION: u32 = 1;
/// More values than any playbook reads.
const MOST_READINGS: usize = 1_000;
const MOST_ARGUMENTS: usize = 50;
/// Twice the most data that a transaction can carry, in hexadecimal.
const LONGEST_ARGUMENT: usize = 512 << 10;

/// An address that is written with its checksum.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
struct WireAddress(Address);

impl Serialize for WireAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProposalError {
    #[error("it is not a proposal file: {0}")]
    Json(String),
    #[error("it is of version {0}, and this program reads {VERSION}")]
    Version(u32),
    #[error("{field} {text:?} {why}")]
    Field { field: &'static str, text: String, why: String },
    #[error("it has {count} {what}, and this program reads at most {most}")]
    TooMany { what: &'static str, count: usize, most: usize },
    #[error(
        "it states {what} {stated}, but its contents give {computed}: the file was altered; do not sign it"
    )]
    Altered { what: &'static str, stated: String, computed: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    breakglass_proposal: u32,
    chain_id: String,
    safe: WireSafe,
    transaction: WireTx,
    playbook: WirePlaybook,
    block: WireBlock,
    readings: Vec<WireReading>,
    accepted: Vec<String>,
    /// No part of the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rehearsal: Option<Record>,
    hashes: WireHashes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSafe {
    address: WireAddress,
    version: String,
    singleton: WireAddress,
    owners: Vec<WireAddress>,
    threshold: u64,
    nonce: String,
    guard: WireAddress,
    module_guard: WireAddress,
    fallback_handler: WireAddress,
    modules: Vec<WireAddress>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTx {
    to: WireAddress,
    value: String,
    data: Bytes,
    operation: u8,
    safe_tx_gas: String,
    base_gas: String,
    gas_price: String,
    gas_token: WireAddress,
    refund_receiver: WireAddress,
    nonce: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePlaybook {
    id: String,
    digest: String,
    lever: Option<String>,
    undo: bool,
    arguments: BTreeMap<String, String>,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBlock {
    number: u64,
    hash: B256,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireReading {
    question: WireQuery,
    answer: WireAnswer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum WireQuery {
    Call { from: Option<WireAddress>, to: WireAddress, data: Bytes },
    Storage { address: WireAddress, slot: B256 },
    Balance { address: WireAddress },
    CodeHash { address: WireAddress },
    Time,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireAnswer {
    Value(Bytes),
    Reverted(Bytes),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "these are the names in the file")]
struct WireHashes {
    domain_hash: String,
    message_hash: String,
    safe_tx_hash: String,
}

pub(super) fn to_json(proposal: &Proposal) -> String {
    let Proposal { tx, snapshot, block, binding, readings, accepted, record, hashes } = proposal;
    let wire = Wire {
        breakglass_proposal: VERSION,
        chain_id: snapshot.id.chain_id.to_string(),
        safe: WireSafe {
            address: WireAddress(snapshot.id.address),
            version: snapshot.id.version.to_string(),
            singleton: WireAddress(snapshot.singleton),
            owners: snapshot.owners.list().iter().copied().map(WireAddress).collect(),
            threshold: snapshot.owners.threshold().get() as u64,
            nonce: snapshot.nonce.to_string(),
            guard: WireAddress(snapshot.guard),
            module_guard: WireAddress(snapshot.module_guard),
            fallback_handler: WireAddress(snapshot.fallback_handler),
            modules: snapshot.modules.iter().copied().map(WireAddress).collect(),
        },
        transaction: WireTx {
            to: WireAddress(tx.to),
            value: tx.value.to_string(),
            data: tx.data.clone(),
            operation: tx.operation.as_u8(),
            safe_tx_gas: tx.safe_tx_gas.to_string(),
            base_gas: tx.base_gas.to_string(),
            gas_price: tx.gas_price.to_string(),
            gas_token: WireAddress(tx.gas_token),
            refund_receiver: WireAddress(tx.refund_receiver),
            nonce: tx.nonce.to_string(),
        },
        playbook: WirePlaybook {
            id: binding.playbook.to_string(),
            digest: binding.digest.to_string(),
            lever: binding.lever.clone(),
            undo: binding.undo,
            arguments: binding.args.clone(),
            text: binding.text.clone(),
        },
        block: WireBlock { number: block.number, hash: *block.hash.word() },
        readings: readings
            .iter()
            .map(|(q, a)| WireReading { question: q.into(), answer: a.into() })
            .collect(),
        accepted: accepted.clone(),
        rehearsal: record.clone(),
        hashes: WireHashes {
            domain_hash: hashes.domain.to_string(),
            message_hash: hashes.message.to_string(),
            safe_tx_hash: hashes.safe_tx.to_string(),
        },
    };
    // Only maps with keys that are not text can fail here, and there are none.
    serde_json::to_string_pretty(&wire).map(|text| text + "\n").unwrap_or_default()
}

pub(super) fn parse(text: &str) -> Result<Proposal, ProposalError> {
    let wire: Wire = serde_json::from_str(text).map_err(|e| ProposalError::Json(e.to_string()))?;
    if wire.breakglass_proposal != VERSION {
        return Err(ProposalError::Version(wire.breakglass_proposal));
    }
    check_bounds(&wire)?;
    let snapshot = snapshot(&wire)?;
    let tx = transaction(&wire.transaction)?;
    let binding = binding(wire.playbook)?;
    let block = Block { number: wire.block.number, hash: BlockHash::claimed(wire.block.hash) };
    let readings = wire.readings.into_iter().map(|r| (r.question.into(), r.answer.into())).collect();
    let proposal = Proposal::new(tx, snapshot, block, binding, readings).accepting(&bounded(wire.accepted));
    let proposal = proposal.recording(recorded(wire.rehearsal)?);
    check_hashes(&wire.hashes, &proposal)?;
    Ok(proposal)
}

fn check_bounds(wire: &Wire) -> Result<(), ProposalError> {
    let longest = wire.playbook.arguments.values().map(String::len).max().unwrap_or_default();
    let lists = [
        ("owners", wire.safe.owners.len(), MOST_OWNERS),
        ("modules", wire.safe.modules.len(), MOST_MODULES),
        ("readings", wire.readings.len(), MOST_READINGS),
        ("arguments", wire.playbook.arguments.len(), MOST_ARGUMENTS),
        ("characters in one argument", longest, LONGEST_ARGUMENT),
    ];
    match lists.into_iter().find(|(_, count, most)| count > most) {
        None => Ok(()),
        Some((what, count, most)) => Err(ProposalError::TooMany { what, count, most }),
    }
}

fn snapshot(wire: &Wire) -> Result<SafeState, ProposalError> {
    let safe = &wire.safe;
    let chain_id = uint("chain_id", &wire.chain_id)?;
    let chain_id = u64::try_from(chain_id)
        .map_err(|_| field("chain_id", &wire.chain_id, "is larger than any chain id"))?;
    let version =
        safe.version.parse().map_err(|e| field("safe.version", &safe.version, format!("is unknown: {e}")))?;
    let owners = Owners::new(safe.owners.iter().map(|o| o.0).collect(), safe.threshold)
        .map_err(|e| field("safe.threshold", &safe.threshold.to_string(), format!("and its owners: {e}")))?;
    Ok(SafeState {
        id: SafeId { chain_id, address: safe.address.0, version },
        owners,
        nonce: Nonce(uint("safe.nonce", &safe.nonce)?),
        singleton: safe.singleton.0,
        guard: safe.guard.0,
        module_guard: safe.module_guard.0,
        fallback_handler: safe.fallback_handler.0,
        modules: safe.modules.iter().map(|m| m.0).collect(),
    })
}

fn transaction(wire: &WireTx) -> Result<SafeTx, ProposalError> {
    let operation = Operation::from_u8(wire.operation).ok_or_else(|| {
        field(
            "transaction.operation",
            &wire.operation.to_string(),
            "is neither 0 (call) nor 1 (delegatecall)",
        )
    })?;
    Ok(SafeTx {
        to: wire.to.0,
        value: uint("transaction.value", &wire.value)?,
        data: wire.data.clone(),
        operation,
        safe_tx_gas: uint("transaction.safe_tx_gas", &wire.safe_tx_gas)?,
        base_gas: uint("transaction.base_gas", &wire.base_gas)?,
        gas_price: uint("transaction.gas_price", &wire.gas_price)?,
        gas_token: wire.gas_token.0,
        refund_receiver: wire.refund_receiver.0,
        nonce: Nonce(uint("transaction.nonce", &wire.nonce)?),
    })
}

fn binding(wire: WirePlaybook) -> Result<Binding, ProposalError> {
    let digest = PlaybookDigest::of(&wire.text);
    if wire.digest != digest.to_string() {
        return Err(ProposalError::Altered {
            what: "the playbook digest",
            stated: wire.digest,
            computed: digest.to_string(),
        });
    }
    let playbook = PlaybookId::new(&wire.id)
        .ok_or_else(|| field("playbook.id", &wire.id, "is not a playbook's name"))?;
    Ok(Binding {
        lever: wire.lever,
        undo: wire.undo,
        playbook,
        digest,
        text: wire.text,
        args: wire.arguments,
    })
}

fn check_hashes(stated: &WireHashes, proposal: &Proposal) -> Result<(), ProposalError> {
    let computed = proposal.hashes();
    let rows = [
        ("domain hash", &stated.domain_hash, computed.domain.to_string()),
        ("message hash", &stated.message_hash, computed.message.to_string()),
        ("safeTxHash", &stated.safe_tx_hash, computed.safe_tx.to_string()),
    ];
    for (what, stated, computed) in rows {
        if *stated != computed {
            return Err(ProposalError::Altered { what, stated: stated.clone(), computed });
        }
    }
    Ok(())
}

/// One that is too large is left out: nothing rests on it.
fn recorded(wire: Option<Record>) -> Result<Option<Record>, ProposalError> {
    match wire {
        Some(record) if !record.is_this_version() => {
            Err(field("rehearsal.version", "", "is not one that this program reads"))
        }
        other => Ok(other.and_then(Record::bounded)),
    }
}

fn uint(name: &'static str, text: &str) -> Result<U256, ProposalError> {
    parse_uint(text).ok_or_else(|| field(name, text, "is not a whole number below 2^256"))
}

fn field(field: &'static str, text: &str, why: impl Into<String>) -> ProposalError {
    ProposalError::Field { field, text: text.into(), why: why.into() }
}

impl From<&Query> for WireQuery {
    fn from(query: &Query) -> Self {
        match query.clone() {
            Query::Call { from, to, data } => {
                Self::Call { from: from.map(WireAddress), to: WireAddress(to), data }
            }
            Query::Storage { address, slot } => Self::Storage { address: WireAddress(address), slot },
            Query::Balance { address } => Self::Balance { address: WireAddress(address) },
            Query::CodeHash { address } => Self::CodeHash { address: WireAddress(address) },
            Query::Time => Self::Time,
        }
    }
}

impl From<WireQuery> for Query {
    fn from(wire: WireQuery) -> Self {
        match wire {
            WireQuery::Call { from, to, data } => Self::Call { from: from.map(|a| a.0), to: to.0, data },
            WireQuery::Storage { address, slot } => Self::Storage { address: address.0, slot },
            WireQuery::Balance { address } => Self::Balance { address: address.0 },
            WireQuery::CodeHash { address } => Self::CodeHash { address: address.0 },
            WireQuery::Time => Self::Time,
        }
    }
}

impl From<&Answer> for WireAnswer {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Value(bytes) => Self::Value(bytes.clone()),
            Answer::Reverted(bytes) => Self::Reverted(bytes.clone()),
        }
    }
}

impl From<WireAnswer> for Answer {
    fn from(wire: WireAnswer) -> Self {
        match wire {
            WireAnswer::Value(bytes) => Self::Value(bytes),
            WireAnswer::Reverted(bytes) => Self::Reverted(bytes),
        }
    }
}
