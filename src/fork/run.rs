//! One run of `execTransaction` in the next block, and everything it does. Pure: state in, effects out.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, Log, TxKind, U256, keccak256};
use revm::context::result::ExecutionResult;
use revm::context::{BlockEnv, TxEnv};
use revm::handler::{MainnetContext, MainnetEvm};
use revm::{Context, ExecuteEvm, InspectEvm, MainBuilder, MainContext};

use super::cause::{Revert, chain, inner_failure};
use super::changes::{BalanceChange, Effects, token_changes};
use super::db::ForkDb;
use super::env;
use super::trace::{FrameKind, Trace, Tracer};
use super::world::{World, WorldState};
use crate::evm::{Answer, Keys, Query, Readings, TokenChange, Write};
use crate::safe::{
    Approval, Domain, Execution, Owners, SafeState, SafeTx, SafeVersion, approved_hash_slot,
    encode_approvals, find_execution,
};

/// The gas that common clients allow a call that is only asked.
const QUERY_GAS: u64 = 50_000_000;

/// The transaction to rehearse: exactly what a sender would broadcast.
#[derive(Clone, Copy, Debug)]
pub struct ExecTransaction<'a> {
    /// The Safe and the domain in which its owners signed: in that of a drill, the code that runs is told the drill's chain id.
    pub domain: Domain,
    pub owners: &'a Owners,
    pub tx: &'a SafeTx,
    /// The real signatures: the gas is then that of the receipt. Without them, as many owners as the threshold asks
    /// for are taken to have approved on chain: their `approvedHashes` entries are set for this run only. All that
    /// the transaction can see of it are the signature bytes; the gas is about 2 % lower.
    pub signatures: Option<&'a Bytes>,
    /// The account that broadcasts it.
    pub sender: Address,
    /// The gas that it is sent with; `None` for the most that a transaction may have.
    pub gas: Option<u64>,
}

impl<'a> ExecTransaction<'a> {
    /// Returns a real transaction that nobody has signed, sent by the Safe's first owner.
    pub fn unsigned(state: &'a SafeState, tx: &'a SafeTx) -> Self {
        let (domain, owners) = (Domain::real(state.id), &state.owners);
        let sender = owners.list().first().copied().unwrap_or_default();
        Self { domain, owners, tx, signatures: None, sender, gas: None }
    }
}

/// A call that an account makes by itself, with no ether.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectCall {
    pub from: Address,
    pub to: Address,
    pub data: Bytes,
    /// The gas that it is sent with; `None` for the most that a transaction may have.
    pub gas: Option<u64>,
    /// The words that these slots are taken to hold, for this run only.
    pub assumed: BTreeMap<(Address, B256), U256>,
}

/// The result of the Safe's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunResult {
    Succeeded,
    /// The Safe says `ExecutionFailure`: nothing was done and the nonce is used.
    Failed,
    /// `execTransaction` itself reverts: nothing happens.
    Reverted,
    /// No call reverted, and no Safe of this version announced the transaction's success: what stands at the
    /// address is not such a Safe.
    Unannounced,
}

/// Everything a transaction does in the next block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    pub outcome: RunResult,
    /// The failed calls from the outermost to the one where it began; none when it succeeded.
    pub reverts: Vec<Revert>,
    pub trace: Trace,
    pub events: Vec<Log>,
    /// By address and slot.
    pub writes: Vec<Write>,
    pub balances: Vec<BalanceChange>,
    pub tokens: Vec<TokenChange>,
    /// Contracts that did not exist before.
    pub created: Vec<Address>,
    pub destroyed: Vec<Address>,
    pub gas_used: u64,
    pub gas_limit: u64,
    /// The time of the block that it ran in, in seconds since 1970.
    pub timestamp: u64,
    /// The queries' answers in the state that the transaction leaves.
    pub answers: Readings,
    /// The slots that each query reads: what they hold is what the query asks about.
    pub read_by: BTreeMap<Query, BTreeSet<(Address, B256)>>,
    /// keccak256 of the code that each account had before, of every account that was read; zero where there was none.
    pub code: BTreeMap<Address, B256>,
    /// Every key that was read: hints for the next run.
    pub read: Keys,
}

impl Rehearsal {
    /// Every code that ran on `target`'s storage, by where it lies, with its hash: its own, and what it delegated to.
    /// Empty when it was never called.
    pub fn runs(&self, target: Address) -> BTreeMap<Address, B256> {
        let delegates = |kind| matches!(kind, FrameKind::DelegateCall | FrameKind::CallCode);
        let is_called = |kind| matches!(kind, FrameKind::Call | FrameKind::StaticCall);
        let places = self.trace.frames.iter().filter_map(|frame| match frame.kind {
            kind if delegates(kind) => (frame.from == target).then_some(frame.to),
            kind => (is_called(kind) && frame.to == target).then_some(target),
        });
        let hash = |place| self.code.get(&place).copied().unwrap_or_default();
        places.map(|place| (place, hash(place))).collect()
    }
}

/// A run either used only known state, or tells what it lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt<T = Rehearsal> {
    Complete(Box<T>),
    Missing(Keys),
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RehearsalError {
    #[error("the Safe is on chain {safe} and the state is of chain {world}")]
    WrongChain { safe: u64, world: u64 },
    #[error("no block can hold the transaction: {0}")]
    Impossible(String),
}

/// Runs the transaction in the block after `world`'s, then asks `queries` of the state it leaves.
/// Fails if the Safe is on another chain, or the transaction is one that no block can hold.
pub fn rehearse(
    world: &World,
    exec: &ExecTransaction<'_>,
    queries: &[Query],
) -> Result<Attempt, RehearsalError> {
    Ok(match run(world, exec, queries)? {
        Attempt::Complete(ran) => Attempt::Complete(Box::new(ran.0)),
        Attempt::Missing(keys) => Attempt::Missing(keys),
    })
}

/// [`rehearse`], with the accounts and slots that the transaction changed, as it leaves them.
pub(super) fn run(
    world: &World,
    exec: &ExecTransaction<'_>,
    queries: &[Query],
) -> Result<Attempt<(Rehearsal, WorldState)>, RehearsalError> {
    let (safe, chain_id) = (exec.domain.safe(), exec.domain.chain_id());
    if safe.chain_id != world.chain_id {
        return Err(RehearsalError::WrongChain { safe: safe.chain_id, world: world.chain_id });
    }
    let (signatures, assumed) = approve(exec);
    let data = exec.tx.exec_calldata(signatures);
    let call = DirectCall { from: exec.sender, to: safe.address, data, gas: exec.gas, assumed };
    run_judged(world, chain_id, &call, queries, |result| judge(result, exec))
}

/// Runs a call that an account makes by itself: it succeeds or reverts. With what it changed, as it leaves it.
pub(super) fn run_direct(
    world: &World,
    call: &DirectCall,
    queries: &[Query],
) -> Result<Attempt<(Rehearsal, WorldState)>, RehearsalError> {
    run_judged(world, world.chain_id, call, queries, |result| {
        if result.is_success() { RunResult::Succeeded } else { RunResult::Reverted }
    })
}

/// Runs a call in the next block. `judge` tells its outcome.
fn run_judged(
    world: &World,
    chain_id: u64,
    direct: &DirectCall,
    queries: &[Query],
    judge: impl Fn(&ExecutionResult) -> RunResult,
) -> Result<Attempt<(Rehearsal, WorldState)>, RehearsalError> {
    let block = env::block(world);
    let gas_limit = direct.gas.unwrap_or(env::gas_limit(world));
    let timestamp = block.timestamp.saturating_to();
    let mut evm = evm(world, chain_id, block, direct.assumed.clone());
    let call = TxEnv {
        gas_price: u128::from(evm.ctx.block.basefee),
        ..transaction(chain_id, direct.from, direct.to, direct.data.clone())
    };
    let call = TxEnv { gas_limit, ..call };
    let run = evm.inspect_tx(call).map_err(|e| RehearsalError::Impossible(e.to_string()))?;
    let trace = std::mem::take(&mut evm.inspector.trace);
    let db = &mut evm.ctx.journaled_state.database;
    let Effects { writes, balances, created, destroyed } = Effects::of(&run.state, world, db);
    let left = WorldState::left_by(&run.state);
    db.resume_after(run.state);
    let (mut answers, mut read_by) = (Readings::default(), BTreeMap::new());
    for query in queries {
        let (answer, slots) = answer(&mut evm, chain_id, query)?;
        answers.insert(query.clone(), answer);
        read_by.insert(query.clone(), slots);
    }

    let ForkDb { read, missing, .. } = evm.ctx.journaled_state.database;
    if !missing.is_empty() {
        return Ok(Attempt::Missing(missing));
    }
    let outcome = judge(&run.result);
    let gas_used = run.result.tx_gas_used();
    let events = if outcome == RunResult::Reverted { Vec::new() } else { run.result.into_logs() };
    let rehearsal = Rehearsal {
        outcome,
        reverts: causes(outcome, &trace, direct.to),
        trace,
        tokens: token_changes(&events),
        events,
        writes,
        balances,
        created,
        destroyed,
        gas_used,
        gas_limit,
        timestamp,
        answers,
        read_by,
        code: code_hashes(world, &read),
        read,
    };
    Ok(Attempt::Complete(Box::new((rehearsal, left))))
}

fn code_hashes(world: &World, read: &Keys) -> BTreeMap<Address, B256> {
    let hash = |code: &Bytes| if code.is_empty() { B256::ZERO } else { keccak256(code) };
    let known = read.accounts.iter().filter_map(|a| Some((*a, &world.state.accounts.get(a)?.code)));
    known.map(|(address, code)| (address, hash(code))).collect()
}

/// The block in which a state is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunBlock {
    /// The world's own.
    Now,
    /// The one after it.
    Next,
}

/// Asks `queries` of the state as it is, with no transaction before them; with every key that was read for it.
pub fn view(
    world: &World,
    chain_id: u64,
    moment: RunBlock,
    queries: &[Query],
) -> Result<Attempt<(Readings, Keys)>, RehearsalError> {
    let block = match moment {
        RunBlock::Now => env::present(world),
        RunBlock::Next => env::block(world),
    };
    let mut evm = evm(world, chain_id, block, BTreeMap::new());
    let mut answers = Readings::default();
    for query in queries {
        answers.insert(query.clone(), answer(&mut evm, chain_id, query)?.0);
    }
    let ForkDb { read, missing, .. } = evm.ctx.journaled_state.database;
    if missing.is_empty() {
        Ok(Attempt::Complete(Box::new((answers, read))))
    } else {
        Ok(Attempt::Missing(missing))
    }
}

pub(super) type Evm<'a> = MainnetEvm<MainnetContext<ForkDb<'a>>, Tracer>;

/// `chain_id` is what the code is told: the rules are always those of the world's own chain.
pub(super) fn evm(
    world: &World,
    chain_id: u64,
    block: BlockEnv,
    assumed: BTreeMap<(Address, B256), U256>,
) -> Evm<'_> {
    Context::mainnet()
        .with_db(ForkDb::new(world, assumed))
        .with_block(block)
        .modify_cfg_chained(|cfg| env::configure(cfg, world, chain_id))
        .build_mainnet_with_inspector(Tracer::default())
}

/// Asks of the state that the EVM has come to, without a trace; with the slots that were read for it.
fn answer(
    evm: &mut Evm<'_>,
    chain_id: u64,
    query: &Query,
) -> Result<(Answer, BTreeSet<(Address, B256)>), RehearsalError> {
    let time = evm.ctx.block.timestamp;
    let db = &mut evm.ctx.journaled_state.database;
    let mut slots = BTreeSet::new();
    let answer = match query {
        Query::Time => word(time),
        Query::Call { from, to, data } => {
            let call = transaction(chain_id, from.unwrap_or_default(), *to, data.clone());
            let run = evm.transact(call).map_err(|e| RehearsalError::Impossible(e.to_string()))?;
            for (address, account) in run.state {
                slots.extend(account.storage.keys().map(|slot| (address, B256::from(*slot))));
            }
            returned(run.result)
        }
        Query::Storage { address, slot } => {
            slots.insert((*address, *slot));
            word(db.slot(*address, *slot))
        }
        Query::Balance { address } => word(db.account(*address).unwrap_or_default().balance),
        Query::CodeHash { address } => {
            let account = db.account(*address).unwrap_or_default();
            word(if account.is_empty_code_hash() { B256::ZERO } else { account.code_hash })
        }
    };
    Ok((answer, slots))
}

/// The signature bytes, and the slots to assume for them.
fn approve(exec: &ExecTransaction<'_>) -> (Bytes, BTreeMap<(Address, B256), U256>) {
    if let Some(bytes) = exec.signatures {
        return (bytes.clone(), BTreeMap::new());
    }
    let hash = exec.domain.hashes(exec.tx).safe_tx;
    let enough = exec.owners.threshold().get();
    let approving: Vec<_> = exec.owners.list().iter().take(enough).copied().collect();
    let slots =
        approving.iter().map(|o| ((exec.domain.safe().address, approved_hash_slot(*o, &hash)), U256::ONE));
    let approvals: Vec<_> = approving.iter().map(|o| Approval::OnChain(*o)).collect();
    (encode_approvals(&approvals), slots.collect())
}

/// A call at no price, with the gas that nodes give to `eth_call`.
pub(super) fn transaction(chain_id: u64, caller: Address, to: Address, data: Bytes) -> TxEnv {
    let kind = TxKind::Call(to);
    TxEnv {
        caller,
        gas_limit: QUERY_GAS,
        gas_price: 0,
        kind,
        data,
        chain_id: Some(chain_id),
        ..TxEnv::default()
    }
}

fn causes(outcome: RunResult, trace: &Trace, safe: Address) -> Vec<Revert> {
    let start = match outcome {
        RunResult::Succeeded | RunResult::Unannounced => None,
        RunResult::Failed => inner_failure(trace, safe),
        RunResult::Reverted => Some(0),
    };
    start.map_or_else(Vec::new, |frame| chain(trace, frame))
}

fn judge(result: &ExecutionResult, exec: &ExecTransaction<'_>) -> RunResult {
    if !result.is_success() {
        return RunResult::Reverted;
    }
    let hash = exec.domain.hashes(exec.tx).safe_tx;
    match find_execution(result.logs(), exec.domain.safe().address, exec.domain.safe().version, &hash) {
        Some(Execution::Failed) => RunResult::Failed,
        // Only 1.0.0 announces no success.
        None if exec.domain.safe().version > SafeVersion::V1_0_0 => RunResult::Unannounced,
        _ => RunResult::Succeeded,
    }
}

fn returned(result: ExecutionResult) -> Answer {
    match result {
        ExecutionResult::Success { output, .. } => Answer::Value(output.into_data()),
        ExecutionResult::Revert { output, .. } => Answer::Reverted(output),
        ExecutionResult::Halt { .. } => Answer::Reverted(Bytes::new()),
    }
}

fn word(value: impl Into<B256>) -> Answer {
    Answer::Value(value.into().into())
}
