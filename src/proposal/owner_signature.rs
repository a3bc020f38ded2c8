//! One owner's signature on one proposal: as a value, as a file, and as one line that survives a chat.

use std::collections::HashSet;

use alloy::primitives::{Address, B256, hex};
use bech32::Bech32m;
use bech32::primitives::decode::CheckedHrpstring;
use serde::{Deserialize, Serialize};

use super::line::{self, Field, LineKind, Writer};
use super::{Claims, Proposal, SafeOwners, Way};
use crate::safe::{DEEPEST, EcdsaSignature, Purpose, SafeTxHash, SignatureError};

/// Version 1 of a line: bech32m over version ‖ safeTxHash ‖ r ‖ s ‖ v. It is read, and written no more.
const FIRST_PREFIX: &str = "bgsig";
/// The beginning of a line of version 1.
pub(super) const FIRST_START: &str = "bgsig1";
const FIRST_VERSION: u8 = 1;
const FIRST_BYTES: usize = 1 + 32 + 65;
/// Its data: payload in groups of five bits, six characters of checksum.
pub(super) const FIRST_LENGTH: usize = (FIRST_BYTES * 8).div_ceil(5) + 6;

/// The fields of version 2 that are not claims.
pub(super) const HASH: u8 = 1;
const SIGNATURE: u8 = 2;

/// A signature as somebody hands it over: what it is for and by whom is still a claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stated {
    /// The hash that it claims to sign; `None` for a bare signature.
    pub hash: Option<SafeTxHash>,
    /// The purpose that it claims; `None` for a bare signature.
    pub purpose: Option<Purpose>,
    /// r ‖ s ‖ v
    pub bytes: [u8; 65],
    /// Refusals that its signer accepted, by the finding's id.
    pub accepted: Vec<String>,
    /// The claims of its line, or of a file of a Safe that is an owner.
    pub claims: Option<Claims>,
}

/// A signature whose signer was recovered and is an owner of the very Safe that the proposal is for, or of a Safe that owns
/// it, see [`SafeOwners`].
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerSignature {
    hash: SafeTxHash,
    /// That of the proposal over whose hash it was recovered.
    purpose: Purpose,
    /// The Safes from the proposal's own down to the signer's, without the first; empty for an owner of the proposal's own.
    through: Vec<Address>,
    signs: SafeTxHash,
    signature: EcdsaSignature,
    accepted: Vec<String>,
}

/// The reason that a stated signature is not an owner's for this proposal.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum VerifyError {
    #[error("it signs another transaction, {0}")]
    OtherHash(SafeTxHash),
    #[error("{}", of_another_purpose(*.0))]
    OtherPurpose(Purpose),
    #[error("it is for Safe {0}, and the owners of another Safe were read")]
    OtherSafe(Address),
    #[error("it was made by {0}, which is not an owner of this Safe, or for another transaction")]
    NotAnOwner(Address),
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl OwnerSignature {
    /// Recovers the signer of a stated signature over this proposal, or over the message by which a Safe that owns its Safe
    /// approves it; only that of one of the `owners` of that Safe is taken. Whether its signer is an owner *now* is for
    /// [`count`](super::count) to say.
    /// Fails if it is for another hash, by somebody else, or no signature at all; when the owners are another Safe's.
    pub fn verify(stated: &Stated, proposal: &Proposal, owners: &SafeOwners) -> Result<Self, VerifyError> {
        let hash = proposal.hash();
        if !owners.are_of(proposal.safe()) {
            return Err(VerifyError::OtherSafe(proposal.safe().address));
        }
        if let Some(other) = stated.purpose.filter(|claimed| *claimed != proposal.purpose()) {
            return Err(VerifyError::OtherPurpose(other));
        }
        if let Some(other) = stated.hash.filter(|claimed| *claimed != hash) {
            return Err(VerifyError::OtherHash(other));
        }
        // The owner that it names is only a claim: that way is tried first, and then the others.
        let mut ways = owners.ways(proposal);
        ways.sort_by_key(|way| way.through != stated.through());
        let mut first = None;
        for way in &ways {
            match Self::on_way(stated, (hash, proposal.purpose()), way) {
                Ok(signature) => return Ok(signature),
                Err(error) => _ = first.get_or_insert(error),
            }
        }
        Err(first.unwrap_or(VerifyError::Signature(SignatureError::Unrecoverable)))
    }

    fn on_way(
        stated: &Stated,
        (hash, purpose): (SafeTxHash, Purpose),
        way: &Way,
    ) -> Result<Self, VerifyError> {
        let (signs, version) = (way.signs, way.domain.safe().version);
        // Lines and files of ours are written as the Safe reads them; only another wallet's may be meant otherwise.
        let readings = match stated.hash {
            Some(_) => vec![EcdsaSignature::from_safe_bytes(&stated.bytes, &signs, version)?],
            None => EcdsaSignature::readings(&stated.bytes, &signs, version)?,
        };
        let by_owner = readings.iter().find(|r| way.owners.contains(r.signer()));
        match (by_owner, readings.first()) {
            (Some(found), _) => {
                let (through, accepted) = (way.through.clone(), stated.accepted.clone());
                Ok(Self { hash, purpose, through, signs, signature: *found, accepted })
            }
            (None, Some(stranger)) => Err(VerifyError::NotAnOwner(stranger.signer())),
            (None, None) => Err(VerifyError::Signature(SignatureError::Unrecoverable)),
        }
    }

    /// Returns the owner, who was recovered from the signature.
    pub const fn owner(&self) -> Address {
        self.signature.signer()
    }

    /// Returns the safeTxHash of the proposal that it approves.
    pub const fn hash(&self) -> SafeTxHash {
        self.hash
    }

    /// The use of the signature: that of its proposal.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The Safes from the proposal's own down to the signer's, without the first; empty for an owner of the proposal's own.
    pub fn through(&self) -> &[Address] {
        &self.through
    }

    /// The hash that was signed: the proposal's, or that of a message of the last Safe in [`OwnerSignature::through`].
    pub const fn signs(&self) -> SafeTxHash {
        self.signs
    }

    /// Returns `true` for the approval of the same owner of the same Safe.
    pub fn is_in_place_of(&self, other: &Self) -> bool {
        (self.hash, self.owner(), &self.through) == (other.hash, other.owner(), &other.through)
    }

    /// Returns the signature itself.
    pub const fn ecdsa(&self) -> &EcdsaSignature {
        &self.signature
    }

    /// Returns the ids of the refusals that the signer accepted, by the word of the file.
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

    /// One line of text, with what it is for. A mistyped or cut line is an error and not another signature.
    pub fn line(&self, claims: &Claims) -> String {
        self.line_of(LineKind::of(self.purpose), claims)
    }

    /// One line of a set that is signed ahead; the claims name its nonce.
    pub fn line_ahead(&self, claims: &Claims) -> String {
        self.line_of(LineKind::Ahead, claims)
    }

    fn line_of(&self, kind: LineKind, claims: &Claims) -> String {
        let mut writer = Writer::default();
        writer.add(HASH, self.hash.word().as_slice());
        writer.add(SIGNATURE, self.signature.bytes());
        Claims { through: self.through.clone(), ..claims.clone() }.write(&mut writer);
        writer.line(kind)
    }

    /// The signature as a file.
    pub fn to_json(&self) -> String {
        let wire = WireOwnerSignature {
            breakglass_signature: match self.purpose {
                Purpose::Drill => DRILL_VERSION,
                Purpose::Real if self.through.is_empty() => 1,
                Purpose::Real => 2,
            },
            safe_tx_hash: self.hash.to_string(),
            through: self.through.iter().map(Address::to_string).collect(),
            owner: self.owner().to_string(),
            kind: self.signature.kind().to_string(),
            signature: hex::encode_prefixed(self.signature.bytes()),
            accepted: self.accepted.clone(),
        };
        serde_json::to_string_pretty(&wire).map(|text| text + "\n").unwrap_or_default()
    }
}

/// The version of the file of a drill's signature: a program that knows no drills reads none.
const DRILL_VERSION: u32 = 3;

fn of_another_purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Drill => "it is of a DRILL, and signs nothing real",
        Purpose::Real => "it is REAL, and not of a drill: keep it out of drills",
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOwnerSignature {
    breakglass_signature: u32,
    safe_tx_hash: String,
    /// From version 2 on: the Safes down to that whose owner signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    through: Vec<String>,
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

/// Two lists, each entry once; bounded, and more are counted. A list that is full stays as it is.
fn union(mut accepted: Vec<String>, others: &[String]) -> Vec<String> {
    if accepted.len() >= MOST_ACCEPTED {
        return accepted;
    }
    let seen: HashSet<String> = accepted.iter().cloned().collect();
    accepted.extend(others.iter().filter(|id| !seen.contains(*id)).cloned());
    bounded(accepted)
}

impl Stated {
    /// Adds what another file with the same signature states as accepted.
    pub(super) fn add_accepted(&mut self, others: &[String]) {
        self.accepted = union(std::mem::take(&mut self.accepted), others);
    }

    /// Reads a signature file; nothing when the text is not one. Its owner and kind are claims and are not read.
    pub fn from_json(text: &str) -> Option<Self> {
        let wire: WireOwnerSignature = serde_json::from_str(text).ok()?;
        let purpose = match wire.breakglass_signature {
            1 | 2 => Purpose::Real,
            DRILL_VERSION => Purpose::Drill,
            _ => return None,
        };
        let bytes = hex::decode(wire.signature).ok()?.try_into().ok()?;
        let accepted = bounded(wire.accepted);
        let through = wire.through.iter().take(DEEPEST).map(|safe| safe.parse().ok());
        let through: Vec<Address> = through.collect::<Option<_>>()?;
        let claims = (!through.is_empty()).then(|| Claims { through, ..Claims::default() });
        let hash = Some(wire.safe_tx_hash.parse().ok()?);
        Some(Self { hash, purpose: Some(purpose), bytes, accepted, claims })
    }

    /// The Safes through which it claims to approve.
    fn through(&self) -> &[Address] {
        self.claims.as_ref().map(|claims| &claims.through[..]).unwrap_or_default()
    }

    /// A signature that says nothing of itself.
    pub const fn bare(bytes: [u8; 65]) -> Self {
        Self { hash: None, purpose: None, bytes, accepted: Vec::new(), claims: None }
    }

    /// Reads the fields of a line of version 2.
    pub(super) fn from_fields(fields: &[Field], purpose: Purpose) -> Result<Self, &'static str> {
        line::only(fields, &[HASH, SIGNATURE])?;
        let missing = "it carries no signature";
        let hash = line::single(fields, HASH)?.and_then(|hash| B256::try_from(hash).ok()).ok_or(missing)?;
        let bytes =
            line::single(fields, SIGNATURE)?.and_then(|bytes| bytes.try_into().ok()).ok_or(missing)?;
        let claims = Some(Claims::read(fields));
        let (hash, purpose) = (Some(SafeTxHash::claimed(hash)), Some(purpose));
        Ok(Self { hash, purpose, bytes, accepted: Vec::new(), claims })
    }

    /// Reads one line of version 1, white space and quoting already removed.
    pub(super) fn from_line(line: &str) -> Result<Self, &'static str> {
        let checked = CheckedHrpstring::new::<Bech32m>(line)
            .map_err(|_| "a part of it is missing or mistyped: copy the whole line again")?;
        if checked.hrp().as_str() != FIRST_PREFIX {
            return Err("it is not a breakglass signature line");
        }
        let payload: Vec<u8> = checked.byte_iter().collect();
        let payload: [u8; FIRST_BYTES] = payload.try_into().map_err(|_| "it has the wrong length")?;
        if payload[0] != FIRST_VERSION {
            return Err("it was written by a newer version of this program: update yours");
        }
        let mut bytes = [0; 65];
        bytes.copy_from_slice(&payload[33..]);
        let hash = Some(SafeTxHash::claimed(B256::from_slice(&payload[1..33])));
        Ok(Self { hash, purpose: Some(Purpose::Real), bytes, accepted: Vec::new(), claims: None })
    }
}
