//! `hash`: the three hashes of a Safe transaction, from flags or from a proposal. No network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, Bytes, U256, hex};
use clap::{ValueEnum, ValueHint};

use crate::ceremony::find::read_proposal;
use crate::cli::args::ARGUMENTS;
use crate::error::{Error, Exit};
use crate::safe::{Hashes, Nonce, Operation, SafeId, SafeTx, SafeVersion, parse_address, parse_uint};
use crate::store;
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  breakglass hash proposal.json
  breakglass hash --chain-id 1 --safe 0x… --safe-version 1.4.1 \\
    --to 0x… --data 0x… --nonce 42";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// A proposal file, instead of the flags below
    #[arg(help_heading = ARGUMENTS, value_name = "FILE", value_hint = ValueHint::FilePath)]
    proposal: Option<PathBuf>,

    /// The id of the chain
    #[arg(long, allow_negative_numbers = true, value_name = "ID", required_unless_present = "proposal")]
    chain_id: Option<u64>,

    /// The Safe's address
    #[arg(long, value_name = "ADDRESS", required_unless_present = "proposal", value_parser = parse_address)]
    safe: Option<Address>,

    /// Its version, such as 1.4.1
    #[arg(long, value_name = "VERSION", required_unless_present = "proposal")]
    safe_version: Option<SafeVersion>,

    /// The address that it calls
    #[arg(long, value_name = "ADDRESS", required_unless_present = "proposal", value_parser = parse_address)]
    to: Option<Address>,

    /// In wei
    #[arg(long, allow_negative_numbers = true, value_name = "WEI", default_value = "0", value_parser = parse_amount)]
    value: U256,

    /// Hexadecimal, or @FILE for long data
    #[arg(long, value_name = "HEX", default_value = "0x")]
    data: String,

    /// Call, or run the code as the Safe
    #[arg(long, value_enum, value_name = "OPERATION", default_value = "call")]
    operation: OperationName,

    /// Gas for the call; 0 for all
    #[arg(long, allow_negative_numbers = true, value_name = "GAS", default_value = "0", value_parser = parse_amount)]
    safe_tx_gas: U256,

    /// Gas that a refund adds
    #[arg(long, allow_negative_numbers = true, value_name = "GAS", default_value = "0", value_parser = parse_amount)]
    base_gas: U256,

    /// The price that a refund pays for a unit of gas
    #[arg(long, allow_negative_numbers = true, value_name = "WEI", default_value = "0", value_parser = parse_amount)]
    gas_price: U256,

    /// The token of a refund; zero for ether
    #[arg(
        long, value_name = "ADDRESS", default_value_t = Address::ZERO, hide_default_value = true, value_parser = parse_address
    )]
    gas_token: Address,

    /// Whom a refund goes to; zero for the sender
    #[arg(
        long, value_name = "ADDRESS", default_value_t = Address::ZERO, hide_default_value = true, value_parser = parse_address
    )]
    refund_receiver: Address,

    /// The Safe's nonce
    #[arg(long, allow_negative_numbers = true, value_name = "N", required_unless_present = "proposal")]
    nonce: Option<Nonce>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OperationName {
    /// Operation 0
    #[value(alias = "0")]
    Call,
    /// Operation 1
    #[value(alias = "1")]
    Delegatecall,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, Error> {
    let hashes = match &args.proposal {
        Some(path) => *read_proposal(path)?.hashes(),
        None => from_flags(args)?,
    };
    let rows = [
        ("domain_hash", hashes.domain.to_string()),
        ("message_hash", hashes.message.to_string()),
        ("safe_tx_hash", hashes.safe_tx.to_string()),
    ];
    for (name, hash) in &rows {
        ui.data(&format!("{name:<12}  {hash}"));
    }
    ui.object(&rows.into_iter().collect::<BTreeMap<_, _>>());
    Ok(Exit::Done)
}

fn from_flags(args: &Args) -> Result<Hashes, Error> {
    // Clap asks for these when there is no proposal.
    let missing = |flag: &str| Error::new(Exit::Usage, format!("{flag} is missing"));
    let safe = SafeId {
        chain_id: args.chain_id.ok_or_else(|| missing("--chain-id"))?,
        address: args.safe.ok_or_else(|| missing("--safe"))?,
        version: args.safe_version.ok_or_else(|| missing("--safe-version"))?,
    };
    let tx = SafeTx {
        to: args.to.ok_or_else(|| missing("--to"))?,
        value: args.value,
        data: read_data(&args.data)?,
        operation: match args.operation {
            OperationName::Call => Operation::Call,
            OperationName::Delegatecall => Operation::DelegateCall,
        },
        safe_tx_gas: args.safe_tx_gas,
        base_gas: args.base_gas,
        gas_price: args.gas_price,
        gas_token: args.gas_token,
        refund_receiver: args.refund_receiver,
        nonce: args.nonce.ok_or_else(|| missing("--nonce"))?,
    };
    Ok(safe.hashes(&tx))
}

/// Reads a number below 2^256, decimal or 0x.
fn parse_amount(text: &str) -> Result<U256, String> {
    parse_uint(text).ok_or_else(|| format!("{text:?} is not a whole number below 2^256"))
}

/// Hexadecimal as it stands, or of the file after an `@`.
fn read_data(text: &str) -> Result<Bytes, Error> {
    let (origin, digits) = match text.strip_prefix('@') {
        Some(path) => (path, store::read_text(Path::new(path))?),
        None => ("--data", text.to_string()),
    };
    let digits = digits.trim();
    hex::decode(digits).map(Bytes::from).map_err(|e| {
        let head: String = digits.chars().take(40).collect();
        Error::new(Exit::Usage, format!("{origin}: {head:?} is not hexadecimal: {e}"))
    })
}
