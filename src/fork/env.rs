//! The next block: its environment, and the rules that hold in it.

use std::cmp::Ordering;

use alloy::consensus::Header;
use alloy::primitives::{B256, U256};
use revm::context::{BlockEnv, CfgEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::primitives::hardfork::SpecId;

use super::world::World;

/// The beginning of Osaka by chain id, where the header alone cannot tell it from Prague. Sources: EIP-7607.
const OSAKA: [(u64, u64); 4] =
    [(1, 1_764_798_551), (11_155_111, 1_760_427_360), (17_000, 1_759_308_480), (560_048, 1_761_677_592)];

/// The most gas one transaction can use from Osaka on (EIP-7825).
const TRANSACTION_GAS: u64 = 1 << 24;
/// The most gas of one transaction where it is not Ethereum's 2^24 (EIP-7825). Arbitrum One, Nova and Sepolia, from ArbOS
/// 50 on: OffchainLabs/nitro, `arbos/l2pricing/model.go`, `InitialPerTxGasLimitV50`.
const CAPS: [(u64, u64); 3] = [(42_161, 32_000_000), (42_170, 32_000_000), (421_614, 32_000_000)];
/// Before Osaka, and where a chain's own block gas limit is not a bound at all.
const GAS_BEFORE_OSAKA: u64 = 30_000_000;

/// The rules of the block after this one.
///
/// A header carries a mark of each fork since Shanghai, and the newest mark decides. Prague and Osaka look alike: the
/// known chains are told apart by time, and any other is taken for Osaka. A header without marks after the merge is
/// mainnet's before Shanghai, or that of a chain that leaves the marks out (Arbitrum, Polygon, …) and gets Osaka too:
/// an instruction that such a chain lacks appears only in contracts that are broken there, while rules too old
/// would report a revert that will not happen.
pub fn spec(chain_id: u64, header: &Header, next_timestamp: u64) -> SpecId {
    if header.block_access_list_hash.is_some() {
        SpecId::AMSTERDAM
    } else if header.requests_hash.is_some() {
        match OSAKA.iter().find(|(id, _)| *id == chain_id) {
            Some((_, start)) if next_timestamp < *start => SpecId::PRAGUE,
            _ => SpecId::OSAKA,
        }
    } else if header.excess_blob_gas.is_some() || header.parent_beacon_block_root.is_some() {
        SpecId::CANCUN
    } else if header.withdrawals_root.is_some() {
        SpecId::SHANGHAI
    } else if chain_id == 1 && header.base_fee_per_gas.is_none() {
        SpecId::BERLIN
    } else if chain_id == 1 {
        if header.difficulty.is_zero() { SpecId::MERGE } else { SpecId::LONDON }
    } else {
        SpecId::OSAKA
    }
}

/// Beyond this the price of blob gas, an exponential, would overflow; no chain has come near.
const MAX_EXCESS_BLOB_GAS: u64 = 150_000_000;

fn own_cap(chain_id: u64) -> Option<u64> {
    CAPS.iter().find(|(id, _)| *id == chain_id).map(|(_, cap)| *cap)
}

pub fn gas_limit(world: &World) -> u64 {
    let spec = spec(world.chain_id, &world.header, world.next_timestamp);
    let bound = if spec.is_enabled_in(SpecId::OSAKA) { TRANSACTION_GAS } else { GAS_BEFORE_OSAKA };
    world.header.gas_limit.min(own_cap(world.chain_id).unwrap_or(bound))
}

/// Returns the next block as the EVM sees it. Its randomness, beneficiary and blob price are not known yet: those of the
/// pinned block stand in for them.
pub(super) fn block(world: &World) -> BlockEnv {
    let header = &world.header;
    // A chain that kept a difficulty answers with it where others answer with randomness.
    let random = if header.difficulty.is_zero() { header.mix_hash } else { B256::from(header.difficulty) };
    let blob_gas = header.excess_blob_gas.unwrap_or_default().min(MAX_EXCESS_BLOB_GAS);
    let spec = spec(world.chain_id, header, world.next_timestamp);
    BlockEnv {
        number: U256::from(header.number) + U256::ONE,
        beneficiary: header.beneficiary,
        timestamp: U256::from(world.next_timestamp.max(header.timestamp.saturating_add(1))),
        gas_limit: header.gas_limit,
        basefee: next_base_fee(header),
        difficulty: header.difficulty,
        prevrandao: Some(random),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new_with_spec(blob_gas, spec)),
        slot_num: header.slot_number.unwrap_or_default().saturating_add(1),
    }
}

/// Returns the block itself as the EVM sees it, for a call that is asked at it.
pub(super) fn present(world: &World) -> BlockEnv {
    let header = &world.header;
    BlockEnv {
        number: U256::from(header.number),
        timestamp: U256::from(header.timestamp),
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        slot_num: header.slot_number.unwrap_or_default(),
        ..block(world)
    }
}

/// EIP-1559 with Ethereum's parameters; zero for a chain without a base fee.
fn next_base_fee(header: &Header) -> u64 {
    let fee = u128::from(header.base_fee_per_gas.unwrap_or_default());
    let (used, target) = (u128::from(header.gas_used), u128::from((header.gas_limit / 2).max(1)));
    let change = fee.saturating_mul(used.abs_diff(target)) / target / 8;
    let next = match used.cmp(&target) {
        Ordering::Less => fee.saturating_sub(change),
        Ordering::Equal => fee,
        Ordering::Greater => fee.saturating_add(change.max(u128::from(fee > 0))),
    };
    u64::try_from(next).unwrap_or(u64::MAX)
}

/// The rules without those that belong to a paying sender: nothing is charged, and whoever earns the fees is not read.
/// `chain_id` is what `CHAINID` gives.
pub(super) fn configure(cfg: &mut CfgEnv, world: &World, chain_id: u64) {
    cfg.set_spec_and_mainnet_gas_params(spec(world.chain_id, &world.header, world.next_timestamp));
    cfg.chain_id = chain_id;
    cfg.disable_nonce_check = true;
    cfg.disable_balance_check = true;
    cfg.disable_block_gas_limit = true;
    cfg.disable_base_fee = true;
    cfg.disable_eip3607 = true;
    cfg.disable_fee_charge = true;
    cfg.tx_gas_limit_cap = Some(u64::MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(mark: impl FnOnce(&mut Header)) -> Header {
        let mut header = Header { base_fee_per_gas: Some(1), ..Header::default() };
        mark(&mut header);
        header
    }

    #[test]
    fn the_newest_mark_in_the_header_decides() {
        let prague = header(|h| {
            h.requests_hash = Some(B256::ZERO);
            h.excess_blob_gas = Some(0);
            h.withdrawals_root = Some(B256::ZERO);
        });
        assert_eq!(spec(1, &prague, 1_764_798_550), SpecId::PRAGUE);
        assert_eq!(spec(1, &prague, 1_764_798_551), SpecId::OSAKA);
        assert_eq!(spec(8453, &prague, 0), SpecId::OSAKA);
        assert_eq!(spec(1, &header(|h| h.excess_blob_gas = Some(0)), 0), SpecId::CANCUN);
        assert_eq!(spec(10, &header(|h| h.withdrawals_root = Some(B256::ZERO)), 0), SpecId::SHANGHAI);
        assert_eq!(spec(1, &header(|h| h.block_access_list_hash = Some(B256::ZERO)), 0), SpecId::AMSTERDAM);
    }

    #[test]
    fn a_header_without_marks_is_old_only_on_mainnet() {
        assert_eq!(spec(1, &header(|_| ()), 0), SpecId::MERGE);
        assert_eq!(spec(1, &header(|h| h.difficulty = U256::ONE), 0), SpecId::LONDON);
        assert_eq!(spec(1, &Header::default(), 0), SpecId::BERLIN);
        assert_eq!(spec(42_161, &header(|h| h.difficulty = U256::ONE), 0), SpecId::OSAKA);
    }

    #[test]
    fn no_header_panics() {
        for (limit, used) in [(0, 0), (1, 1), (0, u64::MAX), (u64::MAX, u64::MAX), (2, u64::MAX)] {
            let header = Header {
                gas_limit: limit,
                gas_used: used,
                base_fee_per_gas: Some(u64::MAX),
                number: u64::MAX,
                timestamp: u64::MAX,
                excess_blob_gas: Some(u64::MAX),
                slot_number: Some(u64::MAX),
                ..Header::default()
            };
            let _ = block(&World::new(1, header, crate::evm::BlockHash::claimed(B256::ZERO)));
        }
    }
}
