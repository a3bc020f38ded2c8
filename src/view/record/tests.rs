use super::dora::dora;
use super::drafts::fill;
use super::*;

fn row(millis: u64, lane: &str, text: &str) -> TimelineRow {
    TimelineRow {
        at: Utc::from_millis(millis).to_string(),
        millis,
        lane: lane.into(),
        is_alarm: lane == "monitor",
        text: text.into(),
        note: text.strip_prefix("noted: ").map(str::to_string),
        by: if lane == "chain" { "chain" } else { "journal" },
        is_grave: text.starts_with("accepted"),
    }
}

fn report() -> IncidentReport {
    let hostile = "<script>alert(1)</script> [x](http://a) WWW.b.example | `\u{1b}[2J & \"' \u{202e}\u{200b}";
    IncidentReport {
        council: "Example".into(),
        title: hostile.into(),
        severity: Some("P1".into()),
        roles: vec![Role { role: "leads".into(), name: "alice".into() }],
        began: Some(Utc::from_millis(0).to_string()),
        closed: None,
        times: vec![Time {
            what: "first signature".into(),
            phase: TimedPhase::FirstSignature,
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
            is_undo: false,
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
        to_be_confirmed: vec![ToConfirm {
            at: Utc::from_millis(2_000).to_string(),
            lever: hostile.into(),
            deputy: hostile.into(),
            address: Address::repeat_byte(2).to_string(),
            safe: hostile.into(),
            chain_id: 1,
            module: Some(Address::repeat_byte(3).to_string()),
            step: "proven",
            transaction: Some("0x04".into()),
            on_chain: Some(true),
            block: Some(7),
            undo: format!("breakglass undo {hostile}"),
        }],
        accepted: vec![AcceptedFindings {
            who: "alice".into(),
            at: Utc::from_millis(1_000).to_string(),
            ids: vec!["before:1".into()],
        }],
        contradictions: vec![hostile.into()],
        journals: vec![JournalDigest { name: "alice".into(), entries: 3, digest: None, is_whole: false }],
        playbooks: vec![PlaybookText {
            id: "pause/x".into(),
            digest: "0x03".into(),
            text: "```\n</pre><script>\u{202e}".into(),
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
    for draft in
        [DraftAudience::Users, DraftAudience::Partners, DraftAudience::Regulator, DraftAudience::PostMortem]
    {
        let text = fill(built_in(draft), &report(), "id", "initial_notification");
        // A hidden character is shown as \u{…}.
        assert!(!text.contains("[no fact") && !text.replace("u{", "").contains('{'), "{text}");
        assert!(text.contains("[TO BE FILLED]"), "{text}");
    }
    let filled = fill("{title} {nobody} {Not a name} {", &report(), "id", "x");
    assert!(filled.ends_with("[no fact is called nobody] {Not a name} {"), "{filled}");
    assert!(fill("{discovery}", &report(), "id", "x").contains("monitoring_systems"));
}

#[test]
fn foreign_text_puts_no_link_or_hidden_character_into_a_draft_or_record() {
    let drafts =
        [DraftAudience::Users, DraftAudience::Partners, DraftAudience::Regulator, DraftAudience::PostMortem];
    let texts = drafts.map(|draft| fill(built_in(draft), &report(), "id", "initial_notification"));
    for text in &texts {
        assert!(text.contains("\\<script\\>") && text.contains("\\[x\\](http"), "{text}");
        assert!(!text.contains("[x](") && !text.contains(" <script"), "{text}");
        assert!(text.contains("(http:\\//a)") && text.contains("WWW\\.b.example"), "{text}");
    }
    for text in texts.iter().chain([&markdown(&report()), &html(&report())]) {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{text}");
        assert!(text.contains("u{202e}"), "it is seen that it was there: {text}");
    }
}

#[test]
fn times_are_written_as_people_write_them() {
    for (seconds, text) in [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3_661, "1 h 1 min")] {
        assert_eq!(time_text(seconds), text);
    }
}

/// The keys of the ESAs' schema IR-1.2.1 that a draft can have, each with the keys below it; other keys are refused there.
const KEYS: [(&str, &[&str]); 9] = [
    (
        "",
        &[
            "incidentSubmission",
            "submittingEntity",
            "affectedEntity",
            "primaryContact",
            "incident",
            "impactAssessment",
            "informationDurationServiceDowntimeActualOrEstimate",
        ],
    ),
    ("submittingEntity", &["entityType", "name", "code"]),
    ("affectedEntity", &["entityType", "name", "affectedEntityType"]),
    ("primaryContact", &["name", "email"]),
    (
        "incident",
        &[
            "financialEntityCode",
            "incidentDescription",
            "classificationTypes",
            "detectionDateTime",
            "classificationDateTime",
            "incidentDiscovery",
            "incidentDuration",
            "incidentResolutionDateTime",
            "incidentResolutionSummary",
            "incidentResolutionVsPlannedImplementation",
        ],
    ),
    (
        "impactAssessment",
        &[
            "criticalServicesAffected",
            "affectedAssets",
            "isAffectedInfrastructureComponents",
            "affectedInfrastructureComponents",
            "serviceImpact",
        ],
    ),
    ("affectedAssets", &[]),
    (
        "serviceImpact",
        &[
            "isTemporaryActionsMeasuresForRecovery",
            "descriptionOfTemporaryActionsMeasuresForRecovery",
            "serviceDowntime",
            "serviceRestorationDateTime",
        ],
    ),
    ("classificationTypes", &[]),
];

/// The values that are allowed where a field is chosen from a list, of those that a report can have.
const CHOICES: [(&str, &[&str]); 5] = [
    ("incidentSubmission", &["initial_notification", "intermediate_report", "final_report"]),
    ("entityType", &["SUBMITTING_ENTITY", "AFFECTED_ENTITY"]),
    ("incidentDiscovery", &["monitoring_systems"]),
    ("isAffectedInfrastructureComponents", &["yes", "no", "information_not_available"]),
    ("informationDurationServiceDowntimeActualOrEstimate", &["actual_figures", "estimates"]),
];

/// Moments are `YYYY-MM-DDThh:mm:ssZ`, durations `DDD:hh:mm`, and texts at most 32,767 characters long.
fn has_its_form(key: &str, value: &serde_json::Value) {
    let is_like = |text: &str, form: &str| {
        text.len() == form.len()
            && text.chars().zip(form.chars()).all(|(c, f)| if f == '0' { c.is_ascii_digit() } else { c == f })
    };
    if let Some((_, choices)) = CHOICES.iter().find(|(name, _)| *name == key) {
        assert!(choices.contains(&value.as_str().unwrap()), "{key}: {value}");
    } else if key.ends_with("DateTime") {
        assert!(is_like(value.as_str().unwrap(), "0000-00-00T00:00:00Z"), "{key}: {value}");
    } else if ["incidentDuration", "serviceDowntime"].contains(&key) {
        assert!(is_like(value.as_str().unwrap(), "000:00:00"), "{key}: {value}");
    } else if key == "isTemporaryActionsMeasuresForRecovery" {
        assert!(value.is_boolean(), "{key}: {value}");
    } else if let Some(text) = value.as_str() {
        assert!(text.chars().count() <= 32_767, "{key} has {}", text.chars().count());
    } else {
        assert!(value.is_array() || value.is_object(), "{key}: {value}");
    }
}

fn has_only_known_keys(of: &str, value: &serde_json::Value) {
    let known = KEYS.iter().find(|(name, _)| *name == of).map(|(_, keys)| *keys);
    for (key, value) in value.as_object().into_iter().flatten() {
        assert!(known.is_some_and(|keys| keys.contains(&key.as_str())), "{key} in {of:?}");
        assert!(!value.is_null(), "{key} is null");
        has_its_form(key, value);
        has_only_known_keys(key, value);
    }
    value.as_array().into_iter().flatten().for_each(|item| has_only_known_keys(of, item));
}

/// A pause at 10:00 that was taken back at 12:31, in an incident that is closed.
fn closed() -> IncidentReport {
    let minute = |minute: u64| Utc::from_millis(minute * 60_000).to_string();
    let executed = |what: &str, at: u64| Tx {
        what: what.into(),
        is_undo: what == "vault --undo",
        on_chain: Some(OnChain {
            transaction: "0x05".into(),
            block: at,
            time: Some(minute(at)),
            succeeded: true,
            signed_by: vec![],
            paid_by: "erin".into(),
        }),
        ..report().transactions.remove(0)
    };
    let mut timeline = report().timeline;
    timeline.insert(1, row(30 * 60_000, "alice", "noted: classified as major"));
    timeline.push(row(26 * 3_600_000, "alice", "closed it"));
    let transactions = vec![executed("vault", 600), executed("vault --undo", 751)];
    IncidentReport { closed: Some(minute(26 * 60)), timeline, transactions, ..report() }
}

/// Taken back after three years, with as many levers as a form has no room for.
fn endless() -> IncidentReport {
    let mut report = closed();
    let undone = report.transactions[1].on_chain.as_mut().unwrap();
    undone.time = Some(Utc::from_millis(3 * 366 * 86_400_000).to_string());
    let vault = report.transactions[0].what.clone();
    report.transactions[0].what = vault.repeat(10_000);
    report
}

/// The regulator's report as JSON, and its open fields.
fn form(report: &IncidentReport, stage: DoraStage) -> (serde_json::Value, Vec<String>) {
    let mut dora = serde_json::to_value(dora(report, "id", stage)).unwrap();
    (dora["report"].take(), serde_json::from_value(dora["open"].take()).unwrap())
}

#[test]
fn the_regulators_report_as_data_has_what_is_known_and_names_what_is_open() {
    for stage in [DoraStage::Initial, DoraStage::Intermediate, DoraStage::Final] {
        for report in [report(), closed(), endless()] {
            let (object, open) = form(&report, stage);
            has_only_known_keys("", &object);
            assert_eq!(object["incidentSubmission"], stage.to_string());
            assert!(open.contains(&"2.5-2.6 incident.classificationTypes".into()), "{open:?}");
            assert_eq!(object.get("impactAssessment").is_some(), stage != DoraStage::Initial);
        }
    }
    let (first, open) = form(&report(), DoraStage::Initial);
    assert_eq!(first["incident"]["detectionDateTime"], "1970-01-01T00:00:00Z");
    assert_eq!(first["incident"]["incidentDiscovery"], "monitoring_systems");
    assert!(open.contains(&"2.3 incident.classificationDateTime".into()), "nobody noted it: {open:?}");

    let (last, open) = form(&closed(), DoraStage::Final);
    let (incident, service) = (&last["incident"], &last["impactAssessment"]["serviceImpact"]);
    assert_eq!(incident["classificationDateTime"], "1970-01-01T00:30:00Z");
    assert_eq!(incident["incidentDuration"], "001:02:00");
    assert_eq!(incident["incidentResolutionDateTime"], "1970-01-02T02:00:00Z");
    assert_eq!(service["serviceDowntime"], "000:02:31", "from the pause's block to that of its undo");
    assert_eq!(service["serviceRestorationDateTime"], "1970-01-01T12:31:00Z");
    assert_eq!(last["informationDurationServiceDowntimeActualOrEstimate"], "actual_figures");
    assert!(!open.iter().any(|field| field.starts_with("3.15") || field.starts_with("3.16")), "{open:?}");
    // In the order of the form.
    let place = |number: &str| open.iter().position(|field| field.starts_with(number)).unwrap();
    assert!(place("3.4-3.7") < place("3.13-3.14") && place("3.35") < place("4.1-4.5"), "{open:?}");
}
