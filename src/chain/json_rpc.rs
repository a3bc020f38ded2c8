//! JSON-RPC 2.0 batches as pure functions: requests to a body, a hostile body to replies. No network here.

use std::fmt;

use alloy::primitives::{Address, Bytes};
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::chain_error::{EndpointFault, RpcErrorObject};
use crate::council::SecretUrl;
use crate::evm::BlockTag;
use crate::excerpt::hide_urls;

/// Stands in a request's parameters for the block at which it is asked.
pub(super) const AT: &str = "{block}";

/// One question to a chain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) method: &'static str,
    /// An array. Wherever the text [`AT`] stands, the block is filled in.
    pub(super) params: Value,
    /// `true` if endpoints must agree on the answer. Where they need not, the first that has one is taken.
    pub(super) agreed: bool,
}

/// The answer to one request.
pub(super) type Reply = Result<Value, RpcErrorObject>;

/// An answer that is not yet parsed.
pub(super) type RawReply = Result<Box<RawValue>, RpcErrorObject>;

impl Request {
    /// A question about the state: a quorum must give the same answer.
    pub(super) const fn new(method: &'static str, params: Value) -> Self {
        Self { method, params, agreed: true }
    }

    /// A question on which endpoints may differ or that some cannot answer: fees, access lists.
    pub(super) const fn hint(method: &'static str, params: Value) -> Self {
        Self { method, params, agreed: false }
    }

    /// A call that is asked and not sent.
    pub(super) fn call(from: Option<Address>, to: Address, data: &Bytes) -> Self {
        Self::new("eth_call", json!([transaction(from, to, data), AT]))
    }

    /// For messages: the method and the beginning of its parameters.
    pub(super) fn label(&self) -> String {
        let params: String = self.params.to_string().chars().take(100).collect();
        format!("{} {params}", self.method)
    }

    fn params_at(&self, block: &str) -> Value {
        let mut params = self.params.clone();
        fill(&mut params, block);
        params
    }
}

pub(super) fn transaction(from: Option<Address>, to: Address, data: &Bytes) -> Value {
    match from {
        Some(from) => json!({"from": from, "to": to, "data": data}),
        None => json!({"to": to, "data": data}),
    }
}

fn fill(value: &mut Value, block: &str) {
    match value {
        Value::String(text) if text == AT => *text = block.into(),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, block)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill(field, block)),
        _ => {}
    }
}

/// In place of an answer that nobody gave.
pub(super) fn no_reply(why: &str) -> Reply {
    Err(RpcErrorObject { code: 0, message: why.into(), data: None })
}

#[derive(Serialize)]
struct WireRequest {
    jsonrpc: &'static str,
    id: u64,
    method: &'static str,
    params: Value,
}

/// The body of a batch whose ids count from `first_id`; of a plain request when there is just one.
pub(super) fn encode(
    requests: &[&Request],
    block: BlockTag,
    first_id: u64,
) -> Result<Vec<u8>, EndpointFault> {
    let block = block.text();
    let mut wire: Vec<WireRequest> = (first_id..)
        .zip(requests)
        .map(|(id, request)| WireRequest {
            jsonrpc: "2.0",
            id,
            method: request.method,
            params: request.params_at(&block),
        })
        .collect();
    let body = match (wire.len(), wire.pop()) {
        (1, Some(single)) => serde_json::to_vec(&single),
        (_, last) => {
            wire.extend(last);
            serde_json::to_vec(&wire)
        }
    };
    body.map_err(|e| EndpointFault::garbage(format!("the request cannot be written: {e}")))
}

#[derive(Deserialize)]
struct WireReply {
    #[serde(default)]
    id: Option<u64>,
    /// `null` is an answer too: only an absent field is none.
    #[serde(default, deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<WireError>,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

/// The contents of a body.
#[derive(Debug)]
pub(super) enum Body {
    /// One reply per request, in the order of the requests.
    Replies(Vec<RawReply>),
    /// One error for the batch as a whole: too large, or no batches taken.
    BatchRefused(RpcErrorObject),
}

/// Reads the answer to `count` requests numbered from `first_id`. Every id once and no other, or it is garbage.
pub(super) fn decode(
    body: &[u8],
    count: usize,
    first_id: u64,
    secrets: &Secrets,
) -> Result<Body, EndpointFault> {
    let text = std::str::from_utf8(body).map_err(|_| EndpointFault::garbage("not UTF-8"))?;
    let replies = if text.trim_start().starts_with('[') {
        let read = serde_json::Deserializer::from_str(text).deserialize_seq(AtMost(count));
        read.map_err(|_| EndpointFault::garbage("not a JSON-RPC batch"))?
    } else {
        let reply: WireReply =
            serde_json::from_str(text).map_err(|_| EndpointFault::garbage("not JSON-RPC"))?;
        vec![reply]
    };
    if count > 1
        && let [WireReply { error: Some(error), .. }] = replies.as_slice()
    {
        return Ok(Body::BatchRefused(secrets.error(error)));
    }
    let mut slots: Vec<Option<RawReply>> = (0..count).map(|_| None).collect();
    for reply in replies {
        let at = match reply.id {
            Some(id) => id.checked_sub(first_id).and_then(|at| usize::try_from(at).ok()),
            // A server that could not read a single request answers without its id.
            None => (count == 1 && reply.error.is_some()).then_some(0),
        };
        let slot = at.and_then(|at| slots.get_mut(at));
        let slot =
            slot.ok_or_else(|| EndpointFault::garbage("an answer to a question that was not asked"))?;
        let reply = match (reply.result, reply.error) {
            (_, Some(error)) => Err(secrets.error(&error)),
            (Some(result), None) => Ok(result),
            (None, None) => return Err(EndpointFault::garbage("an answer with neither result nor error")),
        };
        if slot.replace(reply).is_some() {
            return Err(EndpointFault::garbage("two answers to one question"));
        }
    }
    let all: Option<Vec<RawReply>> = slots.into_iter().collect();
    all.map(Body::Replies).ok_or_else(|| EndpointFault::garbage("a question left unanswered"))
}

/// A sequence of at most this many replies: a longer one is an error before it fills the memory.
struct AtMost(usize);

impl<'de> Visitor<'de> for AtMost {
    type Value = Vec<WireReply>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} replies", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut replies = Vec::new();
        while replies.len() < self.0 {
            match seq.next_element()? {
                Some(reply) => replies.push(reply),
                None => return Ok(replies),
            }
        }
        match seq.next_element::<IgnoredAny>()? {
            Some(_) => Err(serde::de::Error::custom("more replies than requests")),
            None => Ok(replies),
        }
    }
}

/// The parts of an endpoint's address that may be a key: a server that echoes them does not get them shown.
pub(super) struct Secrets(Vec<zeroize::Zeroizing<String>>);

/// Shorter parts of a path are words like `v3`; keys are longer.
const SHORTEST_KEY: usize = 8;
const LONGEST_MESSAGE: usize = 200;

impl Secrets {
    pub(super) fn of(url: &SecretUrl) -> Self {
        let address = url.expose();
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        let (user, rest) = address.split_once('@').unwrap_or(("", address));
        let path = rest.find(['/', '?', '#']).map_or("", |at| &rest[at..]);
        let parts = user.split(':').chain(path.split(['/', '?', '#', '&', '=']));
        Self(parts.filter(|part| part.len() >= SHORTEST_KEY).map(|part| part.to_string().into()).collect())
    }

    /// A text from outside, made safe to show.
    pub(super) fn hide(&self, text: &str) -> String {
        let head: String = text.chars().take(8 * LONGEST_MESSAGE).collect();
        let mut text = hide_urls(&head);
        for secret in &self.0 {
            text = text.replace(secret.as_str(), "…");
        }
        let mut shown = String::new();
        for c in text.chars().take(LONGEST_MESSAGE) {
            match c {
                ' '..='~' | '…' => shown.push(c),
                other => shown.extend(other.escape_unicode()),
            }
        }
        shown
    }

    fn error(&self, wire: &WireError) -> RpcErrorObject {
        let data = wire.data.as_deref().and_then(revert_data);
        RpcErrorObject { code: wire.code, message: self.hide(&wire.message), data }
    }
}

/// The data of a revert: hexadecimal, after the word `Reverted` from some clients, inside an object from others.
fn revert_data(raw: &RawValue) -> Option<Bytes> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum ReplyShape {
        Text(String),
        Object {
            #[serde(alias = "result")]
            data: String,
        },
    }
    let (ReplyShape::Text(text) | ReplyShape::Object { data: text }) =
        serde_json::from_str(raw.get()).ok()?;
    text.trim_start_matches("Reverted ").parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::council::RpcAddress;

    fn secrets() -> Secrets {
        let url = "https://user:hunter2hunter2@h.example/v2/SECRETKEY1?key=SECRETKEY2";
        Secrets::of(&RpcAddress::parse(url).unwrap().resolve(|_| None).unwrap())
    }

    fn read(body: &str, count: usize) -> Result<Body, EndpointFault> {
        decode(body.as_bytes(), count, 7, &secrets())
    }

    fn results(body: &str, count: usize) -> Vec<String> {
        let Ok(Body::Replies(replies)) = read(body, count) else { panic!("{body}") };
        replies.into_iter().map(|r| r.map_or_else(|e| e.to_string(), |v| v.get().to_string())).collect()
    }

    #[test]
    fn the_block_is_filled_in_wherever_it_stands() {
        let request =
            Request::new("eth_getLogs", json!([{"toBlock": AT, "x": [AT]}, AT, "block", "{block} "]));
        let body = encode(&[&request], BlockTag::Number(255), 3).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            json!({"jsonrpc": "2.0", "id": 3, "method": "eth_getLogs",
                "params": [{"toBlock": "0xff", "x": ["0xff"]}, "0xff", "block", "{block} "]})
        );
        let two = encode(&[&request, &request], BlockTag::Latest, 3).unwrap();
        let two: Value = serde_json::from_slice(&two).unwrap();
        assert_eq!(
            (&two[0]["id"], &two[1]["id"], &two[1]["params"][1]),
            (&json!(3), &json!(4), &json!("latest"))
        );
    }

    #[test]
    fn replies_are_put_in_order() {
        let body =
            r#"[{"id":8,"result":null},{"id":7,"result":"0x1"},{"id":9,"error":{"code":3,"message":"m"}}]"#;
        assert_eq!(results(body, 3), ["\"0x1\"", "null", "m (code 3)"]);
        assert_eq!(results(r#"{"id":7,"result":1,"error":null}"#, 1), ["1"]);
    }

    #[test]
    fn ids_that_do_not_match_are_garbage() {
        for (body, why) in [
            (r#"[{"id":7,"result":1},{"id":7,"result":2}]"#, "two answers"),
            (r#"[{"id":7,"result":1},{"id":9,"result":2}]"#, "not asked"),
            (r#"[{"id":7,"result":1},{"id":6,"result":2}]"#, "not asked"),
            (r#"[{"id":7,"result":1},{"result":2}]"#, "not asked"),
            (r#"[{"id":7,"result":1}]"#, "unanswered"),
            (r#"[{"id":7,"result":1},{"id":8}]"#, "neither"),
            (r#"[{"id":7,"result":1},{"id":8,"result":1},{"id":9,"result":1}]"#, "not a JSON-RPC batch"),
            (r#"[{"id":"7","result":1},{"id":8,"result":1}]"#, "not a JSON-RPC batch"),
            (r#"[{"id":-7,"result":1}]"#, "not a JSON-RPC batch"),
            ("<html>", "not JSON-RPC"),
            ("", "not JSON-RPC"),
            ("[[[[", "not a JSON-RPC batch"),
        ] {
            let fault = read(body, 2).unwrap_err().to_string();
            assert!(fault.contains(why), "{body}: {fault}");
        }
    }

    #[test]
    fn a_refused_batch_is_told_from_a_refused_request() {
        for body in [
            r#"{"id":null,"error":{"code":-32600,"message":"batch too large"}}"#,
            r#"[{"error":{"code":-32600,"message":"batch too large"}}]"#,
        ] {
            let Ok(Body::BatchRefused(error)) = read(body, 2) else { panic!("{body}") };
            assert_eq!(error.message, "batch too large");
            assert_eq!(results(body, 1), ["batch too large (code -32600)"]);
        }
    }

    #[test]
    fn a_servers_message_is_escaped_and_cut() {
        let secrets = secrets();
        for text in [
            "no SECRETKEY1 here",
            "hunter2hunter2",
            "see https://h.example/v2/SECRETKEY2",
            "\u{202e}\u{1b}[2J\n",
        ] {
            let shown = secrets.hide(text);
            assert!(!shown.contains("SECRET") && !shown.contains("hunter2"), "{shown}");
            assert!(!shown.contains(['\n', '\u{1b}', '\u{202e}']), "{shown:?}");
        }
        assert!(secrets.hide(&"a".repeat(1_000_000)).len() < 1_000);
    }

    #[test]
    fn revert_data_of_each_client() {
        for data in
            [r#""0x08c3""#, r#""Reverted 0x08c3""#, r#"{"data":"0x08c3"}"#, r#"{"result":"0x08c3","x":1}"#]
        {
            let body = format!(r#"{{"id":7,"error":{{"code":3,"message":"m","data":{data}}}}}"#);
            let Ok(Body::Replies(replies)) = read(&body, 1) else { panic!("{body}") };
            let error = replies.into_iter().next().unwrap().unwrap_err();
            assert_eq!(error.reverted(), Some(Bytes::from_static(&[0x08, 0xc3])), "{data}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = format!(
            r#"{{"id":7,"error":{{"code":1,"data":{}1{}}}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(read(&deep, 1).is_ok());
        let long = format!("[{}{{}}]", "{},".repeat(100_000));
        assert!(read(&long, 3).is_err());
    }

    proptest! {
        #[test]
        fn no_body_panics(body in ".{0,200}", count in 0usize..4) {
            let _ = read(&body, count);
        }

        #[test]
        fn no_json_panics(id in any::<i64>(), code in any::<f64>(), text in ".{0,40}", count in 0usize..4) {
            let _ = read(&json!([{"id": id, "error": {"code": code, "message": text, "data": text}}]).to_string(), count);
            let _ = read(&json!({"id": id, "result": text}).to_string(), count);
        }
    }
}
