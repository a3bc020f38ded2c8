//! One round: every endpoint is asked at once. An endpoint that does not answer in time is
//! not waited for again; its late answer is still compared with what the others agreed on.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy::primitives::U256;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio::time::error::Elapsed;

use super::agreement::{Decision, EndpointView, Vote, decide, fault_against, is_settled};
use super::chain_error::EndpointFault;
use super::endpoint::{Endpoint, Fetched};
use super::json_rpc::{RawReply, Reply, Request, no_reply};
use super::settle::{Settled, hint, settle};
use super::standing::{EndpointRecord, EndpointStatus, least_to_believe};
use crate::evm::{BlockHash, BlockTag, Header};

/// The least time that slower endpoints get once enough have answered.
pub(super) const GRACE: Duration = Duration::from_millis(500);
/// The time that is waited once one has answered and the others are needed.
const PATIENCE: Duration = Duration::from_secs(4);
/// For answers that are nearly there, before it is said how the endpoints stand.
const NEARLY: Duration = Duration::from_millis(80);

/// The number of an endpoint, what it shows, and the sequential rounds that it took.
type Answer = (usize, Result<(EndpointView, Vec<Reply>), EndpointFault>, u32);

pub(super) struct RoundAnswers {
    pub votes: Vec<Vote>,
    pub hints: Vec<Vec<Reply>>,
    /// Those that have not answered yet.
    missing: Vec<usize>,
    answers: UnboundedReceiver<Answer>,
}

/// A round that was decided before all had answered.
pub(super) struct Late {
    missing: Vec<usize>,
    answers: UnboundedReceiver<Answer>,
    chosen: EndpointView,
    labels: Vec<String>,
    /// Its number in the record.
    round: usize,
}

impl RoundAnswers {
    /// None if all have answered.
    pub(super) fn late(self, chosen: EndpointView, labels: Vec<String>, round: usize) -> Option<Late> {
        let Self { missing, answers, .. } = self;
        (!missing.is_empty()).then_some(Late { missing, answers, chosen, labels, round })
    }
}

/// The different endpoints of a chain, and what is known of each.
pub(super) struct Panel {
    id: u64,
    pub quorum: usize,
    pub endpoints: Vec<Arc<Endpoint>>,
    record: Mutex<EndpointRecord>,
    /// The endpoints that were waited for in vain.
    silent: Mutex<Vec<bool>>,
    /// Answers that nobody waited for.
    late: Mutex<Vec<Late>>,
    rounds: AtomicU32,
}

impl Panel {
    pub(super) fn new(id: u64, quorum: usize, endpoints: Vec<Arc<Endpoint>>) -> Self {
        let record = Mutex::new(EndpointRecord::of(endpoints.len()));
        let silent = Mutex::new(vec![false; endpoints.len()]);
        let (late, rounds) = (Mutex::default(), AtomicU32::new(0));
        Self { id, quorum, endpoints, record, silent, late, rounds }
    }

    pub(super) fn rounds(&self) -> u32 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Counts rounds that began when `before` had ended. Those that were on the way at the same time count once.
    pub(super) fn count_rounds(&self, before: u32, rounds: u32) {
        self.rounds.fetch_max(before.saturating_add(rounds), Ordering::Relaxed);
    }

    /// Keeps the answers of a round that nobody waited for.
    pub(super) fn keep_late(&self, late: Option<Late>) {
        lock(&self.late).extend(late);
    }

    pub(super) fn standings(&self) -> Vec<EndpointStatus> {
        lock(&self.record).standings()
    }

    /// See [`EndpointRecord::decide`].
    pub(super) fn record_round(
        &self,
        block: Option<BlockHash>,
        faults: &[Option<EndpointFault>],
        anew: bool,
    ) -> usize {
        lock(&self.record).decide(block, faults.to_vec(), anew)
    }

    /// Asks all, and waits until enough have answered. Not for those that were silent before, unless they are needed.
    pub(super) async fn gather(&self, asked: &Arc<[Request]>, block: BlockTag) -> RoundAnswers {
        let (begun, rounds_before) = (Instant::now(), self.rounds());
        let standings = self.standings();
        let silent = lock(&self.silent).clone();
        let mut votes: Vec<Vote> = standings.iter().map(Vote::before).collect();
        let mut hints = vec![Vec::new(); votes.len()];
        let trusted = |standing: &EndpointStatus| !matches!(standing, EndpointStatus::Lying(_));
        let mut missing: Vec<usize> = (0..votes.len()).filter(|at| trusted(&standings[*at])).collect();
        let mut answers = self.ask_all(&missing, asked, block);
        let mut rounds = 0;
        let (mut first, mut enough) = (None, None);
        loop {
            let awaited = missing.iter().filter(|at| !silent[**at]).count();
            let views = votes.iter().filter_map(Vote::view).count();
            let is_decided =
                !matches!(decide(&votes, self.quorum, block, &|_| String::new()), Decision::None { .. });
            // Without the silent ones no quorum can come about, or nobody is believed.
            let needs_silent = views + awaited < self.quorum || (awaited == 0 && !is_decided);
            let awaited = if needs_silent { missing.len() } else { awaited };
            if awaited == 0 || is_settled(&votes, self.quorum, block, awaited) {
                break;
            }
            let is_enough = views >= self.quorum.max(least_to_believe(votes.len())) && is_decided;
            let now = Instant::now();
            let (since, most) = if is_enough {
                (enough.get_or_insert(now), GRACE)
            } else if views > 0 {
                (first.get_or_insert(now), PATIENCE)
            } else {
                (&mut now.clone(), Duration::MAX)
            };
            let deadline = since.checked_add(most.max(*since - begun));
            let Ok(Some((at, result, tries))) = before(deadline, answers.recv()).await else { break };
            rounds = rounds.max(tries);
            missing.retain(|other| *other != at);
            match result {
                Ok((view, replies)) => (votes[at], hints[at]) = (Vote::View(view), replies),
                Err(fault) => votes[at] = Vote::Fault(fault),
            }
        }
        self.note_silent(&missing, &silent, begun.elapsed(), &mut votes);
        self.count_rounds(rounds_before, rounds);
        RoundAnswers { votes, hints, missing, answers }
    }

    fn ask_all(&self, whom: &[usize], asked: &Arc<[Request]>, block: BlockTag) -> UnboundedReceiver<Answer> {
        let (sender, answers) = unbounded_channel();
        let id = self.id;
        for (at, endpoint) in whom.iter().filter_map(|at| Some((*at, self.endpoints.get(*at)?.clone()))) {
            let (sender, asked) = (sender.clone(), Arc::clone(asked));
            tokio::spawn(async move {
                let (result, tries) = endpoint.fetch(&asked, block).await;
                let seen = result.and_then(|fetched| view(fetched, &asked, id, block));
                // Nobody may be listening any more.
                let _ = sender.send((at, seen, tries));
            });
        }
        answers
    }

    /// Asks all one thing, liars too: the number of an endpoint, its answer, and the rounds that it took.
    pub(super) fn ask_singly(
        &self,
        request: &Request,
    ) -> UnboundedReceiver<(usize, Result<RawReply, EndpointFault>, u32)> {
        let (sender, answers) = unbounded_channel();
        for (at, endpoint) in self.endpoints.iter().cloned().enumerate() {
            let (sender, request) = (sender.clone(), request.clone());
            tokio::spawn(async move {
                let (reply, tries) = endpoint.single(&request).await;
                // Nobody may be listening any more.
                let _ = sender.send((at, reply, tries));
            });
        }
        answers
    }

    /// Endpoints that were waited for in vain are not waited for again.
    fn note_silent(&self, missing: &[usize], before: &[bool], waited: Duration, votes: &mut [Vote]) {
        if waited < GRACE {
            return;
        }
        let mut silent = lock(&self.silent);
        for at in missing {
            silent[*at] = true;
            if waited >= PATIENCE || before[*at] {
                votes[*at] = Vote::Fault(EndpointFault::TimedOut(waited.as_secs().max(1)));
            }
        }
    }

    /// Holds what came late against what was believed, and waits a moment for what is nearly there.
    pub(super) fn collect_late_answers(&self, handle: &Handle) {
        let mut all = std::mem::take(&mut *lock(&self.late));
        let deadline = Instant::now() + NEARLY;
        for late in &mut all {
            let label = |at: usize| late.labels.get(at).cloned().unwrap_or_default();
            while !late.missing.is_empty() {
                let silent = lock(&self.silent).clone();
                let wait = late.missing.iter().any(|at| !silent[*at]);
                let next = if wait {
                    handle.block_on(before(Some(deadline), late.answers.recv())).ok().flatten()
                } else {
                    late.answers.try_recv().ok()
                };
                let Some((at, result, _)) = next else { break };
                late.missing.retain(|other| *other != at);
                let vote = result.map_or_else(Vote::Fault, |(view, _)| Vote::View(view));
                let fault = fault_against(&vote, &late.chosen, &label);
                lock(&self.record).record_late_answer(late.round, at, fault);
                lock(&self.silent)[at] = false;
            }
            let mut silent = lock(&self.silent);
            late.missing.iter().for_each(|at| silent[*at] = true);
        }
        all.retain(|late| !late.missing.is_empty());
        lock(&self.late).extend(all);
    }
}

impl Vote {
    /// The vote of an endpoint that has not answered yet.
    fn before(standing: &EndpointStatus) -> Self {
        match standing {
            EndpointStatus::Lying(fault) => Self::Fault(fault.clone()),
            _ => Self::Fault(EndpointFault::Slow),
        }
    }

    pub(super) fn fault(&self) -> Option<EndpointFault> {
        match self {
            Self::Fault(fault) => Some(fault.clone()),
            Self::View(view) => (!view.whole).then_some(EndpointFault::Straddles),
        }
    }
}

/// A value that a thread left when it panicked is still good: each is written in one go.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn before<T>(
    deadline: Option<Instant>,
    future: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    match deadline {
        Some(at) => tokio::time::timeout_at(at, future).await,
        None => Ok(future.await),
    }
}

/// One endpoint's view, with its hints. The first request asks for the chain id.
fn view(
    fetched: Fetched,
    asked: &[Request],
    id: u64,
    block: BlockTag,
) -> Result<(EndpointView, Vec<Reply>), EndpointFault> {
    let wanted = block.number();
    let missing = || EndpointFault::Lagging { at: None, wanted: wanted.unwrap_or(0) };
    let heads: Vec<Header> = fetched.heads.into_iter().collect::<Option<_>>().ok_or_else(missing)?;
    let head = heads.iter().min_by_key(|head| head.number).cloned();
    let head = head.ok_or_else(|| EndpointFault::garbage("no header"))?;
    if wanted.is_some_and(|number| number != head.number) {
        return Err(EndpointFault::garbage(format!("block {} when asked for {}", head.number, block.text())));
    }
    let whole = heads.iter().all(|other| *other == head) && (fetched.bracketed || wanted.is_some());
    let (mut values, mut hints) = (Vec::new(), Vec::new());
    for (request, reply) in asked.iter().zip(fetched.replies) {
        if request.agreed {
            values.push(settle(request, reply, head.number)?);
        } else {
            hints.push(hint(request.method, reply).unwrap_or_else(|fault| no_reply(&fault.to_string())));
        }
    }
    match values.first() {
        Some(Settled::Number(found)) if *found == U256::from(id) => {}
        Some(Settled::Number(found)) => return Err(EndpointFault::WrongChain { found: found.to_string() }),
        _ => return Err(EndpointFault::garbage("no chain id")),
    }
    Ok((EndpointView { head, whole, values }, hints))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_were_on_the_way_together_count_once() {
        let panel = Panel::new(1, 1, Vec::new());
        let before = panel.rounds();
        panel.count_rounds(before, 2);
        panel.count_rounds(before, 1);
        assert_eq!(panel.rounds(), 2, "one thread waited for two rounds, and another for one meanwhile");
        panel.count_rounds(panel.rounds(), 1);
        assert_eq!(panel.rounds(), 3);
    }
}
