//! Approvals that only the chain can verify: signatures of contracts that are not Safes of the council file, and stated
//! approvals of hashes.

use std::collections::HashSet;

use alloy::primitives::Address;

use crate::ceremony::desk::Desk;
use crate::chain::{Ask, Snapshot};
use crate::clock;
use crate::error::Error;
use crate::evm::{Answer, BlockTag, Query};
use crate::progress::Tone;
use crate::proposal::{
    Approvals, Finds, GatherResult, OwnerSignature, Proposal, RefusedSignature, SafeOwners, Stated,
    WalletSignature, approval_query, contract_queries, count,
};
use crate::safe::{Approval, SafeTxHash, SignatureKind};

/// The most proposals about which the chain is asked: each of them is a connection of its own.
const MOST_ASKED: usize = 50;

/// The approvals that the chain verified.
#[derive(Default)]
pub struct Verified {
    pub wallets: Vec<WalletSignature>,
    pub approved: Vec<(SafeTxHash, Address)>,
}

impl Verified {
    /// Returns `true` if one of them is for this proposal.
    pub fn is_for(&self, hash: SafeTxHash) -> bool {
        self.wallets.iter().any(|wallet| wallet.hash() == hash)
            || self.approved.iter().any(|(approved, _)| *approved == hash)
    }
}

impl Desk<'_> {
    /// Asks the chain about the approvals that only it can verify. Those that it does not confirm are refused.
    pub fn verify_by_chain<'t>(
        &self,
        found: &[Finds],
        targets: impl Iterator<Item = (&'t Proposal, &'t SafeOwners)>,
        gathered: &mut GatherResult,
    ) -> Verified {
        // Each owner is asked about once, whoever tells of them and how often.
        let mut claimed = HashSet::new();
        let in_turn = found.iter().flat_map(|finds| &finds.approved).copied();
        let in_turn: Vec<Address> = in_turn.filter(|owner| claimed.insert(*owner)).collect();
        let mut verified = Verified::default();
        let mut refused: Vec<String> = Vec::new();
        let (mut known, mut asked) = (HashSet::new(), 0);
        for (proposal, owners) in targets {
            let wallets: Vec<WalletSignature> =
                gathered.contracts.iter().filter(|w| w.hash() == proposal.hash()).cloned().collect();
            let approvers: Vec<Address> =
                owners.list().iter().copied().filter(|owner| claimed.contains(owner)).collect();
            known.extend(approvers.iter().copied());
            if wallets.is_empty() && approvers.is_empty() {
                continue;
            }
            if asked >= MOST_ASKED {
                gathered.unread += wallets.len() + approvers.len();
                continue;
            }
            asked += 1;
            match self.ask_chain(proposal, &wallets, &approvers) {
                Ok(seen) => {
                    split_wallets(proposal, &seen, wallets, &approvers, (&mut verified, &mut refused));
                }
                Err(error) => refused.push(format!("the chain could not be asked about it: {error}")),
            }
        }
        let stranger =
            |owner| format!("a line says that {owner} approved on chain, and {owner} is not an owner");
        refused.extend(in_turn.into_iter().filter(|owner| !known.contains(owner)).map(stranger));
        for why in refused {
            gathered.refused.push(|| RefusedSignature { text: 0, stated: Stated::bare([0; 65]), why });
        }
        verified
    }

    /// Returns the signatures that are kept for a proposal; those of contracts only if their contracts accept them,
    /// because the file may be anybody's. If the chain cannot be asked, these are left out, which is reported.
    pub(in crate::ceremony) fn confirmed_signatures(
        &self,
        proposal: &Proposal,
        owners: &SafeOwners,
        verified: &Verified,
    ) -> Result<(Vec<OwnerSignature>, Vec<WalletSignature>), Error> {
        let (signatures, mut wallets) = self.kept_signatures(proposal, owners)?;
        let is_sure = |wallet: &WalletSignature| verified.wallets.contains(wallet);
        let unsure: Vec<WalletSignature> = wallets.iter().filter(|w| !is_sure(w)).cloned().collect();
        if unsure.is_empty() {
            return Ok((signatures, wallets));
        }
        match self.ask_chain(proposal, &unsure, &[]) {
            Ok(seen) => wallets.retain(|wallet| is_sure(wallet) || says_yes(proposal, &seen, wallet)),
            Err(error) => {
                let count = unsure.len();
                let text = format!("{count} contracts' signatures, which could not be asked about: {error}");
                self.progress.tell_once(Tone::Warn, "not counted: ", &text);
                wallets.retain(is_sure);
            }
        }
        Ok((signatures, wallets))
    }

    /// Asks the contracts in this process, on the state that the quorum agreed on, so that no RPC sees a signature.
    fn ask_chain(
        &self,
        proposal: &Proposal,
        wallets: &[WalletSignature],
        approvers: &[Address],
    ) -> Result<Snapshot, Error> {
        let safe = self.safe_of(proposal)?;
        let approvals: Vec<Query> = approvers
            .iter()
            .map(|owner| approval_query(proposal.safe().address, &proposal.hash(), *owner))
            .collect();
        let (link, safes) = (self.connect(safe)?, self.likely_safes(safe));
        let ask = Ask { safe: safe.address, safes: &safes, queries: &approvals, ..Ask::default() };
        self.progress.wait("asking the contracts that are owners", || {
            let mut seen = link.snapshot(&ask, BlockTag::Latest)?;
            let given = Approvals::new(&[], wallets, &seen.readings);
            let queries = contract_queries(proposal, &seen.tree(), &given);
            link.ask_on_fork(&mut seen, proposal.purpose(), &queries, clock::seconds())?;
            Ok(seen)
        })
    }
}

fn split_wallets(
    proposal: &Proposal,
    seen: &Snapshot,
    wallets: Vec<WalletSignature>,
    approvers: &[Address],
    (verified, refused): (&mut Verified, &mut Vec<String>),
) {
    let hash = proposal.hash();
    for wallet in wallets {
        if says_yes(proposal, seen, &wallet) {
            verified.wallets.push(wallet);
        } else {
            let owner = wallet.signature().owner;
            refused.push(format!("{owner} does not say that this is its signature for {hash}"));
        }
    }
    for owner in approvers {
        let query = approval_query(proposal.safe().address, &hash, *owner);
        if seen.readings.get(&query).is_some_and(Answer::is_set) {
            verified.approved.push((hash, *owner));
        } else {
            refused.push(format!(
                "{owner} has not approved {hash} on chain: it would count only if {owner} sends the transaction"
            ));
        }
    }
}

/// Returns `true` if a contract's signature counts for the Safe that it owns.
fn says_yes(proposal: &Proposal, seen: &Snapshot, wallet: &WalletSignature) -> bool {
    let given = Approvals::new(&[], std::slice::from_ref(wallet), &seen.readings);
    let mut tally = count(proposal, &given, &seen.tree());
    for safe in wallet.through() {
        let below = tally.children.into_iter().find(|child| child.safe == *safe);
        let Some(below) = below.and_then(|child| child.tally) else { return false };
        tally = below;
    }
    let owner = wallet.signature().owner;
    let is_its =
        |approval: &Approval| approval.owner() == owner && approval.kind() == SignatureKind::Contract;
    tally.approved.iter().any(is_its)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Bytes;

    use super::*;
    use crate::ceremony::tests::live::chain;
    use crate::ceremony::tests::on_chain::{header, now};
    use crate::ceremony::tests::{ALICE, Home, address, at, proposed};
    use crate::evm::Readings;
    use crate::proposal::{StatedContract, approving_answer};
    use crate::safe::ContractSignature;

    const WALLET: Address = Address::repeat_byte(0x77);

    /// Returns a desk with an owner that is a contract.
    fn home() -> Home {
        Home::new().with("[\"alice\", \"bob\", \"labs\"]", &format!("[\"alice\", \"{WALLET}\"]"))
    }

    fn wallet(desk: &Desk, proposal: &Proposal) -> WalletSignature {
        let signature = ContractSignature { owner: WALLET, data: Bytes::from(vec![7; 70]) };
        let stated = StatedContract {
            hash: Some(proposal.hash()),
            purpose: Some(proposal.purpose()),
            ..StatedContract::bare(signature)
        };
        let owners = desk.pinned_owners(desk.safe_of(proposal).unwrap()).unwrap();
        WalletSignature::stated(&stated, proposal, &owners).unwrap()
    }

    fn seen(proposal: &Proposal, readings: Readings) -> Snapshot {
        Snapshot::told(header(21, 0), now(proposal, 4), Vec::new(), readings)
    }

    /// Returns the contract's answer to the question whether this is its signature.
    fn answering(proposal: &Proposal, wallet: &WalletSignature, yes: bool) -> Readings {
        let none = Readings::default();
        let given = Approvals::new(&[], std::slice::from_ref(wallet), &none);
        let queries = contract_queries(proposal, &seen(proposal, Readings::default()).tree(), &given);
        let no = Answer::Value(vec![0; 32].into());
        queries
            .into_iter()
            .map(|query| (query.clone(), if yes { approving_answer(&query).unwrap() } else { no.clone() }))
            .collect()
    }

    #[test]
    fn a_contract_and_an_approval_count_if_the_chain_confirms_them() {
        let home = home();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let signed = wallet(&desk, &vault);
        for yes in [true, false] {
            let seen = seen(&vault, answering(&vault, &signed, yes));
            assert_eq!(says_yes(&vault, &seen, &signed), yes);
            let (mut verified, mut refused) = (Verified::default(), Vec::new());
            split_wallets(&vault, &seen, vec![signed.clone()], &[], (&mut verified, &mut refused));
            assert_eq!((verified.wallets.len(), refused.len()), if yes { (1, 0) } else { (0, 1) });
            assert_eq!(verified.is_for(vault.hash()), yes);
            assert!(!verified.is_for(vault.at_nonce(crate::safe::Nonce::from(9))));
        }
        // An approved hash on chain does not prove this signature.
        let own = approval_query(vault.safe().address, &vault.hash(), WALLET);
        let word = Answer::Value(alloy::primitives::B256::with_last_byte(1).into());
        assert!(!says_yes(&vault, &seen(&vault, [(own, word)].into_iter().collect()), &signed));
        let alice = address(ALICE);
        let query = approval_query(vault.safe().address, &vault.hash(), alice);
        for (value, counts) in [(1, true), (0, false)] {
            let word = Answer::Value(alloy::primitives::B256::with_last_byte(value).into());
            let seen = seen(&vault, [(query.clone(), word)].into_iter().collect());
            let (mut verified, mut refused) = (Verified::default(), Vec::new());
            split_wallets(&vault, &seen, Vec::new(), &[alice], (&mut verified, &mut refused));
            assert_eq!((verified.is_for(vault.hash()), refused.is_empty()), (counts, counts));
            let other = vault.at_nonce(crate::safe::Nonce::from(9));
            assert!(!verified.is_for(other));
            assert!(!says_yes(&vault, &seen, &signed), "another owner's approval is not its own");
        }
    }

    /// A line states an approval by a stranger: the chain is not asked.
    #[test]
    fn an_approval_by_a_stranger_is_refused() {
        let home = home();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let owners = desk.pinned_owners(desk.safe_of(&vault).unwrap()).unwrap();
        let found = [Finds { approved: vec![Address::repeat_byte(0x66)], ..Finds::default() }];
        let mut gathered = GatherResult::default();
        let verified = desk.verify_by_chain(&found, [(&vault, &owners)].into_iter(), &mut gathered);
        assert!(verified.approved.is_empty() && verified.wallets.is_empty());
        assert_eq!(gathered.refused.first().len(), 1);
        assert!(gathered.refused.first()[0].why.ends_with("is not an owner"));
    }

    /// Texts by the thousand tell of one owner, and proposals by the hundred lie beside the one that is meant.
    #[test]
    fn an_owner_is_asked_about_once_and_of_a_bounded_number_of_proposals() {
        let node = chain();
        let home = crate::ceremony::tests::live::home(&node);
        let desk = home.desk();
        let all: Vec<Proposal> =
            (4..4 + MOST_ASKED as u64 + 3).map(|nonce| proposed(&desk, &["vault"], &at(nonce), 0)).collect();
        let owners = desk.pinned_owners(desk.safe_of(&all[0]).unwrap()).unwrap();
        let found: Vec<Finds> = (0..5_000)
            .map(|_| Finds { approved: vec![Address::repeat_byte(0x66), address(ALICE)], ..Finds::default() })
            .collect();
        let mut gathered = GatherResult::default();
        let verified =
            desk.verify_by_chain(&found, all.iter().map(|proposal| (proposal, &owners)), &mut gathered);
        assert!(verified.approved.is_empty());
        // That she did not approve each of them, and that the other is no owner.
        assert_eq!((gathered.refused.count(), gathered.unread), (MOST_ASKED + 1, 3));
    }
}
