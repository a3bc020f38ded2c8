//! From an endpoint's raw replies to values that can be compared: clients differ in letter case, leading zeros, extra
//! fields and the wording of errors, and none of that is a disagreement. Pure; everything read here is hostile.

use alloy::primitives::{Address, B256, Bytes, U64, U256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::chain_error::{EndpointFault, RpcErrorObject};
use super::json_rpc::{RawReply, Reply, Request};
use crate::evm::{Answer, Header, WireHeader};

/// The most text that a reply of no known shape may have: a tree of values takes many times its text.
const LARGEST_JSON: usize = 8 << 20;

/// The most text that a call's answer may have: far more than any value that a playbook reads.
const LARGEST_CALL: usize = 2 << 20;

/// An answer in the one form in which it is compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Settled {
    Number(U256),
    Data(Bytes),
    Reverted(Bytes),
    /// Anything else: only the fields that mean something, hexadecimal text in lower case.
    Json(Value),
}

/// An event and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireLog {
    pub address: Address,
    pub topics: Vec<B256>,
    pub data: Bytes,
    pub transaction_hash: B256,
    pub block_number: U64,
    pub block_hash: B256,
}

/// The receipt of a transaction. `status` is missing only before 2017.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireReceipt {
    pub transaction_hash: B256,
    pub block_hash: B256,
    pub block_number: U64,
    pub from: Address,
    pub status: U64,
    pub gas_used: U64,
    pub logs: Vec<WireLog>,
}

/// A transaction of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTransaction {
    pub from: Address,
    pub to: Option<Address>,
    pub gas: U64,
    pub input: Bytes,
}

fn read<T: DeserializeOwned>(raw: &RawValue, what: &str) -> Result<T, EndpointFault> {
    serde_json::from_str(raw.get())
        .map_err(|_| EndpointFault::garbage(format!("{what} is not what it should be")))
}

/// The header in a block; nothing when the endpoint has no such block.
pub(super) fn header(reply: RawReply) -> Result<Option<Header>, EndpointFault> {
    let raw = reply.map_err(|error| EndpointFault::Refused { method: "eth_getBlockByNumber", error })?;
    let wire: Option<WireHeader> = read(&raw, "a block header")?;
    Ok(wire.map(Header::from))
}

/// The form in which one answer is compared. `head` is the block at which it was asked: a receipt from a later block
/// is not there yet.
pub(super) fn settle(request: &Request, reply: RawReply, head: u64) -> Result<Settled, EndpointFault> {
    let method = request.method;
    let raw = match reply {
        Ok(raw) => raw,
        Err(error) => {
            let reverted = (method == "eth_call").then(|| error.reverted()).flatten();
            return reverted.map(Settled::Reverted).ok_or(EndpointFault::Refused { method, error });
        }
    };
    Ok(match method {
        "eth_chainId" | "eth_getBalance" | "eth_getStorageAt" | "eth_getTransactionCount" => {
            Settled::Number(read(&raw, method)?)
        }
        "eth_call" | "eth_getCode" if raw.get().len() > LARGEST_CALL => return Err(EndpointFault::TooLarge),
        "eth_call" | "eth_getCode" => {
            let text: String = read(&raw, method)?;
            let data = text.strip_prefix("0x").and_then(|hex| hex.parse().ok());
            Settled::Data(data.ok_or_else(|| EndpointFault::garbage(format!("{method} is not hexadecimal")))?)
        }
        // Only what execution can see: clients and chains add fields of their own.
        "eth_getBlockByNumber" | "eth_getBlockByHash" => {
            Settled::Json(fields::<Option<WireHeader>>(&raw, method, |_| true)?)
        }
        "eth_getLogs" => Settled::Json(fields::<Vec<WireLog>>(&raw, method, |_| true)?),
        "eth_getTransactionReceipt" => {
            Settled::Json(fields::<Option<WireReceipt>>(&raw, method, |receipt| {
                receipt.as_ref().is_none_or(|r| r.block_number.to::<u64>() <= head)
            })?)
        }
        "eth_getTransactionByHash" => {
            Settled::Json(fields::<Option<WireTransaction>>(&raw, method, |_| true)?)
        }
        _ => Settled::Json(json(&raw, method)?),
    })
}

/// The fields of `T` and no others; `null` for what is not there yet.
fn fields<T: Serialize + DeserializeOwned>(
    raw: &RawValue,
    method: &str,
    there: impl Fn(&T) -> bool,
) -> Result<Value, EndpointFault> {
    if raw.get().len() > LARGEST_JSON {
        return Err(EndpointFault::TooLarge);
    }
    let wire: T = read(raw, method)?;
    if !there(&wire) {
        return Ok(Value::Null);
    }
    serde_json::to_value(wire).map_err(|_| EndpointFault::garbage(method))
}

fn json(raw: &RawValue, method: &str) -> Result<Value, EndpointFault> {
    if raw.get().len() > LARGEST_JSON {
        return Err(EndpointFault::TooLarge);
    }
    let mut value = read(raw, method)?;
    lower_hex(&mut value);
    Ok(value)
}

/// Recursion is bounded: the reader took no more than 128 levels.
fn lower_hex(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("0x") => text.make_ascii_lowercase(),
        Value::Array(items) => items.iter_mut().for_each(lower_hex),
        Value::Object(fields) => fields.values_mut().for_each(lower_hex),
        _ => {}
    }
}

/// An answer that nobody has to agree with, as it came.
pub(super) fn hint(method: &'static str, reply: RawReply) -> Result<Reply, EndpointFault> {
    match reply {
        Ok(raw) => json(&raw, method).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

impl Settled {
    /// Returns the answer of a call or a slot.
    pub(super) fn answer(&self) -> Answer {
        match self {
            Self::Number(n) => Answer::Value(B256::from(*n).into()),
            Self::Data(data) => Answer::Value(data.clone()),
            Self::Reverted(data) => Answer::Reverted(data.clone()),
            Self::Json(_) => Answer::Reverted(Bytes::new()),
        }
    }

    /// Back to JSON in its plainest form: numbers as quantities, storage as 32-byte words, data in hexadecimal.
    pub(super) fn into_reply(self, method: &'static str) -> Reply {
        Ok(match self {
            Self::Number(n) if method == "eth_getStorageAt" => Value::String(B256::from(n).to_string()),
            Self::Number(n) => Value::String(format!("{n:#x}")),
            Self::Data(data) => Value::String(data.to_string()),
            Self::Json(value) => value,
            Self::Reverted(data) => {
                let message = "execution reverted".into();
                return Err(RpcErrorObject { code: 3, message, data: Some(data) });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settled(method: &'static str, reply: &str) -> Result<Settled, EndpointFault> {
        let raw = RawValue::from_string(reply.to_owned()).unwrap();
        settle(&Request::new(method, json!([])), Ok(raw), 9)
    }

    /// A string of `length` bytes with its quotes.
    fn text(length: usize) -> String {
        format!("\"0x{}\"", "0".repeat(length - 4))
    }

    #[test]
    fn an_answer_of_the_largest_size_is_read_and_a_larger_one_is_not() {
        for (method, largest) in [("eth_call", LARGEST_CALL), ("eth_getCode", LARGEST_CALL)] {
            assert!(matches!(settled(method, &text(largest)), Ok(Settled::Data(_))), "{method}");
            assert_eq!(settled(method, &text(largest + 2)), Err(EndpointFault::TooLarge), "{method}");
        }
        assert!(matches!(settled("debug_anything", &text(LARGEST_JSON)), Ok(Settled::Json(_))));
        assert_eq!(settled("debug_anything", &text(LARGEST_JSON + 1)), Err(EndpointFault::TooLarge));
        let logs = |length: usize| format!("[{}]", " ".repeat(length - 2));
        assert_eq!(settled("eth_getLogs", &logs(LARGEST_JSON)), Ok(Settled::Json(json!([]))));
        assert_eq!(settled("eth_getLogs", &logs(LARGEST_JSON + 1)), Err(EndpointFault::TooLarge));
    }

    #[test]
    fn hexadecimal_text_is_compared_in_lower_case_and_no_other_text() {
        let reply = r#"{"a": ["0xABCD", "Chain"], "b": {"c": "0xEF"}}"#;
        let expected = json!({ "a": ["0xabcd", "Chain"], "b": { "c": "0xef" } });
        assert_eq!(settled("debug_anything", reply), Ok(Settled::Json(expected)));
    }
}
