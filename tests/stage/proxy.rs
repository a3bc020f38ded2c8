//! An RPC between the program and anvil that counts what is asked, takes its time, fails or lies.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::anvil::Anvil;
use super::http;

const PATIENCE: Duration = Duration::from_secs(30);

/// What the proxy does instead of answering.
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

/// What has been asked so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// HTTP requests.
    pub posts: usize,
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

    /// The same for the requests that hold this method.
    pub fn fail_at(&self, method: &str, fault: Fault) -> &Self {
        let mut behaviour = lock(&self.behaviour);
        (behaviour.fault, behaviour.only) = (Some(fault), Some(method.into()));
        drop(behaviour);
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
        let begun = Instant::now();
        while !self.counts().by_method.contains_key(method) {
            assert!(begun.elapsed() < PATIENCE, "{method} was never asked");
            thread::sleep(Duration::from_millis(1));
        }
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

    /// How many JSON-RPC requests with this method hold this text anywhere; with every method for `None`.
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
    let answered = reply(out, &request, upstream, fault, rewrite.as_deref(), over);
    let mut b = lock(behaviour);
    b.counts.rounds = b.counts.rounds.max(depth);
    answered
}

fn reply(
    out: &mut TcpStream,
    request: &Value,
    upstream: u16,
    fault: Option<Fault>,
    rewrite: Option<&Rewrite>,
    over: &AtomicBool,
) -> io::Result<()> {
    match fault {
        Some(Fault::Close) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Fault::Hang) => {
            while !over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
            }
            Err(io::ErrorKind::TimedOut.into())
        }
        Some(Fault::Garbage) => http::write_response(out, 200, b"<html>Bad gateway</html>"),
        Some(Fault::Status(status)) => http::write_response(out, status, b"{}"),
        Some(Fault::Half) | None => {
            let text = rewritten(request, http::post_json(upstream, request)?, rewrite).to_string();
            let end = if fault.is_some() { text.len() / 2 } else { text.len() };
            http::write_response(out, 200, &text.as_bytes()[..end])
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
