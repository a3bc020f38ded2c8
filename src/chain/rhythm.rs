//! The block time of a chain, and the age that its newest block may have. Pure.

use std::time::Duration;

use crate::evm::BlockRef;

/// Block times by chain id, in milliseconds, from the chains' own documentation.
const BLOCK_TIMES: [(u64, u64); 22] = [
    (1, 12_000),
    (10, 2_000),
    (30, 30_000),
    (56, 750),
    (100, 5_000),
    (130, 1_000),
    (137, 2_000),
    (146, 1_000),
    (250, 1_000),
    (1_101, 3_000),
    (5_000, 2_000),
    (8_453, 2_000),
    (17_000, 12_000),
    (34_443, 2_000),
    (42_161, 250),
    (42_220, 1_000),
    (43_114, 2_000),
    (59_144, 2_000),
    (81_457, 2_000),
    (534_352, 3_000),
    (560_048, 12_000),
    (11_155_111, 12_000),
];
/// Chains on a developer's machine make a block when there is something in it.
const ON_DEMAND: [u64; 2] = [1_337, 31_337];
/// Where nothing is known: Ethereum's own.
const UNKNOWN: Duration = Duration::from_secs(12);
/// No chain is taken to be faster.
const SHORTEST: Duration = Duration::from_millis(100);
/// The newest block may be this many block times old: some slots stay empty.
const FEW: u32 = 6;
/// Or this old, on faster chains: clocks and networks are not exact.
const LEAST: Duration = Duration::from_secs(30);

/// The time between two blocks of a chain that is known here.
pub fn known_block_time(chain_id: u64) -> Option<Duration> {
    let known = BLOCK_TIMES.iter().find(|(id, _)| *id == chain_id);
    known.map(|(_, millis)| Duration::from_millis(*millis))
}

/// The time between two blocks of a chain; None if it makes them on demand.
pub fn usual_block_time(chain_id: u64) -> Option<Duration> {
    (!is_on_demand(chain_id)).then_some(known_block_time(chain_id).unwrap_or(UNKNOWN))
}

/// The time between two blocks as two headers of a chain show it; None if they do not lie one after the other. Blocks
/// say whole seconds, and the chain may have stood still: within bounds.
pub fn seen_block_time(earlier: &BlockRef, later: &BlockRef) -> Option<Duration> {
    let blocks = later.number.checked_sub(earlier.number).filter(|blocks| *blocks > 0)?;
    let millis = later.timestamp.checked_sub(earlier.timestamp)?.saturating_mul(1_000);
    Some(Duration::from_millis(millis / blocks).clamp(SHORTEST, UNKNOWN))
}

/// Returns `true` if a chain makes a block when there is something in it.
pub fn is_on_demand(chain_id: u64) -> bool {
    ON_DEMAND.contains(&chain_id)
}

/// Returns the age that the newest block may have.
pub fn allowed_age(block_time: Duration) -> Duration {
    block_time.saturating_mul(FEW).max(LEAST)
}

/// The age of the block that everything was read at, by this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// As new as the chain makes them. In seconds.
    New(u64),
    /// Older than a few block times: the chain stands still, or an endpoint serves an old one.
    Old {
        seconds: u64,
        allowed: u64,
        /// The block's time, in seconds since 1970.
        made: u64,
    },
    /// From the future: this machine's clock is wrong, by this many seconds at least.
    Ahead { seconds: u64, made: u64 },
}

/// Judges the age of a block. `timestamp` and `now` are seconds since 1970; without a block time any age is new.
pub fn judge_age(timestamp: u64, now: u64, block_time: Option<Duration>) -> Age {
    let seconds = now.saturating_sub(timestamp);
    let Some(allowed) = block_time.map(|time| allowed_age(time).as_secs()) else { return Age::New(seconds) };
    match timestamp.checked_sub(now) {
        Some(ahead) if ahead > LEAST.as_secs() => Age::Ahead { seconds: ahead, made: timestamp },
        _ if seconds > allowed => Age::Old { seconds, allowed, made: timestamp },
        _ => Age::New(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_old_after_a_few_block_times() {
        let judged = |age: u64, id| judge_age(1_000_000 - age, 1_000_000, usual_block_time(id));
        assert_eq!(judged(72, 1), Age::New(72));
        assert_eq!(judged(73, 1), Age::Old { seconds: 73, allowed: 72, made: 999_927 });
        assert_eq!(judged(30, 8_453), Age::New(30));
        assert_eq!(judged(31, 8_453), Age::Old { seconds: 31, allowed: 30, made: 999_969 });
        assert_eq!(judged(100_000, 31_337), Age::New(100_000));
        assert_eq!(judged(73, 7_777_777), Age::Old { seconds: 73, allowed: 72, made: 999_927 });
    }

    #[test]
    fn a_block_from_the_future_is_a_wrong_clock() {
        let judged = |ahead: u64| judge_age(1_000_000 + ahead, 1_000_000, Some(Duration::from_secs(12)));
        assert_eq!(judged(30), Age::New(0));
        assert_eq!(judged(31), Age::Ahead { seconds: 31, made: 1_000_031 });
    }

    #[test]
    fn two_headers_show_the_time_between_blocks() {
        let hash = crate::evm::BlockHash::claimed(alloy::primitives::B256::ZERO);
        let block = |number, timestamp| BlockRef { number, hash, timestamp };
        let seen = |number, timestamp| seen_block_time(&block(10, 100), &block(number, timestamp));
        assert_eq!(seen(11, 102), Some(Duration::from_secs(2)));
        assert_eq!(seen(14, 101), Some(Duration::from_millis(250)));
        assert_eq!(seen(14, 100), Some(SHORTEST), "faster than the clock of its blocks");
        assert_eq!(seen(11, 900), Some(UNKNOWN), "it stood still");
        assert_eq!([seen(10, 100), seen(9, 90), seen(11, 90)], [None, None, None]);
    }

    #[test]
    fn each_chain_stands_in_the_table_once() {
        assert!(BLOCK_TIMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
