//! The proposal file: versioned JSON, and its way into [`Proposal`]. Every number is text, so that nothing rounds it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy::primitives::{B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::owner_signature::bounded;
use super::wire_reading::{WireAddress, WireReading};
use super::{Binding, BindingError, BoundLever, Proposal, Record};
use crate::council::Pull;
use crate::evm::{Block, BlockHash};
use crate::playbook::{PlaybookDigest, PlaybookId};
use crate::safe::{
    MOST_MODULES, MOST_OWNERS, Nonce, Operation, Owners, SafeId, SafeState, SafeTx, parse_uint,
};

/// Version 1 had one lever, or one playbook without a lever; it is still read.
const VERSION: u32 = 2;
/// As many as a council file has.
const MOST_LEVERS: usize = 500;
/// More values than any set of levers reads.
const MOST_READINGS: usize = 10_000;
const MOST_ARGUMENTS: usize = 50;
/// Twice the most data that a transaction can carry, in hexadecimal.
const LONGEST_ARGUMENT: usize = 512 << 10;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProposalError {
    #[error("it is not a proposal file: {0}")]
    Json(String),
    #[error("it is of version {0}, and this program reads 1 to {VERSION}")]
    Version(u32),
    #[error("{field} {text:?} {why}")]
    Field { field: &'static str, text: String, why: String },
    #[error("it has {count} {what}, and this program reads at most {most}")]
    TooMany { what: &'static str, count: usize, most: usize },
    #[error("it names no block, but has values that were read from the chain or a rehearsal")]
    NoBlock,
    #[error(transparent)]
    Binding(#[from] BindingError),
    #[error("lever {lever} has no playbook text, and no lever before it has the text with digest {digest}")]
    NoText { lever: String, digest: String },
    #[error(
        "it states {what} {stated}, but its contents give {computed}: the file was altered; do not sign it"
    )]
    Altered { what: &'static str, stated: String, computed: String },
}

#[derive(Deserialize)]
struct Version {
    breakglass_proposal: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    breakglass_proposal: u32,
    chain_id: String,
    safe: WireSafe,
    transaction: WireTx,
    /// In version 1 alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    playbook: Option<WirePlaybook>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pull: Option<WirePull>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    levers: Vec<WireLever>,
    /// Left out where the state of the Safe is assumed: nobody read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    block: Option<WireBlock>,
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

/// The playbook of version 1.
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
struct WirePull {
    names: Vec<String>,
    without: Vec<String>,
    undo: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLever {
    lever: Option<String>,
    playbook: String,
    digest: String,
    arguments: BTreeMap<String, String>,
    /// Left out where a lever before it has the text with this digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBlock {
    number: u64,
    hash: B256,
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
        playbook: None,
        pull: Some(WirePull {
            names: binding.pull().names.clone(),
            without: binding.pull().without.clone(),
            undo: binding.undo(),
        }),
        levers: levers(binding),
        block: block.map(|block| WireBlock { number: block.number, hash: *block.hash.word() }),
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

fn levers(binding: &Binding) -> Vec<WireLever> {
    let mut written = BTreeSet::new();
    let wire = |bound: &BoundLever| WireLever {
        lever: bound.lever.clone(),
        playbook: bound.playbook.to_string(),
        digest: bound.digest.to_string(),
        arguments: bound.args.clone(),
        text: written.insert(bound.digest).then(|| bound.text.to_string()),
    };
    binding.levers().iter().map(wire).collect()
}

pub(super) fn parse(text: &str) -> Result<Proposal, ProposalError> {
    let json = |e: serde_json::Error| ProposalError::Json(e.to_string());
    let wire: Wire = serde_json::from_str(text).map_err(|error| {
        // A newer file has fields that are unknown here: its version says more than their names.
        match serde_json::from_str(text) {
            Ok(Version { breakglass_proposal: newer }) if newer > VERSION => ProposalError::Version(newer),
            _ => json(error),
        }
    })?;
    if !(1..=VERSION).contains(&wire.breakglass_proposal) {
        return Err(ProposalError::Version(wire.breakglass_proposal));
    }
    let (pull, levers) = lever_list(wire.breakglass_proposal, wire.playbook, wire.pull, wire.levers)?;
    let wire = Wire { playbook: None, pull: None, levers, ..wire };
    check_bounds(&wire, &pull)?;
    let snapshot = snapshot(&wire)?;
    let tx = transaction(&wire.transaction)?;
    let binding = binding(pull, wire.levers)?;
    let block = wire.block.map(|block| Block { number: block.number, hash: BlockHash::claimed(block.hash) });
    if block.is_none() && !(wire.readings.is_empty() && wire.rehearsal.is_none()) {
        return Err(ProposalError::NoBlock);
    }
    let readings = wire.readings.into_iter().map(|r| (r.question.into(), r.answer.into())).collect();
    let proposal = Proposal::of(tx, snapshot, block, binding, readings).accepting(&bounded(wire.accepted));
    let proposal = proposal.recording(recorded(wire.rehearsal)?);
    check_hashes(&wire.hashes, &proposal)?;
    Ok(proposal)
}

/// The pull and its levers; those of version 1 are one lever, or none but the playbook.
fn lever_list(
    version: u32,
    playbook: Option<WirePlaybook>,
    pull: Option<WirePull>,
    levers: Vec<WireLever>,
) -> Result<(Pull, Vec<WireLever>), ProposalError> {
    match (version, playbook, pull) {
        (1, Some(old), None) if levers.is_empty() => {
            let names = old.lever.iter().cloned().collect();
            let lever = WireLever {
                lever: old.lever,
                playbook: old.id,
                digest: old.digest,
                arguments: old.arguments,
                text: Some(old.text),
            };
            Ok((Pull { names, without: Vec::new(), undo: old.undo }, vec![lever]))
        }
        (2, None, Some(WirePull { names, without, undo })) => Ok((Pull { names, without, undo }, levers)),
        (1, ..) => Err(ProposalError::Json("version 1 has one playbook, and no levers".into())),
        _ => Err(ProposalError::Json("version 2 has pull and levers, and no playbook beside them".into())),
    }
}

fn check_bounds(wire: &Wire, pull: &Pull) -> Result<(), ProposalError> {
    let arguments = wire.levers.iter().map(|lever| &lever.arguments);
    let most = arguments.clone().map(BTreeMap::len).max().unwrap_or_default();
    let longest = arguments.flat_map(BTreeMap::values).map(String::len).max().unwrap_or_default();
    let lists = [
        ("owners", wire.safe.owners.len(), MOST_OWNERS),
        ("modules", wire.safe.modules.len(), MOST_MODULES),
        ("readings", wire.readings.len(), MOST_READINGS),
        ("levers", wire.levers.len(), MOST_LEVERS),
        ("names of levers", pull.names.len() + pull.without.len(), MOST_LEVERS),
        ("arguments", most, MOST_ARGUMENTS),
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

fn binding(pull: Pull, wire: Vec<WireLever>) -> Result<Binding, ProposalError> {
    // A text is hashed and kept once, however many levers name it.
    let mut texts: BTreeMap<String, (PlaybookDigest, Arc<str>)> = BTreeMap::new();
    let mut levers = Vec::new();
    for WireLever { lever, playbook, digest: stated, arguments: args, text } in wire {
        if let Some(text) = text {
            let digest = PlaybookDigest::of(&text);
            if stated != digest.to_string() {
                let computed = digest.to_string();
                return Err(ProposalError::Altered { what: "the playbook digest", stated, computed });
            }
            texts.insert(stated.clone(), (digest, text.into()));
        }
        let Some((digest, text)) = texts.get(&stated).cloned() else {
            return Err(ProposalError::NoText { lever: lever.unwrap_or_default(), digest: stated });
        };
        let playbook = PlaybookId::new(&playbook)
            .ok_or_else(|| field("levers.playbook", &playbook, "is not a playbook's name"))?;
        levers.push(BoundLever { lever, playbook, digest, text, args });
    }
    Ok(Binding::new(pull, levers)?)
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
