//! Derives a proposal from a lever: the reader's own files and the chain's values give one transaction. The same files,
//! arguments, nonce and values give the same hash on every machine.

use std::collections::BTreeSet;

use alloy::primitives::Address;

use crate::ceremony::order::{Former, Order, Turn};
use crate::ceremony::prefetch;
use crate::chain::{Ask, CallRequest, Chain, ChainError, RehearsalDraft, Snapshot};
use crate::council::Arguments;
use crate::error::{Error, Exit};
use crate::evm::{Answer, Assumed, Block, BlockTag, Keys, Query, Readings, called};
use crate::playbook::{CombinedPlan, Decided, Plan, Playbook, ReadingSource};
use crate::proposal::{BatchContract, BatchSource, Proposal, Truncated, build_tx};
use crate::safe::{Call, Domain, Nonce, SafeId, SafeState, SafeVersion};

/// The most turns of reads that depend on reads; more is a fault of the playbook.
pub const MAX_TURNS: usize = 8;

/// Returns the error of a playbook whose reads do not end within [`MAX_TURNS`].
pub fn endless_reads(title: &str) -> Error {
    Error::new(Exit::Failed, format!("{title} keeps asking for more values"))
        .hint("its reads depend on each other: fix the playbook")
}

/// Further inputs of the first round.
#[derive(Clone, Copy, Debug)]
pub struct First<'r> {
    pub at: BlockTag,
    pub nonce: Option<Nonce>,
    pub extra: &'r [Query],
    /// Safes that may own it.
    pub safes: &'r [Address],
    /// Its likely owners, and the payer.
    pub accounts: &'r [Address],
    pub send: Option<&'r CallRequest>,
    /// The probable proposal. It decides only what is fetched early.
    pub guess: Option<&'r Proposal>,
    /// Keys that an earlier rehearsal read. They decide only what is fetched early.
    pub hints: Option<&'r Keys>,
    /// `true` if a rehearsal follows.
    pub rehearse: bool,
}

impl First<'_> {
    /// The inputs for the next transaction, as the chain is now.
    pub const LATEST: Self = Self {
        at: BlockTag::Latest,
        nonce: None,
        extra: &[],
        safes: &[],
        accounts: &[],
        send: None,
        guess: None,
        hints: None,
        rehearse: false,
    };
}

/// A proposal with the plan it was derived from.
#[derive(Clone, Debug)]
pub struct Proposed {
    pub proposal: Proposal,
    /// Lever by lever.
    pub plans: CombinedPlan,
}

impl Order<'_> {
    /// Returns its playbooks, for a message.
    fn title(&self) -> String {
        let ids: Vec<&str> = self.playbooks().map(|playbook| playbook.id.as_str()).collect();
        format!("playbook {}", ids.join(", "))
    }

    /// Returns the questions that can be asked before anything is known.
    fn first_queries(&self, likely: Option<&Plan>) -> Result<Vec<Query>, Error> {
        let mut queries = match self.turn(&Readings::default())? {
            Turn::Needs(queries) => queries,
            Turn::Ready(_) => Vec::new(),
        };
        queries.extend(likely.map(state_queries).unwrap_or_default());
        if self.acts().len() > 1 || self.playbooks().any(Playbook::may_batch) {
            queries.extend(self.versions().into_iter().flat_map(|version| self.batch(version).queries()));
        }
        Ok(queries)
    }

    /// Returns the batch contract, through which several calls go.
    pub fn batch(&self, version: SafeVersion) -> BatchContract {
        BatchContract::of(self.chain.id, version, self.safe.batch)
    }

    /// Returns the plans for the Safe as the council file has it, without asking the chain; `None` if the chain decides
    /// something.
    pub fn offline_plans(&self) -> Option<CombinedPlan> {
        let mut readings = Readings::default();
        for _ in 0..MAX_TURNS {
            match self.turn(&readings).ok()? {
                Turn::Ready(plans) => return Some(plans),
                Turn::Needs(queries) => {
                    for query in queries {
                        let answer = self.pinned(&query)?;
                        readings.insert(query, answer);
                    }
                }
            }
        }
        None
    }

    /// Returns the plan for the Safe as the council file has it. If that is right, it saves a round.
    fn likely(&self) -> Option<Plan> {
        self.offline_plans().map(|plans| plans.merged())
    }

    /// Returns the values in force before it, lever by lever, as an undo takes them. `ask` answers what they rest on.
    pub fn former_values(
        &self,
        mut ask: impl FnMut(&[Query]) -> Result<Readings, ChainError>,
    ) -> Result<Vec<Arguments>, Error> {
        let mut readings = Readings::default();
        for _ in 0..MAX_TURNS {
            match self.former(&readings)? {
                Former::Ready(values) => return Ok(values),
                Former::Needs(queries) => readings.extend(ask(&queries)?),
            }
        }
        Err(endless_reads("the playbook"))
    }

    /// Returns the parts of a plan that the chain decides and the council file does not confirm.
    pub fn decided(&self, plan: &Plan) -> Vec<Decided> {
        let is_own = |source: &ReadingSource| self.pinned(&source.query).as_ref() == Some(&source.answer);
        let mut decided = plan.decided.clone();
        for part in &mut decided {
            part.by.retain(|source| !is_own(source));
        }
        decided.retain(|part| !part.by.is_empty());
        decided
    }

    /// Returns the Safe's answer by the council file, to a question about its owners.
    fn pinned(&self, query: &Query) -> Option<Answer> {
        let owners = self.safe.owners.as_ref()?;
        match query {
            Query::Call { to, data, .. } if *to == self.safe.address => {
                owners.answer(data).map(Answer::Value)
            }
            _ => None,
        }
    }

    /// Returns the versions that the Safe may have, before the chain is asked.
    fn versions(&self) -> Vec<SafeVersion> {
        match self.safe.version {
            Some(version) => vec![version],
            None => SafeVersion::ALL.into_iter().filter(|v| v.can_build()).collect(),
        }
    }

    /// Returns the probable transactions, before the chain is asked: what they read is fetched in the first round.
    fn drafts(&self, first: &First, plan: Option<&Plan>) -> Vec<RehearsalDraft> {
        let sender = first.send.map(|sending| sending.from);
        let owners = self.safe.owners.as_ref().map(|owners| owners.list().to_vec()).unwrap_or_default();
        if let Some(guess) = first.guess {
            return vec![prefetch::of_proposal(guess, owners, plan, sender)];
        }
        let (chain_id, address) = (self.chain.id, self.safe.address);
        let safe = |version| SafeId { chain_id, address, version };
        let likely =
            |version| prefetch::likely(safe(version), plan, self.batch(version), owners.clone(), sender);
        let mut drafts: Vec<RehearsalDraft> = self.versions().into_iter().filter_map(likely).collect();
        // All of them are about one Safe, so that the hints are needed once.
        if let (Some(draft), Some(hints)) = (drafts.first_mut(), first.hints) {
            draft.hints.extend(hints.clone());
        }
        drafts
    }

    /// Returns the probable transactions, before the chain is asked, with keys that will be read beside them. They
    /// decide only what is fetched early.
    pub fn early(&self, hints: &Keys) -> Vec<RehearsalDraft> {
        let plan = self.likely();
        let mut drafts = self.drafts(&First { hints: Some(hints), ..First::LATEST }, plan.as_ref());
        if let (Some(draft), Some(plan)) = (drafts.first_mut(), &plan) {
            draft.queries.extend(before_queries(plan));
        }
        drafts
    }

    /// Derives the proposal from the chain as it is now, with the snapshot it rests on. One round if no read depends on
    /// another.
    pub fn live(&self, chain: &Chain, first: First) -> Result<(Snapshot, Result<Proposed, Error>), Error> {
        let guessed = first.guess.and_then(|guess| match self.turn(guess.readings()) {
            Ok(Turn::Ready(plans)) => Some(plans.merged()),
            _ => None,
        });
        let likely = guessed.or_else(|| self.likely());
        let (mut queries, early) = match self.first_queries(likely.as_ref()) {
            Ok(queries) => (BTreeSet::from_iter(queries), None),
            Err(error) => (BTreeSet::new(), Some(error)),
        };
        if let Some(plan) = &likely {
            queries.extend(plan.rests_on.iter().map(|(query, _)| query.clone()));
        }
        queries.extend(first.extra.iter().cloned());
        let queries: Vec<Query> = queries.into_iter().collect();
        let drafts = if first.rehearse { self.drafts(&first, likely.as_ref()) } else { Vec::new() };
        let ask = Ask {
            safe: self.safe.address,
            safes: first.safes,
            accounts: first.accounts,
            queries: &queries,
            sending: first.send,
            drafts: &drafts,
        };
        let mut snapshot = chain.snapshot(&ask, first.at)?;
        if let Some(error) = early {
            return Ok((snapshot, Err(error)));
        }
        for _ in 0..MAX_TURNS {
            let (missing, draft) = match self.turn(&snapshot.readings) {
                Err(error) => return Ok((snapshot, Err(error.into()))),
                Ok(Turn::Needs(queries)) => (queries, None),
                Ok(Turn::Ready(plans)) => {
                    let plan = plans.merged();
                    // Only the `before` checks are worth another round.
                    if unanswered(before_queries(&plan), &snapshot.readings).is_empty() {
                        let nonce = first.nonce.unwrap_or_else(|| snapshot.state.nonce.plus(self.after));
                        let (block, source) = (read_at(&snapshot), BatchSource::Chain(&snapshot.readings));
                        let derived =
                            self.build_proposal(plans, snapshot.state.clone(), Some(block), nonce, source);
                        return Ok((snapshot, derived));
                    }
                    let missing = unanswered(state_queries(&plan), &snapshot.readings);
                    let sender = first.send.map(|sending| sending.from);
                    let batch = self.batch(snapshot.state.id.version);
                    let draft = prefetch::of_plan(&plan, &snapshot, batch, first.nonce, sender)
                        .filter(|_| first.rehearse);
                    (missing, draft)
                }
            };
            chain.extend(&mut snapshot, &missing, draft.as_slice())?;
        }
        Ok((snapshot, Err(endless_reads(&self.title()))))
    }

    /// Derives from the values that a proposal brings, without the network. Chain and Safe are those of the reader's
    /// own files, and the batch contract never comes from the file.
    pub fn derive_from_file(&self, proposal: &Proposal, batch: BatchSource) -> Result<Proposed, Error> {
        let mut state = proposal.snapshot().clone();
        state.id.chain_id = self.chain.id;
        state.id.address = self.safe.address;
        state.id.version = self.safe.version.unwrap_or(state.id.version);
        match self.turn(proposal.readings())? {
            Turn::Ready(plans) => {
                self.build_proposal(plans, state, proposal.block(), proposal.nonce(), batch)
            }
            Turn::Needs(missing) => {
                let message = format!(
                    "{} reads {} by your files, and the proposal does not have it",
                    self.title(),
                    self.named(&missing)
                );
                Err(Error::new(Exit::Refused, message)
                    .hint("sign from a proposal file, which brings them, or without --offline"))
            }
        }
    }

    /// Returns the questions with the reader's own names, `vault fee()`; more than a few are counted.
    pub(super) fn named(&self, queries: &[Query]) -> String {
        let name = |address: &Address| called(*address, &self.names);
        let one = |query: &Query| match query {
            Query::Call { to, data, .. } => {
                let view = self.playbooks().find_map(|playbook| playbook.view_called(data));
                format!("{} {}", name(to), view.unwrap_or_else(|| data.to_string()))
            }
            Query::Storage { address, slot } => format!("slot {slot} of {}", name(address)),
            Query::Balance { address } => format!("the balance of {}", name(address)),
            Query::CodeHash { address } => format!("the code of {}", name(address)),
            Query::Time => "the block's time".into(),
        };
        let all: BTreeSet<String> = queries.iter().map(one).collect();
        let shown: Vec<&str> = all.iter().take(Truncated::<()>::SHOWN).map(String::as_str).collect();
        match all.len() - shown.len() {
            0 => shown.join(" and "),
            more => format!("{} and {more} more values", shown.join(", ")),
        }
    }

    /// Builds the proposal of plans for a Safe at a block; without a block, for an assumed Safe.
    pub(super) fn build_proposal(
        &self,
        plans: CombinedPlan,
        state: SafeState,
        block: Option<Block>,
        nonce: Nonce,
        batch: BatchSource,
    ) -> Result<Proposed, Error> {
        let calls: Vec<Call> = plans.calls().map(|(_, planned)| planned.call.clone()).collect();
        let version = state.id.version;
        Domain::of(state.id, self.purpose)?;
        let tx = build_tx(version, &calls, nonce, self.batch(version), batch)?;
        let proposal = match block {
            Some(block) => Proposal::new(tx, state, block, self.binding()?, plans.merged().rests_on),
            None => Proposal::assuming(tx, Assumed::new(state), self.binding()?),
        };
        let approved = self.approved().and_then(|approved| approved.proposal.clone());
        let proposal = proposal.approving(approved);
        Ok(Proposed { proposal: self.for_its_purpose(proposal)?, plans })
    }
}

pub(super) fn read_at(snapshot: &Snapshot) -> Block {
    Block { number: snapshot.header.number, hash: snapshot.header.hash }
}

pub fn before_queries(plan: &Plan) -> Vec<Query> {
    plan.before.iter().flat_map(crate::playbook::Check::queries).collect()
}

/// Returns the questions of the `before` and `after` checks; an act whose `after` checks hold already is done.
fn state_queries(plan: &Plan) -> Vec<Query> {
    [before_queries(plan), prefetch::after_queries(plan)].concat()
}

fn unanswered(queries: Vec<Query>, readings: &Readings) -> Vec<Query> {
    queries.into_iter().filter(|q| readings.get(q).is_none()).collect()
}

/// Returns `true` for a 32-byte answer that is not zero.
pub fn is_set(answer: Option<&Answer>) -> bool {
    answer.is_some_and(Answer::is_set)
}
