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
fn two_journals_with_different_versions_of_one_entry_contradict_each_other() {
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
    let called = |what: &str| {
        let about = TransactionRef { what: Plain::cut(what), ..about(1) };
        found(journal([draft(3, "bob", mined(7), Some(about))]))
    };
    assert_eq!(called("freeze --without bridge"), [], "a combined lever is another name of it");
    assert_eq!(called("freeze --undo").len(), 1);
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

/// Somebody's journal may contradict itself in every line: the work and what is listed have a bound.
#[test]
fn only_the_first_of_many_contradictions_are_listed() {
    let told = |count: u64| {
        let drafts = (0..count).map(|nonce| {
            let about = TransactionRef { nonce: Nonce::from(nonce), ..about(1) };
            draft(nonce, "mallory", JournalAct::Proposed {}, Some(about))
        });
        let bytes = journal(drafts);
        let journals = [Journal::read(&bytes)];
        let merged = merge(&journals);
        (merged.contradictions.len(), merged.has_more)
    };
    assert_eq!(told(101), (100, false), "the first statement contradicts nothing");
    assert_eq!(told(102), (100, true));
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
    let entries: Vec<(usize, &Entry)> = journal.iter().map(|entry| (0, entry)).collect();
    let alone = Belongs::Transaction(about(1).safe_tx_hash);
    let inside = Belongs::Incident(1);
    assert_eq!(belonging(&entries), [alone, inside, inside, inside, alone]);
    assert_eq!(open_incident(journal.iter()), None);
    assert_eq!(open_incident(journal.iter().take(3).collect::<Vec<_>>().into_iter()).unwrap().number, 2);
}

/// Mallory's journal says that the incident ended before it was answered, and that another began: the reader's own
/// journal decides. Without one of the reader's own, the other's counts.
#[test]
fn another_persons_journal_does_not_close_an_incident() {
    let alice = journal([
        draft(10, "alice", opened(), None),
        draft(30, "alice", JournalAct::Proposed {}, Some(about(1))),
        draft(50, "alice", JournalAct::Closed {}, None),
    ]);
    let mallory = journal([
        draft(5, "mallory", opened(), None),
        draft(20, "mallory", JournalAct::Closed {}, None),
        draft(40, "mallory", opened(), None),
        draft(45, "mallory", JournalAct::Closed {}, None),
    ]);
    let read = |journals: &[&Vec<u8>]| journals.iter().map(|bytes| Journal::read(bytes)).collect::<Vec<_>>();
    let both = read(&[&alice, &mallory]);
    let merged = merge(&both);
    let of = |wanted: RecordScope| {
        let entries = select(&merged, &wanted);
        entries.iter().map(|entry| entry.draft.time.millis()).collect::<Vec<_>>()
    };
    for wanted in [RecordScope::Last, RecordScope::Opened(1), RecordScope::Lever("vault".into())] {
        assert_eq!(of(wanted), [10, 20, 30, 40, 45, 50], "all that was entered while it was open");
    }
    let council = crate::council::tests::written::CouncilText::new().council();
    let record = |merged: &Merged| {
        let entries = select(merged, &RecordScope::Last);
        let record =
            record(&entries, (std::collections::BTreeMap::new(), &Receipts::new()), merged, &council);
        (record.began.map(Utc::millis), record.closed.map(Utc::millis))
    };
    assert_eq!(record(&merged), (Some(10), Some(50)));
    let quiet = journal([draft(15, "alice", JournalAct::Proposed {}, Some(about(1)))]);
    let others = read(&[&quiet, &mallory]);
    assert_eq!(record(&merge(&others)), (Some(40), Some(45)), "the last one that somebody opened");
    let open = journal([draft(10, "alice", opened(), None), note(60, "still at it")]);
    let still = read(&[&open, &mallory]);
    assert_eq!(record(&merge(&still)), (Some(10), None), "it is closed when its own journal says so");
}
