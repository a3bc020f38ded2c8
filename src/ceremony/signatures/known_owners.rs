//! Whose signatures count for a Safe: its owners and, where an owner is another Safe of the council file, that one's owners,
//! by the council file and by the chain.

use alloy::primitives::Address;

use crate::ceremony::desk::Desk;
use crate::chain::Ask;
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::proposal::{OwnerSafe, SafeOwners};
use crate::safe::{
    Answering, DEEPEST, MOST_SAFES, Nonce, Owners, SafeId, SafeState, SafeTree, usual_handler,
    usual_singleton,
};

/// The most owners whose code is looked at.
const MOST_ACCOUNTS: usize = 50;

impl Desk<'_> {
    /// The owners of a Safe by the council file and, where it was asked, by the chain.
    pub fn owners(&self, safe: &council::Safe, now: Option<&SafeTree>) -> Option<SafeOwners> {
        self.owners_below(safe, now, &mut Vec::new())
    }

    /// `above` are the Safes that led here.
    fn owners_below<'d>(
        &'d self,
        safe: &'d council::Safe,
        now: Option<&SafeTree>,
        above: &mut Vec<Address>,
    ) -> Option<SafeOwners> {
        let chain_id = self.council.chain_of(safe)?.id;
        let owners =
            SafeOwners::new((chain_id, safe.address), safe.owners.as_ref(), now.map(|now| &now.owners))?;
        above.push(safe.address);
        let mut children = Vec::new();
        if above.len() <= DEEPEST {
            for child in self.safes_beside(safe).filter(|child| owners.contains(child.address)) {
                if !above.contains(&child.address) {
                    let now = now.and_then(|now| now.child(child.address));
                    children.extend(self.owner_safe(child, chain_id, now, above));
                }
            }
        }
        above.pop();
        Some(owners.with_safes(children))
    }

    /// `None` if neither the council file nor the chain says of which version it is.
    fn owner_safe<'d>(
        &'d self,
        safe: &'d council::Safe,
        chain_id: u64,
        now: Option<&SafeTree>,
        above: &mut Vec<Address>,
    ) -> Option<OwnerSafe> {
        let pinned = pinned_state(safe, chain_id);
        let state = now.map(|now| &now.state).or(pinned.as_ref())?;
        let owners = self.owners_below(safe, now, above)?;
        Some(OwnerSafe { id: state.id, by: Answering::of(state), owners })
    }

    /// The other Safes of the council file on the same chain.
    fn safes_beside<'d>(&'d self, safe: &'d council::Safe) -> impl Iterator<Item = &'d council::Safe> {
        let beside = move |other: &&council::Safe| other.chain == safe.chain && other.address != safe.address;
        self.council.safes.values().filter(beside)
    }

    /// The Safes of the council file that may own a Safe, by whatever way: to be read along with it. Where the council file
    /// does not pin the owners of one of them, every Safe of its chain may.
    pub fn likely_safes(&self, safe: &council::Safe) -> Vec<Address> {
        let mut found: Vec<&council::Safe> = vec![safe];
        let mut at = 0;
        while let Some(of) = found.get(at).copied() {
            at += 1;
            let may_own = |other: &&council::Safe| match &of.owners {
                Some(owners) => owners.contains(other.address),
                None => true,
            };
            for other in self.safes_beside(of).filter(may_own) {
                if found.len() <= MOST_SAFES && found.iter().all(|there| there.address != other.address) {
                    found.push(other);
                }
            }
        }
        found.into_iter().skip(1).map(|safe| safe.address).collect()
    }

    /// The accounts whose code is looked at: the owners that the council file pins, and whoever pays.
    pub fn likely_accounts(safe: &council::Safe, payer: Option<Address>) -> Vec<Address> {
        let owners = safe.owners.as_ref().map(Owners::list).unwrap_or_default();
        let mut accounts: Vec<Address> = owners.iter().copied().take(MOST_ACCOUNTS).collect();
        accounts.extend(payer.filter(|payer| !owners.contains(payer)));
        accounts
    }

    /// The Safes that may own a Safe, as the council file pins them.
    pub fn pinned_safes(&self, safe: &council::Safe) -> Vec<SafeState> {
        let Some(chain_id) = self.council.chain_of(safe).map(|chain| chain.id) else { return Vec::new() };
        self.safes_beside(safe).filter_map(|other| pinned_state(other, chain_id)).collect()
    }

    /// Returns the owners, and the threshold; the chain is asked where the council file does not pin them.
    pub fn look_up_owners(&self, safe: &council::Safe) -> Result<(SafeOwners, Owners), Error> {
        if let (Some(pinned), Some(owners)) = (self.owners(safe, None), &safe.owners) {
            return Ok((pinned, owners.clone()));
        }
        let (all, now) = self.safe_now(safe)?;
        Ok((all, now.owners))
    }

    /// Returns the Safe as the chain has it now, and nothing else.
    pub fn safe_now(&self, safe: &council::Safe) -> Result<(SafeOwners, SafeState), Error> {
        let safes = self.likely_safes(safe);
        let ask = Ask { safe: safe.address, safes: &safes, ..Ask::default() };
        let link = self.connect(safe)?;
        let seen =
            self.progress.wait("reading the Safe's owners", || link.snapshot(&ask, BlockTag::Latest))?;
        let all = self.owners(safe, Some(&seen.tree())).ok_or_else(|| no_owners(safe))?;
        Ok((all, seen.state))
    }

    /// Returns the owners that the council file pins; the network is not asked.
    pub fn pinned_owners(&self, safe: &council::Safe) -> Result<SafeOwners, Error> {
        self.owners(safe, None).ok_or_else(|| no_owners(safe))
    }
}

/// A Safe as the council file pins it: what it does not say is as a Safe of its version has it from the setup on. `None` if
/// it pins neither version nor owners.
pub(in crate::ceremony) fn pinned_state(safe: &council::Safe, chain_id: u64) -> Option<SafeState> {
    let (version, owners) = (safe.version?, safe.owners.clone()?);
    Some(SafeState {
        id: SafeId { chain_id, address: safe.address, version },
        owners,
        nonce: Nonce::from(0),
        singleton: usual_singleton(version)?,
        guard: safe.guard.unwrap_or_default(),
        module_guard: safe.module_guard.unwrap_or_default(),
        fallback_handler: safe.fallback_handler.or_else(|| usual_handler(version)).unwrap_or_default(),
        modules: safe.modules.clone().unwrap_or_default(),
    })
}

fn no_owners(safe: &council::Safe) -> Error {
    let message =
        format!("the owners of {} are not in your council file, and the chain was not asked", safe.name);
    Error::new(Exit::Refused, message)
        .hint(format!("write owners and threshold into [safes.{}] of breakglass.toml", safe.name))
        .hint("or run it without --offline")
}
