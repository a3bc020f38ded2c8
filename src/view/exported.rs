//! The result of `export`: lines or files of signatures, and the object.

use serde::Serialize;

use crate::proposal::{Claims, OwnerSignature, Proposal};
use crate::ui::{Lines, Text};

/// The signatures of one proposal.
#[derive(Debug, Serialize)]
pub struct Exported {
    safe_tx_hash: String,
    lines: Vec<String>,
    /// The files that were written, if a folder was named.
    pub files: Vec<String>,
}

impl Exported {
    pub fn new(proposal: &Proposal, signatures: &[OwnerSignature], claims: &Claims) -> Self {
        let lines = signatures.iter().map(|signature| signature.line(claims)).collect();
        Self { safe_tx_hash: proposal.hash().to_string(), lines, files: Vec::new() }
    }

    /// Returns the files, or else the lines.
    pub fn data(&self) -> &[String] {
        if self.files.is_empty() { &self.lines } else { &self.files }
    }

    /// Returns a line if nobody has signed yet.
    pub fn lines_below(&self) -> Lines {
        let none = Text::default().warn("no signatures yet").add(&format!(" for {}", self.safe_tx_hash));
        self.lines.is_empty().then_some(none).into_iter().collect()
    }
}
