//! One RPC endpoint over HTTP: sends batches, in chunks where it must, and bounds what it waits for and takes.
//!
//! The ready-made transports are not used: their error texts hold the address with its key, and their replies have
//! no upper size.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;

use super::block::{BlockTag, Header};
use super::error::{ChainError, Fault, RpcErrorObject};
use super::intermediary::is_here;
use super::rpc::{self, AT, Body, RawReply, Request, Secrets};
use super::settle;
use crate::council::SecretUrl;

const CONNECT: Duration = Duration::from_secs(5);
/// All the replies of one question together.
const LARGEST_BODY: usize = 64 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Room in a chunk for a header at both ends and one question between them.
const SMALLEST_BATCH: usize = 3;

/// How long to wait, how often to try again, and how much to ask at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// For one HTTP request, from connecting to the last byte.
    pub timeout: Duration,
    /// After HTTP 429 and 5xx, a rate limit or a broken connection.
    pub max_retries: u32,
    /// The most batches under way at once.
    pub parallel: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(20), max_retries: 3, parallel: 24 }
    }
}

/// One endpoint of a chain.
pub(super) struct Endpoint {
    url: SecretUrl,
    secrets: Secrets,
    client: Client,
    options: Options,
    /// The largest batch it is known to take.
    batch: AtomicUsize,
    next_id: AtomicU64,
}

/// What one endpoint answered to a list of requests.
pub(super) struct Fetched {
    /// The header at both ends of every chunk; nothing where it has no such block.
    pub heads: Vec<Option<Header>>,
    /// Whether every answer lies between two headers: not so where it takes no batches.
    pub bracketed: bool,
    pub replies: Vec<RawReply>,
}

/// Why a chunk brought nothing.
enum Failed {
    /// The batch as such, perhaps for its size.
    Batch(RpcErrorObject),
    Fault(Fault),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Endpoint {
    pub(super) fn new(url: SecretUrl, batch: usize, options: Options) -> Result<Self, ChainError> {
        let parsed = url::Url::parse(url.expose()).ok().filter(url::Url::has_host);
        let parsed = parsed.ok_or_else(|| ChainError::BadUrl(url.to_string()))?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .connect_timeout(CONNECT.min(options.timeout))
            .timeout(options.timeout)
            .redirect(Policy::none())
            .user_agent(concat!("breakglass/", env!("CARGO_PKG_VERSION")));
        if is_here(&parsed) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|e| ChainError::Client(e.without_url().to_string()))?;
        let secrets = Secrets::of(&url);
        let (batch, next_id) = (AtomicUsize::new(batch.max(1)), AtomicU64::new(1));
        Ok(Self { url, secrets, client, options, batch, next_id })
    }

    /// The address without its key.
    pub(super) fn shown(&self) -> String {
        self.url.to_string()
    }

    /// Asks the requests and, around every chunk of them, for the header. With the sequential rounds it took.
    ///
    /// A batch that is refused as such is sent again in smaller ones, at last in single requests.
    pub(super) async fn fetch(
        &self,
        requests: &[&Request],
        block: BlockTag,
    ) -> (Result<Fetched, Fault>, u32) {
        let mut rounds = 0;
        let mut size = self.batch.load(Ordering::Relaxed);
        loop {
            let (result, tries) = self.fetch_by(size, requests, block).await;
            rounds += tries;
            match result {
                Ok(fetched) => {
                    self.batch.store(size, Ordering::Relaxed);
                    return (Ok(fetched), rounds);
                }
                Err(Failed::Batch(_)) if size > 1 => size = smaller(size.min(requests.len() + 2)),
                Err(Failed::Batch(error)) => {
                    return (Err(Fault::Refused { method: "the batch", error }), rounds);
                }
                Err(Failed::Fault(fault)) => return (Err(fault), rounds),
            }
        }
    }

    async fn fetch_by(
        &self,
        size: usize,
        requests: &[&Request],
        block: BlockTag,
    ) -> (Result<Fetched, Failed>, u32) {
        let header = Request::new("eth_getBlockByNumber", json!([AT, false]));
        let bracketed = size >= SMALLEST_BATCH;
        let chunks: Vec<Vec<&Request>> = if requests.is_empty() {
            vec![vec![&header]]
        } else if bracketed {
            requests.chunks(size - 2).map(|part| [&[&header], part, &[&header]].concat()).collect()
        } else {
            std::iter::once(&header).chain(requests.iter().copied()).map(|single| vec![single]).collect()
        };
        let (results, tries) = self.send_all(&chunks, block).await;
        let fetched = results.and_then(|chunks| Ok(Fetched::from_chunks(chunks, bracketed)?));
        (fetched, tries)
    }

    /// Sends chunks side by side; with the sequential tries of the one that needed most.
    async fn send_all(
        &self,
        chunks: &[Vec<&Request>],
        block: BlockTag,
    ) -> (Result<Vec<Vec<RawReply>>, Failed>, u32) {
        let budget = Cell::new(LARGEST_BODY);
        let sent = chunks.iter().map(|chunk| self.send(chunk, block, &budget));
        let parallel = self.options.parallel.max(1);
        let results: Vec<_> = stream::iter(sent).buffered(parallel).collect().await;
        let tries = results.iter().map(|(_, tries)| *tries).max().unwrap_or(0);
        // What does not leave at once waits for what did.
        let waves = u32::try_from(chunks.len().div_ceil(parallel)).unwrap_or(u32::MAX);
        let tries = tries.saturating_add(waves.saturating_sub(1));
        (results.into_iter().map(|(result, _)| result).collect(), tries)
    }

    /// One request, no header around it and no block: for sending a transaction.
    pub(super) async fn single(&self, request: &Request) -> (Result<RawReply, Fault>, u32) {
        let (result, tries) = self.send_all(&[vec![request]], BlockTag::Latest).await;
        let reply = match result {
            Ok(chunks) => chunks.into_iter().flatten().next().ok_or_else(|| Fault::garbage("no answer")),
            Err(Failed::Batch(error)) => Ok(Err(error)),
            Err(Failed::Fault(fault)) => Err(fault),
        };
        (reply, tries)
    }

    /// Sends one chunk, again where that may help.
    async fn send(
        &self,
        chunk: &[&Request],
        block: BlockTag,
        budget: &Cell<usize>,
    ) -> (Result<Vec<RawReply>, Failed>, u32) {
        let mut tries = 0;
        loop {
            tries += 1;
            let again = match self.try_once(chunk, block, budget).await {
                Ok(replies) => return (Ok(replies), tries),
                Err(Attempt::Final(failed)) => return (Err(failed), tries),
                Err(Attempt::Again(fault, pause)) => (fault, pause),
            };
            let pause = again.1.unwrap_or(FIRST_PAUSE * 2_u32.saturating_pow(tries - 1));
            if tries > self.options.max_retries || pause > LONGEST_PAUSE {
                return (Err(again.0.into()), tries);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn try_once(
        &self,
        chunk: &[&Request],
        block: BlockTag,
        budget: &Cell<usize>,
    ) -> Result<Vec<RawReply>, Attempt> {
        let count = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        let first_id = self.next_id.fetch_add(count, Ordering::Relaxed);
        let body = rpc::encode(chunk, block, first_id)?;
        let request = self.client.post(self.url.expose()).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|e| self.transport(e))?;
        let status = response.status();
        let pause = retry_after(&response);
        let body = self.read(&mut response, budget).await?;
        let decoded = rpc::decode(&body, chunk.len(), first_id, &self.secrets);
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Attempt::Again(Fault::Throttled, pause));
        }
        if status.is_server_error() {
            return Err(Attempt::Again(Fault::Http(status.as_u16()), pause));
        }
        match decoded {
            // An error that came with a status of its own is still the better word for what is wrong.
            Ok(Body::Replies(replies)) if status.is_success() || replies.iter().all(Result::is_err) => {
                if replies.iter().any(is_rate_limit) {
                    return Err(Attempt::Again(Fault::Throttled, pause));
                }
                match refused_alike(&replies) {
                    Some(error) => Err(Attempt::Final(Failed::Batch(error))),
                    None => Ok(replies),
                }
            }
            Ok(Body::BatchRefused(error)) if is_rate_limit(&Err(error.clone())) => {
                Err(Attempt::Again(Fault::Throttled, pause))
            }
            Ok(Body::BatchRefused(error)) => Err(Attempt::Final(Failed::Batch(error))),
            _ if refuses_size(status) && chunk.len() > 1 => {
                let message = format!("HTTP status {}", status.as_u16());
                Err(Attempt::Final(Failed::Batch(RpcErrorObject { code: 0, message, data: None })))
            }
            _ if !status.is_success() => Err(Fault::Http(status.as_u16()).into()),
            Ok(Body::Replies(_)) => Err(Fault::garbage("answers to a failed request").into()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Takes the body piece by piece, so that a large one is dropped and not stored.
    async fn read(&self, response: &mut Response, budget: &Cell<usize>) -> Result<Vec<u8>, Attempt> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| self.transport(e))? {
            budget.set(budget.get().checked_sub(piece.len()).ok_or(Fault::TooLarge)?);
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn transport(&self, error: reqwest::Error) -> Attempt {
        if error.is_timeout() {
            return Fault::TimedOut(self.options.timeout.as_secs().max(1)).into();
        }
        let connecting = error.is_connect() || error.is_builder();
        // The innermost cause says it in the fewest words: "connection refused", "invalid certificate".
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let fault = Fault::Unreachable(self.secrets.hide(&cause.to_string()));
        if connecting { fault.into() } else { Attempt::Again(fault, None) }
    }
}

impl Fetched {
    fn from_chunks(chunks: Vec<Vec<RawReply>>, bracketed: bool) -> Result<Self, Fault> {
        let (mut heads, mut replies) = (Vec::new(), Vec::new());
        if bracketed {
            for mut chunk in chunks {
                heads.extend(chunk.pop());
                let mut rest = chunk.into_iter();
                heads.extend(rest.next());
                replies.extend(rest);
            }
        } else {
            let mut singles = chunks.into_iter().flatten();
            heads.extend(singles.next());
            replies.extend(singles);
        }
        let heads = heads.into_iter().map(settle::header).collect::<Result<_, _>>()?;
        Ok(Self { heads, bracketed, replies })
    }
}

/// How one try ended without replies.
enum Attempt {
    Final(Failed),
    /// Worth another try, after this pause where the server named one.
    Again(Fault, Option<Duration>),
}

impl From<Fault> for Attempt {
    fn from(fault: Fault) -> Self {
        Self::Final(Failed::Fault(fault))
    }
}

fn tls() -> Result<ClientConfig, ChainError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| ChainError::Client(e.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // reqwest names the protocols only for configurations of its own making.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The next smaller size to try; providers' limits lie about these.
const fn smaller(size: usize) -> usize {
    match size {
        21.. => 20,
        4..=20 => SMALLEST_BATCH,
        _ => 1,
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn is_rate_limit(reply: &RawReply) -> bool {
    // -32005 also says "too many results", which asking again does not cure.
    reply.as_ref().is_err_and(|e| {
        e.code == 429 || (e.code == -32005 && e.message.to_ascii_lowercase().contains("rate"))
    })
}

/// The one error that a server gave to every request of a batch, headers included: it is the batch it refuses.
fn refused_alike(replies: &[RawReply]) -> Option<RpcErrorObject> {
    let [Err(first), others @ ..] = replies else { return None };
    let alike = !others.is_empty() && others.iter().all(|reply| reply.as_ref().is_err_and(|e| e == first));
    alike.then(|| first.clone())
}

fn refuses_size(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
    )
}
