//! For how many blocks an alarm has been false, so that one that flickers wakes nobody.

/// The blocks at which a claim was false, one look after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streak {
    since: Option<u64>,
    newest: u64,
    has_fired: bool,
}

impl Streak {
    /// Counts one look. Returns `true` once, as soon as the claim has been false for `blocks` blocks. A look at the same
    /// block says nothing new. One at an older block does not count, because an RPC may lag behind; the next look counts from
    /// there, because the newer block may have been a wrong answer. A look that holds begins anew.
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

    /// Counts a look that could not be read. The blocks begin anew, because what was true in between is not known; what has
    /// fired stays so until the claim is seen to hold.
    pub const fn gap(&mut self) {
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

    /// Which of the looks fires.
    fn fired(blocks: u64, looks: &[(bool, u64)]) -> Vec<u64> {
        let mut streak = Streak::default();
        looks
            .iter()
            .filter(|(is_false, block)| streak.record(*is_false, *block, blocks))
            .map(|l| l.1)
            .collect()
    }

    #[test]
    fn it_fires_once_after_so_many_blocks() {
        assert_eq!(fired(1, &[(true, 5), (true, 6), (true, 7)]), [5]);
        assert_eq!(fired(3, &[(true, 5), (true, 6), (true, 7), (true, 8)]), [7]);
        assert_eq!(fired(3, &[(true, 5), (true, 9)]), [9], "blocks that were not looked at count");
    }

    #[test]
    fn one_that_flickers_does_not_fire() {
        assert_eq!(fired(3, &[(true, 5), (true, 6), (false, 7), (true, 8), (true, 9)]), [0; 0]);
        assert_eq!(fired(1, &[(true, 5), (false, 6), (true, 7)]), [5, 7]);
        assert_eq!(
            fired(2, &[(true, 5), (true, 5), (true, 5)]),
            [0; 0],
            "the same block three times is one block"
        );
    }

    #[test]
    fn no_number_of_a_block_is_too_large() {
        assert_eq!(fired(2, &[(true, 0), (true, u64::MAX)]), [u64::MAX]);
    }

    #[test]
    fn a_gap_is_no_second_alarm() {
        let mut streak = Streak::default();
        assert!(streak.record(true, 5, 1));
        streak.gap();
        assert!(!streak.record(true, 9, 1), "false before the gap and after it: the same firing");
        streak.gap();
        streak.gap();
        assert!(!streak.record(true, 12, 1));
        assert!(!streak.record(false, 13, 1));
        assert!(streak.record(true, 14, 1), "it held in between");
    }

    #[test]
    fn a_gap_counts_no_blocks() {
        let mut streak = Streak::default();
        assert!(!streak.record(true, 5, 3));
        streak.gap();
        assert!(!streak.is_pending());
        assert!(!streak.record(true, 8, 3), "nobody saw blocks 6 and 7");
        assert!(!streak.record(true, 9, 3));
        assert!(streak.record(true, 10, 3));
    }

    #[test]
    fn an_rpc_that_goes_back_does_not_make_blocks() {
        assert_eq!(fired(3, &[(true, 9), (true, 7), (true, 8)]), [0; 0]);
        assert_eq!(fired(1, &[(false, 9), (true, 8), (false, 10)]), [0; 0], "it was true after that");
    }

    /// One answer with the number of a block that there is not yet.
    #[test]
    fn a_block_far_ahead_silences_no_alarm() {
        for first in [true, false] {
            let fired = fired(3, &[(first, u64::MAX), (true, 100), (true, 101), (true, 102), (true, 103)]);
            assert_eq!(fired, [102], "the first look was false: {first}");
        }
    }
}
