//! Drafts of messages: templates with the facts of a record filled in, to be finished by a person.

use std::collections::BTreeMap;

use super::markdown::{plain, short};
use super::{IncidentReport, TimelineRow, Tx, time_text};
use crate::incident::TimedPhase;

/// The readers of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DraftAudience {
    Users,
    Partners,
    Regulator,
    PostMortem,
}

/// The text for a field that a person must fill in.
pub(super) const OPEN: &str = "[TO BE FILLED]";
/// The most rows of the timeline in a draft.
const MOST_ROWS: usize = 100;

impl DraftAudience {
    /// Returns the name of its template, which a council can replace.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Partners => "partners",
            Self::Regulator => "regulator",
            Self::PostMortem => "post-mortem",
        }
    }
}

/// Returns the program's own template.
pub const fn built_in(draft: DraftAudience) -> &'static str {
    match draft {
        DraftAudience::Users => include_str!("templates/users.md"),
        DraftAudience::Partners => include_str!("templates/partners.md"),
        DraftAudience::Regulator => include_str!("templates/regulator.md"),
        DraftAudience::PostMortem => include_str!("templates/post-mortem.md"),
    }
}

/// Fills in a template: `{title}` and the others. An unknown name is marked. Texts of others cannot begin a link or
/// HTML in it.
pub fn fill(template: &str, report: &IncidentReport, id: &str, stage: &str) -> String {
    let facts = facts(report, id, stage);
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        match facts.get(name) {
            Some(fact) => out.push_str(fact),
            None if is_name => out.extend(["[no fact is called ", name, "]"]),
            None => out.extend(["{", name, "}"]),
        }
        rest = after;
    }
    out + rest
}

fn facts(report: &IncidentReport, id: &str, stage: &str) -> BTreeMap<&'static str, String> {
    let time = |time: &Option<String>| time.as_deref().map_or_else(|| OPEN.into(), short);
    let role = |role: &str| {
        let found = report.roles.iter().find(|known| known.role == role);
        found.map_or_else(|| OPEN.to_string(), |known| plain(&known.name))
    };
    let took = |phase: TimedPhase| {
        let found = report.times.iter().find(|time| time.phase == phase).and_then(|time| time.seconds);
        found.map_or_else(|| "-".into(), time_text)
    };
    let monitor = report.timeline.iter().any(|row| row.is_alarm);
    let executed = report.transactions.iter().find_map(|one| one.on_chain.as_ref()?.time.clone());
    let list =
        |items: Vec<String>, none: &str| if items.is_empty() { none.to_string() } else { items.join("\n") };
    let changes = report.transactions.iter().flat_map(|one| &one.changes).map(|change| {
        let or = |value: &Option<String>| plain(value.as_deref().unwrap_or("not known"));
        format!("- {}: {} → {}", plain(&change.what), or(&change.before), or(&change.after))
    });
    let accepted =
        report.accepted.iter().map(|one| format!("- {}: {}", plain(&one.who), plain(&one.ids.join(", "))));
    let actions_line = plain(&report.transactions.iter().map(action).collect::<Vec<_>>().join("; "));
    let mut services: Vec<String> = report.transactions.iter().map(|one| plain(&one.what)).collect();
    services.dedup();
    let components = report.transactions.iter().map(|one| format!("eip155:{}:{}", one.chain_id, one.address));
    BTreeMap::from([
        ("open", OPEN.into()),
        ("title", plain(&report.title)),
        ("council", plain(&report.council)),
        ("severity", report.severity.clone().unwrap_or_else(|| OPEN.into())),
        ("id", id.to_string()),
        ("stage", stage.to_string()),
        ("began", time(&report.began)),
        ("closed", time(&report.closed)),
        ("executed", time(&executed)),
        ("leads", role("leads")),
        ("speaks", role("speaks")),
        ("writes", role("writes")),
        ("discovery", if monitor { "monitoring_systems" } else { OPEN }.into()),
        ("first_signature", took(TimedPhase::FirstSignature)),
        ("proven_after", took(TimedPhase::Proven)),
        ("duration", duration(report).unwrap_or_else(|| OPEN.into())),
        ("actual", if report.closed.is_some() { "actual_figures" } else { "estimates" }.into()),
        (
            "actions",
            list(
                report.transactions.iter().map(|one| format!("- {}", plain(&action(one)))).collect(),
                "- nothing yet",
            ),
        ),
        ("actions_line", actions_line),
        ("changes", list(changes.collect(), "- not known")),
        ("accepted", list(accepted.collect(), "none")),
        ("timeline", list(report.timeline.iter().take(MOST_ROWS).map(event).collect(), "- empty")),
        ("services", services.join(", ")),
        ("components", components.collect::<Vec<_>>().join(", ")),
    ])
}

fn event(row: &TimelineRow) -> String {
    format!("- {} {}: {}", short(&row.at), plain(&row.lane), plain(&row.text))
}

pub(super) fn action(one: &Tx) -> String {
    let state = match &one.on_chain {
        Some(on_chain) if on_chain.succeeded => {
            format!("executed in block {}, transaction {}", on_chain.block, on_chain.transaction)
        }
        Some(on_chain) => format!("failed in block {}, transaction {}", on_chain.block, on_chain.transaction),
        None => "not executed, as far as the chain was asked".into(),
    };
    format!("{} by Safe {} {} on chain {}: {state}", one.what, one.safe, one.address, one.chain_id)
}

/// Returns days, hours and minutes from the beginning to the end; `None` while it is open, or if the form has no room
/// for it.
pub(super) fn duration(report: &IncidentReport) -> Option<String> {
    let (first, last) = (report.timeline.first()?, report.timeline.last()?);
    report.closed.as_ref()?;
    let minutes = last.millis.saturating_sub(first.millis) / 60_000;
    fits(minutes).then(|| days(minutes))
}

/// Returns `true` if the form has room for this many minutes: it has three digits for days.
pub(super) const fn fits(minutes: u64) -> bool {
    minutes < 1_000 * 1_440
}

/// Returns days, hours and minutes as `000:00:00`.
pub(super) fn days(minutes: u64) -> String {
    format!("{:03}:{:02}:{:02}", minutes / 1_440, minutes / 60 % 24, minutes % 60)
}
