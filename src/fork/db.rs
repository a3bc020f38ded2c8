//! The database under the EVM: known state, and a record of every key that was read or missing.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use alloy::primitives::{Address, B256, U256};
use revm::Database;
use revm::bytecode::Bytecode;
use revm::state::{AccountInfo, EvmState};

use super::world::{Account, World};
use crate::evm::Keys;

/// Answers 0 for what it does not know, and says so in `missing`.
pub(super) struct ForkDb<'a> {
    world: &'a World,
    /// Slots that are taken to hold something else than they do.
    assumed: BTreeMap<(Address, B256), U256>,
    /// The state that the transaction left behind; it is read first.
    after: EvmState,
    loaded: HashMap<Address, Option<AccountInfo>>,
    pub(super) read: Keys,
    pub(super) missing: Keys,
}

impl<'a> ForkDb<'a> {
    pub(super) fn new(world: &'a World, assumed: BTreeMap<(Address, B256), U256>) -> Self {
        Self {
            world,
            assumed,
            after: EvmState::default(),
            loaded: HashMap::new(),
            read: Keys::default(),
            missing: Keys::default(),
        }
    }

    /// From here on, everything is read in the state after the transaction.
    pub(super) fn resume_after(&mut self, state: EvmState) {
        self.after = state;
    }

    pub(super) fn is_assumed(&self, address: Address, slot: B256) -> bool {
        self.assumed.contains_key(&(address, slot))
    }

    /// The account as the run sees it now.
    pub(super) fn account(&mut self, address: Address) -> Option<AccountInfo> {
        match self.after.get(&address) {
            Some(account) if account.is_selfdestructed() => None,
            Some(account) => Some(account.info.clone()),
            None => self.account_of_chain(address),
        }
    }

    /// The slot as the run sees it now.
    pub(super) fn slot(&mut self, address: Address, slot: B256) -> U256 {
        if let Some(account) = self.after.get(&address) {
            if account.is_selfdestructed() {
                return U256::ZERO;
            }
            if let Some(value) = account.storage.get(&U256::from_be_bytes(slot.0)) {
                return value.present_value;
            }
            if account.is_created() {
                return U256::ZERO;
            }
        }
        self.slot_of_chain(address, slot)
    }

    fn account_of_chain(&mut self, address: Address) -> Option<AccountInfo> {
        let known = self.world.state.accounts.get(&address);
        self.read.accounts.insert(address);
        if known.is_none() {
            self.missing.accounts.insert(address);
        }
        self.loaded.entry(address).or_insert_with(|| known.and_then(account_info)).clone()
    }

    fn slot_of_chain(&mut self, address: Address, slot: B256) -> U256 {
        if let Some(value) = self.assumed.get(&(address, slot)) {
            return *value;
        }
        self.read.slots.insert((address, slot));
        let known = self.world.state.slots.get(&(address, slot));
        if known.is_none() {
            self.missing.slots.insert((address, slot));
        }
        known.map_or(U256::ZERO, |word| U256::from_be_bytes(word.0))
    }
}

/// `None` for an account that does not exist: the price of a call depends on it.
fn account_info(account: &Account) -> Option<AccountInfo> {
    if *account == Account::default() {
        return None;
    }
    let code = Bytecode::new_raw_checked(account.code.clone())
        .unwrap_or_else(|_| Bytecode::new_legacy(account.code.clone()));
    let info = AccountInfo { balance: account.balance, nonce: account.nonce, ..AccountInfo::default() };
    Some(info.with_code(code))
}

impl Database for ForkDb<'_> {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.account(address))
    }

    /// Every account comes with its code, so nobody asks for it apart.
    fn code_by_hash(&mut self, _: B256) -> Result<Bytecode, Infallible> {
        Ok(Bytecode::default())
    }

    fn storage(&mut self, address: Address, key: U256) -> Result<U256, Infallible> {
        Ok(self.slot(address, B256::from(key)))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        if number == self.world.header.number {
            return Ok(*self.world.hash.word());
        }
        self.read.block_hashes.insert(number);
        let known = self.world.state.block_hashes.get(&number);
        if known.is_none() {
            self.missing.block_hashes.insert(number);
        }
        Ok(known.map_or(B256::ZERO, |hash| *hash.word()))
    }
}
