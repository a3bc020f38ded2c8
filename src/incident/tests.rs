use alloy::primitives::{Address, B256};
use proptest::prelude::*;

use super::entry::{LineDigest, NotPlain};
use super::journal::Why;
use super::merge::Contradiction;
use super::*;
use crate::council::TextDigest;
use crate::evm::TxHash;
use crate::playbook::Severity;
use crate::safe::{Nonce, SafeTxHash};

fn about(hash: u8) -> TransactionRef {
    TransactionRef {
        what: Plain::cut("vault"),
        safe: Plain::cut("guardian"),
        address: Address::repeat_byte(0xaa),
        chain_id: 1,
        nonce: Nonce::from(u64::from(hash)),
        safe_tx_hash: SafeTxHash::claimed(B256::repeat_byte(hash)),
    }
}

fn draft(time: u64, who: &str, act: JournalAct, about: Option<TransactionRef>) -> UnnumberedEntry {
    UnnumberedEntry {
        time: Utc::from_millis(time),
        who: Some(Plain::cut(who)),
        program: Plain::cut("0.1.0"),
        council: TextDigest::of("council"),
        act,
        about,
    }
}

fn note(time: u64, text: &str) -> UnnumberedEntry {
    draft(time, "alice", JournalAct::Note { text: Plain::cut(text) }, None)
}

fn opened() -> JournalAct {
    let leads = Some(Plain::cut("alice"));
    JournalAct::Opened {
        title: Plain::cut("drained"),
        severity: Severity::P1,
        leads,
        speaks: None,
        writes: None,
    }
}

fn tx(byte: u8) -> TxHash {
    TxHash::claimed(B256::repeat_byte(byte))
}

fn deputed(module: Option<Address>, step: TxStep) -> JournalAct {
    JournalAct::Deputy(Deputed {
        lever: Plain::cut("freeze"),
        deputy: Address::repeat_byte(1),
        module,
        safe: Plain::cut("guardian"),
        chain_id: 1,
        step,
    })
}

/// Every act, once.
fn every_act() -> Vec<JournalAct> {
    let owner = Address::repeat_byte(1);
    vec![
        opened(),
        JournalAct::Note { text: Plain::cut("\"quoted\" \\ é") },
        JournalAct::Alarm {
            name: Plain::cut("drained"),
            by: Plain::cut("tenderly"),
            id: Some(Plain::cut("5f1d2c3a")),
            text: Plain::cut("{}"),
        },
        JournalAct::Alarm {
            name: Plain::cut("drained"),
            by: Plain::cut("watch"),
            id: None,
            text: Plain::cut("x"),
        },
        JournalAct::Proposed {},
        JournalAct::Signed { owner, name: Some(Plain::cut("alice")) },
        JournalAct::Signed { owner, name: None },
        JournalAct::Imported { owners: vec![owner, Address::repeat_byte(2)] },
        JournalAct::Accepted { ids: vec![Plain::cut("before:1")] },
        JournalAct::Sent { tx: tx(3), payer: owner },
        JournalAct::Mined { tx: tx(3), block: 7, succeeded: true },
        JournalAct::Proven { tx: tx(3), block: 7 },
        deputed(None, TxStep::Signed {}),
        deputed(Some(owner), TxStep::Sent { tx: tx(4), payer: owner }),
        deputed(Some(owner), TxStep::Unproven { tx: tx(4), block: 7 }),
        deputed(None, TxStep::Proven { tx: tx(4), block: 7 }),
        JournalAct::Closed {},
    ]
}

/// A journal of these entries, each appended to those before.
fn journal(drafts: impl IntoIterator<Item = UnnumberedEntry>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for draft in drafts {
        let append = next(&bytes, draft).unwrap();
        assert!(!append.completes);
        bytes.extend(append.line.into_bytes());
    }
    bytes
}

fn breaks(bytes: &[u8]) -> Vec<(usize, Why)> {
    Journal::read(bytes).breaks.into_iter().map(|found| (found.line, found.why)).collect()
}

fn all_acts() -> Vec<u8> {
    journal((0..).zip(every_act()).map(|(at, act)| draft(at, "alice", act, Some(about(1)))))
}

#[test]
fn a_line_is_as_it_is_documented() {
    let bytes = journal([draft(
        0,
        "alice",
        JournalAct::Sent { tx: tx(3), payer: Address::repeat_byte(1) },
        Some(about(2)),
    )]);
    let expected = concat!(
        r#"{"v":1,"number":1,"time":"1970-01-01T00:00:00.000Z","who":"alice","program":"0.1.0","#,
        r#""council":"COUNCIL","#,
        r#""act":{"kind":"sent","tx":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
        r#""payer":"0x0101010101010101010101010101010101010101"},"about":{"what":"vault","safe":"guardian","#,
        r#""address":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","chain_id":1,"nonce":"2","#,
        r#""safe_tx_hash":"0x0202020202020202020202020202020202020202020202020202020202020202"},"#,
        r#""previous":"0x0000000000000000000000000000000000000000000000000000000000000000"}"#,
        "\n"
    )
    .replace("COUNCIL", &TextDigest::of("council").to_string());
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    // printf 'line\n' | sha256sum
    let digest = "0xc73b73af8851e9e91bc6b4dc12e7dace0a2bfb931c1d0b8b36ef367319f58cd1";
    assert_eq!(LineDigest::of(b"line").to_string(), digest);
}

#[test]
fn every_act_is_read_back_and_the_chain_is_whole() {
    let bytes = all_acts();
    let journal = Journal::read(&bytes);
    assert_eq!((journal.breaks.as_slice(), journal.torn), (&[][..], 0));
    let acts: Vec<JournalAct> = journal.iter().map(|entry| entry.draft.act.clone()).collect();
    assert_eq!(acts, every_act());
    let numbers: Vec<u64> = journal.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=acts.len() as u64).collect::<Vec<_>>());
    assert!(Journal::read(b"").entries.is_empty());
}

#[test]
fn one_altered_entry_breaks_the_chain_behind_it() {
    let bytes = journal((0..9).map(|n| note(n, &format!("note {n}"))));
    let text = String::from_utf8(bytes).unwrap();
    for n in 0..8 {
        let altered = text.replace(&format!("note {n}"), "other!");
        assert_eq!(breaks(altered.as_bytes()), [(n + 2, Why::Digest)], "entry {n}");
    }
    let last = text.replace("note 8", "other!");
    assert_eq!(breaks(last.as_bytes()), [], "nothing comes after the last line: its digest tells");
    assert_ne!(Journal::read(last.as_bytes()).last, Journal::read(text.as_bytes()).last);
}

#[test]
fn lines_moved_taken_out_or_put_in_break_the_chain() {
    let bytes = journal((0..5).map(|n| note(n, &format!("note {n}"))));
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let of = |order: &[usize]| {
        let bytes: String = order.iter().map(|n| lines[*n]).collect();
        breaks(bytes.as_bytes()).first().map(|(line, why)| (*line, why.clone()))
    };
    assert_eq!(of(&[0, 1, 2, 3, 4]), None);
    assert_eq!(of(&[0, 2, 1, 3, 4]), Some((2, Why::Digest)));
    assert_eq!(of(&[0, 1, 3, 4]), Some((3, Why::Digest)));
    assert_eq!(of(&[1, 2, 3, 4]), Some((1, Why::Digest)));
    assert_eq!(of(&[0, 1, 1, 2]), Some((3, Why::Digest)));
    let found = Journal::read(format!("{}garbage\n{}", lines[0], lines[1]).as_bytes());
    assert_eq!(found.breaks.len(), 2);
    assert!(
        found.breaks[0].to_string().starts_with("line 2: it is not an entry of this version"),
        "{found:?}"
    );
    assert_eq!(found.entries.len(), 2);
    // The right digest, and another number.
    let first = Entry::parse(lines[0].trim_end().as_bytes()).unwrap();
    let skipped = Entry { number: 7, previous: LineDigest::of(lines[0].trim_end().as_bytes()), ..first };
    let bytes = format!("{}{}\n", lines[0], skipped.line());
    assert_eq!(breaks(bytes.as_bytes()), [(2, Why::Number { expected: 2, found: 7 })]);
}

/// Cut at every byte: the entries before the cut are there, the next entry continues them, and one that lacks only its end
/// is kept.
#[test]
fn cut_at_every_byte_the_journal_is_continued() {
    let whole = all_acts();
    for cut in 0..=whole.len() {
        let bytes = &whole[..cut];
        let append = next(bytes, note(99, "after")).unwrap();
        let torn = bytes.iter().rev().take_while(|b| **b != b'\n').count();
        let is_complete = torn > 0 && whole.get(cut) == Some(&b'\n');
        assert_eq!(append.completes, is_complete, "cut at {cut}");
        let mut continued = if is_complete { [bytes, b"\n"].concat() } else { bytes[..cut - torn].to_vec() };
        let before = Journal::read(&continued).entries.len();
        continued.extend(append.line.as_bytes());
        let journal = Journal::read(&continued);
        assert_eq!(
            (journal.entries.len(), journal.breaks.len(), journal.torn),
            (before + 1, 0, 0),
            "cut at {cut}"
        );
        assert_eq!(Journal::read(bytes).torn, torn);
    }
}

#[test]
fn a_journal_that_ends_in_a_line_nobody_can_read_is_continued_with_the_next_number() {
    let mut bytes = journal([note(0, "one"), note(1, "two")]);
    bytes.extend(b"garbage\n");
    bytes.extend(next(&bytes, note(2, "four")).unwrap().line.into_bytes());
    let read = Journal::read(&bytes);
    assert_eq!(read.iter().last().unwrap().number, 4);
    assert_eq!(read.breaks.iter().map(|found| found.line).collect::<Vec<_>>(), [3], "and nothing else");
}

#[test]
fn what_is_too_long_or_not_on_one_line_is_refused() {
    assert_eq!(Plain::new(" "), Err(NotPlain::Empty));
    assert_eq!(Plain::new("a\nb"), Err(NotPlain::Control));
    assert_eq!(Plain::new("\u{1b}[2J"), Err(NotPlain::Control));
    assert_eq!(Plain::new(&"é".repeat(501)), Err(NotPlain::Long(501)));
    assert!(Plain::new(&"é".repeat(500)).is_ok());
    assert_eq!(
        Plain::new("down: https://rpc.example/v2/KEY").unwrap().to_string(),
        "down: https://rpc.example/…"
    );
    assert_eq!(Plain::cut(&"x\n".repeat(600)).to_string().chars().count(), 500);
    assert_eq!(Entry::parse(&vec![b'a'; LONGEST_LINE]), Err(BadEntry::Long));
    let ids = vec![Plain::cut(&"\"".repeat(500)); MOST_LISTED];
    assert!(next(b"", draft(0, "alice", JournalAct::Accepted { ids: ids.clone() }, None)).is_ok());
    let ids = ids.into_iter().cycle().take(200).collect();
    assert_eq!(next(b"", draft(0, "alice", JournalAct::Accepted { ids }, None)), Err(BadEntry::Long));
}

#[test]
fn an_entry_is_written_in_one_way_only() {
    let bytes = all_acts();
    let line = bytes.split(|b| *b == b'\n').next().unwrap();
    let text = String::from_utf8(line.to_vec()).unwrap();
    assert!(Entry::parse(line).is_ok());
    for (from, to) in
        [("{\"v\":1,", "{ \"v\":1,"), ("0xaaaa", "0xAAAA"), ("\"nonce\":\"1\"", "\"nonce\":\"0x1\"")]
    {
        assert_eq!(Entry::parse(text.replacen(from, to, 1).as_bytes()), Err(BadEntry::Rewritten), "{to}");
    }
    for (from, to) in
        [("\"v\":1", "\"v\":2"), ("\"v\":1", "\"w\":1,\"v\":1"), ("P1", "P6"), ("\"opened\"", "\"o\"")]
    {
        let found = Entry::parse(text.replacen(from, to, 1).as_bytes());
        assert!(matches!(found, Err(BadEntry::Unreadable(_))), "{to}: {found:?}");
    }
}

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
fn what_is_done_while_an_incident_is_open_belongs_to_it() {
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

proptest! {
    #[test]
    fn nothing_that_is_read_panics_and_what_is_read_is_continued(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let read = Journal::read(&bytes);
        prop_assert!(read.breaks.len() + read.more >= usize::from(read.entries.is_empty() && bytes.contains(&b'\n')));
        prop_assert!(next(&bytes, note(0, "next")).is_ok());
    }

    #[test]
    fn one_byte_altered_anywhere_but_in_the_last_line_is_found(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = all_acts();
        let last = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap();
        let at = at.index(last);
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        prop_assert!(!Journal::read(&bytes).breaks.is_empty());
    }

    #[test]
    fn texts_are_read_back(text in "\\PC{1,60}") {
        let Ok(text) = Plain::new(&text) else { return Ok(()) };
        let bytes = journal([draft(0, "alice", JournalAct::Note { text: text.clone() }, None)]);
        let read = Journal::read(&bytes);
        prop_assert_eq!(&read.iter().next().unwrap().draft.act, &JournalAct::Note { text });
    }
}

/// Two of the three owners of `guardian` on chain 1, and who is who.
fn council() -> crate::council::Council {
    let signer =
        |name: &str, byte: u8| format!("[signers.{name}]\naddress = \"{}\"\n", Address::repeat_byte(byte));
    let text = format!(
        "schema = 1\nname = \"E\"\n[chains.main]\nid = 1\n[safes.guardian]\nchain = \"main\"\naddress = \"{}\"\n\
         owners = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\n{}{}{}[response]\nfirst_signature = \"1 minute\"\n",
        Address::repeat_byte(0xaa),
        signer("alice", 1),
        signer("bob", 2),
        signer("carol", 3)
    );
    crate::council::Council::parse("breakglass.toml", &text).unwrap()
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
    // A signature of something else is no answer to this.
    let other = JournalAct::Imported { owners: vec![Address::repeat_byte(2)] };
    let found = unheard(vec![draft(2_000, "alice", other, Some(about(2)))]);
    let all: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(all, ["bob", "carol", "carol"]);
}

#[test]
fn what_a_deputy_did_is_listed_once_with_the_chains_word() {
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
    let took =
        |what: &str| record.measures.iter().find(|m| m.what == what).unwrap().took.map(|t| t.as_secs());
    assert_eq!((took("sent"), took("proven")), (Some(1), Some(2)));
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
    let took = |what: &str| {
        let measure = record.measures.iter().find(|measure| measure.what == what).unwrap();
        (measure.took.unwrap().as_millis(), measure.is_late())
    };
    assert_eq!(took("first signature"), (65_000, true), "the council wants one minute");
    assert_eq!(took("sent"), (80_400, false));
    assert_eq!(took("in a block"), (82_000, false));
    assert_eq!(took("proven"), (85_000, false));
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
