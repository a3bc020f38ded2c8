//! The clap tree, and nothing else.

use std::path::PathBuf;

use alloy::primitives::Address;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::device::{DerivationPath, Model, UDEV_RULE_PATH};
use crate::safe::{Nonce, SafeVersion, parse_address};

/// Emergency actions for EVM multisigs
///
/// Run a predefined playbook (pause a contract, change a parameter, rotate a key): it becomes a Safe transaction that
/// every owner derives, checks and signs alone; at threshold somebody broadcasts it, and its effect is proven on chain.
///
/// Without a command: lists the levers of your council file.
#[derive(Debug, Parser)]
#[command(name = "breakglass", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// The council file [default: breakglass.toml here or in a folder above]
    #[arg(long, global = true, value_name = "FILE")]
    pub council: Option<PathBuf>,

    /// Print one JSON object on standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// How many RPCs must agree, for this run, in place of the council file's number; a smaller one is recorded
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub quorum: Option<u8>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done and proven, 1 failed, 2 usage or no terminal for a prompt, 3 threshold not met yet, \
4 refused by a check, 5 the chain has moved, 6 refused or not ready on the device, 7 network, 10 mined, but not as rehearsed";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Propose a pause: plan, review, proposal file
    Pause(Propose),
    /// Propose a parameter change
    Param(Propose),
    /// Propose a change of keys, roles or owners
    Rotate(Propose),
    /// Rehearse it now: what it would change, without sending anything
    DryRun(DryRun),
    /// Derive or load, check, show, sign
    Sign(Sign),
    /// Every finding about a proposal, those that pass too
    Check(Status),
    /// Who has signed, what is missing, what has drifted
    Status(Status),
    /// Take in signatures: files, folders, lines, a whole pasted chat
    Import(Import),
    /// Give out signatures, as lines or as files
    Export(Export),
    /// At threshold: send it, wait, and prove its effect on chain
    Broadcast(Broadcast),
    /// Domain hash, message hash and safeTxHash of a transaction; no network
    Hash(Hash),
    /// Is the Ledger ready, and whose keys does it hold?
    Device(Device),
    /// The playbooks at hand
    #[command(subcommand)]
    Playbook(Playbook),
    /// Write a first council file, from a Safe on chain
    Init(Init),
    /// Print a shell's completion script
    Completions { shell: Shell },
}

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

impl Key {
    /// The Ledger to use, where one is asked for: naming which is asking for it.
    #[must_use]
    pub fn ledger(&self) -> Option<&str> {
        self.ledger.as_deref().or_else(|| self.ledger_serial.as_ref().map(|_| "usb"))
    }
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

#[derive(Debug, Args)]
pub struct Propose {
    /// A lever of the council file; without one, they are listed
    #[arg(conflicts_with = "playbook")]
    pub lever: Option<String>,

    /// Without a lever: the playbook's id
    #[arg(long, value_name = "ID", requires = "safe")]
    pub playbook: Option<String>,

    /// Without a lever: the Safe's name
    #[arg(long, value_name = "NAME", requires = "playbook")]
    pub safe: Option<String>,

    #[command(flatten)]
    pub derive: Derive,

    #[command(flatten)]
    pub accept: Accept,

    #[command(flatten)]
    pub proofs: Proofs,
}

#[derive(Debug, Args)]
pub struct DryRun {
    /// A lever or a proposal file
    pub what: String,

    #[command(flatten)]
    pub derive: Derive,

    /// After this block instead of the latest
    #[arg(long, value_name = "BLOCK")]
    pub at: Option<u64>,

    /// On this RPC alone, a running anvil for instance; '${NAME}' for one that an environment variable holds
    #[arg(long, value_name = "URL")]
    pub fork_url: Option<String>,

    #[command(flatten)]
    pub proofs: Proofs,

    /// Show every call that it makes
    #[arg(long)]
    pub trace: bool,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, clippy::struct_field_names, reason = "each is a flag of its own")]
pub struct Sign {
    /// Levers or proposal files
    #[arg(required = true)]
    pub what: Vec<String>,

    #[command(flatten)]
    pub key: Key,

    #[command(flatten)]
    pub derive: Derive,

    #[command(flatten)]
    pub accept: Accept,

    #[command(flatten)]
    pub proofs: Proofs,

    /// Ask nothing of the network; says what could not be checked
    #[arg(long, conflicts_with = "proofs")]
    pub offline: bool,

    /// Sign without asking, after the review is printed; a Ledger asks on its own screen in any case
    #[arg(long)]
    pub yes: bool,

    /// Sign as this signer of the council file, where a Ledger holds the keys of several [default: me in your settings]
    #[arg(long = "as", value_name = "NAME")]
    pub signer: Option<String>,

    /// Give the Ledger every field, as is usual where its app takes them
    #[arg(long, conflicts_with_all = ["keystore", "hashes", "eth_sign"])]
    pub fields: bool,

    /// Give the Ledger the two hashes only: it then shows nothing else of what is signed
    #[arg(long, conflicts_with = "keystore")]
    pub hashes: bool,

    /// Sign as a personal message (eth_sign), for Safes from 1.1.1 on: a Ledger shows the whole safeTxHash in 4 presses
    #[arg(long)]
    pub eth_sign: bool,

    /// Accept that the Ledger shows neither all of the data nor a hash of it
    #[arg(long, conflicts_with = "keystore")]
    pub unseen: bool,
}

#[derive(Debug, Args)]
pub struct Status {
    /// A lever or a proposal file
    pub what: String,

    #[command(flatten)]
    pub derive: Derive,

    #[command(flatten)]
    pub proofs: Proofs,
}

#[derive(Debug, Args)]
pub struct Import {
    /// A lever or a proposal file
    pub what: String,

    /// Files or folders; `-`, or none, for standard input
    pub from: Vec<PathBuf>,

    #[command(flatten)]
    pub derive: Derive,
}

#[derive(Debug, Args)]
pub struct Export {
    /// A lever or a proposal file
    pub what: String,

    /// Copy the proposal and its signatures into this folder instead of printing lines
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,

    #[command(flatten)]
    pub derive: Derive,
}

#[derive(Debug, Args)]
pub struct Broadcast {
    /// A lever or a proposal file
    pub what: String,

    /// The account that pays for gas; anyone's
    #[command(flatten)]
    pub key: Key,

    #[command(flatten)]
    pub derive: Derive,

    #[command(flatten)]
    pub accept: Accept,

    #[command(flatten)]
    pub proofs: Proofs,

    /// Send without asking; NAME is the Safe's name in your council file
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,

    /// Send nothing: print the call for somebody else to send
    #[arg(long, conflicts_with_all = ["confirm", "keystore", "ledger"])]
    pub calldata: bool,

    /// The most to pay per unit of gas, in gwei
    #[arg(long, value_name = "GWEI", default_value_t = 500)]
    pub max_fee: u64,

    /// The gas to send it with, where no RPC can estimate it; checked like an estimate
    #[arg(long, value_name = "GAS")]
    pub gas: Option<u64>,

    #[command(flatten)]
    pub depth: Depth,

    /// How long to wait for the transaction to be mined, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub wait: u64,
}

#[derive(Debug, Args)]
pub struct Device {
    #[command(flatten)]
    pub key: Key,

    /// Show the address at this derivation path on the device's own screen
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "m/44'/60'/0'/0/0")]
    pub show_address: Option<DerivationPath>,

    /// Show a signer's address of the council file on the device's own screen, and say whether it is the same
    #[arg(long, value_name = "NAME", conflicts_with = "show_address")]
    pub verify: Option<String>,

    /// Say which settings of the Ethereum app are recommended, and how to state yours
    #[arg(long, conflicts_with_all = ["show_address", "verify"])]
    pub settings: bool,

    /// Print the udev rule by which Linux lets a user open a Ledger
    #[arg(long, conflicts_with = "show_address")]
    pub udev: bool,

    /// Install that rule, with sudo; FILE where the system keeps its rules elsewhere
    #[arg(
        long, value_name = "FILE", num_args = 0..=1, default_missing_value = UDEV_RULE_PATH,
        conflicts_with_all = ["show_address", "udev"]
    )]
    pub install_udev: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Hash {
    /// A proposal file, instead of the flags below
    pub proposal: Option<PathBuf>,

    #[arg(long, required_unless_present = "proposal")]
    pub chain_id: Option<u64>,
    #[arg(long, required_unless_present = "proposal", value_parser = parse_address)]
    pub safe: Option<Address>,
    #[arg(long, required_unless_present = "proposal")]
    pub safe_version: Option<SafeVersion>,
    #[arg(long, required_unless_present = "proposal", value_parser = parse_address)]
    pub to: Option<Address>,
    /// In wei
    #[arg(long, default_value = "0")]
    pub value: Amount,
    /// Hexadecimal, or @FILE for long data
    #[arg(long, default_value = "0x")]
    pub data: String,
    #[arg(long, value_enum, default_value = "call")]
    pub operation: OperationName,
    #[arg(long, default_value = "0")]
    pub safe_tx_gas: Amount,
    #[arg(long, default_value = "0")]
    pub base_gas: Amount,
    #[arg(long, default_value = "0")]
    pub gas_price: Amount,
    #[arg(long, default_value_t = Address::ZERO, value_parser = parse_address)]
    pub gas_token: Address,
    #[arg(long, default_value_t = Address::ZERO, value_parser = parse_address)]
    pub refund_receiver: Address,
    #[arg(long, required_unless_present = "proposal")]
    pub nonce: Option<Nonce>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OperationName {
    #[value(alias = "0")]
    Call,
    #[value(alias = "1")]
    Delegatecall,
}

/// A number below 2^256, decimal or 0x.
#[derive(Clone, Copy, Debug)]
pub struct Amount(pub alloy::primitives::U256);

impl std::str::FromStr for Amount {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        crate::safe::parse_uint(s).map(Self).ok_or_else(|| format!("{s:?} is not a whole number below 2^256"))
    }
}

#[derive(Debug, Subcommand)]
pub enum Playbook {
    /// Every playbook: your council's own, then the built-in ones
    List(ListPlaybooks),
    /// One playbook in plain words, with its parameters and an example lever
    Show { id: String },
    /// Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is
    Check { path: PathBuf },
    /// Print a first playbook for a function, its checks included: save it below playbooks/ and edit it
    New(NewPlaybook),
    /// Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent
    Test(TestPlaybook),
    /// Print the JSON Schema of a playbook's file, for editors
    Schema,
}

#[derive(Debug, Args)]
pub struct ListPlaybooks {
    /// Only this kind: pause, param or rotate
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// Only protocols whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub family: Option<String>,

    /// Only this severity: P1, the gravest, to P5
    #[arg(long, value_name = "P1")]
    pub severity: Option<String>,
}

#[derive(Debug, Args)]
pub struct NewPlaybook {
    /// The id, such as pause/my-vault: kind, and a name
    pub id: String,

    /// The function to call: a signature such as "pause()", or with --abi its name
    #[arg(long, value_name = "FUNCTION")]
    pub call: String,

    /// The view that proves it, such as "paused()(bool)"; with --abi its name
    #[arg(long, value_name = "VIEW")]
    pub view: String,

    /// The contract's ABI as JSON, or an artifact with a field "abi"
    #[arg(long, value_name = "FILE")]
    pub abi: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TestPlaybook {
    /// A playbook's id, or a playbook file
    pub what: String,

    /// The Safe of your council file that pulls it [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub safe: Option<String>,

    /// The Safe that takes it back [default: the same]
    #[arg(long, value_name = "NAME")]
    pub undo_safe: Option<String>,

    /// An argument of the playbook; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_set)]
    pub set: Vec<(String, String)>,

    /// On this RPC alone, a running anvil for instance; '${NAME}' for one that an environment variable holds
    #[arg(long, value_name = "URL")]
    pub fork_url: Option<String>,
}

#[derive(Debug, Args)]
pub struct Init {
    /// The Safe's address
    #[arg(long, value_parser = parse_address)]
    pub safe: Address,

    /// An RPC address; '${NAME}' for one that an environment variable holds, as one with a key should be
    #[arg(long, value_name = "URL")]
    pub rpc: Vec<String>,

    /// What to call the protocol
    #[arg(long, default_value = "My protocol")]
    pub name: String,

    /// What to call the chain [default: its usual name]
    #[arg(long, value_name = "NAME")]
    pub chain: Option<String>,

    /// What to call the Safe
    #[arg(long, value_name = "NAME", default_value = "guardian")]
    pub safe_name: String,
}

fn parse_set(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().into(), value.into())),
        _ => Err(format!("{text:?} is not of the form NAME=VALUE")),
    }
}
