//! The regulator's report as data: what the record knows of DORA's fields, by the keys of the ESAs' schema IR-1.2.1, and which
//! fields a person must fill in.
//!
//! Sources: Implementing Regulation (EU) 2025/302, Annex I; Delegated Regulation (EU) 2025/301. A field that is not known is
//! left out, and one that the schema requires says so in words: the draft cannot be sent in before a person has finished it.

use serde_json::{Value, json};

use super::drafts::{OPEN, action, days, duration, fits};
use super::{IncidentReport, TimelineRow, Tx};
use crate::incident::Utc;

/// Which of the three reports it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum DoraStage {
    Initial,
    Intermediate,
    Final,
}

impl DoraStage {
    /// By the words of the regulator's form.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Initial => "initial_notification",
            Self::Intermediate => "intermediate_report",
            Self::Final => "final_report",
        }
    }
}

/// The draft, and the fields of its report that are open: number and key.
#[derive(serde::Serialize)]
pub struct Dora {
    pub report: Value,
    pub open: Vec<String>,
}

/// The fields that only a person knows, by the report in which they are first due.
const PERSONS: [(DoraStage, &str); 27] = [
    (DoraStage::Initial, "1.2-1.3 submittingEntity"),
    (DoraStage::Initial, "1.4-1.6 affectedEntity"),
    (DoraStage::Initial, "1.8-1.9 primaryContact: email and phone"),
    (DoraStage::Initial, "1.10-1.12 secondaryContact"),
    (DoraStage::Initial, "1.13-1.14 ultimateParentUndertaking"),
    (DoraStage::Initial, "1.15 reportCurrency"),
    (DoraStage::Initial, "2.5-2.6 incident.classificationTypes"),
    (DoraStage::Initial, "2.8 incident.originatesFromThirdPartyProvider"),
    (DoraStage::Initial, "2.9 incident.isBusinessContinuityActivated"),
    (DoraStage::Intermediate, "3.1 incident.competentAuthorityCode"),
    (DoraStage::Intermediate, "3.2 incident.incidentOccurrenceDateTime"),
    (DoraStage::Intermediate, "3.4-3.7 impactAssessment.affectedAssets: clients and counterparts"),
    (DoraStage::Intermediate, "3.8 impactAssessment.hasImpactOnRelevantClients"),
    (DoraStage::Intermediate, "3.9-3.12 impactAssessment.affectedAssets: transactions"),
    (DoraStage::Intermediate, "3.13-3.14 reputational impact"),
    (DoraStage::Intermediate, "3.18-3.21 member states and data losses"),
    (DoraStage::Intermediate, "3.23-3.26 incident.incidentType"),
    (DoraStage::Intermediate, "3.27 impactAssessment.affectedFunctionalAreas"),
    (DoraStage::Intermediate, "3.30 impactAssessment.isImpactOnFinancialInterest"),
    (DoraStage::Intermediate, "3.31-3.32 reportingToOtherAuthorities"),
    (DoraStage::Intermediate, "3.35 incident.incidentType.indicatorsOfCompromise"),
    (DoraStage::Final, "4.1-4.5 root causes"),
    (DoraStage::Final, "4.6 incident.incidentResolutionSummary"),
    (DoraStage::Final, "4.7 incident.rootCauseAddressingDateTime"),
    (DoraStage::Final, "4.9 incident.incidentResolutionVsPlannedImplementation"),
    (DoraStage::Final, "4.10-4.13 risk, resolution authorities and costs"),
    (DoraStage::Final, "4.14-4.16 recoveries and recurrence"),
];

/// Returns the draft. `id` names the incident for the regulator.
pub fn dora(report: &IncidentReport, id: &str, stage: DoraStage) -> Dora {
    let mut open: Vec<String> =
        PERSONS.iter().filter(|(due, _)| *due <= stage).map(|(_, field)| (*field).into()).collect();
    let mut object = json!({
        "incidentSubmission": stage.word(),
        "submittingEntity": { "entityType": "SUBMITTING_ENTITY", "name": OPEN, "code": OPEN },
        "affectedEntity": [{ "entityType": "AFFECTED_ENTITY", "name": OPEN, "affectedEntityType": [] }],
        "primaryContact": { "name": contact(report).unwrap_or(OPEN), "email": OPEN },
        "incident": { "financialEntityCode": id, "incidentDescription": description(report), "classificationTypes": [] },
    });
    let mut known = |number: &str, key: &str, value: Option<Value>| match value {
        Some(value) => object["incident"][key] = value,
        None => open.push(format!("{number} incident.{key}")),
    };
    known("2.2", "detectionDateTime", report.began.as_deref().map(|time| json!(to_the_second(time))));
    known("2.3", "classificationDateTime", noted(report, "classified").map(Value::from));
    let monitor = report.timeline.iter().any(|row| row.is_alarm);
    known("2.7", "incidentDiscovery", monitor.then(|| json!("monitoring_systems")));
    if stage >= DoraStage::Intermediate {
        known("3.15", "incidentDuration", duration(report).map(Value::from));
    }
    if stage == DoraStage::Final {
        known(
            "4.8",
            "incidentResolutionDateTime",
            report.closed.as_deref().map(|time| json!(to_the_second(time))),
        );
        object["incident"]["incidentResolutionSummary"] = json!(OPEN);
        object["incident"]["incidentResolutionVsPlannedImplementation"] = json!(OPEN);
    }
    if stage >= DoraStage::Intermediate {
        let (impact, unknown) = impact(report);
        object["impactAssessment"] = impact;
        open.extend(unknown.into_iter().map(String::from));
        let is_over = report.closed.is_some();
        object["informationDurationServiceDowntimeActualOrEstimate"] =
            json!(if is_over { "actual_figures" } else { "estimates" });
    }
    open.sort_by_key(|field| number(field));
    Dora { report: object, open }
}

/// `3.15 …` comes after `3.4-3.7 …`.
fn number(field: &str) -> (u32, u32) {
    let number = field.split([' ', '-']).next().unwrap_or_default();
    let (chapter, row) = number.split_once('.').unwrap_or_default();
    (chapter.parse().unwrap_or_default(), row.parse().unwrap_or_default())
}

/// The contracts, what was done about them, and how long they stood still; with what of it is not known.
fn impact(report: &IncidentReport) -> (Value, Vec<&'static str>) {
    let services: Vec<&str> = report.transactions.iter().map(|one| one.what.as_str()).collect();
    let components = report.transactions.iter().map(|one| format!("eip155:{}:{}", one.chain_id, one.address));
    let mut components: Vec<String> = components.collect();
    components.dedup();
    let actions: Vec<String> = report
        .transactions
        .iter()
        .map(action)
        .chain(
            report
                .to_be_confirmed
                .iter()
                .map(|one| format!("{} by {}: {}", one.lever, one.deputy, one.state())),
        )
        .collect();
    let mut service = json!({ "isTemporaryActionsMeasuresForRecovery": !actions.is_empty() });
    let mut unknown = Vec::new();
    if !actions.is_empty() {
        service["descriptionOfTemporaryActionsMeasuresForRecovery"] = json!(cut(&actions.join("; ")));
    }
    match outage(report) {
        Some((minutes, until)) => {
            service["serviceDowntime"] = json!(days(minutes));
            service["serviceRestorationDateTime"] = json!(to_the_second(until));
        }
        None => unknown
            .extend(["3.3 serviceImpact.serviceRestorationDateTime", "3.16 serviceImpact.serviceDowntime"]),
    }
    let has_components = !components.is_empty();
    let impact = json!({
        "criticalServicesAffected": if services.is_empty() { OPEN.into() } else { cut(&services.join(", ")) },
        "affectedAssets": {},
        "isAffectedInfrastructureComponents": if has_components { "yes" } else { "information_not_available" },
        "affectedInfrastructureComponents": if has_components { cut(&components.join(", ")) } else { OPEN.into() },
        "serviceImpact": service,
    });
    (impact, unknown)
}

/// From the first act that was executed to the undo that was executed last, by the blocks' times: minutes, and when it ended.
fn outage(report: &IncidentReport) -> Option<(u64, &str)> {
    let time = |one: &Tx| one.on_chain.as_ref().filter(|there| there.succeeded)?.time.clone();
    let is_undo = |one: &&Tx| one.is_undo;
    let from = report.transactions.iter().filter(|one| !is_undo(one)).filter_map(time).min()?;
    let last = report.transactions.iter().filter(is_undo).filter(|one| time(one).is_some());
    let last = last.max_by_key(|one| time(one))?.on_chain.as_ref()?.time.as_deref()?;
    let millis = |text: &str| text.parse::<Utc>().ok().map(Utc::millis);
    let minutes = millis(last)?.checked_sub(millis(&from)?)? / 60_000;
    fits(minutes).then_some((minutes, last))
}

fn contact(report: &IncidentReport) -> Option<&str> {
    report.roles.iter().find(|role| role.role == "speaks").map(|role| role.name.as_str())
}

/// The facts, without a cause.
fn description(report: &IncidentReport) -> String {
    let first = report.timeline.iter().find(|row| row.is_alarm).map(|row| row.text.as_str());
    cut(&[Some(report.title.as_str()), first].into_iter().flatten().collect::<Vec<_>>().join(". "))
}

/// The moment of the first note that begins with this word.
fn noted(report: &IncidentReport, word: &str) -> Option<String> {
    let is_it =
        |row: &&TimelineRow| row.note.as_ref().is_some_and(|note| note.trim_start().starts_with(word));
    let row = report.timeline.iter().find(is_it)?;
    Some(to_the_second(&row.at))
}

/// `2026-11-26T22:31:04.000Z` as the form has it.
fn to_the_second(time: &str) -> String {
    format!("{}Z", time.get(..19).unwrap_or(time))
}

/// The form takes 32,767 characters.
fn cut(text: &str) -> String {
    text.chars().take(32_767).collect()
}
