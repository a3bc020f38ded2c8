//! `ack`: prints or imports a line that says "I am awake". It is not signed, and decides only whom to call.

use std::path::Path;

use serde::Serialize;

use crate::ceremony::aftermath::entering::now;
use crate::ceremony::folder::own_settings::settings;
use crate::error::{Error, Exit};
use crate::incident::{Awake, BadAwake, FoundAwake, JournalAct, find_awake};
use crate::session::Session;
use crate::store;
use crate::ui::Text;

/// The lines of others that were read.
#[derive(Default, Serialize)]
struct AwakeImport {
    /// The names of those who are awake.
    awake: Vec<String>,
    /// Why a line was refused.
    refused: Vec<String>,
}

/// Prints the line of a person, or of the reader by their settings.
pub fn print_own(session: &Session, person: Option<String>) -> Result<Exit, Error> {
    let name = match person {
        Some(name) => Some(name),
        None => settings(session.ui)?.me,
    };
    let name = name.ok_or_else(|| {
        Error::new(Exit::Usage, "it is not known who you are")
            .hint("pass --as NAME, or name it once as me in your settings: breakglass help settings")
    })?;
    let name = session.known_name(&name)?;
    let awake = Awake { name, at: now() };
    session.write(JournalAct::Awake { name: awake.name.clone(), at: awake.at })?;
    session.ui.data(&awake.to_string());
    session.ui.say(&Text::new("send this line to the others. Next: breakglass shows what to do"));
    session.ui.field("name", &awake.name.to_string());
    session.ui.field("line", &awake.to_string());
    Ok(Exit::Done)
}

/// Reads the lines of others in a file, or on standard input.
pub fn import_lines(session: &Session, path: &Path) -> Result<Exit, Error> {
    let (people, signers) = (&session.council.people, &session.council.signers);
    let is_known = |name: &str| people.contains_key(name) || signers.contains_key(name);
    let FoundAwake { awake, refused } = find_awake(&store::read_given(path)?.text, now(), is_known);
    let mut read = AwakeImport::default();
    for (name, line) in awake {
        session.write(JournalAct::Awake { name: line.name, at: line.at })?;
        session.ui.say(&Text::default().good("awake: ").add(&name));
        read.awake.push(name);
    }
    read.refused = refused.map(|bad| why(session, bad)).sentences();
    for why in &read.refused {
        session.ui.say(&Text::default().bad("refused: ").add(why));
    }
    if read.awake.is_empty() {
        return Err(Error::new(Exit::Failed, "no line of breakglass ack was found")
            .hint("a line begins with bgawake1")
            .having_done(&read));
    }
    session.ui.object(&read);
    Ok(Exit::Done)
}

fn why(session: &Session, bad: &BadAwake) -> String {
    match bad {
        BadAwake::Form(why) => why.clone(),
        BadAwake::Nobody(name) => {
            session.known_name(name).err().map(|error| error.message).unwrap_or_default()
        }
        BadAwake::NotNow(at) => format!("{at}: the line is too old, or from the future"),
    }
}
