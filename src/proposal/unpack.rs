//! A contract's signature, taken apart: in that of a Safe are the signatures of its owners.

use alloy::primitives::Address;

use super::{Proposal, SafeOwners, WalletSignature, Way};
use crate::safe::{ContractSignature, Packed, decode_approvals};

/// The parts of a contract's signature.
#[derive(Debug, Default)]
pub(super) struct SignatureParts {
    /// Signatures by keys: whose, and for which Safe, is for recovery to say.
    pub(super) bare: Vec<[u8; 65]>,
    /// Signatures by contracts that are not Safes.
    pub(super) contracts: Vec<WalletSignature>,
    /// Why it is none, for the last proposal that it was tried on.
    pub(super) refused: Option<String>,
    /// It was one for at least one proposal.
    pub(super) is_taken: bool,
    /// It was not tried on every proposal: there are too many.
    pub(super) is_cut: bool,
}

impl SignatureParts {
    /// Takes a signature apart that is said to be for the Safe of a proposal, or for one that owns it: the `ways` are these.
    pub(super) fn take(
        &mut self,
        proposal: &Proposal,
        ways: &[Way],
        through: &[Address],
        signature: ContractSignature,
    ) {
        let taking = Taking { proposal, ways };
        match taking.below(self, &mut through.to_vec(), signature) {
            Ok(()) => self.is_taken = true,
            Err(why) => self.refused = Some(why),
        }
    }
}

struct Taking<'w> {
    proposal: &'w Proposal,
    ways: &'w [Way<'w>],
}

impl Taking<'_> {
    fn owners(&self, through: &[Address]) -> Option<&SafeOwners> {
        self.ways.iter().find(|way| way.through == through).map(|way| way.owners)
    }

    fn below(
        &self,
        parts: &mut SignatureParts,
        through: &mut Vec<Address>,
        signature: ContractSignature,
    ) -> Result<(), String> {
        let owner = signature.owner;
        let owners = self.owners(through).ok_or("no owner of that Safe can sign for this one")?;
        if !owners.contains(owner) {
            return Err(format!("{owner} is not an owner of this Safe"));
        }
        if owners.child(owner).is_none() {
            let known = WalletSignature::new(self.proposal, through.clone(), signature);
            if !parts.contracts.contains(&known) {
                parts.contracts.push(known);
            }
            return Ok(());
        }
        through.push(owner);
        if self.owners(through).is_none() {
            return Err(format!("Safe {owner} cannot approve by a signature: it has to approve on chain"));
        }
        let packed = decode_approvals(&signature.data)
            .map_err(|why| format!("the signature of Safe {owner} cannot be read: {why}"))?;
        for part in packed {
            match part {
                Packed::Signature(bytes) if !parts.bare.contains(&bytes) => parts.bare.push(bytes),
                Packed::Contract(inner) => self.below(parts, through, inner)?,
                // The chain says who has approved, whoever tells it.
                Packed::Signature(_) | Packed::Approved(_) => {}
            }
        }
        through.pop();
        Ok(())
    }
}
