//! `breakglass` alone: what is open and the state of every lever now, or how to begin.

use std::path::Path;

use serde_json::json;

use crate::ceremony::desk::{Desk, find_council};
use crate::ceremony::overview::{self, Overview};
use crate::error::{Error, Exit};
use crate::playbook::PlaybookKind;
use crate::session::Session;
use crate::ui::{Text, Ui};
use crate::view::lever_table::{LeverTable, beginning};
use crate::view::state_now;

pub fn run(ui: &Ui, council: Option<&Path>) -> Result<Exit, Error> {
    if council.is_none() && find_council(ui)?.is_none() {
        ui.object(&json!({ "council": null, "levers": [] }));
        ui.show(&beginning());
        return Ok(Exit::Done);
    }
    let session = Session { ui, desk: Desk::load(ui, council)? };
    now(&session, false)
}

/// Shows what is open, who is missing and what to type next; then every lever with the state of its target. `status`
/// without a name is the same.
pub fn now(session: &Session, offline: bool) -> Result<Exit, Error> {
    let ui = session.ui;
    let overview = overview::look(session, offline)?;
    ui.say(&Text::default().bold(&session.council.name).dim(&format!("   {}", session.path.display())));
    ui.show(&state_now::chains(&overview));
    if overview.open.is_empty() {
        ui.say(&Text::new("nothing is open"));
    } else {
        let rows: Vec<_> = overview.open.iter().map(|open| state_now::open_row(session, open)).collect();
        ui.table(&state_now::OPEN, &rows);
        ui.show(&state_now::next_steps(&overview));
    }
    ui.object(&json!({
        "open": overview.open.iter().map(|open| state_now::open_object(session, open)).collect::<Vec<_>>(),
        "chains": overview.chains.iter().map(state_now::chain_object).collect::<Vec<_>>(),
    }));
    list(session, &[PlaybookKind::Pause, PlaybookKind::Param, PlaybookKind::Rotate], Some(&overview));
    session.desk.warn_of_bad_levers();
    Ok(Exit::Done)
}

/// The levers of one kind, and the combined ones that pull such: what `pause`, `param` and `rotate` print when no lever is named.
pub fn of_kind(session: &Session, kind: PlaybookKind) -> Exit {
    list(session, &[kind], None);
    Exit::Done
}

fn list(session: &Session, kinds: &[PlaybookKind], now: Option<&Overview>) {
    let (ui, table) = (session.ui, LeverTable::new(session, kinds, now));
    ui.object(&table);
    ui.show(&table.head());
    let rows = table.rows();
    if !rows.is_empty() {
        ui.table(&table.header(), &rows);
    }
    ui.show(&table.next(kinds, now.is_some_and(|now| !now.open.is_empty())));
}
