//! A text on one line that is short and safe to print: the texts of a journal and of a monitor's message.

use serde::{Deserialize, Serialize};

use crate::excerpt::hide_urls;

/// The most characters of one text in an entry.
const LONGEST_TEXT: usize = 500;

/// A text on one line, at most [`LONGEST_TEXT`] characters long, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, derive_more::Display)]
#[serde(try_from = "String")]
pub struct Plain(String);

#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotPlain {
    #[error("it is empty")]
    Empty,
    #[error("it has {0} characters, and at most {LONGEST_TEXT} are kept")]
    Long(usize),
    #[error("it has a line break or another control character")]
    Control,
}

impl TryFrom<String> for Plain {
    type Error = NotPlain;

    fn try_from(text: String) -> Result<Self, NotPlain> {
        let length = text.chars().count();
        if text.trim().is_empty() {
            return Err(NotPlain::Empty);
        }
        if length > LONGEST_TEXT {
            return Err(NotPlain::Long(length));
        }
        if text.chars().any(char::is_control) { Err(NotPlain::Control) } else { Ok(Self(text)) }
    }
}

impl Plain {
    /// Reads the text of a person. Of a server's address, everything after the host is left out: it may be a key. Fails
    /// if it is empty, too long, or not on one line.
    pub fn new(text: &str) -> Result<Self, NotPlain> {
        Self::try_from(hide_urls(text))
    }

    /// Returns the beginning of a text, with spaces in the place of control characters.
    pub fn cut(text: &str) -> Self {
        let text: String = hide_urls(text)
            .chars()
            .take(LONGEST_TEXT)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if text.trim().is_empty() { Self("?".into()) } else { Self(text) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split_whitespace()
    }
}
