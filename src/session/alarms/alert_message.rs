//! `alert`: another monitor's message about an alarm. The lever is prepared at once, or by a second run of this program.

use std::ffi::OsString;

use crate::council::Alarm;
use crate::error::{Error, Exit};
use crate::incident::{AlertState, JournalAct, Message, Plain};
use crate::session::Session;
use crate::session::alarms::raise_alarm::{AlarmOccurrence, AlarmReport};
use crate::store::{arguments, read_stdin, start_again};
use crate::ui::Text;
use crate::view::alarm_texts::AlarmHeard;

/// The flag by which a second run of this program prepares what the first has written.
const AFTER: &str = "--prepare-after";

/// Reads the message on standard input. With `wait`, the lever is prepared before this ends.
pub fn receive(session: &Session, alarm: &Alarm, wait: bool, run: Option<&str>) -> Result<Exit, Error> {
    let text = read_stdin()?.text;
    if text.trim().is_empty() {
        return Err(Error::new(Exit::Usage, "there is no message on standard input")
            .hint("breakglass alert drained < message.json"));
    }
    let message = Message::read(&text);
    let ui = session.ui;
    if message.says != AlertState::Firing {
        let heard = AlarmHeard::noted(alarm, &message);
        let text = format!("{}: {}", heard.line().plain(), message.text);
        session.note_act(JournalAct::Note { text: Plain::cut(&text) });
        ui.say(&heard.line());
        ui.object(&heard);
        return Ok(Exit::Done);
    }
    let told = AlarmReport {
        by: message.by.into(),
        id: Some(message.id.clone()),
        text: message.text.clone(),
        block: None,
    };
    let place = session.enter_alarm(alarm, &told);
    let is_repeated = place == AlarmOccurrence::Repeated;
    let heard = AlarmHeard::firing(alarm, &message, (place == AlarmOccurrence::First, is_repeated));
    ui.object(&heard);
    ui.say(&heard.line());
    if is_repeated {
        return Ok(Exit::Done);
    }
    if !wait {
        let after = format!("{AFTER}={}", message.id);
        let again: Vec<OsString> = arguments().skip(1).chain([after.into()]).collect();
        match start_again(&again) {
            Ok(()) => {
                ui.say(&Text::new(&format!("{} is prepared now: breakglass log shows it", alarm.lever)));
                return Ok(Exit::Done);
            }
            Err(error) => ui.say(&Text::default().warn("! ").add(&format!("prepared here: {error}"))),
        }
    }
    session.raise(alarm, &told, place, run);
    Ok(Exit::Done)
}

/// Prepares the lever for the message of the journal with this id.
pub fn prepare_after(session: &Session, alarm: &Alarm, id: &str, run: Option<&str>) -> Result<Exit, Error> {
    let (told, place) = session.alarm_entered(alarm, id).ok_or_else(|| {
        Error::new(Exit::Usage, format!("the journal has no message {id:?} about {}", alarm.name))
    })?;
    session.raise(alarm, &told, place, run);
    Ok(Exit::Done)
}
