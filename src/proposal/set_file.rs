//! The file of a set that was signed ahead, as this machine keeps it: one transaction, and signatures of it by nonce.

use alloy::primitives::hex;
use serde::{Deserialize, Serialize};

use super::{OwnerSignature, Proposal, ProposalError, SafeOwners, SignedAhead, Stated};
use crate::excerpt::json_fault;
use crate::safe::{Nonce, Purpose, SafeTxHash};

const VERSION: u32 = 1;
/// More than any council signs ahead.
const MOST_SIGNATURES: usize = 10_000;

/// A set: what somebody handed over, once each signature was found to be an owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// At the first of its nonces.
    proposal: Proposal,
    /// The time at which it was kept here, in seconds since 1970.
    kept: u64,
    /// The time at which the first of it was made, as its lines state it.
    made: Option<u64>,
    signatures: Vec<(Nonce, [u8; 65])>,
}

/// The reason that a file of signatures made ahead cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SetError {
    #[error("it is not a set that was signed ahead: {0}")]
    Json(String),
    #[error("it is of version {0}, and this program reads version {VERSION}")]
    Version(u32),
    #[error("it has {0} signatures, and this program reads at most {MOST_SIGNATURES}")]
    TooMany(usize),
    #[error("it has no signature")]
    Empty,
    #[error("{what} {text:?} cannot be read")]
    Field { what: &'static str, text: String },
    #[error(transparent)]
    Proposal(#[from] ProposalError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSet {
    breakglass_set: u32,
    kept: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Option<u64>,
    signatures: Vec<WireSignature>,
    proposal: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    nonce: String,
    signature: String,
}

impl Set {
    /// `None` without a signature. `proposal` is their transaction, at any nonce.
    pub fn new(proposal: &Proposal, kept: u64, signed: &[SignedAhead]) -> Option<Self> {
        let first = signed.iter().map(|one| one.nonce).min()?;
        let mut signatures: Vec<(Nonce, [u8; 65])> =
            signed.iter().map(|one| (one.nonce, *one.signature.ecdsa().bytes())).collect();
        signatures.sort();
        let made = signed.iter().filter_map(|one| one.made).min();
        Some(Self { proposal: proposal.with_nonce(first), kept, made, signatures })
    }

    /// Its transaction, at the first of its nonces.
    pub const fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// Returns when it was kept here, in seconds since 1970.
    pub const fn kept(&self) -> u64 {
        self.kept
    }

    /// Returns when it was made, in seconds since 1970; `None` if its writer did not say.
    pub const fn made(&self) -> Option<u64> {
        self.made
    }

    /// The nonces that it has signatures for, each once, in their order.
    pub fn nonces(&self) -> Vec<Nonce> {
        let mut nonces: Vec<Nonce> = self.signatures.iter().map(|(nonce, _)| *nonce).collect();
        nonces.dedup();
        nonces
    }

    /// Returns the nonces that one of these has signed, each once, in their order. Each signature that is recovered takes one
    /// of those that are `left`.
    pub fn nonces_of(&self, owners: &SafeOwners, left: &mut usize) -> Vec<Nonce> {
        let mut nonces: Vec<Nonce> = Vec::new();
        for (nonce, bytes) in &self.signatures {
            if *left > 0 && nonces.last() != Some(nonce) {
                *left -= 1;
                nonces.extend(self.signed(*nonce, *bytes, owners).map(|_| *nonce));
            }
        }
        nonces
    }

    fn signed(&self, nonce: Nonce, bytes: [u8; 65], owners: &SafeOwners) -> Option<OwnerSignature> {
        let proposal = self.proposal.with_nonce(nonce);
        OwnerSignature::verify(&stated(proposal.hash(), bytes), &proposal, owners).ok()
    }

    /// Returns its signatures of a proposal that is one of the set's: whose each is, is still to be found.
    pub fn stated_for(&self, proposal: &Proposal) -> impl Iterator<Item = Stated> {
        let (nonce, hash) = (proposal.nonce(), proposal.hash());
        let is_of_it = self.at(nonce) == hash;
        let of_nonce = self.signatures.iter().filter(move |(at, _)| is_of_it && *at == nonce);
        of_nonce.map(move |(_, bytes)| stated(hash, *bytes))
    }

    /// Returns all of its signatures by whoever of these made them, and how many are nobody's of these.
    pub fn verified(&self, owners: &SafeOwners) -> (Vec<(Nonce, OwnerSignature)>, usize) {
        let verify =
            |(nonce, bytes): &(Nonce, [u8; 65])| Some((*nonce, self.signed(*nonce, *bytes, owners)?));
        let verified: Vec<_> = self.signatures.iter().filter_map(verify).collect();
        let strange = self.signatures.len() - verified.len();
        (verified, strange)
    }

    pub fn at(&self, nonce: Nonce) -> SafeTxHash {
        self.proposal.at_nonce(nonce)
    }

    /// Fails if it is not the file of a set, or its proposal was altered.
    pub fn parse(text: &str) -> Result<Self, SetError> {
        let wire: WireSet = serde_json::from_str(text).map_err(|error| SetError::Json(json_fault(&error)))?;
        if wire.breakglass_set != VERSION {
            return Err(SetError::Version(wire.breakglass_set));
        }
        if wire.signatures.len() > MOST_SIGNATURES {
            return Err(SetError::TooMany(wire.signatures.len()));
        }
        let mut signatures = wire.signatures.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        signatures.sort();
        let first = signatures.first().ok_or(SetError::Empty)?.0;
        let proposal = Proposal::parse(&wire.proposal.to_string())?.with_nonce(first);
        Ok(Self { proposal, kept: wire.kept, made: wire.made, signatures })
    }

    pub fn to_json(&self) -> String {
        let write = |(nonce, bytes): &(Nonce, [u8; 65])| WireSignature {
            nonce: nonce.to_string(),
            signature: hex::encode_prefixed(bytes),
        };
        let wire = WireSet {
            breakglass_set: VERSION,
            kept: self.kept,
            made: self.made,
            signatures: self.signatures.iter().map(write).collect(),
            proposal: serde_json::from_str(&self.proposal.to_json()).unwrap_or_default(),
        };
        serde_json::to_string_pretty(&wire).map(|text| text + "\n").unwrap_or_default()
    }
}

fn stated(hash: SafeTxHash, bytes: [u8; 65]) -> Stated {
    Stated { hash: Some(hash), purpose: Some(Purpose::Real), bytes, accepted: Vec::new(), claims: None }
}

fn read(wire: &WireSignature) -> Result<(Nonce, [u8; 65]), SetError> {
    let field = |what, text: &str| SetError::Field { what, text: text.chars().take(80).collect() };
    let nonce = wire.nonce.parse().map_err(|_| field("nonce", &wire.nonce))?;
    let bytes = hex::decode(&wire.signature).ok().and_then(|bytes| bytes.try_into().ok());
    Ok((nonce, bytes.ok_or_else(|| field("signature", &wire.signature))?))
}
