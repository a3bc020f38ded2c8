//! Playbooks by kind, severity, protocol and text. Pure.

use super::Catalogue;
use crate::playbook::{PlaybookKind, PlaybookSummary, Severity};

/// The playbooks that are wanted; without any condition, all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// All of these words must be there; empty for any text.
    pub text: String,
    pub kind: Option<PlaybookKind>,
    /// A part of the protocol's name or of the id.
    pub family: Option<String>,
    pub severity: Option<Severity>,
}

impl Filter {
    /// Returns `true` if there is a condition.
    pub fn is_set(&self) -> bool {
        !self.text.is_empty() || self.kind.is_some() || self.family.is_some() || self.severity.is_some()
    }

    /// Returns `true` if a playbook of the catalogue meets all conditions.
    pub fn admits(&self, catalogue: &Catalogue, summary: &PlaybookSummary) -> bool {
        let family =
            format!("{} {}", summary.family.as_deref().unwrap_or_default(), summary.id).to_lowercase();
        let is_about = || catalogue.get(&summary.id).is_ok_and(|entry| entry.playbook.is_about(&self.text));
        self.kind.is_none_or(|kind| kind == summary.kind)
            && self.severity.is_none_or(|severity| severity == summary.severity)
            && self.family.as_ref().is_none_or(|text| family.contains(&text.to_lowercase()))
            && (self.text.is_empty() || is_about())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_must_hold() {
        let catalogue = Catalogue::new(Vec::new());
        let count = |filter: &Filter| {
            let all = catalogue.summaries();
            all.iter().filter(|(summary, ..)| filter.admits(&catalogue, summary)).count()
        };
        let all = Filter::default();
        assert!(!all.is_set());
        assert_eq!(count(&all), catalogue.summaries().len());
        let pauses = Filter { kind: Some(PlaybookKind::Pause), ..Filter::default() };
        let of_aave = Filter { family: Some("AAVE".into()), ..pauses.clone() };
        let frozen = Filter { text: "freeze".into(), ..of_aave.clone() };
        let (pauses, of_aave, frozen) = (count(&pauses), count(&of_aave), count(&frozen));
        assert!(0 < frozen && frozen < of_aave && of_aave < pauses, "{frozen} {of_aave} {pauses}");
        let nobody = Filter { family: Some("no such protocol".into()), ..Filter::default() };
        assert!(nobody.is_set() && count(&nobody) == 0);
    }
}
