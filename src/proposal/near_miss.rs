//! Mistakes by which an owner's signature does not count: another digest of the same transaction was signed, or its last byte
//! is another one. They only explain: none of them is ever taken.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, Bytes, eip191_hash_message, hex, keccak256};

use super::{Proposal, SafeOwners, Way};
use crate::safe::{EcdsaSignature, Hashes, SafeId, SafeTxHash, SafeVersion};

/// The thing that was signed in the place of a proposal, or what is wrong with the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NearMiss {
    /// The signature itself is right.
    LastByte,
    /// The same transaction of another Safe.
    OtherSafe(Address),
    /// The same transaction of the same address on another chain.
    OtherChain(u64),
    /// The same transaction, hashed as Safes before or from 1.3.0 on do.
    OtherVersion,
    HashedAgain,
    MessageHashAlone,
    TextOfHash,
    /// An owner of a Safe that owns the proposal's signed the transaction itself.
    NotAsMessage(Address),
    /// An owner of this Safe, which owns the proposal's, signed its message in the form of another version.
    OtherMessage(Address),
}

/// Returns the mistake, and the owner whose key made the signature. `None` if it is none that is known. `safes` are those of
/// the reader's council file, on all of its chains.
pub fn near_miss(
    bytes: &[u8; 65],
    proposal: &Proposal,
    owners: &SafeOwners,
    safes: &[SafeId],
) -> Option<(Address, NearMiss)> {
    let version = proposal.safe().version;
    let ways = owners.ways(proposal);
    let signer = |bytes: &[u8; 65], word: B256, owners: &SafeOwners| {
        let readings = EcdsaSignature::readings(bytes, &SafeTxHash::claimed(word), version).ok()?;
        readings.iter().map(EcdsaSignature::signer).find(|signer| owners.contains(*signer))
    };
    let other_byte = flipped(bytes);
    let of_way = |way: &Way| {
        let flipped = other_byte.and_then(|bytes| signer(&bytes, *way.signs.word(), way.owners));
        if let Some(owner) = flipped {
            return Some((owner, NearMiss::LastByte));
        }
        let safe = *way.through.last()?;
        if let Some(owner) = signer(bytes, *proposal.hash().word(), way.owners) {
            return Some((owner, NearMiss::NotAsMessage(safe)));
        }
        let forms =
            [proposal.hashes().pre_image(), Bytes::copy_from_slice(proposal.hash().word().as_slice())];
        let mut forms = forms.iter().map(|form| *way.domain.message_hashes(form).safe_tx.word());
        let owner = forms.find_map(|word| signer(bytes, word, way.owners))?;
        Some((owner, NearMiss::OtherMessage(safe)))
    };
    let by_way = ways.iter().find_map(of_way);
    by_way.or_else(|| {
        let mut digests = digests(proposal, safes).into_iter();
        digests.find_map(|(miss, word)| Some((signer(bytes, word, owners)?, miss)))
    })
}

/// The digests of the same transaction that other software signs by mistake.
fn digests(proposal: &Proposal, safes: &[SafeId]) -> Vec<(NearMiss, B256)> {
    let (own, tx, hashes) = (*proposal.safe(), proposal.tx(), proposal.hashes());
    let word = |hashes: Hashes| *hashes.safe_tx.word();
    let hash = *hashes.safe_tx.word();
    let digits = hex::encode(hash);
    let mut all = vec![
        (NearMiss::HashedAgain, keccak256(hash)),
        (NearMiss::MessageHashAlone, *hashes.message.word()),
        (NearMiss::TextOfHash, eip191_hash_message(&digits)),
        (NearMiss::TextOfHash, eip191_hash_message(format!("0x{digits}"))),
    ];
    let other_version =
        if own.version.domain_has_chain_id() { SafeVersion::V1_1_1 } else { SafeVersion::V1_3_0 };
    all.push((NearMiss::OtherVersion, word(SafeId { version: other_version, ..own }.hashes(tx))));
    let chains: BTreeSet<u64> = safes.iter().map(|safe| safe.chain_id).chain([1]).collect();
    let others = chains.into_iter().filter(|chain_id| *chain_id != own.chain_id);
    all.extend(
        others.map(|chain_id| (NearMiss::OtherChain(chain_id), word(SafeId { chain_id, ..own }.hashes(tx)))),
    );
    let others = safes.iter().filter(|safe| safe.address != own.address);
    all.extend(others.map(|safe| (NearMiss::OtherSafe(safe.address), word(safe.hashes(tx)))));
    all
}

/// The signature with the other of the two last bytes of its kind; `None` if it has no such.
fn flipped(bytes: &[u8; 65]) -> Option<[u8; 65]> {
    let mut other = *bytes;
    other[64] = match bytes[64] {
        0 => 1,
        1 => 0,
        27 => 28,
        28 => 27,
        31 => 32,
        32 => 31,
        _ => return None,
    };
    Some(other)
}

impl NearMiss {
    /// Returns it after the signer's name, with the names of Safes: `signed it for chain 1, not for this one`.
    pub fn sentence(&self, name: impl Fn(Address) -> String) -> String {
        match self {
            Self::LastByte => "signed it, but its last byte (v) was changed: ask for it again".into(),
            Self::OtherSafe(safe) => format!("signed the same call for another Safe, {}", name(*safe)),
            Self::OtherChain(chain_id) => format!("signed it for chain {chain_id}, not for this one"),
            Self::OtherVersion => {
                "signed it as for a Safe of another version: their tool has the wrong one".into()
            }
            Self::HashedAgain => "signed the hash of the safeTxHash: their tool hashed it once more".into(),
            Self::MessageHashAlone => "signed the message hash alone, without the domain".into(),
            Self::TextOfHash => "signed the safeTxHash as text, not its 32 bytes".into(),
            Self::NotAsMessage(safe) => format!(
                "signed the transaction itself, and owns {}: breakglass sign makes the signature that counts",
                name(*safe)
            ),
            Self::OtherMessage(safe) => {
                format!("signed a message of {} in a form that this Safe does not ask for", name(*safe))
            }
        }
    }
}
