//! What a proposal says it came from, and how a reader's own derivation differs from it.

use std::collections::BTreeMap;

use crate::playbook::{PlaybookDigest, PlaybookId};
use crate::safe::{SafeId, SafeTx};

/// Which playbook and which arguments a proposal was derived from. A claim until the reader derives it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The lever's name in the council file; none when playbook, Safe and arguments were given one by one.
    pub lever: Option<String>,
    /// The lever's counter-playbook was asked for.
    pub undo: bool,
    pub playbook: PlaybookId,
    pub digest: PlaybookDigest,
    /// The playbook's text, so that a reader without it can see what was meant.
    pub text: String,
    /// The arguments as text, before names and units were resolved.
    pub args: BTreeMap<String, String>,
}

/// A field in which a file differs from what its reader derives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub field: &'static str,
    pub file: String,
    pub own: String,
}

/// Compares a stated transaction with the reader's own, field by field.
#[must_use]
pub fn differences(file: (&SafeId, &SafeTx), own: (&SafeId, &SafeTx)) -> Vec<Difference> {
    let rows = |(safe, tx): (&SafeId, &SafeTx)| {
        [
            ("chain id", safe.chain_id.to_string()),
            ("Safe", safe.address.to_string()),
            ("Safe version", safe.version.to_string()),
            ("to", tx.to.to_string()),
            ("value", tx.value.to_string()),
            ("data", tx.data.to_string()),
            ("operation", tx.operation.to_string()),
            ("safeTxGas", tx.safe_tx_gas.to_string()),
            ("baseGas", tx.base_gas.to_string()),
            ("gasPrice", tx.gas_price.to_string()),
            ("gasToken", tx.gas_token.to_string()),
            ("refundReceiver", tx.refund_receiver.to_string()),
            ("nonce", tx.nonce.to_string()),
        ]
    };
    rows(file)
        .into_iter()
        .zip(rows(own))
        .filter(|((_, file), (_, own))| file != own)
        .map(|((field, file), (_, own))| Difference { field, file, own })
        .collect()
}
