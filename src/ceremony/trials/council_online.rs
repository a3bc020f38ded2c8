//! The council file held against its chains: contracts that are not there, and levers that cannot be pulled together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use alloy::primitives::Address;

use crate::ceremony::at_once::side_by_side;
use crate::ceremony::derivation::is_set;
use crate::ceremony::desk::Desk;
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::order::Given;
use crate::ceremony::trials::council_check::{
    LeverReport, add_ignored, add_missing, bad_among, check_alarms, check_levers, contracts,
};
use crate::chain::Ask;
use crate::check::{OwnerKind, owner_kinds};
use crate::council::{Council, Safe};
use crate::error::{Error, Exit};
use crate::evm::{AccountKind, BlockTag, Query};
use crate::safe::Owners;

/// The most owners of one chain whose code is looked at.
const MOST_ACCOUNTS: usize = 200;

/// The faults of a council file: of its levers, of the rest, and what could not be looked at.
#[derive(Debug, Default)]
pub struct CouncilReport {
    pub levers: Vec<LeverReport>,
    pub faults: Vec<String>,
    /// The owners that are not plain keys, by the Safe's name.
    pub owners: Vec<ExaminedOwner>,
    pub not_checked: Vec<String>,
    /// The gravest exit code of what could not be looked at.
    exit: Option<Exit>,
}

/// An owner that is not a plain key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedOwner {
    pub safe: String,
    /// Its name and address.
    pub owner: String,
    pub kind: OwnerKind,
}

/// A chain's answer about what the council file names on it.
struct Seen {
    /// The addresses that have no code.
    missing: BTreeSet<Address>,
    accounts: BTreeMap<Address, AccountKind>,
}

impl CouncilReport {
    /// Returns `true` if the lever has a fault itself, or pulls one that has.
    pub fn is_bad(&self, lever: &LeverReport) -> bool {
        !lever.faults.is_empty() || !bad_among(&self.levers, &lever.pulls).is_empty()
    }

    /// Returns the exit code.
    pub fn verdict(&self, path: &Path) -> Result<Exit, Error> {
        let bad = self.levers.iter().filter(|lever| self.is_bad(lever));
        let bad: Vec<&str> = bad.map(|lever| lever.lever.as_str()).collect();
        let message = match (bad.as_slice(), self.faults.first()) {
            ([], None) => return Ok(self.exit.unwrap_or(Exit::Done)),
            ([], Some(fault)) => fault.clone(),
            (bad, _) => {
                format!("{} of {} levers are bad: {}", bad.len(), self.levers.len(), bad.join(", "))
            }
        };
        Err(Error::new(Exit::Failed, message).hint(format!("fix {}", path.display())))
    }

    fn skip(&mut self, what: &str, error: &Error) {
        self.not_checked.push(format!("{what}: {error}"));
        self.exit = Some(self.exit.unwrap_or(Exit::Done).more_severe(error.exit));
    }

    /// Returns the combined levers that can be tried, and records those that cannot. Levers that are bad or leave something
    /// open are not tried.
    fn triable(&mut self) -> Vec<String> {
        let mut triable = Vec::new();
        let mut not_tried = Vec::new();
        for lever in self.levers.iter().filter(|lever| lever.pulls.len() > 1 && !self.is_bad(lever)) {
            let open: Vec<&str> = (self.levers.iter())
                .filter(|one| lever.pulls.contains(&one.lever) && !one.open.is_empty())
                .map(|one| one.lever.as_str())
                .collect();
            if open.is_empty() {
                triable.push(lever.lever.clone());
            } else {
                let why = format!("arguments are left open by {}", open.join(", "));
                not_tried.push(format!("{}: not tried together: {why}", lever.lever));
            }
        }
        self.not_checked.extend(not_tried);
        triable
    }
}

impl Desk<'_> {
    /// Returns what is wrong with the council file; unless `offline`, by what the chains say too.
    pub fn check_council(&self, offline: bool) -> CouncilReport {
        let mut levers = check_levers(&self.council, &self.catalogue);
        add_ignored(&mut levers, &self.not_used);
        levers.extend(check_alarms(&self.council, &levers));
        let mut report = CouncilReport { levers, ..CouncilReport::default() };
        if !offline {
            self.ask_chains(&mut report);
            self.try_together(&mut report);
        }
        report
    }

    /// Asks each chain whether what is called is a contract, and what the owners are. A chain that cannot be asked does not stop
    /// the others.
    fn ask_chains(&self, report: &mut CouncilReport) {
        let asked: Vec<_> = contracts(&self.council, &report.levers).into_iter().collect();
        let ask = |(chain, contracts): &(String, BTreeSet<Address>)| self.codes(chain, contracts);
        let answers = side_by_side(self.progress, asked.iter().collect(), ask);
        for ((chain, _), answer) in asked.iter().zip(answers) {
            match answer {
                Ok(Seen { missing, accounts }) => {
                    let faults = add_missing(&self.council, &mut report.levers, chain, &missing);
                    report.faults.extend(faults);
                    report.owners.extend(owners_seen(&self.council, chain, &accounts));
                }
                Err(error) => report.skip(chain, &error),
            }
        }
    }

    /// Tries the levers of each combined one together.
    fn try_together(&self, report: &mut CouncilReport) {
        let tried = report.triable();
        let conflicts = side_by_side(self.progress, tried.iter().collect(), |lever| self.conflict_of(lever));
        for (name, conflict) in tried.iter().zip(conflicts) {
            match conflict {
                Ok(conflict) => {
                    if let Some(lever) = report.levers.iter_mut().find(|lever| lever.lever == *name) {
                        lever.faults.extend(conflict);
                    }
                }
                // The state of the chain, or the network: not a fault of the file.
                Err(error) => report.skip(&format!("{name}: not tried together"), &error),
            }
        }
    }

    /// Returns what of the council file has code on a chain: one round.
    /// Fails if the chain cannot be asked, or the council has no Safe on it.
    fn codes(&self, chain: &str, contracts: &BTreeSet<Address>) -> Result<Seen, Error> {
        let safes: Vec<&Safe> = self.council.safes.values().filter(|safe| safe.chain == chain).collect();
        let safe = safes
            .first()
            .ok_or_else(|| Error::new(Exit::Usage, format!("no Safe of the council is on {chain}")))?;
        let link = self.connect(safe)?;
        let queries: Vec<Query> =
            contracts.iter().map(|address| Query::CodeHash { address: *address }).collect();
        let accounts: BTreeSet<Address> =
            safes.iter().flat_map(|safe| Desk::likely_accounts(safe, None)).collect();
        let accounts: Vec<Address> = accounts.into_iter().take(MOST_ACCOUNTS).collect();
        let ask = Ask { safe: safe.address, queries: &queries, accounts: &accounts, ..Ask::default() };
        let snapshot =
            self.progress.wait(&format!("reading {chain}"), || link.snapshot(&ask, BlockTag::Latest))?;
        let has_code =
            |address: &Address| is_set(snapshot.readings.get(&Query::CodeHash { address: *address }));
        let missing = contracts.iter().copied().filter(|address| !has_code(address)).collect();
        Ok(Seen { missing, accounts: snapshot.accounts })
    }

    /// Returns why the levers that a combined one pulls cannot be in one transaction; `None` if they can.
    fn conflict_of(&self, combined: &str) -> Result<Option<String>, Error> {
        let given = Given::default();
        for found in self.find(&[combined.into()], &given, CommandPurpose::Propose)? {
            let view = self.read_point(found.safe())?;
            let online = found.online(self, view, &given, true, None)?;
            if let Some(conflict) = online.conflict(self.progress)? {
                return Ok(Some(conflict.to_string()));
            }
        }
        Ok(None)
    }
}

/// Returns the owners on a chain that are not plain keys, as far as the council file pins owners.
fn owners_seen(
    council: &Council,
    chain: &str,
    accounts: &BTreeMap<Address, AccountKind>,
) -> Vec<ExaminedOwner> {
    let names = council.names_on(chain);
    let safes: Vec<&Safe> = council.safes.values().filter(|safe| safe.chain == chain).collect();
    let known: Vec<Address> = safes.iter().map(|safe| safe.address).collect();
    let of = |safe: &&Safe| {
        let owners = safe.owners.as_ref().map(Owners::list).unwrap_or_default();
        let seen =
            |(owner, kind)| ExaminedOwner { safe: safe.name.clone(), owner: names.with_address(owner), kind };
        owner_kinds(accounts, owners, &known).into_iter().map(seen).collect::<Vec<_>>()
    };
    safes.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::council::tests::written::CouncilText;

    fn lever(name: &str, faults: &[&str], open: &[&str], pulls: &[&str]) -> LeverReport {
        let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        let (faults, open, pulls) = (owned(faults), owned(open), owned(pulls));
        LeverReport { lever: name.into(), faults, open, pulls, ..LeverReport::default() }
    }

    fn report(levers: Vec<LeverReport>) -> CouncilReport {
        CouncilReport { levers, ..CouncilReport::default() }
    }

    #[test]
    fn only_a_combined_lever_that_is_good_and_leaves_nothing_open_is_tried() {
        let mut all = report(vec![
            lever("vault", &[], &[], &[]),
            lever("cap", &[], &["amount"], &[]),
            lever("broken", &["no such playbook"], &[], &[]),
            lever("freeze", &[], &[], &["vault", "vault-2"]),
            lever("with-cap", &[], &[], &["vault", "cap"]),
            lever("with-broken", &[], &[], &["vault", "broken"]),
        ]);
        assert_eq!(all.triable(), ["freeze"]);
        assert_eq!(all.not_checked, ["with-cap: not tried together: arguments are left open by cap"]);
    }

    #[test]
    fn the_owners_of_each_safe_that_are_not_plain_keys_are_named() {
        let [key, foundation, wallet, delegated] = [1, 2, 3, 4].map(Address::repeat_byte);
        let text = CouncilText::new().signer("alice", key).signer("bob", delegated);
        let owners = ["alice", "foundation", &wallet.to_string()];
        let text = text.safe("guardian", Address::repeat_byte(5), &owners, 2);
        let text = text.safe("foundation", foundation, &["bob"], 1);
        let far = format!(
            "[chains.base]\nid = 8453\n[safes.far]\nchain = \"base\"\naddress = \"{}\"\nowners = [\"{wallet}\"]\nthreshold = 1\n",
            Address::repeat_byte(6)
        );
        let council = text.and(&far).council();
        let accounts = BTreeMap::from([
            (key, AccountKind::Key),
            (foundation, AccountKind::Contract),
            (wallet, AccountKind::Contract),
            (delegated, AccountKind::Delegated(wallet)),
        ]);
        let seen = owners_seen(&council, "main", &accounts);
        let told: Vec<_> = seen.iter().map(|one| (one.safe.as_str(), one.owner.as_str(), one.kind)).collect();
        assert_eq!(
            told,
            [
                ("foundation", &*format!("bob {delegated}"), OwnerKind::Delegated(wallet)),
                ("guardian", &*format!("foundation {foundation}"), OwnerKind::Safe),
                ("guardian", &*wallet.to_string(), OwnerKind::Contract),
            ]
        );
    }

    #[test]
    fn a_fault_comes_before_a_chain_that_could_not_be_read() {
        let path = Path::new("breakglass.toml");
        let mut all = report(vec![lever("vault", &[], &[], &[])]);
        assert_eq!(all.verdict(path).unwrap(), Exit::Done);
        all.skip("mainnet", &Error::new(Exit::Network, "no answer"));
        all.skip("base", &Error::new(Exit::Usage, "no Safe"));
        assert_eq!(all.verdict(path).unwrap(), Exit::Network, "the gravest");
        all.faults.push("old is not a contract".into());
        assert_eq!(all.verdict(path).unwrap_err().message, "old is not a contract");
        all.levers.extend([lever("bad", &["why"], &[], &[]), lever("freeze", &[], &[], &["vault", "bad"])]);
        let error = all.verdict(path).unwrap_err();
        assert_eq!(error.message, "2 of 3 levers are bad: bad, freeze");
        assert_eq!(error.exit, Exit::Failed);
    }
}
