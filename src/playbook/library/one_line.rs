//! A playbook in one line, for lists: read from the fields before its first table, without the rest.

use serde::Deserialize;

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
}
