//! Journals of several machines, merged, and the entries that belong to one incident.

use super::*;

#[test]
fn journals_are_merged_in_the_order_of_time_and_a_copy_adds_nothing() {
    let alice = journal([note(10, "a"), note(30, "c")]);
    let bob = journal([draft(20, "bob", JournalAct::Note { text: Plain::cut("b") }, None)]);
    let first_of_alices = alice.split_inclusive(|b| *b == b'\n').next().unwrap();
    let journals = [&alice[..], &bob, first_of_alices].map(Journal::read);
    let merged = merge(&journals);
    let times: Vec<(usize, Utc)> = merged.entries.iter().map(|(j, e)| (*j, e.draft.time)).collect();
    assert_eq!(times, [(0, 10), (1, 20), (0, 30)].map(|(journal, at)| (journal, Utc::from_millis(at))));
    assert_eq!(merged.contradictions, []);
}

#[test]
fn journals_that_tell_one_thing_differently_contradict_each_other() {
    let mined = |block| JournalAct::Mined { tx: tx(1), block, succeeded: true };
    let proven = JournalAct::Proven { tx: tx(1), block: 7 };
    let other = TransactionRef { nonce: Nonce::from(9), ..about(1) };
    let alice = journal([
        draft(1, "alice", JournalAct::Proposed {}, Some(about(1))),
        draft(2, "alice", mined(7), Some(about(1))),
    ]);
    let found = |bob: Vec<u8>| merge(&[&alice, &bob].map(|j| Journal::read(j))).contradictions;
    assert_eq!(found(journal([draft(3, "bob", proven, Some(about(1)))])), []);
    let named = TransactionRef { safe: Plain::cut("its name at bob's"), ..about(1) };
    assert_eq!(
        found(journal([draft(3, "bob", mined(7), Some(named))])),
        [],
        "a Safe's name is each council's own"
    );
    let told = found(journal([draft(3, "bob", JournalAct::Proposed {}, Some(other))]));
    assert!(matches!(told[..], [Contradiction::Transaction { journals: (0, 1), .. }]), "{told:?}");
    let told = found(journal([draft(3, "bob", mined(8), Some(about(1)))]));
    assert!(matches!(told[..], [Contradiction::Outcome { journals: (0, 1), .. }]), "{told:?}");
    assert!(told[0].to_string().contains("journal 1 says mined in block 7"), "{}", told[0]);
    // Rewritten from its second line on.
    let rewritten =
        journal([draft(1, "alice", JournalAct::Proposed {}, Some(about(1))), note(5, "nothing happened")]);
    let told = found(rewritten);
    assert_eq!(told, [Contradiction::Forked { journals: (0, 1), number: 2 }]);
}

#[test]
fn acts_during_an_open_incident_belong_to_it() {
    let acts = [
        JournalAct::Proposed {},
        opened(),
        JournalAct::Proposed {},
        JournalAct::Closed {},
        JournalAct::Proposed {},
    ];
    let bytes = journal((0..).zip(acts).map(|(at, act)| draft(at, "alice", act, Some(about(1)))));
    let journal = Journal::read(&bytes);
    let entries: Vec<&Entry> = journal.iter().collect();
    let alone = Belongs::Transaction(about(1).safe_tx_hash);
    let inside = Belongs::Incident(1);
    assert_eq!(belonging(&entries), [alone, inside, inside, inside, alone]);
    assert_eq!(open_incident(journal.iter()), None);
    assert_eq!(open_incident(journal.iter().take(3).collect::<Vec<_>>().into_iter()).unwrap().number, 2);
}
