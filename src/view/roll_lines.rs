//! The sentences of a roll call, and the result of an import of its lines.

use serde::Serialize;

/// The sentence of one owner, and the line that comes back.
#[derive(Debug, Serialize)]
pub struct RollCallSentence {
    /// `None` for the reader's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub owner: String,
    pub sentence: String,
    pub line: String,
}

impl RollCallSentence {
    /// Returns the steps for any wallet that signs personal messages.
    pub fn data(&self) -> [String; 3] {
        let Self { name, sentence, line, .. } = self;
        [
            format!("{}:", name.as_deref().unwrap_or_default()),
            format!("  sign as a personal message  {sentence}"),
            format!("  then send                   {line}"),
        ]
    }
}

/// The lines of others that were read.
#[derive(Debug, Serialize)]
pub struct LinesRead {
    pub kept: Vec<String>,
    pub known: Vec<String>,
    pub refused: Vec<String>,
}
