//! The record of an incident: who was asked, who acted alone, and how long each step took.

use super::*;
use crate::council::tests::written::CouncilText;

/// Two of the three owners of `guardian` on chain 1, and who is who.
fn council() -> crate::council::Council {
    let [alice, bob, carol, guardian] = [1, 2, 3, 0xaa].map(Address::repeat_byte);
    let text = CouncilText::new().signer("alice", alice).signer("bob", bob).signer("carol", carol);
    let text = text.safe("guardian", guardian, &["alice", "bob", "carol"], 2);
    text.and("[response]\nfirst_signature = \"1 minute\"\n").council()
}

fn record_of(drafts: Vec<UnnumberedEntry>, wanted: &RecordScope, receipts: &Receipts) -> Record {
    let bytes = journal(drafts);
    let journals = [Journal::read(&bytes)];
    let merged = merge(&journals);
    let entries = select(&merged, wanted);
    record(&entries, (std::collections::BTreeMap::new(), receipts), &merged, &council())
}

#[test]
fn an_owner_who_neither_signed_nor_is_awake_was_asked_without_answer() {
    let proposed = draft(1_000, "alice", JournalAct::Proposed {}, Some(about(1)));
    let unheard = |more: Vec<UnnumberedEntry>| {
        let drafts = std::iter::once(proposed.clone()).chain(more).collect();
        let record = record_of(drafts, &RecordScope::Since(Utc::from_millis(0)), &Receipts::new());
        let unanswered = |moment: &Moment| match (&moment.what, &moment.lane) {
            (Happened::Unanswered { .. }, Lane::Person(name)) => Some((name.clone(), moment.at.millis())),
            _ => None,
        };
        record.moments.iter().filter_map(unanswered).collect::<Vec<_>>()
    };
    let named = |names: &[&str]| names.iter().map(|name| ((*name).to_string(), 1_000)).collect::<Vec<_>>();
    // Alice wrote in her own journal.
    assert_eq!(unheard(vec![]), named(&["bob", "carol"]));
    let imported = JournalAct::Imported { owners: vec![Address::repeat_byte(2)] };
    assert_eq!(unheard(vec![draft(2_000, "alice", imported, Some(about(1)))]), named(&["carol"]));
    let awake = JournalAct::Awake { name: Plain::cut("carol"), at: Utc::from_millis(1_500) };
    let drafts = vec![
        draft(2_000, "alice", JournalAct::Note { text: Plain::cut("x") }, Some(about(1))),
        draft(3_000, "alice", awake, Some(about(1))),
    ];
    assert_eq!(unheard(drafts), named(&["bob"]));
    // A signature of another transaction does not answer this one.
    let other = JournalAct::Imported { owners: vec![Address::repeat_byte(2)] };
    let found = unheard(vec![draft(2_000, "alice", other, Some(about(2)))]);
    let all: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(all, ["bob", "carol", "carol"]);
}

#[test]
fn a_deputys_act_is_listed_once_with_its_receipt() {
    let sent = |byte: u8| deputed(None, TxStep::Sent { tx: tx(byte), payer: Address::repeat_byte(2) });
    let drafts = vec![
        draft(1_000, "alice", deputed(Some(Address::repeat_byte(9)), TxStep::Signed {}), None),
        draft(2_000, "alice", sent(4), None),
        draft(3_000, "alice", deputed(None, TxStep::Proven { tx: tx(4), block: 7 }), None),
        draft(4_000, "alice", sent(5), None),
    ];
    let receipts = Receipts::from([(tx(4), (7, true))]);
    let record = record_of(drafts, &RecordScope::Lever("freeze".into()), &receipts);
    let rows: Vec<_> = record.alone.iter().map(|one| (one.at.millis(), one.tx(), one.on_chain)).collect();
    assert_eq!(
        rows,
        [(1_000, None, None), (2_000, Some(tx(4)), Some((7, true))), (4_000, Some(tx(5)), None)],
        "a signature in a file stands by itself: it may be used at any time"
    );
    assert!(matches!(record.alone[1].act.step, TxStep::Proven { block: 7, .. }));
    assert_eq!(record.title, "freeze");
    let took = |phase: TimedPhase| {
        record.measures.iter().find(|m| m.phase == phase).unwrap().took.map(|t| t.as_secs())
    };
    assert_eq!((took(TimedPhase::Sent), took(TimedPhase::Proven)), (Some(1), Some(2)));
}

/// From an alarm to the proof, at times that the test chose.
#[test]
fn the_records_times_are_those_of_the_journal_and_of_the_block() {
    let of = |time: u64, who: &str, act: JournalAct| draft(time, who, act, Some(about(1)));
    let alarm = JournalAct::Alarm {
        name: Plain::cut("drained"),
        by: Plain::cut("watch"),
        id: None,
        text: Plain::cut("x"),
    };
    let signed = |byte: u8| JournalAct::Signed { owner: Address::repeat_byte(byte), name: None };
    let drafts = vec![
        draft(10_000, "alice", opened(), None),
        draft(10_500, "alice", alarm, None),
        of(11_000, "alice", JournalAct::Proposed {}),
        of(75_000, "bob", signed(2)),
        of(80_000, "carol", signed(3)),
        of(90_400, "alice", JournalAct::Sent { tx: tx(3), payer: Address::repeat_byte(1) }),
        of(95_000, "alice", JournalAct::Proven { tx: tx(3), block: 7 }),
    ];
    let bytes = journal(drafts);
    let journals = [Journal::read(&bytes)];
    let merged = merge(&journals);
    let entries = select(&merged, &RecordScope::Last);
    let executed = |time: u64| ExecutionFacts {
        tx: tx(3),
        block: 7,
        time: Some(time),
        succeeded: true,
        sender: Address::repeat_byte(1),
        signers: vec![Address::repeat_byte(2), Address::repeat_byte(3)],
    };
    let at = |block_time: u64| {
        let facts = TxFacts { executed: Some(executed(block_time)), ..TxFacts::default() };
        let facts = std::collections::BTreeMap::from([(about(1).safe_tx_hash, facts)]);
        record(&entries, (facts, &Receipts::new()), &merged, &council())
    };
    let record = at(92);
    let took = |phase: TimedPhase| {
        let measure = record.measures.iter().find(|measure| measure.phase == phase).unwrap();
        (measure.took.unwrap().as_millis(), measure.is_late())
    };
    assert_eq!(took(TimedPhase::FirstSignature), (65_000, true), "the council wants one minute");
    assert_eq!(took(TimedPhase::Sent), (80_400, false));
    assert_eq!(took(TimedPhase::InBlock), (82_000, false));
    assert_eq!(took(TimedPhase::Proven), (85_000, false));
    let mined = |record: &Record| {
        let is_it = |moment: &&Moment| matches!(moment.what, Happened::Mined { .. });
        record.moments.iter().find(is_it).unwrap().at.millis()
    };
    assert_eq!(mined(&record), 92_000);
    assert_eq!(mined(&at(90)), 90_400, "a block of the second in which it was sent does not come before it");
    assert!(record.moments.is_sorted_by_key(|moment| moment.at));
    let unanswered = record.moments.iter().filter(|m| matches!(m.what, Happened::Unanswered { .. })).count();
    assert_eq!(unanswered, 0, "all three were heard");
}

#[test]
fn each_transaction_that_the_chain_is_asked_about_is_counted_once() {
    let sent = |byte: u8| deputed(None, TxStep::Sent { tx: tx(byte), payer: Address::repeat_byte(2) });
    let drilled = JournalAct::Drill { step: DrillStep::Announced {} };
    let bytes = journal([
        draft(1, "alice", JournalAct::Proposed {}, Some(about(1))),
        draft(2, "alice", JournalAct::Imported { owners: vec![] }, Some(about(1))),
        draft(3, "alice", JournalAct::Proposed {}, Some(about(2))),
        draft(4, "alice", drilled, Some(about(3))),
        draft(5, "alice", sent(4), None),
        draft(6, "bob", sent(4), None),
        draft(7, "alice", deputed(None, TxStep::Proven { tx: tx(5), block: 7 }), None),
    ]);
    let journal = Journal::read(&bytes);
    let entries: Vec<&Entry> = journal.iter().collect();
    assert_eq!(transactions(&entries).len(), 2, "a drill is none");
    assert_eq!(count_transactions(&entries), 3);
}
