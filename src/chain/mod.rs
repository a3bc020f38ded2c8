//! The only room that talks to a network.
//!
//! From outside it is synchronous: a private runtime runs inside, and async stays in this room. It reads what a
//! [`Query`](crate::evm::Query) asks, the state of a Safe, and sends signed transactions. Every value comes
//! from one block on which a quorum of endpoints agrees; whatever an endpoint answers is taken as hostile.
//!
//! May touch the network and values; no files, no terminal, no device. It decides nothing about a proposal.

mod agreement;
mod chain_error;
mod codes;
mod distinct;
mod draft;
mod endpoint;
mod executions;
mod fees;
mod finality;
mod forked;
mod http_proxy;
mod json_rpc;
mod merkle;
mod mined_transactions;
mod offers;
mod on_fork;
mod pace;
mod panel;
mod proving;
mod quorum;
mod receipts;
mod replay;
mod rhythm;
mod settle;
mod sighting;
mod snapshot;
mod standing;
mod submission;
mod transaction_service;

pub use chain_error::{ChainError, EndpointFault};
pub use codes::Codes;
pub use draft::RehearsalDraft;
pub use endpoint::Options;
pub use executions::Carried;
pub use fees::{CallRequest, Fees, SenderState};
pub use finality::Depth;
pub use forked::Forked;
pub use http_proxy::proxy_of;
pub use merkle::Root;
pub use mined_transactions::{ExecutedTx, Receipt};
pub use offers::Offers;
pub use quorum::Chain;
pub use receipts::Events;
pub use replay::Replayed;
pub use rhythm::{Age, judge_age, usual_block_time};
pub use sighting::Sighting;
pub use snapshot::{Ask, Snapshot};
pub use standing::{EndpointReport, EndpointStatus, agreeing, is_minority};
#[cfg(test)]
pub use transaction_service::StatedSafe;
pub use transaction_service::{PendingTransaction, ServiceAnswer, ServiceSays};

#[cfg(test)]
pub(crate) mod tests;
