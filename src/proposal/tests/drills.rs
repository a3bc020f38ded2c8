//! A drill and the real thing: the same transaction, and nothing of one counts for the other.

use super::*;
use crate::safe::{DRILL_CHAIN_ID, Domain};

fn drill(nonce: u64) -> Proposal {
    proposal(nonce).for_drill().unwrap()
}

#[test]
fn a_drill_is_the_same_transaction_for_a_chain_that_is_none() {
    let (real, drill) = (proposal(42), drill(42));
    assert_eq!((real.tx(), real.safe(), real.binding()), (drill.tx(), drill.safe(), drill.binding()));
    assert_eq!(real.hashes().message, drill.hashes().message);
    assert_ne!(real.hashes().domain, drill.hashes().domain);
    let elsewhere = SafeId { chain_id: DRILL_CHAIN_ID, ..*real.safe() };
    assert_eq!(drill.hashes(), &elsewhere.hashes(real.tx()));
    // At another nonce, and with the Safe as it was, it is a drill all the same.
    assert_eq!(drill.with_nonce(Nonce::from(43)), self::drill(42).with_nonce(Nonce::from(43)));
    assert!(drill.with_nonce(Nonce::from(43)).is_drill());
    assert_eq!(drill.at_nonce(Nonce::from(43)), drill.with_nonce(Nonce::from(43)).hash());
    let restated = drill.clone().restated(state(41));
    assert!(restated.is_drill() && restated.hash() == drill.hash());
}

#[test]
fn a_safe_that_signs_no_chain_id_has_no_drill() {
    for version in [SafeVersion::V1_0_0, SafeVersion::V1_1_1, SafeVersion::V1_2_0] {
        let mut old = state(42);
        old.id.version = version;
        let real = proposal(42);
        let (tx, block, binding) = (real.tx().clone(), real.block().unwrap(), real.binding().clone());
        let old = Proposal::new(tx, old, block, binding, Readings::default());
        assert!(old.for_drill().unwrap_err().to_string().contains(&version.to_string()));
    }
}

/// Whatever kind the line or file states.
#[test]
fn a_drills_signature_is_never_a_real_one_nor_the_reverse() {
    let (real, drill) = (proposal(42), drill(42));
    for (own, other) in [(&real, &drill), (&drill, &real)] {
        let signature = signed(1, own);
        assert_eq!(signature.purpose(), own.purpose());
        let line = signature.line(&claims());
        assert_eq!(line.starts_with("bgdrill2"), own.is_drill(), "{line}");
        for text in [line, signature.to_json()] {
            let stated = only(&find_signatures(&text));
            assert_eq!(OwnerSignature::verify(&stated, own, &owners()).as_ref(), Ok(&signature));
            let refused = OwnerSignature::verify(&stated, other, &owners());
            assert_eq!(refused, Err(VerifyError::OtherPurpose(own.purpose())));
            let wanted = [ProposalAndOwners { proposal: other, owners: owners() }];
            let gathered = gather(&[find_signatures(&text)], &wanted);
            assert!(gathered.new.is_empty(), "{gathered:?}");
            let why = &gathered.refused.first()[0].why;
            assert!(why.contains(if own.is_drill() { "DRILL" } else { "REAL" }), "{why}");
            // A lie about what it is for makes it no better: the signer is recovered from the hash of this machine.
            for hash in [None, Some(own.hash()), Some(other.hash())] {
                let lying = Stated { purpose: Some(other.purpose()), hash, ..stated.clone() };
                assert!(OwnerSignature::verify(&lying, other, &owners()).is_err());
                let silent = Stated { purpose: None, hash, ..stated.clone() };
                assert!(OwnerSignature::verify(&silent, other, &owners()).is_err());
            }
        }
    }
}

#[test]
fn a_drill_with_every_signature_is_never_ready() {
    let drill = drill(42);
    let signatures: Vec<OwnerSignature> = [1, 2, 3].into_iter().map(|seed| signed(seed, &drill)).collect();
    assert!(matches!(assemble(&drill, &signatures[..1], &[], &fresh(42)), Err(NotReady::Shortfall(_))));
    for now in [42, 41, 3] {
        assert_eq!(assemble(&drill, &signatures, &[], &fresh(now)), Err(NotReady::Drill), "{now}");
    }
    assert!(matches!(assemble(&drill, &signatures, &[], &fresh(43)), Err(NotReady::NonceUsed { .. })));
    // Nor are they anything for the real one.
    let real = proposal(42);
    assert!(matches!(assemble(&real, &signatures, &[], &fresh(42)), Err(NotReady::Shortfall(_))));
    let given = Approvals { sender: None, ..Approvals::new(&signatures, &[], &real.readings) };
    let packed = likely_approvals(&drill, &given, &fresh(42)).unwrap();
    let calldata = drill.tx().exec_calldata(packed);
    for proposal in [&drill, &real] {
        let none = Readings::default();
        let again = reassemble(proposal, &calldata, &Approvals::new(&[], &[], &none), &fresh(42));
        assert_eq!(again, None, "{}", proposal.purpose());
    }
}

#[test]
fn a_file_says_that_it_is_of_a_drill_and_is_read_as_nothing_else() {
    let (real, drill) = (proposal(42), drill(42));
    let text = drill.to_json();
    assert!(text.contains("\"purpose\": \"DRILL: its signatures are good on no chain\""), "{text}");
    assert_eq!(Proposal::parse(&text), Ok(drill.clone()));
    assert!(!real.to_json().contains("DRILL"));
    let purpose = text.lines().find(|line| line.contains("\"purpose\"")).unwrap();
    for altered in [
        text.replace(purpose, ""),
        text.replace("\"breakglass_proposal\": 4", "\"breakglass_proposal\": 2"),
        text.replace("\"breakglass_proposal\": 4", "\"breakglass_proposal\": 2").replace(purpose, ""),
        text.replace("good on no chain", "good"),
        real.to_json()
            .replace("\"breakglass_proposal\": 2,", &format!("\"breakglass_proposal\": 4,\n{purpose}")),
        real.to_json().replace("\"chain_id\": \"1\"", &format!("\"chain_id\": \"{DRILL_CHAIN_ID}\"")),
    ] {
        assert!(Proposal::parse(&altered).is_err(), "{altered}");
    }
}

#[test]
fn the_name_of_a_drill_is_that_of_one_drill() {
    let drill = drill(42);
    let name = DrillName::of(&drill).unwrap();
    assert_eq!(name.to_string().parse(), Ok(name.clone()));
    assert!(name.to_string().starts_with("drill:vault-n42-"), "{name}");
    assert!(name.names(&drill) && !name.names(&proposal(42)) && !name.names(&self::drill(43)));
    assert_eq!(DrillName::of(&proposal(42)), None);
}

/// In a tree of Safes the owners of a child sign a drill too; a child that signs no chain id takes no part.
#[test]
fn a_child_takes_part_in_its_own_domain_of_a_drill() {
    let id = |version| SafeId { chain_id: 1, address: address(3), version };
    let tree = |version| {
        let owners_of_child = Owners::new(vec![address(4)], 1).unwrap();
        let child = SafeOwners::new((1, address(3)), Some(&owners_of_child), None).unwrap();
        owners().with_safes(vec![OwnerSafe {
            id: id(version),
            by: crate::safe::Answering::usual(SafeVersion::V1_4_1),
            owners: child,
        }])
    };
    let all = tree(SafeVersion::V1_4_1);
    let (real, drill) = (all.ways(&proposal(42)), all.ways(&drill(42)));
    assert_eq!((real.len(), drill.len()), (2, 2));
    assert_ne!(real[1].signs, drill[1].signs);
    assert_eq!(drill[1].domain, Domain::drill(id(SafeVersion::V1_4_1)).unwrap());
    assert_eq!(drill[1].message.as_ref().unwrap().hashes.safe_tx, drill[1].signs);
    let old = tree(SafeVersion::V1_1_1);
    assert_eq!(old.ways(&self::drill(42)).len(), 1);
}
