//! A mined transaction run again in this process, on the state of the block before it.

use alloy::primitives::{Address, Bytes};
use serde_json::json;

use super::chain_error::ChainError;
use super::draft::RehearsalDraft;
use super::json_rpc::Request;
use super::mined_transactions::Receipt;
use super::on_fork::Pinned;
use super::quorum::Chain;
use super::settle::{Settled, WireTransaction};
use super::snapshot::Ask;
use crate::evm::{BlockRef, BlockTag, Header, Keys};
use crate::fork::{ExecTransaction, Expected, Rehearsal, settle};
use crate::safe::{Domain, SafeId, SafeState, SafeTx, decode_exec, slot, slot_word};

/// The effects of a mined transaction when it is run again.
#[derive(Clone, Debug)]
pub struct Replayed {
    pub rehearsal: Rehearsal,
    pub expected: Expected,
    /// The Safe before it.
    pub safe: SafeState,
    /// The Safe was called by the transaction itself, not by another contract.
    pub is_direct: bool,
}

/// The call of `execTransaction` that was mined.
struct MinedCall {
    sender: Address,
    signatures: Option<Bytes>,
    gas: Option<u64>,
}

impl Chain {
    /// The block before one, as its header names it.
    /// Fails if no quorum agrees, or when the chain has another block at that height by now.
    pub fn parent(&self, block: &BlockRef) -> Result<BlockRef, ChainError> {
        Ok(before(&self.agree(&[], BlockTag::Pinned(*block))?.header))
    }

    /// Runs a mined transaction again, at the time of its block, with its own signatures, gas and sender. What other
    /// transactions did before it in the same block is not known here.
    /// Fails if a value cannot be had from a quorum: many nodes keep the state of 128 blocks only.
    pub fn replay(
        &self,
        safe: &SafeId,
        tx: &SafeTx,
        receipt: &Receipt,
        hints: Keys,
    ) -> Result<Replayed, ChainError> {
        let request = Request::new("eth_getTransactionByHash", json!([receipt.tx.word()]));
        let agreed = self.agree(&[request], BlockTag::Pinned(receipt.block))?;
        let sent = match agreed.values.into_iter().next() {
            Some(Settled::Json(value)) => {
                serde_json::from_value::<Option<WireTransaction>>(value).ok().flatten()
            }
            _ => None,
        };
        let call = call(sent.as_ref(), safe, tx, receipt);
        let draft = RehearsalDraft {
            safe: *safe,
            tx: tx.clone(),
            sender: call.sender,
            owners: Vec::new(),
            queries: Vec::new(),
            hints,
        };
        let ask = Ask { safe: safe.address, drafts: &[draft], ..Ask::default() };
        let seen = self.snapshot(&ask, BlockTag::Pinned(before(&agreed.header)))?;
        let mut world = self.world(&seen);
        world.next_timestamp = agreed.header.timestamp;
        // Where blocks come faster than seconds, two have the same time.
        world.header.timestamp = agreed.header.timestamp.saturating_sub(1);
        world.header.beneficiary = agreed.header.coinbase;
        world.header.mix_hash = agreed.header.prevrandao;
        world.header.difficulty = agreed.header.difficulty;
        if tx.nonce > seen.state.nonce {
            world.state.slots.insert((safe.address, slot_word(slot::NONCE)), tx.nonce.0.into());
        }
        let exec = ExecTransaction {
            domain: Domain::real(*safe),
            owners: &seen.state.owners,
            tx,
            signatures: call.signatures.as_ref(),
            sender: call.sender,
            gas: call.gas,
        };
        let source = Pinned { chain: self, block: seen.header.block() };
        let run = settle(&source, &mut world, &exec, &[], seen.known.wanted.clone());
        let rehearsal = run.map_err(|error| source.failed(error))?;
        let expected = Expected::of(&rehearsal, &world.state, &seen.state);
        Ok(Replayed { rehearsal, expected, safe: seen.state, is_direct: call.signatures.is_some() })
    }
}

const fn before(header: &Header) -> BlockRef {
    BlockRef { number: header.number.saturating_sub(1), hash: header.parent, timestamp: 0 }
}

/// Sent to the Safe itself it is known whole; through another contract, that one is the sender and the owners are taken
/// to have approved.
fn call(sent: Option<&WireTransaction>, safe: &SafeId, tx: &SafeTx, receipt: &Receipt) -> MinedCall {
    let direct = sent.filter(|sent| sent.to == Some(safe.address));
    let decoded = direct.and_then(|sent| Some((sent, decode_exec(&sent.input, tx.nonce)?)));
    match decoded {
        Some((sent, (called, signatures))) if called == *tx => {
            MinedCall { sender: sent.from, signatures: Some(signatures), gas: Some(sent.gas.to()) }
        }
        _ => MinedCall {
            sender: sent.and_then(|sent| sent.to).unwrap_or(receipt.from),
            signatures: None,
            gas: None,
        },
    }
}
