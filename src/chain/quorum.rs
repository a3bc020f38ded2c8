//! One chain behind all its endpoints: asks them side by side and lets [`agreement`](super::agreement) decide.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::runtime::{Handle, Runtime};
use tokio::time::Instant;

use super::agreement::{Decision, Vote, decide, needed, without_stale};
use super::chain_error::{ChainError, EndpointFault};
use super::distinct::repeats;
use super::endpoint::{Endpoint, Options};
use super::json_rpc::{RawReply, Reply, Request, no_reply};
use super::panel::{GRACE, Panel, before, lock};
use super::rhythm::{allowed_age, is_on_demand, known_block_time, seen_block_time, usual_block_time};
use super::settle::Settled;
use super::standing::{EndpointReport, EndpointStatus};
use crate::clock;
use crate::council::SecretUrl;
use crate::evm::{BlockRef, BlockTag, Header};

/// The number of times that a question is asked anew while endpoints stand at different blocks.
const ATTEMPTS: u32 = 4;
/// For an endpoint that does not have the pinned block yet.
const CATCH_UP: Duration = Duration::from_millis(400);
/// The time to wait for the answer to a transaction that was sent. After it the transaction is searched for on the
/// chain instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// One chain, all its endpoints, and how many of them must agree.
pub struct Chain {
    name: String,
    id: u64,
    panel: Panel,
    /// Addresses that lead to an endpoint which stands in the list already, and its address.
    repeated: Vec<(String, String)>,
    /// Whose newest block was old, when it was last asked for.
    stale: Mutex<Vec<Option<EndpointFault>>>,
    /// The newest block that each showed, when it was last asked for.
    newest: Mutex<Vec<Option<u64>>>,
    /// The time between two blocks, if it is known; for the age of a block.
    block_time: Option<Duration>,
    /// The block time by the council or the table.
    stated_block_time: Option<Duration>,
    /// The first block that was agreed to be the newest, and the last.
    seen: Mutex<Option<(BlockRef, BlockRef)>>,
    handle: Handle,
    /// Present until it is dropped.
    runtime: Option<Runtime>,
}

/// The answers of a quorum.
pub(super) struct Agreed {
    pub header: Header,
    /// The endpoints that agree.
    pub by: Vec<usize>,
    /// For the requests that need agreement, in their order.
    pub values: Vec<Settled>,
    /// Per agreeing endpoint, for the requests that need none, in their order.
    pub hints: Vec<Vec<Reply>>,
}

impl Chain {
    /// `urls` are resolved already; `quorum` of them must agree; `batch` is the most requests sent at once.
    /// Fails without endpoints, with a quorum beyond the number of different ones, or with an address that is none.
    /// Nothing is asked yet.
    pub fn new(
        name: &str,
        id: u64,
        urls: Vec<SecretUrl>,
        quorum: usize,
        batch: usize,
        options: Options,
    ) -> Result<Self, ChainError> {
        let chain = name.to_string();
        if urls.is_empty() {
            return Err(ChainError::NoEndpoint(chain));
        }
        let repeats = repeats(&urls);
        let shown: Vec<String> = urls.iter().map(ToString::to_string).collect();
        let repeated: Vec<(String, String)> = (shown.iter().zip(&repeats))
            .filter_map(|(one, first)| Some((one.clone(), shown.get((*first)?)?.clone())))
            .collect();
        let endpoints: Vec<Arc<Endpoint>> = (urls.into_iter().zip(&repeats))
            .filter(|(_, repeat)| repeat.is_none())
            .map(|(url, _)| Ok(Arc::new(Endpoint::new(url, batch, options)?)))
            .collect::<Result<_, ChainError>>()?;
        if quorum == 0 || quorum > endpoints.len() {
            return Err(ChainError::Quorum { chain, quorum, endpoints: endpoints.len(), repeated });
        }
        // One thread beside this one: what comes late arrives while a person reads.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|e| ChainError::Client(e.to_string()))?;
        Ok(Self {
            name: chain,
            id,
            panel: Panel::new(id, quorum, endpoints),
            stale: Mutex::default(),
            newest: Mutex::default(),
            block_time: options.block_time.or_else(|| usual_block_time(id)),
            stated_block_time: options
                .block_time
                .filter(|time| *time != Duration::MAX)
                .or_else(|| known_block_time(id)),
            seen: Mutex::default(),
            repeated,
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// The chain id that these endpoints state, before anybody has written it down. They must all state the same.
    /// Fails if none answers, or two contradict each other.
    pub fn stated_id(urls: Vec<SecretUrl>, options: Options) -> Result<u64, ChainError> {
        let chain = Self::new("the chain", 0, urls, 1, 1, options)?;
        let request = Request::new("eth_chainId", json!([]));
        let stated = chain.each(&request, |reply| {
            let text = reply?.map_err(|error| EndpointFault::Refused { method: "eth_chainId", error })?;
            let id = serde_json::from_str::<alloy::primitives::U64>(text.get());
            id.map(|id| id.to::<u64>()).map_err(|_| EndpointFault::garbage("no chain id"))
        });
        let mut ids = stated.iter().filter_map(|(_, id)| id.as_ref().ok());
        let Some(id) = ids.next().copied() else {
            let faults = stated.into_iter().map(|(endpoint, id)| (endpoint, id.err())).collect();
            return Err(ChainError::NoQuorum { chain: chain.name.clone(), quorum: 1, faults });
        };
        match ids.find(|other| **other != id) {
            None => Ok(id),
            Some(other) => Err(ChainError::WrongChain {
                chain: chain.name.clone(),
                endpoint: "one of them".into(),
                expected: id,
                found: other.to_string(),
            }),
        }
    }

    /// The chain's name in the council file.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub const fn id(&self) -> u64 {
        self.id
    }

    pub const fn quorum(&self) -> usize {
        self.panel.quorum
    }

    /// The time between two blocks; None if it makes them on demand.
    pub const fn expected_block_time(&self) -> Option<Duration> {
        self.block_time
    }

    pub(super) const fn stated_block_time(&self) -> Option<Duration> {
        self.stated_block_time
    }

    /// The time between two blocks as the headers that were seen in this run show it; None if it makes them on demand.
    pub(super) fn seen_block_time(&self) -> Option<Duration> {
        let (first, last) = (*lock(&self.seen))?;
        if is_on_demand(self.id) || self.block_time == Some(Duration::MAX) {
            return None;
        }
        seen_block_time(&first, &last)
    }

    /// Sequential rounds so far: requests that leave together, or while others are on their way, are one.
    pub fn rounds(&self) -> u32 {
        self.panel.rounds()
    }

    /// Returns the standing of every endpoint, answers that came late included.
    pub fn endpoints(&self) -> Vec<EndpointReport> {
        self.panel.collect_late_answers(&self.handle);
        let report = |(endpoint, standing): (&Arc<Endpoint>, EndpointStatus)| EndpointReport {
            shown: endpoint.shown(),
            standing,
            newest: None,
            batch: endpoint.reduced_batch_size(),
        };
        let repeated = self.repeated.iter().map(|(shown, of)| EndpointReport {
            shown: shown.clone(),
            standing: EndpointStatus::SameAs(of.clone()),
            newest: None,
            batch: None,
        });
        let mut reports: Vec<EndpointReport> =
            self.panel.endpoints.iter().zip(self.panel.standings()).map(report).chain(repeated).collect();
        for (report, newest) in reports.iter_mut().zip(lock(&self.newest).iter()) {
            report.newest = *newest;
        }
        reports
    }

    /// Asks at one block; the replies are in the order of the requests. [`AT`](super::json_rpc::AT) stands for the block.
    ///
    /// For reading only: what is asked may be asked several times.
    /// Where agreement is needed, a reply is an error only if the call reverted (code 3).
    /// Fails if no quorum agrees on the block and on every value that needs agreement.
    pub(super) fn ask(&self, requests: &[Request], at: BlockTag) -> Result<(Header, Vec<Reply>), ChainError> {
        let agreed = self.agree(requests, at)?;
        Ok((agreed.header, replies(requests, agreed.values, &agreed.hints)))
    }

    /// Asks until a quorum agrees: at once while all stand at one block, a second time at the newest common one, and
    /// then a block deeper, where those that differ at the tip for a moment are of one mind.
    pub(super) fn agree(&self, requests: &[Request], at: BlockTag) -> Result<Agreed, ChainError> {
        let chain_id = Request::new("eth_chainId", json!([]));
        let asked: Arc<[Request]> = std::iter::once(chain_id).chain(requests.iter().cloned()).collect();
        let labels: Vec<String> = asked.iter().filter(|r| r.agreed).map(Request::label).collect();
        let label = |at: usize| labels.get(at).cloned().unwrap_or_default();
        let mut block = at;
        for attempt in 1.. {
            let mut gathered = self.block_on(self.panel.gather(&asked, block));
            self.set_stale_aside(&mut gathered.votes, block);
            let votes = &gathered.votes;
            match decide(votes, self.panel.quorum, block, &label) {
                Decision::Agreed { by, faults } => {
                    let view = by.first().and_then(|first| votes.get(*first)).and_then(Vote::view);
                    let Some(view) = view.cloned() else { break };
                    let is_newest = at == BlockTag::Latest;
                    if is_newest {
                        let first = lock(&self.seen).map_or_else(|| view.head.block(), |(first, _)| first);
                        *lock(&self.seen) = Some((first, view.head.block()));
                    }
                    let round = self.panel.record_round(Some(view.head.hash), &faults, is_newest);
                    self.not_reorganised(at, &view.head)?;
                    let hints = by.iter().filter_map(|i| gathered.hints.get(*i).cloned()).collect();
                    let values = view.values.get(1..).unwrap_or_default().to_vec();
                    let header = view.head.clone();
                    let late = gathered.late(view, labels, round);
                    self.panel.keep_late(late);
                    return Ok(Agreed { header, by, values, hints });
                }
                Decision::Pin(number) if attempt < ATTEMPTS => block = BlockTag::Number(number),
                Decision::Pin(_) => {
                    return Err(self.no_quorum(votes, block, votes.iter().map(Vote::fault).collect()));
                }
                Decision::None { faults } if attempt < ATTEMPTS && faults.iter().flatten().any(passes) => {
                    match (at, block) {
                        (BlockTag::Latest, BlockTag::Number(number)) => {
                            block = BlockTag::Number(number.saturating_sub(1));
                        }
                        (BlockTag::Latest, _) => block = at,
                        _ => self.block_on(async { tokio::time::sleep(CATCH_UP).await }),
                    }
                }
                Decision::None { faults } => return Err(self.no_quorum(votes, block, faults)),
            }
        }
        Err(self.no_quorum(&[], at, vec![None; self.panel.endpoints.len()]))
    }

    /// One whose newest block is old holds nobody back, now or at a block that it does not have yet.
    pub(super) fn set_stale_aside(&self, votes: &mut [Vote], block: BlockTag) {
        if block == BlockTag::Latest {
            *lock(&self.newest) = votes.iter().map(|vote| Some(vote.view()?.head.number)).collect();
            if let Some(oldest) = self.oldest() {
                without_stale(votes, self.panel.quorum, oldest);
            }
            let mut stale = lock(&self.stale);
            *stale = votes
                .iter()
                .map(|vote| vote.fault().filter(|f| matches!(f, EndpointFault::Stale { .. })))
                .collect();
            return;
        }
        let stale = lock(&self.stale);
        for (vote, stale) in votes.iter_mut().zip(stale.iter()) {
            if let (Vote::Fault(EndpointFault::Lagging { .. }), Some(fault)) = (&*vote, stale) {
                *vote = Vote::Fault(fault.clone());
            }
        }
    }

    /// The time, in seconds since 1970, before which a newest block is old; None where the chain has no rhythm.
    fn oldest(&self) -> Option<u64> {
        let allowed = self.block_time.map(allowed_age)?;
        Some(clock::now().saturating_sub(allowed).as_secs())
    }

    /// One request to every endpoint at once, liars too, and what each made of it. No agreement asked for: once one
    /// has done it, the slower ones are not waited for long. They go on behind: one that answers at once, and does
    /// nothing, keeps a transaction from nobody else.
    pub(super) fn each<T>(
        &self,
        request: &Request,
        verdict: impl Fn(Result<RawReply, EndpointFault>) -> Result<T, EndpointFault>,
    ) -> Vec<(String, Result<T, EndpointFault>)> {
        let mut results: Vec<Result<T, EndpointFault>> =
            self.panel.endpoints.iter().map(|_| Err(EndpointFault::Slow)).collect();
        let (rounds_before, mut rounds) = (self.panel.rounds(), 0);
        self.block_on(async {
            let mut answers = self.panel.ask_singly(request);
            let mut deadline = Instant::now() + PATIENCE;
            while let Ok(Some((i, reply, tries))) = before(Some(deadline), answers.recv()).await {
                rounds = rounds.max(tries);
                results[i] = verdict(reply);
                if results[i].is_ok() {
                    deadline = deadline.min(Instant::now() + GRACE);
                }
            }
        });
        self.panel.count_rounds(rounds_before, rounds);
        self.panel.endpoints.iter().map(|endpoint| endpoint.shown()).zip(results).collect()
    }

    /// The different endpoints.
    pub(super) fn endpoints_asked(&self) -> &[Arc<Endpoint>] {
        &self.panel.endpoints
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.handle.block_on(future)
    }

    fn not_reorganised(&self, at: BlockTag, head: &Header) -> Result<(), ChainError> {
        match at {
            BlockTag::Pinned(block) if block.hash != head.hash => Err(ChainError::Reorganised {
                chain: self.name.clone(),
                number: block.number,
                was: block.hash,
                now: head.hash,
            }),
            _ => Ok(()),
        }
    }

    fn no_quorum(&self, votes: &[Vote], block: BlockTag, faults: Vec<Option<EndpointFault>>) -> ChainError {
        self.panel.record_round(None, &faults, block == BlockTag::Latest);
        let faults: Vec<_> =
            self.panel.endpoints.iter().map(|endpoint| endpoint.shown()).zip(faults).collect();
        let wrong = faults.iter().find_map(|(endpoint, fault)| match fault {
            Some(EndpointFault::WrongChain { found }) => Some((endpoint.clone(), found.clone())),
            _ => None,
        });
        let chain = self.name.clone();
        if let Some((endpoint, found)) = wrong {
            return ChainError::WrongChain { chain, endpoint, expected: self.id, found };
        }
        ChainError::NoQuorum { chain, quorum: needed(votes, self.panel.quorum, block, 0), faults }
    }
}

impl Drop for Chain {
    /// Work that is still under way, such as the resolution of a host name, must not delay the end of the program.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Returns `true` if a fault may be gone when asked again.
const fn passes(fault: &EndpointFault) -> bool {
    matches!(
        fault,
        EndpointFault::Lagging { .. }
            | EndpointFault::Ahead { .. }
            | EndpointFault::Forked { .. }
            | EndpointFault::Straddles
    )
}

/// One reply per request, in the order of the requests.
pub(super) fn replies(requests: &[Request], values: Vec<Settled>, hints: &[Vec<Reply>]) -> Vec<Reply> {
    let mut values = values.into_iter();
    let mut hint = 0;
    let reply = |request: &Request| {
        if request.agreed {
            return values.next().map_or_else(|| no_reply("no answer"), |v| v.into_reply(request.method));
        }
        hint += 1;
        let all: Vec<&Reply> = hints.iter().filter_map(|one| one.get(hint - 1)).collect();
        let first = all.iter().find(|reply| reply.is_ok()).or(all.first());
        first.map_or_else(|| no_reply("no answer"), |reply| (*reply).clone())
    };
    requests.iter().map(reply).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::council::RpcAddress;

    /// The resolution of a host name can take any time: here it lasts until the chain is dropped.
    #[test]
    fn the_resolution_of_a_host_name_does_not_delay_the_end_of_the_program() {
        let url = RpcAddress::parse("http://127.0.0.1:1").unwrap().resolve(|_| None).unwrap();
        let chain = Chain::new("c", 1, vec![url], 1, 100, Options::default()).unwrap();
        let ((begin, is_waiting), (release, wait), (end, is_gone)) = (channel(), channel::<()>(), channel());
        chain.handle.spawn_blocking(move || {
            begin.send(()).unwrap();
            let _ = wait.recv();
        });
        is_waiting.recv().unwrap();
        std::thread::spawn(move || {
            drop(chain);
            end.send(()).unwrap();
        });
        assert!(is_gone.recv_timeout(Duration::from_mins(1)).is_ok(), "it waits for the name");
        drop(release);
    }
}
