//! Decides if an answer still rests on the chain as it is: the age of its block, and what RPCs answered late.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::ceremony::judged::Judged;
use crate::ceremony::obey::obey;
use crate::chain::{Age, Standing, judge_age};
use crate::check;
use crate::error::{Error, Exit};

impl Judged<'_> {
    /// The age of the block that everything was read at; None offline.
    #[must_use]
    pub fn block_age(&self) -> Option<Age> {
        let seen = self.seen.as_ref()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Some(judge_age(seen.snapshot.header.timestamp, now, seen.link.expected_block_time()))
    }

    /// The same for a person: "block 12, 3 s old".
    #[must_use]
    pub fn read_at(&self) -> Option<String> {
        let number = self.seen.as_ref()?.snapshot.header.number;
        Some(match self.block_age()? {
            Age::New(seconds) | Age::Old { seconds, .. } => format!("block {number}, {seconds} s old"),
            Age::Ahead { seconds, .. } => {
                format!("block {number}, {seconds} s ahead of this machine's clock")
            }
        })
    }

    /// Refuses an answer that rests on an old block: "already executed" may be true of no block but that one.
    pub fn enforce_fresh(&self, accepted: &[String]) -> Result<(), Error> {
        let endpoints = self.endpoints();
        let finding = check::block_age(self.block_age(), &endpoints);
        obey(finding.as_slice(), accepted)
    }

    /// Refuses when an RPC that answered late, while the person was reading, contradicts the others. What the review
    /// showed is `known`, and was accepted there.
    pub fn still_agreed(&self) -> Result<(), Error> {
        let endpoints = self.endpoints();
        let told = |rpc: &str| self.findings.iter().any(|f| f.problem().lying_rpc() == Some(rpc));
        let liar = endpoints.into_iter().find_map(|endpoint| match endpoint.standing {
            Standing::Lying(fault) if !told(&endpoint.shown) => {
                Some(format!("RPC {} {fault}", endpoint.shown))
            }
            _ => None,
        });
        let Some(liar) = liar else { return Ok(()) };
        Err(Error::new(Exit::Refused, format!("an answer that came late contradicts the others: {liar}"))
            .hint("nothing was signed or sent; run it again: the review will show it"))
    }
}
