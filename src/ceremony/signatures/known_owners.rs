//! The owners whose signatures count for a Safe: its owners and, if an owner is another Safe of the council file, that
//! one's owners, by the council file and by the chain.

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

/// The most owners whose code is read.
const MOST_ACCOUNTS: usize = 50;

impl Desk<'_> {
    /// Returns the owners of a Safe by the council file and, if it was asked, by the chain.
    pub fn owners(&self, safe: &council::Safe, now: Option<&SafeTree>) -> Option<SafeOwners> {
        self.owners_below(safe, now, &mut Vec::new())
    }

    /// Returns the owners below a Safe. `above` are the Safes on the way to it.
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

    /// Returns an owner that is a Safe; `None` if neither the council file nor the chain says its version.
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

    /// Returns the other Safes of the council file on the same chain.
    fn safes_beside<'d>(&'d self, safe: &'d council::Safe) -> impl Iterator<Item = &'d council::Safe> {
        let beside = move |other: &&council::Safe| other.chain == safe.chain && other.address != safe.address;
        self.council.safes.values().filter(beside)
    }

    /// Returns the Safes of the council file that may own a Safe, directly or not, to be read along with it. If the
    /// owners of one are not pinned, every Safe of its chain may.
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

    /// Returns the accounts whose code is read: the owners that the council file pins, and the payer.
    pub fn likely_accounts(safe: &council::Safe, payer: Option<Address>) -> Vec<Address> {
        let owners = safe.owners.as_ref().map(Owners::list).unwrap_or_default();
        let mut accounts: Vec<Address> = owners.iter().copied().take(MOST_ACCOUNTS).collect();
        accounts.extend(payer.filter(|payer| !owners.contains(payer)));
        accounts
    }

    /// Returns the Safes that may own a Safe, as the council file pins them.
    pub fn pinned_safes(&self, safe: &council::Safe) -> Vec<SafeState> {
        let Some(chain_id) = self.council.chain_of(safe).map(|chain| chain.id) else { return Vec::new() };
        self.safes_beside(safe).filter_map(|other| pinned_state(other, chain_id)).collect()
    }

    /// Returns the owners and the threshold; the chain is asked if the council file does not pin them.
    pub fn look_up_owners(&self, safe: &council::Safe) -> Result<(SafeOwners, Owners), Error> {
        if let (Some(pinned), Some(owners)) = (self.owners(safe, None), &safe.owners) {
            return Ok((pinned, owners.clone()));
        }
        let (all, now) = self.safe_now(safe)?;
        Ok((all, now.owners))
    }

    /// Returns the Safe as the chain has it now.
    pub fn safe_now(&self, safe: &council::Safe) -> Result<(SafeOwners, SafeState), Error> {
        let safes = self.likely_safes(safe);
        let ask = Ask { safe: safe.address, safes: &safes, ..Ask::default() };
        let link = self.connect(safe)?;
        let seen =
            self.progress.wait("reading the Safe's owners", || link.snapshot(&ask, BlockTag::Latest))?;
        let all = self.owners(safe, Some(&seen.tree())).ok_or_else(|| no_owners(safe))?;
        Ok((all, seen.state))
    }

    /// Returns the owners that the council file pins, offline.
    pub fn pinned_owners(&self, safe: &council::Safe) -> Result<SafeOwners, Error> {
        self.owners(safe, None).ok_or_else(|| no_owners(safe))
    }
}

/// Returns a Safe as the council file pins it, with the defaults of its version for the rest. `None` if version or
/// owners are not pinned.
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
