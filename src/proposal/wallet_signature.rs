//! The signature of a contract that is an owner and not a Safe of the council file. Only the contract can tell whether it is
//! its own: it counts once the chain has answered, see [`Approvals`](super::Approvals).

use alloy::primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use super::line::{self, Field, LineKind, Writer};
use super::{Claims, Proposal, SafeOwners, VerifyError};
use crate::safe::{ContractSignature, DEEPEST, Purpose, SafeTxHash};

/// The fields of a line that are not claims, beside the hash.
pub(super) const OWNER: u8 = 3;
pub(super) const DATA: u8 = 4;

/// The version of a file: a program that knows no drills reads none of a drill.
const fn version(purpose: Purpose) -> u32 {
    match purpose {
        Purpose::Real => 1,
        Purpose::Drill => 2,
    }
}

/// A contract's signature as somebody hands it over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatedContract {
    /// The proposal that it claims to approve; `None` for a bare one.
    pub hash: Option<SafeTxHash>,
    /// The purpose that it claims; `None` for a bare one.
    pub purpose: Option<Purpose>,
    /// The Safes from the proposal's own down to that which the contract owns.
    pub through: Vec<Address>,
    pub signature: ContractSignature,
}

/// A contract's signature for a proposal, by an owner of its Safe or of one of those that own it. A claim until the contract
/// has said yes.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletSignature {
    hash: SafeTxHash,
    purpose: Purpose,
    through: Vec<Address>,
    signature: ContractSignature,
}

impl WalletSignature {
    pub(super) fn new(proposal: &Proposal, through: Vec<Address>, signature: ContractSignature) -> Self {
        Self { hash: proposal.hash(), purpose: proposal.purpose(), through, signature }
    }

    /// Takes a stated one that is by an owner who is not a Safe that we know.
    /// The error says for what it is none.
    pub fn stated(stated: &StatedContract, proposal: &Proposal, owners: &SafeOwners) -> Result<Self, String> {
        if let Some(other) = stated.purpose.filter(|purpose| *purpose != proposal.purpose()) {
            return Err(VerifyError::OtherPurpose(other).to_string());
        }
        if let Some(other) = stated.hash.filter(|hash| *hash != proposal.hash()) {
            return Err(format!("it is for another transaction, {other}"));
        }
        let owner = stated.signature.owner;
        let ways = owners.ways(proposal);
        match ways.iter().find(|way| way.through == stated.through) {
            Some(way) if way.owners.contains(owner) && way.owners.child(owner).is_none() => {
                Ok(Self::new(proposal, stated.through.clone(), stated.signature.clone()))
            }
            _ => Err(format!("{owner} is not a contract that owns this Safe")),
        }
    }

    pub const fn hash(&self) -> SafeTxHash {
        self.hash
    }

    /// Returns the Safes between the proposal's Safe and the wallet; empty if the wallet is an owner itself.
    pub fn through(&self) -> &[Address] {
        &self.through
    }

    /// Returns the wallet's address and the data that its contract is asked about.
    pub const fn signature(&self) -> &ContractSignature {
        &self.signature
    }

    pub fn to_json(&self) -> String {
        let wire = WireWalletSignature {
            breakglass_contract_signature: version(self.purpose),
            safe_tx_hash: self.hash.to_string(),
            through: self.through.iter().map(Address::to_string).collect(),
            owner: self.signature.owner.to_string(),
            data: self.signature.data.clone(),
        };
        serde_json::to_string_pretty(&wire).map(|text| text + "\n").unwrap_or_default()
    }

    /// One line of text; `None` if it is too long for one.
    pub fn line(&self, claims: &Claims) -> Option<String> {
        let mut writer = Writer::default();
        let fields = [
            (super::owner_signature::HASH, self.hash.word().as_slice()),
            (OWNER, self.signature.owner.as_slice()),
            (DATA, &self.signature.data[..]),
        ];
        let fits = fields.into_iter().all(|(tag, value)| writer.add(tag, value));
        Claims { through: self.through.clone(), ..claims.clone() }.write(&mut writer);
        fits.then(|| writer.line(LineKind::of(self.purpose)))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireWalletSignature {
    breakglass_contract_signature: u32,
    safe_tx_hash: String,
    through: Vec<String>,
    owner: String,
    data: Bytes,
}

impl StatedContract {
    /// Returns a signature without a statement of what it is for.
    pub const fn bare(signature: ContractSignature) -> Self {
        Self { hash: None, purpose: None, through: Vec::new(), signature }
    }

    /// Reads a file; `None` when the text is not one.
    pub fn from_json(text: &str) -> Option<Self> {
        let wire: WireWalletSignature = serde_json::from_str(text).ok()?;
        let through = wire.through.iter().take(DEEPEST).map(|safe| safe.parse().ok());
        let (through, owner) = (through.collect::<Option<_>>()?, wire.owner.parse().ok()?);
        let signature = ContractSignature { owner, data: wire.data };
        let hash = Some(wire.safe_tx_hash.parse().ok()?);
        let purposes = [Purpose::Real, Purpose::Drill];
        let purpose = purposes.into_iter().find(|one| version(*one) == wire.breakglass_contract_signature)?;
        Some(Self { hash, purpose: Some(purpose), through, signature })
    }

    /// Reads the fields of a line. `None` if it is another line.
    pub(super) fn from_fields(fields: &[Field], purpose: Purpose) -> Result<Option<Self>, &'static str> {
        let Some(data) = line::single(fields, DATA)? else { return Ok(None) };
        let missing = "it carries no signature";
        let owner = line::single(fields, OWNER)?.and_then(|owner| Address::try_from(owner).ok());
        let hash = line::single(fields, super::owner_signature::HASH)?;
        let hash = hash.and_then(|hash| B256::try_from(hash).ok()).ok_or(missing)?;
        line::only(fields, &[super::owner_signature::HASH, OWNER, DATA])?;
        let signature =
            ContractSignature { owner: owner.ok_or(missing)?, data: Bytes::copy_from_slice(data) };
        let through = Claims::read(fields).through;
        let (hash, purpose) = (Some(SafeTxHash::claimed(hash)), Some(purpose));
        Ok(Some(Self { hash, purpose, through, signature }))
    }
}
