//! The open proposals and the state of every lever now, for `breakglass` and `status` without names; and the levers of
//! one kind.

use crate::ceremony::overviews::overview::{self, Overview};
use crate::error::{Error, Exit};
use crate::playbook::PlaybookKind;
use crate::session::{Session, machine::keys};
use crate::ui::Text;
use crate::view::lever_table::LeverTable;
use crate::view::state_now::{self, StateNow};

/// Shows the open proposals, who is missing and what to type next; then every lever with the state of its target.
pub fn now(session: &Session, offline: bool) -> Result<Exit, Error> {
    let ui = session.ui;
    let overview = overview::read(session, offline)?;
    ui.say(&Text::default().bold(&session.council.name).dim(&format!("   {}", session.path.display())));
    let now = StateNow::new(session, &overview, keys::person(ui, &session.council, None)?);
    ui.show(&now.chains());
    let rows = now.rows();
    if !rows.is_empty() {
        ui.table(&state_now::OPEN, &rows);
    }
    ui.show(&now.next_steps());
    ui.show(&now.armed());
    ui.object(&now);
    list(session, &[PlaybookKind::Pause, PlaybookKind::Param, PlaybookKind::Rotate], Some(&overview));
    session.desk.warn_of_bad_levers();
    Ok(Exit::Done)
}

/// Shows the levers of one kind, and the combined ones that pull such: for `pause`, `param` and `rotate` without a
/// lever.
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
