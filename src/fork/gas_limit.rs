//! The gas that a transaction is sent with. Pure.
//!
//! The smallest limit at which the outer call succeeds is not enough: a contract that catches the failure of a call
//! goes on when that call alone runs out of gas, because each call keeps a 64th of the gas back. So a limit is taken
//! only when the transaction, run with it, has the effects that were reviewed.

use super::run::Rehearsal;

/// Chains where gas pays for the data on Ethereum too: only the chain itself can estimate that. Arbitrum One, Nova and
/// Sepolia; Mantle and its Sepolia. Ids: ethereum-lists/chains, `_data/chains/eip155-*.json`.
const DATA_IN_GAS: [u64; 5] = [42_161, 42_170, 421_614, 5_000, 5_003];
/// ZKsync Era and chains of its kind, main and test network: their contracts run on another machine than the EVM. Era,
/// `ZKcandy`, Cronos zkEVM, Lens, Abstract, Sophon. Ids: ethereum-lists/chains, `_data/chains/eip155-*.json`.
const OTHER_MACHINES: [u64; 12] =
    [324, 300, 320, 302, 388, 282, 232, 37_111, 2_741, 11_124, 50_104, 531_050_104];

/// Multiples of the gas used that are tried, in quarters.
const QUARTERS: [u64; 4] = [5, 6, 8, 12];
/// An estimate beyond this multiple of what a rehearsal finds enough is not followed.
const MOST_RAISED: u64 = 3;

/// Returns `true` if contracts of this chain run on a machine that is not known here.
pub fn has_other_vm(chain_id: u64) -> bool {
    OTHER_MACHINES.contains(&chain_id)
}

/// Returns `true` if no rehearsal can tell how much gas a transaction needs on this chain, only its RPC.
pub fn is_estimated(chain_id: u64) -> bool {
    DATA_IN_GAS.contains(&chain_id)
}

/// Returns the smallest of a few limits at which it does the same, also with an eighth less: the state may move a
/// little before it is mined. The last is `cap`, with which it was reviewed.
pub fn smallest<E>(used: u64, cap: u64, mut alike: impl FnMut(u64) -> Result<bool, E>) -> Result<u64, E> {
    for quarters in QUARTERS {
        let limit = used.saturating_mul(quarters) / 4;
        if limit >= cap {
            break;
        }
        if alike(limit)? && alike(limit - limit / 8)? {
            return Ok(limit);
        }
    }
    Ok(cap)
}

/// Returns the limit that an RPC's estimate asks for, with a fifth more. It raises `enough` within bounds and never
/// lowers it.
pub fn raise_to_estimate(chain_id: u64, enough: u64, estimate: Option<u64>, cap: u64) -> u64 {
    let wanted = estimate.map_or(0, |gas| gas.saturating_add(gas / 5));
    let most = if is_estimated(chain_id) { cap } else { enough.saturating_mul(MOST_RAISED).min(cap) };
    wanted.min(most).max(enough)
}

/// Returns `true` if two runs changed the same, whatever gas they had.
pub fn same_effects(one: &Rehearsal, other: &Rehearsal) -> bool {
    one.outcome == other.outcome
        && one.writes == other.writes
        && one.events == other.events
        && one.balances == other.balances
        && one.created == other.created
        && one.destroyed == other.destroyed
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const CAP: u64 = 1 << 24;

    fn least(used: u64, needed: u64) -> u64 {
        smallest(used, CAP, |limit| Ok::<_, Infallible>(limit >= needed)).unwrap()
    }

    #[test]
    fn the_smallest_limit_leaves_an_eighth_to_spare() {
        assert_eq!(least(100_000, 100_000), 125_000);
        // Gas that caught calls keep back at several depths is not in the gas used.
        assert_eq!(least(100_000, 112_000), 150_000);
        assert_eq!(least(100_000, 170_000), 200_000);
        assert_eq!(least(100_000, 400_000), CAP);
        assert_eq!(least(CAP - 5, CAP - 5), CAP, "never above the cap");
    }

    #[test]
    fn an_estimate_raises_within_bounds_and_never_lowers() {
        assert_eq!(raise_to_estimate(1, 125_000, None, CAP), 125_000);
        assert_eq!(raise_to_estimate(1, 125_000, Some(50_000), CAP), 125_000);
        assert_eq!(raise_to_estimate(1, 125_000, Some(200_000), CAP), 240_000);
        assert_eq!(raise_to_estimate(1, 125_000, Some(u64::MAX), CAP), 375_000);
        assert_eq!(raise_to_estimate(1, 10_000_000, Some(u64::MAX), CAP), CAP);
        // Arbitrum's holds the price of data on Ethereum.
        assert_eq!(raise_to_estimate(42_161, 125_000, Some(2_000_000), 32_000_000), 2_400_000);
    }
}
