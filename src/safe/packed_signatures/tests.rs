//! Signatures as a Safe reads them: both ways round, and what is wrong with a stranger's.

use proptest::prelude::*;

use super::super::packing::{Approval, encode_approvals};
use super::super::signature::SignatureKind;
use super::super::tests::{address, safe_signature};
use super::*;

/// A part alone has no room for what a contract signed.
#[test]
fn one_part_alone_is_not_a_packed_contract_signature() {
    let mut part = [0; PART];
    part[31] = 1;
    assert!(!looks_packed(&part));
    assert!(looks_packed(&[&part[..], &[0]].concat()));
}

/// A signature over the hash of sevens, and its signer.
fn sign(seed: u8, kind: SignatureKind) -> ([u8; 65], Address) {
    (safe_signature(seed, &SafeTxHash::claimed(B256::repeat_byte(7)), kind), address(seed))
}

fn signed(seed: u8) -> Approval {
    let (bytes, _) = sign(seed, SignatureKind::Ecdsa);
    let hash = SafeTxHash::claimed(B256::repeat_byte(7));
    Approval::Signed(EcdsaSignature::from_safe_bytes(&bytes, &hash, SafeVersion::V1_4_1).unwrap())
}

fn contract(owner: u8, data: &[u8]) -> Approval {
    let owner = Address::repeat_byte(owner);
    Approval::Contract(ContractSignature { owner, data: Bytes::copy_from_slice(data) })
}

fn packed(approval: &Approval) -> Packed {
    match approval.clone() {
        Approval::Signed(signature) => Packed::Signature(*signature.bytes()),
        Approval::OnChain(owner) | Approval::Sender(owner) => Packed::Approved(owner),
        Approval::Contract(signature) => Packed::Contract(signature),
    }
}

/// Two contract signatures, the bytes of which are then altered.
fn two() -> Vec<u8> {
    encode_approvals(&[contract(1, &[0xaa; 65]), contract(2, &[0xbb; 130])]).to_vec()
}

fn with(bytes: &[u8], at: usize, word: U256) -> Result<Vec<Packed>, PackError> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + 32].copy_from_slice(&word.to_be_bytes::<32>());
    decode_approvals(&bytes)
}

#[test]
fn offsets_that_lead_elsewhere_are_refused() {
    let good = two();
    let (first, second) = (32, PART + 32);
    let data = [U256::from(130), U256::from(130 + WORD + 65)];
    assert_eq!(decode_approvals(&good).unwrap().len(), 2);
    for (what, got, expected) in [
        ("both at the first data", with(&good, second, data[0]), PackError::Overlap(1)),
        ("both at the second data", with(&good, first, data[1]), PackError::Unused),
        (
            "into the middle of other data",
            with(&good, second, data[0] + U256::from(WORD)),
            PackError::PastEnd(1),
        ),
        ("into the head", with(&good, first, U256::from(64)), PackError::IntoHead(0)),
        ("at the part behind it", with(&good, first, U256::from(65)), PackError::PastEnd(0)),
        ("into the head, from the second", with(&good, second, U256::from(70)), PackError::IntoHead(1)),
        ("at the end", with(&good, second, U256::from(good.len())), PackError::PastEnd(1)),
        ("past the end", with(&good, second, U256::from(9_999)), PackError::PastEnd(1)),
        ("2^256 - 1", with(&good, first, U256::MAX), PackError::PastEnd(0)),
        ("a length past the end", with(&good, 130, U256::from(300)), PackError::PastEnd(0)),
        ("a length of 2^256 - 1", with(&good, 130, U256::MAX), PackError::PastEnd(0)),
        ("a length into other data", with(&good, 130, U256::from(66)), PackError::Overlap(1)),
        ("a length that leaves a byte", with(&good, 130, U256::from(64)), PackError::Unused),
        ("an owner of 32 bytes", with(&good, 0, U256::MAX), PackError::Owner(0)),
    ] {
        assert_eq!(got, Err(expected), "{what}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(decode_approvals(&longer), Err(PackError::Unused));
    assert_eq!(decode_approvals(&good[..good.len() - 1]), Err(PackError::PastEnd(1)));
    for length in [1, 64, 66] {
        assert_eq!(decode_approvals(&vec![27; length]), Err(PackError::Length(length)));
    }
    assert_eq!(decode_approvals(&vec![27; PART * (MOST_PARTS + 1)]), Err(PackError::TooMany));
}

#[test]
fn data_may_lie_in_any_order() {
    let (first, second) = (vec![0xaa; 65], vec![0xbb; 130]);
    let length = |data: &[u8]| U256::from(data.len()).to_be_bytes::<32>().to_vec();
    let head = |owner, offset: usize| part(Address::repeat_byte(owner), U256::from(offset), 0).to_vec();
    let turned = [
        head(1, 130 + WORD + 130),
        head(2, 130),
        length(&second),
        second.clone(),
        length(&first),
        first.clone(),
    ];
    let read = decode_approvals(&turned.concat()).unwrap();
    assert_eq!(read, [packed(&contract(1, &first)), packed(&contract(2, &second))]);
    let gap = [head(1, 65 + 32), vec![0; 32], length(&first), first];
    assert_eq!(decode_approvals(&gap.concat()), Err(PackError::Unused));
}

#[test]
fn the_approvers_of_an_executed_transaction_are_read_from_its_signatures() {
    let hash = |byte| SafeTxHash::claimed(B256::repeat_byte(byte));
    let (bytes, owner) = sign(4, SignatureKind::Ecdsa);
    let (eth, other) = sign(5, SignatureKind::EthSign);
    let by = |address: u8, v: u8, offset: u64| part(Address::repeat_byte(address), U256::from(offset), v);
    let contract = by(8, 0, 4 * 65);
    // Behind the parts: the length of the contract's own bytes, and those.
    let own = [&[0; 31][..], &[65], &by(6, 1, 0)].concat();
    let all = [&bytes[..], &eth, &by(9, 1, 0), &contract, &own].concat();
    let read = |signatures: &[u8], hash: &SafeTxHash, threshold: u64| {
        let owners = Owners::new(vec![owner, other, Address::repeat_byte(7)], threshold).unwrap();
        approvers(signatures, hash, SafeVersion::V1_4_1, &owners)
    };
    let [nine, eight] = [9, 8].map(Address::repeat_byte);
    let all = Owners::new(vec![owner, other, nine, eight], 4)
        .map(|owners| approvers(&all, &hash(7), SafeVersion::V1_4_1, &owners));
    assert_eq!(all, Ok(vec![owner, other, nine, eight]));
    assert!(!read(&bytes, &hash(8), 1).contains(&owner), "of another transaction");
    assert!(read(&[0; 64], &hash(7), 1).is_empty());
    // The sender may append parts that the Safe does not read: a name, and a stranger's signature.
    let (stranger, _) = sign(6, SignatureKind::Ecdsa);
    let padded = [&bytes[..], &by(7, 1, 0), &by(8, 0, 9_999), &stranger, &eth].concat();
    assert_eq!(
        read(&padded, &hash(7), 1),
        [owner, other],
        "one signature more than needed is one all the same"
    );
}

/// A signature inside a contract's own is nobody's approval of the transaction.
#[test]
fn the_data_of_a_contract_is_not_read_for_approvals() {
    let (bytes, owner) = sign(4, SignatureKind::Ecdsa);
    let eight = Address::repeat_byte(8);
    let owners = Owners::new(vec![owner, eight], 1).unwrap();
    let packed = [&part(eight, U256::from(65), 0)[..], &bytes].concat();
    let hash = SafeTxHash::claimed(B256::repeat_byte(7));
    assert_eq!(approvers(&packed, &hash, SafeVersion::V1_4_1, &owners), [eight]);
}

fn any_approval() -> impl Strategy<Value = Approval> {
    prop_oneof![
        (1u8..40).prop_map(signed),
        any::<u8>().prop_map(|n| Approval::OnChain(Address::repeat_byte(n))),
        any::<u8>().prop_map(|n| Approval::Sender(Address::repeat_byte(n))),
        (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(owner, data)| contract(owner, &data)),
    ]
}

proptest! {
    #[test]
    fn any_order_and_repeats_encode_alike(
        approvals in proptest::collection::vec(any_approval(), 1..10), shift in 0usize..10,
    ) {
        // The first of two approvals of one owner counts: each owner has one here.
        let mut straight: Vec<Approval> = Vec::new();
        for approval in approvals {
            if straight.iter().all(|there| there.owner() != approval.owner()) {
                straight.push(approval);
            }
        }
        let mut turned = straight.clone();
        turned.rotate_left(shift % straight.len());
        turned.push(turned[0].clone());
        prop_assert_eq!(encode_approvals(&straight), encode_approvals(&turned));
    }

    #[test]
    fn encoded_approvals_are_decoded_again_and_sorted_for_the_safe(
        approvals in proptest::collection::vec(any_approval(), 1..10),
    ) {
        let mut sorted = approvals.clone();
        sorted.sort_by_key(Approval::owner);
        sorted.dedup_by_key(|a| a.owner());
        let bytes = encode_approvals(&approvals);
        let read = decode_approvals(&bytes).unwrap();
        prop_assert_eq!(read, sorted.iter().map(packed).collect::<Vec<_>>());
        // GS021 to GS023: behind all parts, and inside of the whole.
        for part in bytes[..PART * sorted.len()].chunks(PART).filter(|part| part[64] == 0) {
            let offset: usize = U256::from_be_slice(&part[32..64]).to();
            let length: usize = U256::from_be_slice(&bytes[offset..offset + 32]).to();
            prop_assert!(offset >= PART * sorted.len() && offset + 32 + length <= bytes.len());
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), v in 0u8..3, at in 0usize..6, offset in 0u64..500) {
        let mut bytes = bytes;
        if let Some(part) = bytes.get_mut(at * PART..(at + 1) * PART) {
            part[..12].fill(0);
            part[32..64].copy_from_slice(&U256::from(offset).to_be_bytes::<32>());
            part[64] = v;
        }
        let owners = Owners::new(vec![Address::repeat_byte(1)], 1).unwrap();
        let _ = approvers(&bytes, &SafeTxHash::claimed(B256::ZERO), SafeVersion::V1_4_1, &owners);
        if let Ok(read) = decode_approvals(&bytes) {
            let data: usize = read.iter().map(|p| if let Packed::Contract(c) = p { WORD + c.data.len() } else { 0 }).sum();
            prop_assert_eq!(read.len() * PART + data, bytes.len(), "every byte belongs to one");
        }
    }
}
