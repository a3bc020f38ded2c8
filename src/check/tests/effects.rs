//! Effects that remain after a transaction: an undeclared one is named with whoever gains by it.

use super::*;
use crate::check::allowed_effects::safe_slots;
use crate::check::control;
use crate::check::outflow::{self, outflow};
use crate::fork::BalanceChange;
use crate::safe::approved_hash_slot;

fn sentence(case: &Case, check: Check) -> String {
    case.all(check.1).into_iter().map(|finding| finding.sentence).collect::<Vec<_>>().join("\n")
}

#[test]
fn changes_of_a_safe_are_named_part_by_part() {
    let mut ran = rehearsal();
    ran.writes.push(to(SAFE, slot_word(slot::SINGLETON), THIEF));
    let unknown = B256::repeat_byte(0xee);
    ran.writes.push(write(SAFE, unknown, 1));
    let case = Case::new(ran);
    let told =
        case.all(|facts| vec![Problem::from(safe_slots(facts, facts.rehearsal.unwrap()))]).remove(0).sentence;
    let singleton = Change::SafeSingleton.to_string();
    assert_eq!(
        told,
        format!("it changes {singleton}; slot {unknown} of the Safe and the playbook does not say so")
    );
}

/// The execution consumes the approvals of this transaction; an approval that it makes is for a later one.
#[test]
fn an_approval_of_this_transaction_may_be_used_up_and_not_made() {
    let level = |old: u8, new: u8| {
        let mut case = Case::new(rehearsal());
        let slot = approved_hash_slot(OWNER, &case.proposal.hash());
        let used = Write { old: B256::with_last_byte(old), ..write(SAFE, slot, new) };
        case.rehearsal.writes.push(used);
        case.all(|facts| vec![Problem::from(safe_slots(facts, facts.rehearsal.unwrap()))]).remove(0).level
    };
    assert_eq!((level(1, 0), level(0, 1)), (Level::Pass, Level::Refuse));
}

#[test]
fn a_loss_is_reported_with_its_amount_and_its_receiver() {
    let change =
        |address, old: u64, new: u64| BalanceChange { address, old: U256::from(old), new: U256::from(new) };
    let mut ran = rehearsal();
    ran.balances =
        vec![change(SAFE, 100, 60), change(THIEF, 0, 40), change(VAULT, 5, 5), change(OWNER, 9, 8)];
    let case = Case::new(ran);
    let told =
        case.all(|facts| vec![Problem::from(outflow(facts, facts.rehearsal.unwrap()))]).remove(0).sentence;
    assert_eq!(told, format!("the Safe loses 40 wei (the playbook sends 10) to {THIEF} (40 wei)"));
    let gone = outflow::Loss::Token { token: VAULT, amount: U256::from(3), to: Vec::new() };
    let told = outflow::OutflowProblem::Leaves(vec![gone]).describe().sentence;
    assert_eq!(told, format!("the Safe loses 3 of token {VAULT}"));
}

#[test]
fn a_collectible_that_is_approved_to_nobody_is_no_permission() {
    let log = |owner: Address, spender: Address| alloy::primitives::Log {
        address: VAULT,
        data: alloy::primitives::LogData::new_unchecked(
            vec![outflow::APPROVAL, owner.into_word(), spender.into_word(), B256::with_last_byte(7)],
            Bytes::new(),
        ),
    };
    let level = |owner, spender| {
        let mut case = Case::new(rehearsal());
        case.rehearsal.events = vec![log(owner, spender)];
        case.all(|facts| vec![Problem::from(outflow::approvals(facts, facts.rehearsal.unwrap()))])
            .remove(0)
            .level
    };
    assert_eq!(level(SAFE, THIEF), Level::Refuse);
    assert_eq!(level(SAFE, Address::ZERO), Level::Pass, "it takes a permission back");
    assert_eq!(level(VAULT, THIEF), Level::Pass, "it is another's");
}

#[test]
fn an_account_that_gains_control_is_named_by_address_and_a_role_by_its_hash() {
    let topic = |text: &str| alloy::primitives::keccak256(text);
    let role = B256::repeat_byte(0xab);
    let event = |topics: Vec<B256>| alloy::primitives::Log {
        address: VAULT,
        data: alloy::primitives::LogData::new_unchecked(topics, Bytes::new()),
    };
    let mut case = Case::new(rehearsal());
    let granted = topic("RoleGranted(bytes32,address,address)");
    case.rehearsal.events = vec![event(vec![granted, role, THIEF.into_word(), SAFE.into_word()])];
    let told = sentence(&case, control::CHECKS[0]);
    assert!(told.ends_with(&format!("RoleGranted {role} {THIEF}")), "{told}");
}

#[test]
fn a_value_in_another_contracts_event_explains_no_slot() {
    let topic = alloy::primitives::keccak256("AddedOwner(address)");
    let event = |address| alloy::primitives::Log {
        address,
        data: alloy::primitives::LogData::new_unchecked(vec![topic, THIEF.into_word()], Bytes::new()),
    };
    let gained = |address: Address| {
        let mut case = Case::new(rehearsal());
        case.rehearsal.events = vec![event(address)];
        case.rehearsal.writes.push(to(VAULT, B256::repeat_byte(0xee), THIEF));
        sentence(&case, control::CHECKS[0])
    };
    let slot = format!("slot {}", B256::repeat_byte(0xee));
    assert!(!gained(VAULT).contains(&slot), "its own event names it");
    assert!(gained(Address::repeat_byte(0x77)).contains(&slot));
}

#[test]
fn one_timelock_operation_alone_has_no_order_to_check() {
    let schedule = |salt: u8| {
        let function = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)";
        let mut data = alloy::primitives::keccak256(function)[..4].to_vec();
        let words: [U256; 7] = [
            U256::from(1),
            U256::ZERO,
            U256::from(192),
            U256::ZERO,
            U256::from(salt),
            U256::ZERO,
            U256::ZERO,
        ];
        data.extend(words.iter().flat_map(U256::to_be_bytes::<32>));
        SafeTx::new(VAULT, U256::ZERO, data.into(), Operation::Call, Nonce::from(3))
    };
    let case = Case { proposal: proposing(schedule(1)), ..Case::new(rehearsal()) };
    assert!(case.all(control::CHECKS[1].1).is_empty());
}

/// A value that the reader's own playbook expects of a contract is expected, though no call names it.
#[test]
fn a_change_that_only_a_check_promises_is_explained() {
    use crate::evm::AddressBook;
    use crate::playbook::{Catalogue, Derivation, Inputs, derive};
    let catalogue = Catalogue::new(vec![]);
    let playbook = catalogue.get("rotate/oz-ownable").unwrap().playbook;
    let args =
        [("target", VAULT), ("new", THIEF)].map(|(name, value)| (name.to_string(), value.to_string())).into();
    let names = AddressBook::default();
    let inputs = Inputs { args: &args, names: &names, safe: SAFE, chain_id: 1 };
    let mut readings = Readings::default();
    let mut plan = loop {
        match derive(playbook, &inputs, &readings).unwrap() {
            Derivation::Ready(plan) => break plan,
            Derivation::Needs(queries) => {
                let owner = crate::evm::Answer::Value(SAFE.into_word().into());
                for query in queries {
                    readings.insert(query, owner.clone());
                }
            }
        }
    };
    plan.calls.iter_mut().for_each(|planned| planned.call.data = Bytes::from(vec![1, 2, 3, 4]));
    let mut case = Case { plan: Some(plan), ..Case::new(rehearsal()) };
    case.rehearsal.writes.push(to(VAULT, B256::repeat_byte(0xee), THIEF));
    assert!(!sentence(&case, control::CHECKS[0]).contains("slot"), "{}", sentence(&case, control::CHECKS[0]));
    case.plan.iter_mut().for_each(|plan| plan.after.clear());
    assert!(sentence(&case, control::CHECKS[0]).contains("slot"));
}

/// A number of 30 decimals, or one below zero, could be an address: not where the reader's own playbook expects it there.
#[test]
fn a_number_that_a_check_expects_is_not_taken_for_an_address() {
    use crate::evm::AddressBook;
    use crate::playbook::{Derivation, Inputs, Playbook, derive};
    const TEXT: &str = r#"
schema = 1
id = "param/limit"
kind = "param"
title = "t"
severity = "P2"
does_not_stop = "n"
cost = "c"
undo = { none = "w" }
source = "s"

[[param]]
name = "target"
type = "address"

[[param]]
name = "limit"
type = "int256"

[[step]]
to = "{target}"
call = "setLimit()"

[[after]]
view = "limit()(int256)"
on = "{target}"
expect = "{limit}"
"#;
    let playbook = Playbook::parse("limit.toml", TEXT).unwrap();
    let told = |limit: &str, contract: Address, old: B256, new: &str| {
        let args = [("target", VAULT.to_string()), ("limit", limit.to_string())];
        let args = args.map(|(name, value)| (name.to_string(), value)).into();
        let names = AddressBook::default();
        let inputs = Inputs { args: &args, names: &names, safe: SAFE, chain_id: 1 };
        let Derivation::Ready(plan) = derive(&playbook, &inputs, &Readings::default()).unwrap() else {
            panic!("it reads nothing")
        };
        let mut case = Case { plan: Some(plan), ..Case::new(rehearsal()) };
        let new = B256::from(new.parse::<alloy::primitives::I256>().unwrap().into_raw());
        let slot = B256::repeat_byte(0xee);
        case.rehearsal.writes.push(Write { address: contract, slot, old, new });
        sentence(&case, control::CHECKS[0]).contains("slot")
    };
    for number in ["-5500000000000000000000000000000", "1234567890123456789012345678901234567"] {
        assert!(!told(number, VAULT, B256::ZERO, number), "{number} is expected");
        assert!(told(number, Address::repeat_byte(0x77), B256::ZERO, number), "of another contract");
        assert!(told("1", VAULT, B256::ZERO, number), "another number is expected");
    }
    assert!(told("1", VAULT, THIEF.into_word(), "1"), "an owner that becomes 1 is not a number");
}
