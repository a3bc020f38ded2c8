//! A ready transaction on its way to the chain: gas, the relay, records, the wait until it is deep enough.

pub mod depth;
pub mod gas;
pub mod offer;
pub mod outbox;
pub mod sent;
pub mod waiting;
