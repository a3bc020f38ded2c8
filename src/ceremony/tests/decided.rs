//! The parts of a transaction that a chain decides, and those that the council file says as well.

use super::*;
use crate::ceremony::derivation::is_set;
use crate::safe::{SafeId, SafeState, SafeVersion};

fn home() -> Home {
    let lever = format!(
        "[levers.swap]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\nset = {{ old = \"{}\", new = \"{VAULT}\" }}\n\
         [levers.bridge]\n",
        address(BOB)
    );
    Home::new().with("[levers.bridge]\n", &lever)
}

#[test]
fn only_the_council_file_pins_the_owners() {
    let home = home();
    let desk = home.desk();
    let swap = order(&desk, &["swap"], &at(4));
    let plan = swap.offline_plans().unwrap().merged();
    assert_eq!(plan.calls.len(), 1);
    assert!(!plan.decided.is_empty() && swap.decided(&plan).is_empty());
    // Another answer than the file's decides something.
    let mut other = plan.clone();
    other.decided[0].by[0].answer = Answer::Reverted(Bytes::new());
    let decided = swap.decided(&other);
    assert_eq!((decided.len(), decided[0].by.len()), (1, 1));
    // Another Safe's owners are not those of this one.
    let labs = swap.by(desk.safe("labs").unwrap());
    assert!(!labs.decided(&plan).is_empty());
    let pins = "owners = [\"alice\", \"bob\", \"labs\"]\nthreshold = 2";
    let home = self::home().with(pins, "");
    let desk = home.desk();
    let unpinned = order(&desk, &["swap"], &at(4));
    assert!(unpinned.offline_plans().is_none() && !unpinned.decided(&plan).is_empty());
}

/// The Safe and the chain come from the reader's own council file.
#[test]
fn a_proposal_is_derived_for_the_readers_own_safe() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let id = SafeId { chain_id: 5, address: VAULT, version: SafeVersion::V1_3_0 };
    let state = SafeState { id, ..vault.snapshot().clone() };
    let block = vault.block().unwrap();
    let file = Proposal::new(vault.tx().clone(), state, block, vault.binding().clone(), Readings::default());
    let own = order(&desk, &["vault"], &at(4)).derive_from_file(&file, BatchSource::Offline).unwrap();
    assert_eq!(own.proposal.safe(), vault.safe());
}

#[test]
fn a_storage_word_is_set_if_it_is_not_zero() {
    let word = |value: u64| Answer::Value(B256::from(U256::from(value)).into());
    assert!(is_set(Some(&word(1))) && !is_set(Some(&word(0))) && !is_set(None));
    assert!(!is_set(Some(&Answer::Reverted(Bytes::new()))));
}

/// Safes that own each other are read down to their last owners, each on every path.
#[test]
fn the_tree_of_safes_is_read_on_every_path_and_a_circle_ends() {
    let safe = |n: u8, owners: &str| {
        format!(
            "[safes.s{n}]\nchain = \"mainnet\"\naddress = \"{}\"\nversion = \"1.4.1\"\nowners = [{owners}]\nthreshold = 1\n",
            Address::repeat_byte(n)
        )
    };
    let line: String = (0x31..=0x38).map(|n| safe(n, &format!("\"s{}\"", n + 1))).collect();
    let text = format!(
        "{line}{}{}{}",
        safe(0x39, "\"alice\""),
        safe(0x41, "\"s66\", \"s67\""),
        safe(0x42, "\"s67\"")
    );
    let home = Home::new()
        .with("[signers.alice]", &format!("{text}{}[signers.alice]", safe(0x43, "\"s65\", \"bob\"")));
    let desk = home.desk();
    let mut owners = &desk.pinned_owners(desk.safe("s49").unwrap()).unwrap();
    let mut depth = 0;
    while let [child] = owners.children() {
        (owners, depth) = (&child.owners, depth + 1);
    }
    assert_eq!(depth, crate::safe::DEEPEST);
    let top = desk.pinned_owners(desk.safe("s65").unwrap()).unwrap();
    let [s66, s67] = [0x42, 0x43].map(Address::repeat_byte);
    assert!(top.child(s67).is_some() && top.child(s66).unwrap().owners.child(s67).is_some());
    assert!(top.child(s67).unwrap().owners.children().is_empty(), "it owns the first");
}
