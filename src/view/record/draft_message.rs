//! A filled draft, as text and as an object.

use serde::Serialize;

use super::IncidentReport;
use super::dora::{Dora, DoraStage, dora};
use super::drafts::{DraftAudience, fill};

/// A draft of a message, to be finished by a person.
#[derive(Serialize)]
pub struct DraftMessage {
    draft: &'static str,
    pub text: String,
    /// The fields of a regulator's form.
    #[serde(flatten)]
    form: Option<Dora>,
}

impl DraftMessage {
    pub fn new(draft: DraftAudience, template: &str, report: &IncidentReport, stage: DoraStage) -> Self {
        let id = report.began.clone().unwrap_or_default();
        let form = (draft == DraftAudience::Regulator).then(|| dora(report, &id, stage));
        Self { draft: draft.name(), text: fill(template, report, &id, &stage.to_string()), form }
    }
}
