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

/// Returns the owners whose approvals carried an executed transaction, by its `signatures`, in their order: recovered
/// where a key signed, named where a contract signed or the owner had approved on chain. The Safe reads as many parts
/// as the threshold asks for. The sender can append anything to them; there only signatures by one of the `owners`
/// count. Sources: Safe 1.4.1, `checkNSignatures`.
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
mod tests;
