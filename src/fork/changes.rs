//! The changes that a run left behind. Pure.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Log, U256, b256};
use revm::state::{Account, EvmState};

use super::db::ForkDb;
use super::world::World;
use crate::evm::{TokenChange, Write};

/// An ether balance that is not what it was, in wei; the fee for gas is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceChange {
    pub address: Address,
    pub old: U256,
    pub new: U256,
}

/// `Transfer(address,address,uint256)`
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// The net effects on state, each list in order of address.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) writes: Vec<Write>,
    pub(super) balances: Vec<BalanceChange>,
    pub(super) created: Vec<Address>,
    pub(super) destroyed: Vec<Address>,
}

impl Effects {
    pub(super) fn of(state: &EvmState, world: &World, db: &ForkDb<'_>) -> Self {
        let mut effects = Self::default();
        let sorted: BTreeMap<_, _> = state.iter().collect();
        for (address, account) in sorted {
            // A missing account is reported apart, and no effects are shown then.
            let Some(before) = world.state.accounts.get(address) else { continue };
            let new = if account.is_selfdestructed() { U256::ZERO } else { account.info.balance };
            if new != before.balance {
                effects.balances.push(BalanceChange { address: *address, old: before.balance, new });
            }
            if account.is_selfdestructed() {
                if !before.code.is_empty() {
                    effects.destroyed.push(*address);
                }
                continue;
            }
            if before.code.is_empty() && !account.info.is_empty_code_hash() {
                effects.created.push(*address);
            }
            effects.writes.extend(writes(*address, account, db));
        }
        effects
    }
}

fn writes(address: Address, account: &Account, db: &ForkDb<'_>) -> Vec<Write> {
    let changed = account.changed_storage_slots().map(|(slot, value)| Write {
        address,
        slot: B256::from(*slot),
        old: B256::from(value.original_value),
        new: B256::from(value.present_value),
    });
    let mut writes: Vec<_> = changed.filter(|w| !db.is_assumed(address, w.slot)).collect();
    writes.sort_by_key(|w| w.slot);
    writes
}

/// Sums the ERC-20 transfers, by token and holder. An ERC-721 transfer has four topics and is none.
pub(super) fn token_changes(events: &[Log]) -> Vec<TokenChange> {
    let mut sums: BTreeMap<(Address, Address), (U256, U256)> = BTreeMap::new();
    for log in events {
        let ([TRANSFER, from, to], 32) = (log.topics(), log.data.data.len()) else { continue };
        let amount = U256::from_be_slice(&log.data.data);
        let sent = &mut sums.entry((log.address, Address::from_word(*from))).or_default().1;
        *sent = sent.saturating_add(amount);
        let received = &mut sums.entry((log.address, Address::from_word(*to))).or_default().0;
        *received = received.saturating_add(amount);
    }
    let changes = sums.into_iter().filter(|(_, (received, sent))| received != sent);
    changes.map(|((token, holder), (received, sent))| TokenChange { token, holder, received, sent }).collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::keccak256;

    use super::*;

    fn transfer(from: u8, to: u8, amount: u64, extra: Option<B256>) -> Log {
        let who = |n| Address::repeat_byte(n).into_word();
        let topics = [TRANSFER, who(from), who(to)].into_iter().chain(extra).collect();
        let data = if extra.is_some() { vec![] } else { U256::from(amount).to_be_bytes_vec() };
        Log::new_unchecked(Address::repeat_byte(9), topics, data.into())
    }

    #[test]
    fn transfers_are_summed_by_holder_and_what_nets_out_is_left_out() {
        assert_eq!(TRANSFER, keccak256("Transfer(address,address,uint256)"));
        let events = [transfer(1, 2, 5, None), transfer(2, 3, 5, None), transfer(1, 4, 1, Some(TRANSFER))];
        let changes = token_changes(&events);
        let sums: Vec<_> = changes.iter().map(|c| (c.holder[0], c.received.to(), c.sent.to())).collect();
        assert_eq!(sums, [(1u8, 0u64, 5u64), (3, 5, 0)]);
    }
}
