//! A Ledger's own report: its model, its app and the settings that can be read. Pure.

use super::apdu::AppVersion;
use super::plugged::Model;

/// The device's own report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// `None` over TCP, where nobody says it.
    pub model: Option<Model>,
    pub version: AppVersion,
    pub blind_signing: bool,
    /// The app asks Ledger's servers about a transaction; on large screens only.
    pub transaction_check: bool,
    /// The app takes typed data field by field; an old one takes only the two hashes.
    pub takes_fields: bool,
}

impl Status {
    /// Returns what to change on the device before signing with it, if anything. Raw messages cannot be read from outside.
    pub const fn advice(&self) -> &'static str {
        match (self.takes_fields, self.blind_signing) {
            (false, _) => "update the Ethereum app: this one shows two hashes and nothing of what is signed",
            (true, true) => {
                "turn \"Raw messages\" and \"Transaction hash\" on and \"Blind signing\" off in the Ethereum app's settings: \
                 only then does the Ledger itself show every field and both hashes of what is signed"
            }
            (true, false) => {
                "\"Blind signing\" is off, as it should be; \"Raw messages\" and \"Transaction hash\" must be on, for the \
                 Ledger to show every field and both hashes of what is signed (the app does not tell whether they are)"
            }
        }
    }
}
