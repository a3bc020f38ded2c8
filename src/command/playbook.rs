//! `playbook list`, `show`, `check`.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli;
use crate::command::session::{Session, find_council};
use crate::error::{Error, Exit};
use crate::playbook::{Catalogue, Entry, Origin, Playbook, Undo};
use crate::store;
use crate::ui::{Text, Ui};

pub fn run(ui: &Ui, council: Option<&Path>, args: &cli::Playbook) -> Result<Exit, Error> {
    match args {
        cli::Playbook::List => list(ui, &catalogue(ui, council)?),
        cli::Playbook::Show { id } => {
            show(ui, &catalogue(ui, council)?.get(id)?);
            Ok(Exit::Done)
        }
        cli::Playbook::Check { path } => check(ui, path),
    }
}

/// The council's catalogue where there is a council file, or else the built-in library.
fn catalogue(ui: &Ui, council: Option<&Path>) -> Result<Catalogue, Error> {
    if council.is_none() && find_council()?.is_none() {
        return Ok(Catalogue::new(Vec::new())?);
    }
    Ok(Session::load(ui, council)?.catalogue)
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Council(path) => path.clone(),
        Origin::BuiltIn => "built in".into(),
    }
}

fn list(ui: &Ui, catalogue: &Catalogue) -> Result<Exit, Error> {
    let entries = catalogue.all()?;
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|e| {
            let p = e.playbook;
            vec![p.id.to_string(), p.title.clone(), p.severity.to_string(), origin(&e.origin)]
        })
        .collect();
    ui.table(&["playbook", "what it does", "severity", "from"], &rows);
    let objects: Vec<Value> = entries
        .iter()
        .map(|e| {
            let p = e.playbook;
            json!({
                "id": p.id.to_string(), "kind": p.kind.to_string(), "title": p.title,
                "severity": p.severity.to_string(), "from": origin(&e.origin), "digest": p.digest().to_string(),
            })
        })
        .collect();
    ui.object(&json!({ "playbooks": objects }));
    Ok(Exit::Done)
}

fn show(ui: &Ui, entry: &Entry) {
    let playbook = entry.playbook;
    ui.data(&format!("{}   {} · {}", playbook.id, playbook.kind, playbook.severity));
    ui.data(&playbook.title);
    ui.data("");
    ui.table(&["", ""], &explained(playbook, &entry.origin));
    ui.data("");
    ui.data_block(playbook.text());
    ui.object(&json!({
        "id": playbook.id.to_string(), "kind": playbook.kind.to_string(), "title": playbook.title,
        "severity": playbook.severity.to_string(), "from": origin(&entry.origin),
        "digest": playbook.digest().to_string(), "text": playbook.text(),
    }));
}

/// A playbook in plain words: what, and then the words.
fn explained(playbook: &Playbook, from: &Origin) -> Vec<Vec<String>> {
    let undo = match &playbook.undo {
        Undo::Playbook { id, .. } => id.to_string(),
        Undo::None { why } => format!("none: {why}"),
    };
    let params = playbook.params.iter().map(|p| ("needs".to_string(), p.ask()));
    let rows = [
        ("summary", playbook.summary.clone()),
        ("does not stop", playbook.does_not_stop.clone()),
        ("costs", playbook.cost.clone()),
        ("who may", playbook.role.clone().unwrap_or_default()),
        ("takes effect", playbook.delay.clone().unwrap_or_default()),
        ("undo", undo),
        ("contacts", playbook.contacts.join(", ")),
        ("source", playbook.source.clone()),
        ("found", origin(from)),
        ("digest", playbook.digest().to_string()),
    ];
    rows.map(|(name, text)| (name.to_string(), text))
        .into_iter()
        .chain(params)
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| vec![name, text])
        .collect()
}

/// Reads one file, or every `.toml` in a folder; the first fault of each file is shown with line and caret.
fn check(ui: &Ui, path: &Path) -> Result<Exit, Error> {
    let files = if path.is_dir() { store::files_below(path, "toml")? } else { vec![path.to_path_buf()] };
    if files.is_empty() {
        return Err(Error::new(Exit::Failed, format!("{} holds no .toml file", path.display())));
    }
    let mut faults = Vec::new();
    let mut results = Vec::new();
    for file in &files {
        let origin = file.display().to_string();
        let fault = Playbook::parse(&origin, &store::read_text(file)?).err().map(|f| f.to_string());
        results.push(json!({ "file": origin, "fault": fault }));
        match fault {
            None => ui.say(&Text::default().good("✓ ").add(&origin)),
            Some(fault) => {
                for line in Text::block(&fault) {
                    ui.say(&line);
                }
                faults.push(origin);
            }
        }
    }
    if faults.is_empty() {
        ui.object(&json!({ "playbooks": results }));
        return Ok(Exit::Done);
    }
    Err(Error::new(Exit::Failed, format!("{} of {} playbooks have faults", faults.len(), files.len()))
        .hint(format!("mend {}", faults.join(", "))))
}
