//! `hash`: the three hashes of a Safe transaction, from flags or from a proposal. No network.

use std::path::Path;

use alloy::primitives::{Bytes, hex};
use serde_json::json;

use crate::ceremony::subject::read_proposal;
use crate::cli;
use crate::error::{Error, Exit};
use crate::safe::{Hashes, Operation, SafeId, SafeTx};
use crate::store;
use crate::ui::Ui;

pub fn run(ui: &Ui, args: &cli::Hash) -> Result<Exit, Error> {
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
    ui.object(&rows.into_iter().map(|(name, hash)| (name.to_string(), json!(hash))).collect());
    Ok(Exit::Done)
}

fn from_flags(args: &cli::Hash) -> Result<Hashes, Error> {
    // Clap asks for these when there is no proposal.
    let missing = |flag: &str| Error::new(Exit::Usage, format!("{flag} is missing"));
    let safe = SafeId {
        chain_id: args.chain_id.ok_or_else(|| missing("--chain-id"))?,
        address: args.safe.ok_or_else(|| missing("--safe"))?,
        version: args.safe_version.ok_or_else(|| missing("--safe-version"))?,
    };
    let tx = SafeTx {
        to: args.to.ok_or_else(|| missing("--to"))?,
        value: args.value.0,
        data: read_data(&args.data)?,
        operation: match args.operation {
            cli::OperationName::Call => Operation::Call,
            cli::OperationName::Delegatecall => Operation::DelegateCall,
        },
        safe_tx_gas: args.safe_tx_gas.0,
        base_gas: args.base_gas.0,
        gas_price: args.gas_price.0,
        gas_token: args.gas_token,
        refund_receiver: args.refund_receiver,
        nonce: args.nonce.ok_or_else(|| missing("--nonce"))?,
    };
    Ok(safe.hashes(&tx))
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
