//! A chain in memory behind a real socket: accounts, slots, blocks and receipts that a test sets, answered as a node
//! answers them. Calls run in this process, real Safe contracts among them; no program is started.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use alloy::primitives::{Address, B256, Bytes, Log, U256, address, keccak256};
use serde_json::{Value, json};

use super::bytecode::safe_code;
use crate::chain::tests::fake::{self, Server};
use crate::evm::{Answer, BlockHash, Header, Keys, Query, TxHash, WireHeader};
use crate::fork::{
    Account, ExecTransaction, RunBlock, StateSource, World, WorldState, complete, resume, view,
};
use crate::proposal::Proposal;
use crate::safe::{Domain, SENTINEL, module_slot, owner_slot, slot, slot_word};

/// The published contracts of Safe 1.4.1.
pub const SINGLETON: Address = address!("41675C099F32341bf84BFc5382aF534df5C7461a");
pub const HANDLER: Address = address!("fd0732Dc9E303f09fCEf3a7388Ad10A83459Ec99");
pub const BATCH: Address = address!("9641d764fc13c8B624c04430C7356C1C7C8102e2");
/// The first block that a test sees.
pub const FIRST: u64 = 100;

/// A node of one chain.
pub struct Memory {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Clone)]
struct State {
    id: u64,
    /// Each block with the state after it, the oldest first.
    blocks: Vec<World>,
    mined: Vec<Mined>,
    /// Methods that it does not have.
    refused: Vec<String>,
    /// The methods that it was asked for.
    asked: Vec<String>,
    /// State of older blocks is gone.
    oldest: u64,
    /// The newest block that is final; `None` if it does not say.
    final_block: Option<u64>,
    /// Signed transactions that it took.
    taken: Vec<Bytes>,
}

#[derive(Clone)]
struct Mined {
    tx: TxHash,
    block: u64,
    from: Address,
    to: Address,
    input: Bytes,
    succeeded: bool,
    logs: Vec<Log>,
}

/// Everything that nobody has set is zero.
struct Zero;

impl StateSource for Zero {
    type Error = Infallible;

    fn fetch(&self, keys: &Keys) -> Result<WorldState, Infallible> {
        Ok(WorldState {
            accounts: keys.accounts.iter().map(|address| (*address, Account::default())).collect(),
            slots: keys.slots.iter().map(|slot| (*slot, B256::ZERO)).collect(),
            block_hashes: keys.block_hashes.iter().map(|n| (*n, BlockHash::claimed(hash_of(*n)))).collect(),
        })
    }
}

impl Memory {
    /// A chain whose newest block was made a moment ago, with the contracts of Safe 1.4.1.
    pub fn new(id: u64) -> Self {
        let blocks = vec![block(id, FIRST, crate::clock::seconds() - 5, WorldState::default())];
        let node = Self::of(State {
            id,
            blocks,
            mined: Vec::new(),
            refused: vec!["eth_createAccessList".into(), "eth_getProof".into()],
            asked: Vec::new(),
            oldest: 0,
            final_block: None,
            taken: Vec::new(),
        });
        node.code(SINGLETON, safe_code("Safe.sol/Safe"));
        node.code(
            HANDLER,
            safe_code("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler"),
        );
        node.code(BATCH, safe_code("libraries/MultiSendCallOnly.sol/MultiSendCallOnly"));
        node
    }

    fn of(state: State) -> Self {
        Self::answering(Arc::new(Mutex::new(state)))
    }

    /// Another RPC of the same chain, which goes its own way from here.
    pub fn twin(&self) -> Self {
        Self::of(self.state().clone())
    }

    /// Another address of this very node.
    pub fn mirror(&self) -> Self {
        Self::answering(Arc::clone(&self.state))
    }

    fn answering(state: Arc<Mutex<State>>) -> Self {
        let answered = Arc::clone(&state);
        let server = Server::node(move |method, params| answered.lock().unwrap().answer(method, params));
        Self { server, state }
    }

    /// Returns its address, for a council file.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut WorldState)) {
        change(&mut self.state().blocks.last_mut().unwrap().state);
    }

    pub fn code(&self, at: Address, code: Bytes) {
        self.change(|state| state.accounts.entry(at).or_default().code = code);
    }

    pub fn slot(&self, of: Address, slot: B256, word: impl Into<B256>) {
        let word = word.into();
        self.change(|state| {
            state.slots.insert((of, slot), word);
        });
    }

    /// Sets a numbered slot.
    pub fn set(&self, of: Address, slot: u8, value: u64) {
        self.slot(of, slot_word(slot), U256::from(value));
    }

    pub fn read(&self, of: Address, slot: u8) -> U256 {
        let state = self.state();
        let word = state.newest().state.slots.get(&(of, slot_word(slot))).copied();
        word.unwrap_or_default().into()
    }

    /// Puts a Safe of version 1.4.1 there.
    pub fn safe(&self, at: Address, owners: &[Address], threshold: u64, nonce: u64) {
        self.code(at, safe_code("proxies/SafeProxy.sol/SafeProxy"));
        self.slot(at, slot_word(slot::SINGLETON), SINGLETON.into_word());
        self.slot(at, slot::FALLBACK_HANDLER, HANDLER.into_word());
        self.slot(at, module_slot(SENTINEL), SENTINEL.into_word());
        let list = [&[SENTINEL], owners, &[SENTINEL]].concat();
        for pair in list.windows(2) {
            self.slot(at, owner_slot(pair[0]), pair[1].into_word());
        }
        self.set(at, slot::OWNER_COUNT, owners.len().try_into().unwrap());
        self.set(at, slot::THRESHOLD, threshold);
        self.set(at, slot::NONCE, nonce);
    }

    /// From now on it does not know this method.
    pub fn refuse(&self, method: &str) {
        self.state().refused.push(method.into());
    }

    /// Returns the methods that it was asked for since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    /// Forgets the state of all blocks before this one.
    pub fn prune(&self, oldest: u64) {
        self.state().oldest = oldest;
    }

    /// From now on this block is the newest final one.
    pub fn finalize(&self, number: u64) {
        self.state().final_block = Some(number);
    }

    /// Returns the signed transactions that it took.
    pub fn taken(&self) -> Vec<Bytes> {
        self.state().taken.clone()
    }

    /// Makes the newest block this many seconds older.
    pub fn age(&self, seconds: u64) {
        self.state().blocks.last_mut().unwrap().header.timestamp -= seconds;
    }

    /// Adds a block with the same state, one second later.
    pub fn mine(&self) -> u64 {
        self.state().next()
    }

    /// Has a mined transaction be known by this hash.
    pub fn rename(&self, tx: TxHash, to: TxHash) {
        self.state().mined.iter_mut().filter(|mined| mined.tx == tx).for_each(|mined| mined.tx = to);
    }

    /// It takes what it refused before.
    pub fn allow(&self, method: &str) {
        self.state().refused.retain(|refused| refused != method);
    }

    /// Mines a transaction that changes nothing by itself.
    pub fn mine_call(&self, from: Address, to: Address, input: &Bytes, succeeded: bool) -> TxHash {
        self.state().mined_in_next((from, to, input), succeeded, Vec::new())
    }

    /// Mines a transaction that does nothing but emit these events.
    pub fn mine_logs(&self, logs: Vec<Log>) -> TxHash {
        self.state().mined_in_next((Address::ZERO, Address::ZERO, &Bytes::new()), true, logs)
    }

    /// Runs a Safe's transaction with these signatures, as `from` sends it, and mines it.
    pub fn execute(&self, proposal: &Proposal, signatures: &Bytes, from: Address) -> TxHash {
        let (tx, snapshot) = (proposal.tx(), proposal.snapshot());
        let exec = ExecTransaction {
            domain: Domain::real(snapshot.id),
            owners: &snapshot.owners,
            tx,
            signatures: Some(signatures),
            sender: from,
            gas: None,
        };
        let mut state = self.state();
        let mut world = state.newest().clone();
        let run = resume(&Zero, &mut world, &exec, &[]).unwrap();
        let succeeded = run.outcome != crate::fork::RunResult::Reverted;
        let input = tx.exec_calldata(signatures.clone());
        let tx = state.mined_in_next((from, snapshot.id.address, &input), succeeded, run.events);
        if succeeded {
            state.blocks.last_mut().unwrap().state = world.state;
        }
        tx
    }
}

impl State {
    fn newest(&self) -> &World {
        self.blocks.last().unwrap()
    }

    fn next(&mut self) -> u64 {
        let World { header, state, .. } = self.newest().clone();
        self.blocks.push(block(self.id, header.number + 1, header.timestamp + 1, state));
        header.number + 1
    }

    fn mined_in_next(
        &mut self,
        (from, to, input): (Address, Address, &Bytes),
        succeeded: bool,
        logs: Vec<Log>,
    ) -> TxHash {
        let block = self.next();
        let tx = TxHash::claimed(keccak256([&block.to_be_bytes()[..], input].concat()));
        self.mined.push(Mined { tx, block, from, to, input: input.clone(), succeeded, logs });
        tx
    }

    fn answer(&mut self, method: &str, params: &Value) -> Value {
        self.asked.push(method.into());
        if self.refused.iter().any(|refused| refused == method) {
            return json!({"error": {"code": -32601, "message": "the method does not exist"}});
        }
        let result = match method {
            "eth_chainId" => json!(U256::from(self.id)),
            "eth_gasPrice" | "eth_maxPriorityFeePerGas" => json!("0x1"),
            "eth_estimateGas" => json!("0x30d40"),
            "eth_getBlockByNumber" => self.header(&params[0]),
            "eth_getTransactionReceipt" => self.find(&params[0]).map_or(Value::Null, receipt),
            "eth_getTransactionByHash" => self.find(&params[0]).map_or(
                Value::Null,
                |mined| json!({"from": mined.from, "to": mined.to, "gas": "0xf4240", "input": mined.input}),
            ),
            "eth_getLogs" => self.logs(&params[0]),
            "eth_sendRawTransaction" => {
                let raw: Bytes = read(&params[0]);
                self.taken.push(raw.clone());
                json!(keccak256(&raw))
            }
            _ => return self.read(method, params),
        };
        json!({"result": result})
    }

    /// Answers what is asked of the state after a block.
    fn read(&self, method: &str, params: &Value) -> Value {
        let at = if method == "eth_getStorageAt" { &params[2] } else { &params[1] };
        let Some(world) = self.at(at) else {
            return json!({"error": {"code": -32000, "message": "header not found"}});
        };
        if world.header.number < self.oldest {
            return json!({"error": {"code": -32000, "message": "missing trie node"}});
        }
        if method == "eth_call" {
            let call = &params[0];
            let from = call.get("from").map(read);
            let query = Query::Call { from, to: read(&call["to"]), data: read(&call["data"]) };
            let (mut world, asked) = (world.clone(), std::slice::from_ref(&query));
            let run = complete(&Zero, &mut world, Keys::default(), |world| {
                view(world, world.chain_id, RunBlock::Now, asked)
            });
            return match run.unwrap().0.get(&query).unwrap() {
                Answer::Value(value) => json!({"result": value}),
                Answer::Reverted(data) => {
                    json!({"error": {"code": 3, "message": "execution reverted", "data": data}})
                }
            };
        }
        let address: Address = read(&params[0]);
        let account = world.state.accounts.get(&address).cloned().unwrap_or_default();
        json!({"result": match method {
            "eth_getBalance" => json!(account.balance),
            "eth_getTransactionCount" => json!(U256::from(account.nonce)),
            "eth_getCode" => json!(account.code),
            "eth_getStorageAt" => {
                let slot = B256::from(read::<U256>(&params[1]));
                json!(world.state.slots.get(&(address, slot)).copied().unwrap_or_default())
            }
            other => panic!("{other} is not answered here"),
        }})
    }

    fn at(&self, tag: &Value) -> Option<&World> {
        let tag = tag.as_str()?;
        let number = match tag.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
            None if tag == "finalized" => self.final_block?,
            None => self.newest().header.number,
        };
        self.blocks.iter().find(|world| world.header.number == number)
    }

    /// Blocks of before the first that a test sees have a header alone, a second apart.
    fn header(&self, tag: &Value) -> Value {
        let number = tag.as_str().and_then(|tag| u64::from_str_radix(tag.strip_prefix("0x")?, 16).ok());
        let first = &self.blocks[0].header;
        match number.and_then(|number| Some((number, first.number.checked_sub(number)?))) {
            Some((number, earlier @ 1..)) => {
                let mut wire = fake::header(number, 0);
                wire["timestamp"] = json!(U256::from(first.timestamp - earlier));
                wire
            }
            _ => self.at(tag).map_or(Value::Null, wire),
        }
    }

    fn find(&self, tx: &Value) -> Option<&Mined> {
        let tx = TxHash::claimed(read(tx));
        self.mined.iter().find(|mined| mined.tx == tx)
    }

    fn logs(&self, filter: &Value) -> Value {
        let range = |key: &str| self.at(&filter[key]).map(|world| world.header.number);
        let (first, last) = (range("fromBlock").unwrap_or(0), range("toBlock"));
        let fits = |log: &Value| {
            let topics = filter["topics"].as_array().into_iter().flatten().enumerate();
            let mut fit = topics.map(|(n, wanted)| match wanted {
                Value::Null => true,
                Value::Array(any) => any.contains(&log["topics"][n]),
                one => *one == log["topics"][n],
            });
            fit.all(|fits| fits) && log["address"] == filter["address"]
        };
        let of = |mined: &Mined| (first..=last.unwrap_or(u64::MAX)).contains(&mined.block);
        let logs = self.mined.iter().filter(|mined| of(mined)).flat_map(logs_of);
        logs.filter(fits).collect()
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{value}: {e}"))
}

fn hash_of(number: u64) -> B256 {
    read(&fake::header(number, 0)["hash"])
}

fn wire(world: &World) -> Value {
    let mut wire = fake::header(world.header.number, 0);
    wire["timestamp"] = json!(U256::from(world.header.timestamp));
    wire
}

fn block(id: u64, number: u64, timestamp: u64, state: WorldState) -> World {
    let header = Header::from(read::<WireHeader>(&fake::header(number, 0)));
    let hash = header.hash;
    World { state, ..World::new(id, (&Header { timestamp, ..header }).into(), hash) }
}

fn logs_of(mined: &Mined) -> impl Iterator<Item = Value> + '_ {
    mined.logs.iter().map(|log| {
        json!({
            "address": log.address, "topics": log.topics(), "data": log.data.data,
            "transactionHash": mined.tx.word(), "blockNumber": U256::from(mined.block),
            "blockHash": hash_of(mined.block),
        })
    })
}

fn receipt(mined: &Mined) -> Value {
    json!({
        "transactionHash": mined.tx.word(), "blockNumber": U256::from(mined.block),
        "blockHash": hash_of(mined.block), "from": mined.from,
        "status": if mined.succeeded { "0x1" } else { "0x0" }, "gasUsed": "0x186a0",
        "logs": logs_of(mined).collect::<Vec<_>>(),
    })
}
