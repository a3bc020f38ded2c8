//! A local chain of its own for each test.

use std::thread;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, Log, U256};
use alloy::sol_types::SolCall;
use serde_json::{Value, json};

use super::http;
use super::node::Node;

/// More than any transaction here uses, so that anvil never estimates and a failing transaction is mined.
const GAS: &str = "0xe4e1c0";

/// A running anvil, killed when dropped.
pub struct Anvil {
    node: Node,
    pub chain_id: u64,
}

/// The fields of a receipt that the tests use.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub succeeded: bool,
    pub hash: B256,
    pub block: u64,
    pub created: Option<Address>,
    pub logs: Vec<Log>,
    pub gas_used: u64,
}

impl Anvil {
    pub fn start() -> Self {
        Self::with_chain_id(31_337)
    }

    pub fn with_chain_id(chain_id: u64) -> Self {
        Self::with_args(chain_id, &[])
    }

    /// With more of anvil's own arguments, `--block-time` for instance.
    pub fn with_args(chain_id: u64, args: &[&str]) -> Self {
        let id = chain_id.to_string();
        let all = [&["--auto-impersonate", "--chain-id", &id], args].concat();
        Self { node: Node::start(&all), chain_id }
    }

    pub const fn port(&self) -> u16 {
        self.node.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.node.port)
    }

    /// One request; the error object when anvil answers with one.
    pub fn try_rpc(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut answer =
            http::post_json(self.node.port, &request).unwrap_or_else(|e| panic!("{method}: {e}"));
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    pub fn rpc(&self, method: &str, params: &Value) -> Value {
        self.try_rpc(method, params).unwrap_or_else(|e| panic!("{method} {params}: {e}"))
    }

    /// Sends from any address, key or not, and waits; fails the test when the transaction fails.
    pub fn send(&self, from: Address, to: Address, data: &Bytes, value: U256) -> Receipt {
        let receipt = self.try_send(from, Some(to), data, value);
        assert!(receipt.succeeded, "transaction from {from} to {to} failed: {data}");
        receipt
    }

    /// Sends and waits, whether it succeeds or not. Without `to` it creates a contract.
    pub fn try_send(&self, from: Address, to: Option<Address>, data: &Bytes, value: U256) -> Receipt {
        let mut tx = json!({"from": from, "data": data, "value": value, "gas": GAS});
        if let Some(to) = to {
            tx["to"] = json!(to);
        }
        let hash = self.rpc("eth_sendTransaction", &json!([tx]));
        self.receipt(serde_json::from_value(hash).unwrap())
    }

    /// Waits for a receipt.
    pub fn receipt(&self, hash: B256) -> Receipt {
        for _ in 0..5000 {
            let raw = self.rpc("eth_getTransactionReceipt", &json!([hash]));
            if !raw.is_null() {
                return read_receipt(hash, &raw);
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("transaction {hash} was never mined");
    }

    /// `eth_call` at the latest block; the error object when it reverts.
    pub fn try_call(&self, from: Address, to: Address, data: &Bytes) -> Result<Bytes, Value> {
        let result = self.try_rpc("eth_call", &json!([{"from": from, "to": to, "data": data}, "latest"]))?;
        Ok(serde_json::from_value(result).unwrap())
    }

    pub fn call(&self, to: Address, data: &Bytes) -> Bytes {
        self.try_call(Address::ZERO, to, data).unwrap_or_else(|e| panic!("call of {to} with {data}: {e}"))
    }

    /// A typed `eth_call`.
    pub fn view<C: SolCall>(&self, to: Address, call: &C) -> C::Return {
        C::abi_decode_returns(&self.call(to, &call.abi_encode().into())).unwrap()
    }

    pub fn code(&self, address: Address) -> Bytes {
        serde_json::from_value(self.rpc("eth_getCode", &json!([address, "latest"]))).unwrap()
    }

    pub fn storage(&self, address: Address, slot: B256) -> B256 {
        serde_json::from_value(self.rpc("eth_getStorageAt", &json!([address, slot, "latest"]))).unwrap()
    }

    pub fn balance(&self, address: Address) -> U256 {
        serde_json::from_value(self.rpc("eth_getBalance", &json!([address, "latest"]))).unwrap()
    }

    pub fn block_number(&self) -> u64 {
        let number: U256 = serde_json::from_value(self.rpc("eth_blockNumber", &json!([]))).unwrap();
        number.to()
    }

    pub fn set_code(&self, address: Address, code: &Bytes) {
        self.rpc("anvil_setCode", &json!([address, code]));
    }

    pub fn set_storage(&self, address: Address, slot: B256, value: B256) {
        self.rpc("anvil_setStorageAt", &json!([address, slot, value]));
    }

    pub fn set_balance(&self, address: Address, wei: U256) {
        self.rpc("anvil_setBalance", &json!([address, wei]));
    }

    pub fn mine(&self, blocks: u64) {
        self.rpc("anvil_mine", &json!([U256::from(blocks)]));
    }
}

fn read_receipt(hash: B256, raw: &Value) -> Receipt {
    let number = |field: &str| serde_json::from_value::<U256>(raw[field].clone()).unwrap().to::<u64>();
    let log = |log: &Value| {
        let topics = serde_json::from_value(log["topics"].clone()).unwrap();
        let data = serde_json::from_value(log["data"].clone()).unwrap();
        Log::new_unchecked(serde_json::from_value(log["address"].clone()).unwrap(), topics, data)
    };
    Receipt {
        succeeded: number("status") == 1,
        hash,
        block: number("blockNumber"),
        created: serde_json::from_value(raw["contractAddress"].clone()).unwrap(),
        logs: raw["logs"].as_array().unwrap().iter().map(log).collect(),
        gas_used: number("gasUsed"),
    }
}
