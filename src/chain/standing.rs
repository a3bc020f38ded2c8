//! The standing of a chain's endpoints: for the review, and for whoever counts how many agree. Values only.

use super::chain_error::EndpointFault;
use crate::evm::BlockHash;

/// The standing of an endpoint to what was read of the newest block: it agrees only if it does so in every round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointStatus {
    Unasked,
    Agrees,
    /// An answer of it was not used, and why.
    Outvoted(EndpointFault),
    /// A quorum contradicts it about the same block. It stays so and is not asked again.
    Lying(EndpointFault),
    /// An address with the host and port of another, shown here. It is not asked, and counts for nothing.
    SameAs(String),
}

/// One endpoint, for the review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointReport {
    /// Its address without the key.
    pub shown: String,
    pub standing: EndpointStatus,
    /// The newest block that it showed.
    pub newest: Option<u64>,
    /// The size of a batch that it turned out to take, if it is a smaller one than it was sent at first.
    pub batch: Option<usize>,
}

/// Returns the number of independent endpoints that agree, and their number in all: an address that leads to the same host and port as another
/// counts for neither.
pub fn agreeing(endpoints: &[EndpointReport]) -> (usize, usize) {
    let count = |is: fn(&EndpointStatus) -> bool| endpoints.iter().filter(|e| is(&e.standing)).count();
    (
        count(|standing| *standing == EndpointStatus::Agrees),
        count(|standing| !matches!(standing, EndpointStatus::SameAs(_))),
    )
}

/// Returns `true` if too few of the named endpoints agree to believe them: with more than two, no more than half.
/// The owner of two of five needs only to keep the other three silent. For two RPCs the council file says if one is enough.
pub fn is_minority(endpoints: &[EndpointReport]) -> bool {
    let (agree, of) = agreeing(endpoints);
    agree > 0 && agree < least_to_believe(of)
}

/// Returns the number of these that must agree to be more than a minority.
pub(super) const fn least_to_believe(of: usize) -> usize {
    if of > 2 { of / 2 + 1 } else { 1 }
}

/// The votes of each endpoint, in every round about the current block.
#[derive(Debug, Default)]
pub(super) struct EndpointRecord {
    /// Once caught, an endpoint is not asked again.
    lies: Vec<Option<EndpointFault>>,
    block: Option<BlockHash>,
    /// By round, what is wrong with the answer of each endpoint.
    rounds: Vec<Vec<Option<EndpointFault>>>,
    /// The number of rounds about earlier blocks.
    before: usize,
}

impl EndpointRecord {
    pub(super) fn of(endpoints: usize) -> Self {
        Self { lies: vec![None; endpoints], ..Self::default() }
    }

    /// Takes what a round came to, and returns its number for [`EndpointRecord::record_late_answer`]. `anew`: it asked for the newest
    /// block, and what was read before no longer counts. Of rounds about other blocks only lies are kept.
    pub(super) fn decide(
        &mut self,
        block: Option<BlockHash>,
        faults: Vec<Option<EndpointFault>>,
        anew: bool,
    ) -> usize {
        for (at, fault) in faults.iter().enumerate() {
            self.note_lie(at, fault.as_ref());
        }
        if anew {
            self.before += self.rounds.len() + 1;
            self.rounds.clear();
            self.block = block;
        }
        if !anew && (block.is_none() || block != self.block) {
            return 0;
        }
        self.rounds.push(faults);
        self.before + self.rounds.len()
    }

    /// Takes an answer that came after its round was decided.
    pub(super) fn record_late_answer(&mut self, round: usize, at: usize, fault: Option<EndpointFault>) {
        self.note_lie(at, fault.as_ref());
        let faults = round.checked_sub(self.before + 1).and_then(|index| self.rounds.get_mut(index));
        if let Some(place) = faults.and_then(|faults| faults.get_mut(at)) {
            *place = fault;
        }
    }

    fn note_lie(&mut self, at: usize, fault: Option<&EndpointFault>) {
        if let (Some(lie @ None), Some(fault @ EndpointFault::Lying { .. })) = (self.lies.get_mut(at), fault)
        {
            *lie = Some(fault.clone());
        }
    }

    pub(super) fn standings(&self) -> Vec<EndpointStatus> {
        let standing = |(at, lie): (usize, &Option<EndpointFault>)| {
            if let Some(lie) = lie {
                return EndpointStatus::Lying(lie.clone());
            }
            let faults = || self.rounds.iter().filter_map(|round| round.get(at)?.as_ref());
            let worst = faults().find(|fault| **fault != EndpointFault::Slow).or_else(|| faults().next());
            match worst {
                Some(fault) => EndpointStatus::Outvoted(fault.clone()),
                None if self.rounds.is_empty() => EndpointStatus::Unasked,
                None => EndpointStatus::Agrees,
            }
        };
        self.lies.iter().enumerate().map(standing).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;

    fn block(n: u8) -> BlockHash {
        BlockHash::claimed(B256::repeat_byte(n))
    }

    #[test]
    fn a_slow_rpc_agrees_only_after_it_answered_every_round() {
        let mut record = EndpointRecord::of(2);
        assert_eq!(record.standings(), [EndpointStatus::Unasked, EndpointStatus::Unasked]);
        let first = record.decide(Some(block(1)), vec![None, Some(EndpointFault::Slow)], true);
        let second = record.decide(Some(block(1)), vec![None, Some(EndpointFault::Slow)], false);
        record.record_late_answer(first, 1, None);
        assert_eq!(
            record.standings(),
            [EndpointStatus::Agrees, EndpointStatus::Outvoted(EndpointFault::Slow)]
        );
        record.record_late_answer(second, 1, None);
        assert_eq!(record.standings(), [EndpointStatus::Agrees, EndpointStatus::Agrees]);
        record.decide(Some(block(1)), vec![Some(EndpointFault::Straddles), None], false);
        assert_eq!(
            record.standings(),
            [EndpointStatus::Outvoted(EndpointFault::Straddles), EndpointStatus::Agrees]
        );
        // Another block, and the newest once more.
        record.decide(Some(block(7)), vec![None, Some(EndpointFault::Slow)], false);
        assert_eq!(
            record.standings(),
            [EndpointStatus::Outvoted(EndpointFault::Straddles), EndpointStatus::Agrees]
        );
        record.decide(Some(block(2)), vec![None, None], true);
        assert_eq!(record.standings(), [EndpointStatus::Agrees, EndpointStatus::Agrees]);
        record.record_late_answer(second, 1, Some(EndpointFault::Slow));
        assert_eq!(
            record.standings(),
            [EndpointStatus::Agrees, EndpointStatus::Agrees],
            "of a block that is left behind"
        );
    }

    #[test]
    fn a_lie_stays_one_whenever_it_is_heard() {
        let lie = EndpointFault::Lying { what: "slot".into(), number: 1 };
        let mut record = EndpointRecord::of(2);
        let first = record.decide(Some(block(1)), vec![None, Some(EndpointFault::Slow)], true);
        record.decide(Some(block(2)), vec![None, None], true);
        record.record_late_answer(first, 1, Some(lie.clone()));
        record.decide(Some(block(3)), vec![None, None], true);
        assert_eq!(record.standings(), [EndpointStatus::Agrees, EndpointStatus::Lying(lie)]);
    }

    #[test]
    fn half_of_more_than_two_is_a_minority() {
        let report = |standing| EndpointReport { shown: String::new(), standing, newest: None, batch: None };
        let minority = |agree: usize, of: usize| {
            let standings = (0..of).map(|at| {
                if at < agree {
                    EndpointStatus::Agrees
                } else {
                    EndpointStatus::Outvoted(EndpointFault::Slow)
                }
            });
            is_minority(&standings.map(report).collect::<Vec<_>>())
        };
        for (agree, of) in [(2, 5), (2, 4), (1, 3), (1, 4)] {
            assert!(minority(agree, of), "{agree} of {of}");
        }
        for (agree, of) in [(0, 5), (1, 1), (1, 2), (2, 3), (3, 5), (3, 4)] {
            assert!(!minority(agree, of), "{agree} of {of}");
        }
    }
}
