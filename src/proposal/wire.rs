//! The proposal file: versioned JSON, and its way into [`Proposal`]. Every number is text, so that nothing rounds it.

use alloy::primitives::{B256, Bytes, U256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use super::owner_signature::bounded;
use super::proposal_error::{APPROVAL, DRILL, FIRST, LEVERS, ProposalError, at_most, field};
use super::wire_levers::{
    WirePlaybook, WireProposalLever, WirePull, binding, check_levers, lever_list, levers,
};
use super::wire_reading::{WireAddress, WireReading};
use super::{Proposal, RehearsalRecord};
use crate::evm::{Block, BlockHash};
use crate::excerpt::json_fault;
use crate::safe::{
    DEEPEST, DRILL_CHAIN_ID, MOST_MODULES, Nonce, Operation, Owners, Purpose, SafeId, SafeState, SafeTx,
    parse_uint,
};

/// The most transactions in each other.
const MOST_APPROVED: usize = DEEPEST;
/// More values than any set of levers reads.
const MOST_READINGS: usize = 10_000;
const LONGEST_NAME: usize = 64;
/// The first words of a file of a drill.
const DRILL_WORDS: &str = "DRILL: its signatures are good on no chain";

#[derive(Deserialize)]
struct Version {
    breakglass_proposal: u32,
}

#[skip_serializing_none]
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProposal {
    breakglass_proposal: u32,
    /// In version 4, which is a drill's, alone.
    purpose: Option<String>,
    chain_id: String,
    safe: WireProposalSafe,
    transaction: WireTx,
    /// In version 1 alone.
    playbook: Option<WirePlaybook>,
    pull: Option<WirePull>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    levers: Vec<WireProposalLever>,
    approval: Option<WireApproval>,
    /// Left out where the state of the Safe is assumed: nobody read it.
    block: Option<WireBlock>,
    readings: Vec<WireReading>,
    accepted: Vec<String>,
    /// No part of the transaction.
    rehearsal: Option<RehearsalRecord>,
    hashes: WireHashes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProposalSafe {
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
struct WireApproval {
    /// The name of the Safe that approves, in the council file of the proposer.
    approve_as: String,
    /// Read step by step: a file within files without end is no more than text.
    of: Value,
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
    // Only maps with keys that are not text can fail here, and there are none.
    serde_json::to_string_pretty(&wire(proposal)).map(|text| text + "\n").unwrap_or_default()
}

fn wire(proposal: &Proposal) -> WireProposal {
    let Proposal { tx, snapshot, block, binding, readings, accepted, record, domain, hashes, approves } =
        proposal;
    let is_drill = domain.purpose() == Purpose::Drill;
    let approval = approves.as_ref().map(|of| {
        let approve_as = binding.pull().approve_as.last().cloned().unwrap_or_default();
        WireApproval { approve_as, of: serde_json::to_value(wire(of)).unwrap_or_default() }
    });
    let pulls = approval.is_none();
    WireProposal {
        breakglass_proposal: match (is_drill, pulls) {
            (true, _) => DRILL,
            (false, true) => LEVERS,
            (false, false) => APPROVAL,
        },
        purpose: is_drill.then(|| DRILL_WORDS.into()),
        chain_id: snapshot.id.chain_id.to_string(),
        safe: WireProposalSafe {
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
        pull: pulls.then(|| binding.pull().into()),
        levers: if pulls { levers(binding) } else { Vec::new() },
        approval,
        block: block.map(|block| WireBlock { number: block.number, hash: *block.hash.word() }),
        readings: readings
            .iter()
            .map(|(q, a)| WireReading { question: q.clone(), answer: a.clone() })
            .collect(),
        accepted: accepted.clone(),
        rehearsal: record.clone(),
        hashes: WireHashes {
            domain_hash: hashes.domain.to_string(),
            message_hash: hashes.message.to_string(),
            safe_tx_hash: hashes.safe_tx.to_string(),
        },
    }
}

pub(super) fn parse(text: &str) -> Result<Proposal, ProposalError> {
    let json = |e: serde_json::Error| ProposalError::Json(json_fault(&e));
    let wire: WireProposal = serde_json::from_str(text).map_err(|error| {
        // A newer file has fields that are unknown here: its version says more than their names.
        match serde_json::from_str(text) {
            Ok(Version { breakglass_proposal: newer }) if newer > DRILL => ProposalError::Version(newer),
            _ => json(error),
        }
    })?;
    read(wire, 0)
}

/// `depth` is the number of transactions that approve it.
fn read(mut wire: WireProposal, depth: usize) -> Result<Proposal, ProposalError> {
    if !(FIRST..=DRILL).contains(&wire.breakglass_proposal) {
        return Err(ProposalError::Version(wire.breakglass_proposal));
    }
    if depth > MOST_APPROVED {
        return Err(ProposalError::TooMany {
            what: "approvals in each other",
            count: depth,
            most: MOST_APPROVED,
        });
    }
    let is_drill = wire.breakglass_proposal == DRILL;
    if wire.purpose.as_deref() != is_drill.then_some(DRILL_WORDS) || (is_drill && depth > 0) {
        let stated = wire.purpose.unwrap_or_default();
        return Err(field("purpose", &stated, "does not fit the version of the file"));
    }
    if is_drill {
        // The text is that of this version.
        wire.breakglass_proposal = LEVERS;
    }
    let approves = approved(&mut wire, depth)?;
    let snapshot = snapshot(&wire)?;
    let tx = transaction(&wire.transaction)?;
    let binding = if let Some((name, of)) = &approves {
        of.binding().approved_by(name)
    } else {
        let (version, levers) = (wire.breakglass_proposal, std::mem::take(&mut wire.levers));
        let (pull, levers) = lever_list(version, wire.playbook.take(), wire.pull.take(), levers)?;
        check_levers(&levers, &pull)?;
        binding(pull, levers)?
    };
    check_bounds(&wire)?;
    let block = wire.block.map(|block| Block { number: block.number, hash: BlockHash::claimed(block.hash) });
    if block.is_none() && !(wire.readings.is_empty() && wire.rehearsal.is_none()) {
        return Err(ProposalError::NoBlock);
    }
    let readings = wire.readings.into_iter().map(|r| (r.question, r.answer)).collect();
    let proposal = Proposal::of(tx, snapshot, block, binding, readings).accepting(&bounded(wire.accepted));
    let proposal = proposal.recording(recorded(wire.rehearsal)?).approving(approves.map(|(_, of)| of));
    let proposal = if is_drill { proposal.for_drill()? } else { proposal };
    check_hashes(&wire.hashes, &proposal)?;
    Ok(proposal)
}

/// The transaction that it approves, with the name of the Safe that does.
fn approved(wire: &mut WireProposal, depth: usize) -> Result<Option<(String, Proposal)>, ProposalError> {
    let has_levers = wire.playbook.is_some() || wire.pull.is_some() || !wire.levers.is_empty();
    match (wire.breakglass_proposal, wire.approval.take()) {
        (FIRST | LEVERS, None) => Ok(None),
        (APPROVAL, Some(approval)) if !has_levers && approval.approve_as.len() <= LONGEST_NAME => {
            let of = serde_json::from_value(approval.of).map_err(|e| ProposalError::Json(json_fault(&e)))?;
            Ok(Some((approval.approve_as, read(of, depth + 1)?)))
        }
        (APPROVAL, _) => {
            Err(ProposalError::Json("version 3 has the transaction that it approves, and no levers".into()))
        }
        _ => Err(ProposalError::Json("only version 3 approves a transaction".into())),
    }
}

fn check_bounds(wire: &WireProposal) -> Result<(), ProposalError> {
    at_most([
        ("modules", wire.safe.modules.len(), MOST_MODULES),
        ("readings", wire.readings.len(), MOST_READINGS),
    ])
}

fn snapshot(wire: &WireProposal) -> Result<SafeState, ProposalError> {
    let safe = &wire.safe;
    let chain_id = uint("chain_id", &wire.chain_id)?;
    let chain_id = u64::try_from(chain_id)
        .map_err(|_| field("chain_id", &wire.chain_id, "is larger than any chain id"))?;
    if chain_id == DRILL_CHAIN_ID {
        return Err(field("chain_id", &wire.chain_id, "is that of drills, and no Safe is on it"));
    }
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
fn recorded(wire: Option<RehearsalRecord>) -> Result<Option<RehearsalRecord>, ProposalError> {
    match wire {
        Some(record) if !record.is_this_version() => {
            Err(field("rehearsal.version", "", "is not one that this program reads"))
        }
        other => Ok(other.and_then(RehearsalRecord::bounded)),
    }
}

fn uint(name: &'static str, text: &str) -> Result<U256, ProposalError> {
    parse_uint(text).ok_or_else(|| field(name, text, "is not a whole number below 2^256"))
}
