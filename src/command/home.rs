//! `breakglass` alone: what is open and the state of every lever now, or how to begin.

use std::path::Path;

use serde_json::{Value, json};

use crate::ceremony::desk::{Desk, find_council};
use crate::ceremony::overview::{self, Overview, State};
use crate::command::Session;
use crate::council::{Combined, Lever, expand};
use crate::error::{Error, Exit};
use crate::playbook::{Kind, Playbook};
use crate::ui::{Text, Ui};
use crate::view::state_now;

pub fn run(ui: &Ui, council: Option<&Path>) -> Result<Exit, Error> {
    if council.is_none() && find_council(ui)?.is_none() {
        begin(ui);
        return Ok(Exit::Done);
    }
    let session = Session { ui, desk: Desk::load(ui, council)? };
    now(&session, false)
}

/// Shows what is open, who is missing and what to type next; then every lever with the state of its target. `status` without a name
/// is the same.
pub fn now(session: &Session, offline: bool) -> Result<Exit, Error> {
    let ui = session.ui;
    let overview = overview::look(session, offline)?;
    ui.say(&Text::default().bold(&session.council.name).dim(&format!("   {}", session.path.display())));
    ui.show(&state_now::chains(&overview));
    open(session, &overview);
    ui.object(&json!({
        "open": overview.open.iter().map(|open| state_now::open_object(session, open)).collect::<Vec<_>>(),
        "chains": overview.chains.iter().map(state_now::chain_object).collect::<Vec<_>>(),
    }));
    list(session, &KINDS, Some(&overview));
    session.desk.warn_of_bad_levers();
    Ok(Exit::Done)
}

fn open(session: &Session, overview: &Overview) {
    let ui = session.ui;
    if overview.open.is_empty() {
        ui.say(&Text::new("nothing is open"));
        return;
    }
    let rows: Vec<Vec<String>> =
        overview.open.iter().map(|open| state_now::open_row(session, open)).collect();
    ui.table(&state_now::OPEN, &rows);
    for open in &overview.open {
        ui.say(&Text::default().dim("  → ").bold(&state_now::next(open)));
    }
    if overview.more_open > 0 {
        let text = format!("{} older proposals are kept, and were not looked at", overview.more_open);
        ui.say(&Text::default().warn("note: ").add(&text));
    }
    ui.blank();
}

/// The levers of one kind, and the combined ones that pull such: what `pause`, `param` and `rotate` print when no lever is named.
pub fn of_kind(session: &Session, kind: Kind) -> Exit {
    list(session, &[kind], None);
    Exit::Done
}

const KINDS: [Kind; 3] = [Kind::Pause, Kind::Param, Kind::Rotate];

/// A lever in the table and in the object of `--json`.
struct Row {
    cells: Vec<String>,
    object: Value,
}

/// Lists the levers of some kinds, with their state where it was looked up.
fn list(session: &Session, kinds: &[Kind], now: Option<&Overview>) {
    let mut simple = Vec::new();
    for kind in kinds {
        let levers = session.council.levers.values();
        simple.extend(levers.filter_map(|lever| simple_row(session, lever, *kind, now)));
    }
    let mut in_order: Vec<&Combined> = session.council.combined.values().collect();
    in_order.sort_by_key(|combined| combined.place);
    let combined: Vec<Row> =
        in_order.into_iter().filter_map(|combined| combined_row(session, combined, kinds, now)).collect();
    let ui = session.ui;
    let objects: Vec<&Value> = simple.iter().chain(&combined).map(|row| &row.object).collect();
    ui.object(&json!({ "council": session.council.name, "levers": objects }));
    let rows: Vec<Vec<String>> = simple.into_iter().chain(combined).map(|row| row.cells).collect();
    if let Some(first) = rows.first().and_then(|row| row.first()) {
        if now.is_some() {
            ui.table(&["lever", "target", "state now", "Safe"], &rows);
        } else {
            let path = format!("   {}", session.path.display());
            ui.say(&Text::default().bold(&session.council.name).dim(&path));
            ui.table(&["lever", "what it does", "Safe", "severity"], &rows);
        }
        ui.say(&Text::new("propose one: ").bold(&format!("breakglass {first}")));
    } else {
        let path = session.path.display().to_string();
        ui.say(&Text::new("no levers here yet: add a [levers.NAME] to ").add(&path));
        ui.say(&Text::new("breakglass playbook list shows what they can be bound to"));
    }
}

/// The lever, if its playbook is of this kind.
fn simple_row(session: &Session, lever: &Lever, kind: Kind, now: Option<&Overview>) -> Option<Row> {
    let playbook = session.catalogue.get(&lever.playbook).ok()?.playbook;
    let (name, severity) = (&lever.name, playbook.severity.to_string());
    let state = now.and_then(|now| now.levers.get(name));
    let told = state.map(|state| state_now::sentence(session, lever, kind, state));
    let word = format!("{kind} {name}");
    let cells = match &told {
        Some(told) => vec![word, targets(session, lever).join(", "), told.clone(), lever.safe.clone()],
        None => vec![word, playbook.title.clone(), lever.safe.clone(), severity.clone()],
    };
    (playbook.kind == kind).then(|| Row {
        cells,
        object: json!({
            "kind": kind.to_string(), "lever": name, "title": playbook.title, "safe": lever.safe,
            "severity": severity, "playbook": playbook.id.to_string(), "arguments": lever.set,
            "targets": targets(session, lever), "state": state.map(state_now::word), "state_told": told,
        }),
    })
}

/// The contracts of the council file that its arguments name.
fn targets(session: &Session, lever: &Lever) -> Vec<String> {
    let council = &session.council;
    let is_named =
        |value: &&String| council.targets.contains_key(*value) || council.safes.contains_key(*value);
    lever.set.values().filter(is_named).cloned().collect()
}

/// The combined lever, if it pulls a lever of one of these kinds.
fn combined_row(
    session: &Session,
    combined: &Combined,
    wanted: &[Kind],
    now: Option<&Overview>,
) -> Option<Row> {
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
    let done = now.map(|now| {
        let is_done = |lever: &&&str| matches!(now.levers.get(**lever), Some(State::Done { .. }));
        format!("{} of {} done", pulled.iter().filter(is_done).count(), pulled.len())
    });
    let cells =
        [vec![format!("{kind} {name}"), what], done.clone().into_iter().collect(), vec![safes.join(", ")]];
    let severity_cell = if now.is_none() { vec![severity.clone()] } else { Vec::new() };
    Some(Row {
        cells: [cells.concat(), severity_cell].concat(),
        object: json!({
            "kind": kind.to_string(), "lever": name, "title": combined.title, "pulls": pulled, "safes": safes,
            "severity": severity, "transactions": expansion.parts.len(), "state_told": done,
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
