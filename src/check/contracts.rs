//! Checks of the Safe's own contracts, its singleton and proxy: other code than the published can do anything, whatever
//! version it states.

use std::fmt::Display;

use alloy::primitives::{Address, B256};

use super::description::{Description, Id};
use super::{Check, Facts, all};
use crate::safe::SafeVersion;
use crate::safe::deployments::{Contract, is_proxy_code, known_at};

const READ_IT: &str = "do not sign before somebody you trust has read that contract";
const LIES: &str = "do not sign: an RPC lies, or the Safe was tampered with";

pub(super) const CHECKS: [Check; 2] =
    [("singleton", |facts| all(singleton(facts))), ("proxy", |facts| all(proxy(facts)))];

/// A contract of the Safe's own: its singleton or proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractProblem {
    PublishedSingleton { address: Address, version: SafeVersion },
    UnknownSingleton { address: Address, code: B256 },
    SingletonOfOther { address: Address, stated: SafeVersion, published: SafeVersion },
    OtherSingletonCode { address: Address, code: B256 },
    PublishedProxy(B256),
    PinnedProxy(B256),
    UnknownProxy(B256),
}

impl ContractProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::PublishedSingleton { address, version } => Description::pass(
                Id::of("unknown-singleton", address),
                format!("its singleton is the published Safe {version}"),
            ),
            Self::UnknownSingleton { address, code } => Description::refuse(
                Id::of("unknown-singleton", address).digest([code as &dyn Display]),
                format!("the Safe's singleton {address} is not a published Safe contract"),
                READ_IT,
            ),
            Self::SingletonOfOther { address, stated, published } => Description::refuse(
                Id::of("unknown-singleton", address).digest([stated as &dyn Display]),
                format!("the Safe says it is {stated}, but its singleton is that of {published}"),
                LIES,
            ),
            Self::OtherSingletonCode { address, code } => Description::refuse(
                Id::of("unknown-singleton", address).digest([code as &dyn Display]),
                format!("the Safe's singleton {address} has code {code}, not the published"),
                LIES,
            ),
            Self::PublishedProxy(code) => Description::pass(
                Id::of("unknown-proxy", code),
                "its own code is that of a published Safe proxy",
            ),
            Self::PinnedProxy(code) => {
                Description::pass(Id::of("unknown-proxy", code), "its own code is as your council file says")
            }
            Self::UnknownProxy(code) => Description::refuse(
                Id::of("unknown-proxy", code),
                format!("the code at the Safe's own address, {code}, is not a published Safe proxy"),
                READ_IT,
            ),
        }
    }
}

/// Compares the singleton with the published ones. `None` if it was not read.
fn singleton(facts: &Facts) -> Option<ContractProblem> {
    if facts.assumes_the_safe() {
        return None;
    }
    let state = facts.state();
    let (address, stated) = (state.singleton, state.id.version);
    let code = facts.code_of(address);
    let is_singleton = |contract| matches!(contract, Contract::Singleton | Contract::SingletonL2);
    let known = known_at(address).filter(|known| is_singleton(known.contract));
    Some(match (known, code) {
        (None, code) => ContractProblem::UnknownSingleton { address, code: code.unwrap_or_default() },
        (Some(known), _) if known.version != stated => {
            ContractProblem::SingletonOfOther { address, stated, published: known.version }
        }
        (Some(known), Some(code)) if code != known.code_hash => {
            ContractProblem::OtherSingletonCode { address, code }
        }
        (Some(known), _) => ContractProblem::PublishedSingleton { address, version: known.version },
    })
}

fn proxy(facts: &Facts) -> Option<ContractProblem> {
    let code = facts.proxy_code?;
    Some(if is_proxy_code(code) {
        ContractProblem::PublishedProxy(code)
    } else if facts.council_safe.proxy_code == Some(code) {
        ContractProblem::PinnedProxy(code)
    } else {
        ContractProblem::UnknownProxy(code)
    })
}
