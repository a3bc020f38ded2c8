//! Messages of other monitors: the id by which a repeated one is recognised, and whether the alarm is over. A message
//! never chooses a lever, a title or a command.
//!
//! Forms: OpenZeppelin Monitor 1.6 (`src/services/trigger/script`), Alertmanager webhook version 4
//! (`template/template.go`), Tenderly (alert destinations), Hypernative (recorded event), Forta (`clients/webhook`),
//! PagerDuty webhook v3, Opsgenie webhook. Any other text is taken as it is.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::plain::Plain;

/// A message about an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The monitor, by the form of its message: `tenderly`.
    pub by: &'static str,
    pub id: String,
    pub says: AlertState,
    /// The message on one line, cut.
    pub text: Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
/// The state of an alert by its message.
pub enum AlertState {
    Firing,
    /// It is over, or somebody has acknowledged it: nothing is prepared.
    Resolved,
    /// A test of the connection.
    Test,
}

impl Message {
    /// The name of the monitor for a text in no known form. Its id is a digest of the text.
    pub const BARE: &'static str = "alert";

    pub fn read(text: &str) -> Self {
        let value: Option<Value> = serde_json::from_str(text).ok();
        let known = value.as_ref().and_then(|value| FORMS.iter().find_map(|form| form(value)));
        let (by, id, says) = known.unwrap_or_else(|| {
            let says = match value.as_ref().and_then(|value| field(value, &["status"])) {
                Some("resolved") => AlertState::Resolved,
                _ => AlertState::Firing,
            };
            (Self::BARE, digest(text.trim()), says)
        });
        let id = if is_id(&id) { id } else { digest(&id) };
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { by, id, says, text: Plain::cut(&line) }
    }
}

type Known = (&'static str, String, AlertState);

const FORMS: [fn(&Value) -> Option<Known>; 7] =
    [openzeppelin, alertmanager, tenderly, hypernative, forta, pagerduty, opsgenie];

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

fn field<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    at(value, path)?.as_str()
}

/// Returns the first 16 hexadecimal digits of a SHA-256, as an id of a fixed length.
fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    alloy::primitives::hex::encode(hash.get(..8).unwrap_or_default())
}

/// Returns `true` for an id as monitors give them. Another might be taken for an option of the command line, or be
/// altered in the journal.
fn is_id(id: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    id.len() <= 100 && id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(is_plain)
}

/// Reads a message of OpenZeppelin Monitor. It has no id: the digest of the monitor, the transaction and the logs that
/// matched takes its place.
fn openzeppelin(value: &Value) -> Option<Known> {
    let matched = at(value, &["monitor_match", "EVM"]).or_else(|| value.get("EVM"))?;
    let name = field(matched, &["monitor", "name"])?;
    let tx = field(matched, &["transaction", "hash"])?;
    let events = at(matched, &["matched_on_args"]).map(ToString::to_string).unwrap_or_default();
    Some(("openzeppelin-monitor", digest(&[name, tx, &events].join("\n")), AlertState::Firing))
}

fn alertmanager(value: &Value) -> Option<Known> {
    if field(value, &["version"])? != "4" {
        return None;
    }
    let alerts = value.get("alerts")?.as_array()?;
    let firing = alerts.iter().filter(|alert| field(alert, &["status"]) == Some("firing"));
    // An alert without a fingerprint is identified by its whole text: it fires like any other.
    let id = |alert: &Value| match (field(alert, &["fingerprint"]), field(alert, &["startsAt"])) {
        (Some(fingerprint), Some(since)) => format!("{fingerprint} {since}"),
        _ => alert.to_string(),
    };
    let mut ids: Vec<String> = firing.map(id).collect();
    ids.sort();
    let is_over = ids.is_empty() && (!alerts.is_empty() || field(value, &["status"]) == Some("resolved"));
    let says = if is_over { AlertState::Resolved } else { AlertState::Firing };
    let group = field(value, &["groupKey"]).unwrap_or_default();
    let id = if ids.is_empty() { digest(group) } else { digest(&ids.join("\n")) };
    Some(("alertmanager", id, says))
}

fn tenderly(value: &Value) -> Option<Known> {
    let id = field(value, &["id"])?.to_string();
    match field(value, &["event_type"])? {
        "TEST" => Some(("tenderly", id, AlertState::Test)),
        "ALERT" => Some(("tenderly", id, AlertState::Firing)),
        _ => None,
    }
}

/// Reads a message of Hypernative. Its data is JSON in a text that `digitalSignature` covers: the receiver of the
/// message checks that.
fn hypernative(value: &Value) -> Option<Known> {
    let data = field(value, &["data"])?;
    value.get("digitalSignature")?;
    let data: Value = serde_json::from_str(data).ok()?;
    let id = field(&data, &["riskInsight", "id"]).or_else(|| field(value, &["id"]))?;
    Some(("hypernative", id.into(), AlertState::Firing))
}

/// Reads a message of Forta: newer nodes send an object, older ones the bare list.
fn forta(value: &Value) -> Option<Known> {
    let alerts = value.get("alerts").unwrap_or(value).as_array()?;
    let id = |alert: &Value| Some(field(alert, &["hash"])?.to_string());
    alerts.first().filter(|alert| alert.get("alertId").is_some())?;
    let mut ids: Vec<String> = alerts.iter().filter_map(id).collect();
    ids.sort();
    (!ids.is_empty()).then(|| ("forta", digest(&ids.join("\n")), AlertState::Firing))
}

fn pagerduty(value: &Value) -> Option<Known> {
    let kind = field(value, &["event", "event_type"])?.strip_prefix("incident.")?;
    let data = at(value, &["event", "data"])?;
    let id = field(data, &["id"])?.to_string();
    let is_new = ["triggered", "escalated", "reopened", "priority_updated", "delegated"].contains(&kind);
    Some(("pagerduty", id, if is_new { AlertState::Firing } else { AlertState::Resolved }))
}

fn opsgenie(value: &Value) -> Option<Known> {
    let id = field(value, &["alert", "alertId"])?.to_string();
    let is_over = ["Close", "Delete", "Acknowledge"].contains(&field(value, &["action"])?);
    Some(("opsgenie", id, if is_over { AlertState::Resolved } else { AlertState::Firing }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLES: [(&str, &str); 7] = [
        ("openzeppelin-monitor", include_str!("../../tests/vectors/alerts/openzeppelin-monitor.json")),
        ("alertmanager", include_str!("../../tests/vectors/alerts/alertmanager.json")),
        ("tenderly", include_str!("../../tests/vectors/alerts/tenderly.json")),
        ("hypernative", include_str!("../../tests/vectors/alerts/hypernative.json")),
        ("forta", include_str!("../../tests/vectors/alerts/forta.json")),
        ("pagerduty", include_str!("../../tests/vectors/alerts/pagerduty.json")),
        ("opsgenie", include_str!("../../tests/vectors/alerts/opsgenie.json")),
    ];

    #[test]
    fn each_monitor_is_known_by_the_form_of_its_message() {
        let mut ids = std::collections::BTreeSet::new();
        for (by, text) in EXAMPLES {
            let message = Message::read(text);
            assert_eq!((message.by, message.says), (by, AlertState::Firing), "{text}");
            assert_eq!(Message::read(&format!(" {text}\n")).id, message.id, "the same message again");
            assert!(ids.insert(message.id), "{by}");
        }
    }

    #[test]
    fn a_message_that_says_resolved_is_not_an_alarm() {
        let example = |by: &str| EXAMPLES.iter().find(|(known, _)| *known == by).unwrap().1;
        for (by, was, is, says) in [
            ("alertmanager", "\"firing\"", "\"resolved\"", AlertState::Resolved),
            ("pagerduty", "incident.triggered", "incident.resolved", AlertState::Resolved),
            ("pagerduty", "incident.triggered", "incident.acknowledged", AlertState::Resolved),
            ("opsgenie", "\"Create\"", "\"Close\"", AlertState::Resolved),
            ("tenderly", "\"ALERT\"", "\"TEST\"", AlertState::Test),
        ] {
            let message = Message::read(&example(by).replace(was, is));
            assert_eq!((message.by, message.says), (by, says), "{by}: {is}");
        }
        assert_eq!(Message::read("{\"status\": \"resolved\"}").says, AlertState::Resolved);
        // A group of which one alert still fires.
        let two = r#"{"version":"4","status":"firing","alerts":[
            {"status":"resolved","fingerprint":"a","startsAt":"t"},{"status":"firing","fingerprint":"b","startsAt":"t"}]}"#;
        assert_eq!(Message::read(two).says, AlertState::Firing);
    }

    /// An alarm that is not sent is worse than one that is sent twice.
    #[test]
    fn an_alert_that_fires_is_never_taken_for_one_that_is_over_or_known() {
        let group = |alerts: &str| format!(r#"{{"version":"4","status":"firing","alerts":[{alerts}]}}"#);
        let bare = |name: &str| format!(r#"{{"status":"firing","labels":{{"alertname":"{name}"}}}}"#);
        let [one, other] = ["drained", "paused"].map(|name| Message::read(&group(&bare(name))));
        assert_eq!((one.by, one.says, other.says), ("alertmanager", AlertState::Firing, AlertState::Firing));
        assert_ne!(one.id, other.id);
        assert_eq!(Message::read(&group("")).says, AlertState::Firing);
        // Noise in front of it does not make it a repeated one.
        let named = |n: u32| format!(r#"{{"status":"firing","fingerprint":"{n}","startsAt":"t"}}"#);
        let noise: Vec<String> = (0..500).map(named).collect();
        let more = [&noise[..], &[named(500)]].concat().join(",");
        assert_ne!(Message::read(&group(&noise.join(","))).id, Message::read(&group(&more)).id);
    }

    #[test]
    fn an_id_is_never_an_option_and_is_the_same_in_the_journal() {
        for id in ["--help", "-h", "", "http://h/secret", "a b", &"x".repeat(501)] {
            let text = serde_json::json!({ "id": id, "event_type": "ALERT" }).to_string();
            let message = Message::read(&text);
            assert_eq!(message.by, "tenderly");
            assert!(message.id.len() == 16 && is_id(&message.id), "{id:?} became {:?}", message.id);
            assert_eq!(Plain::cut(&message.id).to_string(), message.id);
            assert_eq!(Message::read(&text).id, message.id);
        }
    }

    #[test]
    fn any_other_text_is_taken_as_it_is() {
        for text in ["vault is drained", "", "[]", "{", "[1]", "{\"alerts\":[]}", "null"] {
            let message = Message::read(text);
            assert_eq!((message.by, message.says), ("alert", AlertState::Firing), "{text}");
        }
        let message = Message::read(&format!("a\u{1b}[2J\nb {}", "x".repeat(2_000)));
        let text = message.text.to_string();
        assert!(text.chars().count() <= 500 && !text.contains(['\u{1b}', '\n']), "{text}");
        assert_ne!(Message::read("a").id, Message::read("b").id);
    }
}
