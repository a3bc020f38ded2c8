//! A proposal that was just written: its lines, and the object of `pause`, `param`, `rotate`, `undo` and `drill`.

use std::path::Path;

use serde::Serialize;

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::store;
use crate::ui::{Lines, Text};
use crate::view::drill_lines;
use crate::view::review_lines::what_changes::Changes;
use crate::view::review_lines::what_it_does::{DecidedPart, decided_parts};

#[derive(Serialize)]
pub struct WrittenProposal {
    proposal: String,
    safe_tx_hash: String,
    domain_hash: String,
    message_hash: String,
    nonce: String,
    safe: String,
    chain_id: u64,
    #[serde(flatten)]
    of: ProposedAs,
    /// The path of the file from the working folder.
    #[serde(skip)]
    from_here: String,
    /// The words that name it in a command.
    #[serde(skip)]
    words: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ProposedAs {
    Drill {
        purpose: &'static str,
        /// The line for the chat.
        announcement: String,
        drill: String,
        signed_chain_id: u64,
    },
    Real {
        decided_by_the_chain: Vec<DecidedPart>,
        rehearsal: Option<Box<Changes>>,
        rounds: Option<u32>,
    },
}

impl WrittenProposal {
    pub fn new(desk: &Desk, judged: &Judged, path: &Path) -> Self {
        let proposal = judged.proposal();
        let words = desk.words_of(proposal, &[path.display().to_string()]);
        let of = if proposal.is_drill() {
            ProposedAs::Drill {
                purpose: "drill",
                announcement: drill_lines::announcement(proposal, &words),
                drill: words.clone(),
                signed_chain_id: proposal.domain().chain_id(),
            }
        } else {
            ProposedAs::Real {
                decided_by_the_chain: decided_parts(judged),
                rehearsal: Changes::of(judged).map(Box::new),
                rounds: judged.seen.as_ref().map(|seen| seen.link.rounds()),
            }
        };
        Self {
            proposal: path.display().to_string(),
            safe_tx_hash: proposal.hash().to_string(),
            domain_hash: proposal.hashes().domain.to_string(),
            message_hash: proposal.hashes().message.to_string(),
            nonce: proposal.nonce().to_string(),
            safe: judged.derived.safe.address.to_string(),
            chain_id: judged.derived.chain.id,
            of,
            from_here: store::from_here(path).display().to_string(),
            words,
        }
    }

    /// Returns the lines above the data: what was done and what to do with the data.
    pub fn lines(&self) -> Lines {
        let Self { from_here, words, .. } = self;
        let (done, then) = match &self.of {
            ProposedAs::Drill { .. } => (
                Text::default().good("DRILL announced ").add(from_here),
                Text::new(
                    "paste this line into the chat, and tell the others in another way that it is yours:",
                ),
            ),
            ProposedAs::Real { .. } => (
                Text::default().good("proposed ").add(from_here),
                Text::new("next: each owner runs ")
                    .bold(&format!("breakglass sign {words} --ledger"))
                    .add(" (or --keystore FILE)"),
            ),
        };
        Lines::from([done, then])
    }

    /// Returns the data: the line that announces a drill, or the hash of a real proposal.
    pub fn data(&self) -> &str {
        match &self.of {
            ProposedAs::Drill { announcement, .. } => announcement,
            ProposedAs::Real { .. } => &self.safe_tx_hash,
        }
    }

    /// Returns the lines below the data of a drill.
    pub fn after(&self) -> Lines {
        let next = format!("breakglass broadcast {}", self.words);
        let line = Text::new("next, when their lines are in the chat: ").bold(&next);
        matches!(self.of, ProposedAs::Drill { .. }).then_some(line).into_iter().collect()
    }
}
