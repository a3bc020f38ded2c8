//! Proves that a block holds the events that a receipt tells: all its receipts against the root in its header.

use alloy::primitives::{B256, Bloom, Bytes, Log, U64};
use alloy::rlp::{Encodable, Header as ListHeader};
use alloy::trie::root::ordered_trie_root_encoded;
use serde::Deserialize;
use serde_json::{Value, json};

use super::chain_error::ChainError;
use super::json_rpc::{AT, Request};
use super::merkle::{Root, bind};
use super::mined_transactions::Receipt;
use super::quorum::Chain;
use crate::evm::BlockTag;

/// OP Stack: a deposit's receipt says a nonce and a version as well.
const DEPOSIT: u64 = 0x7e;
/// Arbitrum's transactions of before Nitro: their receipts carry no type.
const ARBITRUM_LEGACY: u64 = 0x78;

/// The events of a receipt, by the receipts root of its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Events {
    Proven(Root),
    /// No endpoint told enough, or the chain encodes its receipts in a way that is not known here.
    Unproven(&'static str),
}

/// A receipt as it is hashed. Every other field is a node's word.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hashed {
    #[serde(rename = "type", default)]
    kind: U64,
    status: U64,
    cumulative_gas_used: U64,
    logs_bloom: Bloom,
    logs: Vec<HashedLog>,
    deposit_nonce: Option<U64>,
    deposit_receipt_version: Option<U64>,
    transaction_hash: B256,
}

#[derive(Deserialize)]
struct HashedLog {
    address: alloy::primitives::Address,
    topics: Vec<B256>,
    data: Bytes,
}

impl Hashed {
    fn logs(&self) -> Vec<Log> {
        let log = |log: &HashedLog| Log::new(log.address, log.topics.clone(), log.data.clone());
        self.logs.iter().filter_map(log).collect()
    }

    /// Every type of receipt has status, gas, bloom and logs, after the type's own byte. OP Stack's deposits say their nonce and
    /// a version too, from Canyon on, which is where they have a version: before, a node tells the nonce and the root
    /// does not hold it. Arbitrum's own types have no more. What is encoded otherwise does not give the root. Sources:
    /// EIP-2718; OP Stack specification, deposits; op-geth `core/types/receipt.go`, `Receipts.EncodeIndex`; the same in
    /// Offchain Labs' go-ethereum.
    fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        (self.status.to::<u64>() == 1).encode(&mut payload);
        self.cumulative_gas_used.to::<u64>().encode(&mut payload);
        self.logs_bloom.encode(&mut payload);
        self.logs().encode(&mut payload);
        let kind = self.kind.to::<u64>();
        if kind == DEPOSIT && self.deposit_receipt_version.is_some() {
            let own = [self.deposit_nonce, self.deposit_receipt_version];
            own.into_iter().flatten().for_each(|number| number.to::<u64>().encode(&mut payload));
        }
        let mut encoded: Vec<u8> =
            u8::try_from(kind).ok().filter(|_| kind != 0 && kind != ARBITRUM_LEGACY).into_iter().collect();
        ListHeader { list: true, payload_length: payload.len() }.encode(&mut encoded);
        encoded.extend(payload);
        encoded
    }
}

impl Chain {
    /// Holds the events of a receipt against the receipts root of its block. One round, and a proof needs nobody's
    /// word: one endpoint that tells all the receipts is enough.
    /// Fails if no quorum agrees on the block, or its receipts are proven and hold other events.
    pub fn prove_events(&self, receipt: &Receipt) -> Result<Events, ChainError> {
        let requests = [
            Request::hint("eth_getBlockByNumber", json!([AT, false])),
            Request::hint("eth_getBlockReceipts", json!([AT])),
        ];
        let agreed = self.agree(&requests, BlockTag::Pinned(receipt.block))?;
        let mut why = "no RPC has all receipts of the block";
        let roots: Vec<B256> = agreed
            .hints
            .iter()
            .filter_map(|replies| receipts_root(replies.first()?.as_ref().ok()?))
            .collect();
        for replies in &agreed.hints {
            let [Ok(whole), Ok(told)] = replies.as_slice() else { continue };
            let Ok(root) = bind(self.id(), &agreed.header, whole) else { continue };
            // A root that no block hash commits to is one endpoint's word, unless the others agree.
            if root == Root::Stated
                && !is_stated(receipts_root(whole), &roots, self.quorum(), agreed.by.len())
            {
                why = "the RPCs do not agree on the block's receipts root";
                continue;
            }
            let Some(receipts) = matching(whole, told) else {
                why = "its receipts do not give the block's receipts root";
                continue;
            };
            let ours = receipts.iter().find(|one| one.transaction_hash == *receipt.tx.word());
            if ours.map(Hashed::logs).as_ref() == Some(&receipt.logs) {
                return Ok(Events::Proven(root));
            }
            return Err(ChainError::NotProven {
                chain: self.name().into(),
                block: receipt.block.number,
                why: format!(
                    "the block's receipts root holds other events for {} than the RPC said",
                    receipt.tx
                ),
            });
        }
        Ok(Events::Unproven(why))
    }
}

fn receipts_root(header: &Value) -> Option<B256> {
    serde_json::from_value(header.get("receiptsRoot")?.clone()).ok()
}

/// Returns `true` if a quorum of the endpoints, and most of those `of` that agree on the block, state this root.
fn is_stated(root: Option<B256>, roots: &[B256], quorum: usize, of: usize) -> bool {
    roots.iter().filter(|told| Some(**told) == root).count() >= quorum.max(of / 2 + 1)
}

/// The receipts, if they are those of the header.
fn matching(whole: &Value, told: &Value) -> Option<Vec<Hashed>> {
    let root = receipts_root(whole)?;
    let receipts: Vec<Hashed> = serde_json::from_value(told.clone()).ok()?;
    let encoded: Vec<Vec<u8>> = receipts.iter().map(Hashed::encode).collect();
    (ordered_trie_root_encoded(&encoded) == root).then_some(receipts)
}

#[cfg(test)]
mod tests {
    use alloy::hex;
    use alloy::primitives::Address;

    use super::*;

    fn receipt(kind: &str, more: &Value) -> Hashed {
        let mut receipt = json!({
            "type": kind, "status": "0x1", "cumulativeGasUsed": "0xb741", "logsBloom": Bloom::ZERO, "logs": [],
            "transactionHash": B256::ZERO, "gasUsed": "0x1",
        });
        for (field, value) in more.as_object().unwrap() {
            receipt[field] = value.clone();
        }
        serde_json::from_value(receipt).unwrap()
    }

    /// Sources: EIP-2718 for the type's byte; OP Stack specifications, deposits, for nonce and version.
    #[test]
    fn each_type_has_its_encoding() {
        let bloom = "00".repeat(256);
        let plain = format!("f901080182b741b90100{bloom}c0");
        assert_eq!(hex::encode(receipt("0x0", &json!({})).encode()), plain);
        assert_eq!(hex::encode(receipt("0x2", &json!({})).encode()), format!("02{plain}"));
        assert_eq!(hex::encode(receipt("0x6a", &json!({})).encode()), format!("6a{plain}"), "Arbitrum's own");
        assert_eq!(hex::encode(receipt("0x78", &json!({})).encode()), plain, "Arbitrum's before Nitro");
        let nonce = json!({"depositNonce": "0x3d3bbf"});
        let deposit = format!("7e{plain}");
        assert_eq!(hex::encode(receipt("0x7e", &nonce).encode()), deposit, "before Canyon");
        let version = json!({"depositNonce": "0x3d3bbf", "depositReceiptVersion": "0x1"});
        let deposit = format!("7ef9010d0182b741b90100{bloom}c0833d3bbf01");
        assert_eq!(hex::encode(receipt("0x7e", &version).encode()), deposit);
    }

    /// A root that others published for a receipt of type 1. Source: paradigmxyz/reth, `crates/primitives/src/proofs.rs`, the
    /// receipt and the root of `check_receipt_root_optimism`.
    #[test]
    fn a_published_root_is_that_of_its_receipts() {
        let root = "0xfe70ae4a136d98944951b2123859698d59ad251a381abc9960fa81cae3d0d4a0";
        let mut told = json!([{
            "type": "0x1", "status": "0x1", "cumulativeGasUsed": "0x18eb4",
            "logsBloom": format!("0x{}01", "00".repeat(255)),
            "logs": [{ "address": Address::ZERO, "topics": [], "data": "0x" }],
            "transactionHash": B256::ZERO,
        }]);
        assert!(matching(&json!({"receiptsRoot": root}), &told).is_some());
        told[0]["logs"][0]["data"] = json!("0x00");
        assert!(matching(&json!({"receiptsRoot": root}), &told).is_none());
    }

    #[test]
    fn a_root_that_no_hash_holds_is_stated_by_a_quorum_and_most() {
        let [ours, other] = [1, 2].map(B256::repeat_byte);
        assert!(is_stated(Some(ours), &[ours, ours], 2, 2));
        assert!(!is_stated(Some(ours), &[ours, other], 2, 2));
        assert!(!is_stated(Some(ours), &[ours, ours, other, other, other], 2, 5));
        assert!(!is_stated(None, &[], 1, 1));
    }

    #[test]
    fn other_receipts_do_not_give_the_root() {
        let told = json!([{
            "type": "0x2", "status": "0x1", "cumulativeGasUsed": "0xb741", "logsBloom": Bloom::ZERO, "logs": [],
            "transactionHash": B256::ZERO,
        }]);
        let root = ordered_trie_root_encoded(&[receipt("0x2", &json!({})).encode()]);
        assert!(matching(&json!({"receiptsRoot": root}), &told).is_some());
        let mut other = told.clone();
        other[0]["status"] = json!("0x0");
        assert!(matching(&json!({"receiptsRoot": root}), &other).is_none());
        assert!(matching(&json!({"receiptsRoot": B256::ZERO}), &told).is_none());
    }
}
