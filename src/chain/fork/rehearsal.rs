//! One run of `execTransaction` in the next block, and everything it does. Pure: state in, effects out.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, Log, TxKind, U256};
use revm::context::TxEnv;
use revm::context::result::ExecutionResult;
use revm::{Context, ExecuteEvm, InspectEvm, MainBuilder, MainContext};

use super::db::ForkDb;
use super::effects::{BalanceChange, Effects, TokenChange, Write, token_changes};
use super::env;
use super::revert::{Revert, chain, inner_failure};
use super::state::{Keys, World};
use super::trace::{Trace, Tracer};
use crate::playbook::query::{Answer, Query, Readings};
use crate::safe::{
    Approval, Execution, Owners, SafeId, SafeTx, approved_hash_slot, encode_approvals, find_execution,
};

/// The transaction to rehearse: exactly what a sender would broadcast.
#[derive(Clone, Copy, Debug)]
pub struct ExecTransaction<'a> {
    pub safe: &'a SafeId,
    pub tx: &'a SafeTx,
    pub signatures: Signatures<'a>,
    /// Who broadcasts it.
    pub sender: Address,
}

/// Where the owners' approval comes from.
#[derive(Clone, Copy, Debug)]
pub enum Signatures<'a> {
    /// The real signatures: the gas is then that of the receipt.
    Given(&'a Bytes),
    /// The first owners up to the threshold are taken to have approved on chain: their `approvedHashes` entries are
    /// set for this run only. Nothing else that the transaction can see changes; the gas is about 2 % lower.
    Assumed(&'a Owners),
}

/// What became of the Safe's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    /// The Safe says `ExecutionFailure`: nothing was done and the nonce is used.
    Failed,
    /// `execTransaction` itself reverts: nothing happens.
    Reverted,
}

/// Everything a transaction does in the next block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    pub outcome: Outcome,
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
    /// The queries' answers in the state that the transaction leaves.
    pub answers: Readings,
    /// Every key that was read: hints for the next run.
    pub read: Keys,
}

/// A run either used only known state, or tells what it lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    Complete(Box<Rehearsal>),
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
///
/// # Errors
/// When the Safe is on another chain, or the transaction is one that no block can hold.
pub fn rehearse(
    world: &World,
    exec: &ExecTransaction<'_>,
    queries: &[Query],
) -> Result<Attempt, RehearsalError> {
    let (safe, chain_id) = (exec.safe, world.chain_id);
    if safe.chain_id != chain_id {
        return Err(RehearsalError::WrongChain { safe: safe.chain_id, world: chain_id });
    }
    let (signatures, assumed) = approve(exec);
    let spec = env::spec(chain_id, &world.header, world.next_timestamp);
    let gas_limit = env::gas_limit(&world.header, spec);
    let block = env::block(world);
    let gas_price = u128::from(block.basefee);
    let mut evm = Context::mainnet()
        .with_db(ForkDb::new(world, assumed))
        .with_block(block)
        .modify_cfg_chained(|cfg| env::configure(cfg, world))
        .build_mainnet_with_inspector(Tracer::default());

    let calldata = exec.tx.exec_calldata(signatures);
    let call = transaction(chain_id, exec.sender, safe.address, calldata, gas_limit);
    let call = TxEnv { gas_price, ..call };
    let run = evm.inspect_tx(call).map_err(|e| RehearsalError::Impossible(e.to_string()))?;
    let trace = std::mem::take(&mut evm.inspector.trace);
    let db = &mut evm.ctx.journaled_state.database;
    let effects = Effects::of(&run.state, world, db);
    db.go_on_after(run.state);

    let mut answers = Readings::default();
    for query in queries {
        let answer = match query {
            Query::Call { from, to, data } => {
                let from = from.unwrap_or_default();
                let call = transaction(chain_id, from, *to, data.clone(), gas_limit);
                let run = evm.transact(call).map_err(|e| RehearsalError::Impossible(e.to_string()))?;
                returned(run.result)
            }
            Query::Storage { address, slot } => word(evm.ctx.journaled_state.database.slot(*address, *slot)),
            Query::Balance { address } => {
                word(evm.ctx.journaled_state.database.account(*address).unwrap_or_default().balance)
            }
            Query::CodeHash { address } => {
                let account = evm.ctx.journaled_state.database.account(*address).unwrap_or_default();
                word(if account.is_empty_code_hash() { U256::ZERO } else { account.code_hash.into() })
            }
        };
        answers.insert(query.clone(), answer);
    }

    let ForkDb { read, missing, .. } = evm.ctx.journaled_state.database;
    if !missing.is_empty() {
        return Ok(Attempt::Missing(missing));
    }
    let outcome = judge(&run.result, exec);
    let reverts = match outcome {
        Outcome::Succeeded => Vec::new(),
        Outcome::Failed => inner_failure(&trace, safe.address).map_or_else(Vec::new, |i| chain(&trace, i)),
        Outcome::Reverted => chain(&trace, 0),
    };
    let gas_used = run.result.tx_gas_used();
    let events = if outcome == Outcome::Reverted { Vec::new() } else { run.result.into_logs() };
    let tokens = token_changes(&events);
    let Effects { writes, balances, created, destroyed } = effects;
    let rehearsal = Rehearsal {
        outcome, reverts, trace, events, writes, balances, tokens, created, destroyed, gas_used, answers, read,
    };
    Ok(Attempt::Complete(Box::new(rehearsal)))
}

/// The signature bytes, and the slots to assume for them.
fn approve(exec: &ExecTransaction<'_>) -> (Bytes, BTreeMap<(Address, B256), U256>) {
    let owners = match exec.signatures {
        Signatures::Given(bytes) => return (bytes.clone(), BTreeMap::new()),
        Signatures::Assumed(owners) => owners,
    };
    let hash = exec.safe.hashes(exec.tx).safe_tx;
    let approving: Vec<_> = owners.list().iter().take(owners.threshold().get()).copied().collect();
    let slots = approving.iter().map(|o| ((exec.safe.address, approved_hash_slot(*o, &hash)), U256::ONE));
    let approvals: Vec<_> = approving.iter().map(|o| Approval::OnChain(*o)).collect();
    (encode_approvals(&approvals), slots.collect())
}

fn transaction(chain_id: u64, caller: Address, to: Address, data: Bytes, gas_limit: u64) -> TxEnv {
    TxEnv {
        caller,
        gas_limit,
        gas_price: 0,
        kind: TxKind::Call(to),
        data,
        chain_id: Some(chain_id),
        ..TxEnv::default()
    }
}

fn judge(result: &ExecutionResult, exec: &ExecTransaction<'_>) -> Outcome {
    if !result.is_success() {
        return Outcome::Reverted;
    }
    let hash = exec.safe.hashes(exec.tx).safe_tx;
    match find_execution(result.logs(), exec.safe.address, exec.safe.version, &hash) {
        Some(Execution::Failed) => Outcome::Failed,
        _ => Outcome::Succeeded,
    }
}

fn returned(result: ExecutionResult) -> Answer {
    match result {
        ExecutionResult::Success { output, .. } => Answer::Value(output.into_data()),
        ExecutionResult::Revert { output, .. } => Answer::Reverted(output),
        ExecutionResult::Halt { .. } => Answer::Reverted(Bytes::new()),
    }
}

fn word(value: impl Into<U256>) -> Answer {
    Answer::Value(value.into().to_be_bytes_vec().into())
}
