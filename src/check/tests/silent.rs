//! Slots that hold an address, and change without an event.

use alloy::primitives::{Log, keccak256};

use super::*;
use crate::check::control::CHECKS;

const SLOT: B256 = B256::repeat_byte(0x51);
const OTHER_SLOT: B256 = B256::repeat_byte(0x52);

fn change(address: Address, slot: B256, old: Address, new: Address) -> Write {
    Write { address, slot, old: old.into_word(), new: new.into_word() }
}

/// The reader's own call to the vault by this signature and with these words; these slots change.
fn case(signature: &str, words: &[B256], writes: &[Write]) -> Case {
    let mut case = Case::new(Rehearsal { writes: writes.to_vec(), ..rehearsal() });
    let words: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
    if let Some(plan) = &mut case.plan {
        plan.calls[0].signature = signature.into();
        plan.calls[0].call.data = [&[0; 4][..], &words].concat().into();
    }
    case
}

/// Returns `true` if nobody is seen to get control.
fn passes(case: &Case) -> bool {
    let found = case.found(|facts| run(&CHECKS, facts));
    assert!(found.is_empty() || found == refused(&format!("control:{VAULT}")), "{found:?}");
    found.is_empty()
}

fn event(signature: &str, words: &[B256]) -> Log {
    Log::new_unchecked(VAULT, [&[keccak256(signature)], words].concat(), Bytes::new())
}

#[test]
fn an_address_in_a_new_slot_that_nothing_names_is_refused() {
    let gains = [change(VAULT, SLOT, OWNER, THIEF)];
    assert!(!passes(&case("pause()", &[], &gains)));
    assert!(!passes(&case("pause()", &[OWNER.into_word()], &gains)), "the loser alone is named");
    assert!(passes(&case("set(address)", &[THIEF.into_word()], &gains)));
    let elsewhere = [change(MODULE, SLOT, OWNER, THIEF)];
    let found = case("set(address)", &[THIEF.into_word()], &elsewhere).found(|facts| run(&CHECKS, facts));
    assert_eq!(found, refused(&format!("control:{MODULE}")), "said of the vault, and not of that contract");
}

#[test]
fn the_safe_itself_may_gain_and_its_own_slots_are_judged_elsewhere() {
    assert!(passes(&case("pause()", &[], &[change(VAULT, SLOT, OWNER, SAFE)])));
    assert!(passes(&case("pause()", &[], &[change(SAFE, SLOT, OWNER, THIEF)])));
}

#[test]
fn a_number_is_not_an_address() {
    assert!(passes(&case("pause()", &[], &[write(VAULT, SLOT, 7)])));
}

#[test]
fn an_event_that_is_judged_by_itself_explains_its_slot() {
    let gains = [change(VAULT, SLOT, OWNER, THIEF)];
    let told = |contract: Address| {
        let mut case = case("transferOwnership(address)", &[THIEF.into_word()], &gains);
        // The words of the call no longer name the one who gains; the event does.
        let log = event("OwnershipTransferred(address,address)", &[OWNER.into_word(), THIEF.into_word()]);
        case.rehearsal.events = vec![Log { address: contract, ..log }];
        case
    };
    assert!(passes(&told(VAULT)));
    let mut unsaid = told(VAULT);
    unsaid.plan.as_mut().unwrap().calls[0].call.data = Bytes::from(vec![0; 4]);
    assert!(!passes(&unsaid), "the event itself is not what the playbook says");
}

#[test]
fn an_address_set_to_zero_is_named_or_its_function_is() {
    let cleared = [change(VAULT, SLOT, OWNER, Address::ZERO)];
    assert!(!passes(&case("pause()", &[], &cleared)));
    assert!(passes(&case("remove(address)", &[OWNER.into_word()], &cleared)));
    assert!(!passes(&case("remove(address)", &[THIEF.into_word()], &cleared)));
    assert!(passes(&case("set(address)", &[B256::ZERO], &cleared)), "it passes zero");
    assert!(passes(&case("renounceOwnership()", &[], &cleared)));
    let packed =
        |old: &[u8]| Write { address: VAULT, slot: SLOT, old: B256::left_padding_from(old), new: B256::ZERO };
    let beside_a_flag = [&[1_u8][..], OWNER.as_slice(), &[0, 1]].concat();
    assert!(passes(&case("remove(address)", &[OWNER.into_word()], &[packed(&beside_a_flag)])));
    assert!(!passes(&case("remove(address)", &[THIEF.into_word()], &[packed(&beside_a_flag)])));
}

/// A list of members, as OpenZeppelin's EnumerableSet keeps it: the last one takes the place of the one that is revoked.
#[test]
fn a_list_that_closes_the_gap_of_a_revoked_member_is_no_gain() {
    let (role, last, gone) = (B256::repeat_byte(0x9a), MODULE, OWNER);
    let moved = || change(VAULT, SLOT, gone, last);
    let left = || change(VAULT, OTHER_SLOT, last, Address::ZERO);
    let revoked = |who: Address| {
        event("RoleRevoked(bytes32,address,address)", &[role, who.into_word(), SAFE.into_word()])
    };
    let closing = |writes: &[Write], log: Log| {
        let words = [role, gone.into_word()];
        let mut case = case("revokeRole(bytes32,address)", &words, writes);
        case.rehearsal.events = vec![log];
        case
    };
    assert!(passes(&closing(&[moved(), left()], revoked(gone))));
    assert!(!passes(&closing(&[moved()], revoked(gone))), "the last member has two places now");
    let stays = change(VAULT, OTHER_SLOT, last, SAFE);
    assert!(!passes(&closing(&[moved(), stays], revoked(gone))), "its own place was not left empty");
    let another = change(VAULT, OTHER_SLOT, SAFE, Address::ZERO);
    assert!(!passes(&closing(&[moved(), another], revoked(gone))), "another member's place was emptied");
    let elsewhere = Write { address: SAFE, ..left() };
    assert!(!passes(&closing(&[moved(), elsewhere], revoked(gone))), "of another contract");
    let granted = event("RoleGranted(bytes32,address,address)", &[role, gone.into_word(), SAFE.into_word()]);
    assert!(!passes(&closing(&[moved(), left()], granted)), "nobody was revoked");
    let by_another = Log { address: SAFE, ..revoked(gone) };
    assert!(!passes(&closing(&[moved(), left()], by_another)));
}
