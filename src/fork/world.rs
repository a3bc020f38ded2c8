//! The state of the chain that a rehearsal needs, by key, and what is known of it.

use std::collections::BTreeMap;

use alloy::consensus::Header;
use alloy::primitives::{Address, B256, Bytes, U256};
use revm::bytecode::Bytecode;
use revm::state::EvmState;

use crate::evm::{BlockHash, Keys};

/// From one rehearsed block to the next; Ethereum's own.
const BLOCK_SECONDS: u64 = 12;

/// An account as the chain has it; one that does not exist is all zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// In wei.
    pub balance: U256,
    pub nonce: u64,
    /// As `eth_getCode` gives it: for an EIP-7702 account, the 23-byte delegation.
    pub code: Bytes,
}

/// Values from the chain, all at one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorldState {
    pub accounts: BTreeMap<Address, Account>,
    pub slots: BTreeMap<(Address, B256), B256>,
    pub block_hashes: BTreeMap<u64, BlockHash>,
}

impl WorldState {
    /// Returns those of these keys whose value is not known.
    pub fn missing(&self, keys: &Keys) -> Keys {
        let mut missing = keys.clone();
        missing.accounts.retain(|address| !self.accounts.contains_key(address));
        missing.slots.retain(|slot| !self.slots.contains_key(slot));
        missing.block_hashes.retain(|number| !self.block_hashes.contains_key(number));
        missing
    }

    pub fn extend(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
        self.slots.extend(other.slots);
        self.block_hashes.extend(other.block_hashes);
    }

    /// The accounts and slots that a run touched and changed, as it leaves them.
    pub(super) fn left_by(run: &EvmState) -> Self {
        let mut left = Self::default();
        for (address, account) in run {
            if account.is_selfdestructed() {
                left.accounts.insert(*address, Account::default());
                continue;
            }
            let info = &account.info;
            let code = info.code.as_ref().map(Bytecode::original_bytes).unwrap_or_default();
            left.accounts.insert(*address, Account { balance: info.balance, nonce: info.nonce, code });
            let changed = account.changed_storage_slots();
            left.slots.extend(
                changed.map(|(slot, value)| ((*address, B256::from(*slot)), value.present_value.into())),
            );
        }
        left
    }
}

/// The chain as far as it is known, at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    pub chain_id: u64,
    /// The block whose state this is. The rehearsal happens in the one after it.
    pub header: Header,
    /// As the chain states it: a chain with header fields of its own hashes them in its own way.
    pub hash: BlockHash,
    /// The time of the next block, in seconds since 1970; never before the second after [`World::header`].
    pub next_timestamp: u64,
    pub state: WorldState,
}

impl World {
    /// A world of which only the block is known. The next block comes at the earliest moment it can.
    pub fn new(chain_id: u64, header: Header, hash: BlockHash) -> Self {
        let next_timestamp = header.timestamp.saturating_add(1);
        Self { chain_id, header, hash, next_timestamp, state: WorldState::default() }
    }

    /// The world after the rehearsed block. Its hash is not known: that of the last real block stands for it.
    pub(super) fn resume(&mut self, left: WorldState) {
        self.state.extend(left);
        self.header.number = self.header.number.saturating_add(1);
        self.header.timestamp = self.next_timestamp;
        self.next_timestamp = self.next_timestamp.saturating_add(BLOCK_SECONDS);
    }
}
