//! A person to call: a line, and one object for every command.

use serde::Serialize;

use crate::council::PersonToCall;
use crate::ui::Text;

/// A person to call, with their local time and stand-in.
#[derive(Clone, Debug, Serialize)]
pub struct PersonLine {
    name: String,
    reach: String,
    /// The person who is away, if this one stands in.
    instead_of: Option<String>,
    /// `true` if this one is away too, and nobody stands in.
    is_away: bool,
    local_time: Option<String>,
    #[serde(skip)]
    text: String,
}

impl From<&PersonToCall<'_>> for PersonLine {
    fn from(call: &PersonToCall) -> Self {
        Self {
            name: call.person.name.clone(),
            reach: call.person.reach.clone(),
            instead_of: call.instead_of.map(String::from),
            is_away: call.is_away,
            local_time: call.local.map(|local| local.to_string()),
            text: call.to_string(),
        }
    }
}

impl PersonLine {
    pub fn line(&self) -> Text {
        Text::default().dim("  → call ").add(&self.text)
    }
}
