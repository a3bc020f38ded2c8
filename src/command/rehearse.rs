//! How a subject gets its rehearsal: in the rounds that were asked anyway, and as few more as it takes.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, Bytes, U256};

use crate::chain::fork::{ExecTransaction, Outcome, Rehearsal};
use crate::cli;
use crate::command::draft::{self, after_queries};
use crate::command::subject::Subject;
use crate::error::Error;
use crate::playbook::Verdict;
use crate::proposal::{
    Hints, Proposal, Record, RecordedBalance, RecordedCode, RecordedToken, RecordedWrite, assemble, calls_of,
};
use crate::ui::Ui;

/// Whether there is a rehearsal.
#[derive(Clone, Debug)]
pub enum Rehearsing {
    /// Nothing was to be rehearsed.
    Not,
    /// It could not be completed, and why.
    Failed(String),
    Done(Box<Rehearsed>),
}

/// A rehearsal on the reader's own RPC.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    pub rehearsal: Rehearsal,
    /// Whose state it rests on.
    pub block: u64,
    /// The `after` checks, judged on the state that the transaction would leave.
    pub after: Vec<Verdict>,
    /// In what it differs from the one that was recorded when it was proposed.
    pub differs: Vec<String>,
    /// The code that ran when it was proposed.
    pub code_then: Vec<RecordedCode>,
    /// Other transactions come first: it was rehearsed as if they had done nothing.
    pub ahead: bool,
    /// With the owners' own signatures: the gas is then that of the receipt.
    pub is_signed: bool,
}

impl Rehearsing {
    #[must_use]
    pub fn done(&self) -> Option<&Rehearsed> {
        match self {
            Self::Done(done) => Some(done),
            _ => None,
        }
    }

    /// Why there is none, if one was wanted.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// In brief, for the proposal file.
    #[must_use]
    pub fn record(&self, proposal: &Proposal) -> Option<Record> {
        self.done().and_then(|done| done.record(proposal).bounded())
    }
}

impl Rehearsed {
    /// It succeeds, and leaves what the playbook promises.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.rehearsal.outcome == Outcome::Succeeded && self.after.iter().all(|verdict| verdict.holds)
    }

    fn record(&self, proposal: &Proposal) -> Record {
        let Rehearsal { outcome, events, writes, balances, tokens, gas_used, read, .. } = &self.rehearsal;
        let mut record = Record::new(self.block, *outcome == Outcome::Succeeded, *gas_used, events.len());
        let written =
            writes.iter().map(|w| RecordedWrite { address: w.address, slot: w.slot, old: w.old, new: w.new });
        let moved = balances.iter().map(|b| RecordedBalance {
            address: b.address,
            gained: b.new.checked_sub(b.old).unwrap_or(U256::ZERO),
            lost: b.old.checked_sub(b.new).unwrap_or(U256::ZERO),
        });
        let tokens = tokens.iter().map(|t| RecordedToken {
            token: t.token,
            holder: t.holder,
            received: t.received,
            sent: t.sent,
        });
        record.writes = written.collect();
        record.balances = moved.collect();
        record.tokens = tokens.collect();
        let called: BTreeSet<Address> =
            calls_of(proposal.tx()).unwrap_or_default().into_iter().map(|call| call.to).collect();
        let runs = |called| {
            let all = self.rehearsal.runs(called).into_iter();
            all.map(move |(at, hash)| RecordedCode { called, at, hash })
        };
        record.code = called.into_iter().flat_map(runs).collect();
        record.hints = Hints {
            accounts: read.accounts.iter().copied().collect(),
            block_hashes: read.block_hashes.iter().copied().collect(),
            ..Hints::default()
        };
        for (address, slot) in &read.slots {
            record.hints.slots.entry(*address).or_default().push(*slot);
        }
        record
    }
}

impl Subject<'_> {
    /// Rehearses on what the first round brought, and asks for what it still lacks. With enough signatures they are
    /// used; without, the owners are taken to have approved. `sender` broadcasts, or else an owner.
    pub fn rehearse(&mut self, ui: &Ui, sender: Option<Address>, recorded: Option<&Record>) {
        let Some(now) = self.now() else { return };
        if self.proposal.nonce() < now.nonce {
            return;
        }
        if now.id != *self.proposal.safe() {
            self.rehearsal = Rehearsing::Failed("the Safe is not the one that this was proposed for".into());
            return;
        }
        let ahead = self.proposal.nonce() > now.nonce;
        let mut then = now.clone();
        then.nonce = self.proposal.nonce();
        let ready = assemble(&self.proposal, &self.signatures, &self.on_chain(), &then).ok();
        let signatures: Option<Bytes> = ready.map(|ready| ready.signatures().clone());
        let owners = now.owners.clone();
        let queries = self.plan().map(after_queries).unwrap_or_default();
        let exec = ExecTransaction {
            safe: self.proposal.safe(),
            owners: &owners,
            tx: self.proposal.tx(),
            signatures: signatures.as_ref(),
            sender: sender.or(owners.list().first().copied()).unwrap_or_default(),
        };
        let Some(online) = &mut self.online else { return };
        let (link, seen) = (&online.link, &mut online.snapshot);
        let result = ui.wait("rehearsing", || link.rehearse(seen, &exec, &queries, now_in_seconds()));
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
    pub fn prove(&mut self, ui: &Ui, proofs: cli::Proofs) -> Result<(), Error> {
        let read = self.rehearsal.done().map(|done| done.rehearsal.read.clone()).unwrap_or_default();
        let hints = draft::hints(&self.proposal);
        let Some(online) = self.online.as_mut().filter(|_| proofs.proofs) else { return Ok(()) };
        let (link, seen) = (&online.link, &mut online.snapshot);
        online.proven = Some(ui.wait("proving what was read", || link.prove(seen, &read, hints))?);
        Ok(())
    }
}

fn now_in_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
