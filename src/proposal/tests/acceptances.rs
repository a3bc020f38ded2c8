//! The refusals that a signer says to have accepted, stated beside a signature. Nobody signs these lists: all are shown.

use super::*;

fn stating(accepted: &[String]) -> OwnerSignature {
    let proposal = proposal(42);
    let hash = Some(proposal.hash());
    let stated =
        Stated { hash, accepted: accepted.to_vec(), ..Stated::bare(*signed(1, &proposal).ecdsa().bytes()) };
    OwnerSignature::verify(&stated, &proposal, &owners()).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn gathered(files: &[&[&str]]) -> GatherResult {
    let found: Vec<Finds> =
        files.iter().map(|accepted| find_signatures(&stating(&names(accepted)).to_json())).collect();
    gather(&found, &[ProposalAndOwners { proposal: &proposal(42), owners: owners() }])
}

#[test]
fn what_several_files_of_one_signature_state_is_put_together() {
    let [signature] = &gathered(&[&["gas", "code"], &["code", "after:1"]]).new[..] else { panic!() };
    assert_eq!(signature.accepted(), ["gas", "code", "after:1"]);
}

/// A kept signature does not decide what is shown beside it.
#[test]
fn what_a_file_states_beyond_the_kept_signature_is_new() {
    let kept = [stating(&names(&["gas", "code"]))];
    let more = gathered(&[&["after:1", "gas"]]).merge_known(&kept);
    assert!(more.known.is_empty());
    assert_eq!(more.new[0].accepted(), ["gas", "code", "after:1"]);
    let same = gathered(&[&["gas"]]).merge_known(&kept);
    assert!(same.new.is_empty());
    assert_eq!(same.known[0].accepted(), ["gas", "code"]);
}

#[test]
fn a_list_is_bounded_and_one_that_is_full_stays_as_it_is() {
    let numbered = |of: std::ops::Range<usize>| of.map(|n| format!("id:{n}")).collect::<Vec<_>>();
    let mut signature = stating(&numbered(0..60));
    assert!(signature.add_accepted(&numbered(40..100)));
    assert_eq!(signature.accepted(), numbered(0..100));
    assert!(!signature.add_accepted(&numbered(100..120)), "it is full");
    assert_eq!(signature.accepted(), numbered(0..100));
    let mut signature = stating(&numbered(0..60));
    assert!(signature.add_accepted(&numbered(60..120)));
    assert_eq!((signature.accepted().len(), signature.accepted()[99].as_str()), (100, "and 21 more"));
    assert!(!signature.add_accepted(&numbered(60..120)), "read once more, it says the same");
}

#[test]
fn an_id_is_as_long_as_it_may_be_and_no_longer() {
    let read = |length: usize| {
        let file = stating(&["x".repeat(length)]).to_json();
        only(&find_signatures(&file)).accepted[0].clone()
    };
    assert_eq!(read(300), "x".repeat(300));
    assert_eq!(read(301), "x".repeat(300) + "…");
}
