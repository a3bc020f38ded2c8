//! A signature that was just made: the lines about it, and the object of `sign`.

use std::path::Path;

use serde::Serialize;

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::clock;
use crate::proposal::{Claims, OwnerSignature, Shortfall};
use crate::store;
use crate::ui::{Lines, Text};
use crate::view::review_lines::summary::Summary;
use crate::view::review_lines::what_it_does::{DecidedPart, decided_parts};

/// A signature with the proposal that was reviewed.
#[derive(Debug, Serialize)]
pub struct MadeSignature {
    purpose: String,
    safe_tx_hash: String,
    owner: String,
    kind: String,
    /// The Safes for which it was made, if not for the proposal's own.
    through: Vec<String>,
    /// The line to send to the person who broadcasts.
    pub line: String,
    accepted: Vec<String>,
    decided_by_the_chain: Vec<DecidedPart>,
    summary: Summary,
    /// `None` if it could not be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip)]
    is_drill: bool,
    #[serde(skip)]
    name: String,
    #[serde(skip)]
    for_safe: Option<String>,
    #[serde(skip)]
    words: String,
    #[serde(skip)]
    tally: Shortfall,
}

impl MadeSignature {
    pub fn new(desk: &Desk, judged: &Judged, signature: &OwnerSignature) -> Self {
        let proposal = judged.proposal();
        // A drill measures when each was made.
        let made = proposal.is_drill().then(clock::seconds);
        Self {
            purpose: proposal.purpose().to_string(),
            safe_tx_hash: signature.hash().to_string(),
            owner: signature.owner().to_string(),
            kind: signature.ecdsa().kind().to_string(),
            through: signature.through().iter().map(ToString::to_string).collect(),
            line: signature.line(&Claims { made, ..desk.claims(proposal) }),
            accepted: signature.accepted().to_vec(),
            decided_by_the_chain: decided_parts(judged),
            summary: Summary::of(desk, judged, signature.accepted()),
            file: None,
            is_drill: proposal.is_drill(),
            name: judged.name(signature.owner()).to_string(),
            for_safe: signature.through().last().map(|safe| desk.name_of(*safe)),
            words: desk.words_of(proposal, &[]),
            tally: judged.tally_with(signature),
        }
    }

    /// Returns the lines above the data: who signed, and where to send the line.
    pub fn lines(&self) -> Lines {
        let Self { name, owner, words, .. } = self;
        let safe = self.for_safe.as_ref().map(|safe| format!(", for {safe}")).unwrap_or_default();
        let drill = if self.is_drill { "DRILL " } else { "" };
        Lines::from([
            Text::default().good(drill).good("signed ").add(&format!("by {name} {owner}{safe}")),
            Text::new("send this line to the others: breakglass import ").add(words).add(" reads it"),
        ])
    }

    /// Returns the command that prints the lines of some signatures again.
    pub fn export_command(all: &[Self]) -> String {
        let mut words: Vec<&str> = all.iter().map(|one| one.words.as_str()).collect();
        words.dedup();
        words.iter().map(|words| format!("breakglass export {words}")).collect::<Vec<_>>().join("; ")
    }

    /// Returns the lines below the data: where it is kept, how many have signed, and the next step once enough have.
    pub fn after(&self) -> Lines {
        let kept = self.file.as_deref().map(Path::new).map(|path| {
            let folder = store::from_here(path.parent().unwrap_or(path));
            Text::new("kept in ").add(&folder.display().to_string())
        });
        let Shortfall { approved, threshold, .. } = &self.tally;
        let count = Text::new(&format!("{} of {threshold} have signed", approved.len()));
        let next = if self.tally.is_met() {
            count.add(". Next: ").bold(&format!("breakglass broadcast {}", self.words))
        } else {
            count.add(", as far as this machine knows")
        };
        kept.into_iter().chain([next]).collect()
    }

    /// Returns the findings that were accepted, which the signature's line does not contain.
    pub fn acceptance(&self) -> Lines {
        let text = format!("you accepted {}", self.accepted.join(", "));
        let line = Text::default().warn("! ").add(&text);
        let line = line.add(": write that beside the line, which does not say it");
        (!self.accepted.is_empty()).then_some(line).into_iter().collect()
    }
}
