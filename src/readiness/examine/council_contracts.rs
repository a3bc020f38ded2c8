//! Examines the contracts of the council file: their code, and who controls them.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Selector, keccak256};
use alloy::sol;
use alloy::sol_types::SolCall;

use crate::ceremony::desk::Desk;
use crate::chain::{Chain, ChainError, Codes};
use crate::council::{self, Target};
use crate::evm::{Answer, BlockRef, Query, Readings, selectors};
use crate::readiness::targets::{ExaminedTarget, Stranger};

sol! {
    function owner() external view returns (address);
    function admin() external view returns (address);
    function governor() external view returns (address);
    function guardian() external view returns (address);
    function pauser() external view returns (address);
    function pauseGuardian() external view returns (address);
    function hasRole(bytes32 role, address account) external view returns (bool);
}

/// The usual views that name who controls a contract.
const IN_CHARGE: [(&str, [u8; 4]); 6] = [
    ("pauser()", pauserCall::SELECTOR),
    ("guardian()", guardianCall::SELECTOR),
    ("pauseGuardian()", pauseGuardianCall::SELECTOR),
    ("owner()", ownerCall::SELECTOR),
    ("governor()", governorCall::SELECTOR),
    ("admin()", adminCall::SELECTOR),
];
/// The role of `AccessControl` whose holder grants all other roles.
const ADMIN_ROLE: (&str, B256) = ("DEFAULT_ADMIN_ROLE", B256::ZERO);

/// Returns the contracts of a chain. Two rounds, and more where there are proxies.
pub fn examine(
    desk: &Desk,
    chain: &council::CouncilChain,
    link: &Chain,
    block: &BlockRef,
) -> Result<Vec<ExaminedTarget>, ChainError> {
    let targets = desk.council.targets.iter();
    let targets: Vec<(&String, &Target)> =
        targets.filter_map(|(name, places)| Some((name, places.get(&chain.name)?))).collect();
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let addresses: Vec<Address> = targets.iter().map(|(_, target)| target.address).collect();
    let codes = link.codes(&addresses, block)?;
    let mut seen: Vec<(Address, ExaminedTarget)> =
        targets.iter().map(|(name, target)| (target.address, of_code(name, target, chain, &codes))).collect();
    let safes = desk.council.safes.values().filter(|safe| safe.chain == chain.name);
    let safes: Vec<Address> = safes.map(|safe| safe.address).collect();
    let questions: Vec<Query> =
        seen.iter().flat_map(|(address, seen)| questions(*address, seen, &safes)).collect();
    let answers = if questions.is_empty() { Readings::default() } else { link.answers(&questions, block)? };
    for (address, seen) in &mut seen {
        seen.strangers = strangers(*address, &safes, &addresses, &answers);
    }
    Ok(seen.into_iter().map(|(_, seen)| seen).collect())
}

fn of_code(
    name: &str,
    target: &Target,
    chain: &council::CouncilChain,
    codes: &BTreeMap<Address, Codes>,
) -> ExaminedTarget {
    let codes = codes.get(&target.address).map(|codes| codes.codes.as_slice()).unwrap_or_default();
    ExaminedTarget {
        target: name.into(),
        chain: chain.name.clone(),
        code: codes.iter().map(|(at, code)| (*at, keccak256(code))).collect(),
        pins: target.code.clone(),
        functions: codes.iter().flat_map(|(_, code)| selectors(code)).collect(),
        ..ExaminedTarget::default()
    }
}

fn view(to: Address, selector: [u8; 4]) -> Query {
    Query::Call { from: None, to, data: selector.into() }
}

fn has_role(to: Address, account: Address) -> Query {
    let data = hasRoleCall { role: ADMIN_ROLE.1, account }.abi_encode().into();
    Query::Call { from: None, to, data }
}

/// Returns the questions that a contract's own functions can answer.
fn questions(address: Address, seen: &ExaminedTarget, safes: &[Address]) -> Vec<Query> {
    let has = |selector: [u8; 4]| seen.functions.contains(&Selector::from(selector));
    let views = IN_CHARGE.iter().filter(|(_, selector)| has(*selector));
    let mut all: Vec<Query> = views.map(|(_, selector)| view(address, *selector)).collect();
    if has(hasRoleCall::SELECTOR) {
        all.extend(safes.iter().map(|safe| has_role(address, *safe)));
    }
    all
}

/// Returns those who control it and are neither a Safe nor a target of the file; empty if a Safe of the file controls
/// it.
fn strangers(address: Address, safes: &[Address], targets: &[Address], answers: &Readings) -> Vec<Stranger> {
    let word = |query: &Query| match answers.get(query)? {
        Answer::Value(data) if data.len() == 32 => Some(B256::from_slice(data)),
        _ => None,
    };
    let holder = |(by, selector): &(&'static str, [u8; 4])| {
        let word = word(&view(address, *selector)).filter(|word| word[..12].iter().all(|b| *b == 0))?;
        Some((*by, Address::from_word(word))).filter(|(_, who)| !who.is_zero())
    };
    let holders: Vec<(&'static str, Address)> = IN_CHARGE.iter().filter_map(holder).collect();
    let roles: Vec<B256> = safes.iter().filter_map(|safe| word(&has_role(address, *safe))).collect();
    let is_known = |who: &Address| safes.contains(who) || targets.contains(who);
    if holders.iter().any(|(_, who)| is_known(who)) || roles.iter().any(|role| !role.is_zero()) {
        return Vec::new();
    }
    let named = holders.into_iter().map(|(by, who)| Stranger { by, who: Some(who) });
    let role = (!roles.is_empty()).then_some(Stranger { by: ADMIN_ROLE.0, who: None });
    named.chain(role).collect()
}
