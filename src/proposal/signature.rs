//! One owner's signature on one proposal: as a value, as a file, and as one line that survives a chat.

use std::collections::HashSet;

use alloy::primitives::{Address, hex};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};
use serde::{Deserialize, Serialize};

use super::{Proposal, SafeOwners};
use crate::safe::{Approval, EcdsaSignature, SafeTxHash, SignatureError};

/// The human-readable part of every line.
const LINE_PREFIX: &str = "bgsig";
/// How every line begins.
pub(super) const LINE_START: &str = "bgsig1";
const LINE_VERSION: u8 = 1;
/// version ‖ safeTxHash ‖ r ‖ s ‖ v
const LINE_BYTES: usize = 1 + 32 + 65;
/// prefix, separator, payload in groups of five bits, six characters of checksum
pub(super) const LINE_LENGTH: usize = LINE_START.len() + (LINE_BYTES * 8).div_ceil(5) + 6;

/// A signature as somebody hands it over: what it is for and by whom is still a claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stated {
    /// What it claims to sign; none for a bare signature.
    pub hash: Option<SafeTxHash>,
    /// r ‖ s ‖ v
    pub bytes: [u8; 65],
    /// Refusals that its signer accepted, by the finding's id.
    pub accepted: Vec<String>,
}

/// A signature whose signer was recovered and is an owner of the very Safe that the proposal is for, see [`SafeOwners`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerSignature {
    hash: SafeTxHash,
    signature: EcdsaSignature,
    accepted: Vec<String>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VerifyError {
    #[error("it signs another transaction, {0}")]
    OtherHash(SafeTxHash),
    #[error("it is for Safe {0}, and the owners of another were looked up")]
    OtherSafe(Address),
    #[error("it was made by {0}, which is not an owner of this Safe, or for another transaction")]
    NotAnOwner(Address),
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl OwnerSignature {
    /// Recovers the signer of a stated signature over this proposal; only that of one of its Safe's `owners` is taken.
    /// Whether its signer is an owner *now* is for [`count`](super::count) to say.
    ///
    /// # Errors
    /// When it is for another hash, by somebody else, or no signature at all; when the owners are another Safe's.
    pub fn verify(stated: &Stated, proposal: &Proposal, owners: &SafeOwners) -> Result<Self, VerifyError> {
        let hash = proposal.hash();
        if !owners.are_of(proposal.safe()) {
            return Err(VerifyError::OtherSafe(proposal.safe().address));
        }
        if let Some(other) = stated.hash.filter(|claimed| *claimed != hash) {
            return Err(VerifyError::OtherHash(other));
        }
        let version = proposal.safe().version;
        // Lines and files of ours are written as the Safe reads them; only another wallet's may be meant otherwise.
        let readings = match stated.hash {
            Some(_) => vec![EcdsaSignature::from_safe_bytes(&stated.bytes, &hash, version)?],
            None => EcdsaSignature::readings(&stated.bytes, &hash, version)?,
        };
        let by_owner = readings.iter().find(|r| owners.contains(r.signer()));
        match (by_owner, readings.first()) {
            (Some(found), _) => Ok(Self { hash, signature: *found, accepted: stated.accepted.clone() }),
            (None, Some(stranger)) => Err(VerifyError::NotAnOwner(stranger.signer())),
            (None, None) => Err(VerifyError::Signature(SignatureError::Unrecoverable)),
        }
    }

    #[must_use]
    pub const fn owner(&self) -> Address {
        self.signature.signer()
    }

    #[must_use]
    pub const fn hash(&self) -> SafeTxHash {
        self.hash
    }

    #[must_use]
    pub const fn ecdsa(&self) -> &EcdsaSignature {
        &self.signature
    }

    #[must_use]
    pub fn accepted(&self) -> &[String] {
        &self.accepted
    }

    /// Adds what another file with the same signature states as accepted. Nobody signs these lists: all are shown.
    /// Returns `true` if any of it is new.
    pub fn add_accepted(&mut self, others: &[String]) -> bool {
        let before = self.accepted.clone();
        self.accepted = union(std::mem::take(&mut self.accepted), others);
        self.accepted != before
    }

    #[must_use]
    pub const fn approval(&self) -> Approval {
        Approval::Signed(self.signature)
    }

    /// One line of text: bech32m over version, safeTxHash and signature. A mistyped or cut line is an error and not
    /// another signature.
    #[must_use]
    pub fn line(&self) -> String {
        let payload = [&[LINE_VERSION][..], self.hash.word().as_slice(), self.signature.bytes()].concat();
        // A constant, valid prefix and a payload far below the code's length limit: this cannot fail.
        bech32::encode::<Bech32m>(Hrp::parse_unchecked(LINE_PREFIX), &payload).unwrap_or_default()
    }

    /// The signature as a file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let wire = Wire {
            breakglass_signature: 1,
            safe_tx_hash: self.hash.to_string(),
            owner: self.owner().to_string(),
            kind: self.signature.kind().to_string(),
            signature: hex::encode_prefixed(self.signature.bytes()),
            accepted: self.accepted.clone(),
        };
        serde_json::to_string_pretty(&wire).map(|text| text + "\n").unwrap_or_default()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    breakglass_signature: u32,
    safe_tx_hash: String,
    owner: String,
    kind: String,
    signature: String,
    accepted: Vec<String>,
}

/// The most acceptances that one signer or proposer states, and the longest of them. More are counted.
const MOST_ACCEPTED: usize = 100;
const LONGEST_ACCEPTED: usize = 300;

/// The first acceptances of a list that somebody else wrote, each cut to a length, and how many more there are. The
/// signature beside them is as good as without them.
pub(super) fn bounded(mut accepted: Vec<String>) -> Vec<String> {
    let more = (accepted.len() > MOST_ACCEPTED).then(|| accepted.len() - MOST_ACCEPTED + 1);
    accepted.truncate(more.map_or(MOST_ACCEPTED, |_| MOST_ACCEPTED - 1));
    for id in &mut accepted {
        if id.chars().count() > LONGEST_ACCEPTED {
            *id = id.chars().take(LONGEST_ACCEPTED).chain(['…']).collect();
        }
    }
    accepted.extend(more.map(|more| format!("and {more} more")));
    accepted
}

/// Two lists, each entry once; bounded, and more are counted.
fn union(mut accepted: Vec<String>, others: &[String]) -> Vec<String> {
    let seen: HashSet<String> = accepted.iter().cloned().collect();
    accepted.extend(others.iter().filter(|id| !seen.contains(*id)).cloned());
    if accepted.len() > MOST_ACCEPTED && seen.len() >= MOST_ACCEPTED {
        accepted.truncate(MOST_ACCEPTED);
        return accepted;
    }
    bounded(accepted)
}

impl Stated {
    /// Adds what another file with the same signature states as accepted.
    pub(super) fn add_accepted(&mut self, others: &[String]) {
        self.accepted = union(std::mem::take(&mut self.accepted), others);
    }

    /// Reads a signature file; nothing when the text is not one. Its owner and kind are claims and are not read.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_str(text).ok()?;
        if wire.breakglass_signature != 1 {
            return None;
        }
        let bytes = hex::decode(wire.signature).ok()?.try_into().ok()?;
        let accepted = bounded(wire.accepted);
        Some(Self { hash: Some(wire.safe_tx_hash.parse().ok()?), bytes, accepted })
    }

    /// Reads one line, white space and quoting already removed.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn from_line(line: &str) -> Result<Self, &'static str> {
        let checked = CheckedHrpstring::new::<Bech32m>(line)
            .map_err(|_| "its checksum is wrong: it was cut or mistyped")?;
        if checked.hrp().as_str() != LINE_PREFIX {
            return Err("it is not a breakglass signature line");
        }
        let payload: Vec<u8> = checked.byte_iter().collect();
        let payload: [u8; LINE_BYTES] = payload.try_into().map_err(|_| "it has the wrong length")?;
        if payload[0] != LINE_VERSION {
            return Err("it was written by a newer version of this program");
        }
        let mut bytes = [0; 65];
        bytes.copy_from_slice(&payload[33..]);
        let hash = SafeTxHash::claimed(alloy::primitives::B256::from_slice(&payload[1..33]));
        Ok(Self { hash: Some(hash), bytes, accepted: Vec::new() })
    }
}
