//! The kept sets, by transaction: derived as the chain is now, rehearsed as if their nonce were next, and stale if that
//! differs from what was signed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use alloy::primitives::Address;

use crate::ceremony::desk::Desk;
use crate::ceremony::find::Found;
use crate::ceremony::folder::filed::KeptSet;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::{Given, Order};
use crate::check::{Level, unaccepted};
use crate::council;
use crate::error::{Error, Exit};
use crate::proposal::{Proposal, SafeOwners, differences};
use crate::safe::{Drift, Nonce, SafeId, SafeState, SafeTxHash};

/// Sets of one transaction.
pub struct Group {
    sets: Vec<Arc<KeptSet>>,
}

/// Sets of one transaction, compared with the chain as it is now.
pub struct Examined {
    /// The words that name it in a command: `vault`.
    pub words: String,
    pub safe: String,
    pub chain: String,
    pub now: SafeState,
    /// The valid signatures, by nonce and signer: owners by the chain now or by the council file.
    pub signatures: Vec<(Nonce, Address)>,
    /// The number of signatures by anybody else.
    pub strange: usize,
    /// The threshold by the council file.
    pub threshold_then: usize,
    /// Changes of the Safe since.
    pub drift: Vec<Drift>,
    /// The reasons why it cannot be used as it is; the first counts.
    pub stale: Vec<String>,
    /// The promise, if it holds already.
    pub already_done: Option<String>,
    pub files: Vec<PathBuf>,
    /// The time at which the first file was kept here, in seconds since 1970.
    pub kept: u64,
    /// The time at which the first signature was made, as its line states it.
    pub made: Option<u64>,
}

impl Examined {
    /// Returns `true` if it can be used as it is once its nonce is next.
    pub fn is_good(&self) -> bool {
        self.stale.is_empty() && self.already_done.is_none()
    }
}

impl Group {
    /// Returns the nonces that one of these owners has signed, in order: a file may be anybody's. Without owners, those that its
    /// files name.
    fn nonces(&self, owners: Option<&SafeOwners>, left: &mut usize) -> Vec<Nonce> {
        let of = |kept: &Arc<KeptSet>| match owners {
            Some(owners) => kept.set.nonces_of(owners, left),
            None => kept.set.nonces(),
        };
        let all: BTreeSet<Nonce> = self.sets.iter().flat_map(of).collect();
        all.into_iter().collect()
    }

    /// Returns the Safe of its transaction; `None` if there is no set.
    pub fn safe(&self) -> Option<SafeId> {
        self.sets.first().map(|kept| *kept.set.proposal().safe())
    }

    fn last_nonce(&self) -> Option<Nonce> {
        self.sets.iter().flat_map(|kept| kept.set.nonces()).max()
    }

    /// Returns its transaction at the last of its nonces.
    fn proposal(&self) -> Option<Proposal> {
        Some(self.sets.first()?.set.proposal().with_nonce(self.last_nonce()?))
    }
}

impl<'a> Desk<'a> {
    /// Returns the transactions that are signed ahead, of these levers or of all.
    pub fn armed(&'a self, what: &[String], given: &Given) -> Result<Vec<Group>, Error> {
        let mut groups: BTreeMap<(u64, Address, SafeTxHash), Group> = BTreeMap::new();
        let sets = if what.is_empty() {
            self.sets()?
        } else {
            let mut of_all = Vec::new();
            for order in Order::parts(self, what, given)? {
                of_all.extend(self.sets_of(&order, given)?);
            }
            of_all
        };
        for kept in sets {
            let SafeId { chain_id, address, .. } = *kept.set.proposal().safe();
            let key = (chain_id, address, kept.set.at(Nonce::from(0)));
            groups.entry(key).or_insert_with(|| Group { sets: Vec::new() }).sets.push(kept);
        }
        Ok(groups.into_values().collect())
    }

    /// Returns the words that name a group in a command, and the name of its Safe. One that the reader's own files do not
    /// give has its hash for words.
    pub fn name_of_group(&self, group: &Group) -> (String, String) {
        let Some(proposal) = group.proposal() else { return Default::default() };
        let safe = self.safe_of(&proposal).map_or("?", |safe| safe.name.as_str());
        (self.title_of(&proposal), safe.into())
    }

    /// Returns the nonces of a group that an owner of its Safe has signed, by the council file; where that names no owners,
    /// those that its files name. So many signatures are `left` to be recovered.
    pub fn nonces_of_group(&self, group: &Group, left: &mut usize) -> Vec<Nonce> {
        let safe = group.proposal().and_then(|proposal| self.safe_of(&proposal).ok());
        let owners = safe.and_then(|safe| self.pinned_owners(safe).ok());
        // The owners of a Safe among them sign something else.
        group.nonces(owners.map(|owners| owners.with_safes(Vec::new())).as_ref(), left)
    }

    /// Derives the lever of a group as the chain is now, and rehearses it as if its nonce were next.
    pub fn examine(&'a self, group: &Group) -> Result<Examined, Error> {
        let none = || Error::new(Exit::Failed, "a set without a signature");
        let proposal = group.proposal().ok_or_else(none)?;
        let safe = self.safe_of(&proposal)?;
        let (owners, now, stale, already_done) = match self.derived_now(&proposal, safe) {
            Ok(judged) => {
                let (stale, done) = why_stale(&judged, &proposal);
                (judged.derived.owners.clone(), judged.state().clone(), stale, done)
            }
            Err(error) if error.exit == Exit::Network => return Err(error),
            // The Safe can be read, and the lever cannot be derived.
            Err(error) => {
                let (owners, now) = self.safe_now(safe)?;
                (owners, now, vec![format!("your own files do not give it now: {}", error.message)], None)
            }
        };
        // The owners of an owner Safe sign another message. The owners and threshold at the time of signing come from
        // the council file, because a set's own file may be anybody's.
        let owners = owners.with_safes(Vec::new());
        let pinned = safe.owners.as_ref().unwrap_or(&now.owners);
        let (mut signatures, mut strange) = (Vec::new(), 0);
        for kept in &group.sets {
            let (verified, others) = kept.set.verified(&owners);
            signatures.extend(verified.iter().map(|(nonce, signature)| (*nonce, signature.owner())));
            strange += others;
        }
        Ok(Examined {
            words: words(&proposal),
            safe: safe.name.clone(),
            chain: safe.chain.clone(),
            signatures,
            strange,
            threshold_then: pinned.threshold().get(),
            drift: proposal.drift(&now),
            stale,
            already_done,
            files: group.sets.iter().map(|kept| kept.path.clone()).collect(),
            kept: group.sets.iter().map(|kept| kept.set.kept()).min().unwrap_or_default(),
            made: group.sets.iter().filter_map(|kept| kept.set.made()).min(),
            now,
        })
    }

    fn derived_now(&'a self, proposal: &Proposal, safe: &'a council::Safe) -> Result<Judged<'a>, Error> {
        let mut order = self.own_order(proposal, safe, &BTreeMap::new())?;
        // Its nonce is given, so that no transaction of the same pull comes before it.
        order.after = 0;
        let given = Given { nonce: Some(proposal.nonce()), ..Given::default() };
        let guess = Some(Box::new(proposal.clone()));
        let found = Found::Lever { order: Box::new(order), guess, approvals: false };
        let rehearsed = self.evaluate_found(found, self.read_point(safe)?, &given, true, None)?;
        Ok(rehearsed.judge(false))
    }
}

fn words(proposal: &Proposal) -> String {
    proposal.binding().pull().words().unwrap_or_else(|| proposal.binding().title())
}

/// Returns why it is stale, and the promise if it is done already.
fn why_stale(judged: &Judged, signed: &Proposal) -> (Vec<String>, Option<String>) {
    let own = judged.proposal();
    if own.hash() != signed.hash() {
        let what = differences((signed.safe(), signed.tx()), (own.safe(), own.tx()));
        let what = what.iter().map(|d| format!("{} was {}, is {}", d.field, d.file, d.own));
        let what = what.collect::<Vec<_>>().join("; ");
        return (vec![format!("your own files give another transaction now: {what}")], None);
    }
    let mut done = None;
    let mut stale = Vec::new();
    for finding in unaccepted(&judged.findings, &[]) {
        match finding.problem().already_done() {
            Some(promised) => done = Some(promised.to_string()),
            None if finding.problem().is_about_nonces() || finding.level != Level::Refuse => {}
            None => stale.push(finding.sentence.clone()),
        }
    }
    (stale, done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::tests::on_chain::{answering, judged, word};
    use crate::ceremony::tests::{ALICE, Home, at, order, proposed, sign};
    use crate::proposal::{Set, SignedAhead};

    /// Keeps a set of one lever, signed by alice at these nonces.
    fn keep(desk: &Desk, lever: &str, nonces: &[u64]) -> Proposal {
        let first = proposed(desk, &[lever], &at(nonces[0]), 0);
        let signed: Vec<SignedAhead> = nonces
            .iter()
            .map(|nonce| {
                let nonce = Nonce::from(*nonce);
                SignedAhead {
                    made: None,
                    target: 0,
                    nonce,
                    signature: sign(desk, ALICE, &first.with_nonce(nonce)),
                }
            })
            .collect();
        let set = Set::new(&first, 1, &signed).unwrap();
        desk.incidents.keep_set(&format!("{lever}-{}", nonces[0]), &set.to_json()).unwrap();
        first
    }

    #[test]
    fn sets_of_one_transaction_are_one_group_and_count_for_their_own_nonces() {
        let home = Home::new();
        let vault = keep(&home.desk(), "vault", &[4, 5]);
        let _ = keep(&home.desk(), "vault", &[8]);
        let bridge = keep(&home.desk(), "bridge", &[4]);
        let desk = home.desk();
        let groups = |what: &[&str]| {
            let what: Vec<String> = what.iter().map(ToString::to_string).collect();
            let groups = desk.armed(&what, &Given::default()).unwrap();
            groups
                .iter()
                .map(|group| (desk.name_of_group(group).0, group.last_nonce()))
                .collect::<BTreeMap<_, _>>()
        };
        let both = groups(&[]);
        assert_eq!((both["vault"], both["bridge"]), (Some(Nonce::from(8)), Some(Nonce::from(4))));
        assert_eq!(groups(&["bridge"]).into_keys().collect::<Vec<_>>(), ["bridge"]);
        let of = order(&desk, &["vault"], &at(4));
        assert_eq!(desk.sets_of(&of, &at(4)).unwrap().len(), 2, "at whatever nonce");
        let nonces = desk.nonces_ahead(&of, &at(4)).unwrap();
        assert_eq!(nonces.len(), 3);
        let owners = desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap();
        let ahead = |proposal: &Proposal| desk.signatures_ahead(proposal, &owners).unwrap().len();
        assert_eq!((ahead(&vault), ahead(&vault.with_nonce(Nonce::from(6)))), (1, 0));
        assert_eq!(desk.signers(&vault, &owners).unwrap(), 1, "it counts like any other");
        let rivals = desk.rivals_ahead(&vault, &owners).unwrap();
        assert_eq!(rivals.len(), 1);
        assert_eq!((rivals[0].0.as_str(), rivals[0].1.len()), ("bridge", 1));
        assert!(
            desk.rivals_ahead(&bridge.with_nonce(Nonce::from(8)), &owners)
                .unwrap()
                .iter()
                .all(|(name, _)| name == "vault")
        );
        assert!(desk.rivals_ahead(&vault.clone().for_drill().unwrap(), &owners).unwrap().is_empty());
    }

    #[test]
    fn a_set_is_stale_if_it_is_refused_but_not_for_its_nonce() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(6), 0);
        let of =
            |value: u64, nonce: u64| judged(&desk, &vault, nonce, answering(&desk, &["vault"], &word(value)));
        let (stale, done) = why_stale(&of(1, 4), &vault);
        assert!(done.is_some_and(|promised| promised.ends_with("paused() is true")), "{stale:?}");
        let (stale, done) = why_stale(&of(0, 4), &vault);
        assert!(done.is_none() && stale.iter().all(|why| !why.contains("nonce")), "{stale:?}");
        let (stale, _) = why_stale(&of(0, 4), &vault.with_nonce(Nonce::from(7)));
        assert_eq!(stale, ["your own files give another transaction now: nonce was 7, is 6"]);
        let mut moved = of(0, 6);
        moved.derived.matching = crate::check::Match::Unbound("no lever".into());
        let again = moved.rehearsed().unwrap().judge(false);
        let (stale, _) = why_stale(&again, &vault);
        assert!(stale.iter().any(|why| why.contains("no lever")), "{stale:?}");
        assert_eq!(words(&vault), "vault");
    }

    #[test]
    fn a_stale_or_done_set_is_not_good() {
        let home = Home::new();
        let now = proposed(&home.desk(), &["vault"], &at(6), 0).snapshot().clone();
        let is_good = |stale: &[&str], already_done: Option<&str>| {
            let text = String::new;
            let stale = stale.iter().map(ToString::to_string).collect();
            let already_done = already_done.map(String::from);
            let (signatures, drift, files) = Default::default();
            let (words, safe, chain, now) = (text(), text(), text(), now.clone());
            let (strange, threshold_then, kept, made) = (0, 2, 0, None);
            Examined {
                words,
                safe,
                chain,
                now,
                signatures,
                strange,
                threshold_then,
                drift,
                stale,
                already_done,
                files,
                kept,
                made,
            }
            .is_good()
        };
        assert!(is_good(&[], None) && !is_good(&["why"], None) && !is_good(&[], Some("paused")));
    }
}
