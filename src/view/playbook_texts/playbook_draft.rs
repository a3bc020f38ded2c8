//! The draft of a playbook, and the changes of its call in a rehearsal: as lines and as JSON.

use serde::Serialize;

use crate::ceremony::discovery::observed_changes::ObservedChanges;
use crate::playbook::ObservedChange;
use crate::ui::{Lines, Text};

/// Returns the changes of a rehearsal; `nameless` views could not be asked.
pub fn changes(seen: &ObservedChanges, nameless: usize) -> Lines {
    let mut lines = Lines::default();
    for change in &seen.changes {
        let text = format!("{}: {} → {}", change.view.signature(), change.before, change.after);
        lines.say(&Text::default().good("changes: ").add(&text));
    }
    if seen.changes.is_empty() {
        let slots = seen.slots;
        let text = format!("{slots} slots of the contract change, and no view whose name is known tells it");
        lines.say(&Text::default().warn("! ").add(&text));
    }
    if nameless > 0 {
        let text =
            format!("{nameless} views without a known name were not asked; --abi FILE gives the names");
        lines.say(&Text::default().dim(&text));
    }
    lines
}

#[derive(Debug, Serialize)]
pub struct DraftObject<'a> {
    id: &'a str,
    text: &'a str,
    seen: Vec<SeenObject<'a>>,
}

#[derive(Debug, Serialize)]
struct SeenObject<'a> {
    view: String,
    before: &'a str,
    after: &'a str,
}

/// Returns the draft as JSON.
pub fn object<'a>(id: &'a str, text: &'a str, seen: &'a [ObservedChange]) -> DraftObject<'a> {
    let change = |change: &'a ObservedChange| SeenObject {
        view: change.view.signature_with_outputs(),
        before: &change.before,
        after: &change.after,
    };
    DraftObject { id, text, seen: seen.iter().map(change).collect() }
}
