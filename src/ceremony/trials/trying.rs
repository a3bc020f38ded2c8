//! A playbook tried on a fork by itself, without a lever of the council file.

use crate::ceremony::desk::{Desk, fork};
use crate::ceremony::order::{Order, named_once};
use crate::ceremony::trials::trial;
use crate::ceremony::trials::trial_report::TrialReport;
use crate::chain::{Ask, Chain};
use crate::clock;
use crate::council;
use crate::error::Error;
use crate::evm::{BlockRef, BlockTag};
use crate::playbook::{PlaybookDigest, Undo};

/// The report of a trial, and where it began.
pub struct TrialRun<'a> {
    pub report: TrialReport,
    pub chain: &'a council::CouncilChain,
    pub block: BlockRef,
    pub digest: PlaybookDigest,
}

impl Desk<'_> {
    /// Connects to a Safe's chain, or to the one RPC that was named instead.
    pub fn connect_or_fork(&self, safe: &council::Safe, url: Option<&str>) -> Result<Chain, Error> {
        match url {
            Some(url) => fork(self.progress, self.chain_of(safe)?, url),
            None => self.connect(safe),
        }
    }

    /// Tries a playbook with these arguments, its undo after it. It sends nothing.
    /// Fails if an argument is wrong, or the chain cannot be asked. A part that did not end as it must is in the
    /// report.
    pub fn try_playbook(
        &self,
        playbook: &str,
        safe: &council::Safe,
        undo_safe: Option<&str>,
        set: &[(String, String)],
        link: &Chain,
    ) -> Result<TrialRun<'_>, Error> {
        let set = named_once(set)?;
        let order = Order::playbook(self, false, playbook, &safe.name, set.clone())?;
        let tried = order.acts()[0].entry.playbook;
        let undo = match &tried.undo {
            Undo::None { why } => Err(why.clone()),
            Undo::Playbook { .. } => {
                Ok(Order::playbook(self, true, playbook, undo_safe.unwrap_or(&safe.name), set)?)
            }
        };
        let reading = format!("reading {} on {}", safe.name, order.chain.name);
        let ask = Ask { safe: safe.address, ..Ask::default() };
        let seen = self.progress.wait(&reading, || link.snapshot(&ask, BlockTag::Latest))?;
        let mut fork = link.forked(&seen, clock::seconds());
        let run = || trial::try_lever(&order, undo.as_ref(), link, &mut fork, &seen.state);
        let report = self.progress.wait("rehearsing", run)?;
        Ok(TrialRun { report, chain: order.chain, block: fork.began_at(), digest: tried.digest() })
    }
}
