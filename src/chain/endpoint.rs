//! One RPC endpoint over HTTP: sends batches, in chunks where it must, and bounds what it waits for and takes.
//!
//! The ready-made transports are not used: their error texts hold the address with its key, and their replies have
//! no upper size.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;

use super::chain_error::{ChainError, EndpointFault, RpcErrorObject};
use super::http_proxy::is_here;
use super::json_rpc::{self, AT, Body, RawReply, Request, Secrets};
use super::pace::{Chunk, Pace, is_rate_limit, is_size_limit, refused_alike, refuses_size};
use super::settle;
use crate::council::SecretUrl;
use crate::evm::{BlockTag, Header};

const CONNECT: Duration = Duration::from_secs(5);
/// All the replies of one question together, unpacked.
const LARGEST_BODY: usize = 64 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A server that wants a longer one is given up, and what it wants is said.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Limits of a request: the time to wait, the number of tries, and the size of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// For one HTTP request, from connecting to the last byte.
    pub timeout: Duration,
    /// After HTTP 429 and 5xx, a rate limit or a broken connection.
    pub max_retries: u32,
    /// The most batches under way at once.
    pub parallel: usize,
    /// The time between two blocks, where the council says it.
    pub block_time: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(20), max_retries: 3, parallel: 24, block_time: None }
    }
}

/// One endpoint of a chain.
pub(super) struct Endpoint {
    url: SecretUrl,
    secrets: Secrets,
    client: Client,
    options: Options,
    /// The size of a batch that it may be sent.
    named: usize,
    /// The batch size that it is known to take, learnt for the run.
    pace: Mutex<Pace>,
    next_id: AtomicU64,
}

/// One endpoint's answers to a list of requests.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The header at both ends of every chunk; None where it has no such block.
    pub heads: Vec<Option<Header>>,
    /// `true` if every answer lies between two headers: not so where it takes no batches.
    pub bracketed: bool,
    pub replies: Vec<RawReply>,
}

/// Why a chunk brought nothing.
enum Failed {
    /// The batch as such, perhaps for its size.
    Batch(RpcErrorObject),
    /// Worth another try, after this pause where the server named one.
    Again(EndpointFault, Option<Duration>),
    Fault(EndpointFault),
}

impl From<EndpointFault> for Failed {
    fn from(fault: EndpointFault) -> Self {
        Self::Fault(fault)
    }
}

/// Answers as they come in.
struct Answers {
    heads: Vec<Option<Header>>,
    bracketed: bool,
    replies: Vec<Option<RawReply>>,
}

impl Endpoint {
    pub(super) fn new(url: SecretUrl, batch: usize, options: Options) -> Result<Self, ChainError> {
        let client = client_for(&url, options.timeout)?;
        let secrets = Secrets::of(&url);
        let named = batch.max(1);
        let pace = Mutex::new(Pace { batch: named, parallel: options.parallel.max(1) });
        Ok(Self { url, secrets, client, options, named, pace, next_id: AtomicU64::new(1) })
    }

    /// The address without its key.
    pub(super) fn shown(&self) -> String {
        self.url.to_string()
    }

    /// The size of a batch that it turned out to take, if it is a smaller one than it was sent at first.
    pub(super) fn reduced_batch_size(&self) -> Option<usize> {
        let batch = self.pace().batch;
        (batch < self.named).then_some(batch)
    }

    fn pace(&self) -> Pace {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_pace(&self, pace: Pace) {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = pace;
    }

    /// Asks the requests and, around every chunk of them, for the header. With the sequential rounds it took.
    ///
    /// A batch that is refused as such is sent again in smaller ones, at last in single requests; after a rate limit
    /// half as much is sent at once.
    pub(super) async fn fetch(
        &self,
        requests: &[Request],
        block: BlockTag,
    ) -> (Result<Fetched, EndpointFault>, u32) {
        self.exchange(requests, block, true).await
    }

    /// One request, no header around it and no block: for sending a transaction.
    pub(super) async fn single(&self, request: &Request) -> (Result<RawReply, EndpointFault>, u32) {
        let (result, rounds) = self.exchange(std::slice::from_ref(request), BlockTag::Latest, false).await;
        let reply = |fetched: Fetched| {
            fetched.replies.into_iter().next().ok_or_else(|| EndpointFault::garbage("no answer"))
        };
        (result.and_then(reply), rounds)
    }

    async fn exchange(
        &self,
        requests: &[Request],
        block: BlockTag,
        with_header: bool,
    ) -> (Result<Fetched, EndpointFault>, u32) {
        let budget = AtomicUsize::new(LARGEST_BODY);
        let mut answers = Answers::to(requests.len());
        let mut left: Vec<_> = std::iter::once(0..requests.len()).collect();
        let (mut rounds, mut tries) = (0, 0);
        loop {
            let pace = self.pace();
            let chunks = pace.cut(&left, with_header, !answers.heads.is_empty());
            // Batches beyond the limit wait for those under way.
            let waves = chunks.len().div_ceil(pace.parallel);
            rounds += u32::try_from(waves).unwrap_or(u32::MAX);
            let sent = chunks.iter().cloned().map(|chunk| self.send(requests, chunk, block, &budget));
            let results: Vec<_> = stream::iter(sent).buffered(pace.parallel).collect().await;
            left.clear();
            let mut setback = None;
            for (chunk, result) in chunks.into_iter().zip(results) {
                match result {
                    Ok(replies) => match answers.take(&chunk, replies, pace) {
                        Ok(()) => {}
                        Err(fault) => return (Err(fault), rounds),
                    },
                    Err(Failed::Fault(fault)) => return (Err(fault), rounds),
                    Err(failed) => {
                        let sent = chunk.part.len() + chunk.headers;
                        left.extend((!chunk.part.is_empty()).then_some(chunk.part));
                        setback = setback.or(Some((failed, sent)));
                    }
                }
            }
            let Some((failed, sent)) = setback else { return (Ok(answers.complete()), rounds) };
            match self.after(failed, sent, pace, &mut tries) {
                Ok(pause) => tokio::time::sleep(pause).await,
                Err(fault) => return (Err(fault), rounds),
            }
        }
    }

    /// Returns the pause before the next try, at the pace that is set here.
    fn after(
        &self,
        failed: Failed,
        sent: usize,
        pace: Pace,
        tries: &mut u32,
    ) -> Result<Duration, EndpointFault> {
        let (fault, wanted) = match failed {
            Failed::Batch(error) => {
                let smaller = pace.smaller(sent, &error);
                let smaller = smaller.ok_or(EndpointFault::Refused { method: "the batch", error })?;
                self.set_pace(smaller);
                return Ok(Duration::ZERO);
            }
            Failed::Again(fault, wanted) => (fault, wanted),
            Failed::Fault(fault) => return Err(fault),
        };
        *tries += 1;
        let pause = wanted.unwrap_or(FIRST_PAUSE * 2_u32.saturating_pow(*tries - 1));
        if *tries > self.options.max_retries || pause > LONGEST_PAUSE {
            return Err(fault);
        }
        if matches!(fault, EndpointFault::Throttled { .. }) {
            self.set_pace(pace.halved());
        }
        Ok(pause)
    }

    async fn send(
        &self,
        requests: &[Request],
        chunk: Chunk,
        block: BlockTag,
        budget: &AtomicUsize,
    ) -> Result<Vec<RawReply>, Failed> {
        let header = Request::new("eth_getBlockByNumber", json!([AT, false]));
        let mut asked: Vec<&Request> = requests.get(chunk.part.clone()).unwrap_or_default().iter().collect();
        if chunk.headers > 0 {
            asked.insert(0, &header);
        }
        if chunk.headers > 1 {
            asked.push(&header);
        }
        let count = u64::try_from(asked.len()).unwrap_or(u64::MAX);
        let first_id = self.next_id.fetch_add(count, Ordering::Relaxed);
        let body = json_rpc::encode(&asked, block, first_id)?;
        let request = self.client.post(self.url.expose()).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|e| self.transport(e))?;
        let status = response.status();
        let pause = retry_after(&response);
        let body = self.read(&mut response, budget).await?;
        let decoded = json_rpc::decode(&body, asked.len(), first_id, &self.secrets);
        judge(status, pause, decoded, asked.len())
    }

    /// Takes the body piece by piece, so that a large one is dropped and not stored.
    async fn read(&self, response: &mut Response, budget: &AtomicUsize) -> Result<Vec<u8>, Failed> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| self.transport(e))? {
            let less = |left: usize| left.checked_sub(piece.len());
            let left = budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            left.map_err(|_| EndpointFault::TooLarge)?;
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn transport(&self, error: reqwest::Error) -> Failed {
        let connecting = error.is_connect() || error.is_builder();
        if error.is_timeout() && connecting {
            let seconds = CONNECT.min(self.options.timeout).as_secs().max(1);
            return EndpointFault::Unreachable(format!("no connection within {seconds} s")).into();
        }
        if error.is_timeout() {
            return EndpointFault::TimedOut(self.options.timeout.as_secs().max(1)).into();
        }
        // The innermost cause says it in the fewest words: "connection refused", "invalid certificate".
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let fault = EndpointFault::Unreachable(self.secrets.hide(without_number(&cause.to_string())));
        if connecting { fault.into() } else { Failed::Again(fault, None) }
    }
}

/// Returns a system's sentence without its number: `Connection refused (os error 111)` is said without the parentheses.
pub(super) fn without_number(text: &str) -> &str {
    text.split(" (os error").next().unwrap_or(text)
}

/// The meaning of an HTTP answer to `asked` requests.
fn judge(
    status: StatusCode,
    pause: Option<Duration>,
    decoded: Result<Body, EndpointFault>,
    asked: usize,
) -> Result<Vec<RawReply>, Failed> {
    let throttled =
        || Failed::Again(EndpointFault::Throttled { wait: pause.map(|pause| pause.as_secs()) }, pause);
    match decoded {
        _ if status == StatusCode::TOO_MANY_REQUESTS => Err(throttled()),
        Ok(Body::BatchRefused(error)) if is_rate_limit(&Err(error.clone())) => Err(throttled()),
        Ok(Body::BatchRefused(error)) if !status.is_server_error() || is_size_limit(&error) => {
            Err(Failed::Batch(error))
        }
        _ if status.is_server_error() => Err(Failed::Again(EndpointFault::Http(status.as_u16()), pause)),
        // An error that came with a status of its own is still the better word for what is wrong.
        Ok(Body::Replies(replies)) if status.is_success() || replies.iter().all(Result::is_err) => {
            if replies.iter().any(is_rate_limit) {
                return Err(throttled());
            }
            match refused_alike(&replies) {
                Some(error) => Err(Failed::Batch(error)),
                None => Ok(replies),
            }
        }
        _ if refuses_size(status) && asked > 1 => {
            let message = format!("HTTP status {}", status.as_u16());
            Err(Failed::Batch(RpcErrorObject { code: 0, message, data: None }))
        }
        _ if !status.is_success() => Err(EndpointFault::Http(status.as_u16()).into()),
        Ok(_) => Err(EndpointFault::garbage("answers to a failed request").into()),
        Err(fault) => Err(fault.into()),
    }
}

impl Answers {
    fn to(requests: usize) -> Self {
        Self { heads: Vec::new(), bracketed: true, replies: (0..requests).map(|_| None).collect() }
    }

    fn take(&mut self, chunk: &Chunk, replies: Vec<RawReply>, pace: Pace) -> Result<(), EndpointFault> {
        self.bracketed &= pace.brackets();
        let mut replies = replies.into_iter();
        if chunk.headers > 0 {
            self.heads.extend(replies.next().map(settle::header).transpose()?);
        }
        for slot in self.replies.get_mut(chunk.part.clone()).unwrap_or_default() {
            *slot = replies.next();
        }
        self.heads.extend(replies.next().map(settle::header).transpose()?);
        Ok(())
    }

    fn complete(self) -> Fetched {
        let Self { heads, bracketed, replies } = self;
        Fetched { heads, bracketed, replies: replies.into_iter().flatten().collect() }
    }
}

/// Returns a client for one address: it follows no redirect, and reaches this machine without a proxy.
pub(super) fn client_for(url: &SecretUrl, timeout: Duration) -> Result<Client, ChainError> {
    let parsed = url::Url::parse(url.expose()).ok().filter(url::Url::has_host);
    let parsed = parsed.ok_or_else(|| ChainError::BadUrl(url.to_string()))?;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls()?)
        .connect_timeout(CONNECT.min(timeout))
        .timeout(timeout)
        .redirect(Policy::none())
        .user_agent(concat!("breakglass/", env!("CARGO_PKG_VERSION")));
    if is_here(&parsed) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|e| ChainError::Client(e.without_url().to_string()))
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

fn retry_after(response: &Response) -> Option<Duration> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
