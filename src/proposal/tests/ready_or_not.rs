//! Which signatures count, and when a proposal is ready.

use super::*;

#[test]
fn a_stranger_and_a_signature_of_another_hash_are_refused() {
    let (mine, other) = (proposal(42), proposal(43));
    let stated = |bytes, hash| Stated { hash, purpose: None, bytes, accepted: Vec::new(), claims: None };
    let stranger = stated(raw(4, &mine, SignatureKind::Ecdsa), Some(mine.hash()));
    assert_eq!(OwnerSignature::verify(&stranger, &mine, &owners()), Err(VerifyError::NotAnOwner(address(4))));
    let foreign = stated(raw(1, &other, SignatureKind::Ecdsa), Some(other.hash()));
    assert_eq!(OwnerSignature::verify(&foreign, &mine, &owners()), Err(VerifyError::OtherHash(other.hash())));
    // A file that lies about its hash: the signer that comes out is nobody's.
    let lying = stated(raw(1, &other, SignatureKind::Ecdsa), Some(mine.hash()));
    assert!(matches!(OwnerSignature::verify(&lying, &mine, &owners()), Err(VerifyError::NotAnOwner(_))));
}

#[test]
fn ready_only_at_threshold_and_by_different_owners() {
    let proposal = proposal(42);
    let (one, two) = (signed(1, &proposal), signed(2, &proposal));
    let short = |signatures: &[OwnerSignature]| match assemble(&proposal, signatures, &[], &fresh(42)) {
        Err(NotReady::Shortfall(shortfall)) => shortfall.approved.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(short(&[]), 0);
    assert_eq!(short(&[one.clone(), one.clone()]), 1, "one owner counts once");
    let ready = assemble(&proposal, &[two.clone(), one.clone()], &[], &fresh(42)).unwrap();
    assert_eq!(assemble(&proposal, &[one.clone(), two.clone()], &[], &fresh(42)), Ok(ready.clone()));
    assert_eq!(ready.signatures().len(), 2 * 65);
    // An owner who approved on chain counts too, and the signature of another proposal does not.
    assert!(assemble(&proposal, std::slice::from_ref(&one), &[address(3)], &fresh(42)).is_ok());
    let other = signed(2, &super::proposal(43));
    assert_eq!(short(&[one, other]), 1);
}

#[test]
fn a_former_owner_is_set_aside_and_a_higher_threshold_counts() {
    let proposal = proposal(42);
    let signatures = [signed(1, &proposal), signed(2, &proposal)];
    let mut now = state(42);
    now.owners = Owners::new(vec![address(1), address(3)], 2).unwrap();
    let Err(NotReady::Shortfall(shortfall)) = assemble(&proposal, &signatures, &[], &newest(now.clone()))
    else {
        panic!("a former owner counted")
    };
    assert_eq!((shortfall.approved.len(), shortfall.former[0]), (1, address(2)));
    assert_eq!(shortfall.missing, [address(3)]);
    now.owners = Owners::new(vec![address(1), address(2), address(3)], 3).unwrap();
    assert!(matches!(
        assemble(&proposal, &signatures, &[], &newest(now.clone())),
        Err(NotReady::Shortfall(_))
    ));
}

#[test]
fn a_used_nonce_a_future_nonce_and_another_implementation_are_different_errors() {
    let proposal = proposal(42);
    let signatures = [signed(1, &proposal), signed(2, &proposal)];
    let at = |nonce| assemble(&proposal, &signatures, &[], &fresh(nonce));
    assert!(matches!(at(43), Err(NotReady::NonceUsed { .. })));
    assert!(matches!(at(41), Err(NotReady::NonceAhead { .. })));
    let mut now = state(42);
    now.singleton = Address::repeat_byte(0xbb);
    let moved = assemble(&proposal, &signatures, &[], &newest(now.clone()));
    assert!(matches!(moved, Err(NotReady::Moved(drift)) if drift[0].what == SafeField::Singleton));
}

/// A recorded call is sent again only unchanged, and only while the Safe accepts its approvals.
#[test]
fn a_recorded_call_is_ready_only_while_its_own_approvals_count() {
    let proposal = proposal(42);
    let (one, two) = (signed(1, &proposal), signed(2, &proposal));
    let all = [one.clone(), two.clone(), signed(3, &proposal)];
    let again = |call: &[u8], on_chain: &[Address], now: &SafeState| {
        let said = said(&proposal, on_chain);
        reassemble(&proposal, call, &Approvals::new(&[], &[], &said), &newest(now.clone()))
    };
    for (signatures, on_chain) in [(&all[..2], vec![]), (&all[1..], vec![]), (&all[..1], vec![address(3)])] {
        let ready = assemble(&proposal, signatures, &on_chain, &fresh(42)).unwrap();
        let call = ready.calldata();
        assert_eq!(again(call, &on_chain, &state(42)).as_ref(), Some(&ready));
        assert_eq!(again(call, &on_chain, &state(43)), None, "the nonce is used");
        let mut now = state(42);
        now.owners = Owners::new(vec![address(1), address(2), address(3)], 3).unwrap();
        assert_eq!(again(call, &on_chain, &now), None, "a higher threshold");
        now.owners = Owners::new(vec![address(1), address(4)], 2).unwrap();
        assert_eq!(again(call, &on_chain, &now), None, "a former owner");
    }
    let approved = assemble(&proposal, &[one], &[address(3)], &fresh(42)).unwrap();
    assert_eq!(again(approved.calldata(), &[], &state(42)), None, "the approval was taken back");
    let other = super::proposal(41);
    let other = assemble(&other, &[signed(1, &other), signed(2, &other)], &[], &fresh(41)).unwrap();
    assert_eq!(again(other.calldata(), &[], &state(42)), None, "signatures of another nonce");
    for cut in [0, 4, 100, approved.calldata().len() - 1] {
        assert_eq!(again(&approved.calldata()[..cut], &[address(3)], &state(42)), None);
    }
}

#[test]
fn likely_approvals_are_known_before_the_nonce_is_next() {
    let proposal = proposal(42);
    let signatures = [signed(2, &proposal), signed(1, &proposal)];
    let ready = assemble(&proposal, &signatures, &[], &fresh(42)).unwrap();
    let likely = |count, now: &SafeState| {
        let said = Readings::new();
        likely_approvals(&proposal, &Approvals::new(&signatures[..count], &[], &said), &now.clone().into())
    };
    assert_eq!(likely(2, &state(40)).as_ref(), Some(ready.signatures()));
    assert_eq!(likely(1, &state(42)), None);
    let mut now = state(42);
    now.singleton = Address::repeat_byte(0xbb);
    assert_eq!(likely(2, &now), None);
}
