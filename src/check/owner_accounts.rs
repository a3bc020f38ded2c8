//! The kinds of owners: keys, keys that have delegated to code, or contracts.

use std::collections::BTreeMap;

use alloy::primitives::Address;

use super::description::{Description, Id};
use super::{Check, Facts, all};
use crate::evm::AccountKind;

pub(super) const CHECKS: [Check; 1] = [("what the owners are", |facts| all(owner_accounts(facts)))];

/// The kind of an owner that is more than a plain key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// A Safe of the council file.
    Safe,
    /// A contract that is not.
    Contract,
    /// A key, and the code at this address: EIP-7702.
    Delegated(Address),
}

impl OwnerKind {
    /// Returns the sentence about it, as a review, `init`, `council check` and `doctor` say it. `who` is the owner's name, address or both.
    pub fn sentence(&self, who: &str) -> String {
        match self {
            Self::Safe => {
                format!("owner {who} is a Safe of your council file: its own owners sign for it")
            }
            Self::Contract => format!(
                "owner {who} is a contract and not a Safe of your council file: its approval counts once it says yes"
            ),
            Self::Delegated(to) => format!("owner {who} {}", has_delegated(*to)),
        }
    }

    /// Returns what to do about it; nothing about a Safe.
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Safe => "",
            Self::Contract => {
                "if it is a Safe, add it to breakglass.toml; else import its signature, or have it call approveHash"
            }
            Self::Delegated(_) => DELEGATED_FIX,
        }
    }
}

const DELEGATED_FIX: &str = "ask its person if they did that; who controls that code can act as them";

fn has_delegated(to: Address) -> String {
    format!("has delegated to the code at {to} (EIP-7702): that code may pay, send and approve hashes for it")
}

/// Returns the owners that are more than plain keys, in their order. `safes` are those of the council file.
pub fn owner_kinds(
    accounts: &BTreeMap<Address, AccountKind>,
    owners: &[Address],
    safes: &[Address],
) -> Vec<(Address, OwnerKind)> {
    let kind = |owner: &Address| match accounts.get(owner)? {
        AccountKind::Key => None,
        AccountKind::Delegated(to) => Some((*owner, OwnerKind::Delegated(*to))),
        AccountKind::Contract if safes.contains(owner) => Some((*owner, OwnerKind::Safe)),
        AccountKind::Contract => Some((*owner, OwnerKind::Contract)),
    };
    owners.iter().filter_map(kind).collect()
}

/// The accounts of the owners and the payer that are more than plain keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerProblem {
    /// An owner that is not a plain key.
    Owner(Address, OwnerKind),
    /// Whoever pays has delegated to the code at `to`, and is not an owner.
    Payer { account: Address, to: Address },
}

impl OwnerProblem {
    pub(super) fn describe(&self) -> Description {
        let warn = |id, sentence, fix| Description::warn(id, sentence, fix);
        match self {
            Self::Owner(owner, kind) => {
                let sentence = kind.sentence(&owner.to_string());
                match kind {
                    OwnerKind::Safe => Description::pass("owner-safe", sentence),
                    OwnerKind::Contract => warn(Id::of("owner-contract", owner), sentence, kind.fix()),
                    OwnerKind::Delegated(_) => warn(Id::of("delegated-account", owner), sentence, kind.fix()),
                }
            }
            Self::Payer { account, to } => warn(
                Id::of("delegated-account", account),
                format!("the payer {account} {}", has_delegated(*to)),
                DELEGATED_FIX,
            ),
        }
    }
}

fn owner_accounts(facts: &Facts) -> Vec<OwnerProblem> {
    let Some(now) = facts.now else { return Vec::new() };
    of_accounts(facts.accounts, now.owners.list(), facts.owner_safes)
}

/// Returns the problems of accounts: the owners first, then the others, which pay.
fn of_accounts(
    accounts: &BTreeMap<Address, AccountKind>,
    owners: &[Address],
    safes: &[Address],
) -> Vec<OwnerProblem> {
    let of_owners = owner_kinds(accounts, owners, safes).into_iter();
    let others = accounts.iter().filter(|(account, _)| !owners.contains(account));
    let of_payer = |(account, kind): (&Address, &AccountKind)| match kind {
        AccountKind::Delegated(to) => Some(OwnerProblem::Payer { account: *account, to: *to }),
        AccountKind::Key | AccountKind::Contract => None,
    };
    of_owners
        .map(|(owner, kind)| OwnerProblem::Owner(owner, kind))
        .chain(others.filter_map(of_payer))
        .collect()
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
        let owner = |n, kind| OwnerProblem::Owner(at(n), kind);
        assert_eq!(
            found,
            [
                owner(2, OwnerKind::Safe),
                owner(3, OwnerKind::Contract),
                owner(4, OwnerKind::Delegated(at(9))),
                OwnerProblem::Payer { account: at(5), to: at(9) }
            ]
        );
        assert_eq!(owner_kinds(&accounts, &[6, 7].map(at), &[]), [(at(6), OwnerKind::Contract)]);
    }

    #[test]
    fn the_sentence_says_what_an_owner_is_and_where_its_code_is() {
        let code = Address::repeat_byte(9);
        let sentence = OwnerKind::Delegated(code).sentence("bob");
        assert!(sentence.starts_with("owner bob has delegated to the code at"), "{sentence}");
        assert!(sentence.contains(&code.to_string()) && sentence.contains("EIP-7702"), "{sentence}");
        assert!(OwnerKind::Safe.sentence("bob").starts_with("owner bob is a Safe of your council file"));
        assert!(OwnerKind::Contract.sentence("bob").starts_with("owner bob is a contract"));
    }
}
