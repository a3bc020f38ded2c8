//! One owner's signature on one proposal: as a value, as a file, and as one line that survives a chat.

use alloy::primitives::{Address, hex};
use bech32::{Bech32m, Hrp};
use serde::{Deserialize, Serialize};

use super::Proposal;
use crate::safe::{Approval, EcdsaSignature, SafeTxHash, SignatureError};

/// The first characters of every line.
pub(super) const LINE_PREFIX: &str = "bgsig";
const LINE_VERSION: u8 = 1;
/// version ‖ safeTxHash ‖ r ‖ s ‖ v
const LINE_BYTES: usize = 1 + 32 + 65;
/// prefix, separator, payload in groups of five bits, six characters of checksum
pub(super) const LINE_LENGTH: usize = LINE_PREFIX.len() + 1 + (LINE_BYTES * 8).div_ceil(5) + 6;

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

/// A signature whose signer was recovered and is one of the owners known to the reader.
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
    #[error("it was made by {0}, which is not an owner of this Safe, or for another transaction")]
    NotAnOwner(Address),
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl OwnerSignature {
    /// Recovers the signer of a stated signature over this proposal; only that of one of `owners` is taken. Whether its
    /// signer is an owner *now* is for [`count`](super::count) to say.
    ///
    /// # Errors
    /// When it is for another hash, by somebody else, or no signature at all.
    pub fn verify(stated: &Stated, proposal: &Proposal, owners: &[Address]) -> Result<Self, VerifyError> {
        let hash = proposal.hash();
        if let Some(other) = stated.hash.filter(|claimed| *claimed != hash) {
            return Err(VerifyError::OtherHash(other));
        }
        let readings = EcdsaSignature::readings(&stated.bytes, &hash, proposal.safe().version)?;
        let by_owner = readings.iter().find(|r| owners.contains(&r.signer()));
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

impl Stated {
    /// Reads a signature file; nothing when the text is not one. Its owner and kind are claims and are not read.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_str(text).ok()?;
        if wire.breakglass_signature != 1 {
            return None;
        }
        let bytes = hex::decode(wire.signature).ok()?.try_into().ok()?;
        Some(Self { hash: Some(wire.safe_tx_hash.parse().ok()?), bytes, accepted: wire.accepted })
    }

    /// Reads one line, white space and quoting already removed.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn from_line(line: &str) -> Result<Self, String> {
        let (hrp, payload) =
            bech32::decode(line).map_err(|_| "its checksum is wrong: it was cut or mistyped".to_string())?;
        if hrp.as_str() != LINE_PREFIX {
            return Err("it is not a breakglass signature line".into());
        }
        let payload: [u8; LINE_BYTES] =
            payload.try_into().map_err(|_| "it has the wrong length".to_string())?;
        if payload[0] != LINE_VERSION {
            return Err(format!("it is of version {}, and this program reads {LINE_VERSION}", payload[0]));
        }
        let mut bytes = [0; 65];
        bytes.copy_from_slice(&payload[33..]);
        let hash = SafeTxHash::claimed(alloy::primitives::B256::from_slice(&payload[1..33]));
        Ok(Self { hash: Some(hash), bytes, accepted: Vec::new() })
    }
}
