//! A playbook explained in rows, the lever that binds it, and both as JSON.

use serde::Serialize;

use crate::playbook::{
    CheckedFile, LibraryEntry, Origin, Playbook, PlaybookDigest, PlaybookSummary, Step, Undo,
};
use crate::ui::{Lines, Text};

/// One playbook of a list.
#[derive(Debug, Serialize)]
pub struct Brief {
    id: String,
    kind: String,
    family: Option<String>,
    title: String,
    severity: String,
    undo: Option<String>,
    from: String,
    digest: String,
}

impl Brief {
    pub fn new(summary: &PlaybookSummary, from: &Origin, text: &str) -> Self {
        Self {
            id: summary.id.clone(),
            kind: summary.kind.to_string(),
            family: summary.family.clone(),
            title: summary.title.clone(),
            severity: summary.severity.to_string(),
            undo: summary.undo.clone(),
            from: origin(from),
            digest: PlaybookDigest::of(text).to_string(),
        }
    }
}

impl From<&LibraryEntry<'_>> for Brief {
    fn from(entry: &LibraryEntry<'_>) -> Self {
        Self::new(&PlaybookSummary::from(entry.playbook), &entry.origin, entry.playbook.text())
    }
}

/// A playbook with its text, and a lever that binds it.
#[derive(Debug, Serialize)]
pub struct Whole<'a> {
    #[serde(flatten)]
    brief: Brief,
    text: &'a str,
    lever: String,
}

impl<'a> From<&LibraryEntry<'a>> for Whole<'a> {
    fn from(entry: &LibraryEntry<'a>) -> Self {
        Self { brief: Brief::from(entry), text: entry.playbook.text(), lever: lever(entry.playbook) }
    }
}

/// Returns a line for a file that was checked, and its faults.
pub fn checked(one: &CheckedFile) -> Lines {
    let mut lines = Lines::default();
    if one.faults.is_empty() {
        let mark = Text::default();
        let line = if one.warnings.is_empty() { mark.good("✓ ") } else { mark.warn("! ") }.add(&one.file);
        let compared = one.has_example;
        let note = if compared { "" } else { "   no [example]: its calldata is compared with nothing" };
        lines.say(&line.dim(note));
    } else {
        lines.say(&Text::default().bad("✗ ").add(&one.file));
        for line in one.faults.iter().flat_map(|fault| Text::block(fault)) {
            lines.say(&line);
        }
    }
    for warning in &one.warnings {
        lines.say(&Text::default().add("    warning: ").add(warning));
    }
    lines
}

/// Returns the place where a playbook was found.
fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Council(path) => path.clone(),
        Origin::BuiltIn => "built in".into(),
    }
}

/// Returns a lever for a council file, with the example's arguments.
pub fn lever(playbook: &Playbook) -> String {
    let example = playbook.example.as_ref();
    let set = playbook.params.iter().filter(|p| p.default.is_none() && !p.for_undo).map(|p| {
        let given = example.and_then(|e| e.set.get(&p.name)).map_or("…", String::as_str);
        format!("{} = {given:?}", p.name)
    });
    let set = set.collect::<Vec<_>>().join(", ");
    let name = playbook.id.as_str().rsplit('/').next().unwrap_or_default();
    format!("[levers.{name}]\nplaybook = \"{}\"\nsafe = \"guardian\"\nset = {{ {set} }}", playbook.id)
}

/// Returns `, for each pool of {pools}`, or an empty text.
fn repeated(step: &Step) -> String {
    step.each.as_ref().map_or_else(String::new, |each| format!(", {each}"))
}

fn who_may(playbook: &Playbook) -> String {
    match (playbook.anyone, &playbook.role) {
        (false, role) => role.clone().unwrap_or_default(),
        (true, None) => "anybody".into(),
        (true, Some(role)) => format!("anybody: {role}"),
    }
}

/// Returns a playbook explained in rows of label and text.
pub fn explained(playbook: &Playbook, from: &Origin) -> Vec<Vec<String>> {
    let undo = match &playbook.undo {
        Undo::Playbook { id, .. } => id.to_string(),
        Undo::None { why } => format!("none: {why}"),
    };
    let params = playbook.params.iter().map(|p| {
        let title = if p.title.is_empty() { String::new() } else { format!(": {}", p.title) };
        let default = p.default.as_ref().map(|d| format!(" [default: {d}]")).unwrap_or_default();
        let former = if p.is_former() { " [as read before the act, once it is proven here]" } else { "" };
        let who = if p.for_undo { "its undo needs" } else { "needs" };
        (who.to_string(), format!("{}{title}{default}{former}", p.ask()))
    });
    let calls = playbook.steps.iter().map(|step| {
        ("calls".to_string(), format!("{} {}{}", step.to, step.function.signature(), repeated(step)))
    });
    let proofs = playbook.after.iter().map(|claim| ("proves".to_string(), claim.to_string()));
    let rows = [
        ("protocol", playbook.family.clone().unwrap_or_default()),
        ("summary", playbook.summary.clone()),
        ("does not stop", playbook.does_not_stop.clone()),
        ("costs", playbook.cost.clone()),
        ("who may", who_may(playbook)),
        ("takes effect", playbook.delay.clone().unwrap_or_default()),
        ("once more", playbook.repeatable.clone().unwrap_or_default()),
        ("undo", undo),
        ("source", playbook.source.clone()),
        ("found", origin(from)),
        ("digest", playbook.digest().to_string()),
    ];
    rows.map(|(name, text)| (name.to_string(), text))
        .into_iter()
        .chain(params)
        .chain(calls)
        .chain(proofs)
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| vec![name, text])
        .collect()
}
