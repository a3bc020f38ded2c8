//! Blocks: their names, their headers, and which one a question is about. Values only.

use alloy::primitives::{Address, B256, U64, U256, keccak256};
use serde::{Deserialize, Serialize};

use crate::safe::hash_type;

/// A block as a proposal's file names it: all values of the proposal were read at it. Apart from [`BlockRef`], because a file
/// says nothing of the block's time, and nobody may take one that it could claim for the chain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub number: u64,
    pub hash: BlockHash,
}

hash_type!(
    /// The hash of a block: it stands for everything that happened on the chain up to there.
    BlockHash, "hash of a block"
);
hash_type!(
    /// The hash of a transaction of the chain, which is not the safeTxHash it may carry.
    TxHash, "hash of a transaction"
);

impl TxHash {
    /// Returns the hash of a signed transaction's bytes.
    pub fn of(raw: &[u8]) -> Self {
        Self(keccak256(raw))
    }
}

/// A block as the chain itself has it, with its time: a proposal keeps it as a [`Block`]. Two endpoints that name the same
/// block have seen the same chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockRef {
    pub number: u64,
    pub hash: BlockHash,
    /// Seconds since 1970, as the block says.
    pub timestamp: u64,
}

/// The block to ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockTag {
    /// The newest block that a quorum has.
    Latest,
    Number(u64),
    /// This very block: another one at its height is an error.
    Pinned(BlockRef),
}

impl BlockTag {
    /// As JSON-RPC writes it: `"latest"` or a hexadecimal number.
    pub fn text(&self) -> String {
        match self {
            Self::Latest => "latest".into(),
            Self::Number(number) | Self::Pinned(BlockRef { number, .. }) => format!("{number:#x}"),
        }
    }

    /// The height, where it is fixed.
    pub const fn number(&self) -> Option<u64> {
        match self {
            Self::Latest => None,
            Self::Number(number) | Self::Pinned(BlockRef { number, .. }) => Some(*number),
        }
    }
}

/// The parts of a block's header that execution can see.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    pub number: u64,
    pub hash: BlockHash,
    pub parent: BlockHash,
    pub timestamp: u64,
    pub gas_limit: u64,
    /// Wei per gas; nothing on a chain without EIP-1559.
    pub base_fee: Option<u64>,
    pub coinbase: Address,
    /// The field `mixHash`.
    pub prevrandao: B256,
    pub difficulty: U256,
    pub excess_blob_gas: Option<u64>,
    pub state_root: B256,
    pub gas_used: u64,
    /// The marks that the forks since Shanghai left in the header; absent on chains without them.
    pub withdrawals_root: Option<B256>,
    pub parent_beacon_block_root: Option<B256>,
    pub requests_hash: Option<B256>,
    pub block_access_list_hash: Option<B256>,
    pub slot_number: Option<u64>,
}

impl Header {
    pub const fn block(&self) -> BlockRef {
        BlockRef { number: self.number, hash: self.hash, timestamp: self.timestamp }
    }
}

#[cfg(test)]
impl Header {
    /// A block with nothing in it: a test sets what it looks at.
    pub(crate) const fn bare(number: u64, hash: BlockHash) -> Self {
        Self {
            number,
            hash,
            parent: hash,
            timestamp: 0,
            gas_limit: 30_000_000,
            base_fee: Some(1),
            coinbase: Address::ZERO,
            prevrandao: B256::ZERO,
            difficulty: U256::ZERO,
            excess_blob_gas: None,
            state_root: B256::ZERO,
            gas_used: 0,
            withdrawals_root: None,
            parent_beacon_block_root: None,
            requests_hash: None,
            block_access_list_hash: None,
            slot_number: None,
        }
    }
}

/// The fields that execution sees; the rest is left at its default, so that its hash is another one.
impl From<&Header> for alloy::consensus::Header {
    fn from(header: &Header) -> Self {
        Self {
            number: header.number,
            parent_hash: *header.parent.word(),
            timestamp: header.timestamp,
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            base_fee_per_gas: header.base_fee,
            beneficiary: header.coinbase,
            mix_hash: header.prevrandao,
            difficulty: header.difficulty,
            excess_blob_gas: header.excess_blob_gas,
            state_root: header.state_root,
            withdrawals_root: header.withdrawals_root,
            parent_beacon_block_root: header.parent_beacon_block_root,
            requests_hash: header.requests_hash,
            block_access_list_hash: header.block_access_list_hash,
            slot_number: header.slot_number,
            ..Self::default()
        }
    }
}

/// The answer of `eth_getBlockByNumber`. Chains add fields of their own, so unknown ones are passed over.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireHeader {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
    gas_limit: U64,
    base_fee_per_gas: Option<U64>,
    miner: Address,
    mix_hash: Option<B256>,
    difficulty: Option<U256>,
    excess_blob_gas: Option<U64>,
    state_root: B256,
    gas_used: U64,
    withdrawals_root: Option<B256>,
    parent_beacon_block_root: Option<B256>,
    requests_hash: Option<B256>,
    block_access_list_hash: Option<B256>,
    slot_number: Option<U64>,
}

impl From<WireHeader> for Header {
    fn from(wire: WireHeader) -> Self {
        Self {
            number: wire.number.to(),
            hash: BlockHash::claimed(wire.hash),
            parent: BlockHash::claimed(wire.parent_hash),
            timestamp: wire.timestamp.to(),
            gas_limit: wire.gas_limit.to(),
            base_fee: wire.base_fee_per_gas.map(|fee| fee.to()),
            coinbase: wire.miner,
            prevrandao: wire.mix_hash.unwrap_or_default(),
            difficulty: wire.difficulty.unwrap_or_default(),
            excess_blob_gas: wire.excess_blob_gas.map(|gas| gas.to()),
            state_root: wire.state_root,
            gas_used: wire.gas_used.to(),
            withdrawals_root: wire.withdrawals_root,
            parent_beacon_block_root: wire.parent_beacon_block_root,
            requests_hash: wire.requests_hash,
            block_access_list_hash: wire.block_access_list_hash,
            slot_number: wire.slot_number.map(|number| number.to()),
        }
    }
}
