//! The lines of a journal: written, read back, altered, cut and continued.

use proptest::prelude::*;

use super::*;

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
        assert_eq!(breaks(altered.as_bytes()), [(n + 2, BreakCause::Digest)], "entry {n}");
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
    assert_eq!(of(&[0, 2, 1, 3, 4]), Some((2, BreakCause::Digest)));
    assert_eq!(of(&[0, 1, 3, 4]), Some((3, BreakCause::Digest)));
    assert_eq!(of(&[1, 2, 3, 4]), Some((1, BreakCause::Digest)));
    assert_eq!(of(&[0, 1, 1, 2]), Some((3, BreakCause::Digest)));
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
    assert_eq!(breaks(bytes.as_bytes()), [(2, BreakCause::Number { expected: 2, found: 7 })]);
}

/// The entries before the cut are there, the next entry continues them, and one that lacks only its end is kept.
fn is_continued(whole: &[u8], cut: usize) {
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

/// At every byte of an entry of each act, behind another one; and around the end of each line of a longer journal.
#[test]
fn cut_at_every_byte_the_journal_is_continued() {
    for act in every_act() {
        let whole = journal([note(1, "before"), draft(2, "alice", act, Some(about(1)))]);
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
        (first..=whole.len()).for_each(|cut| is_continued(&whole, cut));
    }
    let whole = all_acts();
    let ends = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    ends.flat_map(|end| end - 1..end + 2).chain([0, 1]).for_each(|cut| is_continued(&whole, cut));
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
fn a_text_too_long_or_not_on_one_line_is_refused() {
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

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic_and_continued(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
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

/// An old drill, proven or abandoned, is not continued, and its announcement no longer counts.
#[test]
fn a_drill_is_over_once_it_is_proven_or_old() {
    let step = |at: u64, step: DrillStep| draft(at, "alice", JournalAct::Drill { step }, Some(about(1)));
    let journaled = |drafts: Vec<UnnumberedEntry>| Journal::read(&journal(drafts));
    let signed = DrillStep::Signed { owner: Address::repeat_byte(1), name: None };
    let open = journaled(vec![step(100, DrillStep::Announced {}), step(200, signed.clone())]);
    let (hash, since) = (about(1).safe_tx_hash, Utc::from_millis);
    assert!(!is_over(open.iter(), hash, since(100)) && is_announced(open.iter(), hash, since(100)));
    assert!(is_over(open.iter(), hash, since(101)) && !is_announced(open.iter(), hash, since(101)));
    assert!(!is_over(open.iter(), about(2).safe_tx_hash, since(101)), "another drill");
    let proven = journaled(vec![step(100, signed), step(200, DrillStep::Proven { block: 7, keys: 2 })]);
    assert!(is_over(proven.iter(), hash, since(0)));
    assert!(!is_announced(proven.iter(), hash, since(0)));
    let real = journaled(vec![draft(100, "alice", JournalAct::Proposed {}, Some(about(1)))]);
    assert!(!is_over(real.iter(), hash, since(101)), "what is real is no drill");
}
