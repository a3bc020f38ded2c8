//! The Safe's own code, and who has power beside its owners.

use super::*;
use crate::check::transaction::no_unknown_delegatecall;
use crate::check::{all, contracts, powers};
use crate::safe::deployments::{Contract, Deployment, KNOWN};
use crate::safe::encode_batch;

/// The findings about the contracts that the Safe consists of.
fn known_contracts(facts: &Facts) -> Vec<Problem> {
    run(&contracts::CHECKS, facts)
}

fn powers_beside_the_owners(facts: &Facts) -> Vec<Problem> {
    run(&powers::CHECKS, facts)
}

fn published(contract: Contract) -> &'static Deployment {
    KNOWN.iter().find(|d| d.contract == contract && d.version == SafeVersion::V1_4_1).unwrap()
}

/// A Safe of published contracts and without modules.
fn clean() -> Case {
    let mut case = Case::new(rehearsal());
    let mut state = case.proposal.snapshot().clone();
    state.singleton = published(Contract::Singleton).address;
    state.fallback_handler = published(Contract::FallbackHandler).address;
    state.modules.clear();
    case.now = Some(state);
    case
}

fn changed(change: impl Fn(&mut SafeState)) -> Case {
    let mut case = clean();
    case.now.iter_mut().for_each(change);
    case
}

#[test]
fn a_singleton_by_address_and_by_code() {
    assert!(clean().found(known_contracts).is_empty());
    assert_eq!(
        changed(|s| s.singleton = THIEF).found(known_contracts),
        refused(&format!("unknown-singleton:{THIEF}"))
    );
    let old = |s: &mut SafeState| s.id.version = SafeVersion::V1_3_0;
    assert_eq!(
        changed(old).found(known_contracts),
        refused(&format!("unknown-singleton:{}", published(Contract::Singleton).address))
    );
    let with_code = |hash| {
        let mut case = clean();
        case.rehearsal.code.insert(published(Contract::Singleton).address, hash);
        case.found(known_contracts)
    };
    assert!(with_code(published(Contract::Singleton).code_hash).is_empty());
    assert_eq!(
        with_code(B256::repeat_byte(1)),
        refused(&format!("unknown-singleton:{}", published(Contract::Singleton).address))
    );
}

#[test]
fn a_proxy_that_no_factory_makes_is_refused() {
    let proxy = |code| Case { proxy_code: Some(code), ..clean() }.found(known_contracts);
    let own = B256::repeat_byte(1);
    assert_eq!(proxy(own), refused(&format!("unknown-proxy:{own}")));
    let mut pinned = Case { proxy_code: Some(own), ..clean() };
    pinned.council_safe.proxy_code = Some(own);
    assert!(pinned.found(known_contracts).is_empty());
    let made_by_1_3_0 = "0xb89c1b3bdf2cf8827818646bce9a8f6e372885f8c55e5c07acbd307cb133b000".parse().unwrap();
    assert!(proxy(made_by_1_3_0).is_empty());
}

#[test]
fn a_module_is_refused_by_its_own_id_unless_it_is_pinned() {
    assert!(clean().found(powers_beside_the_owners).is_empty());
    let enabled = || changed(|s| s.modules = vec![MODULE, THIEF]);
    let pinned = |modules: &[Address]| {
        let mut case = enabled();
        case.council_safe.modules = Some(modules.to_vec());
        case.found(powers_beside_the_owners)
    };
    let both = [refused(&format!("module:{MODULE}")), refused(&format!("module:{THIEF}"))].concat();
    assert_eq!(enabled().found(powers_beside_the_owners), both);
    assert_eq!(pinned(&[MODULE]), refused(&format!("module:{THIEF}")));
    assert!(pinned(&[THIEF, MODULE]).is_empty());
    assert_eq!(pinned(&[THIEF, MODULE, OWNER]), refused(&format!("module-gone:{OWNER}")));
}

#[test]
fn a_fallback_handler_is_published_or_pinned() {
    let unknown = || changed(|s| s.fallback_handler = THIEF);
    assert_eq!(unknown().found(powers_beside_the_owners), refused(&format!("fallback-handler:{THIEF}")));
    assert!(changed(|s| s.fallback_handler = Address::ZERO).found(powers_beside_the_owners).is_empty());
    for (pin, passes) in [(THIEF, true), (OWNER, false)] {
        let mut case = unknown();
        case.council_safe.fallback_handler = Some(pin);
        assert_eq!(case.found(powers_beside_the_owners).is_empty(), passes);
    }
}

#[test]
fn a_guard_is_reported_and_a_pinned_one_must_be_there() {
    let guarded = || changed(|s| s.guard = MODULE);
    assert_eq!(guarded().found(powers_beside_the_owners), [(format!("guard:{MODULE}"), Level::Warn)]);
    let mut gone = clean();
    gone.council_safe.guard = Some(MODULE);
    assert_eq!(gone.found(powers_beside_the_owners), refused(&format!("guard:{}", Address::ZERO)));
    let mut none = guarded();
    none.council_safe.guard = Some(Address::ZERO);
    assert_eq!(none.found(powers_beside_the_owners), refused(&format!("guard:{MODULE}")));
}

#[test]
fn a_delegatecall_goes_to_published_code_only() {
    let one = |case: &Case| case.found(|facts| all([no_unknown_delegatecall(facts)]));
    let delegating = |to, data: Bytes| {
        let tx = SafeTx::new(to, U256::ZERO, data, Operation::DelegateCall, Nonce::from(3));
        Case { proposal: proposing(tx), ..clean() }
    };
    let calls = vec![Call { to: VAULT, value: U256::ZERO, data: Bytes::new() }; 2];
    let batch = published(Contract::MultiSendCallOnly);
    let honest = || delegating(batch.address, encode_batch(&calls));
    let mut seen = honest();
    seen.rehearsal.code.insert(batch.address, batch.code_hash);
    assert!(one(&seen).is_empty());
    // Its code was not read: a warning says so.
    assert_eq!(one(&honest()), [("delegatecall".to_string(), Level::Warn)]);
    for hash in [B256::ZERO, B256::repeat_byte(1)] {
        let mut swapped = honest();
        swapped.rehearsal.code.insert(batch.address, hash);
        assert_eq!(one(&swapped), refused("delegatecall"));
    }
    // A look-alike: the right calldata at another address.
    assert_eq!(one(&delegating(THIEF, encode_batch(&calls))), refused("delegatecall"));
    // A delegatecall inside the batch: the first byte of a packed call is its operation.
    let mut data = encode_batch(&calls).to_vec();
    data[4 + 64] = 1;
    assert_eq!(one(&delegating(batch.address, data.into())), refused("delegatecall"));
    for library in [Contract::SafeMigration, Contract::SignMessageLib] {
        let mut case = delegating(published(library).address, Bytes::new());
        case.rehearsal.code.insert(published(library).address, published(library).code_hash);
        assert!(one(&case).is_empty());
    }
    assert_eq!(
        one(&delegating(published(Contract::Singleton).address, Bytes::new())),
        refused("delegatecall")
    );
}
