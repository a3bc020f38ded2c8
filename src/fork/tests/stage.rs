//! A real anvil with real Safes on it, and as much JSON-RPC as a rehearsal needs.

#[path = "../../../tests/stage/http.rs"]
#[allow(dead_code, reason = "it is the stories'")]
mod http;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::sol_types::{SolCall, SolValue};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::anvil_node::Node;
use crate::evm::{BlockHash, Keys};
use crate::fork::{Account, StateSource, World, WorldState};
use crate::safe::SafeVersion::{self, V1_3_0, V1_4_1};
use crate::safe::deployments::known_at;
use crate::safe::tests::artifacts::{artifact, packages};
use crate::safe::tests::{address, safe_signature};
use crate::safe::{
    Approval, EcdsaSignature, ISafe, Nonce, Operation, Owners, SafeId, SafeTx, SignatureKind,
    encode_approvals, slot, slot_word,
};

alloy::sol! {
    function setup(
        address[] owners, uint256 threshold, address to, bytes data, address fallbackHandler,
        address paymentToken, uint256 payment, address paymentReceiver
    );
    function setGuard(address guard);
}

/// The first account anvil holds the key of.
pub const SENDER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// As much as a rehearsal has.
pub const GAS: u64 = 1 << 24;

pub struct Anvil {
    node: Node,
}

impl Anvil {
    pub fn start(args: &[&str]) -> Self {
        Self { node: Node::start(&[&["--auto-impersonate"], args].concat()) }
    }

    fn post(&self, body: &Value) -> Value {
        http::post_json(self.node.port, body).unwrap()
    }

    pub fn try_rpc(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let mut answer = self.post(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    pub fn rpc(&self, method: &str, params: &Value) -> Value {
        self.try_rpc(method, params).unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    /// Asks all in one request: the answers are in the order of the questions.
    fn all(&self, asked: &[(&str, Value)]) -> Vec<Value> {
        if asked.is_empty() {
            return Vec::new();
        }
        let request = |(id, (method, params)): (usize, &(&str, Value))| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let answers = self.post(&asked.iter().enumerate().map(request).collect());
        let mut answers = answers.as_array().unwrap().clone();
        assert_eq!(answers.len(), asked.len());
        answers.sort_by_key(|answer| answer["id"].as_u64());
        answers.into_iter().map(|mut answer| answer["result"].take()).collect()
    }

    /// Asks the same of each.
    pub fn each<T: DeserializeOwned>(&self, method: &str, params: impl IntoIterator<Item = Value>) -> Vec<T> {
        let asked: Vec<_> = params.into_iter().map(|params| (method, params)).collect();
        self.all(&asked).into_iter().map(|answer| serde_json::from_value(answer).unwrap()).collect()
    }

    /// Sends at the base fee, so that only it is paid, and gives the receipt.
    pub fn send(&self, from: Address, to: Option<Address>, data: &Bytes, value: u64) -> Value {
        let mut tx = json!({"from": from, "data": data, "value": U256::from(value), "gas": U256::from(GAS),
            "maxFeePerGas": "0x174876e800", "maxPriorityFeePerGas": "0x0"});
        if let Some(to) = to {
            tx["to"] = json!(to);
        }
        let hash = self.rpc("eth_sendTransaction", &json!([tx]));
        for _ in 0..5000 {
            let receipt = self.rpc("eth_getTransactionReceipt", &json!([hash]));
            if !receipt.is_null() {
                return receipt;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("not mined")
    }

    pub fn deploy(&self, code: &Bytes, args: &[u8]) -> Address {
        let receipt = self.send(SENDER, None, &[code, args].concat().into(), 0);
        assert_eq!(receipt["status"], "0x1", "a constructor failed");
        serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
    }

    /// To the published address: CREATE2 with salt 0, through the factory that the version was deployed with.
    fn publish(&self, version: SafeVersion, code: &Bytes) -> Address {
        let plain = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
        let safes = address!("914d7Fec6aaC8cd542e72Bca78B30650d45643d7");
        self.rpc("anvil_setCode", &json!([safes, self.code(plain)]));
        let factory = if version == V1_3_0 { plain } else { safes };
        let data = [B256::ZERO.as_slice(), code].concat().into();
        assert_eq!(self.send(SENDER, Some(factory), &data, 0)["status"], "0x1");
        factory.create2_from_code(B256::ZERO, code)
    }

    pub fn call(&self, to: Address, data: &Bytes) -> Result<Bytes, Value> {
        let answer = self.try_rpc("eth_call", &json!([{"to": to, "data": data}, "latest"]))?;
        Ok(serde_json::from_value(answer).unwrap())
    }

    pub fn balance(&self, address: Address) -> U256 {
        serde_json::from_value(self.rpc("eth_getBalance", &json!([address, "latest"]))).unwrap()
    }

    pub fn code(&self, address: Address) -> Bytes {
        serde_json::from_value(self.rpc("eth_getCode", &json!([address, "latest"]))).unwrap()
    }

    pub fn storage(&self, address: Address, slot: B256) -> B256 {
        serde_json::from_value(self.rpc("eth_getStorageAt", &json!([address, slot, "latest"]))).unwrap()
    }

    /// The latest block, with nothing known yet.
    pub fn world(&self) -> World {
        let head = self.rpc("eth_getBlockByNumber", &json!(["latest", false]));
        let hash = BlockHash::claimed(serde_json::from_value(head["hash"].clone()).unwrap());
        World::new(31_337, serde_json::from_value(head).unwrap(), hash)
    }
}

/// Anvil at one block, with a count of the rounds.
pub struct Source<'a> {
    pub anvil: &'a Anvil,
    pub block: u64,
    pub rounds: RefCell<Vec<Keys>>,
}

#[derive(Debug, thiserror::Error)]
#[error("anvil answered {0}")]
pub struct BadAnswer(pub Value);

impl<'a> Source<'a> {
    pub fn at(anvil: &'a Anvil, world: &World) -> Self {
        Self { anvil, block: world.header.number, rounds: RefCell::default() }
    }
}

impl StateSource for Source<'_> {
    type Error = BadAnswer;

    fn fetch(&self, keys: &Keys) -> Result<WorldState, BadAnswer> {
        self.rounds.borrow_mut().push(keys.clone());
        let at = format!("{:#x}", self.block);
        let mut asked = Vec::new();
        for account in &keys.accounts {
            for method in ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"] {
                asked.push((method, json!([account, at])));
            }
        }
        for (address, slot) in &keys.slots {
            asked.push(("eth_getStorageAt", json!([address, slot, at])));
        }
        for number in &keys.block_hashes {
            asked.push(("eth_getBlockByNumber", json!([U256::from(*number), false])));
        }
        let mut answers = self.anvil.all(&asked).into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let mut state = WorldState::default();
        for account in &keys.accounts {
            let (balance, nonce) = (read(next())?, read::<U256>(next())?.to());
            state.accounts.insert(*account, Account { balance, nonce, code: read(next())? });
        }
        for slot in &keys.slots {
            state.slots.insert(*slot, read(next())?);
        }
        for number in &keys.block_hashes {
            state.block_hashes.insert(*number, BlockHash::claimed(read(next()["hash"].take())?));
        }
        Ok(state)
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, BadAnswer> {
    serde_json::from_value(value.clone()).map_err(|_| BadAnswer(value))
}

/// Creation code from `Target.sol`, compiled once.
pub fn compiled(contract: &str) -> Bytes {
    static COMPILED: OnceLock<BTreeMap<String, Bytes>> = OnceLock::new();
    const SCRIPT: &str = "
        const [solc, source] = process.argv.slice(1);
        const settings = {evmVersion: 'cancun', optimizer: {enabled: true},
            outputSelection: {'*': {'*': ['evm.bytecode.object']}}};
        const content = require('fs').readFileSync(source, 'utf8');
        const input = {language: 'Solidity', sources: {T: {content}}, settings};
        const {T} = JSON.parse(require(solc).compile(JSON.stringify(input))).contracts;
        const code = ([name, c]) => [name, '0x' + c.evm.bytecode.object];
        console.log(JSON.stringify(Object.fromEntries(Object.entries(T).map(code))));";
    let all = COMPILED.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fork/tests/Target.sol");
        let run = Command::new("node")
            .arg("-e")
            .arg(SCRIPT)
            .arg(packages().join("solc"))
            .arg(source)
            .output()
            .unwrap();
        serde_json::from_slice(&run.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&run.stderr)))
    });
    all[contract].clone()
}

/// A Safe with three owners, two of whom must sign.
pub struct Stage {
    pub anvil: Anvil,
    pub id: SafeId,
    pub owners: Owners,
    pub target: Address,
    pub batch: Address,
    /// The seeds of the owners' keys, in the order of their addresses.
    seeds: [u8; 3],
}

fn package(version: SafeVersion, contract: &str) -> Bytes {
    let (package, contract) = match version {
        V1_3_0 => ("@gnosis.pm/safe-contracts", contract.replace("Safe", "GnosisSafe")),
        V1_4_1 => ("@safe-global/safe-contracts", contract.to_string()),
        _ => ("@safe-global/safe-smart-account", contract.to_string()),
    };
    artifact(&format!("{package}/build/artifacts/contracts/{contract}.json")).creation
}

impl Stage {
    pub fn new(version: SafeVersion) -> Self {
        Self::on(Anvil::start(&[]), version)
    }

    pub fn on(anvil: Anvil, version: SafeVersion) -> Self {
        let mut seeds = [1, 2, 3];
        seeds.sort_by_key(|seed| address(*seed));
        let owners = Owners::new(seeds.iter().rev().map(|seed| address(*seed)).collect(), 2).unwrap();
        let publish = |contract: &str| anvil.publish(version, &package(version, contract));
        let singleton = publish("Safe.sol/Safe");
        let handler = publish("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler");
        let batch = publish("libraries/MultiSendCallOnly.sol/MultiSendCallOnly");
        let accessor = publish("accessors/SimulateTxAccessor.sol/SimulateTxAccessor");
        assert!([singleton, handler, batch, accessor].iter().all(|a| known_at(*a).is_some()));
        let proxy = package(version, "proxies/SafeProxy.sol/SafeProxy");
        let safe = anvil.deploy(&proxy, &singleton.abi_encode());
        let target = anvil.deploy(&compiled("Target"), &[]);
        let zero = Address::ZERO;
        let call = setupCall {
            owners: owners.list().to_vec(),
            threshold: U256::from(2),
            to: zero,
            data: Bytes::new(),
            fallbackHandler: handler,
            paymentToken: zero,
            payment: U256::ZERO,
            paymentReceiver: zero,
        };
        let done = anvil.send(SENDER, Some(safe), &call.abi_encode().into(), 0);
        assert_eq!(done["status"], "0x1");
        for rich in [safe, target] {
            anvil.rpc("anvil_setBalance", &json!([rich, "0x8ac7230489e80000"]));
        }
        let id = SafeId { chain_id: 31_337, address: safe, version };
        Self { anvil, id, owners, target, batch, seeds }
    }

    /// A guard that writes, reads the Safe back and emits events; set by the Safe itself.
    pub fn with_debug_guard(self) -> Self {
        let guard =
            package(self.id.version, "examples/guards/DebugTransactionGuard.sol/DebugTransactionGuard");
        let guard = self.anvil.deploy(&guard, &[]);
        let tx = self.tx(self.id.address, 0, &setGuardCall { guard }.abi_encode());
        let receipt = self.execute(&tx);
        assert_eq!(receipt["status"], "0x1");
        assert_eq!(self.anvil.storage(self.id.address, slot::GUARD), guard.into_word());
        self
    }

    pub fn nonce(&self) -> Nonce {
        Nonce(U256::from_be_bytes(self.anvil.storage(self.id.address, slot_word(slot::NONCE)).0))
    }

    pub fn tx(&self, to: Address, value: u64, data: &[u8]) -> SafeTx {
        let data = Bytes::copy_from_slice(data);
        SafeTx::new(to, U256::from(value), data, Operation::Call, self.nonce())
    }

    /// The first two keys' signatures.
    pub fn sign(&self, tx: &SafeTx) -> Bytes {
        let hash = self.id.hashes(tx).safe_tx;
        let theirs = self.anvil.call(
            self.id.address,
            &ISafe::getTransactionHashCall {
                to: tx.to,
                value: tx.value,
                data: tx.data.clone(),
                operation: tx.operation.as_u8(),
                safeTxGas: tx.safe_tx_gas,
                baseGas: tx.base_gas,
                gasPrice: tx.gas_price,
                gasToken: tx.gas_token,
                refundReceiver: tx.refund_receiver,
                nonce: tx.nonce.0,
            }
            .abi_encode()
            .into(),
        );
        assert_eq!(theirs.unwrap(), Bytes::copy_from_slice(hash.word().as_slice()));
        let sign = |seed: &u8| {
            let bytes = safe_signature(*seed, &hash, SignatureKind::Ecdsa);
            Approval::Signed(EcdsaSignature::from_safe_bytes(&bytes, &hash, self.id.version).unwrap())
        };
        encode_approvals(&self.seeds[..2].iter().map(sign).collect::<Vec<_>>())
    }

    pub fn execute(&self, tx: &SafeTx) -> Value {
        let calldata = tx.exec_calldata(self.sign(tx));
        self.anvil.send(SENDER, Some(self.id.address), &calldata, 0)
    }
}
