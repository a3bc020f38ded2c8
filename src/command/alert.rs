//! `alert`: another monitor's message about an alarm of the council file, on standard input.

use std::ffi::OsString;

use serde_json::json;

use crate::cli::args::ARGUMENTS;
use crate::council::Alarm;
use crate::error::{Error, Exit};
use crate::incident::{JournalAct, Message, Plain, Says};
use crate::session::Session;
use crate::session::raised::{AlarmOccurrence, AlarmReport};
use crate::store::{arguments, read_stdin, start_again};
use crate::ui::Text;

/// A second run of this program prepares what the first has written.
const AFTER: &str = "--prepare-after";

const EXAMPLES: &str = "\
Examples:
  breakglass alert drained < message.json
  breakglass alert drained --wait --run ./page.sh < message.json";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The alarm of the council file that the message is about
    #[arg(help_heading = ARGUMENTS)]
    alarm: String,

    /// Prepare the lever before this command ends
    ///
    /// Without it the message is written into the journal, this command ends at once, and the lever is prepared after it.
    #[arg(long)]
    wait: bool,

    /// A command of the shell that gets the alarm as JSON on its standard input
    ///
    /// It is run by this machine's shell, after the lever was prepared. The council file and messages cannot name one.
    #[arg(long, value_name = "COMMAND", help_heading = "Output")]
    run: Option<String>,

    /// Prepare the lever for a message that is in the journal already, by its id
    #[arg(long, value_name = "ID", hide = true, conflicts_with = "wait")]
    prepare_after: Option<String>,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let alarm = session.alarm(&args.alarm)?;
    if let Some(id) = &args.prepare_after {
        let (told, place) = session.alarm_entered(alarm, id).ok_or_else(|| {
            Error::new(Exit::Usage, format!("the journal has no message {id:?} about {}", alarm.name))
        })?;
        return Ok(prepare(session, args, alarm, &told, place));
    }
    let text = read_stdin()?.text;
    if text.trim().is_empty() {
        return Err(Error::new(Exit::Usage, "there is no message on standard input")
            .hint("breakglass alert drained < message.json"));
    }
    let message = Message::read(&text);
    if message.says != Says::Firing {
        return Ok(only_noted(session, alarm, &message));
    }
    let told = AlarmReport { by: message.by.into(), id: Some(message.id), text: message.text, block: None };
    let place = session.enter_alarm(alarm, &told);
    let (what, id) = (format!("{} by {}", alarm.name, told.by), told.id.as_deref().unwrap_or_default());
    session.ui.object(&json!({
        "alarm": alarm.name, "by": told.by, "id": id,
        "is_first": place == AlarmOccurrence::First, "is_repeated": place == AlarmOccurrence::Repeated,
    }));
    if place == AlarmOccurrence::Repeated {
        session.ui.say(&Text::default().good("known: ").add(&format!("{what}: this message came before")));
        return Ok(Exit::Done);
    }
    session.ui.say(&Text::default().bad("ALARM ").add(&format!("{what}: {}", alarm.title)));
    if args.wait {
        return Ok(prepare(session, args, alarm, &told, place));
    }
    let again: Vec<OsString> = arguments().skip(1).chain([format!("{AFTER}={id}").into()]).collect();
    match start_again(&again) {
        Ok(()) => {
            session.ui.say(&Text::new(&format!("{} is prepared now: breakglass log shows it", alarm.lever)));
            Ok(Exit::Done)
        }
        Err(error) => {
            session.ui.say(&Text::default().warn("! ").add(&format!("prepared here: {error}")));
            Ok(prepare(session, args, alarm, &told, place))
        }
    }
}

fn prepare(
    session: &Session,
    args: &Args,
    alarm: &Alarm,
    told: &AlarmReport,
    place: AlarmOccurrence,
) -> Exit {
    let prepared = session.prepare(alarm);
    session.announce(alarm, told, place, &prepared, args.run.as_deref());
    Exit::Done
}

/// A message that says that something is over, or that tries the way.
fn only_noted(session: &Session, alarm: &Alarm, message: &Message) -> Exit {
    let says = if message.says == Says::Test { "a test" } else { "over, or taken on by somebody" };
    let text = format!("alarm {} by {}: {says}. Nothing was prepared", alarm.name, message.by);
    session.note_act(JournalAct::Note { text: Plain::cut(&format!("{text}: {}", message.text)) });
    session.ui.say(&Text::new(&text));
    session.ui.object(&json!({ "alarm": alarm.name, "by": message.by, "id": message.id, "fires": false }));
    Exit::Done
}
