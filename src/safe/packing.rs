//! The approvals of owners, and how they are packed as the `signatures` argument of `execTransaction`.

use alloy::primitives::{Address, Bytes, U256};

use super::packed_signatures::{ContractSignature, PART, WORD, part};
use super::signature::{EcdsaSignature, SignatureKind};

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
    pub const fn owner(&self) -> Address {
        match self {
            Self::Signed(signature) => signature.signer(),
            Self::Contract(signature) => signature.owner,
            Self::OnChain(owner) | Self::Sender(owner) => *owner,
        }
    }

    /// Returns the kind by which the Safe's contract checks it.
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

/// Returns the `signatures` argument: the parts in ascending order of owner, one for each, whatever order they came in; behind
/// them the data of the contract signatures, in the same order.
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
