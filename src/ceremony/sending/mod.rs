//! A ready transaction on its way to the chain: gas, price, relay, records, and the wait until it is mined deep enough.

pub mod depth;
pub mod gas;
pub mod offer;
pub mod outbox;
pub mod sent;
pub mod waiting;
