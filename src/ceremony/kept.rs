//! The files in `incidents/`: whoever can write there can lay anything into it. A proposal counts only if the reader's
//! own council file and playbooks give it, a signature only if an owner of that very Safe made it. Everything else is
//! said once and left alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use alloy::primitives::Address;

use crate::ceremony::derive::First;
use crate::ceremony::desk::Desk;
use crate::ceremony::matching::underived;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::sent::Sent;
use crate::chain::Ask;
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::progress::Tone;
use crate::proposal::{Few, OwnerSignature, Proposal, SafeOwners, Stated};
use crate::safe::{Nonce, Owners};
use crate::store::Stored;

impl Desk<'_> {
    /// The proposals kept here that the reader's own files give, of each the file that was kept last.
    pub fn kept(&self) -> Result<Vec<Proposal>, Error> {
        Ok(self.kept_files()?.into_iter().map(|(_, proposal)| proposal).collect())
    }

    /// Returns the kept proposals with their files.
    pub fn kept_files(&self) -> Result<Vec<(PathBuf, Proposal)>, Error> {
        let mut kept: Vec<(PathBuf, Proposal)> = Vec::new();
        let mut left_out = Few::default();
        let stored = self.incidents.proposals()?;
        let unread = stored.left;
        for stored in stored.files {
            if kept.last().is_some_and(|(_, last)| last.hash().to_string() == stored.folder) {
                continue;
            }
            let parsed = match stored.text {
                Ok(text) => Proposal::parse(&text).map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let own = parsed.and_then(|proposal| match proposal.hash().to_string() {
                hash if hash == stored.folder => self.derives(&proposal).map(|()| proposal),
                hash => Err(format!("it is proposal {hash}")),
            });
            match own {
                Ok(proposal) => kept.push((stored.path, proposal)),
                // What was done long ago may be from an older council file.
                Err(_) if self.incidents.has_outcome(&stored.folder) => {}
                Err(why) => left_out.push(|| (stored.path, why)),
            }
        }
        self.say_left_out("proposal", &left_out, unread);
        Ok(kept)
    }

    /// That the reader's own files give this proposal, from the values and the open arguments that it brings.
    ///
    /// # Errors
    /// In what it differs.
    pub fn derives(&self, proposal: &Proposal) -> Result<(), String> {
        let safe = self.safe_of(proposal).map_err(|error| error.message)?;
        match underived(proposal, self.own_order(proposal, safe, &BTreeMap::new())) {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }

    /// The first of what does not count, and how many more there are.
    fn say_left_out(&self, what: &str, files: &Few<(PathBuf, String)>, unread: usize) {
        let say = |text: &str| self.progress.tell_once(Tone::Warn, "left out: ", text);
        for (path, why) in files.first() {
            say(&format!("{}: {why}", path.display()));
        }
        if files.more() > 0 {
            say(&format!("{} more {what} files", files.more()));
        }
        if unread > 0 {
            say(&format!(
                "{unread} {what} files that were not read: there are too many; move away what is old"
            ));
        }
    }

    /// The owners of a Safe by the council file and, where it was asked, by the chain.
    #[must_use]
    pub fn owners(&self, safe: &council::Safe, now: Option<&Owners>) -> Option<SafeOwners> {
        let chain_id = self.council.chain_of(safe)?.id;
        SafeOwners::new((chain_id, safe.address), safe.owners.as_ref(), now)
    }

    /// Returns the owners; the chain is asked where the council file does not pin them.
    pub fn look_up_owners(&self, safe: &council::Safe) -> Result<SafeOwners, Error> {
        if let Some(pinned) = self.owners(safe, None) {
            return Ok(pinned);
        }
        let ask = Ask { safe: safe.address, ..Ask::default() };
        let link = self.connect(safe)?;
        let seen =
            self.progress.wait("reading the Safe's owners", || link.snapshot(&ask, BlockTag::Latest))?;
        self.owners(safe, Some(&seen.state.owners)).ok_or_else(|| no_owners(safe))
    }

    /// Returns the owners that the council file pins; the network is not asked.
    pub fn pinned_owners(&self, safe: &council::Safe) -> Result<SafeOwners, Error> {
        self.owners(safe, None).ok_or_else(|| no_owners(safe))
    }

    /// The recorded transactions of a proposal. A record is only its folder's word: one of anything else is passed over.
    pub fn sent(&self, proposal: &Proposal) -> Result<Vec<Sent>, Error> {
        let records = self.incidents.sent(&proposal.hash().to_string())?;
        let read = |stored: Stored| Sent::parse(&stored.text.ok()?);
        Ok(records.into_iter().filter_map(read).filter(|sent| sent.is_for(proposal)).collect())
    }

    /// Nonces and hashes of the proposals kept for one Safe.
    pub fn others(&self, safe: &council::Safe) -> Result<Vec<(Nonce, String)>, Error> {
        let kept = self.kept()?;
        let of_safe = kept.iter().filter(|p| self.safe_of(p).is_ok_and(|s| s.name == safe.name));
        Ok(of_safe.map(|p| (p.nonce(), p.hash().to_string())).collect())
    }

    /// The verified signatures kept for a proposal. A file that is not one is named and left out.
    pub fn signatures(&self, proposal: &Proposal, owners: &SafeOwners) -> Result<Vec<OwnerSignature>, Error> {
        let mut signatures: Vec<OwnerSignature> = Vec::new();
        let mut left_out = Few::default();
        let names: Vec<String> = owners.list().iter().map(ToString::to_string).collect();
        let stored = self.incidents.signatures(&proposal.hash().to_string(), &names)?;
        let unread = stored.left;
        for stored in stored.files {
            let verified = stored.text.map_err(|e| e.to_string()).and_then(|text| {
                let stated = Stated::from_json(&text).ok_or("it is not a signature file")?;
                OwnerSignature::verify(&stated, proposal, owners).map_err(|e| e.to_string())
            });
            match verified {
                Ok(signature) => {
                    match signatures.iter_mut().find(|there| there.ecdsa() == signature.ecdsa()) {
                        Some(there) => _ = there.add_accepted(signature.accepted()),
                        None => signatures.push(signature),
                    }
                }
                Err(why) => left_out.push(|| (stored.path, why)),
            }
        }
        self.say_left_out("signature", &left_out, unread);
        Ok(signatures)
    }

    /// Of the proposals kept for a lever: the one with the nonce asked for; where there are several, the one whose
    /// turn it is by the Safe's nonce now, or the next after it, or else the last that was used. Among several for one
    /// nonce the one that the lever gives from the chain's values now, and then the one that more owners have signed.
    pub fn kept_for(&self, order: &Order, given: &Given, online: bool) -> Result<Option<Proposal>, Error> {
        let (set, safe, binding) = (given.arguments()?, order.safe, order.binding()?);
        let nonce = given.nonce.map(|nonce| nonce.plus(order.after));
        let mut kept = self.kept()?;
        kept.retain(|p| {
            self.safe_of(p).is_ok_and(|s| s.name == safe.name)
                && p.binding().is_of(&binding, |bound, param, texts| order.is_same(bound, param, texts))
                && nonce.is_none_or(|n| n == p.nonce())
        });
        if kept.len() < 2 {
            return Ok(kept.pop());
        }
        if !online {
            let mut nonces: Vec<Nonce> = kept.iter().map(Proposal::nonce).collect();
            nonces.sort();
            nonces.dedup();
            if nonces.len() > 1 {
                let nonces: Vec<String> = nonces.iter().map(ToString::to_string).collect();
                let message = format!(
                    "several proposals are kept for lever {}, with nonces {}",
                    binding.title(),
                    nonces.join(", ")
                );
                return Err(Error::new(Exit::Usage, message).hint("offline, say which with --nonce"));
            }
            return Ok(self.most_signed(kept, &set, self.owners(safe, None).as_ref()));
        }
        let link = self.connect(safe)?;
        let first = First { nonce, ..First::LATEST };
        let (seen, live) = self.progress.wait("reading the Safe's nonce", || order.live(&link, first))?;
        let next = kept.iter().map(Proposal::nonce).filter(|n| *n >= seen.state.nonce).min();
        let nonce = nonce.or(next).or_else(|| kept.iter().map(Proposal::nonce).max());
        kept.retain(|p| Some(p.nonce()) == nonce);
        if let Ok(live) = live
            && let Some(at) = kept.iter().position(|p| live.proposal.at_nonce(p.nonce()) == p.hash())
        {
            return Ok(Some(kept.swap_remove(at)));
        }
        let owners = self.owners(safe, Some(&seen.state.owners));
        Ok(self.most_signed(kept, &set, owners.as_ref()))
    }

    /// Before all that bring arguments of their own, those that do not.
    fn most_signed(
        &self,
        mut kept: Vec<Proposal>,
        set: &BTreeMap<String, String>,
        owners: Option<&SafeOwners>,
    ) -> Option<Proposal> {
        let signers = |p: &Proposal| -> usize {
            let signatures = owners.and_then(|owners| self.signatures(p, owners).ok()).unwrap_or_default();
            let mut signers: Vec<Address> = signatures.iter().map(OwnerSignature::owner).collect();
            signers.sort();
            signers.dedup();
            signers.len()
        };
        kept.sort_by_cached_key(|p| (self.foreign(p, set).is_empty(), signers(p)));
        kept.pop()
    }
}

fn no_owners(safe: &council::Safe) -> Error {
    let message = format!("the owners of {} are not in your council file, and nobody was asked", safe.name);
    Error::new(Exit::Refused, message)
        .hint(format!("write owners and threshold into [safes.{}] of breakglass.toml", safe.name))
        .hint("or run it without --offline")
}
