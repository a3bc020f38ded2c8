//! A transaction that was mined, held against the reader's own files and what a chain answered.

use serde_json::{Value, json};

use super::on_chain::*;
use super::*;
use crate::ceremony::aftermath::mined::AsRehearsed;
use crate::ceremony::aftermath::{mined, outcome, since};
use crate::ceremony::chain_view::ChainView;
use crate::ceremony::rehearsal_result::CompletedRehearsal;
use crate::ceremony::rehearsal_result::tests::performed;
use crate::chain::Receipt;
use crate::evm::{BlockRef, Query};
use crate::fork::{PROXY_SLOTS, RunResult};
use crate::proposal::{RecordedCode, RehearsalRecord};
use crate::safe::RESULT_TOPICS;

const OTHER: Address = Address::repeat_byte(0x77);

/// A receipt in which the Safe says how this proposal ended.
fn executed(proposal: &Proposal, number: u64, succeeded: bool) -> Receipt {
    let topic = RESULT_TOPICS[usize::from(!succeeded)];
    let said = alloy::primitives::Log::new_unchecked(
        proposal.safe().address,
        vec![topic, *proposal.hash().word()],
        vec![0; 32].into(),
    );
    Receipt { logs: vec![said], ..receipt(number, true) }
}

#[test]
fn the_effects_of_a_transaction_are_read_in_one_round() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let done = CompletedRehearsal { is_signed: true, ..performed(RunResult::Succeeded, &[true]) };
    let of = rehearsed(&desk, &vault, done);
    let asked = outcome::queries(&of);
    let checks: Vec<Query> =
        of.plan().unwrap().after.iter().flat_map(crate::playbook::Check::queries).collect();
    let expected = mined::expected(&of).unwrap().queries();
    for part in [checks, since::queries(&of), expected] {
        assert!(!part.is_empty() && part.iter().all(|query| asked.contains(query)));
    }
}

#[test]
fn only_the_safes_own_event_counts_as_its_execution() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let of = judged(&desk, &vault, 5, Readings::default());
    let answers = answering(&desk, &["vault"], &word(1));
    let read = |receipt: Receipt| outcome::read_with(&desk, &of, receipt, Some(answers.clone())).unwrap();
    assert!(read(receipt(40, true)).is_none(), "a receipt's status proves nothing");
    let bridge = proposed(&desk, &["bridge"], &at(4), 0);
    assert!(read(executed(&bridge, 40, true)).is_none(), "another transaction of the Safe");
    let failed = read(executed(&vault, 40, false)).unwrap();
    assert_eq!(failed.as_rehearsed, AsRehearsed::Unknown("it failed".into()));
    assert_eq!((failed.judged_at, failed.is_proven(&of)), (failed.receipt.block, false));
    // It is compared with the review, and that needs no more of the chain where nothing differs.
    let mut done = CompletedRehearsal { is_signed: true, ..performed(RunResult::Succeeded, &[true]) };
    let receipt = executed(&vault, 40, true);
    done.rehearsal.events.clone_from(&receipt.logs);
    let of = rehearsed(&desk, &vault, done);
    let mut answers = answers;
    for ((address, slot), value) in mined::expected(&of).unwrap().slots {
        answers.insert(Query::Storage { address, slot }, Answer::Value(value.into()));
    }
    let outcome = outcome::read_with(&desk, &of, receipt, Some(answers)).unwrap().unwrap();
    assert_eq!((outcome.as_rehearsed.clone(), outcome.verdicts.len()), (AsRehearsed::Yes, 1));
    assert!(outcome.is_proven(&of));
}

#[test]
fn a_block_that_is_not_newer_proves_nothing_about_later_changes() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let of = judged(&desk, &vault, 5, Readings::default());
    let answers = answering(&desk, &["vault"], &word(1));
    let at = |number: u64| {
        outcome::read_with(&desk, &of, executed(&vault, number, false), Some(answers.clone()))
            .unwrap()
            .unwrap()
    };
    // The newest block of this chain is 21.
    assert!(outcome::now(&desk, &of, &at(21)).unwrap().is_none());
    assert!(outcome::now(&desk, &of, &at(40)).unwrap().is_none());
    assert!(outcome::now(&desk, &of, &at(20)).is_err(), "the chain has to be asked");
    // The verdicts are of now already: only the code is left to compare, with nothing recorded.
    let mut pruned = at(20);
    pruned.judged_at = BlockRef { number: 21, ..pruned.judged_at };
    let now = outcome::now(&desk, &of, &pruned).unwrap().unwrap();
    assert_eq!((now.block.number, now.undone), (21, Vec::new()));
}

/// Returns what is recorded of an execution in a block.
fn record(block: u64) -> Value {
    json!({ "transaction": "0x07", "block": block, "block_hash": "0x0b" })
}

#[test]
fn an_outcome_is_recorded_once_for_each_block() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let of = judged(&desk, &vault, 4, Readings::default());
    let kept = || -> Vec<Value> {
        let texts = desk.outcomes(&vault).unwrap().into_iter().map(|stored| stored.text.unwrap());
        texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
    };
    outcome::report_lost_outcome(&desk, &of).unwrap();
    assert_eq!((kept(), home.heard()), (Vec::new(), Vec::new()));
    outcome::keep(&desk, &of, &record(40)).unwrap();
    outcome::keep(&desk, &of, &record(40)).unwrap();
    assert_eq!((kept(), home.heard()), (vec![record(40)], Vec::new()));
    outcome::report_lost_outcome(&desk, &of).unwrap();
    let heard = home.heard();
    assert!(heard[0].contains("nonce 4 of the Safe is not used: the chain was reorganised"), "{heard:?}");
    // Another block, or the same number with another hash, or another transaction.
    let mut other = record(40);
    other["block_hash"] = json!("0x0c");
    let mut last = other.clone();
    last["transaction"] = json!("0x08");
    for (at, next) in [record(41), other, last].into_iter().enumerate() {
        outcome::keep(&desk, &of, &next).unwrap();
        let all = kept();
        assert_eq!(all.len(), at + 2);
        let newest = all.last().unwrap();
        let named = desk.outcomes(&vault).unwrap()[at].path.file_name().unwrap().to_owned();
        assert_eq!(newest["supersedes"], json!(named.to_str().unwrap()));
        assert_eq!(newest["block"], next["block"]);
        let heard = home.heard();
        assert!(heard[0].ends_with("names another block: the chain was reorganised since"), "{heard:?}");
    }
    // Bounded: whoever can make a chain flutter fills no disk.
    for block in 0..30 {
        outcome::keep(&desk, &of, &record(block)).unwrap();
    }
    assert_eq!(kept().len(), 20);
}

#[test]
fn a_record_without_a_transaction_is_ignored() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let of = judged(&desk, &vault, 4, Readings::default());
    for (nth, text) in ["no json", "{\"transaction\": 7}"].into_iter().enumerate() {
        desk.keep_outcome(&vault, nth + 1, text).unwrap();
    }
    outcome::report_lost_outcome(&desk, &of).unwrap();
    assert_eq!(home.heard(), Vec::<String>::new());
    outcome::keep(&desk, &of, &record(40)).unwrap();
    assert_eq!((desk.outcomes(&vault).unwrap().len(), home.heard()), (3, Vec::new()));
}

/// The vault's code and slots as a chain answers: its own code, and the implementation behind it.
fn code(own: u64, behind: Address) -> Readings {
    let slots = PROXY_SLOTS.iter().map(|proxy| {
        let at = if proxy.is_implementation { behind.into_word() } else { OTHER.into_word() };
        (Query::Storage { address: VAULT, slot: proxy.slot }, Answer::Value(at.into()))
    });
    slots.chain([(Query::CodeHash { address: VAULT }, word(own))]).collect()
}

#[test]
fn code_is_compared_with_what_was_recorded_when_it_was_proposed() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let behind = Address::repeat_byte(0x44);
    let hash = |n: u64| B256::from(U256::from(n));
    let told = |ran: &[(Address, Address, u64)], now: &Readings| {
        let mut record = RehearsalRecord::new(3, true, 1, 0);
        let code = |(called, at, n): &(Address, Address, u64)| RecordedCode {
            called: *called,
            at: *at,
            hash: hash(*n),
        };
        record.code = ran.iter().map(code).collect();
        let of = judged(&desk, &vault.clone().recording(Some(record)), 5, Readings::default());
        let ChainView { link, snapshot, .. } = of.seen().unwrap();
        since::changed(&of, link, None, now, &snapshot.header.block()).unwrap()
    };
    let ran = [(VAULT, VAULT, 1), (VAULT, behind, 2)];
    assert!(told(&ran, &code(1, behind)).is_empty());
    assert!(told(&ran, &code(1, Address::ZERO)).is_empty(), "the slots name no implementation");
    let moved = [format!("vault {VAULT} has another implementation than when this was proposed")];
    assert_eq!(told(&ran, &code(1, OTHER)), moved);
    let other = [format!("vault {VAULT} has other code than when this was proposed")];
    assert_eq!(told(&ran, &code(3, behind)), other);
    assert_eq!(told(&ran, &Readings::default()), other, "no answer is not the same code");
    assert!(told(&[], &code(3, OTHER)).is_empty(), "nothing was recorded");
    assert!(
        told(&[(OTHER, VAULT, 2), (OTHER, behind, 2)], &code(1, OTHER)).is_empty(),
        "of another contract"
    );
}
