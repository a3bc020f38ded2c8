use super::*;

fn row(millis: u64, lane: &str, text: &str) -> Row {
    Row {
        at: Utc::from_millis(millis).to_string(),
        millis,
        lane: lane.into(),
        text: text.into(),
        by: if lane == "chain" { "chain" } else { "journal" },
        is_grave: text.starts_with("accepted"),
    }
}

fn report() -> Report {
    let hostile = "<script>alert(1)</script> [x](http://a) | `\u{1b}[2J & \"'";
    Report {
        council: "Example".into(),
        title: hostile.into(),
        severity: Some("P1".into()),
        roles: vec![Role { role: "leads".into(), name: "alice".into() }],
        began: Some(Utc::from_millis(0).to_string()),
        closed: None,
        times: vec![Time {
            what: "first signature".into(),
            seconds: Some(700),
            wanted_seconds: Some(600),
            is_late: true,
        }],
        timeline: vec![
            row(0, "monitor", hostile),
            row(1_000, "alice", "accepted before:1"),
            row(61_000, "chain", "executed in block 7"),
        ],
        transactions: vec![Tx {
            what: "vault".into(),
            safe: "guardian".into(),
            address: Address::repeat_byte(1).to_string(),
            chain_id: 1,
            nonce: "42".into(),
            safe_tx_hash: "0x01".into(),
            on_chain: None,
            unknown: Some("no answer".into()),
            is_proven: false,
            changes: vec![Changed {
                what: "vault paused()".into(),
                before: Some("false".into()),
                after: Some("true".into()),
            }],
            check: vec!["cast receipt 0x02".into()],
        }],
        accepted: vec![Accepted {
            who: "alice".into(),
            at: Utc::from_millis(1_000).to_string(),
            ids: vec!["before:1".into()],
        }],
        contradictions: vec![hostile.into()],
        journals: vec![JournalDigest { name: "alice".into(), entries: 3, digest: None, is_whole: false }],
        playbooks: vec![Playbook {
            id: "pause/x".into(),
            digest: "0x03".into(),
            text: "```\n</pre><script>".into(),
        }],
    }
}

/// Every tag that is opened is closed, in order.
fn is_well_formed(html: &str) {
    const VOID: [&str; 5] = ["meta", "br", "!DOCTYPE", "line", "circle"];
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').expect("a tag that does not end") + start;
        let tag = &rest[start + 1..end];
        let name: String =
            tag.trim_start_matches('/').chars().take_while(|c| !c.is_whitespace() && *c != '/').collect();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "near {}", &rest[start..end]);
        } else if !tag.ends_with('/') && (!VOID.contains(&name.as_str()) || tag.contains("circle")) {
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?} is not closed");
}

#[test]
fn the_page_is_well_formed_and_refers_to_nothing_elsewhere() {
    let page = html(&report());
    is_well_formed(&page);
    for forbidden in ["<script", "src=", "href=", "@import", "url(", "javascript:", "onload", "\u{1b}"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let outside: Vec<&str> =
        page.match_indices("http").map(|(at, _)| &page[at..(at + 26).min(page.len())]).collect();
    assert!(
        outside.iter().all(|text| text.starts_with("http://www.w3.org/2000/svg")
            || text.starts_with("http://a")
            || text.starts_with("http-equiv")),
        "{outside:?}"
    );
    assert!(page.contains("class=\"late\"") && page.contains("still open"));
}

#[test]
fn the_markdown_cannot_be_broken_by_what_others_wrote() {
    let text = markdown(&report());
    assert!(!text.contains("<script") || text.contains("\\<script"), "{text}");
    assert!(!text.contains("[x](") && !text.contains('\u{1b}'), "{text}");
    assert!(text.contains("````toml\n```\n"), "{text}");
    assert!(text.contains("| first signature | **11 min 40 s (late)** | 10 min 0 s |"), "{text}");
    assert!(text.contains("- vault paused(): false → true"), "{text}");
}

#[test]
fn every_template_is_filled_and_what_is_not_known_is_marked() {
    for draft in [Draft::Users, Draft::Partners, Draft::Regulator, Draft::PostMortem] {
        let text = fill(built_in(draft), &report(), "id", "initial_notification");
        assert!(!text.contains("[no fact") && !text.contains('{'), "{text}");
        assert!(text.contains("[TO BE FILLED]"), "{text}");
    }
    let filled = fill("{title} {nobody} {Not a name} {", &report(), "id", "x");
    assert!(filled.ends_with("[no fact is called nobody] {Not a name} {"), "{filled}");
    assert!(fill("{discovery}", &report(), "id", "x").contains("monitoring_systems"));
}

#[test]
fn times_are_said_as_people_say_them() {
    for (seconds, text) in [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3_661, "1 h 1 min")] {
        assert_eq!(spoken(seconds), text);
    }
}
