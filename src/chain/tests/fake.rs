//! A tiny HTTP server that answers as badly as a test wants. It speaks real HTTP over a real socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::chain::{Chain, Options};
use crate::council::{RpcAddress, SecretUrl};

/// Stands in every address; no text of this program may ever hold it.
pub const KEY: &str = "SECRETKEY123";

/// The server's answer to one HTTP request.
pub enum Act {
    Answer {
        status: u16,
        headers: &'static str,
        body: String,
    },
    /// Waits this long, then answers.
    Late(Duration, String),
    /// Answers with this, packed with gzip.
    Packed(Vec<u8>),
    /// Sends this many bytes of a JSON text and never ends it.
    Flood(usize),
    /// Closes the connection.
    Drop,
}

impl Act {
    pub fn ok(body: &Value) -> Self {
        Self::Answer { status: 200, headers: "", body: body.to_string() }
    }

    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: "", body: "<html>no</html>".into() }
    }
}

pub struct Server {
    pub port: u16,
    hits: Arc<AtomicUsize>,
}

impl Server {
    /// `act` gets the number of the HTTP request, from 0, and its JSON.
    pub fn new(act: impl Fn(usize, &Value) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (hits, act) = (Arc::new(AtomicUsize::new(0)), Arc::new(act));
        let counted = Arc::clone(&hits);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (hits, act) = (Arc::clone(&counted), Arc::clone(&act));
                thread::spawn(move || serve(stream, &hits, act.as_ref()));
            }
        });
        Self { port, hits }
    }

    /// A node: `answer` gives the JSON-RPC answer to one request, without its id.
    pub fn node(answer: impl Fn(&str, &Value) -> Value + Send + Sync + 'static) -> Self {
        Self::new(move |_, body| Act::ok(&reply(body, &answer)))
    }

    pub fn url(&self) -> SecretUrl {
        RpcAddress::parse(&format!("http://127.0.0.1:{}/v2/{KEY}", self.port))
            .unwrap()
            .resolve(|_| None)
            .unwrap()
    }

    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

/// Waits until this is so, for a minute.
pub fn wait_until(is_so: impl Fn() -> bool) {
    let so = |_| {
        is_so() || {
            thread::sleep(Duration::from_millis(10));
            false
        }
    };
    assert!((0..6_000).any(so), "waited in vain");
}

/// A batch is answered in reverse order: JSON-RPC allows it.
pub fn reply(body: &Value, answer: &dyn Fn(&str, &Value) -> Value) -> Value {
    match body {
        Value::Array(requests) => requests.iter().rev().map(|request| reply(request, answer)).collect(),
        request => {
            let mut reply = answer(request["method"].as_str().unwrap(), &request["params"]);
            reply["jsonrpc"] = json!("2.0");
            reply["id"] = request["id"].clone();
            reply
        }
    }
}

fn serve(stream: TcpStream, hits: &AtomicUsize, act: &dyn Fn(usize, &Value) -> Act) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = serde_json::from_slice(&body).unwrap();
    respond(stream, act(hits.fetch_add(1, Ordering::SeqCst), &body));
}

fn respond(mut stream: TcpStream, act: Act) {
    let mut send = |status: u16, headers: &str, body: &str| {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    };
    match act {
        Act::Answer { status, headers, body } => send(status, headers, &body),
        Act::Late(pause, body) => {
            thread::sleep(pause);
            send(200, "", &body);
        }
        Act::Packed(body) => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&body).unwrap();
            let packed = encoder.finish().unwrap();
            let head = format!(
                "HTTP/1.1 200 X\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                packed.len()
            );
            let _ = stream.write_all(&[head.into_bytes(), packed].concat());
        }
        Act::Flood(bytes) => {
            let piece = vec![b' '; 1 << 16];
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n[");
            for _ in 0..bytes / piece.len() {
                if stream.write_all(&piece).is_err() {
                    return;
                }
            }
        }
        Act::Drop => {}
    }
}

pub fn options() -> Options {
    Options { timeout: Duration::from_secs(2), max_retries: 2, parallel: 100, block_time: None }
}

pub fn chain(servers: &[&Server], quorum: usize) -> Chain {
    chain_of(servers.iter().map(|s| s.url()).collect(), quorum, 100)
}

pub fn chain_of(urls: Vec<SecretUrl>, quorum: usize, batch: usize) -> Chain {
    Chain::new("local", 31337, urls, quorum, batch, options()).unwrap()
}

pub fn header(number: u64, fork: u8) -> Value {
    let hash = |n: u64| format!("0x{n:062x}{fork:02x}");
    json!({
        "number": format!("{number:#x}"), "hash": hash(number), "parentHash": hash(number - 1),
        "timestamp": format!("{:#x}", number * 12), "gasLimit": "0x1c9c380", "gasUsed": "0x0", "baseFeePerGas": "0x7",
        "miner": format!("0x{:040x}", 9), "mixHash": hash(1), "stateRoot": hash(2), "transactions": [],
    })
}

/// A well-behaved node at a block: balances are 5, everything else is empty.
pub fn good(number: u64) -> impl Fn(&str, &Value) -> Value + Send + Sync + 'static {
    with_balance(number, 5)
}

/// The same, with another balance.
pub fn with_balance(newest: u64, balance: u64) -> impl Fn(&str, &Value) -> Value + Send + Sync + 'static {
    move |method, params| match method {
        "eth_chainId" => json!({"result": "0x7a69"}),
        "eth_getBlockByNumber" => {
            let tag = params[0].as_str().unwrap();
            let number = tag.strip_prefix("0x").map_or(newest, |hex| u64::from_str_radix(hex, 16).unwrap());
            json!({"result": if number <= newest { header(number, 0) } else { Value::Null }})
        }
        "eth_getBalance" => json!({"result": format!("{balance:#x}")}),
        "eth_call" => json!({"error": {"code": 3, "message": "execution reverted", "data": "0x01"}}),
        "eth_gasPrice" => json!({"error": {"code": -32601, "message": "no such method"}}),
        _ => json!({"result": "0x"}),
    }
}
