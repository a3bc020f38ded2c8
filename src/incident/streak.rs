//! Count of the blocks for which an alarm's claim has been false, so that one that is false for a moment wakes nobody.
//! Pure.

/// The blocks at which a claim was false, one evaluation after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streak {
    since: Option<u64>,
    newest: u64,
    has_fired: bool,
}

impl Streak {
    /// Counts one evaluation. Returns `true` once, as soon as the claim has been false for `blocks` blocks. An
    /// evaluation at the same block counts once. One at an older block does not count, because an RPC may lag behind;
    /// the next counts from there, because the newer block may have been a wrong answer. A claim that holds resets the
    /// count.
    pub const fn record(&mut self, is_false: bool, block: u64, blocks: u64) -> bool {
        if !is_false {
            *self = Self { since: None, newest: block, has_fired: false };
            return false;
        }
        let since = match self.since {
            Some(since) if since < block => since,
            _ => block,
        };
        let is_older = block < self.newest;
        self.since = Some(since);
        self.newest = block;
        if is_older {
            return false;
        }
        let fires = !self.has_fired && (self.newest - since).saturating_add(1) >= blocks;
        self.has_fired |= fires;
        fires
    }

    /// Records an evaluation that failed. The count begins anew, because the claim may have held in between; an alarm
    /// that has fired stays so until its claim holds.
    pub const fn record_unread(&mut self) {
        self.since = None;
    }

    /// Returns `true` while it is false and has not fired.
    pub const fn is_pending(&self) -> bool {
        self.since.is_some() && !self.has_fired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the blocks at which an evaluation fires.
    fn fired(blocks: u64, evaluations: &[(bool, u64)]) -> Vec<u64> {
        let mut streak = Streak::default();
        evaluations
            .iter()
            .filter(|(is_false, block)| streak.record(*is_false, *block, blocks))
            .map(|l| l.1)
            .collect()
    }

    #[test]
    fn an_alarm_fires_once_after_its_number_of_blocks() {
        assert_eq!(fired(1, &[(true, 5), (true, 6), (true, 7)]), [5]);
        assert_eq!(fired(3, &[(true, 5), (true, 6), (true, 7), (true, 8)]), [7]);
        assert_eq!(fired(3, &[(true, 5), (true, 9)]), [9], "blocks that were not evaluated count");
    }

    #[test]
    fn an_alarm_that_is_false_for_a_moment_does_not_fire() {
        assert_eq!(fired(3, &[(true, 5), (true, 6), (false, 7), (true, 8), (true, 9)]), [0; 0]);
        assert_eq!(fired(1, &[(true, 5), (false, 6), (true, 7)]), [5, 7]);
        assert_eq!(
            fired(2, &[(true, 5), (true, 5), (true, 5)]),
            [0; 0],
            "the same block three times is one block"
        );
    }

    #[test]
    fn the_largest_block_number_does_not_overflow() {
        assert_eq!(fired(2, &[(true, 0), (true, u64::MAX)]), [u64::MAX]);
    }

    #[test]
    fn an_alarm_does_not_fire_again_after_a_gap() {
        let mut streak = Streak::default();
        assert!(streak.record(true, 5, 1));
        streak.record_unread();
        assert!(!streak.record(true, 9, 1), "false before the gap and after it: the same firing");
        streak.record_unread();
        streak.record_unread();
        assert!(!streak.record(true, 12, 1));
        assert!(!streak.record(false, 13, 1));
        assert!(streak.record(true, 14, 1), "it held in between");
    }

    #[test]
    fn blocks_of_a_gap_do_not_count() {
        let mut streak = Streak::default();
        assert!(!streak.record(true, 5, 3));
        streak.record_unread();
        assert!(!streak.is_pending());
        assert!(!streak.record(true, 8, 3), "nobody saw blocks 6 and 7");
        assert!(!streak.record(true, 9, 3));
        assert!(streak.record(true, 10, 3));
    }

    #[test]
    fn an_older_block_does_not_count() {
        assert_eq!(fired(3, &[(true, 9), (true, 7), (true, 8)]), [0; 0]);
        assert_eq!(fired(1, &[(false, 9), (true, 8), (false, 10)]), [0; 0], "it was true after that");
    }

    /// One answer has the number of a block that does not exist yet.
    #[test]
    fn a_block_far_in_the_future_does_not_silence_an_alarm() {
        for first in [true, false] {
            let fired = fired(3, &[(first, u64::MAX), (true, 100), (true, 101), (true, 102), (true, 103)]);
            assert_eq!(fired, [102], "the first evaluation was false: {first}");
        }
    }
}
