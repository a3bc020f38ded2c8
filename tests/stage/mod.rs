//! The stage on which ceremonies are tested: a real anvil, the real Safe contracts, one desk per signer, and between
//! program and chain, where a test wants it, an RPC that fails or lies.
//!
//! Everything is made anew for each test and gone after it, also when the test panics. Needs `make setup` once.

#![allow(dead_code, reason = "each test crate uses its own part of the stage")]
#![allow(unused_imports, reason = "each test crate uses its own part of the stage")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a stage that cannot be set up is a failed test"
)]

mod anvil;
mod artifact;
mod ceremony;
mod desk;
mod http;
mod keys;
mod keystore;
mod node;
mod proxy;
mod safes;
mod terminal;
mod waiting;

pub use anvil::{Anvil, Receipt};
pub use artifact::{deploy, deploy_code, fixtures, npm_bytecode, npm_json, origins};
pub use ceremony::Ceremony;
pub use desk::{Desk, Run, breakglass, run};
pub use http::write_response;
pub use keys::{KEYS, Key, key};
pub use keystore::encrypt;
pub use proxy::{Counts, Fault, Proxy, dead_url};
pub use safes::{SafeSetup, deploy_contracts, deploy_safe, place_safe, published};
pub use terminal::{CTRL_C, CTRL_D, Terminal};
pub use waiting::wait_until;
