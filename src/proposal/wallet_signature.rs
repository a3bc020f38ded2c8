//! The signature of a contract that is an owner and not a Safe of the council file. Only the contract can tell whether it is
//! its own: it counts once the chain has answered, see [`Approvals`](super::Approvals).

use alloy::primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use super::line::{self, Field, Kind, Writer};
use super::{Claims, Proposal, SafeOwners};
use crate::safe::{ContractSignature, DEEPEST, SafeTxHash};

/// The fields of a line that are not claims, beside the hash.
pub(super) const OWNER: u8 = 3;
pub(super) const DATA: u8 = 4;

const VERSION: u32 = 1;

/// A contract's signature as somebody hands it over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatedContract {
    /// The proposal that it claims to approve; `None` for a bare one.
    pub hash: Option<SafeTxHash>,
    /// The Safes from the proposal's own down to that which the contract owns.
    pub through: Vec<Address>,
    pub signature: ContractSignature,
}

/// A contract's signature for a proposal, by an owner of its Safe or of one of those that own it. A claim until the contract
/// has said yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletSignature {
    hash: SafeTxHash,
    through: Vec<Address>,
    signature: ContractSignature,
}

impl WalletSignature {
    pub(super) const fn new(hash: SafeTxHash, through: Vec<Address>, signature: ContractSignature) -> Self {
        Self { hash, through, signature }
    }

    /// Takes a stated one that is by an owner who is not a Safe that we know.
    ///
    /// # Errors
    /// A sentence that says for what it is none.
    pub fn stated(stated: &StatedContract, proposal: &Proposal, owners: &SafeOwners) -> Result<Self, String> {
        if let Some(other) = stated.hash.filter(|hash| *hash != proposal.hash()) {
            return Err(format!("it is for another transaction, {other}"));
        }
        let owner = stated.signature.owner;
        let ways = owners.ways(proposal);
        match ways.iter().find(|way| way.through == stated.through) {
            Some(way) if way.owners.contains(owner) && way.owners.child(owner).is_none() => {
                Ok(Self::new(proposal.hash(), stated.through.clone(), stated.signature.clone()))
            }
            _ => Err(format!("{owner} is not a contract that owns this Safe")),
        }
    }

    #[must_use]
    pub const fn hash(&self) -> SafeTxHash {
        self.hash
    }

    #[must_use]
    pub fn through(&self) -> &[Address] {
        &self.through
    }

    #[must_use]
    pub const fn signature(&self) -> &ContractSignature {
        &self.signature
    }

    /// The signature as a file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let wire = Wire {
            breakglass_contract_signature: VERSION,
            safe_tx_hash: self.hash.to_string(),
            through: self.through.iter().map(Address::to_string).collect(),
            owner: self.signature.owner.to_string(),
            data: self.signature.data.clone(),
        };
        serde_json::to_string_pretty(&wire).map(|text| text + "\n").unwrap_or_default()
    }

    /// One line of text; `None` if it is too long for one.
    #[must_use]
    pub fn line(&self, claims: &Claims) -> Option<String> {
        let mut writer = Writer::default();
        let fields = [
            (super::owner_signature::HASH, self.hash.word().as_slice()),
            (OWNER, self.signature.owner.as_slice()),
            (DATA, &self.signature.data[..]),
        ];
        let fits = fields.into_iter().all(|(tag, value)| writer.add(tag, value));
        Claims { through: self.through.clone(), ..claims.clone() }.write(&mut writer);
        fits.then(|| writer.line(Kind::Signature))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    breakglass_contract_signature: u32,
    safe_tx_hash: String,
    through: Vec<String>,
    owner: String,
    data: Bytes,
}

impl StatedContract {
    #[must_use]
    pub const fn bare(signature: ContractSignature) -> Self {
        Self { hash: None, through: Vec::new(), signature }
    }

    /// Reads a file; `None` when the text is not one.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_str(text).ok()?;
        let through = wire.through.iter().take(DEEPEST).map(|safe| safe.parse().ok());
        let (through, owner) = (through.collect::<Option<_>>()?, wire.owner.parse().ok()?);
        let signature = ContractSignature { owner, data: wire.data };
        let hash = Some(wire.safe_tx_hash.parse().ok()?);
        (wire.breakglass_contract_signature == VERSION).then_some(Self { hash, through, signature })
    }

    /// Reads the fields of a line. `None` if it is another line.
    pub(super) fn from_fields(fields: &[Field]) -> Result<Option<Self>, &'static str> {
        let Some(data) = line::single(fields, DATA)? else { return Ok(None) };
        let missing = "it carries no signature";
        let owner = line::single(fields, OWNER)?.and_then(|owner| Address::try_from(owner).ok());
        let hash = line::single(fields, super::owner_signature::HASH)?;
        let hash = hash.and_then(|hash| B256::try_from(hash).ok()).ok_or(missing)?;
        line::only(fields, &[super::owner_signature::HASH, OWNER, DATA])?;
        let signature =
            ContractSignature { owner: owner.ok_or(missing)?, data: Bytes::copy_from_slice(data) };
        let through = Claims::read(fields).through;
        Ok(Some(Self { hash: Some(SafeTxHash::claimed(hash)), through, signature }))
    }
}
