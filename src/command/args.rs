//! Arguments that several commands share.

use std::path::PathBuf;

use clap::Args;

use crate::ceremony::depth::Wanted;
use crate::ceremony::derive::Given;
use crate::device::Model;
use crate::safe::Nonce;

/// How a lever is derived.
#[derive(Clone, Debug, Args)]
pub struct Derive {
    /// An argument that the lever leaves open; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_set)]
    pub set: Vec<(String, String)>,

    /// The lever's counter-playbook, with every check
    #[arg(long)]
    pub undo: bool,

    /// Another Safe nonce than the next one
    #[arg(long, value_name = "N")]
    pub nonce: Option<Nonce>,
}

#[derive(Clone, Debug, Args)]
pub struct Accept {
    /// Accept a refusal by its id; it is recorded and shown to every later signer
    #[arg(long, value_name = "ID")]
    pub accept: Vec<String>,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct Proofs {
    /// Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round
    #[arg(long)]
    pub proofs: bool,
}

/// How deep a mined transaction must lie before the command ends.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Depth {
    /// Once it is proven, wait until its block and those after it are this many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub confirmations: Option<u64>,

    /// Once it is proven, wait until the chain calls its block final
    #[arg(long)]
    pub finalized: bool,
}

/// A key: on a Ledger, or in an encrypted file.
#[derive(Clone, Debug, Args)]
pub struct Key {
    /// Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT
    #[arg(long, value_name = "WHERE", num_args = 0..=1, default_missing_value = "usb", conflicts_with = "keystore")]
    pub ledger: Option<String>,

    /// Which Ledger, where several are plugged in: its serial number, or its path where two have the same
    #[arg(long, value_name = "SERIAL", conflicts_with = "keystore")]
    pub ledger_serial: Option<String>,

    /// Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it
    #[arg(long, value_name = "MODEL", conflicts_with = "keystore")]
    pub model: Option<Model>,

    /// How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,

    /// Encrypted keystore file (Web3 Secret Storage)
    #[arg(long, value_name = "FILE")]
    pub keystore: Option<PathBuf>,

    /// File whose first line is the keystore's password [default: asked for]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl Derive {
    pub fn given(&self) -> Given {
        Given { set: self.set.clone(), nonce: self.nonce, undo: self.undo }
    }
}

impl Depth {
    pub const fn wanted(&self) -> Wanted {
        Wanted { confirmations: self.confirmations, finalized: self.finalized }
    }
}

impl Key {
    /// Returns which Ledger to use: naming one asks for it. `None` if no Ledger is named.
    pub fn ledger(&self) -> Option<&str> {
        self.ledger.as_deref().or_else(|| self.ledger_serial.as_ref().map(|_| "usb"))
    }
}

/// Reads `NAME=VALUE`.
pub fn parse_set(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().into(), value.into())),
        _ => Err(format!("{text:?} is not of the form NAME=VALUE")),
    }
}
