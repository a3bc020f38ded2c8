//! The object that a signer's device shows: the transaction, or the message of a Safe that owns the transaction's Safe.

use serde::Serialize;

use crate::ceremony::judged::Judged;
use crate::proposal::Way;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceShows {
    Transaction,
    Message(ShownMessage),
    /// The signer is not known: the transaction, or a message for owners of these Safes.
    Either(Vec<String>),
    /// The owners have signed, and the reader sends it.
    Nothing,
}

/// A message of a Safe, by which it approves the transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownMessage {
    pub safe: String,
    pub bytes: MessageBytes,
}

/// The bytes of a message, by the hashes of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageBytes {
    /// 0x1901, then the domain hash and the message hash.
    PreImage,
    /// The safeTxHash.
    Hash,
    /// They are the hash of another message between this one and the transaction.
    Other,
}

impl DeviceShows {
    /// Returns what an owner sees who signs in this way; `None` if the signer is not known.
    pub fn of(judged: &Judged, way: Option<&Way>) -> Self {
        let proposal = judged.proposal();
        let name = |way: &Way| judged.name(way.domain.safe().address).to_string();
        let Some(way) = way else {
            let ways = judged.derived.owners.ways(proposal);
            let safes: Vec<String> = ways.iter().filter(|way| way.message.is_some()).map(name).collect();
            return if safes.is_empty() { Self::Transaction } else { Self::Either(safes) };
        };
        let Some(message) = &way.message else { return Self::Transaction };
        let (bytes, hashes) = (&message.message, proposal.hashes());
        let bytes = match () {
            () if *bytes == hashes.pre_image() => MessageBytes::PreImage,
            () if bytes[..] == hashes.safe_tx.word()[..] => MessageBytes::Hash,
            () => MessageBytes::Other,
        };
        Self::Message(ShownMessage { safe: name(way), bytes })
    }
}

impl ShownMessage {
    /// Returns what to read on the device, in two lines.
    pub fn to_read(&self) -> [String; 2] {
        let bytes = match self.bytes {
            MessageBytes::PreImage => "1901, then the domain and the message hash of the transaction:",
            MessageBytes::Hash => "the safeTx hash of the transaction, whole:",
            MessageBytes::Other => "its hashes are listed with its pages; those of the transaction:",
        };
        [format!("a message of {}, without call, target and nonce:", self.safe), bytes.into()]
    }
}
