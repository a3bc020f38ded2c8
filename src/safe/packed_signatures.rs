//! The `signatures` argument of `execTransaction`, read: strictly, where it is to count, and as it was executed.
//!
//! ```text
//! signatures = part for each owner, 65 bytes, in ascending order of owner ‖ data for each contract signature
//! part       = r ‖ s ‖ v
//!   v = 27, 28, 31, 32   a signature of the owner's key
//!   v = 1                r is the owner, who has called approveHash or sends the transaction
//!   v = 0                r is the owner, a contract; s is the offset of its data: a 32-byte length ‖ as many bytes
//! ```

use alloy::primitives::{Address, B256, Bytes, U256};

use super::hashes::SafeTxHash;
use super::owners::Owners;
use super::signature::EcdsaSignature;
use super::version::SafeVersion;

/// The bytes of one part.
pub(super) const PART: usize = 65;
/// The bytes of a length.
pub(super) const WORD: usize = 32;
/// The most parts that are read: one for each of twice as many owners as a block has room for.
const MOST_PARTS: usize = 2_000;

/// Returns a part that names its owner.
pub(super) fn part(owner: Address, s: U256, v: u8) -> [u8; PART] {
    let mut bytes = [0; PART];
    bytes[12..32].copy_from_slice(owner.as_slice());
    bytes[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    bytes[64] = v;
    bytes
}

/// One part, as it stands.
#[derive(Clone, Copy, Debug)]
struct PackedPart<'b>(&'b [u8; PART]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Contract,
    Approved,
    Key,
}

impl<'b> PackedPart<'b> {
    /// Every whole part of some bytes.
    fn all(bytes: &'b [u8]) -> Vec<Self> {
        bytes.as_chunks::<PART>().0.iter().map(Self).collect()
    }

    const fn kind(self) -> Kind {
        match self.0[64] {
            0 => Kind::Contract,
            1 => Kind::Approved,
            _ => Kind::Key,
        }
    }

    /// Its owner, where a contract signed or the owner approved on chain. `None` if the word is not an address.
    fn owner(self) -> Option<Address> {
        self.0[..12].iter().all(|byte| *byte == 0).then(|| self.named())
    }

    /// Its owner as the Safe cuts it out of the word.
    fn named(self) -> Address {
        Address::from_word(B256::from_slice(&self.0[..32]))
    }

    /// The offset of its data, where a contract signed. `None` if it is past every length.
    fn offset(self) -> Option<usize> {
        usize::try_from(U256::from_be_slice(&self.0[32..64])).ok()
    }
}

/// Returns `true` if bytes begin as a packed contract signature does: anything that long may be something else.
pub fn looks_packed(bytes: &[u8]) -> bool {
    let first = (bytes.len() > PART).then(|| bytes.first_chunk::<PART>()).flatten().map(PackedPart);
    first.is_some_and(|part| {
        part.kind() == Kind::Contract && part.owner().is_some_and(|owner| !owner.is_zero())
    })
}

/// A contract's signature, by EIP-1271. What its data means is for the contract to say; for a Safe it is again a
/// `signatures` argument.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContractSignature {
    pub owner: Address,
    pub data: Bytes,
}

/// One part as it was found: whose a signature is depends on what it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packed {
    Signature([u8; 65]),
    /// v = 1: the owner has approved on chain, or sends the transaction.
    Approved(Address),
    Contract(ContractSignature),
}

/// The reason that bytes are not the signatures of an `execTransaction`.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PackError {
    #[error("{0} bytes are not a whole number of signatures of 65 bytes")]
    Length(usize),
    #[error("it has more than {MOST_PARTS} signatures")]
    TooMany,
    #[error("part {0} names an owner that is not an address")]
    Owner(usize),
    #[error("the offset of contract signature {0} points into the signatures before the data")]
    IntoHead(usize),
    #[error("contract signature {0} points past the end of the data")]
    PastEnd(usize),
    #[error("contract signature {0} uses data that another one uses too")]
    Overlap(usize),
    #[error("some of its bytes belong to no signature")]
    Unused,
}

/// Reads a `signatures` argument. Every byte must belong to one part, or to the data of one.
/// Fails if an offset points into the parts, past the end, or at the data of another part; if bytes are left over.
pub fn decode_approvals(bytes: &[u8]) -> Result<Vec<Packed>, PackError> {
    let head = head_of(bytes)?;
    let parts = PackedPart::all(&bytes[..head]);
    let mut used: Vec<(usize, usize, usize)> = Vec::new();
    let mut packed = Vec::with_capacity(parts.len());
    for (at, part) in parts.iter().enumerate() {
        let owner = || part.owner().ok_or(PackError::Owner(at));
        packed.push(match part.kind() {
            Kind::Contract => {
                let (start, end) = data_of(bytes, head, at, *part)?;
                used.push((start, end, at));
                let data = Bytes::copy_from_slice(&bytes[start + WORD..end]);
                Packed::Contract(ContractSignature { owner: owner()?, data })
            }
            Kind::Approved => Packed::Approved(owner()?),
            Kind::Key => Packed::Signature(*part.0),
        });
    }
    used.sort_unstable();
    let mut end = head;
    for (start, its_end, at) in used {
        match start.cmp(&end) {
            std::cmp::Ordering::Less => return Err(PackError::Overlap(at)),
            std::cmp::Ordering::Greater => return Err(PackError::Unused),
            std::cmp::Ordering::Equal => end = its_end,
        }
    }
    if end == bytes.len() { Ok(packed) } else { Err(PackError::Unused) }
}

/// Returns how many bytes the parts take: all, or up to the first data. A part that lies behind it is data.
fn head_of(bytes: &[u8]) -> Result<usize, PackError> {
    let mut head = bytes.len();
    let mut count = 0;
    for (at, part) in PackedPart::all(bytes).iter().enumerate() {
        if (at + 1) * PART > head {
            break;
        }
        if at >= MOST_PARTS {
            return Err(PackError::TooMany);
        }
        if part.kind() == Kind::Contract {
            let is_inside = |offset: &usize| bytes.get(*offset).is_some();
            let offset = part.offset().filter(is_inside).ok_or(PackError::PastEnd(at))?;
            if offset < (at + 1) * PART {
                return Err(PackError::IntoHead(at));
            }
            head = head.min(offset);
        }
        count = at + 1;
    }
    // Without data, what is left over was cut; before data, it belongs to nothing.
    match (count * PART == head, head == bytes.len()) {
        (true, _) => Ok(head),
        (false, true) => Err(PackError::Length(head)),
        (false, false) => Err(PackError::Unused),
    }
}

/// Returns where the data of a contract signature begins, with its length, and where it ends.
fn data_of(bytes: &[u8], head: usize, at: usize, part: PackedPart) -> Result<(usize, usize), PackError> {
    let start = part.offset().ok_or(PackError::PastEnd(at))?;
    if start < head {
        return Err(PackError::IntoHead(at));
    }
    let inside = |end: Option<usize>| end.filter(|end| *end <= bytes.len()).ok_or(PackError::PastEnd(at));
    let data = inside(start.checked_add(WORD))?;
    let length = usize::try_from(U256::from_be_slice(&bytes[start..data])).ok();
    let end = inside(length.and_then(|length| data.checked_add(length)))?;
    Ok((start, end))
}

/// Returns the owners whose approvals carried an executed transaction, by its `signatures`, in their order: recovered where a key
/// signed, named where a contract signed or the owner had approved on chain. The Safe looks at as many parts as the threshold
/// asks for; whoever sends it can write anything behind them, and of that only signatures by one of the `owners` count.
/// Sources: Safe 1.4.1, `checkNSignatures`.
pub fn approvers(
    signatures: &[u8],
    hash: &SafeTxHash,
    version: SafeVersion,
    owners: &Owners,
) -> Vec<Address> {
    let mut approvers = Vec::new();
    // A contract's own bytes lie behind all parts; its part says where.
    let mut end = signatures.len();
    for (at, part) in PackedPart::all(signatures).iter().enumerate() {
        if at * PART >= end {
            break;
        }
        let is_verified = at < owners.threshold().get();
        match part.kind() {
            Kind::Key => {
                let signer = EcdsaSignature::from_safe_bytes(part.0, hash, version).map(|s| s.signer()).ok();
                approvers.extend(signer.filter(|signer| is_verified || owners.contains(*signer)));
            }
            Kind::Contract | Kind::Approved if !is_verified => {}
            Kind::Contract => {
                end = end.min(part.offset().unwrap_or(usize::MAX));
                approvers.push(part.named());
            }
            Kind::Approved => approvers.push(part.named()),
        }
    }
    approvers
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::SigningKey;
    use proptest::prelude::*;

    use super::super::packing::{Approval, encode_approvals};
    use super::super::signature::{SignatureKind, signed_digest};
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
        let digest = signed_digest(&SafeTxHash::claimed(B256::repeat_byte(7)), kind);
        let key = SigningKey::from_slice(&[seed; 32]).unwrap();
        let (signature, id) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = id.to_byte() + if kind == SignatureKind::EthSign { 31 } else { 27 };
        (bytes, Address::from_public_key(key.verifying_key()))
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
        // Whoever sends it writes more behind what the Safe looks at: a name, and a stranger's signature.
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
}
