//! The regulator's report as data: DORA's fields that the record knows, by the keys of the ESAs' schema IR-1.2.1, and
//! those that a person must fill in.
//!
//! Sources: Implementing Regulation (EU) 2025/302, Annex I; Delegated Regulation (EU) 2025/301. An unknown field is
//! left out; one that the schema requires has a text that says so, so that an unfinished draft cannot be submitted.

use serde::Serialize;
use serde_with::{SerializeDisplay, skip_serializing_none};

use super::drafts::{OPEN, action, days, duration, fits};
use super::{IncidentReport, TimelineRow, Tx};
use crate::incident::Utc;

/// The three reports.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    clap::ValueEnum,
    derive_more::Display,
    SerializeDisplay,
)]
pub enum DoraStage {
    #[display("initial_notification")]
    Initial,
    #[display("intermediate_report")]
    Intermediate,
    #[display("final_report")]
    Final,
}

/// The draft, and the fields of its report that are open: number and key.
#[derive(Serialize)]
pub struct Dora {
    report: DoraReport,
    open: Vec<String>,
}

/// The report, by the keys of the schema.
#[skip_serializing_none]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoraReport {
    incident_submission: DoraStage,
    submitting_entity: DoraEntity,
    affected_entity: [DoraAffected; 1],
    primary_contact: DoraContact,
    incident: DoraIncident,
    impact_assessment: Option<DoraImpact>,
    information_duration_service_downtime_actual_or_estimate: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoraEntity {
    entity_type: &'static str,
    name: &'static str,
    code: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoraAffected {
    entity_type: &'static str,
    name: &'static str,
    affected_entity_type: [String; 0],
}

#[derive(Serialize)]
struct DoraContact {
    name: String,
    email: &'static str,
}

#[skip_serializing_none]
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct DoraIncident {
    financial_entity_code: String,
    incident_description: String,
    classification_types: [String; 0],
    detection_date_time: Option<String>,
    classification_date_time: Option<String>,
    incident_discovery: Option<&'static str>,
    incident_duration: Option<String>,
    incident_resolution_date_time: Option<String>,
    incident_resolution_summary: Option<&'static str>,
    incident_resolution_vs_planned_implementation: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoraImpact {
    critical_services_affected: String,
    affected_assets: DoraAssets,
    is_affected_infrastructure_components: &'static str,
    affected_infrastructure_components: String,
    service_impact: DoraServiceImpact,
}

/// Empty: a person fills it in.
#[derive(Serialize)]
struct DoraAssets {}

#[skip_serializing_none]
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct DoraServiceImpact {
    is_temporary_actions_measures_for_recovery: bool,
    description_of_temporary_actions_measures_for_recovery: Option<String>,
    service_downtime: Option<String>,
    service_restoration_date_time: Option<String>,
}

/// The fields that only a person can fill in, by the report in which they are first due.
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
    let incident = incident(report, id, stage, &mut open);
    let impact = (stage >= DoraStage::Intermediate).then(|| impact(report, &mut open));
    let downtime = if report.closed.is_some() { "actual_figures" } else { "estimates" };
    open.sort_by_key(|field| number(field));
    let report = DoraReport {
        incident_submission: stage,
        submitting_entity: DoraEntity { entity_type: "SUBMITTING_ENTITY", name: OPEN, code: OPEN },
        affected_entity: [DoraAffected {
            entity_type: "AFFECTED_ENTITY",
            name: OPEN,
            affected_entity_type: [],
        }],
        primary_contact: DoraContact { name: contact(report).unwrap_or(OPEN).into(), email: OPEN },
        incident,
        information_duration_service_downtime_actual_or_estimate: impact.is_some().then_some(downtime),
        impact_assessment: impact,
    };
    Dora { report, open }
}

/// Returns the fields of the incident that are due by this stage. Unknown ones are added to `open`.
fn incident(report: &IncidentReport, id: &str, stage: DoraStage, open: &mut Vec<String>) -> DoraIncident {
    let is_alarmed = report.timeline.iter().any(|row| row.is_alarm);
    let is_final = stage == DoraStage::Final;
    let incident = DoraIncident {
        financial_entity_code: id.into(),
        incident_description: description(report),
        detection_date_time: report.began.as_deref().map(to_the_second),
        classification_date_time: noted(report, "classified"),
        incident_discovery: is_alarmed.then_some("monitoring_systems"),
        incident_duration: duration(report).filter(|_| stage >= DoraStage::Intermediate),
        incident_resolution_date_time: report.closed.as_deref().filter(|_| is_final).map(to_the_second),
        incident_resolution_summary: is_final.then_some(OPEN),
        incident_resolution_vs_planned_implementation: is_final.then_some(OPEN),
        ..DoraIncident::default()
    };
    let fields = [
        (DoraStage::Initial, "2.2 incident.detectionDateTime", incident.detection_date_time.is_some()),
        (
            DoraStage::Initial,
            "2.3 incident.classificationDateTime",
            incident.classification_date_time.is_some(),
        ),
        (DoraStage::Initial, "2.7 incident.incidentDiscovery", is_alarmed),
        (DoraStage::Intermediate, "3.15 incident.incidentDuration", incident.incident_duration.is_some()),
        (
            DoraStage::Final,
            "4.8 incident.incidentResolutionDateTime",
            incident.incident_resolution_date_time.is_some(),
        ),
    ];
    let unknown = fields.into_iter().filter(|(due, _, is_known)| *due <= stage && !is_known);
    open.extend(unknown.map(|(_, field, _)| field.into()));
    incident
}

/// Returns the number of a field to sort by: `3.15 …` comes after `3.4-3.7 …`.
fn number(field: &str) -> (u32, u32) {
    let number = field.split([' ', '-']).next().unwrap_or_default();
    let (chapter, row) = number.split_once('.').unwrap_or_default();
    (chapter.parse().unwrap_or_default(), row.parse().unwrap_or_default())
}

/// Returns the contracts, the acts on them, and their downtime. Unknown fields are added to `open`.
fn impact(report: &IncidentReport, open: &mut Vec<String>) -> DoraImpact {
    let services: Vec<String> = report.transactions.iter().map(|one| one.what.clone()).collect();
    let components = report.transactions.iter().map(|one| format!("eip155:{}:{}", one.chain_id, one.address));
    let mut components: Vec<String> = components.collect();
    components.dedup();
    let confirmed = report.to_be_confirmed.iter();
    let confirmed = confirmed.map(|one| format!("{} by {}: {}", one.lever, one.deputy, one.state()));
    let actions: Vec<String> = report.transactions.iter().map(action).chain(confirmed).collect();
    let outage = outage(report);
    if outage.is_none() {
        open.push("3.3 serviceImpact.serviceRestorationDateTime".into());
        open.push("3.16 serviceImpact.serviceDowntime".into());
    }
    let listed = |texts: &[String], between| {
        if texts.is_empty() { None } else { Some(cut(&texts.join(between))) }
    };
    DoraImpact {
        critical_services_affected: listed(&services, ", ").unwrap_or_else(|| OPEN.into()),
        affected_assets: DoraAssets {},
        is_affected_infrastructure_components: if components.is_empty() {
            "information_not_available"
        } else {
            "yes"
        },
        affected_infrastructure_components: listed(&components, ", ").unwrap_or_else(|| OPEN.into()),
        service_impact: DoraServiceImpact {
            is_temporary_actions_measures_for_recovery: !actions.is_empty(),
            description_of_temporary_actions_measures_for_recovery: listed(&actions, "; "),
            service_downtime: outage.map(|(minutes, _)| days(minutes)),
            service_restoration_date_time: outage.map(|(_, until)| to_the_second(until)),
        },
    }
}

/// Returns the minutes from the first executed act to the last executed undo, by the blocks' times, and its end.
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

/// Returns the facts, without a cause.
fn description(report: &IncidentReport) -> String {
    let first = report.timeline.iter().find(|row| row.is_alarm).map(|row| row.text.as_str());
    cut(&[Some(report.title.as_str()), first].into_iter().flatten().collect::<Vec<_>>().join(". "))
}

/// Returns the time of the first note that begins with this word.
fn noted(report: &IncidentReport, word: &str) -> Option<String> {
    let is_it =
        |row: &&TimelineRow| row.note.as_ref().is_some_and(|note| note.trim_start().starts_with(word));
    let row = report.timeline.iter().find(is_it)?;
    Some(to_the_second(&row.at))
}

/// Returns `2026-11-26T22:31:04.000Z` as the form has it.
fn to_the_second(time: &str) -> String {
    format!("{}Z", time.get(..19).unwrap_or(time))
}

/// Cuts a text to the 32,767 characters of the form.
fn cut(text: &str) -> String {
    text.chars().take(32_767).collect()
}
