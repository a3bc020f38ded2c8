//! A message of another monitor about an alarm, as it was taken in.

use serde::Serialize;

use crate::council::Alarm;
use crate::incident::{Message, Says};
use crate::ui::Text;

/// A message, and what it comes to.
#[derive(Debug, Serialize)]
pub struct AlarmHeard {
    alarm: String,
    by: String,
    id: String,
    #[serde(flatten)]
    comes_to: ComesTo,
    #[serde(skip)]
    title: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ComesTo {
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
    /// A message that an alarm fires: the first of its incident, or one that came before.
    pub fn firing(alarm: &Alarm, message: &Message, (is_first, is_repeated): (bool, bool)) -> Self {
        Self::new(alarm, message, ComesTo::Fires { is_first, is_repeated })
    }

    /// A message that something is over, or that tries the way.
    pub fn noted(alarm: &Alarm, message: &Message) -> Self {
        let because = if message.says == Says::Test { "a test" } else { "over, or taken on by somebody" };
        Self::new(alarm, message, ComesTo::Noted { fires: false, because })
    }

    fn new(alarm: &Alarm, message: &Message, comes_to: ComesTo) -> Self {
        let (by, id) = (message.by.to_string(), message.id.clone());
        Self { alarm: alarm.name.clone(), by, id, comes_to, title: alarm.title.clone() }
    }

    pub fn line(&self) -> Text {
        let Self { alarm, by, title, .. } = self;
        match &self.comes_to {
            ComesTo::Fires { is_repeated: true, .. } => {
                Text::default().good("known: ").add(&format!("{alarm} by {by}: this message came before"))
            }
            ComesTo::Fires { .. } => Text::default().bad("ALARM ").add(&format!("{alarm} by {by}: {title}")),
            ComesTo::Noted { because, .. } => {
                Text::new(&format!("alarm {alarm} by {by}: {because}. Nothing was prepared"))
            }
        }
    }
}
