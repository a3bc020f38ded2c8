//! The kinds of owners: keys, keys that have delegated to code, or contracts.

use std::collections::BTreeMap;

use alloy::primitives::Address;

use super::description::{Description, Id};
use super::{Check, Facts, all};
use crate::evm::AccountKind;

pub(super) const CHECKS: [Check; 1] = [("what the owners are", |facts| all(owner_accounts(facts)))];

/// The accounts of the owners: keys, contracts, or keys with delegated code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerProblem {
    /// A Safe of the council file.
    Safe(Address),
    /// A contract that is not.
    Contract(Address),
    Delegated {
        account: Address,
        to: Address,
        /// It is not an owner, and pays.
        pays: bool,
    },
}

impl OwnerProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::Safe(owner) => Description::pass(
                "owner-safe",
                format!("owner {owner} is a Safe of your council file: its own owners sign for it"),
            ),
            Self::Contract(owner) => Description::warn(
                Id::of("owner-contract", owner),
                format!(
                    "owner {owner} is a contract and not a Safe of your council file: its approval counts once it says yes"
                ),
                "if it is a Safe, add it to breakglass.toml; else import its signature, or have it call approveHash",
            ),
            Self::Delegated { account, to, pays } => Description::warn(
                Id::of("delegated-account", account),
                format!(
                    "{} {account} has delegated to the code at {to} (EIP-7702): that code may pay, send and approve hashes for it",
                    if *pays { "the payer" } else { "owner" }
                ),
                "ask its person if they did that; who controls that code can act as them",
            ),
        }
    }
}

fn owner_accounts(facts: &Facts) -> Vec<OwnerProblem> {
    let Some(now) = facts.now else { return Vec::new() };
    of_accounts(facts.accounts, now.owners.list(), facts.owner_safes)
}

/// Returns what is to be said of accounts: the owners first, then the others, which pay.
fn of_accounts(
    accounts: &BTreeMap<Address, AccountKind>,
    owners: &[Address],
    safes: &[Address],
) -> Vec<OwnerProblem> {
    let of_owner = |owner: &Address| match accounts.get(owner)? {
        AccountKind::Key => None,
        AccountKind::Delegated(to) => Some(OwnerProblem::Delegated { account: *owner, to: *to, pays: false }),
        AccountKind::Contract if safes.contains(owner) => Some(OwnerProblem::Safe(*owner)),
        AccountKind::Contract => Some(OwnerProblem::Contract(*owner)),
    };
    let others = accounts.iter().filter(|(account, _)| !owners.contains(account));
    let of_payer = |(account, kind): (&Address, &AccountKind)| match kind {
        AccountKind::Delegated(to) => {
            Some(OwnerProblem::Delegated { account: *account, to: *to, pays: true })
        }
        AccountKind::Key | AccountKind::Contract => None,
    };
    owners.iter().filter_map(of_owner).chain(others.filter_map(of_payer)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_passed_over_and_all_else_is_named() {
        let at = Address::repeat_byte;
        let accounts = BTreeMap::from([
            (at(1), AccountKind::Key),
            (at(2), AccountKind::Contract),
            (at(3), AccountKind::Contract),
            (at(4), AccountKind::Delegated(at(9))),
            (at(5), AccountKind::Delegated(at(9))),
            (at(6), AccountKind::Contract),
        ]);
        let found = of_accounts(&accounts, &[1, 2, 3, 4].map(at), &[at(2)]);
        let delegated = |n, pays| OwnerProblem::Delegated { account: at(n), to: at(9), pays };
        assert_eq!(
            found,
            [
                OwnerProblem::Safe(at(2)),
                OwnerProblem::Contract(at(3)),
                delegated(4, false),
                delegated(5, true)
            ]
        );
    }
}
