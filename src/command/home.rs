//! `breakglass` alone: the levers at hand, or how to begin.

use std::path::Path;

use serde_json::json;

use crate::ceremony::desk::Desk;
use crate::ceremony::desk::find_council;
use crate::command::Session;
use crate::council::Lever;
use crate::error::{Error, Exit};
use crate::playbook::Kind;
use crate::ui::{Text, Ui};

pub fn run(ui: &Ui, council: Option<&Path>) -> Result<Exit, Error> {
    if council.is_none() && find_council(ui)?.is_none() {
        begin(ui);
        return Ok(Exit::Done);
    }
    let session = Session { ui, desk: Desk::load(ui, council)? };
    let levers: Vec<&Lever> = session.council.levers.values().collect();
    list(&session, &levers)?;
    Ok(Exit::Done)
}

/// The levers of one kind: what `pause`, `param` and `rotate` print when no lever is named.
pub fn of_kind(session: &Session, kind: Kind) -> Result<Exit, Error> {
    let mut levers = Vec::new();
    for lever in session.council.levers.values() {
        if session.catalogue.get(&lever.playbook).is_ok_and(|e| e.playbook.kind == kind) {
            levers.push(lever);
        }
    }
    list(session, &levers)?;
    Ok(Exit::Done)
}

fn list(session: &Session, levers: &[&Lever]) -> Result<(), Error> {
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    for kind in [Kind::Pause, Kind::Param, Kind::Rotate] {
        for lever in levers {
            let entry = session.catalogue.get(&lever.playbook).map_err(|e| {
                Error::from(e).about(&format!("lever {}", lever.name)).hint("fix its playbook = \"…\" line")
            })?;
            let playbook = entry.playbook;
            if playbook.kind != kind {
                continue;
            }
            rows.push(vec![
                format!("{kind} {}", lever.name),
                playbook.title.clone(),
                lever.safe.clone(),
                playbook.severity.to_string(),
            ]);
            objects.push(json!({
                "kind": kind.to_string(), "lever": lever.name, "title": playbook.title, "safe": lever.safe,
                "severity": playbook.severity.to_string(), "playbook": playbook.id.to_string(),
                "arguments": lever.set,
            }));
        }
    }
    let ui = session.ui;
    ui.object(&json!({ "council": session.council.name, "levers": objects }));
    if rows.is_empty() {
        ui.say(
            &Text::new("no levers here yet: add a [levers.NAME] to ")
                .add(&session.path.display().to_string()),
        );
        ui.say(&Text::new("breakglass playbook list shows what they can be bound to"));
        return Ok(());
    }
    ui.say(&Text::default().bold(&session.council.name).dim(&format!("   {}", session.path.display())));
    ui.table(&["lever", "what it does", "Safe", "severity"], &rows);
    ui.say(&Text::new("propose one: ").bold(&format!("breakglass {}", rows[0][0])));
    Ok(())
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
