//! Gaps of a Safe: it must be as the council file pins it, and its owners must be able to act. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256};

use super::told::{GapReport, not_ready, warning};
use crate::check::{OwnerKind, owner_kinds};
use crate::council::{Council, Safe};
use crate::evm::{AccountKind, AddressBook, called};
use crate::safe::SafeState;
use crate::safe::deployments::{Contract, Deployment, is_proxy_code, known_at};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedSafe {
    pub state: SafeState,
    /// keccak256 of the code at its own address.
    pub proxy_code: B256,
    /// The kinds of the owners that the council file pins and that are not Safes of it.
    pub accounts: BTreeMap<Address, AccountKind>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SafeGap {
    /// No quorum of RPCs gives its state.
    Unread { safe: String, why: String },
    /// A pin of the council file differs from the chain.
    Differs { safe: String, what: &'static str, pinned: String, found: String },
    /// The council file does not pin all of it.
    Unpinned { safe: String, what: Vec<&'static str> },
    /// One owner alone can act.
    ThresholdOne { safe: String, owners: usize },
    /// All owners must sign, so that no key may be lost.
    ThresholdAll { safe: String, owners: usize },
    /// It runs code that is neither a published Safe's nor pinned in the file.
    OtherCode { safe: String, what: &'static str, is: String },
    /// An owner that is neither a plain key nor a Safe of the file: nobody here knows who acts for it.
    Owner { safe: String, owner: String, kind: OwnerKind },
    /// An owner who is not a person of the file, so that they cannot be reached.
    Stranger { safe: String, owner: Address, name: Option<String> },
}

impl SafeGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::Unread { safe, why } => {
                not_ready("safe", format!("{safe} cannot be read: {why}"), "fix its address and its chain")
            }
            Self::Differs { safe, what, pinned, found } => not_ready(
                "safe-differs",
                format!("{safe}: {what}: {found} on chain, {pinned} in your file"),
                "if the council agreed to it, change the file; if not, find out who did it",
            ),
            Self::Unpinned { safe, what } => warning(
                "safe-unpinned",
                format!("{safe}: your file does not say: {}", what.join(", ")),
                "breakglass init writes them into a new file: compare, and copy them",
            ),
            Self::ThresholdOne { safe, owners } => warning(
                "threshold-one",
                format!("{safe}: each of its {owners} owners can do everything alone"),
                "ask for two signatures or more",
            ),
            Self::ThresholdAll { safe, owners } => warning(
                "threshold-all",
                format!("{safe}: all {owners} owners must sign, so one lost key stops everything"),
                "have more owners than the threshold",
            ),
            Self::OtherCode { safe, what, is } => not_ready(
                "safe-code",
                format!("{safe}: its {what} {is} is not that of a published Safe of its version"),
                "do not sign for it before somebody you trust has read that code; proxy_code pins it",
            ),
            Self::Owner { safe, owner, kind } => warning(
                if *kind == OwnerKind::Contract { "owner-contract" } else { "owner-delegated" },
                format!("{safe}: {}", kind.sentence(owner)),
                kind.fix(),
            ),
            Self::Stranger { safe, owner, name } => {
                let person = name.as_deref().unwrap_or("NAME");
                let fix = format!("breakglass council add person {person} --reach \"Signal …, phone …\"");
                let name = name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
                not_ready(
                    "owner-unknown",
                    format!("{safe}: your file does not say how to reach its owner {name}{owner}"),
                    fix,
                )
            }
        }
    }
}

/// Returns the gaps of a Safe as it is on chain.
pub fn gaps(council: &Council, pinned: &Safe, seen: &ExaminedSafe) -> Vec<SafeGap> {
    let names = council.names_on(&pinned.chain);
    let state = &seen.state;
    let mut gaps = differences(pinned, state, &names);
    gaps.extend(of_code(pinned, seen));
    gaps.extend(of_owners(pinned, seen, &names));
    let safe = || pinned.name.clone();
    let missing: Vec<&'static str> = [
        ("version", pinned.version.is_none()),
        ("owners", pinned.owners.is_none()),
        ("modules", pinned.modules.is_none()),
        ("guard", pinned.guard.is_none()),
        ("fallback_handler", pinned.fallback_handler.is_none()),
    ]
    .into_iter()
    .filter_map(|(what, is_missing)| is_missing.then_some(what))
    .collect();
    if !missing.is_empty() {
        gaps.push(SafeGap::Unpinned { safe: safe(), what: missing });
    }
    let (owners, threshold) = (state.owners.list(), state.owners.threshold().get());
    if owners.len() > 1 && threshold == 1 {
        gaps.push(SafeGap::ThresholdOne { safe: safe(), owners: owners.len() });
    } else if threshold == owners.len() {
        gaps.push(SafeGap::ThresholdAll { safe: safe(), owners: owners.len() });
    }
    if !council.people.is_empty() {
        let is_safe = |owner: &Address| council.safes.values().any(|safe| safe.address == *owner);
        let name = |owner: &Address| council.signer_at(*owner).map(|signer| &signer.name);
        let unknown = owners.iter().filter(|owner| !is_safe(owner));
        let unknown =
            unknown.filter(|owner| name(owner).is_none_or(|name| !council.people.contains_key(name)));
        gaps.extend(unknown.map(|owner| SafeGap::Stranger {
            safe: safe(),
            owner: *owner,
            name: name(owner).cloned(),
        }));
    }
    gaps
}

/// Returns the gaps of the Safe's own code: other code than the published can do anything.
fn of_code(pinned: &Safe, ExaminedSafe { state, proxy_code, .. }: &ExaminedSafe) -> Vec<SafeGap> {
    let is_singleton = |known: &&Deployment| {
        let contract = matches!(known.contract, Contract::Singleton | Contract::SingletonL2);
        contract && known.version == state.id.version
    };
    let singleton = known_at(state.singleton).filter(is_singleton);
    let proxy = is_proxy_code(*proxy_code) || pinned.proxy_code == Some(*proxy_code);
    let gap = |what, is: String| SafeGap::OtherCode { safe: pinned.name.clone(), what, is };
    let singleton = singleton.is_none().then(|| gap("singleton", state.singleton.to_string()));
    let proxy = (!proxy).then(|| gap("own code", proxy_code.to_string()));
    singleton.into_iter().chain(proxy).collect()
}

fn of_owners(pinned: &Safe, seen: &ExaminedSafe, names: &AddressBook) -> Vec<SafeGap> {
    // Only accounts that are not Safes of the file were read.
    let kinds = owner_kinds(&seen.accounts, seen.state.owners.list(), &[]).into_iter();
    let gap =
        |(owner, kind)| SafeGap::Owner { safe: pinned.name.clone(), owner: names.with_address(owner), kind };
    kinds.map(gap).collect()
}

fn differences(pinned: &Safe, state: &SafeState, names: &AddressBook) -> Vec<SafeGap> {
    let name = |address: &Address| called(*address, names);
    let list = |addresses: &[Address]| match addresses {
        [] => "none".to_string(),
        all => all.iter().map(name).collect::<Vec<_>>().join(", "),
    };
    let one = |address: Address| if address.is_zero() { "none".to_string() } else { name(&address) };
    let mut gaps = Vec::new();
    let mut differs = |what, pinned_text: String, found: String| {
        gaps.push(SafeGap::Differs { safe: pinned.name.clone(), what, pinned: pinned_text, found });
    };
    if let Some(owners) = &pinned.owners {
        let (is, must) = (state.owners.list(), owners.list());
        if is.iter().collect::<BTreeSet<_>>() != must.iter().collect::<BTreeSet<_>>() {
            differs("owners", list(must), list(is));
        }
        let (is, must) = (state.owners.threshold().get(), owners.threshold().get());
        if is != must {
            differs("threshold", must.to_string(), is.to_string());
        }
    }
    if let Some(version) = pinned.version.filter(|version| *version != state.id.version) {
        differs("version", version.to_string(), state.id.version.to_string());
    }
    if let Some(modules) = &pinned.modules
        && modules.iter().collect::<BTreeSet<_>>() != state.modules.iter().collect::<BTreeSet<_>>()
    {
        differs("modules", list(modules), list(&state.modules));
    }
    for (what, must, is) in [
        ("guard", pinned.guard, state.guard),
        ("module_guard", pinned.module_guard, state.module_guard),
        ("fallback_handler", pinned.fallback_handler, state.fallback_handler),
    ] {
        if let Some(must) = must.filter(|must| *must != is) {
            differs(what, one(must), one(is));
        }
    }
    gaps
}
