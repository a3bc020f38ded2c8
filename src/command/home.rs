//! `breakglass` alone: the levers at hand, or how to begin.

use std::path::Path;

use serde_json::{Value, json};

use crate::ceremony::desk::Desk;
use crate::ceremony::desk::find_council;
use crate::command::Session;
use crate::council::{Combined, Lever, expand};
use crate::error::{Error, Exit};
use crate::playbook::{Kind, Playbook};
use crate::ui::{Text, Ui};

pub fn run(ui: &Ui, council: Option<&Path>) -> Result<Exit, Error> {
    if council.is_none() && find_council(ui)?.is_none() {
        begin(ui);
        return Ok(Exit::Done);
    }
    let session = Session { ui, desk: Desk::load(ui, council)? };
    list(&session, None);
    session.desk.warn_of_bad_levers();
    Ok(Exit::Done)
}

/// The levers of one kind, and the combined ones that pull such: what `pause`, `param` and `rotate` print when no lever is named.
pub fn of_kind(session: &Session, kind: Kind) -> Exit {
    list(session, Some(kind));
    Exit::Done
}

/// A lever in the table and in the object of `--json`.
struct Row {
    cells: Vec<String>,
    object: Value,
}

fn list(session: &Session, wanted: Option<Kind>) {
    let kinds: Vec<Kind> = match wanted {
        Some(kind) => vec![kind],
        None => vec![Kind::Pause, Kind::Param, Kind::Rotate],
    };
    let mut simple = Vec::new();
    for kind in &kinds {
        simple.extend(session.council.levers.values().filter_map(|lever| simple_row(session, lever, *kind)));
    }
    let mut in_order: Vec<&Combined> = session.council.combined.values().collect();
    in_order.sort_by_key(|combined| combined.place);
    let combined: Vec<Row> =
        in_order.into_iter().filter_map(|combined| combined_row(session, combined, &kinds)).collect();
    let ui = session.ui;
    let objects: Vec<&Value> = simple.iter().chain(&combined).map(|row| &row.object).collect();
    ui.object(&json!({ "council": session.council.name, "levers": objects }));
    let rows: Vec<Vec<String>> = simple.into_iter().chain(combined).map(|row| row.cells).collect();
    if let Some(first) = rows.first().and_then(|row| row.first()) {
        ui.say(&Text::default().bold(&session.council.name).dim(&format!("   {}", session.path.display())));
        ui.table(&["lever", "what it does", "Safe", "severity"], &rows);
        ui.say(&Text::new("propose one: ").bold(&format!("breakglass {first}")));
    } else {
        let path = session.path.display().to_string();
        ui.say(&Text::new("no levers here yet: add a [levers.NAME] to ").add(&path));
        ui.say(&Text::new("breakglass playbook list shows what they can be bound to"));
    }
}

/// The lever, if its playbook is of this kind.
fn simple_row(session: &Session, lever: &Lever, kind: Kind) -> Option<Row> {
    let playbook = session.catalogue.get(&lever.playbook).ok()?.playbook;
    let (name, severity) = (&lever.name, playbook.severity.to_string());
    (playbook.kind == kind).then(|| Row {
        cells: vec![format!("{kind} {name}"), playbook.title.clone(), lever.safe.clone(), severity.clone()],
        object: json!({
            "kind": kind.to_string(), "lever": name, "title": playbook.title, "safe": lever.safe,
            "severity": severity, "playbook": playbook.id.to_string(), "arguments": lever.set,
        }),
    })
}

/// The combined lever, if it pulls a lever of one of these kinds.
fn combined_row(session: &Session, combined: &Combined, wanted: &[Kind]) -> Option<Row> {
    let name = &combined.name;
    let expansion = expand(&session.council, std::slice::from_ref(name), &[], false).ok()?;
    let pulled: Vec<&str> = expansion.levers().collect();
    let levers = pulled.iter().filter_map(|name| session.council.levers.get(*name));
    let playbooks: Vec<&Playbook> =
        levers.filter_map(|lever| Some(session.catalogue.get(&lever.playbook).ok()?.playbook)).collect();
    let kind = wanted.iter().find(|kind| playbooks.iter().any(|playbook| playbook.kind == **kind))?;
    let severity = playbooks.iter().map(|playbook| playbook.severity).min()?.to_string();
    let mut safes: Vec<&str> = Vec::new();
    for part in &expansion.parts {
        if !safes.contains(&part.safe.as_str()) {
            safes.push(&part.safe);
        }
    }
    let pulls = format!("pulls {}", pulled.join(", "));
    let what = combined.title.as_ref().map_or_else(|| pulls.clone(), |title| format!("{title}: {pulls}"));
    Some(Row {
        cells: vec![format!("{kind} {name}"), what, safes.join(", "), severity.clone()],
        object: json!({
            "kind": kind.to_string(), "lever": name, "title": combined.title, "pulls": pulled, "safes": safes,
            "severity": severity, "transactions": expansion.parts.len(),
        }),
    })
}

fn begin(ui: &Ui) {
    ui.object(&json!({ "council": null, "levers": [] }));
    ui.say(&Text::default().bold("No council file here.").add(" To begin, with your Safe's address:"));
    ui.blank();
    ui.say(&Text::new("  breakglass init --safe 0x… --rpc '${MAINNET_RPC}'"));
    ui.blank();
    ui.say(&Text::new(
        "It writes breakglass.toml: the Safe, its owners and threshold as the chain has them.",
    ));
    ui.say(&Text::new("Then bind levers to it; breakglass playbook list shows the playbooks."));
}
