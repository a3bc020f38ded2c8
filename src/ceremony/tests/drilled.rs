//! Drills by the reader's own files and journal, and how far one has to come to be proven.

use super::on_chain::*;
use super::*;
use crate::ceremony::drills::drilling;
use crate::ceremony::drills::drilling::{DrillProof, keys};
use crate::ceremony::judged::Judged;
use crate::ceremony::rehearsal_result::tests::performed;
use crate::ceremony::rehearsal_result::{CompletedRehearsal, RehearsalResult};
use crate::ceremony::rehearse::Rehearsed;
use crate::error::Exit;
use crate::fork::RunResult;
use crate::incident::{DrillStep, Journal, JournalAct, Plain, UnnumberedEntry};
use crate::proposal::DrillName;

fn entries(desk: &Desk) -> Vec<UnnumberedEntry> {
    let journal = Journal::read(&desk.incidents.journal().read().unwrap());
    assert!(journal.breaks.is_empty());
    journal.iter().map(|entry| entry.draft.clone()).collect()
}

#[test]
fn an_entry_says_who_did_what_with_which_council_file() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let cut_off = desk.enter(JournalAct::Proposed {}, Some(desk.about(&vault))).unwrap();
    assert!(cut_off.is_none());
    let alices = Desk { variable: |name| (name == "BREAKGLASS_ME").then(|| "alice".into()), ..home.desk() };
    alices.enter(JournalAct::Closed {}, None).unwrap();
    let all = entries(&desk);
    assert_eq!([&all[0].who, &all[1].who], [&None, &Some(Plain::cut("alice"))]);
    assert_eq!((all.len(), &all[0].act, &all[1].act), (2, &JournalAct::Proposed {}, &JournalAct::Closed {}));
    assert_eq!(all[0].about.as_ref().map(|about| about.safe_tx_hash), Some(vault.hash()));
    assert_eq!(all[0].council, crate::council::TextDigest::of(&desk.text));
    assert!(all[0].program.to_string().starts_with(env!("CARGO_PKG_VERSION")), "{}", all[0].program);
    assert_eq!(all[0].program.to_string().ends_with(" (debug)"), cfg!(debug_assertions));
    // A last line that was cut off is said, and the rest stands.
    let path = home.path().join("incidents").join("journal.jsonl");
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend(b"{\"torn");
    std::fs::write(&path, torn).unwrap();
    assert!(desk.enter(JournalAct::Closed {}, None).unwrap().is_some());
    assert_eq!(entries(&desk).len(), 3);
}

#[test]
fn the_journal_takes_names_that_the_council_file_has() {
    let home = Home::new()
        .with("[signers.bob]", "[people.zoe]\nrole = \"writer\"\nreach = \"phone\"\n[signers.bob]");
    let desk = home.desk();
    for name in ["alice", "dora", "zoe"] {
        assert_eq!(desk.known_name(name).unwrap().to_string(), name);
    }
    let error = desk.known_name("alcie").unwrap_err();
    assert_eq!(error.exit, Exit::Usage);
    assert!(
        error.message.starts_with("nobody is called \"alcie\" in the council file; "),
        "{}",
        error.message
    );
}

#[test]
fn a_drill_is_announced_by_this_machines_journal() {
    let home = Home::new();
    let desk = home.desk();
    let drill = proposed(&desk, &["vault"], &at(4), 0).for_drill().unwrap();
    assert!(!desk.is_announced(&drill).unwrap());
    let other = drill.clone().at_nonce(Nonce::from(5));
    assert_ne!(other, drill.hash());
    let step = JournalAct::Drill { step: DrillStep::Announced {} };
    desk.enter(step, Some(desk.about(&drill))).unwrap();
    assert!(desk.is_announced(&drill).unwrap());
    let bridge = proposed(&desk, &["bridge"], &at(4), 0).for_drill().unwrap();
    assert!(!desk.is_announced(&bridge).unwrap());
}

#[test]
fn the_drill_that_is_kept_is_the_one_that_was_named() {
    let home = Home::new();
    let desk = home.desk();
    let drill = |nonce: u64| proposed(&desk, &["vault"], &at(nonce), 0).for_drill().unwrap();
    for kept in [drill(4), drill(5), proposed(&desk, &["bridge"], &at(4), 0).for_drill().unwrap()] {
        desk.keep_proposal(&kept).unwrap();
    }
    desk.keep_proposal(&proposed(&desk, &["vault"], &at(4), 0)).unwrap();
    let kept =
        |order: &Order, given: &Given| desk.kept_drill(order, given).unwrap().map(|drill| drill.hash());
    let plain = order(&desk, &["vault"], &at(4)).drilling(None);
    assert_eq!(kept(&plain, &at(4)), Some(drill(4).hash()));
    assert_eq!(kept(&plain, &at(6)), None);
    let name = DrillName::of(&drill(5)).unwrap();
    let named = order(&desk, &[&name.to_string()], &Given::default());
    assert_eq!(kept(&named, &Given::default()), Some(drill(5).hash()));
    let head = if name.head().starts_with('0') { "1111" } else { "0000" };
    let other: DrillName = format!("drill:vault-n5-{head}").parse().unwrap();
    assert_eq!(kept(&plain.drilling(Some(other)), &Given::default()), None, "it is not the announced one");
}

/// A drill that these have signed, rehearsed like this.
fn drilled<'a>(desk: &'a Desk, signers: &[u8], rehearsal: RehearsalResult) -> Judged<'a> {
    let drill = proposed(desk, &["vault"], &at(4), 0).for_drill().unwrap();
    for seed in signers {
        desk.keep_signature(&drill, &sign(desk, *seed, &drill)).unwrap();
    }
    let judged = judged(desk, &drill, 4, Readings::default()).rehearsed().unwrap();
    Rehearsed { rehearsal, ..judged }.judge(true)
}

fn done(change: impl FnOnce(&mut CompletedRehearsal)) -> RehearsalResult {
    let mut done = performed(RunResult::Succeeded, &[true]);
    change(&mut done);
    RehearsalResult::Done(Box::new(done))
}

#[test]
fn a_drill_is_proven_only_once_enough_signed_and_its_act_would_work() {
    let refused = |signers: &[u8], rehearsal: RehearsalResult| {
        let home = Home::new();
        let desk = home.desk();
        let error = drilling::prove(&drilled(&desk, signers, rehearsal)).err().unwrap();
        (error.exit, error.message)
    };
    let few = (Exit::Shortfall, "not enough owners have signed this drill".to_string());
    assert_eq!(refused(&[ALICE], done(|_| ())), few);
    let (exit, why) = refused(&[ALICE, BOB], RehearsalResult::NotWanted);
    assert_eq!((exit, why.as_str()), (Exit::Failed, "the drill is not proven: it was not rehearsed"));
    let (_, why) = refused(&[ALICE, BOB], RehearsalResult::Failed("no RPC".into()));
    assert_eq!(why, "the drill is not proven: no RPC");
    let (_, why) = refused(&[ALICE, BOB], done(|done| done.rehearsal.outcome = RunResult::Reverted));
    assert!(why.starts_with("the drill is not proven: the act would fail: "), "{why}");
    let (_, why) = refused(&[ALICE, BOB], done(|done| done.after[0].holds = false));
    assert!(why.starts_with("the drill is not proven: the act would not do its work: "), "{why}");
    // All that is left is to ask the Safe's own code, which this chain does not answer for.
    let (exit, why) = refused(&[ALICE, BOB], done(|_| ()));
    assert_eq!(exit, Exit::Network, "{why}");
    // What is real is no drill.
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    for seed in [ALICE, BOB] {
        desk.keep_signature(&vault, &sign(&desk, seed, &vault)).unwrap();
    }
    let real: Result<DrillProof, Error> =
        drilling::prove(&rehearsed(&desk, &vault, performed(RunResult::Succeeded, &[true])));
    assert_eq!(real.err().unwrap().message, few.1);
}

#[test]
fn the_keys_of_a_drill_are_those_of_the_safes_among_its_owners_too() {
    let labs = Address::repeat_byte(0x22);
    let count = |home: &Home, signers: &[u8], of_labs: &[u8]| {
        let desk = home.desk();
        let drill = proposed(&desk, &["vault"], &at(4), 0).for_drill().unwrap();
        for seed in of_labs {
            desk.keep_signature(&drill, &sign_through(&desk, *seed, &drill, labs)).unwrap();
        }
        keys(&drilled(&desk, signers, RehearsalResult::NotWanted).tally())
    };
    assert_eq!(count(&Home::new(), &[ALICE, BOB], &[]), 2);
    let pins = "owners = [\"carol\", \"dora\"]\nthreshold = ";
    let two = || Home::new().with(&format!("{pins}1"), &format!("{pins}2"));
    assert_eq!(count(&two(), &[ALICE], &[CAROL, DORA]), 3, "labs answers with two keys");
    assert_eq!(count(&two(), &[ALICE], &[CAROL]), 1, "and with none before that");
    assert_eq!(count(&Home::new(), &[ALICE, BOB], &[CAROL]), 2, "no more than the threshold takes");
}
