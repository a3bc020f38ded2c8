//! The `signatures` argument of `execTransaction`, both ways.
//!
//! ```text
//! signatures = part for each owner, 65 bytes, in ascending order of owner ‖ data for each contract signature
//! part       = r ‖ s ‖ v
//!   v = 27, 28, 31, 32   a signature of the owner's key
//!   v = 1                r is the owner, who has called approveHash or sends the transaction
//!   v = 0                r is the owner, a contract; s is the offset of its data: a 32-byte length ‖ as many bytes
//! ```

use alloy::primitives::{Address, B256, Bytes, U256};

use super::signature::{EcdsaSignature, SignatureKind};

/// The bytes of one part.
const PART: usize = 65;
/// The bytes of a length.
const WORD: usize = 32;
/// The most parts that are read: one for each of twice as many owners as a block has room for.
const MOST_PARTS: usize = 2_000;

/// A contract's signature, by EIP-1271. What its data means is for the contract to say; for a Safe it is again a
/// `signatures` argument.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContractSignature {
    pub owner: Address,
    pub data: Bytes,
}

/// The approval of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval {
    Signed(EcdsaSignature),
    /// The owner called `approveHash`.
    OnChain(Address),
    /// The owner is a contract.
    Contract(ContractSignature),
    /// The owner sends the transaction.
    Sender(Address),
}

impl Approval {
    /// Returns the owner who approves.
    #[must_use]
    pub const fn owner(&self) -> Address {
        match self {
            Self::Signed(signature) => signature.signer(),
            Self::Contract(signature) => signature.owner,
            Self::OnChain(owner) | Self::Sender(owner) => *owner,
        }
    }

    /// Returns the kind by which the Safe's contract checks it.
    #[must_use]
    pub const fn kind(&self) -> SignatureKind {
        match self {
            Self::Signed(signature) => signature.kind(),
            Self::OnChain(_) => SignatureKind::ApprovedHash,
            Self::Contract(_) => SignatureKind::Contract,
            Self::Sender(_) => SignatureKind::Sender,
        }
    }

    /// Its data, where it has some.
    const fn data(&self) -> Option<&Bytes> {
        match self {
            Self::Contract(signature) => Some(&signature.data),
            _ => None,
        }
    }

    /// Its part, where its data lies at this offset.
    fn part(&self, offset: usize) -> [u8; PART] {
        match self {
            Self::Signed(signature) => *signature.bytes(),
            Self::Contract(signature) => part(signature.owner, U256::from(offset), 0),
            Self::OnChain(owner) | Self::Sender(owner) => part(*owner, U256::ZERO, 1),
        }
    }
}

fn part(owner: Address, s: U256, v: u8) -> [u8; PART] {
    let mut bytes = [0; PART];
    bytes[12..32].copy_from_slice(owner.as_slice());
    bytes[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    bytes[64] = v;
    bytes
}

/// Returns the `signatures` argument: the parts in ascending order of owner, one for each, whatever order they came in; behind
/// them the data of the contract signatures, in the same order.
#[must_use]
pub fn encode_approvals(approvals: &[Approval]) -> Bytes {
    let mut sorted: Vec<&Approval> = approvals.iter().collect();
    sorted.sort_by_key(|approval| approval.owner());
    sorted.dedup_by_key(|approval| approval.owner());
    let head = sorted.len() * PART;
    let (mut parts, mut tail) = (Vec::with_capacity(head), Vec::new());
    for approval in sorted {
        parts.extend(approval.part(head + tail.len()));
        if let Some(data) = approval.data() {
            tail.extend(U256::from(data.len()).to_be_bytes::<WORD>());
            tail.extend(data);
        }
    }
    [parts, tail].concat().into()
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
///
/// # Errors
/// If an offset points into the parts, past the end, or at the data of another part; if bytes are left over.
pub fn decode_approvals(bytes: &[u8]) -> Result<Vec<Packed>, PackError> {
    let head = head_of(bytes)?;
    let parts: Vec<&[u8]> = bytes[..head].chunks_exact(PART).collect();
    let mut used: Vec<(usize, usize, usize)> = Vec::new();
    let mut packed = Vec::with_capacity(parts.len());
    for (at, part) in parts.into_iter().enumerate() {
        packed.push(match part[64] {
            0 => {
                let (start, end) = data_of(bytes, head, at, part)?;
                used.push((start, end, at));
                let data = Bytes::copy_from_slice(&bytes[start + WORD..end]);
                Packed::Contract(ContractSignature { owner: owner_of(at, part)?, data })
            }
            1 => Packed::Approved(owner_of(at, part)?),
            _ => Packed::Signature(part.try_into().map_err(|_| PackError::Length(part.len()))?),
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
    let mut at = 0;
    while (at + 1) * PART <= head {
        if at >= MOST_PARTS {
            return Err(PackError::TooMany);
        }
        let part = &bytes[at * PART..(at + 1) * PART];
        if part[64] == 0 {
            let offset = offset(part).filter(|offset| *offset < bytes.len()).ok_or(PackError::PastEnd(at))?;
            if offset < (at + 1) * PART {
                return Err(PackError::IntoHead(at));
            }
            head = head.min(offset);
        }
        at += 1;
    }
    // Without data, what is left over was cut; before data, it belongs to nothing.
    match (at * PART == head, head == bytes.len()) {
        (true, _) => Ok(head),
        (false, true) => Err(PackError::Length(head)),
        (false, false) => Err(PackError::Unused),
    }
}

/// Returns where the data of a contract signature begins, with its length, and where it ends.
fn data_of(bytes: &[u8], head: usize, at: usize, part: &[u8]) -> Result<(usize, usize), PackError> {
    let start = offset(part).ok_or(PackError::PastEnd(at))?;
    if start < head {
        return Err(PackError::IntoHead(at));
    }
    let inside = |end: Option<usize>| end.filter(|end| *end <= bytes.len()).ok_or(PackError::PastEnd(at));
    let data = inside(start.checked_add(WORD))?;
    let length = usize::try_from(U256::from_be_slice(&bytes[start..data])).ok();
    let end = inside(length.and_then(|length| data.checked_add(length)))?;
    Ok((start, end))
}

fn offset(part: &[u8]) -> Option<usize> {
    usize::try_from(U256::from_be_slice(&part[32..64])).ok()
}

fn owner_of(at: usize, part: &[u8]) -> Result<Address, PackError> {
    let word = B256::from_slice(&part[..32]);
    let is_address = word[..12].iter().all(|byte| *byte == 0);
    is_address.then(|| Address::from_word(word)).ok_or(PackError::Owner(at))
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::SigningKey;
    use proptest::prelude::*;

    use super::super::hashes::SafeTxHash;
    use super::super::signature::signed_digest;
    use super::super::version::SafeVersion;
    use super::*;

    fn signed(seed: u8) -> Approval {
        let hash = SafeTxHash::claimed(B256::repeat_byte(7));
        let digest = signed_digest(&hash, SignatureKind::Ecdsa);
        let key = SigningKey::from_slice(&[seed; 32]).unwrap();
        let (signature, id) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = 27 + id.to_byte();
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
                let offset = offset(part).unwrap();
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
            if let Ok(read) = decode_approvals(&bytes) {
                let data: usize = read.iter().map(|p| if let Packed::Contract(c) = p { WORD + c.data.len() } else { 0 }).sum();
                prop_assert_eq!(read.len() * PART + data, bytes.len(), "every byte belongs to one");
            }
        }
    }
}
