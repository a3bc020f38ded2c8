//! The Safes whose owners can sign for a proposal, and the wallets among those owners.

use super::nested::{BOTH, Family, ONE, owners_of, proposal_of, safe_of};
use super::*;
use crate::safe::{Answering, Approval, ContractSignature, DEEPEST, MOST_SAFES, encode_approvals};

const VERSION: SafeVersion = SafeVersion::V1_4_1;

fn owned_by(n: u8, owners: Vec<Address>, safes: Vec<OwnerSafe>) -> OwnerSafe {
    let id = SafeId { chain_id: 1, address: Address::repeat_byte(n), version: VERSION };
    let owners = SafeOwners::new((1, id.address), Some(&Owners::new(owners, 1).unwrap()), None).unwrap();
    OwnerSafe { id, by: Answering::usual(VERSION), owners: owners.with_safes(safes) }
}

#[test]
fn safes_are_followed_as_deep_and_as_many_as_they_are_read() {
    let mut line = owned_by(0x90, vec![address(1)], Vec::new());
    for n in (0x80..0x87).rev() {
        line = owned_by(n, vec![line.id.address], vec![line]);
    }
    assert_eq!(line.owners.ways(&proposal(42)).len(), 1 + DEEPEST);
    let safes: Vec<OwnerSafe> = (0x80..0xc0).map(|n| owned_by(n, vec![address(1)], Vec::new())).collect();
    let wide = owned_by(0x05, safes.iter().map(|safe| safe.id.address).collect(), safes);
    assert_eq!(wide.owners.ways(&proposal(42)).len(), 1 + MOST_SAFES);
}

#[test]
fn owners_are_those_of_one_safe_and_of_the_safes_among_them() {
    let family = Family::new(VERSION, 2);
    let owners = owners_of(&family.tree);
    assert!(owners.are_of(family.proposal.safe()));
    for other in [
        SafeId { chain_id: 5, ..*family.proposal.safe() },
        SafeId { address: BOTH, ..*family.proposal.safe() },
    ] {
        assert!(!owners.are_of(&other), "{other:?}");
    }
    let elsewhere = SafeOwners::new((1, BOTH), Some(&family.tree.owners), None).unwrap();
    let stated = Stated::bare(raw(1, &family.proposal, SignatureKind::Ecdsa));
    let refused = OwnerSignature::verify(&stated, &family.proposal, &elsewhere);
    assert_eq!(refused, Err(VerifyError::OtherSafe(family.proposal.safe().address)));
    let stranger = owned_by(0xee, vec![address(1)], Vec::new());
    assert_eq!(owners.clone().with_safes(vec![stranger]).children(), []);
    assert_eq!(
        (owners.restricted_to(BOTH).list(), owners.restricted_to(address(2)).list()),
        (&[BOTH][..], &[][..])
    );
}

/// Each owner is asked about the very hash that they would sign, at the Safe that they own.
#[test]
fn every_owner_of_every_safe_is_asked_if_they_approved_on_chain() {
    let family = Family::new(VERSION, 2);
    let owners = owners_of(&family.tree);
    let ways = owners.ways(&family.proposal);
    let parent = family.proposal.safe().address;
    let asked = |most| owners.approval_queries(&family.proposal, most);
    let [both, one] = [1, 2].map(|at| &ways[at]);
    assert_eq!([&both.through, &one.through], [&[BOTH], &[ONE]]);
    let of = |safe, signs: &SafeTxHash, owner| approval_query(safe, signs, owner);
    let expected = [
        of(parent, &family.proposal.hash(), address(1)),
        of(parent, &family.proposal.hash(), BOTH),
        of(parent, &family.proposal.hash(), ONE),
        of(BOTH, &both.signs, address(2)),
        of(BOTH, &both.signs, address(3)),
        of(ONE, &one.signs, address(4)),
    ];
    assert_eq!(asked(10), expected);
    assert_eq!(asked(1), [0, 3, 5].map(|at| expected[at].clone()));
}

/// A stranger's signature is reported with its address, recovered over the message of the Safe that its line names.
#[test]
fn a_strangers_signature_is_named_by_the_way_that_its_line_states() {
    let family = Family::new(VERSION, 2);
    let owners = owners_of(&family.tree);
    let ways = owners.ways(&family.proposal);
    let way = ways.iter().find(|way| way.through == [ONE]).unwrap();
    let claims = Claims { through: way.through.clone(), ..claims() };
    let stated = Stated {
        hash: Some(family.proposal.hash()),
        claims: Some(claims),
        ..Stated::bare(over(9, way.signs.word().as_slice()))
    };
    let refused = OwnerSignature::verify(&stated, &family.proposal, &owners);
    assert_eq!(refused, Err(VerifyError::NotAnOwner(address(9))));
}

#[test]
fn a_file_of_an_owner_of_an_owner_is_of_a_version_of_its_own() {
    let signature = Family::new(VERSION, 2).sign(4, &[ONE]);
    assert!(signature.to_json().contains("\"breakglass_signature\": 2"), "an earlier program reads none");
    let claims = Stated::from_json(&signature.to_json()).and_then(|stated| stated.claims);
    assert_eq!(claims.map(|claims| claims.through), Some(vec![ONE]));
}

/// In the signature of a Safe are those of two Safes that own it, and in each of these the one of a key.
#[test]
fn each_of_several_signatures_within_a_safes_own_is_taken() {
    let [child, left, right] = [0xb0, 0xb1, 0xb2].map(Address::repeat_byte);
    let parent = safe_of(VERSION, 5, &[child], 1);
    let below = [
        safe_of(VERSION, 0xb0, &[left, right], 2),
        safe_of(VERSION, 0xb1, &[address(2)], 1),
        safe_of(VERSION, 0xb2, &[address(3)], 1),
    ];
    let proposal = proposal_of(proposal(42).tx().clone(), &parent);
    let family = Family { tree: SafeTree::new(parent, &below), proposal };
    let by_safe = |owner, data| Approval::Contract(ContractSignature { owner, data });
    let signed = |seed: u8, safe: Address| {
        let signature = family.sign(seed, &[child, safe]);
        by_safe(safe, encode_approvals(&[Approval::Signed(*signature.ecdsa())]))
    };
    let inner = encode_approvals(&[signed(2, left), signed(3, right)]);
    let text = encode_approvals(&[by_safe(child, inner)]).to_string();
    let owners = owners_of(&family.tree);
    let gathered =
        gather(&[find_signatures(&text)], &[ProposalAndOwners { proposal: &family.proposal, owners }]);
    let taken: Vec<(&[Address], Address)> =
        gathered.new.iter().map(|signature| (signature.through(), signature.owner())).collect();
    assert_eq!(taken, [(&[child, left][..], address(2)), (&[child, right], address(3))]);
    assert!(gathered.refused.is_empty(), "{:?}", gathered.refused);
}

fn by_wallet(family: &Family, owner: Address) -> StatedContract {
    StatedContract {
        hash: Some(family.proposal.hash()),
        purpose: Some(Purpose::Real),
        ..StatedContract::bare(ContractSignature { owner, data: vec![7; 70].into() })
    }
}

#[test]
fn a_contract_is_asked_only_if_it_is_an_owner_and_not_a_known_safe() {
    let family = Family::new(VERSION, 2);
    let owners = owners_of(&family.tree);
    let stated = |owner| WalletSignature::stated(&by_wallet(&family, owner), &family.proposal, &owners);
    assert!(stated(address(1)).is_ok());
    for owner in [ONE, Address::repeat_byte(0xee)] {
        assert_eq!(stated(owner), Err(format!("{owner} is not a contract that owns this Safe")));
    }
}

#[test]
fn the_line_of_a_wallet_below_a_safe_says_below_which() {
    let family = Family::new(VERSION, 2);
    let stated = StatedContract { through: vec![ONE], ..by_wallet(&family, address(4)) };
    let wallet = WalletSignature::stated(&stated, &family.proposal, &owners_of(&family.tree)).unwrap();
    assert_eq!(find_signatures(&wallet.line(&claims()).unwrap()).contracts, [stated]);
}

#[test]
fn a_wallets_line_with_a_field_of_a_newer_program_is_refused() {
    let stated = by_wallet(&Family::new(VERSION, 2), address(1));
    let mut writer = line::Writer::default();
    writer.add(1, stated.hash.unwrap().word().as_slice());
    writer.add(3, stated.signature.owner.as_slice());
    writer.add(4, &stated.signature.data);
    let kind = line::LineKind::Signature;
    assert_eq!(find_signatures(&writer.line(kind)).contracts, [stated]);
    writer.add(5, b"it counts");
    let newer = find_signatures(&writer.line(kind));
    assert!(newer.contracts.is_empty() && newer.damaged.first()[0].why.contains("newer"), "{newer:?}");
}
