//! How a subject gets its rehearsal: in the rounds that were asked anyway, and as few more as it takes.

use std::time::{SystemTime, UNIX_EPOCH};

use alloy::primitives::Address;

use crate::ceremony::prefetch::{self, after_queries};
use crate::ceremony::rehearsed::{Rehearsed, Rehearsing};
use crate::ceremony::subject::Subject;
use crate::error::Error;
use crate::fork::ExecTransaction;
use crate::progress::Progress;
use crate::proposal::{Record, likely_approvals};

impl Subject<'_> {
    /// Rehearses on what the first round brought, and asks for what it still lacks. With enough signatures they are
    /// used; without, the owners are taken to have approved. `sender` broadcasts, or else an owner.
    pub fn rehearse(&mut self, progress: &dyn Progress, sender: Option<Address>, recorded: Option<&Record>) {
        let Some(now) = self.now() else { return };
        if self.proposal.nonce() < now.nonce {
            return;
        }
        if now.id != *self.proposal.safe() {
            self.rehearsal = Rehearsing::Failed("the Safe is not the one that this was proposed for".into());
            return;
        }
        let ahead = self.proposal.nonce() > now.nonce;
        let signatures = likely_approvals(&self.proposal, &self.signatures, &self.on_chain(), now);
        let owners = now.owners.clone();
        let queries = self.plan().map(after_queries).unwrap_or_default();
        let exec = ExecTransaction {
            safe: self.proposal.safe(),
            owners: &owners,
            tx: self.proposal.tx(),
            signatures: signatures.as_ref(),
            sender: sender.or(owners.list().first().copied()).unwrap_or_default(),
            gas: None,
        };
        let Some(online) = &mut self.online else { return };
        let (link, seen) = (&online.link, &mut online.snapshot);
        let result = progress.wait("rehearsing", || link.rehearse(seen, &exec, &queries, now_in_seconds()));
        let block = seen.header.number;
        self.rehearsal = match result {
            Err(error) => Rehearsing::Failed(error.to_string()),
            Ok(rehearsal) => {
                let judge =
                    |check: &crate::playbook::Check| check.judge(&rehearsal.answers, &rehearsal.events);
                let after = self.plan().map(|plan| plan.after.iter().map(judge).collect());
                let mut done = Rehearsed {
                    after: after.unwrap_or_default(),
                    rehearsal,
                    block,
                    differs: Vec::new(),
                    code_then: Vec::new(),
                    ahead,
                    is_signed: signatures.is_some(),
                };
                if let Some(recorded) = recorded {
                    done.differs = done.record(&self.proposal).differences(recorded);
                    done.code_then.clone_from(&recorded.code);
                }
                Rehearsing::Done(Box::new(done))
            }
        };
    }
}

impl Subject<'_> {
    /// Proves all that it rests on, where that is asked for: the Safe's state, the answers to its checks and every
    /// value that the rehearsal read.
    pub fn prove(&mut self, progress: &dyn Progress, wanted: bool) -> Result<(), Error> {
        let read = self.rehearsal.done().map(|done| done.rehearsal.read.clone()).unwrap_or_default();
        let hints = prefetch::hints(&self.proposal);
        let Some(online) = self.online.as_mut().filter(|_| wanted) else { return Ok(()) };
        let (link, seen) = (&online.link, &mut online.snapshot);
        online.proven = Some(progress.wait("proving what was read", || link.prove(seen, &read, hints))?);
        Ok(())
    }
}

/// Seconds since 1970, by this machine's clock.
pub fn now_in_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
