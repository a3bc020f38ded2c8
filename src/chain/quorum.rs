//! One chain behind all its endpoints: asks them side by side and lets [`agreement`](super::agreement) decide.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::U256;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio::time::error::Elapsed;

use super::agreement::{Decision, View, Vote, decide};
use super::block::{BlockTag, Header};
use super::distinct::repeats;
use super::endpoint::{Endpoint, Fetched, Options};
use super::error::{ChainError, Fault, RpcErrorObject};
use super::rpc::{RawReply, Reply, Request};
use super::settle::{Settled, hint, settle};
use super::standing::{EndpointReport, Standing};
use crate::council::SecretUrl;

/// How often a question is asked anew while endpoints stand at different blocks.
const ATTEMPTS: u32 = 4;
/// For an endpoint that does not have the pinned block yet.
const CATCH_UP: Duration = Duration::from_millis(400);
/// For an answer that nobody has to agree on: what was sent is looked for instead of waiting longer for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the slower endpoints get at least, once a quorum has answered.
const GRACE: Duration = Duration::from_millis(500);

/// One chain, all its endpoints, and how many of them must agree.
pub struct Chain {
    name: String,
    id: u64,
    quorum: usize,
    endpoints: Vec<Endpoint>,
    /// Addresses that lead to an endpoint which stands in the list already, and its address.
    repeated: Vec<(String, String)>,
    standings: Mutex<Vec<Standing>>,
    rounds: AtomicU32,
    runtime: Runtime,
}

/// What a quorum answered.
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
    ///
    /// # Errors
    /// Without endpoints, with a quorum beyond the number of different ones, or with an address that is none. Nothing is
    /// asked yet.
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
        let endpoints: Vec<Endpoint> = (urls.into_iter().zip(&repeats))
            .filter(|(_, repeat)| repeat.is_none())
            .map(|(url, _)| Endpoint::new(url, batch, options))
            .collect::<Result<_, _>>()?;
        if quorum == 0 || quorum > endpoints.len() {
            return Err(ChainError::Quorum { chain, quorum, endpoints: endpoints.len(), repeated });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            name: chain,
            id,
            quorum,
            standings: Mutex::new(vec![Standing::Unasked; endpoints.len()]),
            endpoints,
            repeated,
            rounds: AtomicU32::new(0),
            runtime: runtime.map_err(|e| ChainError::Client(e.to_string()))?,
        })
    }

    /// The chain id that these endpoints state, before anybody has written it down. They must all state the same.
    ///
    /// # Errors
    /// When none answers, or two contradict each other.
    pub fn stated_id(urls: Vec<SecretUrl>, options: Options) -> Result<u64, ChainError> {
        let chain = Self::new("the chain", 0, urls, 1, 1, options)?;
        let request = Request::new("eth_chainId", json!([]));
        let stated = chain.each(&request, |reply| {
            let text = reply?.map_err(|error| Fault::Refused { method: "eth_chainId", error })?;
            let id = serde_json::from_str::<alloy::primitives::U64>(text.get());
            id.map(|id| id.to::<u64>()).map_err(|_| Fault::garbage("no chain id"))
        });
        let mut ids = stated.iter().filter_map(|(_, id)| id.as_ref().ok());
        let Some(id) = ids.next().copied() else {
            let faults = stated.into_iter().map(|(endpoint, id)| (endpoint, id.err())).collect();
            return Err(ChainError::NoQuorum { chain: chain.name, quorum: 1, faults });
        };
        match ids.find(|other| **other != id) {
            None => Ok(id),
            Some(other) => Err(ChainError::WrongChain {
                chain: chain.name,
                endpoint: "one of them".into(),
                expected: id,
                found: other.to_string(),
            }),
        }
    }

    /// The chain's name in the council file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// Sequential rounds so far: requests that leave together are one.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// How every endpoint stands.
    #[must_use]
    pub fn endpoints(&self) -> Vec<EndpointReport> {
        let report = |(endpoint, standing): (&Endpoint, Standing)| EndpointReport {
            shown: endpoint.shown(),
            standing,
        };
        let repeated = self.repeated.iter().map(|(shown, of)| EndpointReport {
            shown: shown.clone(),
            standing: Standing::SameAs(of.clone()),
        });
        self.endpoints.iter().zip(self.standings()).map(report).chain(repeated).collect()
    }

    /// Asks at one block; the replies are in the order of the requests. [`AT`](super::AT) stands for the block.
    ///
    /// For reading only: what is asked may be asked several times.
    /// Where agreement is needed, a reply is an error only if the call reverted (code 3).
    ///
    /// # Errors
    /// When no quorum agrees on the block and on every value that needs agreement.
    pub fn ask(&self, requests: &[Request], at: BlockTag) -> Result<(Header, Vec<Reply>), ChainError> {
        let agreed = self.agree(requests, at)?;
        Ok((agreed.header, replies(requests, agreed.values, &agreed.hints)))
    }

    /// Asks until a quorum agrees: at once while all stand at one block, a second time at the newest common one.
    pub(super) fn agree(&self, requests: &[Request], at: BlockTag) -> Result<Agreed, ChainError> {
        let chain_id = Request::new("eth_chainId", json!([]));
        let asked: Vec<&Request> = std::iter::once(&chain_id).chain(requests).collect();
        let labels: Vec<String> = asked.iter().filter(|r| r.agreed).map(|r| r.label()).collect();
        let label = |at: usize| labels.get(at).cloned().unwrap_or_default();
        let mut block = at;
        for attempt in 1.. {
            let (votes, hints) = self.block_on(self.gather(&asked, block));
            match decide(&votes, self.quorum, block, &label) {
                Decision::Agreed { by, faults } => {
                    self.remember(&faults);
                    let view = by.first().and_then(|first| votes.get(*first)).and_then(Vote::view);
                    let Some(View { head, values, .. }) = view else { break };
                    self.not_reorganised(at, head)?;
                    let hints = hints.into_iter().enumerate().filter(|(i, _)| by.contains(i));
                    let hints = hints.map(|(_, one)| one).collect();
                    let values = values.get(1..).unwrap_or_default().to_vec();
                    return Ok(Agreed { header: head.clone(), by, values, hints });
                }
                Decision::Pin(number) if attempt < ATTEMPTS => block = BlockTag::Number(number),
                Decision::Pin(_) => return Err(self.no_quorum(votes.iter().map(Vote::fault).collect())),
                Decision::None { faults } if attempt < ATTEMPTS && faults.iter().flatten().any(passes) => {
                    if at == BlockTag::Latest {
                        block = at;
                    } else {
                        self.block_on(async { tokio::time::sleep(CATCH_UP).await });
                    }
                }
                Decision::None { faults } => return Err(self.no_quorum(faults)),
            }
        }
        Err(self.no_quorum(vec![None; self.endpoints.len()]))
    }

    /// One round: every endpoint at once. Those that come long after a quorum are not waited for.
    async fn gather(&self, asked: &[&Request], block: BlockTag) -> (Vec<Vote>, Vec<Vec<Reply>>) {
        let begun = Instant::now();
        let standings = self.standings();
        let mut votes: Vec<Vote> = standings.iter().map(Vote::before).collect();
        let mut hints = vec![Vec::new(); votes.len()];
        let mut rounds = 0;
        let trusted = (self.endpoints.iter().zip(&standings).enumerate())
            .filter(|(_, (_, standing))| !matches!(standing, Standing::Lying(_)));
        let mut under_way: FuturesUnordered<_> = trusted
            .map(|(i, (endpoint, _))| async move { (i, endpoint.fetch(asked, block).await) })
            .collect();
        let unnamed = |_| String::new();
        let mut deadline: Option<Instant> = None;
        loop {
            let next = match before(deadline, under_way.next()).await {
                Ok(next) => next,
                // The slow ones can still bring a quorum about.
                Err(_) if matches!(decide(&votes, self.quorum, block, &unnamed), Decision::None { .. }) => {
                    deadline = None;
                    under_way.next().await
                }
                Err(_) => break,
            };
            let Some((i, (result, tries))) = next else { break };
            rounds = rounds.max(tries);
            match result.and_then(|fetched| view(fetched, asked, self.id, block)) {
                Ok((view, replies)) => (votes[i], hints[i]) = (Vote::View(view), replies),
                Err(fault) => votes[i] = Vote::Fault(fault),
            }
            if deadline.is_none() && votes.iter().filter_map(Vote::view).count() >= self.quorum {
                deadline = Some(Instant::now() + begun.elapsed().max(GRACE));
            }
        }
        self.rounds.fetch_add(rounds, Ordering::Relaxed);
        (votes, hints)
    }

    /// One request to every endpoint at once, liars too, and what each made of it. No agreement asked for: once one
    /// has done it, the slower ones are not waited for long.
    pub(super) fn each<T>(
        &self,
        request: &Request,
        verdict: impl Fn(Result<RawReply, Fault>) -> Result<T, Fault>,
    ) -> Vec<(String, Result<T, Fault>)> {
        let mut results: Vec<Result<T, Fault>> = self.endpoints.iter().map(|_| Err(Fault::Slow)).collect();
        let mut rounds = 0;
        self.block_on(async {
            let all = self.endpoints.iter().enumerate();
            let mut under_way: FuturesUnordered<_> =
                all.map(|(i, endpoint)| async move { (i, endpoint.single(request).await) }).collect();
            let mut deadline = Instant::now() + PATIENCE;
            while let Ok(Some((i, (reply, tries)))) = before(Some(deadline), under_way.next()).await {
                rounds = rounds.max(tries);
                results[i] = verdict(reply);
                if results[i].is_ok() {
                    deadline = deadline.min(Instant::now() + GRACE);
                }
            }
        });
        self.rounds.fetch_add(rounds, Ordering::Relaxed);
        self.endpoints.iter().map(Endpoint::shown).zip(results).collect()
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
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

    fn no_quorum(&self, faults: Vec<Option<Fault>>) -> ChainError {
        self.remember(&faults);
        let faults: Vec<_> = self.endpoints.iter().map(Endpoint::shown).zip(faults).collect();
        let wrong = faults.iter().find_map(|(endpoint, fault)| match fault {
            Some(Fault::WrongChain { found }) => Some((endpoint.clone(), found.clone())),
            _ => None,
        });
        let chain = self.name.clone();
        match wrong {
            Some((endpoint, found)) => ChainError::WrongChain { chain, endpoint, expected: self.id, found },
            None => ChainError::NoQuorum { chain, quorum: self.quorum, faults },
        }
    }

    fn standings(&self) -> Vec<Standing> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, faults: &[Option<Fault>]) {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        for (standing, fault) in standings.iter_mut().zip(faults) {
            *standing = match (&standing, fault) {
                (Standing::Lying(first), _) => Standing::Lying(first.clone()),
                (_, None) => Standing::Agrees,
                (_, Some(fault @ Fault::Lying { .. })) => Standing::Lying(fault.clone()),
                (_, Some(fault)) => Standing::Outvoted(fault.clone()),
            };
        }
    }
}

impl Vote {
    /// The vote of an endpoint that has not answered yet.
    fn before(standing: &Standing) -> Self {
        match standing {
            Standing::Lying(fault) => Self::Fault(fault.clone()),
            _ => Self::Fault(Fault::Slow),
        }
    }

    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Fault(fault) => Some(fault.clone()),
            Self::View(view) => (!view.whole).then_some(Fault::Straddles),
        }
    }
}

async fn before<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Result<T, Elapsed> {
    match deadline {
        Some(at) => tokio::time::timeout_at(at, future).await,
        None => Ok(future.await),
    }
}

/// Whether a fault may be gone when asked again.
const fn passes(fault: &Fault) -> bool {
    matches!(fault, Fault::Lagging { .. } | Fault::Ahead { .. } | Fault::Forked { .. } | Fault::Straddles)
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

fn no_reply(why: &str) -> Reply {
    Err(RpcErrorObject { code: 0, message: why.into(), data: None })
}

/// What one endpoint shows, with its hints. The first request asks for the chain id.
fn view(fetched: Fetched, asked: &[&Request], id: u64, block: BlockTag) -> Result<(View, Vec<Reply>), Fault> {
    let wanted = block.number();
    let missing = || Fault::Lagging { at: None, wanted: wanted.unwrap_or(0) };
    let heads: Vec<Header> = fetched.heads.into_iter().collect::<Option<_>>().ok_or_else(missing)?;
    let head = heads.iter().min_by_key(|head| head.number).cloned();
    let head = head.ok_or_else(|| Fault::garbage("no header"))?;
    if wanted.is_some_and(|number| number != head.number) {
        return Err(Fault::garbage(format!("block {} when asked for {}", head.number, block.text())));
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
        Some(Settled::Number(found)) => return Err(Fault::WrongChain { found: found.to_string() }),
        _ => return Err(Fault::garbage("no chain id")),
    }
    Ok((View { head, whole, values }, hints))
}
