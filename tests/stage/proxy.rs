//! An RPC between the program and anvil that counts what is asked, takes its time, fails or lies.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::anvil::Anvil;
use super::http;
use super::waiting::wait_until;

/// The fault of the proxy in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Reads the request and closes the connection.
    Close,
    /// Reads the request and never answers.
    Hang,
    /// Answers 200 with something that is not JSON.
    Garbage,
    /// Answers 200 with half of the answer, the length right.
    Half,
    /// Answers with this HTTP status.
    Status(u16),
}

/// The requests so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// HTTP requests.
    pub posts: usize,
    /// Bytes of the answers' bodies, as they go over the wire.
    pub bytes: usize,
    /// JSON-RPC requests inside them.
    pub requests: usize,
    /// The longest chain of posts in which each began after the one before was answered: what latency multiplies.
    pub rounds: usize,
    pub by_method: BTreeMap<String, usize>,
    /// The round in which a method was asked first, from 1.
    pub first_at: BTreeMap<String, usize>,
}

/// Takes method, parameters and anvil's result or error object, and gives what the program shall see.
type Rewrite = dyn Fn(&str, &Value, Result<Value, Value>) -> Result<Value, Value> + Send + Sync;

#[derive(Default)]
struct Behaviour {
    delay: Duration,
    fault: Option<Fault>,
    /// Only requests with this method fail.
    only: Option<String>,
    held: Option<String>,
    rewrite: Option<Arc<Rewrite>>,
    /// Stands this many blocks behind the chain.
    lag: u64,
    /// Refuses batches of more requests than this, as a provider's free tier does.
    limit: Option<usize>,
    /// Packs its answers with gzip.
    packs: bool,
    counts: Counts,
    /// Every post, whole.
    posts: Vec<String>,
}

pub struct Proxy {
    port: u16,
    behaviour: Arc<Mutex<Behaviour>>,
    over: Arc<AtomicBool>,
}

/// The address of a port where nothing listens.
pub fn dead_url() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("http://127.0.0.1:{port}")
}

impl Proxy {
    pub fn to(anvil: &Anvil) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let behaviour = Arc::<Mutex<Behaviour>>::default();
        let over = Arc::<AtomicBool>::default();
        let (shared, ended, upstream) = (behaviour.clone(), over.clone(), anvil.port());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (shared, ended) = (shared.clone(), ended.clone());
                thread::spawn(move || serve(stream, upstream, &shared, &ended));
            }
        });
        Self { port, behaviour, over }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Holds every answer back by this much.
    pub fn delay(&self, by: Duration) -> &Self {
        lock(&self.behaviour).delay = by;
        self
    }

    /// From now on fails in this way, or no more.
    pub fn fail(&self, fault: Option<Fault>) -> &Self {
        let mut behaviour = lock(&self.behaviour);
        (behaviour.fault, behaviour.only) = (fault, None);
        drop(behaviour);
        self
    }

    /// Fails in this way the requests that hold this method, or no more.
    pub fn fail_at(&self, method: &str, fault: Fault) -> &Self {
        let mut behaviour = lock(&self.behaviour);
        (behaviour.fault, behaviour.only) = (Some(fault), Some(method.into()));
        drop(behaviour);
        self
    }

    /// From now on knows no block, and no receipt, of the newest `blocks`.
    pub fn lag(&self, blocks: u64) -> &Self {
        lock(&self.behaviour).lag = blocks;
        self
    }

    /// From now on refuses larger batches.
    pub fn limit(&self, requests: usize) -> &Self {
        lock(&self.behaviour).limit = Some(requests);
        self
    }

    /// From now on packs its answers with gzip.
    pub fn pack(&self) -> &Self {
        lock(&self.behaviour).packs = true;
        self
    }

    /// Keeps requests with this method from the chain until they are released, or lost with the proxy.
    pub fn hold(&self, method: &str) -> &Self {
        lock(&self.behaviour).held = Some(method.into());
        self
    }

    /// Lets go of what is held; what comes after passes.
    pub fn release(&self) -> &Self {
        lock(&self.behaviour).held = None;
        self
    }

    /// Waits until a request with this method has come.
    pub fn reached(&self, method: &str) -> &Self {
        wait_until(method, || self.counts().by_method.contains_key(method));
        self
    }

    /// From now on every result passes through here: change it to lie, return an error object to refuse.
    pub fn rewrite(
        &self,
        with: impl Fn(&str, &Value, Result<Value, Value>) -> Result<Value, Value> + Send + Sync + 'static,
    ) -> &Self {
        lock(&self.behaviour).rewrite = Some(Arc::new(with));
        self
    }

    /// From now on tells the truth.
    pub fn honest(&self) -> &Self {
        lock(&self.behaviour).rewrite = None;
        self
    }

    pub fn counts(&self) -> Counts {
        lock(&self.behaviour).counts.clone()
    }

    /// Returns how many JSON-RPC requests with this method hold this text anywhere; of every method for `None`.
    pub fn asked_with(&self, method: Option<&str>, text: &str) -> usize {
        let posts = lock(&self.behaviour).posts.clone();
        let holds = |single: &Value| {
            method.is_none_or(|method| single["method"] == method)
                && single.to_string().to_lowercase().contains(text)
        };
        let read = |post: &String| -> Value { serde_json::from_str(post).unwrap() };
        posts.iter().map(|post| singles(&read(post)).iter().filter(|one| holds(one)).count()).sum()
    }

    pub fn forget_counts(&self) -> &Self {
        lock(&self.behaviour).counts = Counts::default();
        self
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port)); // wakes the listener
    }
}

/// A rewrite that panicked has failed its test already; the others need the lock all the same.
fn lock(behaviour: &Mutex<Behaviour>) -> MutexGuard<'_, Behaviour> {
    behaviour.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn serve(stream: TcpStream, upstream: u16, behaviour: &Mutex<Behaviour>, over: &AtomicBool) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    while let Ok(Some(body)) = http::read_message(&mut reader) {
        if over.load(Ordering::Relaxed) || answer(&mut out, &body, upstream, behaviour, over).is_err() {
            break;
        }
    }
    let _ = out.shutdown(Shutdown::Both);
}

/// Answers one post; an error closes the connection.
fn answer(
    out: &mut TcpStream,
    body: &[u8],
    upstream: u16,
    behaviour: &Mutex<Behaviour>,
    over: &AtomicBool,
) -> io::Result<()> {
    let request: Value = serde_json::from_slice(body)?;
    let (depth, delay, fault, rewrite) = {
        let mut b = lock(behaviour);
        let depth = b.counts.rounds + 1;
        count(&mut b.counts, &request, depth);
        b.posts.push(request.to_string());
        let fault = b.fault.filter(|_| b.only.as_ref().is_none_or(|method| asks(&request, method)));
        (depth, b.delay, fault, b.rewrite.clone())
    };
    thread::sleep(delay);
    while lock(behaviour).held.as_ref().is_some_and(|method| asks(&request, method)) {
        if over.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        thread::sleep(Duration::from_millis(2));
    }
    let (lag, limit, packs) = {
        let b = lock(behaviour);
        (b.lag, b.limit, b.packs)
    };
    let answered = match limit.filter(|limit| singles(&request).len() > *limit) {
        Some(limit) => {
            let message = format!("Batch of more than {limit} requests are not allowed on free tier");
            let error = json!({"id": null, "jsonrpc": "2.0", "error": {"code": 31, "message": message}});
            http::write_response(out, 500, error.to_string().as_bytes()).map(|()| 0)
        }
        None => {
            reply(out, &late(&request, upstream, lag)?, upstream, (fault, packs), rewrite.as_deref(), over)
        }
    };
    let mut b = lock(behaviour);
    b.counts.bytes += answered.as_ref().copied().unwrap_or(0);
    b.counts.rounds = b.counts.rounds.max(depth);
    answered.map(|_| ())
}

/// The request as one asks it who stands `lag` blocks behind.
fn late(request: &Value, upstream: u16, lag: u64) -> io::Result<Value> {
    if lag == 0 {
        return Ok(request.clone());
    }
    let ask = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []});
    let head = http::post_json(upstream, &ask)?["result"].as_str().map(number).unwrap_or_default();
    let newest = head.saturating_sub(lag);
    let mut request = request.clone();
    let one = |single: &mut Value| {
        // A receipt stands in a block that this one does not have: it asks for one that nobody has.
        if single["method"] == "eth_getTransactionReceipt" {
            single["params"] = json!([format!("0x{}", "00".repeat(32))]);
        }
        let is_header = single["method"] == "eth_getBlockByNumber";
        for param in single["params"].as_array_mut().into_iter().flatten() {
            let Some(text) = param.as_str().filter(|text| text.len() < 18) else { continue };
            if text == "latest" {
                *param = json!(format!("{newest:#x}"));
            } else if is_header && number(text) > newest {
                *param = json!("0xffffffffff");
            }
        }
    };
    match &mut request {
        Value::Array(all) => all.iter_mut().for_each(one),
        single => one(single),
    }
    Ok(request)
}

fn number(text: &str) -> u64 {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or_default()
}

fn reply(
    out: &mut TcpStream,
    request: &Value,
    upstream: u16,
    (fault, packs): (Option<Fault>, bool),
    rewrite: Option<&Rewrite>,
    over: &AtomicBool,
) -> io::Result<usize> {
    match fault {
        Some(Fault::Close) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Fault::Hang) => {
            while !over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
            }
            Err(io::ErrorKind::TimedOut.into())
        }
        Some(Fault::Garbage) => http::write_response(out, 200, b"<html>Bad gateway</html>").map(|()| 0),
        Some(Fault::Status(status)) => http::write_response(out, status, b"{}").map(|()| 0),
        Some(Fault::Half) | None => {
            let text = rewritten(request, http::post_json(upstream, request)?, rewrite).to_string();
            let end = if fault.is_some() { text.len() / 2 } else { text.len() };
            if packs {
                let mut packer = GzEncoder::new(Vec::new(), Compression::default());
                packer.write_all(text.as_bytes())?;
                let body = packer.finish()?;
                return http::write_packed(out, &body).map(|()| body.len());
            }
            http::write_response(out, 200, &text.as_bytes()[..end]).map(|()| end)
        }
    }
}

fn count(counts: &mut Counts, request: &Value, depth: usize) {
    counts.posts += 1;
    for single in singles(request) {
        counts.requests += 1;
        let method = single["method"].as_str().unwrap_or("").to_string();
        counts.first_at.entry(method.clone()).or_insert(depth);
        *counts.by_method.entry(method).or_default() += 1;
    }
}

fn asks(request: &Value, method: &str) -> bool {
    singles(request).iter().any(|single| single["method"] == method)
}

fn singles(request: &Value) -> &[Value] {
    request.as_array().map_or(std::slice::from_ref(request), Vec::as_slice)
}

fn rewritten(request: &Value, mut reply: Value, rewrite: Option<&Rewrite>) -> Value {
    let Some(rewrite) = rewrite else { return reply };
    let one = |answer: &mut Value| {
        let Some(asked) = singles(request).iter().find(|single| single["id"] == answer["id"]) else { return };
        let (method, params) = (asked["method"].as_str().unwrap_or(""), &asked["params"]);
        let truth = match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        };
        let id = answer["id"].take();
        *answer = match rewrite(method, params, truth) {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        };
    };
    match &mut reply {
        Value::Array(answers) => answers.iter_mut().for_each(one),
        answer => one(answer),
    }
    reply
}
