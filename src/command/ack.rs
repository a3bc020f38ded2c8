//! `ack`: "I am awake", a line to paste. Nobody signs it: it says whom not to call.

use std::path::PathBuf;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::entering::now;
use crate::ceremony::own_settings::settings;
use crate::cli::args::ARGUMENTS;
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::incident::{Awake, JournalAct, Utc, find_awake};
use crate::session::Session;
use crate::store;
use crate::ui::Text;

const EXAMPLES: &str = "\
Examples:
  breakglass ack                     prints a line; paste it to the others
  pbpaste | breakglass ack -         reads the lines of the others";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// A chat with the lines of others; - for standard input
    #[arg(help_heading = ARGUMENTS, value_hint = ValueHint::FilePath)]
    chat: Option<PathBuf>,

    /// The person who is awake, if your settings do not name you
    #[arg(long = "as", value_name = "NAME", conflicts_with = "chat", add = ArgValueCompleter::new(complete::signers))]
    person: Option<String>,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let now = now();
    match &args.chat {
        Some(path) => take_in(session, path, now),
        None => own(session, args.person.clone(), now),
    }
}

fn own(session: &Session, person: Option<String>, now: Utc) -> Result<Exit, Error> {
    let name = match person {
        Some(name) => Some(name),
        None => settings(session.ui)?.me,
    };
    let name = name.ok_or_else(|| {
        Error::new(Exit::Usage, "it is not known who you are")
            .hint("pass --as NAME, or name it once as me in your settings: breakglass help settings")
    })?;
    let name = session.known_name(&name)?;
    let awake = Awake { name, at: now };
    session.write(JournalAct::Awake { name: awake.name.clone(), at: awake.at })?;
    session.ui.data(&awake.to_string());
    session.ui.say(&Text::new("send this line to the others. Next: breakglass shows what to do"));
    session.ui.object(&json!({ "name": awake.name.to_string(), "line": awake.to_string() }));
    Ok(Exit::Done)
}

fn take_in(session: &Session, path: &std::path::Path, now: Utc) -> Result<Exit, Error> {
    let foreign = if path.as_os_str() == "-" { store::read_stdin()? } else { store::read_foreign(path)? };
    let (mut awake, mut refused) = (Vec::new(), Vec::new());
    for found in find_awake(&foreign.text) {
        let checked = found.and_then(|line| {
            session.known_name(&line.name.to_string()).map_err(|error| error.message)?;
            if line.is_of_now(now) {
                Ok(line)
            } else {
                Err(format!("{}: the line is too old, or from the future", line.at))
            }
        });
        match checked {
            Ok(line) => {
                session.write(JournalAct::Awake { name: line.name.clone(), at: line.at })?;
                session.ui.say(&Text::default().good("awake: ").add(&line.name.to_string()));
                awake.push(line.name.to_string());
            }
            Err(why) => {
                session.ui.say(&Text::default().bad("refused: ").add(&why));
                refused.push(why);
            }
        }
    }
    let object = json!({ "awake": awake, "refused": refused });
    if awake.is_empty() {
        return Err(Error::new(Exit::Failed, "no line of breakglass ack was found")
            .hint("a line begins with bgawake1")
            .having_done(object));
    }
    session.ui.object(&object);
    Ok(Exit::Done)
}
