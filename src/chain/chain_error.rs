//! Errors between this program and a chain. No message ever holds more of an endpoint's address than
//! [`SecretUrl`](crate::council::SecretUrl) shows.

use alloy::primitives::{Address, Bytes};

use crate::evm::{BlockHash, TxHash};

/// The reason that a chain could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    #[error("chain {0} names no RPC address: add one to its `rpc` in the council file")]
    NoEndpoint(String),
    #[error("chain {chain}: {quorum} RPCs must agree, and {}", too_few(*endpoints, repeated))]
    Quorum {
        chain: String,
        quorum: usize,
        /// Different ones.
        endpoints: usize,
        /// Addresses that lead to the same host and port as another, and that one.
        repeated: Vec<(String, String)>,
    },
    #[error("RPC {0} is not an address that can be asked: check its spelling and the variables in it")]
    BadUrl(String),
    #[error("the network client cannot start: {0}")]
    Client(String),
    #[error("RPC {endpoint} is on chain {found}, but the council file says that {chain} is chain {expected}")]
    WrongChain { chain: String, endpoint: String, expected: u64, found: String },
    #[error("{}", no_quorum(chain, *quorum, faults))]
    NoQuorum { chain: String, quorum: usize, faults: Vec<(String, Option<EndpointFault>)> },
    #[error("block {number} of {chain} was {was} and is now {now}: the chain was reorganised; start again")]
    Reorganised { chain: String, number: u64, was: BlockHash, now: BlockHash },
    #[error("the transaction could not be rehearsed on {chain}: {why}")]
    NotRehearsed { chain: String, why: String },
    #[error("what was read of {chain} at block {block} is not proven: {why}")]
    NotProven { chain: String, block: u64, why: String },
    #[error("there is no contract at {safe} on {chain} at block {block}: the Safe is not deployed there")]
    NoSafe { chain: String, safe: Address, block: u64 },
    #[error("{safe} on {chain} is not a Safe that this program knows: {why}")]
    NotASafe { chain: String, safe: Address, why: String },
    #[error(
        "transaction {tx} was not sent to {chain}: it does not carry the approvals that the Safe takes now"
    )]
    NotReady { chain: String, tx: TxHash },
    #[error(
        "no RPC of {chain} took transaction {tx}{}: {}",
        if *unsure { " for certain (it may have left: look for it before sending again)" } else { "" },
        listed(faults)
    )]
    NotSent { chain: String, tx: TxHash, unsure: bool, faults: Vec<(String, EndpointFault)> },
    #[error(
        "the RPCs of {chain} refuse to search events from block {from} to {to}: ask a provider with a longer range"
    )]
    SearchTooLong { chain: String, from: u64, to: u64 },
}

/// A fault in one endpoint's answer.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub enum EndpointFault {
    #[display("cannot be reached ({_0})")]
    Unreachable(String),
    /// Seconds waited.
    #[display("did not answer within {_0} s")]
    TimedOut(u64),
    /// The others had agreed long before.
    #[display("had not answered when the others had")]
    Slow,
    #[display("{}", http_text(*_0))]
    Http(u16),
    /// The provider limits how often it is asked: so many seconds it wants to be left alone.
    #[display(
        "limits how often it is asked: wait{}, or use another key",
        wait.map(|seconds| format!(" {seconds} s")).unwrap_or_default()
    )]
    Throttled { wait: Option<u64> },
    #[display("answers with more than this program reads, which is 2 MB for one call and 64 MB in all")]
    TooLarge,
    /// Not what JSON-RPC or the method prescribes.
    #[display("did not answer as JSON-RPC asks (a web page?): {_0}")]
    Garbage(String),
    /// Not what a Transaction Service answers.
    #[display("does not answer as a Transaction Service does (a web page?)")]
    NotAService,
    #[display("refuses {method}: {error}")]
    Refused { method: &'static str, error: RpcErrorObject },
    #[display("is on chain {found}")]
    WrongChain { found: String },
    /// Behind the block that the others stand at; `at` is where it stands, when it said so.
    #[display(
        "lags behind: {}",
        at.map_or_else(|| format!("has no block {wanted} yet"), |at| format!("at block {at}, not {wanted}"))
    )]
    Lagging { at: Option<u64>, wanted: u64 },
    /// Its newest block is old, by so many seconds, and others have newer ones.
    #[display("lags behind: at block {at}, {behind} s older than the newest")]
    Stale { at: u64, behind: u64 },
    #[display("is ahead: at block {at}, not {wanted}")]
    Ahead { at: u64, wanted: u64 },
    /// Another block at the same height.
    #[display("has another block {number}: {hash}")]
    Forked { number: u64, hash: BlockHash },
    /// Its answers come from more than one block.
    #[display("mixes answers from more than one block")]
    Straddles,
    /// At one block, two groups of endpoints answer differently and neither outvotes the other.
    #[display("differs from another about {what} at the same block {number}")]
    Contradicted { what: String, number: u64 },
    /// A quorum says otherwise about the same block.
    #[display("lies: it differs from the quorum about {what} at the same block {number}")]
    Lying { what: String, number: u64 },
    /// The block's state root does not hold what was answered.
    #[display("cannot prove its answer: {what} at block {number}")]
    Unproven { what: String, number: u64 },
}

impl EndpointFault {
    pub(super) fn garbage(what: impl Into<String>) -> Self {
        Self::Garbage(what.into())
    }
}

impl ChainError {
    /// Returns `true` if no endpoint keeps the state that was asked for: ordinary nodes keep 128 blocks.
    pub fn is_pruned(&self) -> bool {
        let Self::NoQuorum { faults, .. } = self else { return false };
        faults.iter().filter_map(|(_, fault)| fault.as_ref()).any(EndpointFault::is_pruned)
    }
}

/// Words of clients and providers for state that they have dropped.
const PRUNED: [&str; 9] = [
    "missing trie node",
    "historical state",
    "state is not available",
    "state not available",
    "state unavailable",
    "header not found",
    "pruned",
    "archive",
    "state already discarded",
];

impl EndpointFault {
    fn is_pruned(&self) -> bool {
        let Self::Refused { error, .. } = self else { return false };
        let text = error.message.to_ascii_lowercase();
        PRUNED.iter().any(|words| text.contains(words))
    }
}

fn http_text(status: u16) -> String {
    match status {
        401 | 403 => format!("refuses us (HTTP {status}): check its key"),
        300..=399 => format!("answers with a redirection (HTTP {status}), which is not followed"),
        _ => format!("answers with HTTP status {status}"),
    }
}

/// An error that an endpoint answered, made safe to show.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{message} (code {code})")]
pub struct RpcErrorObject {
    pub code: i64,
    /// Printable ASCII, cut to a line, without the endpoint's key.
    pub message: String,
    pub data: Option<Bytes>,
}

impl RpcErrorObject {
    /// Returns the data of a reverted call, if that is what this error says. Clients word it differently: 3 with data
    /// (geth, reth, erigon), -32000 or -32015 with or without.
    pub fn reverted(&self) -> Option<Bytes> {
        let text = self.message.to_ascii_lowercase();
        // A call that runs into a bad instruction ends like a revert without data, wherever it is run.
        // So does one that uses up the gas of a call.
        let ends = [
            "revert",
            "vm execution error",
            "opcode",
            "invalid jump",
            "stack underflow",
            "out of gas",
            "gas required exceeds",
        ];
        (self.code == 3 || ends.iter().any(|end| text.contains(end)))
            .then(|| self.data.clone().unwrap_or_default())
    }
}

fn no_quorum(chain: &str, quorum: usize, faults: &[(String, Option<EndpointFault>)]) -> String {
    if let [(endpoint, Some(fault))] = faults {
        return format!("chain {chain}: RPC {endpoint} {fault}");
    }
    let fine = faults.iter().filter(|(_, fault)| fault.is_none()).count();
    let listed: Vec<String> = (faults.iter())
        .map(|(endpoint, fault)| match fault {
            Some(fault) => format!("{endpoint} {fault}"),
            None => format!("{endpoint} answers well"),
        })
        .collect();
    format!("chain {chain}: {fine} of {} RPCs agree and {quorum} must: {}", faults.len(), listed.join("; "))
}

fn too_few(endpoints: usize, repeated: &[(String, String)]) -> String {
    if repeated.is_empty() {
        return format!("only {endpoints} are named");
    }
    let same: Vec<String> =
        repeated.iter().map(|(one, other)| format!("{one} is the same as {other}")).collect();
    format!("only {endpoints} different ones are named: {}", same.join("; "))
}

fn listed(faults: &[(String, EndpointFault)]) -> String {
    faults.iter().map(|(endpoint, fault)| format!("{endpoint} {fault}")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A view that reverts or uses up its gas is the contract's fault: an answer, not a failure of the RPC.
    #[test]
    fn a_call_that_ends_badly_is_an_answer() {
        let reverted = |message: &str, code| {
            RpcErrorObject { code, message: message.into(), data: None }.reverted().is_some()
        };
        for message in [
            "execution reverted",
            "out of gas",
            "gas required exceeds allowance (50000000)",
            "invalid opcode: INVALID",
        ] {
            assert!(reverted(message, -32_000), "{message}");
        }
        assert!(reverted("anything", 3));
        assert!(!reverted("missing trie node", -32_000));
    }
}
