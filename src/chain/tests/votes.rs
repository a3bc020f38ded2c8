//! The decision which of several endpoints to believe, by their votes.

use alloy::primitives::{B256, U256};
use proptest::prelude::*;

use crate::chain::agreement::{Decision, EndpointView, Vote, decide, is_settled, needed, without_stale};
use crate::chain::chain_error::EndpointFault;
use crate::chain::settle::Settled;
use crate::evm::{BlockHash, BlockTag, Header};

fn header(number: u64, fork: u8) -> Header {
    let hash = |n: u64| BlockHash::claimed(B256::from(U256::from(n) * U256::from(256) + U256::from(fork)));
    Header {
        parent: hash(number.saturating_sub(1)),
        timestamp: number / 2,
        ..Header::bare(number, hash(number))
    }
}

fn at(number: u64, value: u64) -> Vote {
    view(number, 0, value, true)
}

fn view(number: u64, fork: u8, value: u64, whole: bool) -> Vote {
    let values = vec![Settled::Number(U256::ONE), Settled::Number(U256::from(value))];
    Vote::View(EndpointView { head: header(number, fork), whole, values })
}

fn down() -> Vote {
    Vote::Fault(EndpointFault::Slow)
}

fn latest(votes: &[Vote], quorum: usize) -> Decision {
    decide(votes, quorum, BlockTag::Latest, &|i| format!("value {i}"))
}

fn pinned(votes: &[Vote], quorum: usize, number: u64) -> Decision {
    decide(votes, quorum, BlockTag::Number(number), &|i| format!("value {i}"))
}

fn lying(number: u64) -> EndpointFault {
    EndpointFault::Lying { what: "value 1".into(), number }
}

#[test]
fn equal_blocks_and_values_are_agreed() {
    let faults = vec![None, None];
    assert_eq!(latest(&[at(9, 1), at(9, 1)], 2), Decision::Agreed { by: vec![0, 1], faults });
}

#[test]
fn one_behind_means_pinning_the_newest_common_block() {
    assert_eq!(latest(&[at(9, 1), at(8, 1)], 2), Decision::Pin(8));
    assert_eq!(latest(&[at(9, 1), at(8, 1), at(7, 1)], 2), Decision::Pin(8));
    assert_eq!(latest(&[at(9, 1), at(8, 1), at(7, 1)], 3), Decision::Pin(7));
}

#[test]
fn one_behind_is_outvoted_and_named() {
    let faults = vec![None, Some(EndpointFault::Lagging { at: Some(7), wanted: 9 }), None];
    assert_eq!(latest(&[at(9, 1), at(7, 5), at(9, 1)], 2), Decision::Agreed { by: vec![0, 2], faults });
    let faults = vec![None, None, Some(EndpointFault::Ahead { at: 10, wanted: 9 })];
    assert_eq!(latest(&[at(9, 1), at(9, 1), at(10, 2)], 2), Decision::Agreed { by: vec![0, 1], faults });
}

/// A single endpoint far ahead of the others does not change the pinned block.
#[test]
fn a_height_that_only_one_claims_is_not_pinned() {
    assert_eq!(latest(&[at(u64::MAX, 1), at(9, 1), at(8, 1)], 2), Decision::Pin(9));
}

#[test]
fn a_failing_one_is_outvoted_or_missed() {
    let faults = vec![Some(EndpointFault::Slow), None, None];
    assert_eq!(latest(&[down(), at(9, 1), at(9, 1)], 2), Decision::Agreed { by: vec![1, 2], faults });
    assert_eq!(
        latest(&[down(), at(9, 1)], 2),
        Decision::None { faults: vec![Some(EndpointFault::Slow), None] }
    );
}

#[test]
fn a_lying_one_is_named() {
    let faults = vec![None, Some(lying(9)), None];
    assert_eq!(latest(&[at(9, 1), at(9, 2), at(9, 1)], 2), Decision::Agreed { by: vec![0, 2], faults });
    let forked = Some(EndpointFault::Forked { number: 9, hash: header(9, 1).hash });
    let votes = [at(9, 1), at(9, 1), view(9, 1, 1, true)];
    assert_eq!(latest(&votes, 2), Decision::Agreed { by: vec![0, 1], faults: vec![None, None, forked] });
}

#[test]
fn a_header_told_differently_under_one_hash_is_a_lie() {
    let mut altered = header(9, 0);
    altered.timestamp += 1;
    let values = vec![Settled::Number(U256::ONE), Settled::Number(U256::ONE)];
    let votes = [at(9, 1), Vote::View(EndpointView { head: altered, whole: true, values }), at(9, 1)];
    let Decision::Agreed { faults, .. } = latest(&votes, 2) else { panic!() };
    assert_eq!(faults[1], Some(EndpointFault::Lying { what: "the header".into(), number: 9 }));
}

/// With two endpoints it cannot be known which one lies, and asking again would not help.
#[test]
fn two_that_contradict_each_other_are_not_a_quorum() {
    let fault = Some(EndpointFault::Contradicted { what: "value 1".into(), number: 9 });
    let none = Decision::None { faults: vec![fault.clone(), fault] };
    assert_eq!(latest(&[at(9, 1), at(9, 2)], 2), none);
    assert_eq!(latest(&[at(9, 1), at(9, 2)], 1), none);
    assert_eq!(pinned(&[at(9, 1), at(9, 2)], 2, 9), none);
}

#[test]
fn two_quorums_at_one_block_are_settled_by_size_alone() {
    let votes = [at(9, 1), at(9, 2), at(9, 1), at(9, 2), at(9, 2)];
    let Decision::Agreed { by, faults } = latest(&votes, 2) else { panic!() };
    assert_eq!((by, &faults[0]), (vec![1, 3, 4], &Some(lying(9))));
    assert!(matches!(latest(&votes[..4], 2), Decision::None { .. }));
}

#[test]
fn answers_from_two_blocks_count_only_for_their_height() {
    assert_eq!(latest(&[view(9, 0, 1, false)], 1), Decision::Pin(9));
    assert_eq!(latest(&[view(9, 0, 1, false), at(9, 1)], 2), Decision::Pin(9));
    let faults = vec![Some(EndpointFault::Straddles)];
    assert_eq!(pinned(&[view(9, 0, 1, false)], 1, 9), Decision::None { faults });
}

#[test]
fn a_reorganisation_at_the_tip_is_asked_again_and_then_given_up() {
    let votes = [at(9, 1), view(9, 1, 1, true)];
    assert_eq!(latest(&votes, 2), Decision::Pin(9));
    let Decision::None { faults } = pinned(&votes, 2, 9) else { panic!() };
    assert!(faults.iter().all(|f| matches!(f, Some(EndpointFault::Forked { number: 9, .. }))));
}

#[test]
fn without_any_answer_there_is_no_quorum() {
    assert_eq!(latest(&[], 1), Decision::None { faults: vec![] });
    assert_eq!(latest(&[down()], 1), Decision::None { faults: vec![Some(EndpointFault::Slow)] });
}

/// Two of one attacker, ahead on a chain of their own, against three: whatever the heights of the three.
#[test]
fn a_quorum_of_attackers_is_outvoted_by_the_majority() {
    let attacker = |number| view(number, 1, 6, true);
    let votes = [attacker(14), at(9, 1), attacker(14), at(9, 1), at(9, 1)];
    let Decision::Agreed { by, faults } = latest(&votes, 2) else { panic!() };
    assert_eq!((by, &faults[0]), (vec![1, 3, 4], &Some(EndpointFault::Ahead { at: 14, wanted: 9 })));
    // Before the third of the honest ones has answered, nothing is settled.
    assert!(!is_settled(&[attacker(14), attacker(14), down(), down(), down()], 2, BlockTag::Latest, 3));
    assert!(is_settled(&votes, 2, BlockTag::Latest, 0));
    let votes = [attacker(14), at(9, 1), attacker(14), at(8, 1), at(8, 1)];
    assert_eq!(latest(&votes, 2), Decision::Pin(9));
    // Two of the honest ones do not have block 9 yet: nobody is believed there, everybody a block deeper.
    let behind = || Vote::Fault(EndpointFault::Lagging { at: None, wanted: 9 });
    let votes = [attacker(9), at(9, 1), attacker(9), behind(), behind()];
    assert!(matches!(pinned(&votes, 2, 9), Decision::None { .. }));
    let votes = [attacker(8), at(8, 1), attacker(8), at(8, 1), at(8, 1)];
    assert!(matches!(pinned(&votes, 2, 8), Decision::Agreed { by, .. } if by == [1, 3, 4]));
}

#[test]
fn in_a_tie_no_answer_is_taken() {
    let votes = [view(9, 1, 1, true), at(9, 1), view(9, 1, 1, true), at(9, 1)];
    assert!(matches!(pinned(&votes, 2, 9), Decision::None { .. }));
    assert_eq!(needed(&votes, 2, BlockTag::Number(9), 0), 3);
}

#[test]
fn one_that_stands_still_does_not_hold_the_others_back() {
    let stale = Vote::Fault(EndpointFault::Stale { at: 100, behind: 50 });
    let mut votes = [at(200, 1), at(100, 1)];
    without_stale(&mut votes, 1, 80);
    assert_eq!(votes, [at(200, 1), stale.clone()]);
    assert!(matches!(latest(&votes, 1), Decision::Agreed { by, .. } if by == [0]));
    // With two that must agree there is no quorum of new ones: the common block is the old one, and too old.
    let mut votes = [at(200, 1), at(100, 1)];
    without_stale(&mut votes, 2, 80);
    assert_eq!(latest(&votes, 2), Decision::Pin(100));
    let mut votes = [at(100, 1), at(100, 1)];
    without_stale(&mut votes, 1, 80);
    assert_eq!(votes, [at(100, 1), at(100, 1)]);
    // A block of that very second is not too old.
    let mut votes = [at(200, 1), at(160, 1)];
    without_stale(&mut votes, 1, 80);
    assert_eq!(votes, [at(200, 1), at(160, 1)]);
    let mut votes = [at(160, 1), at(100, 1)];
    without_stale(&mut votes, 1, 80);
    assert_eq!(votes[1], Vote::Fault(EndpointFault::Stale { at: 100, behind: 30 }));
}

#[test]
fn of_two_blocks_of_one_height_each_is_called_a_fork_and_an_older_one_behind() {
    let Decision::None { faults } = pinned(&[view(9, 0, 1, true), view(9, 1, 1, true), at(8, 1)], 3, 9)
    else {
        panic!()
    };
    assert!(matches!(faults[0], Some(EndpointFault::Forked { number: 9, .. })), "{faults:?}");
    assert!(matches!(faults[1], Some(EndpointFault::Forked { number: 9, .. })), "{faults:?}");
    assert_eq!(faults[2], Some(EndpointFault::Lagging { at: Some(8), wanted: 9 }));
}

fn any_vote() -> impl Strategy<Value = Vote> {
    prop_oneof![
        Just(down()),
        (7u64..10, 0u8..2, 0u64..3, any::<bool>()).prop_map(|(n, fork, v, whole)| view(n, fork, v, whole)),
    ]
}

proptest! {
    /// For any votes, the believed ones are a quorum, agree with each other, and have no fault.
    #[test]
    fn those_that_are_believed_are_a_quorum_that_agrees(
        votes in proptest::collection::vec(any_vote(), 0..6), quorum in 1usize..4,
    ) {
        match latest(&votes, quorum) {
            Decision::Agreed { by, faults } => {
                prop_assert!(by.len() >= quorum);
                prop_assert!(by.iter().all(|i| votes[*i] == votes[by[0]] && faults[*i].is_none()));
                prop_assert_eq!(faults.iter().filter(|f| f.is_none()).count(), by.len());
            }
            Decision::Pin(n) => {
                let reached = votes.iter().filter(|v| v.view().is_some_and(|w| w.head.number >= n));
                prop_assert!(reached.count() >= quorum);
            }
            Decision::None { faults } => prop_assert_eq!(faults.len(), votes.len()),
        }
    }

    /// The value of fewer liars than the quorum is never taken, in any order of the votes.
    #[test]
    fn liars_below_the_quorum_are_never_believed(
        liars in 0usize..3, honest in 3usize..6, turn in 0usize..8,
    ) {
        let mut votes: Vec<Vote> = (0..honest).map(|_| at(9, 1)).chain((0..liars).map(|_| at(9, 2))).collect();
        let turn = turn % votes.len();
        votes.rotate_left(turn);
        let Decision::Agreed { by, .. } = latest(&votes, 3) else { panic!() };
        prop_assert!(by.iter().all(|i| votes[*i] == at(9, 1)));
    }
}
