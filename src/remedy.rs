//! The exit code and the hint of the errors of every room below.

use crate::ceremony::order::TurnError;
use crate::chain::ChainError;
use crate::council::RpcAddressError;
use crate::device::DeviceError;
use crate::error::{Error, Exit};
use crate::excerpt::Fault;
use crate::playbook::{LookupError, PlanError};
use crate::proposal::{BadDrillName, BuildError, NotReady, ProposalError, VerifyError};
use crate::safe::NoDrill;
use crate::store::StoreError;
use crate::ui::PromptError;

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let hint = fault.line().map_or("fix that file".into(), |line| format!("fix line {line}"));
        let mut error = Self::new(Exit::Failed, fault.headline()).hint(hint);
        error.excerpt = fault.excerpt();
        error
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::Read { .. } => "check the path",
            StoreError::NotAFile { .. } => "name a file; import also reads standard input: write - for it",
            StoreError::NoLock { .. } => "this file system may have no locks: use a folder on another disk",
            StoreError::Exists { .. } | StoreError::Link { .. } => {
                "name another path, or move that file away"
            }
            StoreError::Write { .. } => {
                "that file was not written: check the folder, its permissions and the free space"
            }
            StoreError::NoLine { .. } => "the command itself goes on without it",
            StoreError::TooLarge { .. } | StoreError::NotText { .. } => {
                "check the path, and name another file"
            }
            StoreError::Changed { .. } => "nothing was written",
            StoreError::Locked { .. } => "then run the same command again; nothing is done twice",
        };
        Self::new(Exit::Failed, error.to_string()).hint(hint)
    }
}

impl From<RpcAddressError> for Error {
    fn from(error: RpcAddressError) -> Self {
        let hint = match &error {
            RpcAddressError::HoldsKey(_) => {
                "put it into a variable of your shell, and write --rpc '${MAINNET_RPC}' in single quotes"
            }
            _ => "write --rpc https://…, or --rpc '${MAINNET_RPC}' in single quotes",
        };
        Self::new(Exit::Usage, error.to_string()).hint(hint)
    }
}

impl From<PromptError> for Error {
    fn from(error: PromptError) -> Self {
        match &error {
            PromptError::NoTerminal(missing) => {
                Self::new(Exit::Usage, error.to_string()).hint(format!("pass {}", missing.flag))
            }
            PromptError::Stopped(_) => Self::new(Exit::Refused, error.to_string())
                .hint("nothing further was done; run the same command again when you are ready"),
            PromptError::Interrupted(_) => Self::new(Exit::Refused, error.to_string())
                .hint("nothing further was done; run the same command again, and type the answer"),
        }
    }
}

impl From<ProposalError> for Error {
    fn from(error: ProposalError) -> Self {
        match error {
            ProposalError::Altered { .. } => Self::new(Exit::Refused, error.to_string())
                .hint("do not sign it; tell the council that somebody changed this file"),
            ProposalError::Version(_) => {
                Self::new(Exit::Failed, error.to_string()).hint("install the program version that wrote it")
            }
            _ => Self::new(Exit::Failed, error.to_string())
                .hint("name a proposal file; if this is one, it is cut or damaged: ask for it again"),
        }
    }
}

impl From<BadDrillName> for Error {
    fn from(error: BadDrillName) -> Self {
        Self::new(Exit::Usage, error.to_string()).hint("copy the whole name from the line in the chat")
    }
}

impl From<NoDrill> for Error {
    fn from(error: NoDrill) -> Self {
        Self::new(Exit::Refused, error.to_string())
            .hint("nothing was signed; update that Safe, or drill a lever of another one")
    }
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        let exit = match &error {
            BuildError::BatchContractUnknown(_) => Exit::Refused,
            _ => Exit::Failed,
        };
        let hint = match &error {
            BuildError::Version(_) => "nothing was proposed; update that Safe before an emergency",
            BuildError::NoBatchContract { .. } => "nothing was proposed; pull the levers one by one",
            BuildError::Empty | BuildError::BatchContractUnknown(_) => "nothing was proposed",
        };
        Self::new(exit, error.to_string()).hint(hint)
    }
}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        Self::new(Exit::Failed, format!("the signature does not verify: {error}"))
            .hint("it was not kept; run the same command again, with the key of an owner")
    }
}

impl From<TurnError> for Error {
    fn from(error: TurnError) -> Self {
        let message = error.to_string();
        let is_done = matches!(error.error, PlanError::NothingToDo(_));
        let plain = Self::from(error.error);
        let Some(lever) = error.lever else { return plain };
        if is_done {
            // The other levers are not done.
            Self::new(Exit::Refused, message)
                .hint(format!("everybody leaves it out in the same words: --without {lever}"))
        } else {
            Self { message, ..plain }
        }
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::NothingToDo(_) => Self::new(Exit::Done, error.to_string())
                .hint("nothing was signed or sent, and nothing needs to be"),
            PlanError::Missing { .. } | PlanError::Unknown { .. } | PlanError::Argument { .. } => {
                Self::new(Exit::Usage, error.to_string())
                    .hint("breakglass playbook show ID explains each argument")
            }
            PlanError::Read { .. } | PlanError::Place { .. } => Self::new(Exit::Usage, error.to_string())
                .hint("check the target's address and chain, and the playbook: breakglass playbook show ID"),
        }
    }
}

impl From<LookupError> for Error {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Unknown { .. } => {
                Self::new(Exit::Usage, error.to_string()).hint("breakglass playbook list shows all playbooks")
            }
            LookupError::Fault(fault) => fault.into(),
        }
    }
}

impl From<DeviceError> for Error {
    fn from(error: DeviceError) -> Self {
        let exit = if error.is_human() { Exit::Device } else { Exit::Failed };
        let mut plain = Self::new(exit, error.to_string());
        plain.is_rejection = matches!(error, DeviceError::Rejected);
        match error {
            DeviceError::WrongPassword => plain.hint("try again; nothing was signed"),
            DeviceError::BadKeystore(_) => {
                plain.hint("name another file with --keystore; nothing was signed")
            }
            DeviceError::Several(_) => {
                plain.exit = Exit::Usage;
                plain.hint("or unplug the other Ledgers")
            }
            DeviceError::Refused { .. } | DeviceError::Senseless { .. } | DeviceError::Transport(_) => plain
                .hint(
                    "unplug the Ledger, plug it in, open the Ethereum app; then run the same command again",
                ),
            DeviceError::WrongSigner { .. } => plain.hint("do not use this key again before you know why"),
            _ => plain,
        }
    }
}

impl From<ChainError> for Error {
    fn from(error: ChainError) -> Self {
        let hint = match &error {
            ChainError::NoEndpoint(_) | ChainError::BadUrl(_) | ChainError::WrongChain { .. } => {
                "correct the id and rpc of that chain in the council file"
            }
            ChainError::Quorum { .. } => {
                "add an RPC of another operator to the council file, or write a smaller quorum there"
            }
            ChainError::NoSafe { .. } | ChainError::NotASafe { .. } => {
                "check the Safe's address and chain in the council file"
            }
            ChainError::NotReady { .. } => "run the same command again: it reads the Safe again",
            ChainError::NotSent { .. } => {
                "run the same command again: it looks for the transaction before it sends anything"
            }
            ChainError::NotProven { .. } => {
                "nothing was done; compare with another RPC before anybody signs. If this RPC only lacks eth_getProof, \
                 leave out --proofs"
            }
            ChainError::NoQuorum { quorum, faults, .. }
                if *quorum > 1 && faults.iter().any(|(_, f)| f.is_none()) =>
            {
                "try again; or go on with the RPC that answers, in this run: --quorum 1, which is recorded and shown to \
                 every later signer"
            }
            _ => "try again, or name another RPC address in the council file",
        };
        let exit = if matches!(error, ChainError::NotReady { .. }) { Exit::Drift } else { Exit::Network };
        Self::new(exit, error.to_string()).hint(hint)
    }
}

impl From<NotReady> for Error {
    fn from(not_ready: NotReady) -> Self {
        match not_ready {
            NotReady::Shortfall(shortfall) => {
                let message =
                    format!("{} of {} owners have signed", shortfall.approved.len(), shortfall.threshold);
                let missing: Vec<String> = shortfall.missing.iter().map(ToString::to_string).collect();
                Self::new(Exit::Shortfall, message)
                    .hint(format!("still to sign: {}", missing.join(", ")))
                    .hint("breakglass import reads their lines, or the whole chat")
            }
            NotReady::NonceUsed { proposal, safe } => Self::new(
                Exit::Drift,
                format!(
                    "nonce {proposal} is used, the Safe is at {safe}, and it did not report this transaction"
                ),
            )
            .hint("find out which transaction used it: breakglass status; then propose again"),
            NotReady::NonceAhead { proposal, safe } => {
                Self::new(Exit::Drift, format!("nonce {proposal} is not next: the Safe is at {safe}")).hint(
                    format!(
                        "execute the transactions with nonces {safe} and up first, or propose at nonce {safe}"
                    ),
                )
            }
            NotReady::Drill => Self::new(Exit::Refused, "it is a DRILL: nothing of it can be sent")
                .hint("breakglass broadcast drill:… proves it on a fork"),
            NotReady::Moved(drift) => {
                let rows: Vec<String> =
                    drift.iter().map(|d| format!("{} was {}, is {}", d.what, d.was, d.now)).collect();
                Self::new(
                    Exit::Drift,
                    format!("the Safe has changed since it was signed: {}", rows.join("; ")),
                )
                .hint("do not send; find out who changed it")
            }
        }
    }
}
