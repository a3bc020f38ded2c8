//! Arguments that several commands share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;

use crate::ceremony::order::Given;
use crate::ceremony::sending::depth::RequiredDepth;
use crate::cli::complete;
use crate::device::{KeyName, LedgerLocation, Model};
use crate::evm::amount;
use crate::playbook::Word;
use crate::safe::{Nonce, Nonces};

/// The heading of what is named without a flag: clap's own, above all others.
pub const ARGUMENTS: Option<&str> = None;

/// Flags by which a lever is derived.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "What")]
pub struct Derive {
    /// An argument that the lever leaves open; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_set, add = ArgValueCompleter::new(complete::arguments))]
    pub set: Vec<(String, String)>,

    /// Leave out a lever that a combined one pulls; may be given again
    #[arg(long, value_name = "LEVER", add = ArgValueCompleter::new(complete::levers))]
    pub without: Vec<String>,

    /// Take it back: the lever's counter-playbook
    ///
    /// Every check of the counter-playbook is made, as for the lever itself.
    #[arg(long)]
    pub undo: bool,

    /// The Safe's nonce [default: the next one]
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub nonce: Option<Nonce>,

    /// Approve it on chain as this Safe, which owns the other
    ///
    /// A transaction of this Safe, for its own owners to sign: approveHash. For a Safe that cannot approve by signatures. Given
    /// again, the next Safe approves the approval.
    #[arg(long, value_name = "SAFE", add = ArgValueCompleter::new(complete::safes))]
    pub approve_as: Vec<String>,
}

/// Signatures that are made ahead.
#[derive(Clone, Debug, Args)]
pub struct Ahead {
    /// Sign ahead, for nonces A to B, both included
    ///
    /// One review; each nonce is a signature. It can be stopped, and the same command goes on where it stood. Whoever
    /// has enough signatures of a nonce can use them without asking anybody.
    #[arg(long, value_name = "A..B", requires = "to", conflicts_with = "nonce", help_heading = "What")]
    nonces: Option<Nonces>,

    /// Where signatures made ahead are written: a file, or `-` for a pipe
    ///
    /// Nowhere else. A pipe into age or gpg leaves no file that others can use.
    #[arg(long, value_name = "FILE", requires = "nonces", help_heading = "Output", value_hint = ValueHint::FilePath)]
    to: Option<PathBuf>,

    /// Write them in Base's form: signer:nonce:signature,
    #[arg(long, requires = "nonces", help_heading = "Output")]
    base: bool,
}

/// Where signatures made ahead go, and in which form.
#[derive(Clone, Copy)]
pub struct AheadOutput<'a> {
    pub path: &'a Path,
    pub base: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Checks")]
pub struct Accept {
    /// Accept a refusal by its id; it is recorded
    ///
    /// Every later signer sees what you accepted. `breakglass check` lists the ids and what each is about.
    #[arg(long, value_name = "ID")]
    pub accept: Vec<String>,
}

#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Checks")]
pub struct Proofs {
    /// Verify every value with proofs; takes one more round
    ///
    /// Each value is verified with eth_getProof against the state root of its block.
    #[arg(long)]
    pub proofs: bool,
}

/// A transaction that is acted on: the lever behind it, how it is checked, and the refusals that are accepted.
#[derive(Clone, Debug, Args)]
pub struct TransactionArgs {
    #[command(flatten)]
    pub derive: Derive,

    #[command(flatten)]
    accept: Accept,

    #[command(flatten)]
    proofs: Proofs,
}

impl TransactionArgs {
    /// Returns the ids of the refusals that are accepted.
    pub fn accepted(&self) -> &[String] {
        &self.accept.accept
    }

    pub const fn proofs(&self) -> bool {
        self.proofs.proofs
    }
}

/// A transaction that is only looked at, and where the answers come from.
#[derive(Clone, Debug, Args)]
pub struct InspectArgs {
    #[command(flatten)]
    pub derive: Derive,

    #[command(flatten)]
    proofs: Proofs,

    /// Ask nothing of the network
    ///
    /// Only the file and your own files are read.
    #[arg(long, conflicts_with = "proofs", help_heading = "Checks")]
    pub offline: bool,
}

impl InspectArgs {
    pub const fn proofs(&self) -> bool {
        self.proofs.proofs
    }
}

/// Flags for the depth at which a mined transaction must lie before the command ends.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Checks")]
pub struct DepthArgs {
    /// Wait until its block and those after it are N
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub confirmations: Option<u64>,

    /// Wait until the chain calls its block final
    #[arg(long)]
    pub finalized: bool,
}

/// The price of a transaction, and how long it is waited for.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Checks")]
pub struct FeeArgs {
    /// The most to pay per unit of gas, in gwei
    #[arg(long, allow_negative_numbers = true, value_name = "GWEI", default_value_t = 500)]
    pub max_fee: u64,

    /// The tip per unit of gas, in gwei: 2 or 1.5
    ///
    /// In place of what the RPCs suggest; at most --max-fee.
    #[arg(long, allow_negative_numbers = true, value_name = "GWEI", value_parser = amount::parse_gwei)]
    pub priority_fee: Option<u128>,

    /// The gas to send it with, if no RPC can estimate it
    ///
    /// It is checked like an estimate.
    #[arg(long, allow_negative_numbers = true, value_name = "GAS")]
    pub gas: Option<u64>,

    /// Seconds to wait until it is mined
    #[arg(long, allow_negative_numbers = true, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub wait: u64,
}

/// A device.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Key")]
pub struct DeviceArgs {
    /// The Ledger that is plugged in, or an emulator at tcp://HOST:PORT
    #[arg(long, value_name = "WHERE", num_args = 0..=1, default_missing_value = "usb")]
    ledger: Option<LedgerLocation>,

    /// Which Ledger, where several are plugged in
    ///
    /// Its serial number, or its path where two have the same.
    #[arg(long, value_name = "SERIAL")]
    ledger_serial: Option<String>,

    /// Which model an emulator is
    ///
    /// nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it.
    #[arg(long, value_name = "MODEL")]
    pub model: Option<Model>,

    /// Seconds to wait until the Ledger is ready
    ///
    /// A review on it takes as long as its person needs.
    #[arg(long, allow_negative_numbers = true, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// A key: on a device, or in an encrypted file.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Key")]
pub struct KeyArgs {
    #[command(flatten)]
    pub device: DeviceArgs,

    /// An encrypted keystore: a file, or its name [default: your settings]
    ///
    /// Web3 Secret Storage. A name is looked for here and in Foundry's folder, ~/.foundry/keystores. Without --ledger and
    /// --keystore, your settings or the environment name the key: breakglass help settings.
    #[arg(
        long, value_name = "FILE", conflicts_with_all = ["ledger", "ledger_serial", "model"],
        add = ArgValueCompleter::new(complete::keystores)
    )]
    pub keystore: Option<PathBuf>,

    /// A file whose first line is the password [default: asked]
    #[arg(long, value_name = "FILE", env = "BREAKGLASS_PASSWORD_FILE", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
}

impl Derive {
    pub fn given(&self) -> Given {
        Given {
            set: self.set.clone(),
            without: self.without.clone(),
            nonce: self.nonce,
            undo: self.undo,
            sender: None,
            approve_as: self.approve_as.clone(),
            hashes: Vec::new(),
        }
    }
}

impl Ahead {
    /// The nonces and where to write, where it is signed ahead.
    pub fn nonces_and_output(&self) -> Option<(Nonces, AheadOutput<'_>)> {
        Some((self.nonces?, AheadOutput { path: self.to.as_deref()?, base: self.base }))
    }
}

impl AheadOutput<'_> {
    pub fn is_pipe(self) -> bool {
        self.path == Path::new("-")
    }
}

impl FeeArgs {
    pub const fn wait(&self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

impl DepthArgs {
    pub const fn required_depth(&self) -> RequiredDepth {
        RequiredDepth { confirmations: self.confirmations, finalized: self.finalized }
    }
}

impl DeviceArgs {
    /// Returns the key that the flags name, or else this one, on the device or emulator that the flags tell.
    pub fn named(&self, or: Option<KeyName>) -> Option<KeyName> {
        let which = self.ledger_serial.as_deref();
        let ledger = self.ledger.clone().or_else(|| which.map(|_| LedgerLocation::default()));
        Some(ledger.map(KeyName::Ledger).or(or)?.on(which, self.model))
    }

    pub const fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

impl KeyArgs {
    /// Returns the key that the flags name, or else the one of the settings.
    pub fn named(&self, of_settings: Option<KeyName>) -> Option<KeyName> {
        self.device.named(self.keystore.clone().map(KeyName::Keystore).or(of_settings))
    }
}

/// Returns a reader of one of the words of an enumeration, in any case.
pub fn parse_word<T: Word + Send + Sync>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::ALL.iter().map(|(name, _)| *name)).try_map(|given| {
        let same = |(name, _): &&(&str, T)| name.eq_ignore_ascii_case(&given);
        T::ALL.iter().find(same).map(|(_, value)| *value).ok_or("not one of the words")
    })
}

/// Reads `NAME=VALUE`.
pub fn parse_set(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().into(), value.into())),
        _ => Err(format!("{text:?} is not of the form NAME=VALUE")),
    }
}
