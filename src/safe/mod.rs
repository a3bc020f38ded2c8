//! The Safe protocol as pure functions over values: transactions, hashes, signatures, owners, batches, events.
//!
//! Knows no other room. No async, no I/O, no environment, no clock: what is here can be read against the Safe
//! contracts line by line, and tested without anything else.

mod abi;
mod address;
mod batch_contract;
pub mod deployments;
mod domain;
mod event;
mod hashes;
mod multisend;
mod nested;
mod nonces;
mod owners;
mod packed_signatures;
mod packing;
mod pause;
mod signature;
mod slots;
mod state;
#[cfg(test)]
pub(crate) mod tests;
mod tree;
mod tx;
mod version;

pub use abi::ISafe;
pub use address::{BadAddress, parse_address};
pub use batch_contract::{published_batch_contract, published_chains};
pub use domain::{DRILL_CHAIN_ID, Domain, NoDrill, Purpose};
pub use event::{Execution, RESULT_TOPICS, find_execution, result_of};
pub use hashes::HashDigits;
pub(crate) use hashes::hash_type;
pub use hashes::{BadHash, DomainHash, Hashes, MessageHash, SafeId, SafeTxHash, message_hash};
pub use multisend::{BatchError, decode_batch, encode_batch};
pub use nested::{Answering, Question, SafeMessage, usual_handler, usual_singleton};
pub use nonces::{BadNonces, Nonces, listed};
pub use owners::{MOST_OWNERS, Owners, OwnersError, SENTINEL, Threshold, previous_in_list};
pub use packed_signatures::{
    ContractSignature, PackError, Packed, approvers, decode_approvals, looks_packed,
};
pub use packing::{Approval, encode_approvals};
pub use pause::{
    IDeputyGuardianModule, IDeputyPauseModule, IModules, Pause, PauseForm, PauseSignature,
    PauseSignatureError,
};
pub use signature::{EcdsaSignature, SignatureError, SignatureKind, signed_digest};
pub use slots::{
    FIXED_SLOTS, SlotKind, approved_hash_slot, module_slot, owner_slot, safe_slots, slot, slot_word,
};
pub use state::{Drift, MOST_MODULES, SafeField, SafeState};
pub use tree::{DEEPEST, MOST_SAFES, SafeTree};
pub use tx::{BadNonce, Call, Nonce, Operation, SafeTx, decode_exec, parse_uint};
pub use version::{SafeVersion, UnknownVersion};
