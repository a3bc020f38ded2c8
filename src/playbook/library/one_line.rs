//! A playbook in one line, for lists and their filter: read from the fields before its first table, without the rest.

use serde::Deserialize;

use super::Catalogue;
use crate::playbook::{Playbook, PlaybookKind, Severity, Undo, Word};

/// One playbook, for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaybookSummary {
    pub id: String,
    pub kind: PlaybookKind,
    pub family: Option<String>,
    pub title: String,
    pub severity: Severity,
    /// The id of its counter-playbook; `None` if it cannot be taken back.
    pub undo: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    kind: String,
    family: Option<String>,
    title: String,
    severity: String,
    undo: HeadUndo,
}

/// As a file says it: an id, or a table with one or with the reason why there is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum HeadUndo {
    Id(String),
    Table { playbook: Option<String> },
}

impl PlaybookSummary {
    /// Returns the summary of a text that is known to be a playbook; `None` if it does not begin like one.
    pub fn of_text(text: &str) -> Option<Self> {
        let head = text.find("\n[").map_or(text, |end| &text[..end]);
        let head: Head = toml::from_str(head).ok()?;
        Some(Self {
            kind: parse_word(&head.kind)?,
            severity: parse_word(&head.severity)?,
            id: head.id,
            family: head.family.map(|family| family.trim().into()),
            title: head.title.trim().into(),
            undo: match head.undo {
                HeadUndo::Id(id) => Some(id),
                HeadUndo::Table { playbook } => playbook,
            },
        })
    }
}

impl From<&Playbook> for PlaybookSummary {
    fn from(playbook: &Playbook) -> Self {
        Self {
            id: playbook.id.to_string(),
            kind: playbook.kind,
            family: playbook.family.clone(),
            title: playbook.title.clone(),
            severity: playbook.severity,
            undo: match &playbook.undo {
                Undo::Playbook { id, .. } => Some(id.to_string()),
                Undo::None { .. } => None,
            },
        }
    }
}

fn parse_word<T: Word>(text: &str) -> Option<T> {
    T::ALL.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
}

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
    use crate::playbook::Catalogue;

    /// A list that is read by halves tells nothing else than one that is read whole.
    #[test]
    fn every_summary_is_its_playbooks() {
        let catalogue = Catalogue::new(Vec::new());
        let all = catalogue.all();
        assert!(all.len() > 100);
        for entry in all {
            assert_eq!(
                PlaybookSummary::of_text(entry.playbook.text()),
                Some(PlaybookSummary::from(entry.playbook))
            );
        }
        assert_eq!(PlaybookSummary::of_text("id = 5"), None);
    }

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
