//! `incident`: opens, closes or notes, by an entry of the journal.

use serde::Serialize;

use crate::error::{Error, Exit};
use crate::incident::{Journal, JournalAct, OpenedIncident, Plain, open_incident};
use crate::playbook::Severity;
use crate::session::Session;
use crate::ui::Text;
use crate::view::journal_table::describe;

/// An incident that is to be opened, and the roles in it.
pub struct Opening<'o> {
    pub title: &'o str,
    pub severity: Severity,
    pub leads: Option<&'o str>,
    pub speaks: Option<&'o str>,
    pub writes: Option<&'o str>,
}

#[derive(Serialize)]
struct Written {
    written: String,
    journal: String,
}

/// Opens an incident.
pub fn open(session: &Session, opening: &Opening) -> Result<Exit, Error> {
    let journal = Journal::read(&session.incidents.journal().read()?);
    if let Some(open) = open_incident(journal.iter()) {
        let message = format!("an incident is open: {}", describe(&session.council, &open.draft.act));
        return Err(Error::new(Exit::Usage, message)
            .hint("what is done now belongs to it: breakglass incident note \"…\"")
            .hint("or end it first: breakglass incident close"));
    }
    let person = |name: Option<&str>| name.map(|name| session.known_name(name)).transpose();
    let act = JournalAct::Opened(OpenedIncident {
        title: plain("the title", opening.title)?,
        severity: opening.severity,
        leads: person(opening.leads)?,
        speaks: person(opening.speaks)?,
        writes: person(opening.writes)?,
    });
    write(session, act)
}

/// Adds a note, in an incident or not: a long journal need not be read for it. Fails if it is not one line of text.
pub fn note(session: &Session, text: &str) -> Result<Exit, Error> {
    write(session, JournalAct::Note { text: plain("the note", text)? })
}

/// Closes the incident that is open.
pub fn close(session: &Session) -> Result<Exit, Error> {
    let journal = Journal::read(&session.incidents.journal().read()?);
    if open_incident(journal.iter()).is_none() {
        return Err(Error::new(Exit::Usage, "no incident is open").hint("breakglass log shows the last ones"));
    }
    write(session, JournalAct::Closed {})
}

fn write(session: &Session, act: JournalAct) -> Result<Exit, Error> {
    let written = describe(&session.council, &act);
    session.write(act)?;
    session.ui.say(&Text::default().good("written: ").add(&written));
    let journal = session.incidents.journal().path().display().to_string();
    session.ui.object(&Written { written, journal });
    Ok(Exit::Done)
}

fn plain(what: &str, text: &str) -> Result<Plain, Error> {
    Plain::new(text).map_err(|why| {
        Error::new(Exit::Usage, format!("{what} cannot be written: {why}")).hint("write one short sentence")
    })
}
