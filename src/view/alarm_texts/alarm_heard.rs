//! A message of another monitor about an alarm: a line for a person, and the object for a script.

use serde::Serialize;

use crate::council::Alarm;
use crate::incident::{AlertState, Message};
use crate::ui::Text;

/// A message and its effect.
#[derive(Debug, Serialize)]
pub struct AlarmHeard {
    alarm: String,
    by: String,
    id: String,
    #[serde(flatten)]
    effect: MessageEffect,
    #[serde(skip)]
    title: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum MessageEffect {
    Fires {
        is_first: bool,
        is_repeated: bool,
    },
    /// No lever is prepared.
    Noted {
        fires: bool,
        #[serde(skip)]
        because: &'static str,
    },
}

impl AlarmHeard {
    /// Returns a message that an alarm fires: the first of its incident, or a repeated one.
    pub fn firing(alarm: &Alarm, message: &Message, (is_first, is_repeated): (bool, bool)) -> Self {
        Self::new(alarm, message, MessageEffect::Fires { is_first, is_repeated })
    }

    /// Returns a message that the alarm is over, or that tests the connection.
    pub fn noted(alarm: &Alarm, message: &Message) -> Self {
        let because =
            if message.says == AlertState::Test { "a test" } else { "over, or taken on by somebody" };
        Self::new(alarm, message, MessageEffect::Noted { fires: false, because })
    }

    fn new(alarm: &Alarm, message: &Message, effect: MessageEffect) -> Self {
        let (by, id) = (message.by.to_string(), message.id.clone());
        Self { alarm: alarm.name.clone(), by, id, effect, title: alarm.title.clone() }
    }

    pub fn line(&self) -> Text {
        let Self { alarm, by, title, .. } = self;
        match &self.effect {
            MessageEffect::Fires { is_repeated: true, .. } => {
                Text::default().good("known: ").add(&format!("{alarm} by {by}: this message came before"))
            }
            MessageEffect::Fires { .. } => {
                Text::default().bad("ALARM ").add(&format!("{alarm} by {by}: {title}"))
            }
            MessageEffect::Noted { because, .. } => {
                Text::new(&format!("alarm {alarm} by {by}: {because}. Nothing was prepared"))
            }
        }
    }
}
